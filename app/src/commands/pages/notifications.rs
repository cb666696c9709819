//! What the person can do with the notification centre.

use rspa_core::model::NotificationId;

#[derive(Clone, Debug, PartialEq)]
pub enum NotificationsCommand {
    /// Reads it all again.
    Refresh,
    /// Goes to what it is about; it is read then.
    Open(NotificationId),
    /// None means all.
    Read(Option<NotificationId>),
    Clear(Option<NotificationId>),
}
