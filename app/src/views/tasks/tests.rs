//! Tests of the page "Tasks" by accessible label.

use egui::{Key, Modifiers, Role, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use rspa_core::api::ApiError;
use rspa_core::model::*;

use super::TasksView;
use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::fixtures::{self, Stage, page, task};
use crate::state::pages::tasks::{Cards, Editing, Shape, Stepping, TasksChoice, TasksState};
use crate::state::{AppState, Slot};

const WIDE: (f32, f32) = (1096.0, 774.0);

type Page = Harness<'static, Stage<TasksView>>;

fn counts() -> TaskCounts {
    TaskCounts { pending: 12, running: 2, completed: 3, failed: 1, cancelled: 0, needs_you: 1, paused: false }
}

fn with(mut tasks: TasksState, choice: TasksChoice) -> AppState {
    let mut state = fixtures::state();
    tasks.counts = Slot::with(counts());
    state.pages.tasks = tasks;
    state.ui.tasks = choice;
    let waiting = fixtures::approval(1, "Write report.md", fixtures::write_file(fixtures::DIFF));
    state.pages.approvals.waiting = Slot::with(Page2 { items: vec![waiting], total: 1, offset: 0 });
    state
}

use rspa_core::model::Page as Page2;

fn board_state() -> AppState {
    with(TasksState::showing(TasksChoice::default(), Some(Cards::new(fixtures::board())), None), TasksChoice::default())
}

fn open(state: AppState) -> Page {
    let mut harness = page::<TasksView>(state, WIDE, true);
    harness.run();
    harness
}

fn rows(count: u64) -> AppState {
    let choice = TasksChoice { shape: Shape::Table, ..TasksChoice::default() };
    let items = (1..=100.min(count)).map(|number| task(number, &format!("Task {number}"))).collect();
    let page = Page2 { items, total: count, offset: 0 };
    with(TasksState::showing(choice.clone(), None, Some(page)), choice)
}

fn commands(harness: &Page) -> Vec<TasksCommand> {
    let commands = harness.state().commands.iter();
    commands
        .filter_map(|command| match command {
            UiCommand::Tasks(command) => Some(command.clone()),
            _ => None,
        })
        .collect()
}

fn id(number: u64) -> TaskId {
    task(number, "").id
}

#[test]
fn the_page_asks_once_it_is_seen_and_says_what_to_do_when_there_is_nothing() {
    let mut harness = open(with(TasksState::default(), TasksChoice::default()));
    assert_eq!(commands(&harness)[0], TasksCommand::Choose(TasksChoice::default()));
    assert!(harness.query_all_by_label("Reading the tasks").count() > 0);
    let empty = Board { columns: vec![] };
    harness =
        open(with(TasksState::showing(TasksChoice::default(), Some(Cards::new(empty)), None), TasksChoice::default()));
    harness.get_by_label("No tasks yet");
    let mut failed = TasksState::showing(TasksChoice::default(), None, None);
    failed.error = Some(ApiError::validation("the tasks cannot be read", "Wait a moment."));
    harness = open(with(failed, TasksChoice::default()));
    harness.get_by_label("The tasks cannot be read");
    harness.get_by_label("Try again").click();
    harness.run();
    assert_eq!(commands(&harness), [TasksCommand::Refresh]);
    let choice = TasksChoice { text: "nowhere".into(), ..TasksChoice::default() };
    let board = Board { columns: vec![] };
    harness = open(with(TasksState::showing(choice.clone(), Some(Cards::new(board)), None), choice));
    harness.get_by_label("Nothing matches");
}

#[test]
fn cards_say_who_and_why_and_a_click_opens_one() {
    let mut harness = open(board_state());
    harness.get_by_label("14 open");
    harness.get_by_label("Backlog, 2 tasks");
    harness.get_by_label("#3 Summarise interviews (12), Analyst, queued, high, after #8");
    harness.get_by_label("#6 Code review: scheduler, Reviewer, running, urgent, step 8 of 12 · reading scheduler.rs");
    harness.get_by_label("#10 Draft release notes, Writer, failed, medium, the budget is used up");
    harness.get_by_label("#8 Clean Q4 sales CSV, Analyst, completed, high, 45 s").click();
    harness.run();
    assert_eq!(commands(&harness), [TasksCommand::Select(Some(id(8)))]);
}

#[test]
fn arrows_go_from_card_to_card_and_control_moves_them() {
    let mut harness = open(board_state());
    harness.get_by_label_contains("#1 Read").focus();
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert!(harness.get_by_label_contains("#2 Tag").accesskit_node().is_focused());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::ArrowUp);
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::ArrowRight);
    harness.run();
    let (backlog, queued) = (BoardColumn::Backlog, BoardColumn::Queued);
    assert_eq!(
        commands(&harness),
        [
            TasksCommand::Move { id: id(2), column: backlog, before: Some(id(1)) },
            TasksCommand::Move { id: id(2), column: queued, before: None },
        ]
    );
    harness.key_press(Key::ArrowRight);
    harness.run();
    assert!(harness.get_by_label_contains("#4 Weekly").accesskit_node().is_focused());
}

#[test]
fn a_card_is_dragged_between_two_others() {
    let mut harness = open(board_state());
    let from = harness.get_by_label_contains("#1 Read").rect().center();
    let to = harness.get_by_label_contains("#4 Weekly").rect();
    harness.drag_at(from);
    harness.run_steps(2);
    harness.hover_at(pos2(to.center().x, to.top() + 4.0));
    harness.run_steps(3);
    harness.drop_at(pos2(to.center().x, to.top() + 4.0));
    harness.run_steps(3);
    let expected = TasksCommand::Move { id: id(1), column: BoardColumn::Queued, before: Some(id(4)) };
    assert_eq!(commands(&harness), [expected]);
}

#[test]
fn what_waits_for_the_person_is_not_answered_in_its_first_moment() {
    let mut harness = open(board_state());
    let click = |harness: &mut Page, label: &str| {
        harness.get_by_label(label).click();
        harness.run_steps(2);
    };
    let answers = |harness: &Page| {
        let all = harness.state().commands.iter();
        all.filter(|command| matches!(command, UiCommand::Approvals(ApprovalsCommand::Answer { .. }))).count()
    };
    // It appears at a moment that stands still: however many frames pass, it is new.
    let waiting = harness.state_mut().state.pages.approvals.waiting.get_mut().unwrap().items.pop().unwrap();
    harness.run();
    harness.input_mut().time = Some(1_000.0);
    harness.state_mut().state.pages.approvals.waiting.get_mut().unwrap().items.push(waiting);
    harness.step();
    click(&mut harness, "Allow once");
    assert_eq!(answers(&harness), 0);
    harness.input_mut().time = Some(1_000.6);
    click(&mut harness, "Allow once");
    assert_eq!(answers(&harness), 1);
    click(&mut harness, "Show");
    let shown =
        UiCommand::Approvals(ApprovalsCommand::Show(Some(fixtures::approval(1, "", fixtures::write_file("")).id)));
    assert!(harness.state().commands.contains(&shown));
    // What was read may have led to it: it is looked at whole.
    let mut state = board_state();
    state.pages.approvals.waiting.get_mut().unwrap().items[0].influenced_by = vec!["invoice.pdf".into()];
    let harness = open(state);
    harness.get_by_label("Look at it");
    assert!(harness.query_by_label("Allow once").is_none());
}

#[test]
fn of_many_cards_only_those_in_view_are_laid_out() {
    let tasks: Vec<_> = (1..=2_000).map(|number| task(number, &format!("Task {number}"))).collect();
    let board = Board { columns: vec![ColumnContent { column: BoardColumn::Queued, total: 5_000, tasks }] };
    let mut harness =
        open(with(TasksState::showing(TasksChoice::default(), Some(Cards::new(board)), None), TasksChoice::default()));
    let cards = harness.query_all_by_role(Role::ListItem).count();
    assert!((8..20).contains(&cards), "{cards}");
    let first = harness.get_by_label_contains("#1 Task 1,");
    first.focus();
    harness.run();
    for _ in 0..30 {
        harness.key_press(Key::ArrowDown);
        harness.run();
    }
    assert!(harness.get_by_label_contains("#31 Task 31,").accesskit_node().is_focused());
}

#[test]
fn a_hostile_title_and_diff_are_drawn_bounded() {
    let mut state = board_state();
    let hostile = format!("a\nb\u{202e}\u{1b}[2J{}", "x".repeat(1_000_000));
    let mut cards = fixtures::board();
    for content in &mut cards.columns {
        for task in &mut content.tasks {
            task.title = hostile.clone();
            task.agent_name = hostile.clone();
            task.waits = task.waits.as_ref().map(|_| Wait::Agent { why: hostile.clone() });
        }
    }
    state.pages.tasks = TasksState::showing(TasksChoice::default(), Some(Cards::new(cards)), None);
    let diff = format!("@@ -1 +1 @@\n+{hostile}\n");
    let waiting = fixtures::approval(1, &hostile, fixtures::write_file(&diff));
    state.pages.approvals.waiting = Slot::with(Page2 { items: vec![waiting], total: 1, offset: 0 });
    let harness = open(state);
    for node in harness.query_all_by_role(Role::ListItem) {
        let label = node.accesskit_node().label().unwrap_or_default();
        assert!(label.len() < 2_000 && !label.contains(['\n', '\u{202e}', '\u{1b}']), "{} bytes", label.len());
    }
    // It would hide something, so it is not allowed from the card.
    harness.get_by_label("Look at it");
}

#[test]
fn rows_are_chosen_by_click_shift_control_and_keys_and_changed_together() {
    let mut harness = open(rows(100_000));
    let laid_out = harness.query_all_by_role(Role::ListItem).count();
    assert!((15..30).contains(&laid_out), "{laid_out}");
    harness.get_by_label_contains("#2 Task 2,").click();
    harness.run();
    assert_eq!(commands(&harness), [TasksCommand::Select(Some(id(2)))]);
    harness.get_by_label_contains("#5 Task 5,").click_modifiers(Modifiers::SHIFT);
    harness.run();
    harness.get_by_label("4 chosen");
    harness.get_by_label_contains("#3 Task 3,").click_modifiers(Modifiers::COMMAND);
    harness.run();
    harness.get_by_label("3 chosen");
    harness.get_by_label("Move to Backlog").click();
    harness.run();
    let ids = vec![id(2), id(4), id(5)];
    let moved = TasksCommand::MoveAll { ids: ids.clone(), column: BoardColumn::Backlog };
    assert_eq!(commands(&harness).last(), Some(&moved));
    harness.get_by_label("Cancel").click();
    harness.run();
    let asked = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Confirm(question) => Some(question.clone()),
        _ => None,
    });
    assert_eq!(*asked.unwrap().then, UiCommand::Tasks(TasksCommand::Cancel(ids.clone())));
    harness.get_by_label("Delete").click();
    harness.run();
    assert_eq!(commands(&harness).last(), Some(&TasksCommand::Delete(ids)));
    assert!(harness.query_by_label("3 chosen").is_none());
}

#[test]
fn missing_rows_are_asked_for_and_a_header_sorts() {
    let mut harness = open(rows(100_000));
    harness.key_press(Key::End);
    harness.run();
    assert!(commands(&harness).contains(&TasksCommand::NeedRows(999)), "{:?}", commands(&harness));
    harness.key_press(Key::Home);
    harness.run();
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowDown);
    harness.run();
    harness.get_by_label("2 chosen");
    harness.get_by_label("Sort by title").click();
    harness.run();
    let choice = TasksChoice { shape: Shape::Table, sort: TaskSort::Title, ..TasksChoice::default() };
    assert_eq!(commands(&harness).last(), Some(&TasksCommand::Choose(choice)));
}

#[test]
fn filters_and_the_switch_change_the_choice() {
    let mut harness = open(board_state());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    harness.get_by_label("Filter the tasks").type_text("digest");
    harness.run();
    let last = |harness: &Page| match commands(harness).pop() {
        Some(TasksCommand::Choose(choice)) => choice,
        other => panic!("{other:?}"),
    };
    assert_eq!(last(&harness).text, "digest");
    harness.get_by_label("Table").click();
    harness.run();
    assert_eq!(last(&harness).shape, Shape::Table);
    harness.get_by_label("Pause the queue").click();
    harness.run();
    assert_eq!(commands(&harness).pop(), Some(TasksCommand::PauseQueue(true)));
}

fn detail_state() -> AppState {
    let mut state = board_state();
    let tasks = TasksState::showing(TasksChoice::default(), Some(Cards::new(fixtures::board())), None);
    let mut tasks = tasks.with_detail(fixtures::detail());
    tasks.stepping = Stepping::showing(fixtures::detail().runs[1].id, fixtures::steps());
    tasks.counts = Slot::with(counts());
    state.pages.tasks = tasks;
    state
}

#[test]
fn one_task_is_shown_whole_and_its_steps_are_gone_through() {
    let mut harness = open(detail_state());
    harness.get_by_label("completed · 45 s");
    harness.get_by_label_contains("Chart Sales by month, 3 points");
    harness.get_by_label("wrote sales-clean.csv (812 lines)");
    harness.get_by_label("Input").click();
    harness.run();
    harness.get_by_label("  \"file\": \"~/work/q4/sales.csv\"");
    harness.get_by_label("Timeline").click();
    harness.run();
    harness.get_by_label_contains("Started · attempt 1");
    harness.get_by_label("Links").click();
    harness.run();
    harness.get_by_label("#1  Read the new RFC drafts").click();
    harness.run();
    assert_eq!(commands(&harness), [TasksCommand::Select(Some(id(1)))]);
    harness.get_by_label("Steps").click();
    harness.run();
    harness.get_by_label("Step 3 of 3");
    harness.key_press(Key::ArrowLeft);
    harness.run();
    harness.get_by_label("Step 2 of 3");
    harness.get_by_label("You allowed it");
    harness.get_by_label("+Sales rose by 4 %.");
    harness.get_by_label("Previous step").click();
    harness.run();
    harness.get_by_label("It could only say what can be read as a call.");
    harness.get_by_label("Run again").click();
    harness.run();
    assert!(matches!(commands(&harness).last(), Some(TasksCommand::Create(_))));
}

#[test]
fn what_is_said_now_streams_below_the_last_step() {
    let mut state = detail_state();
    let run = fixtures::detail().runs[1].id;
    state.pages.tasks.stepping.said(run, "and now \u{202e}this");
    let mut harness = open(state);
    harness.get_by_label("Steps").click();
    harness.run();
    harness.get_by_label("and now \\u{202e}this");
}

#[test]
fn a_task_that_was_cut_off_says_what_each_answer_leads_to() {
    let mut detail = fixtures::detail();
    detail.task.status = TaskStatus::Pending;
    detail.task.column = BoardColumn::NeedsYou;
    detail.task.waits = Some(Wait::Repeat { done: vec!["wrote report.md (48 lines)".into()] });
    let mut state = board_state();
    state.pages.tasks =
        TasksState::showing(TasksChoice::default(), Some(Cards::new(fixtures::board())), None).with_detail(detail);
    let mut harness = open(state);
    harness.get_by_label("wrote report.md (48 lines)");
    harness.get_by_label_contains("may happen a second time");
    harness.get_by_label("Count as failed").click();
    harness.run();
    assert_eq!(commands(&harness), [TasksCommand::AllowRepeat { id: id(8), repeat: false }]);
}

#[test]
fn the_form_makes_a_task_and_keeps_what_was_typed() {
    let mut state = board_state();
    state.pages.tasks.editing = Some(Editing::New { column: BoardColumn::Backlog });
    state.pages.tasks.form = 1;
    let mut harness = open(state);
    harness.get_by_label("A title is needed.");
    harness.get_by_role_and_label(Role::TextInput, "Title").type_text("Clean the CSV");
    harness.run();
    let input = |harness: &mut Page, text: &str| {
        harness.get_by_role_and_label(Role::MultilineTextInput, "Input (JSON)").focus();
        harness.run();
        harness.get_by_role_and_label(Role::MultilineTextInput, "Input (JSON)").type_text(text);
    };
    input(&mut harness, "{\"a\": ");
    harness.run();
    assert!(harness.query_all_by_label_contains("This is no JSON").count() > 0);
    input(&mut harness, "1}");
    harness.run();
    // Left and opened again: it is still there.
    harness.state_mut().state.pages.tasks.editing = None;
    harness.run();
    harness.state_mut().state.pages.tasks.editing = Some(Editing::New { column: BoardColumn::Backlog });
    harness.state_mut().state.pages.tasks.form = 2;
    harness.run();
    harness.get_by_label("Create").click();
    harness.run();
    let made = commands(&harness).into_iter().find_map(|command| match command {
        TasksCommand::Create(draft) => Some(draft),
        _ => None,
    });
    let made = made.expect("it is made");
    assert_eq!((made.title.as_str(), made.held, made.input["a"].as_i64()), ("Clean the CSV", true, Some(1)));
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        for (name, state) in [("board", board_state()), ("table", rows(40)), ("task", detail_state())] {
            let mut harness = page::<TasksView>(state, (1096.0, 720.0), dark);
            harness.remove_cursor();
            harness.run_steps(60);
            harness.snapshot(format!("tasks_{name}_{theme}"));
            results.extend_harness(&mut harness);
        }
    }
}
