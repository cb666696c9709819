//! Reading the log: pages of what matches a filter, newest first; how many match; all of them, oldest first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::block::{Body, Columns, Needle, Summary, Text};
use super::record::StoredLog;
use super::{BODIES, COLUMNS, NEXT, ROWS, SUMMARIES, TEXTS, TRIGRAMS};
use crate::model::{LogCursor, LogEntry, LogFilter, LogId, LogLevel, LogPage, Timestamp, fold};
use crate::storage::{Db, ReadTable, ReadTxn, StorageError, decode};

/// Filters whose counts are remembered.
const REMEMBERED: usize = 8;

/// When level and target let through less than one in so many, only the text of those is searched, not that of the block.
const FEW: u32 = 8;

/// How far the entries beyond a page are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    All,
    /// For at most this long after the page is full.
    For(Duration),
}

/// Reads one log file; many may read at once while it is written.
pub struct LogReader {
    db: Db,
    /// Of the latest filters, newest last: how many entries of a block match, by the block's first entry and its length.
    /// Blocks do not change but by losing entries.
    counts: Mutex<Vec<(LogFilter, HashMap<(u64, u32), u32>)>>,
}

/// Whether the filter lets this entry through.
pub fn matches(filter: &LogFilter, entry: &LogEntry) -> bool {
    Prepared::new(filter).matches(entry)
}

/// A filter in the form in which it is applied to very many entries.
struct Prepared<'a> {
    filter: &'a LogFilter,
    levels: [bool; LogLevel::ALL.len()],
    needle: Option<Needle>,
}

impl<'a> Prepared<'a> {
    fn new(filter: &'a LogFilter) -> Self {
        let levels = LogLevel::ALL.map(|level| filter.wants_level(level));
        let needle = (!filter.text.is_empty()).then(|| Needle::new(fold(&filter.text)));
        Self { filter, levels, needle }
    }

    fn matches(&self, entry: &LogEntry) -> bool {
        if !self.levels[entry.level as usize]
            || !self.filter.wants_time(entry.at)
            || !self.filter.wants_target(&entry.target)
        {
            return false;
        }
        self.needle.as_ref().is_none_or(|needle| {
            let mut text = String::new();
            entry.push_context(&mut text);
            entry.push_own_text(&mut text);
            text.contains(&needle.folded)
        })
    }

    /// How many entries of the block have a level and a target that are wanted.
    fn by_summary(&self, summary: &Summary<'_>) -> u32 {
        let of_levels = |counts: &[u32; LogLevel::ALL.len()]| -> u32 {
            counts.iter().zip(self.levels).filter(|(_, wanted)| *wanted).map(|(count, _)| *count).sum()
        };
        summary
            .targets
            .iter()
            .filter(|(target, _)| self.filter.wants_target(target))
            .map(|(_, counts)| of_levels(counts))
            .sum()
    }
}

/// What one reading sees.
struct View {
    rows: ReadTable<u64, &'static [u8]>,
    bodies: ReadTable<u64, &'static [u8]>,
    summaries: ReadTable<u64, &'static [u8]>,
    columns: ReadTable<u64, &'static [u8]>,
    texts: ReadTable<u64, &'static [u8]>,
    trigrams: ReadTable<u64, &'static [u8]>,
    newest: LogId,
}

impl View {
    fn new(read: &ReadTxn) -> Result<Self, StorageError> {
        Ok(Self {
            rows: read.table(ROWS)?,
            bodies: read.table(BODIES)?,
            summaries: read.table(SUMMARIES)?,
            columns: read.table(COLUMNS)?,
            texts: read.table(TEXTS)?,
            trigrams: read.table(TRIGRAMS)?,
            newest: LogId(read.table(NEXT)?.get(())?.map_or(0, |next| next.value().saturating_sub(1))),
        })
    }

    /// The places of the entries of a block that match, in order.
    fn matching(
        &self,
        first: u64,
        summary: &Summary<'_>,
        wanted: &Prepared<'_>,
        bounds: &Bounds,
    ) -> Result<Vec<usize>, StorageError> {
        let few = wanted.by_summary(summary) < summary.count / FEW;
        let mut text = None;
        if let Some(needle) = &wanted.needle
            && !few
        {
            text = self.texts.get(first)?;
            let Some(text) = &text else { return Ok(Vec::new()) };
            if !Text::read(text.value())?.holds(needle) {
                return Ok(Vec::new());
            }
        }
        let Some(columns) = self.columns.get(first)? else { return Ok(Vec::new()) };
        let columns = Columns::read(columns.value(), summary.count as usize)?;
        let targets: Vec<bool> = summary.targets.iter().map(|(target, _)| wanted.filter.wants_target(target)).collect();
        let mut places: Vec<usize> = (0..summary.count as usize)
            .filter(|place| {
                wanted.levels.get(usize::from(columns.levels[*place])).is_some_and(|wanted| *wanted)
                    && targets.get(columns.target(*place)).is_some_and(|wanted| *wanted)
                    && wanted.filter.wants_time(Timestamp(columns.at(*place)))
                    && bounds.hold(columns.id(*place))
            })
            .collect();
        if let Some(needle) = &wanted.needle
            && !places.is_empty()
        {
            if text.is_none() {
                text = self.texts.get(first)?;
            }
            let Some(text) = &text else { return Ok(Vec::new()) };
            let text = Text::read(text.value())?;
            let contexts = text.contexts_with(needle);
            places.retain(|place| {
                contexts.get(columns.context(*place)).is_some_and(|holds| *holds)
                    || text.holds_at(columns.place(*place), needle)
            });
        }
        Ok(places)
    }

    /// False when no entry of the block can match. Looks at no more than the summary and the trigrams.
    fn may_match(&self, first: u64, summary: &Summary<'_>, wanted: &Prepared<'_>) -> Result<bool, StorageError> {
        let filter = wanted.filter;
        if filter.since.is_some_and(|since| summary.latest < since.0)
            || filter.until.is_some_and(|until| summary.earliest >= until.0)
            || wanted.by_summary(summary) == 0
        {
            return Ok(false);
        }
        let Some(needle) = &wanted.needle else { return Ok(true) };
        Ok(self.trigrams.get(first)?.is_none_or(|trigrams| needle.may_be_in(trigrams.value())))
    }

    fn entry_of_row(&self, id: u64, record: &[u8]) -> Result<LogEntry, StorageError> {
        Ok(decode::<StoredLog>(record)?.into_entry(id))
    }
}

/// Between which entries a page lies.
struct Bounds {
    after: u64,
    before: u64,
}

impl Bounds {
    fn of(cursor: &LogCursor) -> Self {
        Self { after: cursor.after.map_or(0, |id| id.0), before: cursor.before.map_or(u64::MAX, |id| id.0) }
    }

    fn hold(&self, id: u64) -> bool {
        id > self.after && id < self.before
    }
}

/// A page that is being filled.
struct Filling {
    skip: u64,
    limit: usize,
    seen: u64,
    entries: Vec<LogEntry>,
}

impl Filling {
    fn is_full(&self) -> bool {
        self.entries.len() >= self.limit
    }

    /// None of so many entries can be on the page.
    fn passes_over(&self, count: u64) -> bool {
        self.is_full() || self.seen + count <= self.skip
    }
}

impl LogReader {
    /// As [`super::prune`].
    pub fn prune(&self, before: Timestamp) -> Result<u64, StorageError> {
        super::prune(&self.db, before.0)
    }

    pub fn new(db: Db) -> Self {
        Self { db, counts: Mutex::default() }
    }

    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The newest of all entries; 0 when there was none yet.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn newest(&self) -> Result<LogId, StorageError> {
        Ok(View::new(&self.db.read()?)?.newest)
    }

    /// The page after `cursor` of what matches. `stop` is asked now and then whether nobody waits any more.
    ///
    /// # Errors
    /// The file cannot be read; `Refused` when stopped.
    pub fn page(
        &self,
        filter: &LogFilter,
        cursor: LogCursor,
        limit: usize,
        counting: Counting,
        stop: &dyn Fn() -> bool,
    ) -> Result<LogPage, StorageError> {
        let view = View::new(&self.db.read()?)?;
        let wanted = Prepared::new(filter);
        let bounds = Bounds::of(&cursor);
        let mut page = Filling { skip: cursor.skip, limit, seen: 0, entries: Vec::new() };
        self.page_of_rows(&view, &wanted, &bounds, &mut page)?;
        let mut counts = self.take_counts(filter);
        let done = self.page_of_blocks(&view, &wanted, &bounds, &mut page, &mut counts, counting, stop);
        self.keep_counts(filter, counts);
        let exact = done?;
        let more = page.seen > page.skip + page.entries.len() as u64 || !exact;
        let next = page.entries.last().filter(|_| more).map(|last| LogCursor {
            before: Some(last.id),
            after: cursor.after,
            skip: 0,
        });
        Ok(LogPage { entries: page.entries, total: page.seen, exact, next, newest: view.newest })
    }

    fn page_of_rows(
        &self,
        view: &View,
        wanted: &Prepared<'_>,
        bounds: &Bounds,
        page: &mut Filling,
    ) -> Result<(), StorageError> {
        for row in view.rows.iter()?.rev() {
            let (id, record) = row?;
            if !bounds.hold(id.value()) {
                continue;
            }
            let entry = view.entry_of_row(id.value(), record.value())?;
            if wanted.matches(&entry) {
                if !page.passes_over(1) {
                    page.entries.push(entry);
                }
                page.seen += 1;
            }
        }
        Ok(())
    }

    /// False when not all was counted.
    #[expect(clippy::too_many_arguments, reason = "one loop over what `page` prepared")]
    fn page_of_blocks(
        &self,
        view: &View,
        wanted: &Prepared<'_>,
        bounds: &Bounds,
        page: &mut Filling,
        counts: &mut HashMap<(u64, u32), u32>,
        counting: Counting,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, StorageError> {
        let mut full_since = None;
        for row in view.summaries.range(..bounds.before)?.rev() {
            let (first, summary) = row?;
            let first = first.value();
            let summary = Summary::read(summary.value())?;
            if summary.last <= bounds.after {
                break;
            }
            let whole = first > bounds.after && summary.last < bounds.before;
            let cheap = wanted.needle.is_none() && all_times(&summary, wanted.filter);
            let known = match (whole, cheap) {
                (true, true) => Some(wanted.by_summary(&summary)),
                (true, false) => counts.get(&(first, summary.count)).copied(),
                (false, _) => None,
            };
            if let Some(count) = known
                && (count == 0 || page.passes_over(u64::from(count)))
            {
                page.seen += u64::from(count);
                continue;
            }
            // What comes costs time.
            if stop() {
                return Err(StorageError::Refused("stopped".to_owned()));
            }
            if page.is_full()
                && let Counting::For(patience) = counting
                && full_since.get_or_insert_with(Instant::now).elapsed() >= patience
            {
                return Ok(false);
            }
            let places = match view.may_match(first, &summary, wanted)? {
                true => view.matching(first, &summary, wanted, bounds)?,
                false => Vec::new(),
            };
            if whole && !cheap {
                counts.insert((first, summary.count), u32::try_from(places.len()).unwrap_or(u32::MAX));
            }
            if places.is_empty() || page.passes_over(places.len() as u64) {
                page.seen += places.len() as u64;
                continue;
            }
            let body = view.bodies.get(first)?;
            let body = body.as_ref().map(|body| Body::read(body.value())).transpose()?;
            for place in places.into_iter().rev() {
                if !page.passes_over(1)
                    && let Some(body) = &body
                {
                    page.entries.push(body.entry(place)?);
                }
                page.seen += 1;
            }
        }
        Ok(true)
    }

    /// How many entries match, all counted.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub fn count(&self, filter: &LogFilter, cursor: LogCursor, stop: &dyn Fn() -> bool) -> Result<u64, StorageError> {
        self.page(filter, LogCursor { skip: u64::MAX / 2, ..cursor }, 0, Counting::All, stop).map(|page| page.total)
    }

    /// The entry with this number.
    pub fn entry(&self, id: LogId) -> Result<Option<LogEntry>, StorageError> {
        let view = View::new(&self.db.read()?)?;
        if let Some(record) = view.rows.get(id.0)? {
            return view.entry_of_row(id.0, record.value()).map(Some);
        }
        let Some(row) = view.bodies.range(..=id.0)?.next_back() else { return Ok(None) };
        let (_first, body) = row?;
        let body = Body::read(body.value())?;
        body.find(id.0).map(|place| body.entry(place)).transpose()
    }

    /// All targets that occur, in order of the alphabet, with how many entries each has.
    pub fn targets(&self, stop: &dyn Fn() -> bool) -> Result<Vec<(String, u64)>, StorageError> {
        let view = View::new(&self.db.read()?)?;
        let mut targets: BTreeMap<String, u64> = BTreeMap::new();
        for row in view.rows.iter()? {
            let (id, record) = row?;
            *targets.entry(view.entry_of_row(id.value(), record.value())?.target).or_default() += 1;
        }
        for row in view.summaries.iter()? {
            if stop() {
                return Err(StorageError::Refused("stopped".to_owned()));
            }
            let (_first, summary) = row?;
            for (target, counts) in Summary::read(summary.value())?.targets {
                let count: u64 = counts.iter().map(|count| u64::from(*count)).sum();
                match targets.get_mut(target) {
                    Some(known) => *known += count,
                    None => drop(targets.insert(target.to_owned(), count)),
                }
            }
        }
        Ok(targets.into_iter().collect())
    }

    /// Hands over all that matches, oldest first, until it says no. One block is in memory at a time.
    ///
    /// # Errors
    /// The file cannot be read, or what `each` says.
    pub fn each<E: From<StorageError>>(
        &self,
        filter: &LogFilter,
        mut each: impl FnMut(LogEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let from = |error: redb::StorageError| E::from(StorageError::from(error));
        let view = View::new(&self.db.read()?)?;
        let wanted = Prepared::new(filter);
        let all = Bounds { after: 0, before: u64::MAX };
        for row in view.summaries.iter().map_err(from)? {
            let (first, summary) = row.map_err(from)?;
            let first = first.value();
            let summary = Summary::read(summary.value())?;
            if !view.may_match(first, &summary, &wanted)? {
                continue;
            }
            let places = view.matching(first, &summary, &wanted, &all)?;
            let Some(body) = view.bodies.get(first).map_err(from)? else { continue };
            let body = Body::read(body.value())?;
            for place in places {
                each(body.entry(place)?)?;
            }
        }
        for row in view.rows.iter().map_err(from)? {
            let (id, record) = row.map_err(from)?;
            let entry = view.entry_of_row(id.value(), record.value())?;
            if wanted.matches(&entry) {
                each(entry)?;
            }
        }
        Ok(())
    }

    fn take_counts(&self, filter: &LogFilter) -> HashMap<(u64, u32), u32> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counts.iter().position(|(known, _)| known == filter);
        known.map(|place| counts.remove(place).1).unwrap_or_default()
    }

    fn keep_counts(&self, filter: &LogFilter, found: HashMap<(u64, u32), u32>) {
        if found.is_empty() {
            return;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // Two pages of one filter may be read at once: the one with more counts is worth keeping.
        if let Some(place) = counts.iter().position(|(known, _)| known == filter) {
            if counts[place].1.len() < found.len() {
                counts[place].1 = found;
            }
            return;
        }
        if counts.len() >= REMEMBERED {
            counts.remove(0);
        }
        counts.push((filter.clone(), found));
    }
}

/// The filter's time leaves out none of this block.
fn all_times(summary: &Summary<'_>, filter: &LogFilter) -> bool {
    filter.since.is_none_or(|since| summary.earliest >= since.0)
        && filter.until.is_none_or(|until| summary.latest < until.0)
}
