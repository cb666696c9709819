//! Background agents that are ready to be switched on: an agent of a type that comes with the program, and its schedules.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::service::Scheduler;
use crate::api::ApiError;
use crate::model::{
    AgentId, BackgroundAgent, BackgroundNeed, Missed, Schedule, ScheduleDraft, TaskTemplate, Timestamp, Timing, Trigger,
};

/// What is written down of one of them.
struct Kind {
    /// Its agent type has the same name.
    id: &'static str,
    name: &'static str,
    description: &'static str,
    needs: &'static [Need],
}

struct Need {
    name: &'static str,
    label: &'static str,
    default: &'static str,
    is_path: bool,
    /// One of those that are not must be given.
    required: bool,
}

const KINDS: [Kind; 4] = [
    Kind {
        id: "research",
        name: "Research",
        description: "Looks each morning for what your documents say about a question, and writes down what is new.",
        needs: &[
            Need { name: "question", label: "Question", default: "", is_path: false, required: true },
            Need {
                name: "cron",
                label: "When, as a cron expression",
                default: "0 7 * * *",
                is_path: false,
                required: true,
            },
        ],
    },
    Kind {
        id: "pipeline-monitor",
        name: "Pipeline monitor",
        description: "Watches a process and a log file, and reports when the one ends or the other tells of an error.",
        needs: &[
            Need { name: "log", label: "Log or report file", default: "", is_path: true, required: true },
            Need {
                name: "pattern",
                label: "Lines that count",
                default: "(?i)error|failed|panic",
                is_path: false,
                required: true,
            },
            Need { name: "process", label: "Name of the process", default: "", is_path: false, required: false },
        ],
    },
    Kind {
        id: "digest",
        name: "Digest",
        description: "Tells when the window opens what has changed since the last time.",
        needs: &[],
    },
    Kind {
        id: "session-snapshots",
        name: "Session snapshots",
        description: "Notes every five minutes what is going on, so that a session can be taken up again.",
        needs: &[],
    },
];

fn kind_of(id: &str) -> Result<&'static Kind, ApiError> {
    let all: Vec<&str> = KINDS.iter().map(|kind| kind.id).collect();
    KINDS.iter().find(|kind| kind.id == id).ok_or_else(|| {
        ApiError::validation(
            format!("there is no background agent \"{id}\""),
            format!("There are: {}.", all.join(", ")),
        )
    })
}

impl Scheduler {
    /// All of them, each with what it still needs.
    ///
    /// # Errors
    /// What the store says.
    pub fn background(&self) -> Result<Vec<BackgroundAgent>, ApiError> {
        let schedules = self.list("")?;
        Ok(KINDS.iter().map(|kind| shown(kind, &schedules)).collect())
    }

    /// Makes its agent and schedules the first time, or when they are gone, and switches the schedules.
    ///
    /// # Errors
    /// It needs something that was not given; it cannot be made.
    pub fn switch_background(
        &self,
        kind: &str,
        on: bool,
        values: &BTreeMap<String, String>,
    ) -> Result<BackgroundAgent, ApiError> {
        let kind = kind_of(kind)?;
        let own = |all: &[Schedule]| -> Vec<Schedule> {
            all.iter().filter(|one| one.background.as_deref() == Some(kind.id)).cloned().collect()
        };
        let existing = own(&self.list("")?);
        if on && (existing.is_empty() || !values.is_empty()) {
            let values = filled(kind, values)?;
            let kept =
                existing.iter().find(|one| !one.agent_name.is_empty()).and_then(|one| one.settings.template.agent);
            let drafts = |agent| drafts(kind, agent, &values, self.inner.now());
            // What cannot be scheduled must not leave an agent behind.
            for draft in drafts(AgentId(uuid::Uuid::nil())) {
                self.preview(&draft.timing, 1)?;
            }
            let agent = match kept {
                Some(agent) => agent,
                None => {
                    let paths = kind.needs.iter().filter(|need| need.is_path).filter_map(|need| values.get(need.name));
                    let folders: Vec<PathBuf> =
                        paths.filter_map(|path| Some(PathBuf::from(path).parent()?.to_owned())).collect();
                    self.inner.parts.agents.make(kind.id, &folders)?
                }
            };
            let mut left: Vec<Schedule> = existing;
            for draft in drafts(agent) {
                let same = left.iter().position(|one| one.settings.name == draft.name);
                match same.map(|at| left.remove(at)) {
                    Some(one) => self.update(one.id, draft)?,
                    None => self.create_free(draft, kind.id)?,
                };
            }
            for one in left {
                self.enable(one.id, false)?;
            }
        } else {
            for one in existing {
                self.enable(one.id, on)?;
            }
        }
        Ok(shown(kind, &self.list("")?))
    }

    /// Under another name where the person has one of this name.
    fn create_free(&self, draft: ScheduleDraft, kind: &str) -> Result<Schedule, ApiError> {
        let taken: Vec<String> = self.list("")?.iter().map(|one| one.settings.name.to_lowercase()).collect();
        let names = std::iter::once(draft.name.clone()).chain((2..).map(|n| format!("{} ({n})", draft.name)));
        let free = names.take(1_000).find(|name| !taken.contains(&name.to_lowercase()));
        let name = free.unwrap_or_else(|| draft.name.clone());
        self.create_for(ScheduleDraft { name, ..draft }, Some(kind.to_owned()), false)
    }
}

fn shown(kind: &Kind, schedules: &[Schedule]) -> BackgroundAgent {
    let mut own = schedules.iter().filter(|one| one.background.as_deref() == Some(kind.id));
    let on = own.clone().any(|one| one.settings.enabled);
    let first = own.next();
    let needs = kind.needs.iter().map(|need| BackgroundNeed {
        name: need.name.to_owned(),
        label: need.label.to_owned(),
        default: need.default.to_owned(),
        is_path: need.is_path,
    });
    BackgroundAgent {
        kind: kind.id.to_owned(),
        name: kind.name.to_owned(),
        description: kind.description.to_owned(),
        needs: if first.is_some() { Vec::new() } else { needs.collect() },
        on,
        agent: first.and_then(|one| one.settings.template.agent),
        schedule: first.map(|one| one.id),
    }
}

/// The values with what was left out; each name is one that is known.
fn filled(kind: &Kind, values: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ApiError> {
    if let Some(name) = values.keys().find(|name| kind.needs.iter().all(|need| need.name != name.as_str())) {
        return Err(ApiError::validation(format!("{} needs no \"{name}\"", kind.name), "Leave it out."));
    }
    let mut all = BTreeMap::new();
    for need in kind.needs {
        let value = values.get(need.name).map_or(need.default, |value| value.trim());
        if value.is_empty() && need.required {
            return Err(ApiError::validation(
                format!("{} needs: {}", kind.name, need.label),
                format!("Give a value for \"{}\".", need.name),
            ));
        }
        if !value.is_empty() {
            all.insert(need.name.to_owned(), value.to_owned());
        }
    }
    Ok(all)
}

fn drafts(kind: &Kind, agent: AgentId, values: &BTreeMap<String, String>, now: Timestamp) -> Vec<ScheduleDraft> {
    let value = |name: &str| values.get(name).cloned();
    let draft = |name: &str, timing: Timing, title: &str, input| ScheduleDraft {
        name: name.to_owned(),
        timing,
        template: TaskTemplate {
            agent: Some(agent),
            title: title.to_owned(),
            description: String::new(),
            priority: crate::model::Priority::Low,
            input,
            labels: vec!["background".to_owned()],
            max_retries: None,
            time_limit_s: None,
        },
        variables: BTreeMap::new(),
        missed: if kind.id == "session-snapshots" { Missed::Skip } else { Missed::RunOnce },
        enabled: true,
    };
    match kind.id {
        "research" => {
            let timing = Timing::Cron { expression: value("cron").unwrap_or_default(), zone: String::new() };
            let mut one = draft(
                "Research",
                timing,
                "Research of {date}",
                json!({ "question": "{question}", "since": "{last_run}" }),
            );
            one.variables.insert("question".to_owned(), value("question").unwrap_or_default());
            vec![one]
        }
        "pipeline-monitor" => {
            let mut all = Vec::new();
            if let Some(log) = value("log") {
                let trigger = Trigger::Log { path: PathBuf::from(&log), pattern: value("pattern").unwrap_or_default() };
                let timing = Timing::When { trigger };
                all.push(draft("Pipeline monitor: log", timing, "Look at {path}", json!({ "path": log })));
            }
            if let Some(process) = value("process") {
                let timing = Timing::When { trigger: Trigger::Process { name: process.clone(), begins: false } };
                let input = json!({ "process": process, "path": value("log") });
                all.push(draft("Pipeline monitor: process", timing, "{process} has ended", input));
            }
            all
        }
        "digest" => {
            let timing = Timing::When { trigger: Trigger::SessionStart };
            vec![draft("Digest", timing, "What changed since {last_run}", json!({ "since": "{last_run}" }))]
        }
        _ => {
            let timing = Timing::Every { minutes: 5, from: now };
            vec![draft("Session snapshots", timing, "Snapshot of {planned}", json!({ "at": "{planned}" }))]
        }
    }
}

#[cfg(test)]
mod tests;
