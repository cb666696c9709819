//! What the person can do on each page, one file per page.

pub mod activity;
pub mod agents;
pub mod approvals;
pub mod backups;
pub mod chats;
pub mod credentials;
pub mod crews;
pub mod dashboard;
pub mod logs;
pub mod notifications;
pub mod profiles;
pub mod providers;
pub mod retrieval;
pub mod schedules;
pub mod servers;
pub mod tasks;
pub mod trash;
pub mod usage;
