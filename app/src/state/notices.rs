//! What the window tells the person on its own: toasts that pass, and the list behind the bell.

use rspa_core::api::{ApiError, ErrorCategory};
use rspa_core::model::Timestamp;

use super::Page;
use crate::commands::UiCommand;
use crate::text::{sentence, tr};

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
    /// Shown as toasts alone: core keeps what they say.
    passing: Vec<Notice>,
    /// Numbers of those that are still shown as toasts.
    toasts: Vec<u64>,
    unread: usize,
}

impl Notices {
    pub fn push(&mut self, at: Timestamp, kind: NoticeKind, title: impl Into<String>, detail: impl Into<String>) {
        let (title, detail) = (title.into(), detail.into());
        // Said again while it can still be read: it is not piled up.
        if let Some(last) = self.all.last_mut()
            && self.toasts.contains(&last.number)
            && last.action.is_none()
            && (last.kind, &last.title, &last.detail) == (kind, &title, &detail)
        {
            last.at = at;
            return;
        }
        let number = self.keep(at, kind, title, detail);
        self.toasts.push(number);
    }

    fn keep(&mut self, at: Timestamp, kind: NoticeKind, title: String, detail: String) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.all.len() == KEPT {
            self.all.remove(0);
        }
        self.all.push(Notice { number, at, kind, title, detail, action: None });
        self.unread = (self.unread + 1).min(KEPT);
        number
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

    /// Shows a toast for something that core keeps: it is not in the list of this window.
    pub fn pass(
        &mut self,
        at: Timestamp,
        kind: NoticeKind,
        title: impl Into<String>,
        detail: impl Into<String>,
        action: Option<NoticeAction>,
    ) {
        let number = self.next;
        self.next += 1;
        self.passing.push(Notice { number, at, kind, title: title.into(), detail: detail.into(), action });
    }

    /// Takes the button off a notice, once: what it does.
    pub(crate) fn take_action(&mut self, number: u64) -> Option<UiCommand> {
        let mut all = self.all.iter_mut().chain(&mut self.passing);
        let notice = all.find(|notice| notice.number == number)?;
        Some(*notice.action.take()?.then)
    }

    /// Goes to the list behind the bell only.
    pub fn push_quietly(&mut self, at: Timestamp, kind: NoticeKind, title: impl Into<String>) {
        self.keep(at, kind, title.into(), String::new());
    }

    /// Where the advice leads to a page, with a button that opens it.
    pub fn error(&mut self, at: Timestamp, error: &ApiError) {
        let (title, advice) = (sentence(&error.message), error.advice.clone());
        match way_on(error) {
            Some(action) => {
                // Said again while it can still be read: it is not piled up.
                if let Some(last) = self.all.last_mut()
                    && self.toasts.contains(&last.number)
                    && last.action.as_ref() == Some(&action)
                    && (last.title.as_str(), &last.detail) == (&*title, &advice)
                {
                    last.at = at;
                    return;
                }
                self.push_with(at, NoticeKind::Error, title, advice, action);
            }
            None => self.push(at, NoticeKind::Error, title, advice),
        }
    }

    /// Newest first.
    pub fn list(&self) -> impl ExactSizeIterator<Item = &Notice> {
        self.all.iter().rev()
    }

    pub fn toasts(&self) -> impl Iterator<Item = &Notice> {
        self.all.iter().filter(|notice| self.toasts.contains(&notice.number)).chain(&self.passing)
    }

    pub fn unread(&self) -> usize {
        self.unread
    }

    pub(crate) fn dismiss(&mut self, number: u64) {
        self.toasts.retain(|n| *n != number);
        self.passing.retain(|notice| notice.number != number);
    }

    /// What a notice offers to do needs nobody any more: its toast and its button go.
    pub(crate) fn dismiss_where(&mut self, then: &UiCommand) {
        let Self { all, toasts, .. } = self;
        for notice in all.iter_mut().filter(|notice| notice.action.as_ref().is_some_and(|action| *action.then == *then))
        {
            notice.action = None;
            toasts.retain(|number| *number != notice.number);
        }
    }

    pub(crate) fn read_all(&mut self) {
        self.unread = 0;
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.toasts.clear();
        self.passing.clear();
        self.unread = 0;
    }
}

/// The page that the advice of an error names, or where its cause is put right.
fn way_on(error: &ApiError) -> Option<NoticeAction> {
    let title = |page: Page| tr(&format!("page.{}", page.key()));
    let named = |page: Page| error.advice.contains(title(page)).then_some(page);
    let of_provider = || {
        let about = ["provider", "the server runs"].iter().any(|words| error.advice.contains(words));
        (error.category == ErrorCategory::Network && about).then_some(Page::Providers)
    };
    let page = named(Page::Profiles).or_else(|| named(Page::Credentials)).or_else(of_provider)?;
    Some(NoticeAction { label: title(page).to_owned(), then: Box::new(UiCommand::OpenPage(page)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_leads_to_the_page_where_it_is_put_right() {
        let leads = |category, advice: &str| {
            let mut notices = Notices::default();
            notices.error(Timestamp(1), &ApiError::new(category, "no answer", advice));
            notices.list().next().and_then(|notice| notice.action.clone()).map(|action| *action.then)
        };
        let unreachable = "Check that the server runs and that its address is right.";
        assert_eq!(leads(ErrorCategory::Network, unreachable), Some(UiCommand::OpenPage(Page::Providers)));
        let key = "Check the provider's key under Credentials.";
        assert_eq!(leads(ErrorCategory::Authentication, key), Some(UiCommand::OpenPage(Page::Credentials)));
        let policy = "Change the network policy under Profiles & network, or use a model inside this program.";
        assert_eq!(leads(ErrorCategory::Authorisation, policy), Some(UiCommand::OpenPage(Page::Profiles)));
        assert_eq!(leads(ErrorCategory::Storage, "Make room."), None);
    }

    #[test]
    fn what_is_said_again_at_once_is_not_piled_up() {
        let mut notices = Notices::default();
        for at in [1, 2] {
            notices.push(Timestamp(at), NoticeKind::Error, "No address", "Give one.");
        }
        assert_eq!((notices.toasts().count(), notices.unread()), (1, 1));
        notices.push_quietly(Timestamp(3), NoticeKind::Info, "No graphics card");
        assert_eq!((notices.toasts().count(), notices.list().len()), (1, 2));
        notices.push(Timestamp(4), NoticeKind::Error, "No address", "Give one.");
        assert_eq!(notices.toasts().count(), 2);
        notices.pass(Timestamp(5), NoticeKind::Done, "Sum up is done", "", None);
        assert_eq!((notices.toasts().count(), notices.list().len(), notices.unread()), (3, 3, 3));
        let number = notices.toasts().last().unwrap().number;
        notices.dismiss(number);
        assert_eq!(notices.toasts().count(), 2);
    }
}
