//! What the person can do on each page, one file per page.

pub mod activity;
pub mod backups;
pub mod credentials;
pub mod logs;
pub mod profiles;
pub mod trash;
