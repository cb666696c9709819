//! What the notification centre reads.

use rspa_core::api::request::notifications::ListNotifications;
use rspa_core::api::{Core, Event};
use rspa_core::model::{Notification, NotificationId, Page as ListPage, PageRequest};

use super::PageState;
use crate::state::Slot;

/// The newest so many are shown.
const SHOWN: u32 = 200;

#[derive(Default)]
pub struct NotificationsState {
    /// Newest first.
    pub list: Slot<ListPage<Notification>>,
    asked_once: bool,
    stale: bool,
}

impl NotificationsState {
    pub fn all(&self) -> &[Notification] {
        self.list.get().map_or(&[], |page| page.items.as_slice())
    }

    pub fn unread(&self) -> usize {
        self.all().iter().filter(|told| !told.read).count()
    }

    pub fn find(&self, id: NotificationId) -> Option<&Notification> {
        self.all().iter().find(|told| told.id == id)
    }
}

impl PageState for NotificationsState {
    fn opened(&mut self) {
        self.stale = true;
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::NotificationAdded { notification } => match self.list.get_mut() {
                Some(page) if page.items.iter().all(|known| known.id != notification.id) => {
                    page.items.insert(0, notification.clone());
                    page.items.truncate(SHOWN as usize);
                    page.total += 1;
                }
                _ => self.stale = true,
            },
            Event::NotificationsChanged => self.stale = true,
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        self.stale |= self.list.take_stale();
        let Some(core) = core else { return };
        if std::mem::take(&mut self.stale) || !self.asked_once {
            self.asked_once = true;
            let page = PageRequest { offset: 0, limit: SHOWN };
            self.list.refresh(|| core.call(ListNotifications { unread: false, page }));
        }
    }
}
