//! Commands of the page "Logs".

use std::path::PathBuf;

use rspa_core::api::request::logs::ExportLogs;
use rspa_core::model::LogFormat;

use crate::commands::pages::logs::LogsCommand;
use crate::shell::Shell;
use crate::state::{AppState, NoticeKind};
use crate::text::{number, path as short, tr, tr_with};

impl Shell {
    pub(super) fn logs(&mut self, command: LogsCommand) {
        let AppState { pages, ui, now, .. } = &mut self.state;
        let logs = &mut pages.logs;
        match command {
            LogsCommand::Refresh => logs.choose(ui.logs.clone(), *now),
            LogsCommand::Choose(choice) => {
                if logs.wants(&choice) {
                    logs.choose(choice.clone(), *now);
                }
                ui.logs = choice;
            }
            LogsCommand::Need(page) => logs.need(page),
            LogsCommand::Select(id) => logs.select(id),
            LogsCommand::Export { folder, format } => self.export_logs(folder, format),
            LogsCommand::StopExport => {
                logs.stop_export();
                self.state.notices.push(self.state.now, NoticeKind::Info, tr("logs.export.stopped"), "");
            }
        }
    }

    fn export_logs(&mut self, folder: PathBuf, format: LogFormat) {
        let now = self.state.now;
        let ending = match format {
            LogFormat::Text => "txt",
            LogFormat::Jsonl => "jsonl",
            LogFormat::Csv => "csv",
        };
        let time = jiff::Timestamp::from_millisecond(now.0)
            .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d-%H%M%S").to_string())
            .unwrap_or_default();
        let path = folder.join(format!("rspa-logs-{time}.{ending}"));
        let filter = self.state.ui.logs.filter(now, &jiff::tz::TimeZone::system());
        self.state.pages.logs.export(ExportLogs { filter, path, format, overwrite: false });
    }

    /// Tells of exports that have ended.
    pub(in crate::shell) fn tell_of_exports(&mut self) {
        for (request, result) in self.state.pages.logs.take_exported() {
            let now = self.state.now;
            match result {
                Ok(count) => {
                    let title = tr_with("logs.export.done", &[("n", &number(count))]);
                    self.state.notices.push(now, NoticeKind::Done, title, short(&request.path));
                }
                Err(error) => self.state.notices.error(now, &error),
            }
        }
    }
}
