//! The tool that makes a schedule: a task at a time, every so many minutes, or by a cron expression.

use croner::parser::{CronParser, Seconds};
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, short, text, wrong};
use super::{Proposal, Scope, Tool, ToolSpec, schema, tasks, when};
use crate::api::ApiError;
use crate::model::{
    Missed, Permission, Priority, ProposedAction, ScheduleDraft, TaskTemplate, Timing, ToolEffect, ToolOutput,
};

pub struct CreateSchedule;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    name: String,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    every_minutes: Option<u32>,
    #[serde(default)]
    cron: Option<String>,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    missed: Missed,
}

impl Arguments {
    fn timing(&self, scope: &Scope) -> Result<(Timing, String), ApiError> {
        let now = scope.host.now();
        match (&self.at, self.every_minutes, &self.cron) {
            (Some(at), None, None) => {
                let at = when::parse("at", at, now, false)?;
                if at <= now {
                    return Err(wrong(format!("`at` has passed: {}", when::show(at))));
                }
                Ok((Timing::Once { at }, format!("once at {}", when::show(at))))
            }
            (None, Some(minutes), None) => {
                if !(1..=527_040).contains(&minutes) {
                    return Err(wrong("`every_minutes` is 1 to 527040"));
                }
                Ok((Timing::Every { minutes, from: now }, format!("every {minutes} minutes")))
            }
            (None, None, Some(cron)) => {
                let expression = text("cron", cron, 100)?.to_owned();
                let parser = CronParser::builder().seconds(Seconds::Optional).build();
                parser.parse(&expression).map_err(|error| wrong(format!("`cron` is not understood: {error}")))?;
                let zone = self.zone.trim().to_owned();
                if !zone.is_empty() && jiff::tz::TimeZone::get(&zone).is_err() {
                    return Err(wrong(format!("there is no time zone {zone:?}; write it as Europe/Berlin")));
                }
                let words =
                    if zone.is_empty() { format!("by {expression}") } else { format!("by {expression}, {zone}") };
                Ok((Timing::Cron { expression, zone }, words))
            }
            _ => Err(wrong("give exactly one of `at`, `every_minutes` and `cron`")),
        }
    }

    fn draft(&self, scope: &Scope) -> Result<(ScheduleDraft, String, String), ApiError> {
        let (timing, words) = self.timing(scope)?;
        let agent = tasks::whose(self.agent.as_deref(), scope)?;
        if self.description.chars().count() > 8_000 {
            return Err(wrong("`description` is longer than 8000 characters"));
        }
        let template = TaskTemplate {
            agent: agent.as_ref().map(|agent| agent.id),
            title: text("title", &self.title, 200)?.to_owned(),
            description: self.description.clone(),
            priority: Priority::Medium,
            input: Value::Null,
            labels: Vec::new(),
            max_retries: None,
            time_limit_s: None,
        };
        let whom = agent.map_or_else(|| "the person".to_owned(), |agent| agent.settings.name);
        let draft = ScheduleDraft {
            name: text("name", &self.name, 100)?.to_owned(),
            timing,
            template,
            variables: std::collections::BTreeMap::new(),
            missed: self.missed,
            enabled: true,
        };
        Ok((draft, words, whom))
    }
}

impl Tool for CreateSchedule {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "create_schedule".into(),
            title: "Make a schedule".into(),
            description: "Makes a schedule that creates a task at a time, every so many minutes, or by a cron \
                          expression."
                .into(),
            effect: ToolEffect::Organises,
            default: Permission::Ask,
            repeatable: false,
            parameters: schema::object(
                &[
                    ("name", schema::text(100, "Name of the schedule.")),
                    ("title", schema::text(200, "Title of each task; {date} is filled in.")),
                    ("description", schema::long_text("What each task says.")),
                    ("agent", schema::text(100, "Agent that does it; empty for the person.")),
                    ("at", schema::text(40, "Once, such as 2026-03-02T17:30.")),
                    ("every_minutes", schema::integer(1, 527_040, "Again and again.")),
                    ("cron", schema::text(100, "Five fields, or six with seconds first.")),
                    ("zone", schema::text(60, "Of the cron expression, such as Europe/Berlin.")),
                    ("missed", schema::one_of(&["skip", "run_once", "run_all"], "What was missed while closed.")),
                ],
                &["name", "title"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let (draft, words, whom) = parse::<Arguments>(arguments)?.draft(scope)?;
        let task = match draft.template.description.is_empty() {
            true => format!("{} (for {whom})", draft.template.title),
            false => format!("{} (for {whom})\n\n{}", draft.template.title, draft.template.description),
        };
        Ok(Proposal {
            title: format!("Make the schedule {:?}", short(&draft.name, 60)),
            action: ProposedAction::CreateSchedule { name: draft.name, timing: words, task },
            always: None,
            harmless: false,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let (draft, words, _) = parse::<Arguments>(arguments)?.draft(scope)?;
        let schedule = scope.host.create_schedule(draft)?;
        let next = schedule.next_run.map(|next| format!("; next at {}", when::show(next))).unwrap_or_default();
        let name = &schedule.settings.name;
        Ok(ToolOutput {
            text: format!("The schedule {name:?} was made, {words}{next}."),
            data: Some(json!({"id": schedule.id, "next": schedule.next_run})),
            changed: format!("made the schedule {name:?}"),
            ..ToolOutput::default()
        })
    }
}
