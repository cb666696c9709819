//! Approvals and the rules made from them. Approvals stay as they were said; rules go back with a restore.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::{self, AuditEntry};
use super::{AnyTable, Db, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{
    AgentId, Approval, ApprovalId, ApprovalRule, ApprovalRuleId, ApprovalState, Page, PageRequest, ProfileId, RunId,
    TaskId, Timestamp,
};

/// (profile, approval): newer ones sort later.
const APPROVALS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("approvals");
/// (profile, approval): those that nobody has answered.
const WAITING: TableDefinition<(u128, u128), ()> = TableDefinition::new("approvals_waiting");
/// (profile, task, approval).
const BY_TASK: TableDefinition<(u128, u128, u128), ()> = TableDefinition::new("approvals_by_task");
/// (profile, run, approval).
const BY_RUN: TableDefinition<(u128, u128, u128), ()> = TableDefinition::new("approvals_by_run");
/// (profile, rule).
const RULES: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("approval_rules");
pub(super) const TABLES: &[&dyn AnyTable] = &[&APPROVALS, &WAITING, &BY_TASK, &BY_RUN, &RULES];

const LARGEST_PAGE: u32 = 1_000;
const MOST_RULES: usize = 10_000;

#[derive(Serialize, Deserialize)]
struct StoredApproval {
    approval: Approval,
    /// What "always here" would cover, as it is compared.
    scope: Option<String>,
}
first_version!(StoredApproval, "approval");

#[derive(Serialize, Deserialize)]
struct StoredRule {
    rule: ApprovalRule,
}
first_version!(StoredRule, "approval rule");

/// What an answer did.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    pub approval: Approval,
    /// The rule that was made from it.
    pub rule: Option<ApprovalRule>,
}

fn unknown() -> StorageError {
    StorageError::NotFound("this approval".to_owned())
}

/// Keeps a question to the person. `scope` belongs to the words in `always`.
pub fn ask(main: &Db, profile: ProfileId, approval: Approval, scope: Option<String>) -> Result<(), StorageError> {
    main.write(move |txn| {
        let owner = profile.0.as_u128();
        let id = approval.id.0.as_u128();
        txn.table(WAITING)?.insert((owner, id), ())?;
        txn.table(BY_RUN)?.insert((owner, approval.run.0.as_u128(), id), ())?;
        if let Some(task) = approval.task {
            txn.table(BY_TASK)?.insert((owner, task.0.as_u128(), id), ())?;
        }
        txn.table(APPROVALS)?.put((owner, id), &StoredApproval { approval: approval.clone(), scope: scope.clone() })?;
        Ok(())
    })
}

pub fn get(main: &Db, profile: ProfileId, id: ApprovalId) -> Result<Approval, StorageError> {
    let table = main.read()?.table(APPROVALS)?;
    let stored: Option<StoredApproval> = table.record((profile.0.as_u128(), id.0.as_u128()))?;
    Ok(stored.ok_or_else(unknown)?.approval)
}

/// Ends the waiting: state, rule and row of the audit log in one commit. `rule` is the id of the rule that is made where
/// the state is [`ApprovalState::AllowedAlways`].
///
/// # Errors
/// Refused when it was answered before, or may not be allowed once for all.
pub fn answer(
    main: &Db,
    profile: ProfileId,
    id: ApprovalId,
    state: ApprovalState,
    at: Timestamp,
    rule: ApprovalRuleId,
    entry: AuditEntry,
) -> Result<Answered, StorageError> {
    main.write(move |txn| {
        let key = (profile.0.as_u128(), id.0.as_u128());
        let stored: Option<StoredApproval> = txn.table(APPROVALS)?.record(key)?;
        let mut stored = stored.ok_or_else(unknown)?;
        if stored.approval.state != ApprovalState::Waiting {
            return Err(StorageError::Refused(
                "this approval has been answered, or nobody needs it any more".to_owned(),
            ));
        }
        let mut made = None;
        if state == ApprovalState::AllowedAlways {
            let words = stored.approval.always.clone();
            let (Some(scope), Some(words)) = (stored.scope.clone(), words) else {
                return Err(StorageError::Refused("this cannot be allowed once for all".to_owned()));
            };
            made = Some(add_rule(
                txn,
                profile,
                ApprovalRule {
                    id: rule,
                    agent: stored.approval.agent,
                    agent_name: stored.approval.agent_name.clone(),
                    tool: stored.approval.tool.clone(),
                    scope,
                    words,
                    created: at,
                },
            )?);
        }
        stored.approval.state = state.clone();
        stored.approval.answered = Some(at);
        txn.table(WAITING)?.remove(key)?;
        txn.table(APPROVALS)?.put(key, &stored)?;
        audit::append(txn, &entry)?;
        Ok(Answered { approval: stored.approval, rule: made })
    })
}

/// The rule, or the one that says the same already.
fn add_rule(txn: &WriteTxn<'_>, profile: ProfileId, rule: ApprovalRule) -> Result<ApprovalRule, StorageError> {
    let owner = profile.0.as_u128();
    let mut table = txn.table(RULES)?;
    let mut count = 0;
    for row in table.range((owner, 0)..=(owner, u128::MAX))? {
        let StoredRule { rule: known } = decode(row?.1.value())?;
        if known.agent == rule.agent && known.tool == rule.tool && known.scope == rule.scope {
            return Ok(known);
        }
        count += 1;
    }
    if count >= MOST_RULES {
        return Err(StorageError::Refused(format!("there are {MOST_RULES} rules already: remove some")));
    }
    table.put((owner, rule.id.0.as_u128()), &StoredRule { rule: rule.clone() })?;
    Ok(rule)
}

/// Nobody needs an answer of this task any more, within a larger change; what was withdrawn.
pub fn withdraw_task(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    task: TaskId,
    at: Timestamp,
) -> Result<Vec<Approval>, StorageError> {
    let (owner, of) = (profile.0.as_u128(), task.0.as_u128());
    let mut ids = Vec::new();
    {
        let waiting = txn.table(WAITING)?;
        for row in txn.table(BY_TASK)?.range((owner, of, 0)..=(owner, of, u128::MAX))? {
            let id = row?.0.value().2;
            if waiting.get((owner, id))?.is_some() {
                ids.push(id);
            }
        }
    }
    let mut withdrawn = Vec::new();
    for id in ids {
        let stored: Option<StoredApproval> = txn.table(APPROVALS)?.record((owner, id))?;
        let Some(mut stored) = stored else { continue };
        stored.approval.state = ApprovalState::Withdrawn;
        stored.approval.answered = Some(at);
        txn.table(WAITING)?.remove((owner, id))?;
        txn.table(APPROVALS)?.put((owner, id), &stored)?;
        withdrawn.push(stored.approval);
    }
    Ok(withdrawn)
}

/// Newest first; only those that wait, the oldest first; of one task, or of all.
pub fn list(
    main: &Db,
    profile: ProfileId,
    waiting: bool,
    task: Option<TaskId>,
    page: PageRequest,
) -> Result<Page<Approval>, StorageError> {
    let owner = profile.0.as_u128();
    let txn = main.read()?;
    let (rows, open) = (txn.table(APPROVALS)?, txn.table(WAITING)?);
    let mut ids = Vec::new();
    if let Some(task) = task {
        let of = task.0.as_u128();
        for row in txn.table(BY_TASK)?.range((owner, of, 0)..=(owner, of, u128::MAX))? {
            let id = row?.0.value().2;
            if !waiting || open.get((owner, id))?.is_some() {
                ids.push(id);
            }
        }
    } else if waiting {
        for row in open.range((owner, 0)..=(owner, u128::MAX))? {
            ids.push(row?.0.value().1);
        }
    } else {
        for row in rows.range((owner, 0)..=(owner, u128::MAX))? {
            ids.push(row?.0.value().1);
        }
    }
    if !waiting {
        ids.reverse();
    }
    let (total, skip) = (ids.len() as u64, usize::try_from(page.offset).unwrap_or(usize::MAX));
    let mut items = Vec::new();
    for id in ids.into_iter().skip(skip).take(page.limit.min(LARGEST_PAGE) as usize) {
        let stored: Option<StoredApproval> = rows.record((owner, id))?;
        items.extend(stored.map(|stored| stored.approval));
    }
    Ok(Page { items, total, offset: page.offset })
}

/// What the person answered to the last question of a run.
pub fn last_reply(main: &Db, profile: ProfileId, run: RunId) -> Result<Option<String>, StorageError> {
    let (owner, of) = (profile.0.as_u128(), run.0.as_u128());
    let txn = main.read()?;
    let rows = txn.table(APPROVALS)?;
    for row in txn.table(BY_RUN)?.range((owner, of, 0)..=(owner, of, u128::MAX))?.rev() {
        let stored: Option<StoredApproval> = rows.record((owner, row?.0.value().2))?;
        if let Some(ApprovalState::Replied { text }) = stored.map(|stored| stored.approval.state) {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// In the order in which they were made.
pub fn rules(main: &Db, profile: ProfileId) -> Result<Vec<ApprovalRule>, StorageError> {
    let owner = profile.0.as_u128();
    let table = main.read()?.table(RULES)?;
    table.range((owner, 0)..=(owner, u128::MAX))?.map(|row| Ok(decode::<StoredRule>(row?.1.value())?.rule)).collect()
}

/// The rule that covers this, for this agent and tool alone.
pub fn rule_for(
    main: &Db,
    profile: ProfileId,
    agent: AgentId,
    tool: &str,
    scope: &str,
) -> Result<Option<ApprovalRule>, StorageError> {
    let covers = |rule: &ApprovalRule| rule.agent == agent && rule.tool == tool && rule.scope == scope;
    Ok(rules(main, profile)?.into_iter().find(covers))
}

/// # Errors
/// Not found, when there is no such rule.
pub fn remove_rule(main: &Db, profile: ProfileId, id: ApprovalRuleId, entry: AuditEntry) -> Result<(), StorageError> {
    main.write(move |txn| {
        let gone = txn.table(RULES)?.remove((profile.0.as_u128(), id.0.as_u128()))?.is_some();
        if !gone {
            return Err(StorageError::NotFound("this rule".to_owned()));
        }
        audit::append(txn, &entry)
    })
}

/// Removes the rules of an agent that goes for good, within a larger change.
pub fn remove_agent(txn: &WriteTxn<'_>, profile: ProfileId, agent: AgentId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    let mut table = txn.table(RULES)?;
    let mut gone = Vec::new();
    for row in table.range((owner, 0)..=(owner, u128::MAX))? {
        let (key, value) = row?;
        if decode::<StoredRule>(value.value())?.rule.agent == agent {
            gone.push(key.value());
        }
    }
    for key in gone {
        table.remove(key)?;
    }
    Ok(())
}

/// Forgets the approvals and rules of a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    let all = (owner, 0)..=(owner, u128::MAX);
    txn.table(APPROVALS)?.retain_in(all.clone(), |_, _| false)?;
    txn.table(WAITING)?.retain_in(all.clone(), |_, ()| false)?;
    txn.table(RULES)?.retain_in(all, |_, _| false)?;
    let all = (owner, 0, 0)..=(owner, u128::MAX, u128::MAX);
    txn.table(BY_TASK)?.retain_in(all.clone(), |_, ()| false)?;
    txn.table(BY_RUN)?.retain_in(all, |_, ()| false)?;
    Ok(())
}

/// The ids of those that wait.
pub fn waiting(main: &Db, profile: ProfileId) -> Result<Vec<ApprovalId>, StorageError> {
    let owner = profile.0.as_u128();
    let table = main.read()?.table(WAITING)?;
    table.range((owner, 0)..=(owner, u128::MAX))?.map(|row| Ok(ApprovalId(Uuid::from_u128(row?.0.value().1)))).collect()
}

#[cfg(test)]
mod tests;
