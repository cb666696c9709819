//! What is due makes its tasks and moves on, in one change each.

use std::sync::Arc;

use super::Inner;
use crate::api::ApiError;
use crate::model::{Happening, Schedule, ScheduleId, Task, TaskId, Timestamp, Timing, Trigger};
use crate::schedules::missed;
use crate::schedules::template::{self, Moments, Seen};
use crate::schedules::timing::Rule;
use crate::storage::StorageError;
use crate::storage::schedules::{self as stored, Made, MakeTask, Row, Step};

/// Schedules that one commit moves on.
const BATCH: usize = 64;

impl Inner {
    /// Fires all that is due now.
    pub(super) fn fire_due(&self) -> Result<(), ApiError> {
        let (main, profile) = (&self.parts.main, self.parts.profile);
        loop {
            let now = self.now();
            let due = stored::due(main, profile, now, BATCH)?;
            if due.is_empty() || self.bell.is_closed() {
                return Ok(());
            }
            let (mut steps, mut lost) = (Vec::new(), Vec::new());
            for (at, id) in due {
                let row = match stored::get(main, profile, id) {
                    Ok(row) => row,
                    // It is gone, and what is due of it stays behind a restore.
                    Err(StorageError::NotFound(_)) => {
                        lost.push((id, None));
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                match Rule::read(&row.settings.timing, &(self.parts.here)()) {
                    Ok(rule) if row.ready && row.settings.enabled => steps.push(self.step(row, &rule, at, now)),
                    Ok(rule) => lost.push((id, rule.next_after(now))),
                    Err(error) => {
                        self.set_problem(id, Some(error.to_string()));
                        lost.push((id, None));
                    }
                }
            }
            if !lost.is_empty() {
                stored::mend(main, profile, lost)?;
            }
            self.fire(steps)?;
        }
    }

    fn step(&self, row: Row, rule: &Rule, due: Timestamp, now: Timestamp) -> (Row, Step) {
        let plan = missed::plan(rule, due, now, row.settings.missed);
        let tasks = plan.runs.iter().map(|(planned, late)| self.task(&row, rule, *planned, *late, &Seen::default()));
        let step = Step { tasks: tasks.collect(), missed: plan.missed, next: plan.next, at: now, ..Step::default() };
        (row, step)
    }

    fn task(&self, row: &Row, rule: &Rule, planned: Timestamp, late: bool, seen: &Seen) -> Made {
        let moments = Moments { planned, last_run: row.last_run, zone: rule.zone() };
        Made {
            id: TaskId(self.parts.ids.next()),
            schedule: row.id,
            draft: template::task(&row.settings, &moments, seen),
            planned,
            late,
            at: self.now(),
        }
    }

    fn make(&self) -> Arc<MakeTask> {
        let tasks = self.parts.tasks.clone();
        Arc::new(move |txn, made| tasks.make(txn, made))
    }

    /// Fires together; where one cannot make its task, each by itself.
    fn fire(&self, steps: Vec<(Row, Step)>) -> Result<(), ApiError> {
        if steps.is_empty() {
            return Ok(());
        }
        let (main, profile) = (&self.parts.main, self.parts.profile);
        match stored::fire(main, profile, steps.clone(), self.make()) {
            Ok(fired) => {
                for ((row, step), tasks) in steps.iter().zip(fired) {
                    if let Some(tasks) = tasks {
                        self.fired(row, step, &tasks);
                    }
                }
                Ok(())
            }
            Err(StorageError::Refused(_) | StorageError::NotFound(_)) if steps.len() > 1 => {
                steps.into_iter().try_for_each(|one| self.fire(vec![one]))
            }
            Err(error @ (StorageError::Refused(_) | StorageError::NotFound(_))) => {
                let without: Vec<(Row, Step)> = steps
                    .into_iter()
                    .map(|(row, step)| {
                        let planned = step.tasks.last().map_or(step.at, |made| made.planned);
                        (row, Step { tasks: Vec::new(), failed: Some((error.to_string(), planned)), ..step })
                    })
                    .collect();
                stored::fire(main, profile, without.clone(), self.make())?;
                for (row, _) in without {
                    let title = format!("The schedule “{}” could not make its task", row.settings.name);
                    (self.parts.happened)(Happening::new("schedule.failed", title).describe(error.to_string()));
                }
                self.tell();
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn fired(&self, row: &Row, step: &Step, tasks: &[Task]) {
        self.set_problem(row.id, None);
        self.parts.tasks.made(tasks);
        let name = &row.settings.name;
        if let Some(task) = tasks.last() {
            let title = match tasks.len() {
                1 => format!("The schedule “{name}” made a task"),
                n => format!("The schedule “{name}” made {n} tasks"),
            };
            let happening = Happening::new("schedule.ran", title).describe(&task.title);
            (self.parts.happened)(happening.with("schedule", row.id).with("task", task.id));
        }
        if let Some((times, _)) = step.missed {
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            let title = format!("The schedule “{name}” did not run {times}");
            (self.parts.happened)(Happening::new("schedule.missed", title).with("schedule", row.id));
        }
        self.tell();
    }

    /// Fires the schedules of the session's start.
    pub(super) fn session_starts(&self) -> Result<(), ApiError> {
        let starts = Timing::When { trigger: Trigger::SessionStart };
        for row in stored::list(&self.parts.main, self.parts.profile)? {
            if row.settings.enabled && row.settings.timing == starts {
                self.set_off(row, &Seen::default(), None)?;
            }
        }
        Ok(())
    }

    /// A trigger sets a schedule off. With a mark, it holds from then on that the trigger has looked so far.
    pub fn set_off(&self, row: Row, seen: &Seen, mark: Option<String>) -> Result<(), ApiError> {
        let rule = Rule::read(&row.settings.timing, &(self.parts.here)())?;
        let now = self.now();
        let made = self.task(&row, &rule, now, false, seen);
        self.fire(vec![(row, Step { tasks: vec![made], mark, at: now, ..Step::default() })])
    }

    /// Makes the task of a schedule now; nothing else moves.
    pub(super) fn run_now(&self, id: ScheduleId) -> Result<Task, ApiError> {
        let (main, profile) = (&self.parts.main, self.parts.profile);
        let row = stored::get(main, profile, id)?;
        let rule = Rule::read(&row.settings.timing, &(self.parts.here)())?;
        let now = self.now();
        let made = self.task(&row, &rule, now, false, &Seen::default());
        let step = Step { tasks: vec![made], at: now, aside: true, ..Step::default() };
        let fired = stored::fire(main, profile, vec![(row.clone(), step.clone())], self.make())?;
        let tasks = fired.into_iter().flatten().next().ok_or(StorageError::NotFound("this schedule".to_owned()))?;
        self.fired(&row, &step, &tasks);
        tasks.into_iter().next().ok_or_else(ApiError::cancelled)
    }

    /// Gives each schedule that has no valid next time the one that it has now. What was away does not make up for it.
    pub(super) fn mend_all(&self) -> Result<(), ApiError> {
        let (main, profile) = (&self.parts.main, self.parts.profile);
        let now = self.now();
        let here = (self.parts.here)();
        let mut mended = Vec::new();
        for row in stored::list(main, profile)? {
            let rule = match Rule::read(&row.settings.timing, &here) {
                Ok(rule) => rule,
                Err(error) => {
                    self.set_problem(row.id, Some(error.to_string()));
                    continue;
                }
            };
            let wrong_clock = row.last_planned.is_some_and(|last| last.0 > now.0 + super::WRONG_MS);
            // The computer may have come into another zone.
            let floating = matches!(&row.settings.timing, Timing::Cron { zone, .. } if zone.trim().is_empty());
            let next = match (row.settings.enabled, floating && row.next.is_some_and(|next| next > now)) {
                (false, _) => None,
                (true, true) if !wrong_clock => rule.next_after(row.last_planned.map_or(now, |last| last.max(now))),
                _ => rule.next_after(now),
            };
            let again = floating && row.next.is_some_and(|next| next > now) && row.next != next;
            if !row.ready || wrong_clock || (row.settings.enabled && again) {
                mended.push((row.id, next));
            }
        }
        for some in mended.chunks(1_000) {
            stored::mend(main, profile, some.to_vec())?;
        }
        Ok(())
    }

    /// A schedule as the person sees it.
    pub(super) fn shown(
        &self,
        row: Row,
        names: &std::collections::BTreeMap<crate::model::AgentId, String>,
    ) -> Schedule {
        let words = match Rule::read(&row.settings.timing, &(self.parts.here)()) {
            Ok(rule) => crate::schedules::words::words(&row.settings.timing, &rule),
            Err(error) => error.to_string(),
        };
        let agent = row.settings.template.agent;
        let agent_name = agent.and_then(|agent| names.get(&agent)).cloned().unwrap_or_default();
        let missing = agent.is_some() && agent_name.is_empty();
        let problem = self.problem(row.id).or_else(|| missing.then(|| "Its agent is gone.".to_owned()));
        Schedule {
            id: row.id,
            agent_name,
            words,
            last_run: row.last_run,
            last_outcome: row.last_outcome.clone(),
            next_run: row.next,
            runs: row.runs,
            problem,
            background: row.background,
            created: row.created,
            updated: row.updated,
            sample: row.sample,
            settings: row.settings,
        }
    }
}
