//! Log entries and how they are filtered.
