//! Tests of the page of usage by accessible label.

use egui::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use rspa_core::model::{FeatureUse, SettingValue, UsageFormat, UsageGroup, UsageLine, UsageReport};

use super::UsageView;
use crate::commands::pages::usage::UsageCommand as U;
use crate::commands::{PickPurpose, UiCommand};
use crate::fixtures::{self, Stage, page};
use crate::state::{AppState, Page, Slot};

const SIZE: (f32, f32) = (1096.0, 1300.0);

fn line(key: &str, calls: u64, tokens: u64, cost: Option<f64>) -> UsageLine {
    UsageLine {
        key: key.into(),
        calls,
        cached: calls / 4,
        failed: 1,
        prompt_tokens: tokens,
        answer_tokens: tokens / 5,
        seconds: tokens as f64 / 1_000.0,
        cost,
    }
}

pub fn report() -> UsageReport {
    let days = (1..=30).map(|day| line(&format!("2026-11-{day:02}"), day, day * 900, Some(day as f64 / 40.0)));
    UsageReport {
        lines: vec![line("openai/gpt-4.1", 120, 402_000, Some(1.24)), line("smollm2-135m", 300, 88_000, None)],
        total: line("", 420, 490_000, Some(1.24)),
        days: days.collect(),
        currency: "USD".into(),
        without_price: vec!["smollm2-135m".into()],
        recording: true,
    }
}

fn state(report: UsageReport) -> AppState {
    let mut state = fixtures::state();
    state.pages.usage.report = Slot::with(report);
    let used = |feature: &str, count| FeatureUse { feature: feature.into(), count, last_day: "2026-11-20".into() };
    state.pages.usage.features = Slot::with(vec![used("page.chat", 40), used("crew.run", 2)]);
    state
}

fn shown(state: AppState) -> Harness<'static, Stage<UsageView>> {
    let mut harness = page::<UsageView>(state, SIZE, true);
    harness.run();
    harness
}

fn sent(harness: &Harness<'_, Stage<UsageView>>) -> Vec<U> {
    let of = |command: &UiCommand| match command {
        UiCommand::Usage(command) => Some(command.clone()),
        UiCommand::Confirm(question) => match &*question.then {
            UiCommand::Usage(command) => Some(command.clone()),
            _ => None,
        },
        _ => None,
    };
    harness.state().commands.iter().filter_map(of).collect()
}

#[test]
fn every_figure_has_its_unit_and_the_table_sorts() {
    let mut harness = shown(state(report()));
    for words in ["490,000", "98,000", "8 m 10 s", "1.24 USD", "420", "25 % of calls"] {
        assert!(harness.query_all_by_label_contains(words).next().is_some(), "{words}");
    }
    let top = |harness: &Harness<'_, Stage<UsageView>>, name: &str| {
        harness.get_by_label_contains(&format!("{name}: ")).rect().top()
    };
    assert!(top(&harness, "openai/gpt-4.1") < top(&harness, "smollm2-135m"));
    harness.get_by_label("Sort by Calls").click();
    harness.run();
    assert!(top(&harness, "smollm2-135m") < top(&harness, "openai/gpt-4.1"));
    harness.get_by_label("7 days").click();
    harness.run();
    harness.get_by_label("Agent").click();
    harness.run();
    assert_eq!(sent(&harness), [U::Days(7), U::By(UsageGroup::Agent)]);
}

#[test]
fn models_without_a_price_lead_to_the_setting() {
    let mut harness = shown(state(report()));
    assert!(harness.query_by_label_contains("Without a price, so not in the cost: smollm2-135m").is_some());
    harness.get_by_label("Set prices").click();
    harness.run();
    assert_eq!(harness.state().commands, [UiCommand::OpenPage(Page::Settings)]);
}

#[test]
fn it_is_exported_deleted_after_a_question_and_switched_off() {
    let mut harness = shown(state(report()));
    harness.get_by_label("Export").click();
    harness.run();
    harness.get_by_label("JSON").click();
    harness.run();
    assert_eq!(harness.state().commands, [UiCommand::Pick(PickPurpose::UsageFolder(UsageFormat::Json))]);
    harness.get_by_label("Delete").click();
    harness.run();
    harness.get_by_label("Older than 30 days").click();
    harness.run();
    assert_eq!(sent(&harness), [U::Delete { older_than_days: 30 }]);
    assert!(harness.query_by_label("Page “Chat”: 40 times, 20 Nov 2026").is_some());
    harness.get_by_role_and_label(Role::Switch, "Count use of features").click();
    harness.run();
    let off = UiCommand::SetSetting { key: "usage.features".into(), value: SettingValue::Bool(false) };
    assert_eq!(harness.state().commands.last(), Some(&off));
}

#[test]
fn what_is_off_empty_or_on_its_way_says_so() {
    let mut harness = shown(state(UsageReport { recording: false, ..UsageReport::default() }));
    assert!(harness.query_by_label_contains("Use of models is not counted").is_some());
    assert!(harness.query_by_label_contains("No model was used in the last 30 days").is_some());
    harness.get_by_label("Count it again").click();
    harness.run();
    let on = UiCommand::SetSetting { key: "usage.record".into(), value: SettingValue::Bool(true) };
    assert_eq!(harness.state().commands, [on]);
    let harness = shown(AppState::default());
    assert!(harness.query_all_by_label("Counting what was used…").next().is_some());
}
