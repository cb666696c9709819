//! Commands of the page "Profiles & network".

use rspa_core::api::request::profiles::{
    CreateProfile, DeleteProfile, RenameProfile, SetProfileNetwork, SwitchProfile,
};

use std::path::Path;

use rspa_core::api::ApiError;
use rspa_core::model::LedgerEntry;

use crate::commands::pages::profiles::{LedgerFormat, ProfilesCommand};
use crate::shell::Shell;
use crate::state::pages::profiles::Part;
use crate::state::pages::profiles::ledger::LedgerFilter;
use crate::state::{NoticeKind, Page};
use crate::text::{tr, tr_count, tr_with};

impl Shell {
    pub(super) fn profiles(&mut self, command: ProfilesCommand) {
        use ProfilesCommand as P;
        // The list itself follows by event.
        match command {
            P::Refresh => self.state.pages.opened(Page::Profiles),
            P::ShowPart(part) => self.state.pages.profiles.part = part,
            P::ShowLedger(text) => {
                self.open_page(Page::Profiles);
                self.state.pages.profiles.part = Part::Ledger;
                self.state.pages.profiles.filter = LedgerFilter { text, ..LedgerFilter::default() };
            }
            P::Filter(filter) => self.state.pages.profiles.filter = filter,
            P::ExportLedger { folder, format } => self.export_ledger(&folder, format),
            P::Create { name, network } => {
                self.engine.send(&mut self.state, CreateProfile { name, network }, |state, _, made| {
                    let title = tr_with("profiles.created", &[("name", &made.name)]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                });
            }
            P::Rename { id, name } => {
                self.engine.send(&mut self.state, RenameProfile { id, name }, |_, _, _| {});
            }
            P::SetNetwork { id, network } => {
                // A refused change: the page shows again what is in force.
                let again = |state: &mut crate::state::AppState| state.pages.opened(Page::Profiles);
                let request = SetProfileNetwork { id, network };
                self.engine.send_or(&mut self.state, request, |_, _, _| {}, again);
            }
            P::Switch(id) => {
                self.store_now();
                self.engine.send(&mut self.state, SwitchProfile { id }, |_, _, _| {});
            }
            P::Delete { id, typed } => {
                let request = DeleteProfile { id, confirmed_name: typed.clone() };
                self.engine.send(&mut self.state, request, move |state, _, _| {
                    let title = tr_with("profiles.deleted", &[("name", &typed)]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                });
            }
        }
    }

    /// Writes the rows that the filter lets through.
    fn export_ledger(&mut self, folder: &Path, format: LedgerFormat) {
        let (page, now) = (&self.state.pages.profiles, self.state.now);
        let rows: Vec<&LedgerEntry> = page.ledger.rows.iter().filter(|row| page.filter.fits(row, now)).collect();
        let (ending, text) = match format {
            LedgerFormat::Csv => (".csv", Ok(csv(&rows))),
            LedgerFormat::Json => (".json", serde_json::to_string_pretty(&rows).map_err(std::io::Error::other)),
        };
        let name = format!("rspa-network-{}", crate::text::file_day(now));
        match text.and_then(|text| crate::shell::save::write_new(folder, &name, ending, &text)) {
            Ok(path) => {
                let title = tr_count("profiles.exported", rows.len() as u64);
                self.state.notices.push(now, NoticeKind::Done, title, crate::text::path(&path));
            }
            Err(error) => {
                let words = tr_with("profiles.not_exported", &[("why", &error)]);
                self.state.notices.error(now, &ApiError::validation(words, tr("agents.told.another_place")));
            }
        }
    }
}

/// One row a line, with a head. A cell that a spreadsheet would take for a formula begins with an apostrophe.
fn csv(rows: &[&LedgerEntry]) -> String {
    let cell = |text: &str| {
        let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    };
    let mut out = "time,profile,who,destination,purpose,allowed,reason,bytes_sent,bytes_received\r\n".to_owned();
    for row in rows {
        let time = jiff::Timestamp::from_millisecond(row.at.0).map(|at| at.to_string()).unwrap_or_default();
        let words = [&time, &row.profile_name, &row.who, &row.destination, &row.purpose].map(|text| cell(text));
        let (sent, received) = (row.bytes_sent, row.bytes_received);
        out.push_str(&format!("{},{},{},{sent},{received}\r\n", words.join(","), row.allowed, cell(&row.reason)));
    }
    out
}

#[cfg(test)]
mod tests {
    use rspa_core::model::Timestamp;

    use super::*;

    #[test]
    fn a_row_of_the_ledger_stays_one_row_of_the_table() {
        let row = LedgerEntry {
            at: Timestamp(0),
            who: "tools".into(),
            destination: "=cmd(\"x\")".into(),
            purpose: "a,\nb".into(),
            allowed: false,
            reason: "policy: nothing".into(),
            bytes_sent: 1,
            bytes_received: 2,
            profile: None,
            profile_name: "Work".into(),
        };
        let text = csv(&[&row]);
        let line = text.split_once("\r\n").unwrap().1;
        assert_eq!(
            line,
            "\"1970-01-01T00:00:00Z\",\"Work\",\"tools\",\"'=cmd(\"\"x\"\")\",\"a,\nb\",false,\"policy: nothing\",1,2\r\n"
        );
    }
}
