//! Which agents a list shows, and in which order.

use std::cmp::Ordering;

use crate::model::{Agent, AgentFilter, AgentSort};

/// Those that fit, in order.
pub fn select(mut agents: Vec<Agent>, filter: &AgentFilter) -> Vec<Agent> {
    let wanted = filter.text.trim().to_lowercase();
    agents.retain(|agent| {
        let settings = &agent.settings;
        let has_tag = |tag: &String| settings.tags.iter().any(|own| own.to_lowercase() == tag.to_lowercase());
        filter.status.is_none_or(|status| agent.status == status)
            && filter.kind.as_ref().is_none_or(|kind| settings.kind == *kind)
            && filter.tag.as_ref().is_none_or(has_tag)
            && (wanted.is_empty()
                || settings.name.to_lowercase().contains(&wanted)
                || settings.description.to_lowercase().contains(&wanted)
                || settings.tags.iter().any(|tag| tag.to_lowercase().contains(&wanted)))
    });
    agents.sort_by(|a, b| order(a, b, filter.sort).then_with(|| name(a).cmp(&name(b))));
    agents
}

fn name(agent: &Agent) -> String {
    agent.settings.name.to_lowercase()
}

fn order(a: &Agent, b: &Agent, sort: AgentSort) -> Ordering {
    match sort {
        AgentSort::Name => Ordering::Equal,
        AgentSort::LastActive => b.last_active.cmp(&a.last_active),
        AgentSort::Completed => b.completed.cmp(&a.completed),
        // Those without an outcome come last.
        AgentSort::SuccessRate => {
            let rate = |agent: &Agent| agent.success_rate().unwrap_or(-1.0);
            rate(b).total_cmp(&rate(a))
        }
        AgentSort::Created => b.created.cmp(&a.created),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::types;
    use crate::model::{AgentId, AgentStatus, Timestamp};

    fn agent(name: &str, kind: &str, tags: &[&str], completed: u64, failed: u64) -> Agent {
        let mut settings = types::built_in(kind).unwrap().defaults;
        settings.name = name.to_owned();
        settings.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Agent {
            id: AgentId(uuid::Uuid::from_u128(1)),
            status: if failed > 5 { AgentStatus::Error } else { AgentStatus::Active },
            status_detail: String::new(),
            settings,
            completed,
            failed,
            worked_ms: 0,
            last_active: (completed > 0).then_some(Timestamp(i64::try_from(completed).unwrap())),
            created: Timestamp(1),
            updated: Timestamp(1),
            sample: false,
        }
    }

    fn check(filter: AgentFilter, expected: &[&str]) {
        let all = vec![
            agent("zoe", "analytical", &["Sales"], 9, 1),
            agent("Ada", "analytical", &["sales", "q4"], 2, 0),
            agent("bob", "creative", &[], 0, 9),
            agent("cleo", "creative", &[], 0, 0),
        ];
        let names: Vec<String> = select(all, &filter).into_iter().map(|agent| agent.settings.name).collect();
        assert_eq!(names, expected, "{filter:?}");
    }

    #[test]
    fn all_that_is_set_must_hold() {
        let all = AgentFilter::default();
        check(all.clone(), &["Ada", "bob", "cleo", "zoe"]);
        check(AgentFilter { text: "SALES".to_owned(), ..all.clone() }, &["Ada", "zoe"]);
        check(AgentFilter { tag: Some("sales".to_owned()), text: "q4".to_owned(), ..all.clone() }, &["Ada"]);
        check(AgentFilter { kind: Some("creative".to_owned()), ..all.clone() }, &["bob", "cleo"]);
        check(AgentFilter { status: Some(AgentStatus::Error), ..all.clone() }, &["bob"]);
        check(AgentFilter { sort: AgentSort::Completed, ..all.clone() }, &["zoe", "Ada", "bob", "cleo"]);
        check(AgentFilter { sort: AgentSort::SuccessRate, ..all.clone() }, &["Ada", "zoe", "bob", "cleo"]);
        check(AgentFilter { sort: AgentSort::LastActive, ..all }, &["zoe", "Ada", "bob", "cleo"]);
    }
}
