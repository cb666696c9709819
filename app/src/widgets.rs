//! Parts that views are made of.

pub mod code_view;
pub mod markdown;
