//! What the person can do with the notification centre.

#[derive(Clone, Debug, PartialEq)]
pub enum NotificationsCommand {
    /// Reads it all again.
    Refresh,
}
