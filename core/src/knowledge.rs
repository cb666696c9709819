//! Knowledge: sources are read, cut into passages, and searched by words and by meaning.

pub mod chunk;
pub mod fuse;
pub mod keyword;
pub mod priority;
pub mod readers;
pub mod snippet;
pub mod vector;
pub mod words;
