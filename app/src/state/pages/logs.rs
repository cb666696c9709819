//! What the page "Logs" reads: the part of the filtered log around what is in view, and one entry whole.

mod choice;
mod shown;

use jiff::tz::TimeZone;
use rspa_core::api::request::logs::{CountLogs, ExportLogs, FollowLogs, GetLog, ListLogTargets, ListLogs};
use rspa_core::api::{ApiError, Core, Event, Pending};
use rspa_core::model::{LogCursor, LogEntry, LogFilter, LogId, Timestamp};

pub use choice::{LogsChoice, LogsTime};
pub use shown::{PAGE, Shown};

use super::PageState;
use crate::state::Slot;

#[derive(Default)]
pub struct LogsState {
    /// What was last found; stays until the answer to a newer filter is there.
    pub shown: Option<Shown>,
    /// Why the last question failed.
    pub error: Option<ApiError>,
    /// The targets that occur, with how many entries each has.
    pub targets: Slot<Vec<(String, u64)>>,
    /// The entry that is looked at; none inside when it is gone.
    pub detail: Slot<Option<LogEntry>>,
    /// The newest entry that is known to be stored.
    pub arrived: LogId,
    chosen: Option<LogId>,
    /// What was last asked for, so that it is asked for once.
    asked: Option<LogsChoice>,
    /// To be asked at the next opportunity.
    next: Option<(LogsChoice, LogFilter)>,
    needed: Option<u64>,
    detail_due: bool,
    export_due: Option<ExportLogs>,
    first: Option<(LogsChoice, LogFilter, Pending<rspa_core::model::LogPage>)>,
    more: Option<(u64, Pending<rspa_core::model::LogPage>)>,
    count: Option<Pending<u64>>,
    follow: Option<Pending<LogId>>,
    export: Option<(ExportLogs, Pending<u64>)>,
    exported: Vec<(ExportLogs, Result<u64, ApiError>)>,
}

impl LogsState {
    /// A state that has found these, newest first: for tests.
    #[cfg(test)]
    pub fn showing(choice: LogsChoice, entries: Vec<LogEntry>, total: u64) -> Self {
        let newest = entries.first().map_or(LogId::default(), |entry| entry.id);
        let page = rspa_core::model::LogPage { entries, total, exact: true, next: None, newest };
        let shown = Some(Shown::new(choice.clone(), LogFilter::default(), page));
        Self { shown, asked: Some(choice), arrived: newest, ..Self::default() }
    }

    /// The page must be asked for with this choice.
    pub fn wants(&self, choice: &LogsChoice) -> bool {
        !self.asked.as_ref().is_some_and(|asked| asked.asks_the_same(choice))
    }

    /// An answer to a changed filter is on its way.
    pub fn is_waiting(&self) -> bool {
        self.first.is_some() || self.next.is_some()
    }

    /// Rows that are in view are on their way.
    pub fn is_reading(&self) -> bool {
        self.more.is_some() || self.needed.is_some()
    }

    pub fn chosen(&self) -> Option<LogId> {
        self.chosen
    }

    /// There are entries newer than what is shown.
    pub fn has_newer(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| self.arrived > shown.newest) && !self.is_waiting()
    }

    /// The rows of this page of the list are in view and not there, and nobody has asked for them.
    pub fn lacks(&self, page: u64) -> bool {
        let asked = self.needed == Some(page) || self.more.as_ref().is_some_and(|(asked, _)| *asked == page);
        !asked
            && !self.is_waiting()
            && self.error.is_none()
            && self.shown.as_ref().is_some_and(|shown| !shown.has(page))
    }

    pub fn is_exporting(&self) -> bool {
        self.export.is_some() || self.export_due.is_some()
    }

    pub(crate) fn choose(&mut self, choice: LogsChoice, now: Timestamp) {
        let filter = choice.filter(now, &TimeZone::system());
        self.asked = Some(choice.clone());
        self.next = Some((choice, filter));
        self.error = None;
    }

    pub(crate) fn need(&mut self, page: u64) {
        self.needed = Some(page);
    }

    pub(crate) fn select(&mut self, id: Option<LogId>) {
        if self.chosen != id {
            self.detail.clear();
            self.chosen = id;
            self.detail_due = id.is_some();
        }
    }

    pub(crate) fn export(&mut self, request: ExportLogs) {
        self.export_due = Some(request);
    }

    pub(crate) fn stop_export(&mut self) {
        self.export = None;
        self.export_due = None;
    }

    /// Exports that have ended.
    pub(crate) fn take_exported(&mut self) -> Vec<(ExportLogs, Result<u64, ApiError>)> {
        std::mem::take(&mut self.exported)
    }

    fn ask(&mut self, core: &Core) {
        if let Some((choice, filter)) = self.next.take() {
            (self.more, self.count, self.needed) = (None, None, None);
            let list = ListLogs { filter: filter.clone(), cursor: LogCursor::default(), limit: PAGE, brief: true };
            self.first = Some((choice, filter, core.call(list)));
            self.targets.refresh(|| core.call(ListLogTargets {}));
        }
        if let Some(page) = self.needed.take()
            && let Some(shown) = &self.shown
        {
            let cursor = LogCursor { skip: page * u64::from(PAGE), ..shown.cursor() };
            let list = ListLogs { filter: shown.filter.clone(), cursor, limit: PAGE, brief: true };
            self.more = Some((page, core.call(list)));
        }
        if std::mem::take(&mut self.detail_due)
            && let Some(id) = self.chosen
        {
            self.detail.ask(core.call(GetLog { id }));
        }
        if let Some(request) = self.export_due.take() {
            self.export = Some((request.clone(), core.call(request)));
        }
        // Asked for only after what came last was shown: a page that nobody sees wakes nobody.
        if let Some(shown) = &self.shown
            && self.follow.is_none()
            && self.first.is_none()
            && self.error.is_none()
            && self.arrived <= shown.newest
        {
            self.follow = Some(core.call(FollowLogs { after: shown.newest }));
        }
    }

    fn take_replies(&mut self, core: Option<&Core>) {
        if let Some((choice, filter, pending)) = &mut self.first
            && let Some(reply) = pending.poll_now()
        {
            let (choice, filter) = (choice.clone(), filter.clone());
            self.first = None;
            match reply {
                Ok(page) => {
                    let shown = Shown::new(choice, filter, page);
                    if !shown.exact
                        && let Some(core) = core
                    {
                        let (filter, cursor) = (shown.filter.clone(), shown.cursor());
                        self.count = Some(core.call(CountLogs { filter, cursor }));
                    }
                    self.follow = None;
                    self.arrived = self.arrived.min(shown.newest);
                    self.shown = Some(shown);
                    self.error = None;
                }
                Err(error) => self.error = Some(error),
            }
        }
        if let Some((page, pending)) = &mut self.more
            && let Some(reply) = pending.poll_now()
        {
            let page = *page;
            self.more = None;
            match (reply, &mut self.shown) {
                (Ok(found), Some(shown)) => shown.put(page, found),
                (Err(error), _) => self.error = Some(error),
                (Ok(_), None) => {}
            }
        }
        if let Some(reply) = self.count.as_mut().and_then(Pending::poll_now) {
            self.count = None;
            if let (Ok(total), Some(shown)) = (reply, &mut self.shown) {
                (shown.total, shown.exact) = (total, true);
            }
        }
        if let Some(reply) = self.follow.as_mut().and_then(Pending::poll_now) {
            match reply {
                Ok(newest) => {
                    self.follow = None;
                    self.arrived = newest;
                }
                // The end of the engine: it stays, so that nothing is asked again.
                Err(_ended) => {}
            }
        }
        if let Some((request, pending)) = &mut self.export
            && let Some(reply) = pending.poll_now()
        {
            self.exported.push((request.clone(), reply));
            self.export = None;
        }
        self.targets.poll();
        self.detail.poll();
    }
}

impl PageState for LogsState {
    /// The page asks again as soon as it is drawn, with the filter that it shows.
    fn opened(&mut self) {
        self.asked = None;
    }

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, core: Option<&Core>) {
        self.take_replies(core);
        if let Some(core) = core {
            self.ask(core);
        }
    }
}
