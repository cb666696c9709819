//! Requests, one file per family.

pub mod chats;
pub mod knowledge;
pub mod models;
pub mod settings;
pub mod system;
