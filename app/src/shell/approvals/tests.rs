//! Tests of the approvals panel by accessible label.

use egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use rspa_core::model::*;

use super::ApprovalsPanel;
use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::fixtures::{self, DIFF, Stage, approval, stage, write_file};
use crate::state::pages::approvals::Part;
use crate::state::{AppState, Slot};

type Panel = Harness<'static, Stage<ApprovalsPanel>>;

fn state(waiting: Vec<Approval>) -> AppState {
    let mut state = fixtures::state();
    let total = waiting.len() as u64;
    state.pages.approvals.waiting = Slot::with(Page { items: waiting, total, offset: 0 });
    state.pages.approvals.open = true;
    state
}

fn panel(state: AppState) -> Panel {
    stage(ApprovalsPanel::default(), state, (460.0, 774.0), true, |panel, ui, cx| {
        panel.content(ui, cx.state, cx.commands, false);
    })
}

/// It has stood there for more than a moment.
fn shown(state: AppState) -> Panel {
    let mut harness = panel(state);
    harness.run_steps(60);
    harness
}

fn answers(harness: &Panel) -> Vec<ApprovalAnswer> {
    let all = harness.state().commands.iter();
    all.filter_map(|command| match command {
        UiCommand::Approvals(ApprovalsCommand::Answer { answer, .. }) => Some(answer.clone()),
        _ => None,
    })
    .collect()
}

fn command(text: &str) -> ProposedAction {
    ProposedAction::RunCommand {
        command: text.into(),
        folder: "/home/ada/work".into(),
        network: false,
        limits: CommandLimits::default(),
        confinement: "Landlock: writes only in ~/work.".into(),
    }
}

#[test]
fn a_write_is_shown_whole_with_its_diff_and_allowed_once() {
    let mut asked = approval(1, "Write report.md", write_file(DIFF));
    asked.influenced_by = vec!["invoice.pdf".into()];
    let mut harness = shown(state(vec![asked]));
    harness.get_by_label("Analyst wants to use write_file");
    harness.get_by_label("After reading invoice.pdf, which is not trusted");
    harness.get_by_label("+Sales rose by 4 %.");
    harness.get_by_label("from now on, without asking: writes in ~/work/q4");
    harness.get_by_label("Allow once").click();
    harness.run_steps(2);
    assert_eq!(answers(&harness), [ApprovalAnswer::Once]);
    harness.get_by_label("Always here").click();
    harness.run_steps(2);
    assert_eq!(answers(&harness)[1], ApprovalAnswer::Always);
}

#[test]
fn nothing_is_answered_in_the_first_moment_and_enter_never_allows() {
    let asked = approval(1, "Write report.md", write_file(DIFF));
    let appears = |harness: &mut Panel| {
        harness.run();
        // Time stands still: however many frames pass, it is new.
        harness.input_mut().time = Some(1_000.0);
        harness.state_mut().state.pages.approvals.waiting =
            Slot::with(Page { items: vec![asked.clone()], total: 1, offset: 0 });
        harness.run_steps(2);
    };
    let mut harness = panel(state(vec![]));
    appears(&mut harness);
    harness.get_by_label("Allow once").click();
    harness.run_steps(2);
    assert_eq!(answers(&harness), []);
    // Whoever holds Enter down answers nothing, and afterwards only denies.
    let mut harness = panel(state(vec![]));
    appears(&mut harness);
    assert!(harness.get_by_label("Deny").accesskit_node().is_focused());
    harness.key_down(Key::Enter);
    for tenth in 0..40 {
        harness.input_mut().time = Some(1_000.0 + f64::from(tenth) / 10.0);
        harness.step();
    }
    assert_eq!(answers(&harness), []);
    harness.key_up(Key::Enter);
    harness.step();
    harness.input_mut().time = Some(1_005.0);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    assert_eq!(answers(&harness), [ApprovalAnswer::Deny { reason: String::new() }]);
}

#[test]
fn the_reason_of_a_denial_is_told() {
    let mut harness = shown(state(vec![approval(1, "Run make", command("make"))]));
    harness.get_by_label("make");
    harness.get_by_label("No network");
    harness.get_by_label("Landlock: writes only in ~/work.");
    harness.get_by_label("60 s, 1,024 MB memory, 256 kB output, 256 MB written, 64 processes");
    harness.get_by_label("Reason for the agent").focus();
    harness.run_steps(2);
    harness.get_by_label("Reason for the agent").type_text("not today");
    harness.run_steps(2);
    harness.get_by_label("Deny").click();
    harness.run_steps(2);
    assert_eq!(answers(&harness), [ApprovalAnswer::Deny { reason: "not today".into() }]);
}

#[test]
fn a_question_is_answered_by_choice_or_in_words() {
    let question =
        ProposedAction::Question { question: "Which quarter?".into(), choices: vec!["Q3".into(), "Q4".into()] };
    let mut harness = shown(state(vec![approval(1, "A question", question)]));
    harness.get_by_label("Which quarter?");
    harness.get_by_label("Q4").click();
    harness.run_steps(2);
    harness.get_by_label("Your answer").focus();
    harness.run_steps(2);
    harness.get_by_label("Your answer").type_text("both");
    harness.run_steps(2);
    harness.get_by_label("Send").click();
    harness.run_steps(2);
    let reply = |text: &str| ApprovalAnswer::Reply { text: text.into() };
    assert_eq!(answers(&harness), [reply("Q4"), reply("both")]);
    assert!(harness.query_by_label("Allow once").is_none());
}

#[test]
fn a_request_shows_method_headers_and_the_whole_body() {
    let request = ProposedAction::HttpRequest {
        method: "POST".into(),
        url: "https://api.example/reports".into(),
        headers: vec![("X-Key".into(), "abc".into())],
        body: "{\"total\": 4}".into(),
    };
    let harness = shown(state(vec![approval(1, "POST to api.example", request)]));
    harness.get_by_label("POST https://api.example/reports");
    harness.get_by_label("X-Key: abc");
    harness.get_by_label("{\"total\": 4}");
}

#[test]
fn hostile_text_is_bounded_and_made_visible() {
    let hostile = format!("rm -rf ~\u{202e}txt\u{7}{}\nsecond", "y".repeat(1_000_000));
    let mut asked = approval(1, &hostile, command(&hostile));
    asked.agent_name = hostile.clone();
    asked.task_title = hostile.clone();
    asked.always = Some(hostile.clone());
    asked.influenced_by = vec![hostile.clone(); 3];
    let harness = shown(state(vec![asked]));
    assert!(harness.query_all_by_label_contains("rm -rf ~\\u{202e}txt\\u{7}yyy").count() > 1);
    harness.get_by_label_contains("characters that hide or reorder");
    let labels = harness.query_all_by_role(egui::Role::Label);
    for node in labels {
        let words = node.accesskit_node().label().or_else(|| node.accesskit_node().value()).unwrap_or_default();
        assert!(words.len() < 25_000 && !words.contains(['\u{202e}', '\u{7}']), "{}", words.len());
    }
}

#[test]
fn what_cannot_be_shown_whole_cannot_be_allowed() {
    let text = "z\n".repeat(crate::widgets::exact::LONGEST / 2 + 10);
    let mut harness = shown(state(vec![approval(1, "Run it", command(&text))]));
    harness.get_by_label_contains("too long to be shown whole");
    harness.get_by_label("Allow once").click();
    harness.run_steps(2);
    assert_eq!(answers(&harness), []);
}

#[test]
fn answered_ones_leave_and_the_next_waits_its_own_moment() {
    let both = vec![approval(1, "First", command("one")), approval(2, "Second", command("two"))];
    let mut harness = shown(state(both.clone()));
    harness.get_by_label("one");
    harness.get_by_label("Second").click();
    harness.run_steps(2);
    let show = UiCommand::Approvals(ApprovalsCommand::Show(Some(both[1].id)));
    assert!(harness.state().commands.contains(&show));
    harness.input_mut().time = Some(1_000.0);
    harness.state_mut().state.pages.approvals.answer_sent(both[0].id);
    harness.step();
    harness.get_by_label("two");
    harness.get_by_label("Allow once").click();
    harness.run_steps(2);
    assert_eq!(answers(&harness), []);
    harness.state_mut().state.pages.approvals.answer_failed(both[0].id);
    harness.run_steps(2);
    harness.get_by_label("one");
}

#[test]
fn history_and_rules_are_listed_and_a_rule_is_removed() {
    let mut answered = approval(1, "Write report.md", write_file(DIFF));
    answered.state = ApprovalState::AllowedAlways;
    let mut all = state(vec![]);
    all.pages.approvals.history = Slot::with(Page { items: vec![answered.clone()], total: 1, offset: 0 });
    all.pages.approvals.part = Part::Answered;
    let harness = shown(all);
    harness.get_by_label("Write report.md");
    let id = "01890000-0000-7000-8000-000000000077".parse().unwrap();
    let rule = ApprovalRule {
        id,
        agent: answered.agent,
        agent_name: "Analyst".into(),
        tool: "write_file".into(),
        scope: "/home/ada/work/q4".into(),
        words: "writes in ~/work/q4".into(),
        created: fixtures::NOW,
    };
    let mut all = state(vec![]);
    all.pages.approvals.rules = Slot::with(vec![rule]);
    all.pages.approvals.part = Part::Rules;
    let mut harness = shown(all);
    harness.get_by_label("writes in ~/work/q4");
    harness.get_by_label("Remove").click();
    harness.run_steps(2);
    let removed = UiCommand::Approvals(ApprovalsCommand::RemoveRule(id));
    assert!(harness.state().commands.contains(&removed));
    let harness = shown(state(vec![]));
    harness.get_by_label("Nothing waits for you");
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "approvals_dark"), (false, "approvals_light")] {
        let mut asked = approval(1, "Write report.md", write_file(DIFF));
        asked.influenced_by = vec!["invoice.pdf".into()];
        let both = vec![asked, approval(2, "Run make", command("make"))];
        let mut harness = stage(ApprovalsPanel::default(), state(both), (460.0, 640.0), dark, |panel, ui, cx| {
            panel.content(ui, cx.state, cx.commands, false);
        });
        harness.remove_cursor();
        harness.run_steps(60);
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
