//! Waiting for a run: it goes on at this terminal, shows what happens, and asks where a person sits here.

use std::collections::{HashMap, HashSet};

use rspa_core::api::request::approvals::{GetApproval, ListApprovals};
use rspa_core::api::request::crews::WaitForCrewRun;
use rspa_core::api::{ApiError, Event, Heard};
use rspa_core::model::{ApprovalId, ApprovalState, CrewRun, CrewRunId, CrewRunState, PageRequest, StepState};

use super::show;
use crate::cli::approvals;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line};
use crate::cli::session::Session;

/// Waits for the end of a run.
pub fn wait(session: &Session, run: CrewRun) -> Result<(), Failure> {
    let output = session.output;
    let mut events = session.events()?;
    let mut teller = Teller::new(output, run.id);
    teller.tell(&run);
    let mut asked: HashSet<ApprovalId> = HashSet::new();
    let run = loop {
        let pending = session.core.call(WaitForCrewRun { id: run.id });
        let run = session.wait_hearing(pending, &mut events, |heard| teller.hear(heard))?;
        teller.tell(&run);
        if run.state != CrewRunState::Running || !ask(session, &run, &mut asked)? {
            break run;
        }
    };
    output.progress_done();
    if output.json {
        output.json_line(&run)?;
    }
    match (run.state, &run.error) {
        (CrewRunState::Failed, Some(error)) => Err(Failure::Api(error.clone())),
        (CrewRunState::Cancelled, _) => Err(ApiError::cancelled().into()),
        (CrewRunState::Running, _) => {
            let waiting = run.steps.iter().find(|step| step.state == StepState::NeedsYou);
            let key = waiting.map_or("a step", |step| step.key.as_str());
            Err(Failure::validation(
                format!("run {} waits for you: {}", run.number, one_line(key)),
                format!("Look at `rspa approvals` and `rspa tasks`, then `rspa crews wait {}`.", run.number),
            ))
        }
        _ if output.json => Ok(()),
        _ => show::output(output, &run, None),
    }
}

/// Asks what the run's agents want to know; whether anything was answered that lets it go on.
fn ask(session: &Session, run: &CrewRun, asked: &mut HashSet<ApprovalId>) -> Result<bool, Failure> {
    let mut answered = false;
    for task in run.steps.iter().filter(|step| step.state == StepState::NeedsYou).filter_map(|step| step.task) {
        let page = PageRequest { offset: 0, limit: 50 };
        let waiting = session.call(ListApprovals { waiting: true, task: Some(task), page })?;
        for approval in waiting.items {
            if !asked.insert(approval.id) {
                continue;
            }
            session.output.progress_done();
            approvals::ask_here(session, &approval)?;
            answered |= session.call(GetApproval { id: approval.id })?.state != ApprovalState::Waiting;
        }
    }
    Ok(answered)
}

/// One line on standard error for each step that goes on.
struct Teller {
    output: Output,
    run: CrewRunId,
    told: HashMap<String, StepState>,
}

impl Teller {
    fn new(output: Output, run: CrewRunId) -> Self {
        Self { output, run, told: HashMap::new() }
    }

    fn hear(&mut self, heard: &Heard) {
        let Heard::Event(envelope) = heard else { return };
        match &envelope.event {
            Event::CrewRunChanged { run } if run.id == self.run => self.tell(run),
            Event::TaskChanged { task } => {
                let own = rspa_core::crews::marked(&task.input).filter(|(run, _)| *run == self.run);
                if let (Some((_, step)), Some(progress)) = (own, &task.progress) {
                    self.output.progress(&format!(
                        "{}: {} ({} of {})",
                        one_line(step),
                        one_line(&progress.doing),
                        progress.step,
                        progress.most
                    ));
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, run: &CrewRun) {
        for step in &run.steps {
            let before = self.told.insert(step.key.clone(), step.state);
            if before == Some(step.state) || step.state == StepState::Waiting || self.output.json {
                continue;
            }
            let (key, title) = (one_line(&step.key), one_line(&step.title));
            let time = show::seconds(step.started, step.ended);
            let why = step.error.as_ref().map_or_else(String::new, |error| format!("  ({})", one_line(&error.message)));
            self.output.progress_done();
            self.output.note(&format!("{:<10} {key}: {title}{time}{why}", show::step_state(step.state)));
        }
    }
}
