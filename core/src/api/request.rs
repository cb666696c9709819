//! Requests, one file per family.

pub mod activities;
pub mod backups;
pub mod chats;
pub mod consents;
pub mod credentials;
pub mod knowledge;
pub mod logs;
pub mod models;
pub mod profiles;
pub mod settings;
pub mod system;
pub mod trash;
