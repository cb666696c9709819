//! What the window tells the person on its own: toasts that pass, and the list behind the bell.

use rspa_core::api::ApiError;
use rspa_core::model::Timestamp;

use crate::commands::UiCommand;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    Info,
    Done,
    Warning,
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub number: u64,
    pub at: Timestamp,
    pub kind: NoticeKind,
    pub title: String,
    /// What to do next; may be empty.
    pub detail: String,
    /// What can be done about it with one press, such as taking it back.
    pub action: Option<NoticeAction>,
}

/// A button of a notice.
#[derive(Clone, Debug, PartialEq)]
pub struct NoticeAction {
    pub label: String,
    pub then: Box<UiCommand>,
}

/// At most this many are kept.
const KEPT: usize = 200;

#[derive(Default)]
pub struct Notices {
    next: u64,
    all: Vec<Notice>,
    /// Numbers of those that are still shown as toasts.
    toasts: Vec<u64>,
    unread: usize,
}

impl Notices {
    pub fn push(&mut self, at: Timestamp, kind: NoticeKind, title: impl Into<String>, detail: impl Into<String>) {
        let number = self.next;
        self.next += 1;
        if self.all.len() == KEPT {
            self.all.remove(0);
        }
        self.all.push(Notice { number, at, kind, title: title.into(), detail: detail.into(), action: None });
        self.toasts.push(number);
        self.unread = (self.unread + 1).min(KEPT);
    }

    /// As `push`, with a button.
    pub fn push_with(
        &mut self,
        at: Timestamp,
        kind: NoticeKind,
        title: impl Into<String>,
        detail: impl Into<String>,
        action: NoticeAction,
    ) {
        self.push(at, kind, title, detail);
        if let Some(notice) = self.all.last_mut() {
            notice.action = Some(action);
        }
    }

    /// Takes the button off a notice, once: what it does.
    pub(crate) fn take_action(&mut self, number: u64) -> Option<UiCommand> {
        let notice = self.all.iter_mut().find(|notice| notice.number == number)?;
        Some(*notice.action.take()?.then)
    }

    /// Goes to the list behind the bell only.
    pub fn push_quietly(&mut self, at: Timestamp, kind: NoticeKind, title: impl Into<String>) {
        self.push(at, kind, title, "");
        self.toasts.pop();
    }

    pub fn error(&mut self, at: Timestamp, error: &ApiError) {
        self.push(at, NoticeKind::Error, error.message.clone(), error.advice.clone());
    }

    /// Newest first.
    pub fn list(&self) -> impl ExactSizeIterator<Item = &Notice> {
        self.all.iter().rev()
    }

    pub fn toasts(&self) -> impl Iterator<Item = &Notice> {
        self.all.iter().filter(|notice| self.toasts.contains(&notice.number))
    }

    pub fn unread(&self) -> usize {
        self.unread
    }

    pub(crate) fn dismiss(&mut self, number: u64) {
        self.toasts.retain(|n| *n != number);
    }

    pub(crate) fn read_all(&mut self) {
        self.unread = 0;
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.toasts.clear();
        self.unread = 0;
    }
}
