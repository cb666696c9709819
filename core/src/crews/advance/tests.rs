use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::{AgentId, CrewId, CrewProcess, CrewRunId};

fn step(key: &str, on: &[String]) -> CrewRunStep {
    CrewRunStep {
        key: key.to_owned(),
        title: key.to_uppercase(),
        instructions: String::new(),
        agent: Some(AgentId(Uuid::from_u128(1))),
        agent_name: String::new(),
        depends_on: on.to_vec(),
        at: None,
        state: StepState::Waiting,
        task: None,
        output: None,
        error: None,
        started: None,
        ended: None,
    }
}

fn kept(steps: Vec<CrewRunStep>) -> KeptRun {
    let run = CrewRun {
        id: CrewRunId(Uuid::from_u128(7)),
        number: 1,
        crew: CrewId(Uuid::from_u128(8)),
        crew_name: "Review".to_owned(),
        process: CrewProcess::Sequential,
        state: CrewRunState::Running,
        input: String::new(),
        variables: BTreeMap::new(),
        folder: None,
        steps,
        replay_of: None,
        offline: false,
        output: None,
        error: None,
        created: Timestamp(1),
        ended: None,
    };
    KeptRun { run, members: Vec::new(), cancelling: false, revision: 0 }
}

fn seen(status: TaskStatus, text: &str) -> Seen {
    Seen {
        status,
        needs_you: false,
        output: Some(TaskOutput { text: text.to_owned(), ..TaskOutput::default() }),
        error: (status == TaskStatus::Failed).then(|| ApiError::validation("no luck", "Try again.")),
        completed: None,
    }
}

/// A queue and a store in one: what [`advance`] says is done, or lost by a crash before it is stored.
struct World {
    stored: KeptRun,
    tasks: HashMap<TaskId, Seen>,
    begun: Vec<String>,
}

impl World {
    fn new(kept: KeptRun) -> Self {
        Self { stored: kept, tasks: HashMap::new(), begun: Vec::new() }
    }

    fn turn(&mut self, cut: bool) -> bool {
        let mut next = advance(&self.stored, &|id| self.tasks.get(&id).cloned(), Timestamp(2));
        let mut new = Vec::new();
        for place in std::mem::take(&mut next.begin) {
            let step = &mut next.kept.run.steps[place];
            let done = |key: &String| {
                self.stored.run.steps.iter().any(|one| one.key == *key && one.state.is_done())
                    || self.tasks.values().any(|task| {
                        task.output.as_ref().is_some_and(|output| output.text == *key)
                            && task.status == TaskStatus::Completed
                    })
            };
            assert!(step.depends_on.iter().all(done), "{} began before what it depends on", step.key);
            let id = TaskId(Uuid::from_u128(1_000 + self.tasks.len() as u128 + new.len() as u128));
            begun(step, id, Timestamp(2));
            new.push((id, step.key.clone()));
        }
        let changed = next.kept != self.stored;
        if !cut {
            self.stored = next.kept;
            for (id, key) in new {
                self.tasks.insert(id, seen(TaskStatus::Pending, &key));
                self.begun.push(key);
            }
        }
        changed
    }

    /// Ends the task that was made first of those that have not ended.
    fn end_one(&mut self, which: usize, status: TaskStatus) {
        let mut open: Vec<TaskId> =
            self.tasks.iter().filter(|(_, task)| !task.status.is_final()).map(|(id, _)| *id).collect();
        open.sort();
        if let Some(id) = open.get(which % open.len().max(1))
            && let Some(task) = self.tasks.get_mut(id)
        {
            let key = task.output.clone().unwrap().text;
            *task = seen(status, &key);
        }
    }
}

proptest! {
    /// Over any graph, with any outcomes, cut anywhere: each step begins at most once and never before its needs, the run
    /// ends when all its tasks have, and as what it is.
    #[test]
    fn every_run_ends_and_no_step_begins_twice(
        wires in proptest::collection::vec((0..8_usize, 0..8_usize), 0..20),
        outcomes in proptest::collection::vec((0..8_usize, 0..6_u8), 8..9),
        cuts in proptest::collection::vec(any::<bool>(), 64),
        cancel_at in proptest::option::of(0..8_usize),
    ) {
        let mut on = vec![BTreeSet::new(); 8];
        for (one, other) in wires {
            // Only back: no circle.
            if one != other {
                on[one.max(other)].insert(format!("s{}", one.min(other)));
            }
        }
        let steps = on.iter().enumerate().map(|(n, on)| step(&format!("s{n}"), &on.iter().cloned().collect::<Vec<_>>()));
        let mut world = World::new(kept(steps.collect()));
        let mut cuts = cuts.into_iter();
        let mut ended = outcomes.into_iter().enumerate();
        loop {
            while world.turn(false) {
                // The program ends after the change was computed and before it is stored: nothing of it is there.
                if cuts.next().unwrap_or(false) {
                    world.turn(true);
                }
            }
            if world.stored.run.state.is_final() {
                break;
            }
            let open = world.tasks.values().filter(|task| !task.status.is_final()).count();
            prop_assert!(open > 0, "nothing goes on, and the run has not ended: {:?}", world.stored.run);
            let (number, (which, outcome)) = ended.next().unwrap_or((99, (0, 0)));
            if cancel_at == Some(number) {
                world.stored.cancelling = true;
            }
            world.end_one(which, match outcome {
                0..=3 => TaskStatus::Completed,
                4 => TaskStatus::Failed,
                _ => TaskStatus::Cancelled,
            });
        }
        let mut unique = world.begun.clone();
        unique.sort();
        unique.dedup();
        prop_assert_eq!(unique.len(), world.begun.len(), "twice: {:?}", world.begun);
        prop_assert!(world.tasks.values().all(|task| task.status.is_final()));
        let run = &world.stored.run;
        let has = |state| run.steps.iter().any(|step| step.state == state);
        let expected = if has(StepState::Failed) {
            CrewRunState::Failed
        } else if run.steps.iter().all(|step| step.state == StepState::Completed) {
            CrewRunState::Completed
        } else {
            CrewRunState::Cancelled
        };
        prop_assert_eq!(run.state, expected);
        prop_assert_eq!(run.output.is_some(), expected == CrewRunState::Completed);
        prop_assert!(!has(StepState::Running) && !has(StepState::NeedsYou));
    }
}

#[test]
fn others_go_on_after_a_failure_and_the_run_fails_after_them() {
    let on = |key: &str| vec![key.to_owned()];
    let mut world = World::new(kept(vec![step("a", &[]), step("b", &[]), step("c", &on("a")), step("d", &on("b"))]));
    world.turn(false);
    assert_eq!(world.begun, ["a", "b"]);
    world.end_one(0, TaskStatus::Failed);
    world.turn(false);
    assert_eq!(world.stored.run.state, CrewRunState::Running);
    world.end_one(0, TaskStatus::Completed);
    world.turn(false);
    assert_eq!(world.begun, ["a", "b", "d"]);
    world.end_one(0, TaskStatus::Completed);
    world.turn(false);
    let run = &world.stored.run;
    assert_eq!((run.state, run.error.as_ref().unwrap().message.as_str()), (CrewRunState::Failed, "“A”: no luck"));
    assert_eq!(run.steps[2].state, StepState::Waiting);
}

#[test]
fn a_task_that_is_gone_or_waits_for_the_person_is_said() {
    let mut world = World::new(kept(vec![step("a", &[]), step("b", &[])]));
    world.turn(false);
    let (first, second) = (world.stored.run.steps[0].task.unwrap(), world.stored.run.steps[1].task.unwrap());
    world.tasks.remove(&first);
    world.tasks.get_mut(&second).unwrap().needs_you = true;
    world.turn(false);
    assert_eq!(world.stored.run.steps[1].state, StepState::NeedsYou);
    assert!(world.stored.run.steps[0].error.as_ref().unwrap().message.contains("deleted"));
    assert_eq!(world.stored.run.state, CrewRunState::Running);
}

#[test]
fn several_last_steps_stand_under_their_titles() {
    let mut world = World::new(kept(vec![step("a", &[]), step("b", &[])]));
    world.turn(false);
    world.end_one(0, TaskStatus::Completed);
    world.end_one(0, TaskStatus::Completed);
    world.turn(false);
    assert_eq!(world.stored.run.output.as_deref(), Some("## A\n\na\n\n## B\n\nb"));
}
