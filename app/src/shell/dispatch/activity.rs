//! Commands of the page "Activity".

use rspa_core::api::request::activities::CleanUp;

use crate::commands::pages::activity::ActivityCommand;
use crate::shell::Shell;
use crate::state::{NoticeKind, Page, Signal};
use crate::text::{number, tr, tr_with};

impl Shell {
    pub(super) fn activity(&mut self, command: ActivityCommand) {
        match command {
            ActivityCommand::Refresh => self.state.pages.opened(Page::Activity),
            ActivityCommand::List { filter, offset } => self.state.pages.activity.want(filter, offset),
            ActivityCommand::ShowDay { day, line } => {
                self.open_page(Page::Activity);
                self.state.signals.push(Signal::ShowDay(day, line));
            }
            ActivityCommand::CleanUp => self.engine.send(&mut self.state, CleanUp {}, |state, _, cleaned| {
                let detail = tr_with(
                    "activity.cleaned_detail",
                    &[
                        ("activities", &number(cleaned.activities)),
                        ("trashed", &number(cleaned.trashed)),
                        ("entries", &number(cleaned.log_entries)),
                    ],
                );
                state.notices.push(state.now, NoticeKind::Done, tr("activity.cleaned"), detail);
                state.pages.opened(Page::Activity);
            }),
        }
    }
}
