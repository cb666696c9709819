//! Tests of the page by accessible label.

use std::collections::BTreeMap;

use egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use rspa_core::api::{ApiError, Event};
use rspa_core::model::*;
use serde_json::Value;

use super::CrewsView;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::pages::crews::CrewsCommand as C;
use crate::commands::{Action, PickPurpose, UiCommand};
use crate::fixtures::{self, NOW, Stage, page};
use crate::state::pages::PageState as _;
use crate::state::pages::crews::Shown;
use crate::state::{AppState, NoticeKind, Slot};

const SIZE: (f32, f32) = (1096.0, 774.0);

fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

fn crew_id(number: u128) -> CrewId {
    CrewId(uuid(number))
}

fn run_id(number: u128) -> CrewRunId {
    CrewRunId(uuid(100 + number))
}

fn agent_id(number: u128) -> AgentId {
    AgentId(uuid(200 + number))
}

fn task_id(number: u128) -> TaskId {
    TaskId(uuid(300 + number))
}

fn agent(number: u128, name: &str) -> Agent {
    let mut settings = rspa_core::agents::types::built_in("analytical").unwrap().defaults;
    settings.name = name.to_owned();
    Agent {
        id: agent_id(number),
        status: AgentStatus::Active,
        status_detail: String::new(),
        settings,
        completed: 0,
        failed: 0,
        worked_ms: 0,
        last_active: None,
        created: NOW,
        updated: NOW,
        sample: false,
    }
}

/// syntax → logic → summary; security beside them → summary.
const STEPS: [(&str, &str, &[&str]); 4] = [
    ("syntax", "Syntax", &[]),
    ("logic", "Logic", &["syntax"]),
    ("security", "Security review", &[]),
    ("summary", "Summary", &["logic", "security"]),
];

fn step((key, title, after): &(&str, &str, &[&str])) -> CrewStep {
    CrewStep {
        key: (*key).to_owned(),
        title: (*title).to_owned(),
        instructions: "Look at {input}".to_owned(),
        agent: Some(agent_id(1)),
        depends_on: after.iter().map(|key| (*key).to_owned()).collect(),
        at: None,
    }
}

fn crew(number: u128, name: &str) -> Crew {
    let settings = CrewDraft {
        name: name.to_owned(),
        description: "Reads the code".to_owned(),
        process: CrewProcess::Sequential,
        steps: STEPS.iter().map(step).collect(),
        members: vec![agent_id(1)],
        manager: None,
        variables: vec!["branch".to_owned()],
    };
    Crew { id: crew_id(number), settings, runs: 2, completed: 1, last_run: Some(NOW), created: NOW, updated: NOW }
}

fn output(text: &str) -> TaskOutput {
    TaskOutput { text: text.to_owned(), data: Value::Null, charts: vec![], changed: vec![] }
}

/// A run in which everything is done.
pub fn run() -> CrewRun {
    let steps = STEPS.iter().zip(1..).map(|((key, title, after), number)| CrewRunStep {
        key: (*key).to_owned(),
        title: (*title).to_owned(),
        instructions: "Look at {input}".to_owned(),
        agent: Some(agent_id(1)),
        agent_name: "Reviewer".to_owned(),
        depends_on: after.iter().map(|key| (*key).to_owned()).collect(),
        at: None,
        state: StepState::Completed,
        task: Some(task_id(number)),
        output: Some(output(&format!("# {title}\n\nNothing **wrong** here."))),
        error: None,
        started: Some(Timestamp(NOW.0 - 60_000)),
        ended: Some(Timestamp(NOW.0 - 51_000)),
    });
    CrewRun {
        id: run_id(1),
        number: 12,
        crew: crew_id(1),
        crew_name: "Code review".to_owned(),
        process: CrewProcess::Sequential,
        state: CrewRunState::Completed,
        input: "src/lib.rs".to_owned(),
        variables: BTreeMap::from([("branch".to_owned(), "main".to_owned())]),
        folder: Some("/home/ada/rspa".into()),
        steps: steps.collect(),
        replay_of: None,
        offline: false,
        output: Some("All is well.".to_owned()),
        error: None,
        created: Timestamp(NOW.0 - 70_000),
        ended: Some(Timestamp(NOW.0 - 10_000)),
    }
}

/// Syntax is done, logic runs, security waits for the person.
fn going() -> CrewRun {
    let mut run = run();
    (run.state, run.ended, run.output) = (CrewRunState::Running, None, None);
    for (at, state) in [(1, StepState::Running), (2, StepState::NeedsYou), (3, StepState::Waiting)] {
        let step = &mut run.steps[at];
        (step.state, step.output, step.ended) = (state, None, None);
    }
    (run.steps[3].started, run.steps[3].task) = (None, None);
    run
}

fn template(id: &str, name: &str) -> CrewTemplate {
    let steps = STEPS.iter().map(|(key, title, after)| TemplateStep {
        key: (*key).to_owned(),
        title: (*title).to_owned(),
        instructions: "Look".to_owned(),
        depends_on: after.iter().map(|key| (*key).to_owned()).collect(),
        role: "Reviewer".to_owned(),
        agent_type: "analytical".to_owned(),
        system_prompt: String::new(),
        tools: vec![],
    });
    CrewTemplate {
        id: id.to_owned(),
        name: name.to_owned(),
        description: "Reads code from four sides".to_owned(),
        icon: "code".to_owned(),
        process: CrewProcess::Sequential,
        variables: vec![],
        steps: steps.collect(),
    }
}

fn state() -> AppState {
    let mut state = fixtures::state();
    let page = &mut state.pages.crews;
    page.opened();
    page.list = Slot::with(vec![crew(1, "Code review"), crew(2, "Weekly report")]);
    page.agents = Slot::with(vec![agent(1, "Reviewer"), agent(2, "Writer")]);
    page.templates = Slot::with(vec![template("code-review", "Code review"), template("report", "Report")]);
    page.put_run(&run());
    state
}

fn showing(shown: Shown) -> AppState {
    let mut state = state();
    state.pages.crews.show(shown);
    state
}

fn showing_run(run: CrewRun) -> AppState {
    let mut state = state();
    state.pages.crews.show(Shown::Run(run.id));
    state.pages.crews.put_run(&run);
    state
}

type Page = Harness<'static, Stage<CrewsView>>;

fn open(state: AppState) -> Page {
    let mut harness = page::<CrewsView>(state, SIZE, true);
    harness.step();
    harness.step();
    harness
}

fn click(harness: &mut Page, name: &str) {
    harness.get_by_label(name).click();
    harness.step();
    harness.step();
}

fn button(harness: &mut Page, name: &str) {
    harness.get_by_role_and_label(egui::Role::Button, name).click();
    harness.step();
    harness.step();
}

fn type_into(harness: &mut Page, name: &str, text: &str) {
    harness.get_by_role_and_label(egui::Role::TextInput, name).focus();
    harness.step();
    harness.get_by_role_and_label(egui::Role::TextInput, name).type_text(text);
    harness.step();
    harness.step();
}

fn area(harness: &mut Page, name: &str, text: &str) {
    harness.get_by_role_and_label(egui::Role::MultilineTextInput, name).focus();
    harness.step();
    harness.get_by_role_and_label(egui::Role::MultilineTextInput, name).type_text(text);
    harness.step();
    harness.step();
}

fn sent(harness: &Page) -> Vec<C> {
    let own = |command: &UiCommand| match command {
        UiCommand::Crews(C::Unsaved(_)) => None,
        UiCommand::Crews(command) => Some(command.clone()),
        UiCommand::Confirm(question) => match &*question.then {
            UiCommand::Crews(command) => Some(command.clone()),
            _ => None,
        },
        _ => None,
    };
    harness.state().commands.iter().filter_map(own).collect()
}

fn saved(harness: &mut Page) -> CrewDraft {
    button(harness, "Save");
    let draft = sent(harness).into_iter().rev().find_map(|command| match command {
        C::Save { draft, .. } => Some(*draft),
        _ => None,
    });
    draft.expect("a crew was saved")
}

#[test]
fn the_list_tells_of_the_last_run_and_is_searched() {
    let mut harness = open(state());
    harness.get_by_label("Code review, Sequential · 4 steps, Completed");
    harness.get_by_label("Weekly report, Sequential · 4 steps, never ran");
    type_into(&mut harness, "Search crews", "week");
    assert!(harness.query_by_label_contains("Code review, Seq").is_none());
    click(&mut harness, "Weekly report, Sequential · 4 steps, never ran");
    assert!(sent(&harness).contains(&C::Show(Shown::Crew(crew_id(2)))));
}

#[test]
fn empty_loading_and_failed_lists_say_so() {
    let mut empty = state();
    empty.pages.crews.list = Slot::with(vec![]);
    let mut harness = open(empty);
    click(&mut harness, "From a file…");
    // In the head of the list, and in the middle of the page.
    for node in harness.get_all_by_role_and_label(egui::Role::Button, "New crew") {
        node.click();
    }
    harness.step();
    let commands = &harness.state().commands;
    assert!(commands.contains(&UiCommand::Pick(PickPurpose::CrewImport)));
    assert!(sent(&harness).contains(&C::Show(Shown::Making)));
    let mut loading = state();
    loading.pages.crews.list = Slot::default();
    // In words, and as what turns.
    assert_eq!(open(loading).get_all_by_label("Reading the crews…").count(), 2);
    let mut failed = state();
    failed.pages.crews.list = Slot::failed(ApiError::validation("the disk is away", "Plug it in."));
    let mut harness = open(failed);
    click(&mut harness, "Try again");
    assert!(sent(&harness).contains(&C::Refresh));
}

#[test]
fn a_crew_is_made_from_a_template() {
    let mut harness = open(showing(Shown::Making));
    click(&mut harness, "Report");
    harness.get_by_label("4 agents are made for it.");
    type_into(&mut harness, "Name", " of the week");
    harness.state_mut().state.pages.crews.pick("/home/ada/notes".into());
    harness.step();
    harness.step();
    click(&mut harness, "Make the crew");
    let expected = C::FromTemplate {
        template: "report".to_owned(),
        name: Some("Report of the week".to_owned()),
        process: CrewProcess::Sequential,
        folder: Some("/home/ada/notes".into()),
        model: None,
    };
    assert_eq!(sent(&harness), [expected]);
    // A name that another crew has is refused in place.
    let mut harness = open(showing(Shown::Making));
    click(&mut harness, "Code review");
    harness.get_by_label("Another crew has this name.");
    click(&mut harness, "Make the crew");
    assert!(sent(&harness).is_empty());
    click(&mut harness, "Empty, with a manager");
    assert_eq!(sent(&harness), [C::Begin(CrewProcess::Hierarchical)]);
}

#[test]
fn the_graph_names_steps_and_edges_and_a_step_is_changed_without_a_mouse() {
    let mut harness = open(showing(Shown::Crew(crew_id(1))));
    harness.get_by_label("Steps of the crew: 4 steps, 3 connections");
    harness.get_by_label("Connection from Security review to Summary");
    click(&mut harness, "Step Security review, agent Reviewer, begins at once");
    type_into(&mut harness, "Title", "!");
    // It waits for another step from now on.
    harness.get_by_role_and_label(egui::Role::ComboBox, "Wait for another step…").click();
    harness.step();
    harness.step();
    // What follows from it is not offered: that would go in a circle. Its chip is the only one of that name.
    assert_eq!(harness.query_all_by_label("Summary").count(), 1);
    click(&mut harness, "Logic");
    harness.get_by_label("not saved");
    harness.get_by_label("Step Security review!, agent Reviewer, waits for Logic");
    let draft = saved(&mut harness);
    assert_eq!(draft.steps[2].title, "Security review!");
    assert_eq!(draft.steps[2].depends_on, ["logic"]);
    click(&mut harness, "No longer wait for Logic");
    assert_eq!(saved(&mut harness).steps[2].depends_on, Vec::<String>::new());
}

#[test]
fn variables_are_offered_and_agents_chosen() {
    let mut harness = open(showing(Shown::Crew(crew_id(1))));
    click(&mut harness, "Step Syntax, agent Reviewer, begins at once");
    button(&mut harness, "{branch}");
    harness.get_by_role_and_label(egui::Role::ComboBox, "Agent").click();
    harness.step();
    harness.step();
    click(&mut harness, "Writer");
    let draft = saved(&mut harness);
    assert_eq!(draft.steps[0].instructions, "Look at {input}{branch}");
    assert_eq!(draft.steps[0].agent, Some(agent_id(2)));
    click(&mut harness, "Make an agent");
    assert!(harness.state().commands.contains(&UiCommand::Run(Action::NewAgent)));
}

#[test]
fn steps_are_added_deleted_and_brought_back() {
    let mut harness = open(showing(Shown::Crew(crew_id(1))));
    click(&mut harness, "Add a step");
    harness.get_by_label("Steps of the crew: 5 steps, 3 connections");
    // What is wrong is said when it is to be saved, and nothing is saved.
    button(&mut harness, "Save");
    harness.get_by_label("Say what is to be done.");
    assert!(sent(&harness).is_empty());
    area(&mut harness, "Instructions", "Print it");
    assert_eq!(saved(&mut harness).steps.len(), 5);
    click(&mut harness, "Delete the step");
    assert!(sent(&harness).contains(&C::StepDeleted("Step 5".to_owned())));
    harness.get_by_label("Steps of the crew: 4 steps, 3 connections");
    harness.state_mut().state.pages.crews.undo += 1;
    harness.step();
    harness.step();
    harness.get_by_label("Steps of the crew: 5 steps, 3 connections");
    // With the keyboard alone, in the graph.
    harness.get_by_label("Steps of the crew: 5 steps, 3 connections").focus();
    harness.step();
    harness.key_press(Key::ArrowRight);
    harness.step();
    harness.key_press(Key::Delete);
    harness.step();
    harness.step();
    assert!(sent(&harness).contains(&C::StepDeleted("Syntax".to_owned())));
    click(&mut harness, "Revert");
    harness.get_by_label("Steps of the crew: 4 steps, 3 connections");
    assert!(harness.query_by_label("not saved").is_none());
}

fn drag(harness: &mut Page, from: egui::Pos2, to: egui::Pos2) {
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: egui::Modifiers::NONE,
    };
    harness.event(egui::Event::PointerMoved(from));
    harness.step();
    harness.event(button(from, true));
    harness.step();
    for share in [0.3, 1.0, 1.0] {
        harness.event(egui::Event::PointerMoved(from + (to - from) * share));
        harness.step();
    }
    harness.event(button(to, false));
    harness.step();
    harness.step();
}

#[test]
fn an_arrow_is_drawn_and_one_that_goes_in_a_circle_is_refused_in_words() {
    let mut harness = open(showing(Shown::Crew(crew_id(1))));
    let rect = |harness: &Page, name: &str| harness.get_by_label(name).rect();
    let syntax = rect(&harness, "Step Syntax, agent Reviewer, begins at once");
    let security = rect(&harness, "Step Security review, agent Reviewer, begins at once");
    drag(&mut harness, syntax.right_center(), security.center());
    let now = rect(&harness, "Step Security review, agent Reviewer, waits for Syntax");
    let summary = rect(&harness, "Step Summary, agent Reviewer, waits for Logic, Security review");
    assert!(now.left() > syntax.right());
    let syntax = rect(&harness, "Step Syntax, agent Reviewer, begins at once");
    drag(&mut harness, summary.right_center(), syntax.center());
    let told = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Notify { kind: NoticeKind::Warning, detail, .. } => Some(detail.clone()),
        _ => None,
    });
    let told = told.expect("it was refused");
    assert!(told.contains("Syntax would wait for itself: Syntax → ") && told.contains("Summary → Syntax"), "{told}");
    assert_eq!(saved(&mut harness).steps[0].depends_on, Vec::<String>::new());
}

#[test]
fn a_box_that_was_dragged_stays_until_it_is_laid_out_again() {
    let mut harness = open(showing(Shown::Crew(crew_id(1))));
    let name = "Step Summary, agent Reviewer, waits for Logic, Security review";
    let at = harness.get_by_label(name).rect().center();
    drag(&mut harness, at, at + egui::vec2(-40.0, 120.0));
    let draft = saved(&mut harness);
    assert!(draft.steps.iter().all(|step| step.at.is_some()));
    click(&mut harness, "Lay out by itself");
    assert!(harness.query_by_label("not saved").is_none(), "it is as it was stored");
}

#[test]
fn leaving_what_is_not_saved_asks_first() {
    let mut harness = open(showing(Shown::Crew(crew_id(1))));
    click(&mut harness, "Add a step");
    click(&mut harness, "Weekly report, Sequential · 4 steps, never ran");
    assert_eq!(sent(&harness), [C::Leave(Box::new(C::Show(Shown::Crew(crew_id(2)))))]);
    // Its own runs may be looked at: what was written stays.
    harness.state_mut().state.pages.crews.show(Shown::Runs(crew_id(1)));
    harness.step();
    harness.state_mut().state.pages.crews.show(Shown::Crew(crew_id(1)));
    harness.step();
    harness.step();
    harness.get_by_label("Steps of the crew: 5 steps, 3 connections");
}

#[test]
fn settings_make_a_crew_hierarchical() {
    let mut harness = open(showing(Shown::Crew(crew_id(1))));
    click(&mut harness, "Settings of the crew");
    type_into(&mut harness, "New variable", "Main Topic");
    click(&mut harness, "Add");
    harness.get_by_label("{main_topic}");
    click(&mut harness, "Hierarchical");
    harness.get_by_label("Manager: Made by itself");
    harness.get_by_label("Member: Reviewer");
    harness.get_by_role_and_label(egui::Role::ComboBox, "Add a member…").click();
    harness.step();
    harness.step();
    click(&mut harness, "Writer");
    let draft = saved(&mut harness);
    assert_eq!((draft.process, draft.members.len()), (CrewProcess::Hierarchical, 2));
    assert_eq!(draft.variables, ["branch", "main_topic"]);
    click(&mut harness, "Remove Reviewer");
    click(&mut harness, "Remove Writer");
    button(&mut harness, "Save");
    harness.get_by_label("It needs at least one member.");
}

#[test]
fn a_new_crew_is_nothing_until_it_is_saved() {
    let mut harness = open(showing(Shown::New(CrewProcess::Sequential)));
    button(&mut harness, "Save");
    harness.get_by_label("It needs a name.");
    type_into(&mut harness, "Name", "Digest");
    click(&mut harness, "Add the first step");
    area(&mut harness, "Instructions", "Read {input}");
    let draft = saved(&mut harness);
    assert_eq!((draft.name.as_str(), draft.steps.len(), draft.steps[0].key.as_str()), ("Digest", 1, "step-1"));
}

#[test]
fn a_run_is_given_what_it_needs() {
    let mut harness = open(showing(Shown::Start(crew_id(1))));
    area(&mut harness, "What it works on", "src/lib.rs");
    click(&mut harness, "Run");
    assert!(sent(&harness).is_empty(), "the variable is missing");
    type_into(&mut harness, "branch", "main");
    harness.get_by_role_and_label(egui::Role::Switch, "Stay offline").click();
    harness.step();
    click(&mut harness, "Run");
    let draft = CrewRunDraft {
        input: "src/lib.rs".to_owned(),
        variables: BTreeMap::from([("branch".to_owned(), "main".to_owned())]),
        folder: None,
        offline: true,
    };
    assert_eq!(sent(&harness), [C::Run { id: crew_id(1), draft: Box::new(draft) }]);
}

#[test]
fn runs_are_listed_and_opened() {
    let mut state = showing(Shown::Runs(crew_id(1)));
    state.pages.crews.runs = Slot::with(listed(vec![run()]));
    let mut harness = open(state);
    harness.get_by_label_contains("Run 12, Completed, 4 of 4 steps").click();
    harness.step();
    assert_eq!(sent(&harness), [C::Show(Shown::Run(run_id(1)))]);
    let mut state = showing(Shown::Runs(crew_id(2)));
    state.pages.crews.runs = Slot::with(listed(vec![]));
    open(state).get_by_label("It has not run yet");
}

fn listed(items: Vec<CrewRun>) -> rspa_core::model::Page<CrewRun> {
    rspa_core::model::Page { total: items.len() as u64, items, offset: 0 }
}

#[test]
fn a_run_that_goes_on_says_what_each_step_does_and_streams() {
    let mut harness = open(showing_run(going()));
    harness.get_by_label("Step Syntax, agent Reviewer, Completed, 9.0 s");
    click(&mut harness, "Step Logic, agent Reviewer, Running, 1 m 00 s");
    let run = RunId(uuid(900));
    let crews = &mut harness.state_mut().state.pages.crews;
    crews.hear(&Event::RunText { run, task: Some(task_id(2)), text: "The lease ".to_owned() });
    crews.hear(&Event::RunText { run, task: Some(task_id(2)), text: "is never renewed.".to_owned() });
    crews.hear(&Event::RunText { run, task: Some(task_id(77)), text: "Of another run.".to_owned() });
    harness.step();
    harness.step();
    harness.get_by_label("The lease is never renewed.");
    assert!(harness.query_by_label("Of another run.").is_none());
    click(&mut harness, "Open task");
    assert!(harness.state().commands.contains(&UiCommand::OpenTask(task_id(2))));
    click(&mut harness, "Cancel");
    assert!(sent(&harness).contains(&C::Cancel(run_id(1))));
    // It ends: what the step gave stands there.
    harness.state_mut().state.pages.crews.put_run(&self::run());
    harness.step();
    harness.step();
    harness.get_by_label("Nothing wrong here.");
    assert_eq!(harness.state().state.pages.crews.running(), 0);
}

#[test]
fn a_step_that_needs_the_person_opens_its_approval() {
    let mut state = showing_run(going());
    let mut approval = fixtures::approval(1, "Write report.md", fixtures::write_file(fixtures::DIFF));
    approval.task = Some(task_id(3));
    let id = approval.id;
    state.pages.approvals.waiting = Slot::with(rspa_core::model::Page { total: 1, items: vec![approval], offset: 0 });
    assert_eq!(state.pages.crews.running(), 1);
    let mut harness = open(state);
    click(&mut harness, "Show the step");
    harness.get_by_label("It waits for your decision.");
    click(&mut harness, "Decide");
    assert!(harness.state().commands.contains(&UiCommand::Approvals(ApprovalsCommand::Show(Some(id)))));
}

#[test]
fn a_failed_run_says_why_and_is_resumed() {
    let mut failed = run();
    (failed.state, failed.output) = (CrewRunState::Failed, None);
    let step = &mut failed.steps[1];
    (step.state, step.output) = (StepState::Failed, None);
    step.error = Some(ApiError::validation("the model ran out of memory", "Choose a smaller one."));
    let mut harness = open(showing_run(failed));
    click(&mut harness, "Step Logic, agent Reviewer, Failed, 9.0 s");
    harness.get_by_label("The model ran out of memory");
    harness.get_by_label("Choose a smaller one.");
    click(&mut harness, "Resume");
    assert!(sent(&harness).contains(&C::Resume(run_id(1))));
}

#[test]
fn a_replay_rewrites_one_step_and_says_what_runs_again() {
    let mut state = showing_run(run());
    state.pages.crews.show(Shown::Replay(run_id(1)));
    let mut harness = open(state);
    click(&mut harness, "Replay offline");
    assert!(sent(&harness).is_empty(), "nothing is rewritten yet");
    click(&mut harness, "Step Logic, from the record");
    area(&mut harness, "As it shall be", " Or is it?");
    harness.get_by_label("Step Logic, rewritten by you");
    harness.get_by_label("Step Summary, runs again");
    harness.get_by_label("Step Security review, from the record");
    harness.get_by_label("1 step rewritten, 1 step runs again, 2 steps from the record. Nothing leaves the computer.");
    click(&mut harness, "Replay offline");
    let text = "# Logic\n\nNothing **wrong** here. Or is it?".to_owned();
    let draft = ReplayDraft { run: run_id(1), edited: BTreeMap::from([("logic".to_owned(), text)]) };
    assert_eq!(sent(&harness), [C::Replay(Box::new(draft))]);
}

#[test]
fn a_replay_is_compared_with_the_run_before() {
    let mut replayed = run();
    (replayed.id, replayed.number, replayed.replay_of) = (run_id(2), 13, Some(run_id(1)));
    (replayed.steps[1].state, replayed.steps[1].output) = (StepState::Edited, Some(output("Something is wrong.")));
    let mut state = showing_run(replayed);
    state.pages.crews.original = Slot::with(run());
    let mut harness = open(state);
    click(&mut harness, "Compared with before");
    harness.get_by_label("1 step gave something else than before.");
    harness.get_by_label("Something is wrong.");
    harness.get_by_label("Nothing wrong here.");
    harness.get_by_role_and_label(egui::Role::Switch, "Only what differs").click();
    harness.step();
    harness.step();
    assert!(harness.query_all_by_label("the same").count() >= 2);
}

#[test]
fn runs_of_a_thousand_steps_draw_only_what_is_in_view() {
    let mut long = run();
    let one = long.steps[0].clone();
    long.steps = (0..1_000)
        .map(|number| CrewRunStep {
            key: format!("s{number}"),
            title: format!("Part {number}"),
            depends_on: if number > 0 { vec![format!("s{}", number - 1)] } else { Vec::new() },
            ..one.clone()
        })
        .collect();
    let harness = open(showing_run(long));
    assert!(harness.query_all_by_label_contains("Step Part").count() < 60);
}
