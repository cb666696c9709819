//! Words about agents for activities and the audit log.

use crate::model::{AgentDraft, AgentStatus, Permission};

pub(super) fn status(status: AgentStatus) -> &'static str {
    match status {
        AgentStatus::Active => "active",
        AgentStatus::Inactive => "inactive",
        AgentStatus::Training => "in training",
        AgentStatus::Error => "in error",
        AgentStatus::Paused => "paused",
    }
}

fn permission(permission: Permission) -> &'static str {
    match permission {
        Permission::Allow => "allow",
        Permission::Ask => "ask",
        Permission::Deny => "deny",
    }
}

pub(super) fn policy(tool: &str, word: Option<Permission>) -> String {
    match word {
        Some(Permission::Allow) | None => format!("Agents of this profile use {tool} as their own settings say"),
        Some(Permission::Ask) => format!("Agents of this profile ask before they use {tool}"),
        Some(Permission::Deny) => format!("Agents of this profile may not use {tool}"),
    }
}

/// What changed in what an agent may do, a few words for each.
pub(super) fn permissions(before: Option<&AgentDraft>, now: &AgentDraft) -> Vec<String> {
    let was = |tool: &str| before.and_then(|before| before.tools.get(tool)).map_or(Permission::Deny, |r| r.permission);
    let is = |tool: &str| now.tools.get(tool).map_or(Permission::Deny, |rule| rule.permission);
    let mut names: Vec<&String> =
        now.tools.keys().chain(before.iter().flat_map(|before| before.tools.keys())).collect();
    names.sort();
    names.dedup();
    let mut changes: Vec<String> = names
        .into_iter()
        .filter(|name| was(name) != is(name))
        .map(|name| format!("{name}: {} to {}", permission(was(name)), permission(is(name))))
        .collect();
    let old = before.map(|before| before.folders.as_slice()).unwrap_or_default();
    for folder in &now.folders {
        if !old.contains(folder) {
            let how = if folder.write { "read and write" } else { "read" };
            changes.push(format!("may {how} {}", folder.path.display()));
        }
    }
    for folder in old {
        if !now.folders.iter().any(|kept| kept.path == folder.path) {
            changes.push(format!("may not use {} any more", folder.path.display()));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::types;
    use crate::model::AllowedFolder;

    #[test]
    fn what_an_agent_gains_and_loses_is_told() {
        let before = types::built_in("automation").unwrap().defaults;
        assert!(permissions(Some(&before), &before).is_empty());
        let mut now = before.clone();
        now.tools.get_mut("run_command").unwrap().permission = Permission::Allow;
        now.tools.remove("read_file");
        now.folders = vec![AllowedFolder { path: "/a".into(), write: true }];
        let words = permissions(Some(&before), &now);
        assert_eq!(words, ["read_file: allow to deny", "run_command: ask to allow", "may read and write /a"]);
        assert_eq!(permissions(Some(&now), &before)[2], "may not use /a any more");
    }
}
