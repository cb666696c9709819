//! Markdown as blocks of text: parsed once, laid out when seen, safe for text that a model or a stranger wrote.

mod block;
mod build;
mod cite;
mod code_block;
mod layout;
mod parse;
mod parsed;
mod text;
mod view;

pub use block::{Alignment, Block, Content, Inline, Marker, Run, RunStyle};
pub use cite::{Marks, marks};
pub use parsed::Parsed;
pub use view::MarkdownView;

/// What the person did in a shown text.
#[derive(Clone, Debug, PartialEq)]
pub enum MarkdownEvent {
    /// Index into the answer's citations.
    Citation(u32),
    /// A link was clicked. The address is not trusted: it must be shown and confirmed before anything opens it.
    Link(String),
    /// Text to put on the clipboard.
    Copy(String),
}

#[cfg(test)]
mod pictures;
#[cfg(test)]
mod tests;
