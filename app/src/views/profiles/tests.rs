//! Tests of the page by accessible label.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use rspa_core::model::{
    LedgerEntry, NetworkPolicy, Profile, ProfileCounts, ProfileId, ProfileList, ProfileNetwork, Timestamp,
};

use super::ProfilesView;
use crate::commands::UiCommand;
use crate::commands::pages::profiles::{LedgerFormat, ProfilesCommand};
use crate::fixtures::{self, Stage, page};
use crate::state::pages::profiles::Part;
use crate::state::pages::profiles::ledger::{Ledger, LedgerFilter};
use crate::state::{AppState, Slot};

const WIDE: (f32, f32) = (1096.0, 774.0);
const NARROW: (f32, f32) = (480.0, 700.0);

fn id(number: u32) -> ProfileId {
    format!("01890000-0000-7000-8000-{number:012}").parse().unwrap()
}

fn profile(number: u32, name: &str, forbid_cloud: bool) -> Profile {
    let network = ProfileNetwork { forbid_cloud, ..ProfileNetwork::default() };
    Profile { id: id(number), name: name.into(), created: fixtures::NOW, updated: fixtures::NOW, network }
}

fn row(number: u64, allowed: bool) -> LedgerEntry {
    LedgerEntry {
        at: Timestamp(fixtures::NOW.0 - i64::try_from(number).unwrap() * 3_600_000),
        who: "models".into(),
        destination: format!("https://host{number}.example.org:443"),
        purpose: "Download SmolLM2 135M".into(),
        allowed,
        reason: if allowed { "confirmed once by the person".into() } else { "policy: nothing".into() },
        bytes_sent: 120,
        bytes_received: if allowed { 98_000_000 } else { 0 },
        profile: Some(id(2)),
        profile_name: "Work".into(),
    }
}

fn state(ledger: Vec<LedgerEntry>) -> AppState {
    let mut state = fixtures::state();
    state.pages.profiles.list = Slot::with(ProfileList {
        active: id(1),
        profiles: vec![profile(1, "Personal", false), profile(2, "Work", true)],
        counts: vec![ProfileCounts { sources: 3, chats: 12 }, ProfileCounts { sources: 1, chats: 1 }],
    });
    state.pages.profiles.ledger = Ledger::with(ledger);
    state
}

fn shown(size: (f32, f32)) -> Harness<'static, Stage<ProfilesView>> {
    let mut harness = page::<ProfilesView>(state((0..50).map(|n| row(n, n % 2 == 0)).collect()), size, true);
    harness.run();
    harness
}

fn commands(harness: &Harness<'_, Stage<ProfilesView>>) -> Vec<ProfilesCommand> {
    let one = |command: &UiCommand| match command {
        UiCommand::Profiles(command) => Some(command.clone()),
        _ => None,
    };
    harness.state().commands.iter().filter_map(one).collect()
}

#[test]
fn a_profile_is_made_with_a_name_that_is_free() {
    let mut harness = shown(WIDE);
    harness.get_by_label("New profile").click();
    harness.run();
    harness.get_by_label("Name").type_text("WORK");
    harness.run();
    assert!(harness.query_by_label_contains("already a profile of this name").is_some());
    harness.get_by_label("Name").type_text(" 2");
    harness.run();
    harness.get_by_label("Make").click();
    harness.run();
    let network = ProfileNetwork::default();
    assert_eq!(commands(&harness), [ProfilesCommand::Create { name: "WORK 2".into(), network }]);
}

#[test]
fn only_the_whole_name_deletes() {
    let mut harness = shown(WIDE);
    assert!(harness.get_by_label("Delete").accesskit_node().is_disabled(), "the active one");
    harness.get_by_label_contains("Work").click();
    harness.run();
    harness.get_by_label("Delete").click();
    harness.run();
    harness.get_by_label("Name").type_text("Wor");
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
    assert!(commands(&harness).is_empty());
    harness.get_by_label("Name").type_text("k");
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
    assert_eq!(commands(&harness), [ProfilesCommand::Delete { id: id(2), typed: "Work".into() }]);
}

#[test]
fn stricter_is_set_at_once_and_looser_is_asked() {
    let mut harness = shown(WIDE);
    harness.get_by_label("Nothing").click();
    harness.run();
    let network = ProfileNetwork { policy: Some(NetworkPolicy::Nothing), ..ProfileNetwork::default() };
    assert_eq!(commands(&harness), [ProfilesCommand::SetNetwork { id: id(1), network }]);
    harness.get_by_label("All hosts").click();
    harness.run();
    let Some(UiCommand::Confirm(question)) = harness.state().commands.last() else { panic!("a question") };
    assert!(question.title.contains("Personal") && question.danger);
    harness.get_by_label_contains("Work").click();
    harness.run();
    harness.get_by_role_and_label(egui::Role::Switch, "Forbid every cloud call").click();
    harness.run();
    assert!(matches!(harness.state().commands.last(), Some(UiCommand::Confirm(_))));
    harness.get_by_label("Host to add").focus();
    harness.run();
    harness.get_by_label("Host to add").type_text("https://a.org");
    harness.run();
    assert!(harness.query_by_label_contains("no https://").is_some());
}

fn ledger(rows: Vec<LedgerEntry>) -> AppState {
    let mut state = state(rows);
    state.pages.profiles.part = Part::Ledger;
    state
}

#[test]
fn the_ledger_is_filtered_and_its_rows_are_looked_at_whole() {
    let mut harness = page::<ProfilesView>(ledger((0..50).map(|n| row(n, n % 2 == 0)).collect()), WIDE, true);
    harness.run();
    assert!(harness.query_by_label("50 requests").is_some());
    harness.get_by_label_contains("host1.example.org:443: Download SmolLM2 135M, blocked").click();
    harness.run();
    harness.get_by_label("Only this host").click();
    harness.run();
    let only = LedgerFilter { text: "host1.example.org".into(), ..LedgerFilter::default() };
    assert_eq!(commands(&harness), [ProfilesCommand::Filter(only.clone())]);
    harness.state_mut().state.pages.profiles.filter = only;
    harness.get_by_label("Close the row").click();
    harness.run();
    assert!(harness.query_by_label("1 of 50 requests").is_some());
    assert!(harness.query_by_label("host1.example.org: 1 blocked · 120 bytes sent").is_some());
    harness.get_by_label("Export").click();
    harness.run();
    harness.get_by_label("CSV, what is shown").click();
    harness.run();
    let pick = UiCommand::Pick(crate::commands::PickPurpose::LedgerFolder(LedgerFormat::Csv));
    assert_eq!(harness.state().commands.last(), Some(&pick));
    harness.get_by_label("Clear").click();
    harness.run();
    assert_eq!(commands(&harness).last(), Some(&ProfilesCommand::Filter(LedgerFilter::default())));
}

#[test]
fn arrows_go_through_the_ledger() {
    let mut harness = page::<ProfilesView>(ledger((0..50).map(|n| row(n, n % 2 == 0)).collect()), WIDE, true);
    harness.run();
    harness.key_press(egui::Key::ArrowDown);
    harness.run();
    harness.key_press(egui::Key::ArrowDown);
    harness.run();
    assert!(harness.query_by_label("https://host1.example.org:443").is_some(), "the second row, whole");
}

#[test]
fn a_refused_host_is_listed_with_one_press_and_shows_its_rows() {
    let mut rows: Vec<LedgerEntry> = (0..4).map(|n| row(n, false)).collect();
    rows.iter_mut().for_each(|row| row.profile = Some(id(1)));
    let mut harness = page::<ProfilesView>(state(rows), (1096.0, 1200.0), true);
    harness.run();
    assert!(harness.query_by_label("Refused from this profile").is_some());
    harness.get_all_by_label("1 blocked · 120 bytes sent").next().unwrap().click();
    harness.run();
    harness.get_all_by_label("List it").next().unwrap().click();
    harness.run();
    let commands = commands(&harness);
    assert_eq!(commands[0], ProfilesCommand::ShowLedger("host0.example.org".into()));
    let network = ProfileNetwork { hosts: vec!["host0.example.org".into()], ..ProfileNetwork::default() };
    assert_eq!(commands[1], ProfilesCommand::SetNetwork { id: id(1), network });
}

#[test]
fn it_stands_in_a_narrow_pane_and_without_rows() {
    let mut harness = shown(NARROW);
    harness.get_by_label("Network ledger").click();
    harness.run();
    assert_eq!(commands(&harness), [ProfilesCommand::ShowPart(Part::Ledger)]);
    let mut harness = page::<ProfilesView>(ledger(Vec::new()), WIDE, false);
    harness.run();
    assert!(harness.query_by_label_contains("Nothing has asked to leave this computer").is_some());
    let mut harness = page::<ProfilesView>(AppState::default(), WIDE, false);
    harness.run();
    assert!(harness.query_all_by_label("Reading the profiles…").next().is_some());
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "profiles_dark"), (false, "profiles_light")] {
        let mut harness =
            page::<ProfilesView>(state((0..5).map(|n| row(n, n % 2 == 0)).collect()), (1040.0, 760.0), dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
