//! What each profile says of a tool: the stricter of this and the agent's own word counts.

use std::collections::BTreeMap;

use redb::TableDefinition;

use crate::model::{Permission, ProfileId, Timestamp};
use crate::storage::audit::{self, AuditEntry};
use crate::storage::{Db, StorageError};

/// (profile, tool) to `allow`, `ask` or `deny`.
pub(super) const POLICIES: TableDefinition<(u128, &str), &str> = TableDefinition::new("tool_policies");

const LONGEST_TOOL: usize = 80;

fn word(permission: Permission) -> &'static str {
    match permission {
        Permission::Allow => "allow",
        Permission::Ask => "ask",
        Permission::Deny => "deny",
    }
}

/// By the name of the tool; tools that are not named are left to the agents.
pub fn policies(main: &Db, profile: ProfileId) -> Result<BTreeMap<String, Permission>, StorageError> {
    let table = main.read()?.table(POLICIES)?;
    let owner = profile.0.as_u128();
    let mut found = BTreeMap::new();
    for row in table.range((owner, "")..)? {
        let (key, value) = row?;
        let (of, tool) = key.value();
        if of != owner {
            break;
        }
        let permission = match value.value() {
            "allow" => Permission::Allow,
            "ask" => Permission::Ask,
            // A word that nobody knows is taken as the strictest.
            _ => Permission::Deny,
        };
        found.insert(tool.to_owned(), permission);
    }
    Ok(found)
}

/// Sets or removes (none) what the profile says of a tool; the change stands in the audit log.
///
/// # Errors
/// Refused for a name that no tool can have.
pub fn set_policy(
    main: &Db,
    profile: ProfileId,
    tool: &str,
    permission: Option<Permission>,
    now: Timestamp,
) -> Result<(), StorageError> {
    if tool.is_empty() || tool.len() > LONGEST_TOOL {
        return Err(StorageError::Refused("tool: there is none of this name".to_owned()));
    }
    let tool = tool.to_owned();
    main.write(move |txn| {
        let place = (profile.0.as_u128(), tool.as_str());
        match permission {
            Some(permission) => drop(txn.table(POLICIES)?.insert(place, word(permission))?),
            None => drop(txn.table(POLICIES)?.remove(place)?),
        }
        let entry = AuditEntry {
            at: now,
            who: "the person".to_owned(),
            kind: "tool.policy".to_owned(),
            subject: tool.clone(),
            detail: match permission {
                Some(permission) => format!("{} in the profile {profile}", word(permission)),
                None => format!("left to the agents in the profile {profile}"),
            },
        };
        audit::append(txn, &entry)
    })
}
