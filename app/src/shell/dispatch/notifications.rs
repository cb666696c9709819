//! Commands of the notification centre.

use rspa_core::api::request::notifications::{ClearNotifications, MarkRead};
use rspa_core::model::NotificationId;

use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::pages::notifications::NotificationsCommand;
use crate::shell::Shell;
use crate::state::pages::PageState as _;

impl Shell {
    pub(super) fn notifications(&mut self, command: NotificationsCommand) {
        match command {
            NotificationsCommand::Refresh => self.state.pages.notifications.opened(),
            NotificationsCommand::Open(id) => self.open_notification(id),
            NotificationsCommand::Read(id) => {
                self.engine.send(&mut self.state, MarkRead { id }, |state, _, _| {
                    state.pages.notifications.opened();
                });
            }
            NotificationsCommand::Clear(id) => {
                self.engine.send(&mut self.state, ClearNotifications { id }, |state, _, ()| {
                    state.pages.notifications.opened();
                });
            }
        }
    }

    fn open_notification(&mut self, id: NotificationId) {
        let Some(told) = self.state.pages.notifications.find(id).cloned() else { return };
        let waits = told.approval.filter(|id| self.state.pages.approvals.waiting().any(|one| one.id == *id));
        let target = match (waits, told.task, told.agent) {
            (Some(approval), ..) => Some(UiCommand::Approvals(ApprovalsCommand::Show(Some(approval)))),
            (None, Some(task), _) => Some(UiCommand::OpenTask(task)),
            (None, None, Some(agent)) => Some(UiCommand::OpenAgent(agent)),
            (None, None, None) => None,
        };
        if let Some(target) = target {
            self.notices_open = false;
            self.queue.push(target);
        }
        if !told.read {
            self.queue.push(UiCommand::Notifications(NotificationsCommand::Read(Some(id))));
        }
    }
}
