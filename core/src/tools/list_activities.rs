//! The tool that tells what happened in this profile.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, wrong};
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, schema, when};
use crate::api::ApiError;
use crate::model::{
    Activity, ActivityFilter, PageRequest, Permission, ProposedAction, Timestamp, ToolEffect, ToolOutput,
};

const DAY_MS: i64 = 86_400_000;

pub struct ListActivities;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Arguments {
    since: Option<String>,
    kinds: Vec<String>,
    text: String,
    limit: Option<u32>,
}

impl Arguments {
    /// When it begins, and in words.
    fn since(&self, scope: &Scope) -> Result<(Timestamp, String), ApiError> {
        if self.kinds.len() > 12 || self.text.chars().count() > 200 {
            return Err(wrong("`kinds` takes 12 and `text` 200 characters at most"));
        }
        let now = scope.host.now();
        let given = self.since.as_deref().map(str::trim).unwrap_or_default();
        if !given.is_empty() && given != "last_session" {
            let at = when::parse("since", given, now, false)?;
            return Ok((at, when::show(at)));
        }
        match scope.host.last_session() {
            Some(at) => Ok((at, format!("the last session ({})", when::show(at)))),
            None => Ok((Timestamp(now.0 - DAY_MS), "yesterday, as there was no session before".to_owned())),
        }
    }
}

impl Tool for ListActivities {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "list_activities".into(),
            title: "List activities".into(),
            description: "Tells what happened in the program since a time, newest first: tasks, documents, backups, \
                          agents."
                .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("since", schema::text(40, "last_session (when not given), 12h, 7d, a day or a time.")),
                    (
                        "kinds",
                        schema::list(schema::text(80, "Such as task or task.failed."), 12, "All when not given."),
                    ),
                    ("text", schema::text(200, "In title or description.")),
                    ("limit", schema::integer(1, 200, "60 when not given.")),
                ],
                &[],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let (_, words) = parse::<Arguments>(arguments)?.since(scope)?;
        Ok(Proposal {
            title: "List activities".to_owned(),
            action: ProposedAction::Look { what: format!("what happened since {words}") },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let (from, words) = given.since(scope)?;
        let limit = given.limit.unwrap_or(60).clamp(1, 200);
        let kinds = if given.kinds.is_empty() { vec![String::new()] } else { given.kinds.clone() };
        let mut found: Vec<Activity> = Vec::new();
        for kind in kinds {
            let filter =
                ActivityFilter { kind, from: Some(from), text: given.text.clone(), ..ActivityFilter::default() };
            found.extend(scope.host.activities(filter, PageRequest { offset: 0, limit })?);
        }
        found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.id.cmp(&a.id)));
        found.dedup_by_key(|activity| activity.id);
        found.truncate(limit as usize);
        let mut page = Page::new();
        page.line(&format!("Since {words}: {} activities.", found.len()));
        let mut rows = Vec::new();
        for activity in &found {
            let agent = activity.agent.as_deref().map(|agent| format!(" by {}", plain(agent))).unwrap_or_default();
            let title = plain(&activity.title);
            page.line(&format!("{} {}{agent}: {title}", when::show(activity.at), plain(&activity.kind)));
            rows.push(
                json!({"at": activity.at, "kind": activity.kind, "title": activity.title, "agent": activity.agent}),
            );
        }
        Ok(ToolOutput {
            text: page.finish("activities"),
            data: Some(json!({ "activities": rows })),
            ..ToolOutput::default()
        })
    }
}
