//! The window and the command line of RS Personal Agent.
pub mod widgets;
