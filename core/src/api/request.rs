//! Requests, one file per family.

pub mod activities;
pub mod agents;
pub mod approvals;
pub mod backups;
pub mod chats;
pub mod consents;
pub mod credentials;
pub mod crews;
pub mod dashboard;
pub mod knowledge;
pub mod logs;
pub mod mcp;
pub mod models;
pub mod notifications;
pub mod profiles;
pub mod providers;
pub mod runs;
pub mod schedules;
pub mod settings;
pub mod system;
pub mod tasks;
pub mod trash;
pub mod usage;
