//! The window and the command line of RS Personal Agent.

pub mod app;
pub mod cli;
pub mod commands;
pub mod design;
#[cfg(test)]
mod fixtures;
pub mod layout;
pub mod measure;
pub mod shell;
pub mod state;
pub mod text;
pub mod views;
pub mod when;
pub mod widgets;

pub use app::{WindowOptions, run_window};
pub use measure::{Measure, WindowFigures};
