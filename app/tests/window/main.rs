//! The window, driven by the names that a screen reader hears, without a screen.

mod pages;
mod palette;
mod picker;
mod pictures;
mod shell;
mod support;
mod welcome;
