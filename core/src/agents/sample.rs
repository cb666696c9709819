//! Sample data: an agent of each general type with what it seems to have done, all marked as samples.

use std::collections::BTreeMap;

use serde_json::Value;

use super::types;
use crate::api::ApiError;
use crate::clock::Ids;
use crate::model::{
    Activity, ActivityId, Agent, AgentId, AgentStatus, BoardColumn, Happening, Missed, Priority, ScheduleDraft,
    ScheduleId, Task, TaskId, TaskOutput, TaskStatus, TaskTemplate, Timestamp, Timing,
};
use crate::storage::activities::SAMPLE;
use crate::storage::schedules::Row;

const HOUR_MS: i64 = 3_600_000;

/// What is added.
pub struct Sample {
    pub agents: Vec<Agent>,
    pub outcomes: Vec<SampleOutcome>,
    pub activities: Vec<Activity>,
    /// With a past; what waits is held back, so that nobody runs it. Numbers are 0.
    pub tasks: Vec<Task>,
    /// Off, so that none makes a task.
    pub schedules: Vec<Row>,
}

/// One counted end of a task.
pub struct SampleOutcome {
    pub agent: AgentId,
    pub completed: bool,
    pub worked_ms: u64,
    pub tokens: u64,
    pub at: Timestamp,
}

const AGENTS: [(&str, &str, AgentStatus); 4] = [
    ("conversational", "Sample companion", AgentStatus::Active),
    ("analytical", "Sample analyst", AgentStatus::Active),
    ("creative", "Sample writer", AgentStatus::Paused),
    ("automation", "Sample operator", AgentStatus::Inactive),
];

/// Index of the agent, title, hours ago, status, seconds worked.
const TASKS: [(usize, &str, i64, TaskStatus, u64); 9] = [
    (1, "Compare the sales of both quarters", 50, TaskStatus::Completed, 94),
    (1, "Find outliers in the sensor table", 27, TaskStatus::Completed, 41),
    (0, "Explain the notes on tides", 26, TaskStatus::Completed, 12),
    (2, "Three openings for the newsletter", 20, TaskStatus::Completed, 33),
    (3, "Fetch the status page", 9, TaskStatus::Failed, 3),
    (2, "Rewrite the invitation", 8, TaskStatus::Cancelled, 5),
    (0, "Sum up what was read this week", 4, TaskStatus::Completed, 18),
    (1, "Chart the orders of each month", 2, TaskStatus::Pending, 0),
    (3, "Sort the downloads into folders", 1, TaskStatus::Pending, 0),
];

/// Index of the agent, name, cron expression, title of each task.
const SCHEDULES: [(usize, &str, &str, &str); 2] = [
    (1, "Sample morning report", "0 7 * * 1-5", "Report on the orders of {date}"),
    (0, "Sample weekly look back", "0 16 * * 5", "Look back on the week until {date}"),
];

/// Makes it, as of `now`.
pub fn make(ids: &Ids, now: Timestamp) -> Sample {
    let made = Timestamp(now.0 - 72 * HOUR_MS);
    let mut agents = Vec::new();
    for (kind, name, status) in AGENTS {
        let Some(known) = types::built_in(kind) else { continue };
        let mut settings = known.defaults;
        settings.name = name.to_owned();
        settings.tags.push(SAMPLE.to_owned());
        agents.push(Agent {
            id: AgentId(ids.next()),
            status,
            status_detail: String::new(),
            settings,
            completed: 0,
            failed: 0,
            worked_ms: 0,
            last_active: None,
            created: made,
            updated: made,
            sample: true,
        });
    }
    let (mut outcomes, mut activities, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
    for agent in &agents {
        let title = format!("Agent {} was made", agent.settings.name);
        activities.push(happened(ids, made, Happening::new("agent.created", title)));
    }
    for (index, title, hours, status, seconds) in TASKS {
        let Some(agent) = agents.get(index) else { continue };
        let name = agent.settings.name.clone();
        let (created, worked_ms) = (Timestamp(now.0 - hours * HOUR_MS), seconds * 1_000);
        let ended = Timestamp(created.0 + i64::try_from(worked_ms).unwrap_or(0) + 2_000);
        let kind = match status {
            TaskStatus::Completed => "task.completed",
            TaskStatus::Failed => "task.failed",
            TaskStatus::Cancelled => "task.cancelled",
            TaskStatus::Pending | TaskStatus::Running => "task.created",
        };
        if matches!(status, TaskStatus::Completed | TaskStatus::Failed) {
            let completed = status == TaskStatus::Completed;
            outcomes.push(SampleOutcome { agent: agent.id, completed, worked_ms, tokens: seconds * 9, at: ended });
        }
        let mut happening = Happening::new(kind, title);
        happening.agent = status.is_final().then(|| name.clone());
        activities.push(happened(ids, if status.is_final() { ended } else { created }, happening));
        let output = (status == TaskStatus::Completed).then(|| TaskOutput {
            text: "This is sample data: no agent has worked on it.".to_owned(),
            data: Value::Null,
            charts: Vec::new(),
            changed: Vec::new(),
        });
        let failed = "sample data: the status page did not answer";
        let error = (status == TaskStatus::Failed).then(|| ApiError::validation(failed, "Nothing is to be done."));
        tasks.push(Task {
            id: TaskId(ids.next()),
            number: 0,
            agent: Some(agent.id),
            agent_name: name,
            title: title.to_owned(),
            description: "Sample data".to_owned(),
            status,
            column: if status.is_final() { BoardColumn::Done } else { BoardColumn::Backlog },
            position: 0,
            priority: Priority::Medium,
            input: Value::Null,
            output,
            error,
            retries: 0,
            max_retries: 0,
            time_limit_s: 900,
            execution_ms: worked_ms,
            not_before: None,
            due: None,
            labels: vec![SAMPLE.to_owned()],
            depends_on: Vec::new(),
            schedule: None,
            parent: None,
            waits: None,
            progress: None,
            created,
            started: status.is_final().then_some(Timestamp(created.0 + 2_000)),
            completed: status.is_final().then_some(ended),
            updated: if status.is_final() { ended } else { created },
            sample: true,
        });
    }
    let schedules = SCHEDULES.iter().filter_map(|(index, name, expression, title)| {
        Some(schedule(ids, made, agents.get(*index)?, name, expression, title))
    });
    let schedules = schedules.collect();
    Sample { agents, outcomes, activities, tasks, schedules }
}

fn schedule(ids: &Ids, made: Timestamp, agent: &Agent, name: &str, expression: &str, title: &str) -> Row {
    let template = TaskTemplate {
        agent: Some(agent.id),
        title: title.to_owned(),
        description: "Sample data".to_owned(),
        priority: Priority::Medium,
        input: Value::Null,
        labels: vec![SAMPLE.to_owned()],
        max_retries: None,
        time_limit_s: None,
    };
    Row {
        id: ScheduleId(ids.next()),
        settings: ScheduleDraft {
            name: name.to_owned(),
            timing: Timing::Cron { expression: expression.to_owned(), zone: String::new() },
            template,
            variables: BTreeMap::new(),
            missed: Missed::Skip,
            enabled: false,
        },
        created: made,
        updated: made,
        background: None,
        sample: true,
        next: None,
        last_run: None,
        last_outcome: None,
        last_planned: None,
        runs: 0,
        mark: String::new(),
        ready: true,
    }
}

fn happened(ids: &Ids, at: Timestamp, happening: Happening) -> Activity {
    happening.describe("Sample data").with(SAMPLE, "yes").kept(ActivityId(ids.next()), at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn there_is_one_agent_of_each_general_type_and_all_is_marked() {
        let now = Timestamp(1_700_000_000_000);
        let sample = make(&Ids::seeded(Arc::new(ManualClock::at(now)), 3), now);
        let kinds: BTreeSet<&str> = sample.agents.iter().map(|agent| agent.settings.kind.as_str()).collect();
        assert_eq!(kinds, BTreeSet::from(["analytical", "automation", "conversational", "creative"]));
        assert!(sample.agents.iter().all(|agent| agent.sample));
        assert!(sample.activities.iter().all(|activity| activity.metadata.contains_key(SAMPLE) && activity.at < now));
        assert!(sample.schedules.len() == 2 && sample.schedules.iter().all(|row| row.sample && !row.settings.enabled));
        let states: BTreeSet<TaskStatus> = sample.tasks.iter().map(|task| task.status).collect();
        // Nobody runs a sample, so none is running.
        assert_eq!(states.len(), TaskStatus::ALL.len() - 1);
    }
}
