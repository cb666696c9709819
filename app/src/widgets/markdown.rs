//! Markdown as blocks of text: parsed once, laid out when seen, safe for text that a model or a stranger wrote.

mod block;
mod build;
mod cite;
mod parse;
mod parsed;

pub use block::{Alignment, Block, Content, Inline, Marker, Run, RunStyle};
pub use cite::{Marks, marks};
pub use parsed::Parsed;

#[cfg(test)]
mod tests;
