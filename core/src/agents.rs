//! Agents: what they are made from, the loop in which they work, what they are allowed, and what is recorded of it.

pub mod definition;
pub mod portable;
pub mod sample;
pub mod select;
pub mod types;
pub mod validate;
