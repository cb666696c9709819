//! Exact flows of the loop with a scripted model, and runs that are cut off at every step and taken up again.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::agents::testing::{self, World, answer, call};
use crate::api::Event;
use crate::inference::scripted::ScriptedModel;
use crate::model::{
    AgentType, ApprovalAnswer, Budget, PageRequest, Permission, RoutineCall, TaskId, ToolEffect, TypeOrigin,
};
use crate::storage::{approvals as stored, audit};

const ALL: &[(&str, Permission)] =
    &[("look", Permission::Allow), ("write", Permission::Ask), ("question", Permission::Ask)];

fn script<'a>(texts: impl IntoIterator<Item = &'a String>) -> ScriptedModel {
    ScriptedModel::new().sequence("Count the things", texts.into_iter().map(String::as_str))
}

/// Runs a task on a thread of its own while `meanwhile` plays the person.
fn with_person(world: &World, meanwhile: impl FnOnce(&World)) -> Result<TaskOutput, Failure> {
    std::thread::scope(|threads| {
        let run = threads.spawn(|| world.run());
        meanwhile(world);
        run.join().unwrap()
    })
}

fn say(world: &World, id: ApprovalId, word: ApprovalAnswer) {
    world.worker.desk().answer(id, word).unwrap();
}

fn verdicts(world: &World) -> Vec<Verdict> {
    let verdict = |step: RunStep| match step.kind {
        StepKind::Tool { verdict, .. } => Some(verdict),
        _ => None,
    };
    world.steps().into_iter().filter_map(verdict).collect()
}

fn notes(world: &World) -> Vec<String> {
    let note = |step: RunStep| match step.kind {
        StepKind::Note { text } => Some(text),
        _ => None,
    };
    world.steps().into_iter().filter_map(note).collect()
}

#[test]
fn a_model_plans_calls_a_tool_reads_the_result_and_answers() {
    let plan = json!({ "plan": ["look", "say"] }).to_string();
    let model = script([&plan, &call("look", "/a/x"), &answer("There are 42.")]);
    let prompts = model.prompts();
    let world = World::new(model, ALL);
    let output = world.run().unwrap();
    assert_eq!(output.text, "There are 42.");
    assert_eq!(world.look.count(), 1);
    let kinds: Vec<&str> = world
        .steps()
        .iter()
        .map(|step| match &step.kind {
            StepKind::Model { .. } => "model",
            StepKind::Plan { .. } => "plan",
            StepKind::Tool { .. } => "tool",
            StepKind::Note { .. } => "note",
            StepKind::Answer { .. } => "answer",
        })
        .collect();
    assert_eq!(kinds, ["model", "plan", "model", "tool", "model", "answer"]);
    let prompts = prompts.lock().unwrap();
    assert!(prompts[0].contains("You are exact.") && prompts[0].contains("Count the things"), "{}", prompts[0]);
    let mark = Mark::of(world.run_id());
    let fenced = format!("{}\n/a/x holds 42 things\n{}", mark.open(), mark.close());
    assert!(prompts[2].contains(&fenced), "{}", prompts[2]);
    // Only what is new is recorded again.
    let steps = world.steps();
    let StepKind::Model { prompt, prompt_tokens, answer_tokens, .. } = &steps[4].kind else { panic!("{steps:?}") };
    assert!(prompt.contains("42 things") && !prompt.contains("You are exact."), "{prompt}");
    assert!(*prompt_tokens > 0 && *answer_tokens > 0);
    let run = runs::get(&world.main, world.profile, world.run_id()).unwrap();
    assert_eq!((run.outcome, run.steps, run.model.as_str()), (Some(RunOutcome::Completed), 6, "scripted"));
    let events: Vec<Event> = world.events.lock().unwrap().try_iter().collect();
    assert!(events.iter().any(|event| matches!(event, Event::RunText { .. })));
    assert!(events.iter().filter(|event| matches!(event, Event::RunStepped { .. })).count() >= 6);
}

#[test]
fn what_is_asked_waits_for_the_person_and_is_told_to_the_queue() {
    let world = World::new(script([&call("write", "/a/x"), &answer("Written.")]), ALL);
    let output = with_person(&world, |world| {
        let approval = world.asked();
        assert_eq!((approval.title.as_str(), approval.always.as_deref()), ("write /a/x", Some("writes in /a")));
        assert!(matches!(&approval.action, ProposedAction::WriteFile { diff, .. } if diff == "+/a/x"));
        assert_eq!(world.write.count(), 0);
        say(world, approval.id, ApprovalAnswer::Once);
    })
    .unwrap();
    assert_eq!((output.text.as_str(), output.changed.as_slice()), ("Written.", ["wrote /a/x".to_owned()].as_slice()));
    assert_eq!(world.write.count(), 1);
    assert_eq!(world.told(), ["waits", "goes on", "begins: write /a/x", "ended"]);
    let rows = audit::page(&world.main, PageRequest::default()).unwrap().items;
    assert_eq!((rows[0].kind.as_str(), rows[0].who.as_str()), ("approval.allowed", "the person"));
    assert!(stored::rules(&world.main, world.profile).unwrap().is_empty());
}

#[test]
fn always_here_covers_this_folder_this_tool_and_this_agent_alone() {
    let steps = [call("write", "/a/x"), call("write", "/a/y"), call("write", "/b/z"), answer("Done.")];
    let world = World::new(script(&steps), ALL);
    with_person(&world, |world| {
        let first = world.asked();
        say(world, first.id, ApprovalAnswer::Always);
        let second = world.asked();
        assert_eq!(second.title, "write /b/z", "the second file of the same folder is not asked for");
        say(world, second.id, ApprovalAnswer::Deny { reason: "Not there.".to_owned() });
    })
    .unwrap();
    assert_eq!(world.write.count(), 2);
    let verdicts = verdicts(&world);
    assert!(matches!(&verdicts[0], Verdict::Person { allowed: true, .. }));
    assert_eq!(verdicts[1], Verdict::Rule);
    assert!(matches!(&verdicts[2], Verdict::Person { allowed: false, reason, .. } if reason == "Not there."));
    let rules = world.worker.desk().rules().unwrap();
    assert_eq!((rules.len(), rules[0].words.as_str()), (1, "writes in /a"));
    // Another agent is asked.
    let other = stored::rule_for(
        &world.main,
        world.profile,
        crate::model::AgentId(uuid::Uuid::from_u128(2)),
        "write",
        "folder:/a",
    );
    assert_eq!(other.unwrap(), None);
    world.worker.desk().forget(rules[0].id).unwrap();
    assert!(world.worker.desk().rules().unwrap().is_empty());
    assert!(world.worker.desk().forget(rules[0].id).is_err());
}

#[test]
fn a_denied_call_tells_the_model_and_the_run_goes_on() {
    let model = script([&call("write", "/a/x"), &answer("I could not.")]);
    let prompts = model.prompts();
    let world = World::new(model, ALL);
    let output = with_person(&world, |world| {
        let approval = world.asked();
        say(world, approval.id, ApprovalAnswer::Deny { reason: "Use the other file.".to_owned() });
        assert!(world.worker.desk().answer(approval.id, ApprovalAnswer::Once).is_err(), "it was answered");
    })
    .unwrap();
    assert_eq!((output.text.as_str(), world.write.count()), ("I could not.", 0));
    assert!(prompts.lock().unwrap()[1].contains("not allowed by the person. Use the other file."));
}

#[test]
fn what_the_profile_denies_is_denied_whatever_the_agent_may() {
    let model = script([&call("write", "/a/x"), &call("rm", "/a"), &answer("No.")]);
    let prompts = model.prompts();
    let world = World::new(model, &[("write", Permission::Allow)]);
    *world.directory.policy.lock().unwrap() = Some(Permission::Deny);
    world.run().unwrap();
    assert_eq!(world.write.count(), 0);
    let verdicts = verdicts(&world);
    assert!(matches!(&verdicts[0], Verdict::Denied { why } if why.contains("profile")), "{verdicts:?}");
    assert!(matches!(&verdicts[1], Verdict::Refused { why } if why.contains("no tool named \"rm\"")), "{verdicts:?}");
    assert!(prompts.lock().unwrap()[1].contains("denied"));
    let rows = audit::page(&world.main, PageRequest::default()).unwrap().items;
    assert_eq!((rows[0].kind.as_str(), rows[0].who.as_str()), ("approval.denied", "Ada"));
}

#[test]
fn the_stricter_word_counts() {
    let agent = testing::agent(&[("write", Permission::Allow), ("look", Permission::Ask)]);
    let of = |profile, tool| approvals::permission(&agent, profile, tool);
    assert_eq!(of(None, "write"), Ok(Permission::Allow));
    assert_eq!(of(Some(Permission::Ask), "write"), Ok(Permission::Ask));
    assert_eq!(of(Some(Permission::Allow), "look"), Ok(Permission::Ask));
    assert!(matches!(of(Some(Permission::Deny), "look"), Err(Verdict::Denied { .. })));
    assert!(matches!(of(Some(Permission::Allow), "http_request"), Err(Verdict::Refused { .. })));
}

#[test]
fn a_question_is_answered_in_words_even_where_its_tool_is_allowed() {
    let model = script([&call("question", "Which one?"), &answer("The blue one.")]);
    let prompts = model.prompts();
    let world = World::new(model, &[("question", Permission::Allow)]);
    with_person(&world, |world| {
        let approval = world.asked();
        assert!(world.worker.desk().answer(approval.id, ApprovalAnswer::Once).is_err());
        assert!(world.worker.desk().answer(approval.id, ApprovalAnswer::Reply { text: " ".to_owned() }).is_err());
        say(world, approval.id, ApprovalAnswer::Reply { text: "Blue.".to_owned() });
    })
    .unwrap();
    assert!(prompts.lock().unwrap()[1].contains("Blue."));
}

#[test]
fn what_changed_since_the_person_saw_it_is_asked_anew() {
    let world = World::new(script([&call("write", "/a/x"), &answer("Done.")]), ALL);
    with_person(&world, |world| {
        let first = world.asked();
        *world.write.world.lock().unwrap() = " and more".to_owned();
        say(world, first.id, ApprovalAnswer::Once);
        let second = world.asked();
        assert_ne!(second.id, first.id);
        assert!(matches!(&second.action, ProposedAction::WriteFile { diff, .. } if diff == "+/a/x and more"));
        assert_eq!(world.write.count(), 0);
        say(world, second.id, ApprovalAnswer::Once);
    })
    .unwrap();
    assert_eq!(world.write.count(), 1);
}

#[test]
fn an_exhausted_budget_is_an_error_that_keeps_what_there_is() {
    for (budget, word) in
        [(Budget { steps: 2, ..Budget::default() }, "2 steps"), (Budget { tokens: 5, ..Budget::default() }, "5 tokens")]
    {
        let steps = [call("look", "/a/x"), call("look", "/a/y"), answer("Too late.")];
        let world = World::new(script(&steps), ALL);
        world.set_budget(budget);
        let failure = world.run().unwrap_err();
        assert!(failure.error.message.contains(word), "{}", failure.error);
        assert!(!failure.retry);
        let partial = failure.partial.unwrap();
        assert!(partial.text.contains("I need /a/x"), "{}", partial.text);
        let run = runs::get(&world.main, world.profile, world.run_id()).unwrap();
        assert!(matches!(run.outcome, Some(RunOutcome::Failed { .. })));
    }
}

#[test]
fn the_time_of_a_run_is_over_while_its_tool_works() {
    let world = World::new(script([&call("look", "/a/x"), &answer("Late.")]), ALL);
    world.set_budget(Budget { seconds: 1, ..Budget::default() });
    world.look.endless.store(true, Ordering::SeqCst);
    // The tool is stopped by the timer; the clock of the test says how long that took.
    let failure = std::thread::scope(|threads| {
        let run = threads.spawn(|| world.run());
        while world.look.count() == 0 {
            std::thread::yield_now();
        }
        world.clock.advance_ms(1_500);
        run.join().unwrap().unwrap_err()
    });
    assert!(failure.error.message.contains("1 seconds"), "{}", failure.error);
}

#[test]
fn the_same_call_again_is_not_made_and_circles_end() {
    let again = call("look", "/a/x");
    let world = World::new(script([&again, &again, &again, &again, &again, &again, &again]), ALL);
    let failure = world.run().unwrap_err();
    assert!(failure.error.message.contains("again and again"), "{}", failure.error);
    assert_eq!(world.look.count(), 1);
    // After a change the same look makes sense.
    let world = World::new(
        script([&again, &call("write", "/a/x"), &again, &answer("Both.")]),
        &[("look", Permission::Allow), ("write", Permission::Allow)],
    );
    world.run().unwrap();
    assert_eq!(world.look.count(), 2);
}

#[test]
fn arguments_that_make_no_sense_and_tools_that_panic_are_told() {
    let wrong = json!({ "thought": "", "tool": "look", "arguments": { "file": 1 } }).to_string();
    let model = script([&wrong, &call("look", "/a/x"), &answer("Sorry.")]);
    let prompts = model.prompts();
    let world = World::new(model, ALL);
    world.look.panics.store(true, Ordering::SeqCst);
    world.run().unwrap();
    let prompts = prompts.lock().unwrap();
    assert!(prompts[1].contains("there is no path"), "{}", prompts[1]);
    assert!(prompts[2].contains("the tool failed: as the test wants it"), "{}", prompts[2]);
}

#[test]
fn what_cannot_be_read_is_told_and_three_in_a_row_end_the_run() {
    let junk = json!({ "hello": 1 }).to_string();
    let world = World::new(script([&junk, &junk, &answer("At last.")]), ALL);
    assert_eq!(world.run().unwrap().text, "At last.");
    assert_eq!(notes(&world).len(), 2);
    let world = World::new(script([&junk, &junk, &junk, &answer("Too late.")]), ALL);
    let failure = world.run().unwrap_err();
    assert!(failure.error.message.contains("3 answers in a row"), "{}", failure.error);
}

#[test]
fn a_missing_model_is_no_reason_to_try_again_and_a_failing_one_is() {
    let world = World::new(script([]), ALL);
    world.directory.agent.lock().unwrap().settings.model = Some(crate::model::ModelId("gone".to_owned()));
    let failure = world.run().unwrap_err();
    assert!(!failure.retry && failure.error.message.contains("gone"), "{}", failure.error);
    let world = World::new(ScriptedModel::new().fail("", "half", "out of order"), ALL);
    let failure = world.run().unwrap_err();
    assert!(failure.retry, "{}", failure.error);
}

#[test]
fn cancelling_reaches_the_model_between_two_tokens() {
    let long = answer("one two three four five six seven");
    let (model, gate) = script([&long]).gated();
    let world = World::new(model, ALL);
    let failure = with_person(&world, |world| {
        gate.allow(2);
        loop {
            if matches!(world.events.lock().unwrap().recv().unwrap(), Event::RunText { .. }) {
                break;
            }
        }
        world.cancel.cancel();
    })
    .unwrap_err();
    assert!(!failure.retry);
    let run = runs::get(&world.main, world.profile, world.run_id()).unwrap();
    assert_eq!(run.outcome, Some(RunOutcome::Cancelled));
}

#[test]
fn cancelling_reaches_the_tool_and_takes_back_what_is_asked() {
    let world = World::new(script([&call("look", "/a/x")]), ALL);
    world.look.endless.store(true, Ordering::SeqCst);
    with_person(&world, |world| {
        while world.look.count() == 0 {
            std::thread::yield_now();
        }
        world.cancel.cancel();
    })
    .unwrap_err();
    let world = World::new(script([&call("write", "/a/x")]), ALL);
    let mut asked = None;
    with_person(&world, |world| {
        asked = Some(world.asked().id);
        world.cancel.cancel();
    })
    .unwrap_err();
    let approval = stored::get(&world.main, world.profile, asked.unwrap()).unwrap();
    assert_eq!(approval.state, ApprovalState::Withdrawn);
    assert!(stored::waiting(&world.main, world.profile).unwrap().is_empty());
}

#[test]
fn an_approval_that_waits_when_the_program_ends_waits_again_and_is_asked_once() {
    let mut world = World::new(script([&call("write", "/a/x"), &answer("Written.")]), ALL);
    let mut asked = None;
    let failure = with_person(&world, |world| {
        asked = Some(world.asked().id);
        world.ending.cancel();
    })
    .unwrap_err();
    assert!(failure.retry);
    let id = asked.unwrap();
    assert_eq!(stored::waiting(&world.main, world.profile).unwrap(), [id]);
    let run = world.run_id();
    assert_eq!(runs::get(&world.main, world.profile, run).unwrap().outcome, Some(RunOutcome::CutOff));
    // The next start.
    world.restart();
    let output = std::thread::scope(|threads| {
        let going_on = threads.spawn(|| world.attempt(testing::task(), Some(run), false));
        while !world.told().ends_with(&["waits".to_owned()]) || world.told().len() < 2 {
            std::thread::yield_now();
        }
        say(&world, id, ApprovalAnswer::Once);
        going_on.join().unwrap().unwrap()
    });
    assert_eq!((output.text.as_str(), world.write.count(), world.run_id()), ("Written.", 1, run));
    assert_eq!(stored::list(&world.main, world.profile, false, None, PageRequest::default()).unwrap().total, 1);
}

#[test]
fn an_answer_that_came_while_nothing_ran_counts() {
    let mut world = World::new(script([&call("write", "/a/x"), &answer("Written.")]), ALL);
    let mut asked = None;
    with_person(&world, |world| {
        asked = Some(world.asked().id);
        world.ending.cancel();
    })
    .unwrap_err();
    world.restart();
    say(&world, asked.unwrap(), ApprovalAnswer::Once);
    let run = world.run_id();
    assert_eq!(world.attempt(testing::task(), Some(run), false).unwrap().text, "Written.");
    assert_eq!(world.write.count(), 1);
}

#[test]
fn a_task_that_is_cancelled_while_nothing_of_it_runs_takes_its_question_back() {
    let world = World::new(script([&call("write", "/a/x")]), ALL);
    let mut asked = None;
    with_person(&world, |world| {
        asked = Some(world.asked().id);
        world.ending.cancel();
    })
    .unwrap_err();
    world.worker.desk().withdraw_task(testing::task().id).unwrap();
    let approval = stored::get(&world.main, world.profile, asked.unwrap()).unwrap();
    assert_eq!(approval.state, ApprovalState::Withdrawn);
}

/// Leaves the first `kept` steps of the run, the last of them without what came after it began where `open` says so.
fn cut_off(world: &World, kept: usize, open: bool) -> RunId {
    let run = world.run_id();
    let mut steps = world.steps();
    steps.truncate(kept);
    if let Some(step) = steps.last_mut().filter(|_| open) {
        match &mut step.kind {
            StepKind::Model { said, answer_tokens, .. } => {
                said.clear();
                *answer_tokens = 0;
            }
            StepKind::Tool { output, error, .. } => (*output, *error) = (None, None),
            StepKind::Plan { .. } | StepKind::Note { .. } | StepKind::Answer { .. } => {}
        }
    }
    world.forget_steps(run);
    let stored = runs::get(&world.main, world.profile, run).unwrap();
    for step in steps {
        runs::put(&world.main, world.profile, stored.clone(), Some(step)).unwrap();
    }
    run
}

/// What the model has said in each step, and what was called, without times.
fn conversation(world: &World) -> Vec<String> {
    world
        .steps()
        .into_iter()
        .map(|step| match step.kind {
            StepKind::Model { prompt, said, .. } => format!("{prompt} => {said}"),
            StepKind::Tool { call, output, .. } => format!("{call:?} => {output:?}"),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_run_that_is_cut_at_any_step_goes_on_to_the_same_end_and_no_call_is_made_twice() {
    let free: &[(&str, Permission)] = &[("look", Permission::Allow), ("write", Permission::Allow)];
    let plan = json!({ "plan": ["all of it"] }).to_string();
    let texts =
        [plan, call("look", "/a/x"), call("write", "/a/x"), call("look", "/a/y"), call("look", "/b"), answer("End.")];
    let whole = World::new(script(&texts), free);
    whole.run().unwrap();
    let (expected, count) = (conversation(&whole), whole.steps().len());
    assert_eq!(count, texts.len() * 2);
    for kept in 0..=count {
        for open in [false, true] {
            let mut world = World::new(script(&texts), free);
            world.run().unwrap();
            let run = cut_off(&world, kept, open);
            let steps = world.steps();
            let said = steps
                .iter()
                .filter(|step| matches!(&step.kind, StepKind::Model { said, .. } if !said.is_empty()))
                .count();
            let done = |name: &str| {
                let made = |step: &&RunStep| matches!(&step.kind, StepKind::Tool { call, output: Some(_), .. } if call.tool == name);
                steps.iter().filter(made).count()
            };
            let (looks, writes) = (done("look"), done("write"));
            let in_flight = matches!(
                steps.last(),
                Some(RunStep { kind: StepKind::Tool { call, output: None, .. }, .. }) if call.tool == "write"
            );
            world.restart();
            world.set_model(script(&texts[said..]));
            let before = (world.look.count(), world.write.count());
            let output = world.attempt(testing::task(), Some(run), false).unwrap();
            assert_eq!(output.text, "End.", "cut at {kept}, open {open}");
            let made = (world.look.count() - before.0, world.write.count() - before.1);
            if in_flight {
                // Nobody knows whether it was done: it is not done again, and the model is told.
                assert_eq!(made, (3 - looks, 0));
                assert!(conversation(&world).join("\n").contains("nobody knows"), "{:?}", conversation(&world));
            } else {
                assert_eq!(made, (3 - looks, 1 - writes), "cut at {kept}, open {open}");
                assert_eq!(conversation(&world), expected, "cut at {kept}, open {open}");
            }
        }
    }
}

#[test]
fn a_call_that_was_cut_off_is_made_again_with_the_persons_word() {
    let free: &[(&str, Permission)] = &[("write", Permission::Allow)];
    let texts = [call("write", "/a/x"), answer("End.")];
    let mut world = World::new(script(&texts), free);
    world.run().unwrap();
    let run = cut_off(&world, 2, true);
    world.restart();
    world.set_model(script(&texts[1..]));
    world.attempt(testing::task(), Some(run), true).unwrap();
    assert_eq!(world.write.count(), 2);
}

#[test]
fn a_call_that_was_allowed_but_never_begun_is_made_after_all() {
    for permission in [Permission::Allow, Permission::Ask] {
        let tools: &[(&str, Permission)] = &[("write", permission)];
        let texts = [call("write", "/a/x"), answer("End.")];
        let mut world = World::new(script(&texts), tools);
        with_person(&world, |world| {
            if permission == Permission::Ask {
                say(world, world.asked().id, ApprovalAnswer::Once);
            }
        })
        .unwrap();
        let run = cut_off(&world, 2, true);
        let mut step = world.steps().pop().unwrap();
        if let StepKind::Tool { error, .. } = &mut step.kind {
            *error = Some(next::not_begun());
        }
        let stored = runs::get(&world.main, world.profile, run).unwrap();
        runs::put(&world.main, world.profile, stored, Some(step)).unwrap();
        world.restart();
        world.set_model(script(&texts[1..]));
        assert_eq!(world.attempt(testing::task(), Some(run), false).unwrap().text, "End.");
        assert_eq!(world.write.count(), 2, "once before, which the record does not know, and once now");
    }
}

fn kind(routine: Vec<RoutineCall>, uses_model: bool) -> AgentType {
    AgentType {
        id: "basic".to_owned(),
        name: "Basic".to_owned(),
        description: String::new(),
        icon: String::new(),
        origin: TypeOrigin::BuiltIn,
        defaults: testing::agent(&[]).settings,
        routine,
        uses_model,
    }
}

#[test]
fn a_routine_is_done_before_the_model_begins_or_is_all() {
    let routine = vec![RoutineCall { tool: "look".to_owned(), arguments: json!({ "path": "{file}" }) }];
    let model = script([&answer("42.")]);
    let prompts = model.prompts();
    let world = World::new(model, ALL);
    *world.directory.kind.lock().unwrap() = Some(kind(routine.clone(), true));
    let task = crate::model::Task { input: json!({ "file": "/q/4" }), ..testing::task() };
    assert_eq!(world.attempt(task.clone(), None, false).unwrap().text, "42.");
    assert!(prompts.lock().unwrap()[0].contains("/q/4 holds 42 things"), "{}", prompts.lock().unwrap()[0]);
    let world = World::new(script([]), ALL);
    *world.directory.kind.lock().unwrap() = Some(kind(routine, false));
    assert_eq!(world.attempt(task, None, false).unwrap().text, "/q/4 holds 42 things");
    let failure = world.run().unwrap_err();
    assert!(failure.error.message.contains("file") && !failure.retry, "{}", failure.error);
}

#[test]
fn results_of_earlier_tasks_and_what_was_read_are_named_where_the_person_decides() {
    let model = script([&call("look", "/a/letter.txt"), &call("write", "/a/x"), &answer("Done.")]);
    let prompts = model.prompts();
    let world = World::new(model, ALL);
    let task = crate::model::Task { depends_on: vec![TaskId(uuid::Uuid::from_u128(3))], ..testing::task() };
    let mut named = Vec::new();
    std::thread::scope(|threads| {
        let run = threads.spawn(|| world.attempt(task, None, false));
        let approval = world.asked();
        named.clone_from(&approval.influenced_by);
        say(&world, approval.id, ApprovalAnswer::Once);
        run.join().unwrap().unwrap();
    });
    assert_eq!(named, ["the result of \"Count before\"", "/a/letter.txt"]);
    assert!(prompts.lock().unwrap()[0].contains("It was 41."));
    assert!(approvals::influences(None, &[], &[], |_| Some(ToolEffect::Reads)).is_empty());
}

#[test]
fn a_small_context_shortens_older_results_and_says_so() {
    let looks: Vec<String> = (0..6).map(|n| call("look", &format!("/a/{n}/{}", "word ".repeat(60)))).collect();
    let mut texts = looks;
    texts.push(answer("All of them."));
    let world = World::new(script(&texts).with_context(900), ALL);
    assert_eq!(world.run().unwrap().text, "All of them.");
    assert!(notes(&world).iter().any(|note| note.contains("no room")), "{:?}", notes(&world));
    let world = World::new(script(&texts).with_context(100), ALL);
    let failure = world.run().unwrap_err();
    assert!(failure.error.message.contains("room for") && !failure.retry, "{}", failure.error);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_a_model_reads_always_fits_and_ends_with_the_last_step(
        sizes in proptest::collection::vec(0_usize..600, 0..14),
        limit in 120_usize..1_500,
    ) {
        let mark = Mark::of(RunId(uuid::Uuid::from_u128(4)));
        let opening = [
            ChatTurn { role: rspa_ml::generate::Role::System, content: "Be exact.".to_owned() },
            ChatTurn { role: rspa_ml::generate::Role::User, content: "Task: count".to_owned() },
        ];
        let mut steps = Vec::new();
        for (n, size) in sizes.iter().enumerate() {
            let index = u32::try_from(steps.len()).unwrap();
            let model = StepKind::Model {
                prompt: String::new(),
                said: call("look", &n.to_string()),
                prompt_tokens: 0,
                answer_tokens: 0,
                ttft_ms: 0.0,
                constrained: true,
            };
            let tool = StepKind::Tool {
                call: ToolCall { tool: "look".to_owned(), arguments: json!({}) },
                action: ProposedAction::Look { what: String::new() },
                verdict: Verdict::Allowed,
                output: Some(ToolOutput { text: "word ".repeat(*size), ..ToolOutput::default() }),
                error: None,
            };
            let at = crate::model::Timestamp(0);
            steps.push(RunStep { index, at, ms: 0, kind: model });
            steps.push(RunStep { index: index + 1, at, ms: 0, kind: tool });
        }
        let count = |text: &str| Ok(text.split_whitespace().count());
        let fitted = context::fit(&opening, &steps, &mark, limit, &count).unwrap();
        prop_assert!(fitted.tokens <= limit);
        prop_assert_eq!(&fitted.turns[..1], &opening[..1]);
        for pair in fitted.turns.windows(2) {
            prop_assert_ne!(pair[0].role, pair[1].role);
        }
        if !steps.is_empty() {
            let last = &fitted.turns.last().unwrap().content;
            prop_assert!(last.trim_end().ends_with(&mark.close()), "{}", last);
        }
        let again = context::fit(&opening, &steps, &mark, limit, &count).unwrap();
        prop_assert_eq!(fitted, again);
    }
}
