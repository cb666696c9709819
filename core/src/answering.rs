//! Answering: a question becomes passages, a prompt, a streamed answer, and citations that were checked.

pub mod cite;
pub mod prompt;
pub mod sentences;
pub mod words;
