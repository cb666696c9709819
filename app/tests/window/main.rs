//! The window, driven by the names that a screen reader hears, without a screen.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, end the test where they cannot go on")]

mod consent;
mod page_dialog;
mod pages;
mod palette;
mod picker;
mod pictures;
mod shell;
mod support;
mod welcome;
