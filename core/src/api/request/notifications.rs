//! What the person was told: listed, marked as read, cleared.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{Notification, NotificationId, Page, PageRequest};

/// Newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListNotifications {
    pub unread: bool,
    pub page: PageRequest,
}

/// None means all; the number of those that still are unread.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MarkRead {
    pub id: Option<NotificationId>,
}

/// None means all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClearNotifications {
    pub id: Option<NotificationId>,
}

family!(Notifications, NotificationsRequest, NotificationsResponse {
    ListNotifications => Page<Notification>,
    MarkRead => u64,
    ClearNotifications => (),
});

impl NotificationsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListNotifications(_) | Self::MarkRead(_) | Self::ClearNotifications(_) => Guard::Open,
        }
    }
}
