//! Commands of the page "Usage".

use std::path::PathBuf;

use rspa_core::api::ApiError;
use rspa_core::api::request::usage::{DeleteUsage, ExportUsage};
use rspa_core::model::{UsageFormat, UsageQuery};

use crate::commands::pages::usage::UsageCommand;
use crate::shell::Shell;
use crate::state::{NoticeKind, Page};
use crate::text::{tr, tr_count, tr_with};

impl Shell {
    pub(super) fn usage(&mut self, command: UsageCommand) {
        let page = &mut self.state.pages.usage;
        match command {
            UsageCommand::Refresh => self.state.pages.opened(Page::Usage),
            UsageCommand::Days(days) => page.ask_for(UsageQuery { days, ..page.query.clone() }),
            UsageCommand::By(by) => page.ask_for(UsageQuery { by, ..page.query.clone() }),
            UsageCommand::Export { folder, format } => self.export_usage(folder, format),
            UsageCommand::Delete { older_than_days } => {
                self.engine.send(&mut self.state, DeleteUsage { older_than_days }, |state, _, count| {
                    let title = tr_count("usage.deleted", count);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                    state.pages.opened(Page::Usage);
                });
            }
        }
    }

    fn export_usage(&mut self, folder: PathBuf, format: UsageFormat) {
        let ending = match format {
            UsageFormat::Csv => ".csv",
            UsageFormat::Json => ".json",
        };
        self.engine.send(&mut self.state, ExportUsage { format }, move |state, _, text| {
            let name = format!("rspa-usage-{}", crate::text::file_day(state.now));
            match crate::shell::save::write_new(&folder, &name, ending, &text) {
                Ok(path) => {
                    state.notices.push(state.now, NoticeKind::Done, tr("usage.exported"), crate::text::path(&path));
                }
                Err(error) => {
                    let words = tr_with("usage.not_exported", &[("why", &error)]);
                    state.notices.error(state.now, &ApiError::validation(words, tr("agents.told.another_place")));
                }
            }
        });
    }
}
