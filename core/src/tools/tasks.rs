//! The tools that make, list and change tasks, and hand work over to another agent.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, short, text, wrong};
use super::output::{Page, plain};
use super::{Proposal, RuleScope, Scope, Tool, ToolSpec, schema, when};
use crate::api::ApiError;
use crate::api::request::tasks::UpdateTask;
use crate::model::{
    Agent, BoardColumn, PageRequest, Permission, Priority, ProposedAction, Task, TaskDraft, TaskFilter, TaskStatus,
    ToolEffect, ToolOutput,
};

const TITLE: usize = 200;
const DESCRIPTION: usize = 8_000;
const CONTEXT: usize = 64_000;
const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];

pub struct CreateTask;
pub struct HandOver;
pub struct ListTasks;
pub struct UpdateTaskTool;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTask {
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    priority: Priority,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    due: Option<String>,
    #[serde(default)]
    input: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Handing {
    agent: String,
    title: String,
    instructions: String,
    #[serde(default)]
    context: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Listing {
    text: String,
    status: Vec<TaskStatus>,
    agent: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changing {
    number: u64,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    #[serde(default)]
    due: Option<String>,
    #[serde(default)]
    column: Option<Column>,
}

/// Where a task may be put by a tool.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Column {
    Backlog,
    Queued,
    Done,
}

/// The agent that was named; none for the person.
pub fn whose(name: Option<&str>, scope: &Scope) -> Result<Option<Agent>, ApiError> {
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        None => Ok(None),
        Some(name) if name.eq_ignore_ascii_case("person") => Ok(None),
        Some(name) => scope.host.agent_named(text("agent", name, 100)?).map(Some),
    }
}

fn labels(given: &[String]) -> Result<Vec<String>, ApiError> {
    if given.len() > 8 {
        return Err(wrong("`labels` takes 8 at most"));
    }
    given.iter().map(|label| text("labels", label, 40).map(str::to_owned)).collect()
}

fn long(name: &str, text: &str, most: usize) -> Result<(), ApiError> {
    match text.chars().count() > most {
        true => Err(wrong(format!("`{name}` is longer than {most} characters"))),
        false => Ok(()),
    }
}

fn proposal(draft: &TaskDraft, agent: Option<&Agent>, verb: &str) -> Proposal {
    let name = agent.map_or_else(|| "the person".to_owned(), |agent| agent.settings.name.clone());
    let whom = if agent.is_some() { name.as_str() } else { "the person" };
    Proposal {
        title: format!("{verb} {:?}", short(&draft.title, 60)),
        action: ProposedAction::CreateTask {
            agent: name.clone(),
            title: draft.title.clone(),
            description: match &draft.input {
                Value::Null => draft.description.clone(),
                input => format!("{}\n\nInput: {input}", draft.description),
            },
        },
        always: Some(RuleScope { scope: format!("tasks-for:{whom}"), words: format!("makes tasks for {whom}") }),
        harmless: false,
    }
}

fn made(task: &Task, agent: Option<&Agent>) -> ToolOutput {
    let whom = agent.map_or("the person", |agent| agent.settings.name.as_str());
    ToolOutput {
        text: format!("Task #{} was made for {whom}: {}", task.number, task.title),
        data: Some(json!({"number": task.number, "id": task.id})),
        changed: format!("made task #{} for {whom}", task.number),
        ..ToolOutput::default()
    }
}

impl NewTask {
    fn draft(&self, scope: &Scope) -> Result<(TaskDraft, Option<Agent>), ApiError> {
        let agent = whose(self.agent.as_deref(), scope)?;
        long("description", &self.description, DESCRIPTION)?;
        long("input", self.input.as_deref().unwrap_or_default(), CONTEXT)?;
        let due = self.due.as_deref().filter(|due| !due.trim().is_empty());
        let draft = TaskDraft {
            description: self.description.clone(),
            priority: self.priority,
            labels: labels(&self.labels)?,
            due: due.map(|due| when::parse("due", due, scope.host.now(), true)).transpose()?,
            input: self.input.clone().map_or(Value::Null, Value::String),
            ..TaskDraft::new(agent.as_ref().map(|agent| agent.id), text("title", &self.title, TITLE)?)
        };
        Ok((draft, agent))
    }
}

impl Tool for CreateTask {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "create_task".into(),
            title: "Make a task".into(),
            description: "Makes a task for the person, or for the agent that is named, which then works on it.".into(),
            effect: ToolEffect::Organises,
            default: Permission::Ask,
            repeatable: false,
            parameters: schema::object(
                &[
                    ("title", schema::text(TITLE as u32, "What is to be done, one line.")),
                    ("description", schema::long_text("More words.")),
                    ("agent", schema::text(100, "Name of an agent; empty for the person.")),
                    ("priority", schema::one_of(&PRIORITIES, "medium when not given.")),
                    ("labels", schema::list(schema::text(40, "Label."), 8, "Labels.")),
                    ("due", schema::text(40, "Day or time, such as 2026-03-02.")),
                    ("input", schema::long_text("What the task works with, as text.")),
                ],
                &["title"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let (draft, agent) = parse::<NewTask>(arguments)?.draft(scope)?;
        Ok(proposal(&draft, agent.as_ref(), "Make the task"))
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let (draft, agent) = parse::<NewTask>(arguments)?.draft(scope)?;
        let task = scope.host.create_task(draft, scope.task)?;
        Ok(made(&task, agent.as_ref()))
    }
}

impl Handing {
    fn draft(&self, scope: &Scope) -> Result<(TaskDraft, Agent), ApiError> {
        let agent = whose(Some(&self.agent), scope)?
            .ok_or_else(|| wrong("`agent` must name an agent; for the person use create_task or ask_user"))?;
        if agent.id == scope.agent.id {
            return Err(wrong("this is you; do it yourself or name another agent"));
        }
        text("instructions", &self.instructions, DESCRIPTION)?;
        long("context", &self.context, CONTEXT)?;
        let draft = TaskDraft {
            description: self.instructions.trim().to_owned(),
            input: json!({"from": scope.agent.settings.name, "text": self.context}),
            ..TaskDraft::new(Some(agent.id), text("title", &self.title, TITLE)?)
        };
        Ok((draft, agent))
    }
}

impl Tool for HandOver {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hand_over".into(),
            title: "Hand over".into(),
            description:
                "Hands work over to another agent: a task with instructions and the text so far as its input. \
                          It goes on in its own time."
                    .into(),
            effect: ToolEffect::Organises,
            default: Permission::Ask,
            repeatable: false,
            parameters: schema::object(
                &[
                    ("agent", schema::text(100, "Name of the other agent.")),
                    ("title", schema::text(TITLE as u32, "What is to be done, one line.")),
                    ("instructions", schema::long_text("What the other agent should do.")),
                    ("context", schema::long_text("The text so far that it needs.")),
                ],
                &["agent", "title", "instructions"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let (draft, agent) = parse::<Handing>(arguments)?.draft(scope)?;
        Ok(proposal(&draft, Some(&agent), "Hand over"))
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let (draft, agent) = parse::<Handing>(arguments)?.draft(scope)?;
        let task = scope.host.create_task(draft, scope.task)?;
        Ok(made(&task, Some(&agent)))
    }
}

impl Tool for ListTasks {
    fn spec(&self) -> ToolSpec {
        let status = schema::one_of(&["pending", "running", "completed", "failed", "cancelled"], "Status.");
        ToolSpec {
            name: "list_tasks".into(),
            title: "List tasks".into(),
            description:
                "Lists tasks of the person and of agents, the newest first, with status, priority and due date.".into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("text", schema::text(200, "In title, description, label or agent; #12 is a number.")),
                    ("status", schema::list(status, 5, "All when not given.")),
                    ("agent", schema::text(100, "Name of an agent whose tasks are wanted.")),
                    ("limit", schema::integer(1, 100, "30 when not given.")),
                ],
                &[],
            ),
        }
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Listing = parse(arguments)?;
        long("text", &given.text, 200)?;
        Ok(Proposal {
            title: "List tasks".to_owned(),
            action: ProposedAction::Look { what: "the list of tasks".to_owned() },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Listing = parse(arguments)?;
        let agent = whose(given.agent.as_deref(), scope)?.map(|agent| agent.id);
        let filter = TaskFilter { text: given.text, status: given.status, agent, ..TaskFilter::default() };
        let limit = given.limit.unwrap_or(30).clamp(1, 100);
        let tasks = scope.host.list_tasks(filter, PageRequest { offset: 0, limit })?;
        if tasks.is_empty() {
            return Ok(super::output::text("There are no such tasks."));
        }
        let (mut page, mut rows) = (Page::new(), Vec::new());
        for task in &tasks {
            let due = task.due.map(|due| format!(", due {}", when::show(due))).unwrap_or_default();
            let agent = if task.agent.is_some() { format!(", {}", plain(&task.agent_name)) } else { String::new() };
            let (status, priority) = (format!("{:?}", task.status), format!("{:?}", task.priority));
            let (status, priority) = (status.to_lowercase(), priority.to_lowercase());
            page.line(&format!("#{} {} ({status}, {priority}{agent}{due})", task.number, plain(&task.title)));
            rows.push(json!({
                "number": task.number, "title": task.title, "status": task.status, "priority": task.priority,
                "agent": task.agent_name, "due": task.due, "labels": task.labels,
            }));
        }
        Ok(ToolOutput { text: page.finish("tasks"), data: Some(json!({ "tasks": rows })), ..ToolOutput::default() })
    }
}

impl Changing {
    fn task(&self, scope: &Scope) -> Result<Task, ApiError> {
        let filter = TaskFilter { text: format!("#{}", self.number), ..TaskFilter::default() };
        let found = scope.host.list_tasks(filter, PageRequest { offset: 0, limit: 10 })?;
        let task = found.into_iter().find(|task| task.number == self.number);
        let task = task.ok_or_else(|| wrong(format!("there is no task #{}", self.number)))?;
        if Some(task.id) == scope.task {
            return Err(wrong("this is the task that you work on; it ends with your answer"));
        }
        if task.status == TaskStatus::Running {
            return Err(wrong(format!("task #{} runs now and cannot be changed", self.number)));
        }
        Ok(task)
    }

    fn change(&self, task: &Task, scope: &Scope) -> Result<(UpdateTask, Option<BoardColumn>), ApiError> {
        let title = self.title.as_deref().map(|title| text("title", title, TITLE).map(str::to_owned)).transpose()?;
        long("description", self.description.as_deref().unwrap_or_default(), DESCRIPTION)?;
        let due = match self.due.as_deref().map(str::trim) {
            None => None,
            Some("") => Some(None),
            Some(due) => Some(Some(when::parse("due", due, scope.host.now(), true)?)),
        };
        let column = self.column.map(|column| match column {
            Column::Backlog => BoardColumn::Backlog,
            Column::Queued => BoardColumn::Queued,
            Column::Done => BoardColumn::Done,
        });
        let change = UpdateTask {
            id: Some(task.id),
            title,
            description: self.description.clone(),
            priority: self.priority,
            labels: self.labels.as_deref().map(labels).transpose()?,
            due,
            ..UpdateTask::default()
        };
        let nothing = change.title.is_none()
            && change.description.is_none()
            && change.priority.is_none()
            && change.labels.is_none()
            && change.due.is_none()
            && column.is_none();
        match nothing {
            true => Err(wrong("nothing was given that should change")),
            false => Ok((change, column)),
        }
    }
}

impl Tool for UpdateTaskTool {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "update_task".into(),
            title: "Change a task".into(),
            description: "Changes a task that does not run, by its number: title, description, priority, labels, due \
                          date, or its column: done completes the person's own and cancels others."
                .into(),
            effect: ToolEffect::Organises,
            default: Permission::Ask,
            repeatable: false,
            parameters: schema::object(
                &[
                    ("number", schema::integer(1, 1_000_000_000, "The task's number.")),
                    ("title", schema::text(TITLE as u32, "New title.")),
                    ("description", schema::long_text("New description.")),
                    ("priority", schema::one_of(&PRIORITIES, "New priority.")),
                    ("labels", schema::list(schema::text(40, "Label."), 8, "All its labels.")),
                    ("due", schema::text(40, "Day or time; empty for none.")),
                    ("column", schema::one_of(&["backlog", "queued", "done"], "Where it goes.")),
                ],
                &["number"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Changing = parse(arguments)?;
        let task = given.task(scope)?;
        given.change(&task, scope)?;
        Ok(Proposal {
            title: format!("Change task #{} {:?}", task.number, short(&task.title, 50)),
            action: ProposedAction::Other { tool: "update_task".to_owned(), arguments: arguments.clone() },
            always: Some(RuleScope { scope: "tasks".to_owned(), words: "changes tasks".to_owned() }),
            harmless: false,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Changing = parse(arguments)?;
        let task = given.task(scope)?;
        let (change, column) = given.change(&task, scope)?;
        let task = scope.host.update_task(change, column)?;
        Ok(ToolOutput {
            text: format!("Task #{} was changed: {}", task.number, plain(&task.title)),
            changed: format!("changed task #{}", task.number),
            ..ToolOutput::default()
        })
    }
}
