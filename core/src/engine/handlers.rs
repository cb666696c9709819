//! One module per family of requests: each takes a request apart and calls the service that does it.

pub mod chats;
pub mod knowledge;
pub mod models;
pub mod settings;
pub mod system;
