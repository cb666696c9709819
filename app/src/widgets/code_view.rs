//! Code and document text in numbered lines.

pub mod highlight;
