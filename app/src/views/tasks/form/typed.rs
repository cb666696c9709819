//! What the fields of the form say, and the draft or the change that becomes of it.

use jiff::tz::TimeZone;
use rspa_core::api::request::tasks::UpdateTask;
use rspa_core::model::{AgentId, BoardColumn, Priority, Task, TaskDraft, TaskId, Timestamp};
use serde_json::Value;

use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::when;

/// What the fields say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Typed {
    pub changes: Option<TaskId>,
    pub title: String,
    pub description: String,
    pub agent: Option<AgentId>,
    pub priority: Priority,
    pub labels: String,
    pub due: String,
    pub not_before: String,
    pub after: Vec<(TaskId, u64, String)>,
    pub input: String,
    pub held: bool,
    pub retries: String,
    pub limit: String,
}

impl Typed {
    pub fn of(task: &Task, cx: &Cx<'_>) -> Self {
        let known = |id: &TaskId| cx.state.pages.tasks.task(*id).map(|task| (task.number, task.title.clone()));
        let after = task.depends_on.iter().map(|id| {
            let (number, title) = known(id).unwrap_or_default();
            (*id, number, title)
        });
        let typed_time = |at: Option<Timestamp>| at.map_or_else(String::new, when::typed);
        Self {
            changes: Some(task.id),
            title: task.title.clone(),
            description: task.description.clone(),
            agent: task.agent,
            priority: task.priority,
            labels: task.labels.join(", "),
            due: typed_time(task.due),
            not_before: typed_time(task.not_before),
            after: after.collect(),
            input: match &task.input {
                Value::Null => String::new(),
                input => serde_json::to_string_pretty(input).unwrap_or_default(),
            },
            held: task.column == BoardColumn::Backlog,
            retries: task.max_retries.to_string(),
            limit: task.time_limit_s.to_string(),
        }
    }

    /// Why it cannot be saved, in words.
    pub fn problem(&self, now: Timestamp) -> Option<String> {
        if self.title.trim().is_empty() {
            return Some(tr("tasks.form.needs_title").to_owned());
        }
        if let Err(why) = self.parsed_input() {
            return Some(why);
        }
        for typed in [&self.due, &self.not_before] {
            if let Err(why) = parsed_moment(typed, now) {
                return Some(why);
            }
        }
        if self.retries_value().is_none() || self.limit_value().is_none() {
            return Some(tr("tasks.form.needs_number").to_owned());
        }
        None
    }

    pub fn parsed_input(&self) -> Result<Value, String> {
        match self.input.trim() {
            "" => Ok(Value::Null),
            text => serde_json::from_str(text).map_err(|error| {
                tr_with("tasks.form.input_wrong", &[("line", &error.line()), ("column", &error.column())])
            }),
        }
    }

    /// The inner none leaves it to the settings; the outer is no number.
    pub fn retries_value(&self) -> Option<Option<u32>> {
        whole(&self.retries, 0, 20)
    }

    pub fn limit_value(&self) -> Option<Option<u32>> {
        whole(&self.limit, 1, 7 * 86_400)
    }

    pub fn label_list(&self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for label in self.labels.split(',').map(str::trim).filter(|label| !label.is_empty()) {
            if !labels.iter().any(|known| known == label) {
                labels.push(label.to_owned());
            }
        }
        labels
    }

    pub fn draft(&self, now: Timestamp) -> Option<TaskDraft> {
        Some(TaskDraft {
            description: self.description.trim().to_owned(),
            priority: self.priority,
            input: self.parsed_input().ok()?,
            labels: self.label_list(),
            depends_on: self.after.iter().map(|(id, ..)| *id).collect(),
            not_before: parsed_moment(&self.not_before, now).ok()?,
            due: parsed_moment(&self.due, now).ok()?,
            max_retries: self.retries_value()?,
            time_limit_s: self.limit_value()?,
            held: self.held,
            ..TaskDraft::new(self.agent, self.title.trim())
        })
    }

    pub fn update(&self, id: TaskId, now: Timestamp) -> Option<UpdateTask> {
        let draft = self.draft(now)?;
        Some(UpdateTask {
            id: Some(id),
            title: Some(draft.title),
            description: Some(draft.description),
            agent: Some(draft.agent),
            priority: Some(draft.priority),
            input: Some(draft.input),
            labels: Some(draft.labels),
            depends_on: Some(draft.depends_on),
            due: Some(draft.due),
            not_before: Some(draft.not_before),
            max_retries: draft.max_retries,
            time_limit_s: draft.time_limit_s,
        })
    }
}

fn whole(typed: &str, least: u32, most: u32) -> Option<Option<u32>> {
    match typed.trim() {
        "" => Some(None),
        text => text.parse().ok().filter(|number| (least..=most).contains(number)).map(Some),
    }
}

pub fn parsed_moment(typed: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    match typed.trim() {
        "" => Ok(None),
        text => when::ahead(text, now, &TimeZone::system()).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::NOW;

    #[test]
    fn what_is_typed_becomes_a_draft_or_says_why_not() {
        let mut typed = Typed { title: " Clean ".into(), labels: "a, b,,a".into(), ..Typed::default() };
        let draft = typed.draft(NOW).unwrap();
        assert_eq!((draft.title.as_str(), draft.labels.len(), draft.max_retries), ("Clean", 2, None));
        assert_eq!(typed.problem(NOW), None);
        for (change, part) in [
            (Box::new(|t: &mut Typed| t.title.clear()) as Box<dyn Fn(&mut Typed)>, "title"),
            (Box::new(|t: &mut Typed| t.input = "{\"a\": }".into()), "line 1"),
            (Box::new(|t: &mut Typed| t.due = "someday".into()), "someday"),
            (Box::new(|t: &mut Typed| t.retries = "many".into()), "number"),
        ] {
            let mut wrong = typed.clone();
            change(&mut wrong);
            let why = wrong.problem(NOW).expect(part);
            assert!(why.contains(part), "{why}");
        }
        typed.due = "2h".into();
        assert_eq!(typed.draft(NOW).unwrap().due, Some(Timestamp(NOW.0 + 7_200_000)));
    }
}
