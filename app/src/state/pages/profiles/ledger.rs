//! The network ledger as the window holds it: its newest rows, kept up to date, and which of them are shown.

use rspa_core::api::request::system::ListLedger;
use rspa_core::api::{ApiError, Core};
use rspa_core::model::{LedgerEntry, Page, PageRequest, Timestamp};

use crate::state::Slot;

/// Rows of one question to core.
const ROWS: u32 = 1_000;
/// Rows that the window holds; the ledger itself keeps all.
pub const MOST: usize = 20_000;
const DAY_MS: i64 = 86_400_000;

/// Which rows are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Somewhere in host, purpose, reason, profile.
    pub text: String,
    pub allowed: Option<bool>,
    /// The part of the program that asked.
    pub who: Option<String>,
    /// Of the last so many days; 0 is all.
    pub days: u32,
}

impl LedgerFilter {
    /// It leaves nothing out.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    pub fn fits(&self, row: &LedgerEntry, now: Timestamp) -> bool {
        let wanted = self.text.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        self.allowed.is_none_or(|allowed| row.allowed == allowed)
            && self.who.as_ref().is_none_or(|who| row.who == *who)
            && (self.days == 0 || row.at.0 >= now.0 - i64::from(self.days) * DAY_MS)
            && (wanted.is_empty()
                || [&row.destination, &row.purpose, &row.reason, &row.profile_name].into_iter().any(|text| has(text)))
    }
}

/// The rows, newest first.
#[derive(Default)]
pub struct Ledger {
    pub rows: Vec<LedgerEntry>,
    /// Rows that core has.
    pub total: u64,
    /// Something was read.
    pub known: bool,
    pub error: Option<ApiError>,
    /// Rises with each change of the rows.
    pub number: u64,
    page: Slot<Page<LedgerEntry>>,
    due: bool,
}

impl Ledger {
    /// With these rows: for tests.
    #[cfg(test)]
    pub fn with(rows: Vec<LedgerEntry>) -> Self {
        Self { total: rows.len() as u64, rows, known: true, ..Self::default() }
    }

    pub(super) fn refresh(&mut self) {
        self.due = true;
    }

    pub(super) fn poll(&mut self, core: Option<&Core>) {
        if self.page.poll() {
            match (self.page.error().cloned(), self.page.get().cloned()) {
                (Some(error), _) => self.error = Some(error),
                (None, Some(page)) => self.take(page),
                (None, None) => {}
            }
        }
        let Some(core) = core.filter(|_| !self.page.is_waiting()) else { return };
        let more = self.known && self.error.is_none() && (self.rows.len() as u64) < self.total.min(MOST as u64);
        let offset = match (self.due, more) {
            (true, _) => 0,
            (false, true) => self.rows.len() as u64,
            (false, false) => return,
        };
        self.due = false;
        self.page.ask(core.call(ListLedger { page: PageRequest { offset, limit: ROWS } }));
    }

    /// Puts a page where it belongs. Rows come at the top alone, and the bytes of young ones are filled in later.
    fn take(&mut self, page: Page<LedgerEntry>) {
        let new = page.total.saturating_sub(self.total);
        let count = page.items.len() as u64;
        if page.offset == 0 {
            let fits = page.total >= self.total && new <= count;
            let kept =
                if fits { self.rows.split_off(((count - new) as usize).min(self.rows.len())) } else { Vec::new() };
            self.rows = page.items;
            self.rows.extend(kept);
            self.total = page.total;
        } else if page.offset == self.rows.len() as u64 && page.total >= self.total && count > new {
            self.rows.extend(page.items.into_iter().skip(new as usize));
            // What is new stands above.
            self.due |= new > 0;
        } else {
            // The ledger is another one, or nothing came where something should be.
            self.due |= page.total != self.total;
            self.total = page.total.min(self.rows.len() as u64);
        }
        self.rows.truncate(MOST);
        self.known = true;
        self.error = None;
        self.number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: i64) -> LedgerEntry {
        LedgerEntry {
            at: Timestamp(number),
            who: "models".into(),
            destination: format!("https://h{number}.org:443"),
            purpose: "p".into(),
            allowed: number % 2 == 0,
            reason: "policy: nothing".into(),
            bytes_sent: 0,
            bytes_received: 0,
            profile: None,
            profile_name: "Work".into(),
        }
    }

    fn page(total: i64, offset: i64, count: i64) -> Page<LedgerEntry> {
        let items = (0..count).map(|i| row(total - 1 - offset - i)).collect();
        Page { items, total: total as u64, offset: offset as u64 }
    }

    #[test]
    fn pages_are_joined_also_when_rows_came_in_between() {
        let mut ledger = Ledger::default();
        ledger.take(page(10, 0, 4));
        // Two more rows were written before the second page was read.
        ledger.take(page(12, 4, 4));
        assert!(ledger.due);
        assert_eq!(ledger.rows.iter().map(|row| row.at.0).collect::<Vec<_>>(), [9, 8, 7, 6, 5, 4]);
        ledger.take(page(12, 0, 4));
        assert_eq!(ledger.rows.iter().map(|row| row.at.0).collect::<Vec<_>>(), [11, 10, 9, 8, 7, 6, 5, 4]);
        ledger.take(page(12, 8, 4));
        assert_eq!(ledger.rows.len(), 12);
        // Another ledger: what was there before is not in it.
        ledger.take(page(3, 0, 3));
        assert_eq!(ledger.rows.len(), 3);
    }

    #[test]
    fn filters_leave_out_what_does_not_fit() {
        let now = Timestamp(10 * DAY_MS);
        let fits = |filter: LedgerFilter, at: i64| filter.fits(&row(at), now);
        let text = |text: &str| LedgerFilter { text: text.into(), ..LedgerFilter::default() };
        assert!(fits(text("H7.ORG"), 7) && !fits(text("h8"), 7) && fits(text("work"), 7));
        assert!(fits(LedgerFilter { allowed: Some(false), ..LedgerFilter::default() }, 7));
        assert!(!fits(LedgerFilter { days: 1, ..LedgerFilter::default() }, 7));
        assert!(!fits(LedgerFilter { who: Some("mcp".into()), ..LedgerFilter::default() }, 7));
        assert!(LedgerFilter::default().is_everything());
    }
}
