//! Tasks through the door.
