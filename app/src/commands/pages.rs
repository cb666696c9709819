//! What the person can do on each page, one file per page.

pub mod activity;
pub mod agents;
pub mod approvals;
pub mod backups;
pub mod credentials;
pub mod dashboard;
pub mod logs;
pub mod notifications;
pub mod profiles;
pub mod schedules;
pub mod tasks;
pub mod trash;
