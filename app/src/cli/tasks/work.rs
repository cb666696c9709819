//! `rspa tasks run` and `wait`: the queue works at this terminal, and shows what it does.

use std::collections::HashSet;

use rspa_core::api::request::approvals::GetApproval;
use rspa_core::api::request::tasks::{CountTasks, GetTask, ListTasks, RunQueue};
use rspa_core::api::{ApiError, Event, Heard};
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::model::{ApprovalId, ApprovalState, PageRequest, Task, TaskFilter, TaskId, TaskSort, TaskStatus, Wait};

use super::{PAGE, show};
use crate::cli::approvals;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line};
use crate::cli::session::{Events, Session};

/// What waits for longer than this is not waited for: the longest pause between two tries, and a little.
const SOON_MS: i64 = 4_000_000;

/// Works the queue off until nothing goes on by itself.
pub fn run(session: &Session) -> Result<(), Failure> {
    let output = session.output;
    let mut events = session.events()?;
    session.call(RunQueue {})?;
    let mut teller = Teller::new(output, None);
    loop {
        teller.ask(session)?;
        if !goes_on(session)? {
            output.progress_done();
            let counts = session.call(CountTasks {})?;
            if counts.needs_you > 0 {
                output.note(&format!("{} wait for your word: rspa approvals, or rspa tasks show.", counts.needs_you));
            }
            return show::counts(output, counts);
        }
        until_something_changed(session, &mut events, &mut teller)?;
    }
}

/// Waits for the end of one task; the queue works here meanwhile.
pub fn wait(session: &Session, id: TaskId) -> Result<(), Failure> {
    let output = session.output;
    let mut events = session.events()?;
    session.call(RunQueue {})?;
    let mut teller = Teller::new(output, Some(id));
    let task = loop {
        let task = session.call(GetTask { id })?.task;
        if task.status.is_final() {
            break task;
        }
        teller.tell(&task);
        teller.ask(session)?;
        until_something_changed(session, &mut events, &mut teller)?;
    };
    output.progress_done();
    if output.json {
        output.json_line(&task)?;
    }
    match (task.status, task.error) {
        (TaskStatus::Failed, Some(error)) => Err(Failure::Api(error)),
        (TaskStatus::Cancelled, _) => Err(ApiError::cancelled().into()),
        _ if output.json => Ok(()),
        _ => show::result(output, &task.output.unwrap_or_default()),
    }
}

/// Whether something runs, or will without a word of the person.
fn goes_on(session: &Session) -> Result<bool, Failure> {
    let filter = TaskFilter { status: vec![TaskStatus::Running, TaskStatus::Pending], ..TaskFilter::default() };
    let soon = SystemClock.now().0.saturating_add(SOON_MS);
    let mut offset = 0;
    loop {
        let page = PageRequest { offset, limit: PAGE };
        let page = session.call(ListTasks { filter: filter.clone(), sort: TaskSort::Created, page })?;
        let own = |task: &Task| task.agent.is_none();
        let mut going = false;
        for task in page.items.iter().filter(|task| !own(task)) {
            going = going
                || match &task.waits {
                    None | Some(Wait::Turn) => true,
                    Some(Wait::Until { at }) => at.0 <= soon,
                    // Answered a moment ago: the work has not noticed yet.
                    Some(Wait::Approval { id }) => {
                        session.call(GetApproval { id: *id })?.state != ApprovalState::Waiting
                    }
                    Some(_) => false,
                };
        }
        offset += page.items.len() as u64;
        if going || page.items.len() < PAGE as usize {
            return Ok(going);
        }
    }
}

/// Until a task ended, waits, or much changed.
fn until_something_changed(session: &Session, events: &mut Events, teller: &mut Teller) -> Result<(), Failure> {
    loop {
        let heard = session.next_event(events)?;
        teller.hear(&heard);
        match heard {
            Heard::Event(envelope) => match envelope.event {
                Event::TaskChanged { task } if task.status != TaskStatus::Running || task.waits.is_some() => {
                    return Ok(());
                }
                Event::TasksChanged => return Ok(()),
                _ => {}
            },
            Heard::Gap(_) => return Ok(()),
            Heard::Closed => return Err(Failure::system("the engine ended before the work did", "Try again.")),
        }
    }
}

/// Says what happens to tasks.
struct Teller {
    output: Output,
    /// None for all.
    only: Option<TaskId>,
    /// Waiting was told of.
    told: HashSet<TaskId>,
    /// What the person was asked already.
    asked: HashSet<ApprovalId>,
    /// What the person is to be asked next.
    questions: Vec<ApprovalId>,
}

impl Teller {
    fn new(output: Output, only: Option<TaskId>) -> Self {
        Self { output, only, told: HashSet::new(), asked: HashSet::new(), questions: Vec::new() }
    }

    /// Shows what agents want to do and asks, where a person sits at a terminal.
    fn ask(&mut self, session: &Session) -> Result<(), Failure> {
        for id in std::mem::take(&mut self.questions) {
            let approval = session.call(GetApproval { id })?;
            if approval.state == ApprovalState::Waiting {
                self.output.progress_done();
                approvals::ask_here(session, &approval)?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, heard: &Heard) {
        let Heard::Event(envelope) = heard else { return };
        let Event::TaskChanged { task } = &envelope.event else { return };
        if self.only.is_none_or(|only| only == task.id) {
            self.tell(task);
        }
    }

    fn tell(&mut self, task: &Task) {
        let name = format!("#{} {}", task.number, one_line(&task.title));
        if let Some(Wait::Approval { id }) = task.waits
            && self.asked.insert(id)
        {
            self.questions.push(id);
        }
        match (&task.waits, task.status) {
            (Some(wait @ (Wait::Approval { .. } | Wait::Repeat { .. })), _) => {
                let fresh = self.told.insert(task.id);
                if fresh {
                    self.output.progress_done();
                    self.output.note(&format!("{name}: {}", show::waits(wait)));
                }
            }
            (_, TaskStatus::Running) => {
                self.told.remove(&task.id);
                let doing = task.progress.as_ref().map(|progress| {
                    format!(": {} ({} of {})", one_line(&progress.doing), progress.step, progress.most)
                });
                self.output.progress(&format!("{name}{}", doing.unwrap_or_default()));
            }
            (_, status) if status.is_final() && self.only.is_none() => {
                self.output.progress_done();
                // Whoever reads standard output may have gone; the work goes on.
                show::line(self.output, task).ok();
            }
            _ => {}
        }
    }
}
