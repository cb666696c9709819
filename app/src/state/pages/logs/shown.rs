//! The rows of the filtered log that are at hand: some pages around what is in view, of a list that stands still.

use std::collections::BTreeMap;

use rspa_core::model::{LogCursor, LogEntry, LogFilter, LogId, LogPage};

use super::LogsChoice;

/// Rows of one page.
pub const PAGE: u32 = 200;
/// Pages that are kept.
const KEPT: usize = 24;

pub struct Shown {
    pub choice: LogsChoice,
    pub filter: LogFilter,
    /// The newest of all entries when the list was made: later ones are not in it.
    pub newest: LogId,
    pub total: u64,
    /// False while `total` is only what was counted so far.
    pub exact: bool,
    pages: BTreeMap<u64, Vec<LogEntry>>,
}

impl Shown {
    pub fn new(choice: LogsChoice, filter: LogFilter, page: LogPage) -> Self {
        let LogPage { entries, total, exact, newest, .. } = page;
        Self { choice, filter, newest, total, exact, pages: BTreeMap::from([(0, entries)]) }
    }

    /// Of the whole list.
    pub fn cursor(&self) -> LogCursor {
        LogCursor { before: Some(LogId(self.newest.0 + 1)), ..LogCursor::default() }
    }

    pub fn row(&self, index: u64) -> Option<&LogEntry> {
        let page = u64::from(PAGE);
        self.pages.get(&(index / page))?.get(usize::try_from(index % page).ok()?)
    }

    /// How many pages are at hand.
    pub fn pages_read(&self) -> usize {
        self.pages.len()
    }

    pub fn has(&self, page: u64) -> bool {
        self.pages.contains_key(&page)
    }

    /// Takes a page in; the one farthest from it goes when there are too many.
    pub fn put(&mut self, page: u64, found: LogPage) {
        // An estimate never shrinks below what is known.
        if found.exact {
            (self.total, self.exact) = (found.total, true);
        } else if !self.exact {
            self.total = self.total.max(found.total);
        }
        self.pages.insert(page, found.entries);
        if self.pages.len() > KEPT
            && let Some(farthest) = self.pages.keys().copied().max_by_key(|known| known.abs_diff(page))
        {
            self.pages.remove(&farthest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pages_around_the_last_one_are_kept() {
        let page = |total| LogPage { entries: vec![], total, exact: true, next: None, newest: LogId(9) };
        let mut shown = Shown::new(LogsChoice::default(), LogFilter::default(), page(1_000_000));
        for number in 1..1_000 {
            shown.put(number, page(1_000_000));
        }
        assert_eq!(shown.pages.len(), KEPT);
        assert!(shown.has(999) && !shown.has(0));
        assert_eq!(shown.cursor().before, Some(LogId(10)));
    }
}
