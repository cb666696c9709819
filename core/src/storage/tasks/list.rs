//! Reading tasks: pages with filters, the board, counts, one with all that belongs to it.

use std::ops::RangeInclusive;

use uuid::Uuid;

use super::open::{column_index, status_index};
use super::record::{StoredMoment, StoredTally, StoredTask};
use super::{
    BOARD, BY_AGENT, BY_LABEL, BY_SCHEDULE, BY_STATUS, DUE, MOMENTS, NEEDED_BY, NUMBERS, READY, TALLY, TASKS, Timed,
};
use crate::model::{
    AgentId, Board, BoardColumn, ColumnContent, Page, PageRequest, ProfileId, Task, TaskCounts, TaskDetail, TaskFilter,
    TaskId, TaskSort, TaskStatus, Timestamp,
};
use crate::storage::{Db, ReadTxn, RecordReading, StorageError, decode};
use crate::tasks::state::Entry;

const LARGEST_PAGE: u32 = 1_000;
/// Of an id that is typed.
const SHORTEST_ID: usize = 6;

pub(super) fn unknown() -> StorageError {
    StorageError::NotFound("this task".to_owned())
}

fn row(txn: &ReadTxn, profile: ProfileId, id: u128) -> Result<Option<Entry>, StorageError> {
    let stored: Option<StoredTask> = txn.table(TASKS)?.record((profile.0.as_u128(), id))?;
    Ok(stored.map(|stored| stored.into_entry(id)))
}

/// With what only the queue knows.
///
/// # Errors
/// Not found; in the trash is not found.
pub fn get(main: &Db, profile: ProfileId, id: TaskId) -> Result<Entry, StorageError> {
    row(&main.read()?, profile, id.0.as_u128())?.filter(|entry| !entry.trashed).ok_or_else(unknown)
}

/// By its number, with or without `#`, or the beginning of its id.
///
/// # Errors
/// Not found, or more than one begins so.
pub fn by_name(main: &Db, profile: ProfileId, name: &str) -> Result<Task, StorageError> {
    let txn = main.read()?;
    let own = profile.0.as_u128();
    let name = name.trim();
    let number = name.strip_prefix('#').unwrap_or(name);
    if let Ok(number) = number.parse::<u64>()
        && let Some(id) = txn.table(NUMBERS)?.get((own, number))?
        && let Some(entry) = row(&txn, profile, id.value())?.filter(|entry| !entry.trashed)
    {
        return Ok(entry.task);
    }
    let digits: String = name.chars().filter(|c| *c != '-').collect();
    let none = || StorageError::NotFound(format!("the task “{name}”"));
    if !(SHORTEST_ID..=32).contains(&digits.len()) || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(none());
    }
    let (low, high) = (format!("{digits:0<32}"), format!("{digits:f<32}"));
    let bound = |text: &str| u128::from_str_radix(text, 16).map_err(|_too_long| none());
    let mut found = None;
    for row in txn.table(TASKS)?.range((own, bound(&low)?)..=(own, bound(&high)?))? {
        let (key, value) = row?;
        let entry = decode::<StoredTask>(value.value())?.into_entry(key.value().1);
        if entry.trashed {
            continue;
        }
        if found.is_some() {
            return Err(StorageError::Refused(format!("more than one task begins with {name}; use its number")));
        }
        found = Some(entry.task);
    }
    found.ok_or_else(none)
}

fn tally(txn: &ReadTxn, profile: ProfileId) -> Result<StoredTally, StorageError> {
    Ok(txn.table(TALLY)?.record(profile.0.as_u128())?.unwrap_or_default())
}

/// Without looking at any task.
pub fn counts(main: &Db, profile: ProfileId) -> Result<TaskCounts, StorageError> {
    let tally = tally(&main.read()?, profile)?;
    let of = |status: TaskStatus| tally.by_status[usize::from(status_index(status))];
    Ok(TaskCounts {
        pending: of(TaskStatus::Pending),
        running: of(TaskStatus::Running),
        completed: of(TaskStatus::Completed),
        failed: of(TaskStatus::Failed),
        cancelled: of(TaskStatus::Cancelled),
        needs_you: tally.by_column[usize::from(column_index(BoardColumn::NeedsYou))],
        paused: tally.paused,
    })
}

pub fn is_paused(main: &Db, profile: ProfileId) -> Result<bool, StorageError> {
    Ok(tally(&main.read()?, profile)?.paused)
}

/// When the first of those that wait for a time may begin.
pub fn next_due(main: &Db, profile: ProfileId) -> Result<Option<Timestamp>, StorageError> {
    let own = profile.0.as_u128();
    let first = main.read()?.table(DUE)?.range((own, i64::MIN, 0)..=(own, i64::MAX, u128::MAX))?.next();
    Ok(first.transpose()?.map(|row| Timestamp(row.0.value().1)))
}

/// Agents for which tasks stand in the queue.
pub fn ready_agents(main: &Db, profile: ProfileId) -> Result<Vec<AgentId>, StorageError> {
    let own = profile.0.as_u128();
    let table = main.read()?.table(READY)?;
    let mut agents = Vec::new();
    let mut from = 0_u128;
    loop {
        let next = table.range((own, from, 0, i64::MIN, 0)..=(own, u128::MAX, u8::MAX, i64::MAX, u128::MAX))?.next();
        let Some(row) = next.transpose()? else { return Ok(agents) };
        let agent = row.0.value().1;
        agents.push(AgentId(Uuid::from_u128(agent)));
        let Some(after) = agent.checked_add(1) else { return Ok(agents) };
        from = after;
    }
}

/// What a list knows of a task before its row is read.
#[derive(Clone, Default)]
struct Found {
    made: i64,
    id: u128,
    updated: i64,
    due: i64,
    priority: u8,
    title: String,
}

/// A filter in the form in which rows are compared.
struct Wanted<'a> {
    filter: &'a TaskFilter,
    text: String,
    number: Option<u64>,
    label: Option<String>,
}

impl<'a> Wanted<'a> {
    fn new(filter: &'a TaskFilter) -> Self {
        let text = filter.text.trim().to_lowercase();
        let number = text.strip_prefix('#').and_then(|number| number.parse().ok());
        Self { filter, text, number, label: filter.label.as_ref().map(|label| label.to_lowercase()) }
    }

    /// Whether rows must be read to tell.
    fn needs_rows(&self) -> bool {
        !self.text.is_empty()
    }

    fn takes(&self, task: &Task) -> bool {
        let filter = self.filter;
        let says = |text: &str| text.to_lowercase().contains(&self.text);
        (filter.status.is_empty() || filter.status.contains(&task.status))
            && filter.agent.is_none_or(|agent| task.agent == Some(agent))
            && filter.priority.is_none_or(|priority| task.priority == priority)
            && self.label.as_ref().is_none_or(|label| task.labels.iter().any(|own| own.to_lowercase() == *label))
            && filter.schedule.is_none_or(|schedule| task.schedule == Some(schedule))
            && filter.from.is_none_or(|from| task.created >= from)
            && filter.until.is_none_or(|until| task.created < until)
            && (self.text.is_empty()
                || self.number.is_some_and(|number| number == task.number)
                || says(&task.title)
                || says(&task.description)
                || says(&task.agent_name)
                || task.labels.iter().any(|label| says(label)))
    }
}

/// Milliseconds in which tasks were made, as a filter says.
fn times(filter: &TaskFilter) -> RangeInclusive<i64> {
    let from = filter.from.map_or(i64::MIN, |at| at.0);
    from..=filter.until.map_or(i64::MAX, |at| at.0.saturating_sub(1))
}

/// A page in this order. Rows are read only where the filter needs their words, and for the page itself.
pub fn list(
    main: &Db,
    profile: ProfileId,
    filter: &TaskFilter,
    sort: TaskSort,
    page: PageRequest,
) -> Result<Page<Task>, StorageError> {
    let txn = main.read()?;
    let wanted = Wanted::new(filter);
    let (mut found, exact) = candidates(&txn, profile, &wanted, sort)?;
    if !exact || wanted.needs_rows() {
        let mut kept = Vec::new();
        for candidate in found {
            let Some(entry) = row(&txn, profile, candidate.id)? else { continue };
            if wanted.takes(&entry.task) {
                kept.push(Found {
                    updated: entry.task.updated.0,
                    due: entry.task.due.map_or(i64::MAX, |at| at.0),
                    priority: entry.task.priority as u8,
                    title: if sort == TaskSort::Title { entry.task.title.to_lowercase() } else { String::new() },
                    ..candidate
                });
            }
        }
        found = kept;
    }
    let newest = |a: &Found, b: &Found| (b.made, b.id).cmp(&(a.made, a.id));
    match sort {
        TaskSort::Created => found.sort_unstable_by(newest),
        TaskSort::Updated => found.sort_unstable_by(|a, b| b.updated.cmp(&a.updated).then_with(|| newest(a, b))),
        TaskSort::Priority => found.sort_unstable_by(|a, b| b.priority.cmp(&a.priority).then_with(|| newest(a, b))),
        TaskSort::Due => found.sort_unstable_by(|a, b| a.due.cmp(&b.due).then_with(|| newest(a, b))),
        TaskSort::Title => found.sort_unstable_by(|a, b| a.title.cmp(&b.title).then_with(|| newest(a, b))),
    }
    let total = found.len() as u64;
    let skipped = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let mut items = Vec::new();
    for found in found.iter().skip(skipped).take(page.limit.min(LARGEST_PAGE) as usize) {
        items.extend(row(&txn, profile, found.id)?.map(|entry| entry.task));
    }
    Ok(Page { items, total, offset: page.offset })
}

/// What may match, from the index that says most; whether all of it does match, but for words.
fn candidates(
    txn: &ReadTxn,
    profile: ProfileId,
    wanted: &Wanted<'_>,
    sort: TaskSort,
) -> Result<(Vec<Found>, bool), StorageError> {
    let (own, filter) = (profile.0.as_u128(), wanted.filter);
    let (from, until) = times(filter).into_inner();
    if from > until {
        return Ok((Vec::new(), true));
    }
    let bare = |key: Timed<u128>| Found { made: key.2, id: key.3, ..Found::default() };
    let mut found = Vec::new();
    if let Some(label) = &wanted.label {
        for row in
            txn.table(BY_LABEL)?.range((own, label.as_str(), from, 0)..=(own, label.as_str(), until, u128::MAX))?
        {
            let row = row?;
            let (_, _, made, id) = row.0.value();
            found.push(Found { made, id, ..Found::default() });
        }
        return Ok((found, false));
    }
    if let Some(schedule) = filter.schedule {
        let schedule = schedule.0.as_u128();
        for row in txn.table(BY_SCHEDULE)?.range((own, schedule, from, 0)..=(own, schedule, until, u128::MAX))? {
            found.push(bare(row?.0.value()));
        }
        return Ok((found, false));
    }
    let simple = sort == TaskSort::Created && filter.status.is_empty() && filter.priority.is_none();
    if let (Some(agent), true) = (filter.agent, simple) {
        let agent = agent.0.as_u128();
        for row in txn.table(BY_AGENT)?.range((own, agent, from, 0)..=(own, agent, until, u128::MAX))? {
            found.push(bare(row?.0.value()));
        }
        return Ok((found, true));
    }
    let agent = filter.agent.map(|agent| agent.0.as_u128());
    let priority = filter.priority.map(|priority| priority as u8);
    let table = txn.table(BY_STATUS)?;
    for status in TaskStatus::ALL.into_iter().filter(|s| filter.status.is_empty() || filter.status.contains(s)) {
        let status = status_index(status);
        for row in table.range((own, status, from, 0)..=(own, status, until, u128::MAX))? {
            let (key, facts) = row?;
            let (_, _, made, id) = key.value();
            let (updated, due, rank, whose, title) = facts.value();
            if agent.is_none_or(|agent| agent == whose) && priority.is_none_or(|priority| priority == rank) {
                let title = if sort == TaskSort::Title { title.to_owned() } else { String::new() };
                found.push(Found { made, id, updated, due, priority: rank, title });
            }
        }
    }
    Ok((found, true))
}

/// The first of each column, in order, with the number of all.
pub fn board(main: &Db, profile: ProfileId, filter: &TaskFilter, per_column: u32) -> Result<Board, StorageError> {
    let txn = main.read()?;
    let tally = tally(&txn, profile)?;
    let (own, wanted) = (profile.0.as_u128(), Wanted::new(filter));
    let all = *filter == TaskFilter::default();
    let most = per_column.min(LARGEST_PAGE) as usize;
    let table = txn.table(BOARD)?;
    let mut columns = Vec::with_capacity(BoardColumn::ALL.len());
    for column in BoardColumn::ALL {
        let index = column_index(column);
        let mut content = ColumnContent { column, total: 0, tasks: Vec::new() };
        for key in table.range((own, index, i64::MIN, 0)..=(own, index, i64::MAX, u128::MAX))? {
            if all && content.tasks.len() >= most {
                break;
            }
            let id = key?.0.value().3;
            let Some(entry) = row(&txn, profile, id)? else { continue };
            if all || wanted.takes(&entry.task) {
                content.total += 1;
                if content.tasks.len() < most {
                    content.tasks.push(entry.task);
                }
            }
        }
        if all {
            content.total = tally.by_column[usize::from(index)];
        }
        columns.push(content);
    }
    Ok(Board { columns })
}

/// A task with its timeline and those that it needs or that need it; its runs are not of this store.
///
/// # Errors
/// Not found.
pub fn detail(main: &Db, profile: ProfileId, id: TaskId) -> Result<TaskDetail, StorageError> {
    let txn = main.read()?;
    let (own, key) = (profile.0.as_u128(), id.0.as_u128());
    let entry = row(&txn, profile, key)?.filter(|entry| !entry.trashed).ok_or_else(unknown)?;
    let mut timeline = Vec::new();
    for row in txn.table(MOMENTS)?.range((own, key, 0)..=(own, key, u32::MAX))? {
        timeline.push(decode::<StoredMoment>(row?.1.value())?.into_moment());
    }
    let living = |id: u128| -> Result<Option<Task>, StorageError> {
        Ok(row(&txn, profile, id)?.filter(|entry| !entry.trashed).map(|entry| entry.task))
    };
    let mut dependents = Vec::new();
    for row in txn.table(NEEDED_BY)?.range((own, key, 0)..=(own, key, u128::MAX))? {
        dependents.extend(living(row?.0.value().2)?);
    }
    let mut depends_on = Vec::new();
    for on in &entry.task.depends_on {
        depends_on.extend(living(on.0.as_u128())?);
    }
    Ok(TaskDetail { task: entry.task, timeline, runs: Vec::new(), depends_on, dependents })
}

/// Ended tasks that outlived their time, at most so many: completed ones, failed and cancelled ones.
pub fn outlived(
    main: &Db,
    completed_before: Timestamp,
    failed_before: Timestamp,
    most: usize,
) -> Result<Vec<(ProfileId, TaskId)>, StorageError> {
    let txn = main.read()?;
    let table = txn.table(BY_STATUS)?;
    let mut found = Vec::new();
    for own in owners(&txn)? {
        for status in TaskStatus::ALL.into_iter().filter(|status| status.is_final()) {
            let before = if status == TaskStatus::Completed { completed_before } else { failed_before };
            let index = status_index(status);
            // What was made later did not end before.
            for key in table.range((own, index, i64::MIN, 0)..(own, index, before.0, 0))? {
                if found.len() >= most {
                    return Ok(found);
                }
                let id = key?.0.value().3;
                let profile = ProfileId(Uuid::from_u128(own));
                let ended = row(&txn, profile, id)?.and_then(|entry| entry.task.completed);
                if ended.is_some_and(|at| at < before) {
                    found.push((profile, TaskId(Uuid::from_u128(id))));
                }
            }
        }
    }
    Ok(found)
}

fn owners(txn: &ReadTxn) -> Result<Vec<u128>, StorageError> {
    txn.table(TALLY)?.iter()?.map(|row| Ok(row?.0.value())).collect()
}
