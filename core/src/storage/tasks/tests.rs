//! Tasks as they are stored: indexes, pages, the board.
