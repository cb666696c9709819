//! `rspa tasks`: what is to be done: add, list, run, cancel, try again, and the person's word where it is needed.

mod add;
mod show;
mod work;

use clap::{Args, Subcommand, ValueEnum};
use rspa_core::api::request::agents::ListAgents;
use rspa_core::api::request::tasks::{
    AllowRepeat, CancelTasks, CountTasks, DeleteTasks, FindTask, GetTask, ListTasks, MoveTask, PauseQueue, RetryTasks,
};
use rspa_core::model::{
    AgentFilter, AgentId, BoardColumn, Page, PageRequest, Priority, Task, TaskFilter, TaskId, TaskSort, TaskStatus,
    Timestamp,
};
use serde_json::json;

use super::Context;
use super::activities::time;
use super::failure::Failure;
use super::session::Session;

/// Rows that are asked for at once.
const PAGE: u32 = 1_000;

#[derive(Args)]
pub struct TasksArguments {
    #[command(subcommand)]
    verb: Option<TasksVerb>,
}

#[derive(Subcommand)]
enum TasksVerb {
    /// Make a task
    Add(add::AddArguments),
    /// List tasks, newest first
    List(ListArguments),
    /// Show all of a task, by its number (#12) or id
    Show { task: String },
    /// Show what happened to a task
    Log { task: String },
    /// Cancel tasks; what runs is told to stop
    Cancel {
        #[arg(required = true)]
        tasks: Vec<String>,
    },
    /// Queue failed and cancelled tasks again, from the beginning
    Retry {
        #[arg(required = true)]
        tasks: Vec<String>,
    },
    /// Move a task on the board; what that means is done
    Move {
        task: String,
        column: Column,
        /// The task of that column to stand before; without it, last
        #[arg(long, value_name = "TASK")]
        before: Option<String>,
    },
    /// Put tasks into the trash
    Delete {
        #[arg(required = true)]
        tasks: Vec<String>,
    },
    /// Work the queue off here, until nothing can go on or Ctrl-C
    Run,
    /// Wait until a task has ended
    Wait { task: String },
    /// Let the queue take nothing new
    Pause,
    /// Let the queue take tasks again
    Resume,
    /// Say whether a task that was cut off may do again what it was doing
    Repeat {
        task: String,
        /// It may be done again
        #[arg(long, conflicts_with = "no", required_unless_present = "no")]
        yes: bool,
        /// It must not: the task has failed
        #[arg(long)]
        no: bool,
    },
}

#[derive(Args, Default)]
struct ListArguments {
    /// Only these: pending, running, completed, failed, cancelled
    #[arg(long, value_name = "STATUS")]
    status: Vec<Status>,
    /// Only of this agent, by name or id
    #[arg(long)]
    agent: Option<String>,
    #[arg(long)]
    priority: Option<Urgency>,
    #[arg(long)]
    label: Option<String>,
    /// In title, description, label or agent's name
    #[arg(long, default_value = "")]
    text: String,
    /// Made from this time on: 2026-11-20, 2026-11-20T08:30, or back from now: 30m, 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Made before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    #[arg(long, value_enum, default_value_t)]
    sort: Order,
    /// At most so many; 0 for all
    #[arg(long, default_value_t = 50)]
    limit: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Status {
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl From<Status> for TaskStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Running => Self::Running,
            Status::Completed => Self::Completed,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Urgency {
    Low,
    Medium,
    High,
    Urgent,
}

impl From<Urgency> for Priority {
    fn from(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Low => Self::Low,
            Urgency::Medium => Self::Medium,
            Urgency::High => Self::High,
            Urgency::Urgent => Self::Urgent,
        }
    }
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Order {
    #[default]
    Created,
    Updated,
    Priority,
    Due,
    Title,
}

impl From<Order> for TaskSort {
    fn from(order: Order) -> Self {
        match order {
            Order::Created => Self::Created,
            Order::Updated => Self::Updated,
            Order::Priority => Self::Priority,
            Order::Due => Self::Due,
            Order::Title => Self::Title,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Column {
    Backlog,
    Queued,
    Running,
    NeedsYou,
    Done,
}

impl From<Column> for BoardColumn {
    fn from(column: Column) -> Self {
        match column {
            Column::Backlog => Self::Backlog,
            Column::Queued => Self::Queued,
            Column::Running => Self::Running,
            Column::NeedsYou => Self::NeedsYou,
            Column::Done => Self::Done,
        }
    }
}

pub fn run(context: &Context, arguments: TasksArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    let say = |json: serde_json::Value, words: String| match output.json {
        true => output.json_line(&json),
        false => output.line(&words),
    };
    let default = ListArguments { limit: 50, ..ListArguments::default() };
    match arguments.verb.unwrap_or(TasksVerb::List(default)) {
        TasksVerb::Add(arguments) => add::run(&session, arguments),
        TasksVerb::List(arguments) => list(&session, arguments),
        TasksVerb::Show { task } => show::detail(output, &session.call(GetTask { id: find(&session, &task)?.id })?),
        TasksVerb::Log { task } => show::timeline(output, &session.call(GetTask { id: find(&session, &task)?.id })?),
        TasksVerb::Cancel { tasks } => {
            let cancelled = session.call(CancelTasks { ids: find_all(&session, &tasks)? })?;
            say(json!({ "cancelled": cancelled }), format!("Cancelled: {cancelled}"))
        }
        TasksVerb::Retry { tasks } => {
            let queued = session.call(RetryTasks { ids: find_all(&session, &tasks)? })?;
            say(json!({ "queued": queued }), format!("Queued again: {queued}"))
        }
        TasksVerb::Move { task, column, before } => {
            let id = find(&session, &task)?.id;
            let before = before.map(|before| find(&session, &before)).transpose()?.map(|task| task.id);
            show::line(output, &session.call(MoveTask { id, column: column.into(), before })?)
        }
        TasksVerb::Delete { tasks } => {
            let deleted = session.call(DeleteTasks { ids: find_all(&session, &tasks)? })?;
            say(json!({ "deleted": deleted }), format!("In the trash: {deleted}"))
        }
        TasksVerb::Run => work::run(&session),
        TasksVerb::Wait { task } => {
            let id = find(&session, &task)?.id;
            work::wait(&session, id)
        }
        TasksVerb::Pause => show::counts(output, session.call(PauseQueue { paused: true })?),
        TasksVerb::Resume => show::counts(output, session.call(PauseQueue { paused: false })?),
        TasksVerb::Repeat { task, yes, no: _ } => {
            let id = find(&session, &task)?.id;
            show::line(output, &session.call(AllowRepeat { id, repeat: yes })?)
        }
    }
}

/// By number or id.
fn find(session: &Session, name: &str) -> Result<Task, Failure> {
    session.call(FindTask { name: name.to_owned() })
}

fn find_all(session: &Session, names: &[String]) -> Result<Vec<TaskId>, Failure> {
    names.iter().map(|name| Ok(find(session, name)?.id)).collect()
}

/// An agent by its name, whatever the case, or its id.
fn agent_named(session: &Session, name: &str) -> Result<AgentId, Failure> {
    let wanted = name.trim().to_lowercase();
    let agents = session.call(ListAgents { filter: AgentFilter::default() })?;
    let found =
        agents.iter().find(|agent| agent.settings.name.to_lowercase() == wanted || agent.id.to_string() == wanted);
    found.map(|agent| agent.id).ok_or_else(|| {
        let shown = super::output::one_line(name);
        Failure::validation(format!("there is no agent '{shown}'"), "rspa agents list shows all.")
    })
}

fn list(session: &Session, wanted: ListArguments) -> Result<(), Failure> {
    let output = session.output;
    let agent = wanted.agent.map(|name| agent_named(session, &name)).transpose()?;
    let filter = TaskFilter {
        text: wanted.text,
        status: wanted.status.into_iter().map(TaskStatus::from).collect(),
        agent,
        priority: wanted.priority.map(Priority::from),
        label: wanted.label,
        schedule: None,
        from: wanted.since,
        until: wanted.until,
    };
    let limit = if wanted.limit == 0 { u64::MAX } else { wanted.limit };
    let all = pages(session, &filter, wanted.sort.into(), limit)?;
    if output.json {
        return output.json_line(&all);
    }
    if all.items.is_empty() {
        output.note("There is no task that fits.");
    }
    all.items.iter().try_for_each(|task| show::line(output, task))?;
    let more = all.total.saturating_sub(all.items.len() as u64);
    if more > 0 {
        output.note(&format!("{more} more are not shown; --limit 0 shows all."));
    }
    let counts = session.call(CountTasks {})?;
    if counts.needs_you > 0 {
        output.note(&format!("{} wait for your word: rspa approvals, or rspa tasks show.", counts.needs_you));
    }
    if counts.paused {
        output.note("The queue is paused; rspa tasks resume lets it go on.");
    }
    Ok(())
}

/// Page after page, until there are as many as are wanted.
fn pages(session: &Session, filter: &TaskFilter, sort: TaskSort, limit: u64) -> Result<Page<Task>, Failure> {
    let mut all = Page { items: Vec::new(), total: 0, offset: 0 };
    loop {
        let have = all.items.len() as u64;
        let ask = u32::try_from(limit - have).unwrap_or(PAGE).min(PAGE);
        let page = PageRequest { offset: have, limit: ask };
        let page = session.call(ListTasks { filter: filter.clone(), sort, page })?;
        all.total = page.total;
        let got = page.items.len();
        all.items.extend(page.items);
        if got < ask as usize || all.items.len() as u64 >= limit {
            return Ok(all);
        }
    }
}
