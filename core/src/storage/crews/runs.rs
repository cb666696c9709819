//! Runs of crews: each is one record, changed only by whoever has seen its latest state.

use redb::ReadableTable;

use super::*;
use crate::model::{AgentId, CrewRun, CrewRunId, Page, PageRequest};

const LARGEST_PAGE: u32 = 200;
/// Runs that a profile keeps; the oldest that have ended go first.
const MOST_RUNS: usize = 2_000;

/// Who works in a hierarchical crew, as it was when the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub agent: AgentId,
    pub name: String,
}

/// A run with what only the service needs of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptRun {
    pub run: CrewRun,
    /// Of a hierarchical crew.
    #[serde(default)]
    pub members: Vec<Member>,
    /// The person wants it to end: nothing new begins.
    #[serde(default)]
    pub cancelling: bool,
    /// Rises with each change.
    #[serde(default)]
    pub revision: u64,
}
first_version!(KeptRun, "crew run");

fn run_key(profile: ProfileId, id: CrewRunId) -> (u128, u128) {
    (profile.0.as_u128(), id.0.as_u128())
}

fn no_run() -> StorageError {
    StorageError::NotFound("this run of a crew".to_owned())
}

fn put(txn: &WriteTxn<'_>, profile: ProfileId, kept: &KeptRun) -> Result<(), StorageError> {
    let (owner, id) = run_key(profile, kept.run.id);
    txn.table(RUNS)?.put((owner, id), kept)?;
    let place = (owner, kept.run.crew.0.as_u128(), id);
    txn.table(RUNS_BY_CREW)?.insert(place, (state_index(kept.run.state), kept.run.created.0))?;
    let mut open = txn.table(OPEN)?;
    if kept.run.state.is_final() {
        open.remove((owner, id))?;
    } else {
        open.insert((owner, id), ())?;
    }
    Ok(())
}

/// Stores a new run with the next number, within a larger change.
pub fn add_run(txn: &WriteTxn<'_>, profile: ProfileId, mut kept: KeptRun) -> Result<KeptRun, StorageError> {
    let owner = profile.0.as_u128();
    {
        let mut numbers = txn.table(NUMBERS)?;
        let number = numbers.get(owner)?.map_or(0, |last| last.value()) + 1;
        numbers.insert(owner, number)?;
        kept.run.number = number;
    }
    put(txn, profile, &kept)?;
    prune(txn, owner)?;
    Ok(kept)
}

fn prune(txn: &WriteTxn<'_>, owner: u128) -> Result<(), StorageError> {
    let mut all: Vec<u128> = Vec::new();
    for row in txn.table(RUNS)?.range((owner, 0)..=(owner, u128::MAX))? {
        all.push(row?.0.value().1);
    }
    let many = all.len().saturating_sub(MOST_RUNS);
    for id in all.into_iter().take(many) {
        let is_open = txn.table(OPEN)?.get((owner, id))?.is_some();
        let kept: Option<KeptRun> = txn.table(RUNS)?.record((owner, id))?;
        if let Some(kept) = kept.filter(|_| !is_open) {
            txn.table(RUNS)?.remove((owner, id))?;
            txn.table(RUNS_BY_CREW)?.remove((owner, kept.run.crew.0.as_u128(), id))?;
        }
    }
    Ok(())
}

/// Stores a run in place of the state that has the revision before it, within a larger change; false when another one is
/// there by now, and nothing is stored.
pub fn put_run(txn: &WriteTxn<'_>, profile: ProfileId, kept: &KeptRun) -> Result<bool, StorageError> {
    let there: Option<KeptRun> = txn.table(RUNS)?.record(run_key(profile, kept.run.id))?;
    if there.ok_or_else(no_run)?.revision + 1 != kept.revision {
        return Ok(false);
    }
    put(txn, profile, kept)?;
    Ok(true)
}

/// # Errors
/// There is none of this id.
pub fn run(main: &Db, profile: ProfileId, id: CrewRunId) -> Result<KeptRun, StorageError> {
    main.read()?.table(RUNS)?.record(run_key(profile, id))?.ok_or_else(no_run)
}

/// Newest first; none lists those of all crews.
pub fn runs(
    main: &Db,
    profile: ProfileId,
    crew: Option<CrewId>,
    page: PageRequest,
) -> Result<Page<CrewRun>, StorageError> {
    let txn = main.read()?;
    let (owner, table) = (profile.0.as_u128(), txn.table(RUNS)?);
    let mut ids = Vec::new();
    match crew {
        Some(crew) => {
            let crew = crew.0.as_u128();
            for row in txn.table(RUNS_BY_CREW)?.range((owner, crew, 0)..=(owner, crew, u128::MAX))?.rev() {
                ids.push(row?.0.value().2);
            }
        }
        None => {
            for row in table.range((owner, 0)..=(owner, u128::MAX))?.rev() {
                ids.push(row?.0.value().1);
            }
        }
    }
    let mut found = Page { items: Vec::new(), total: ids.len() as u64, offset: page.offset };
    let from = usize::try_from(page.offset).unwrap_or(usize::MAX);
    for id in ids.into_iter().skip(from).take(page.limit.min(LARGEST_PAGE) as usize) {
        let kept: KeptRun = table.record((owner, id))?.ok_or_else(no_run)?;
        found.items.push(kept.run);
    }
    Ok(found)
}

/// Runs that have not ended, the oldest first.
pub fn open_runs(main: &Db, profile: ProfileId) -> Result<Vec<CrewRunId>, StorageError> {
    let owner = profile.0.as_u128();
    let open = main.read()?.table(OPEN)?;
    open.range((owner, 0)..=(owner, u128::MAX))?.map(|row| Ok(CrewRunId(Uuid::from_u128(row?.0.value().1)))).collect()
}
