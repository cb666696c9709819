//! Tests of the credentials page by accessible label.

use egui::Key;
use egui_kittest::kittest::Queryable;
use rspa_core::model::{
    Consumer, Credential, CredentialList, CredentialTest, EnvironmentKey, Grant, KnownService, Protection, TestOutcome,
    Timestamp, VaultPlace, VaultStatus,
};

use super::CredentialsView;
use crate::commands::UiCommand;
use crate::commands::pages::credentials::CredentialsCommand as C;
use crate::fixtures::{self, NOW, page};
use crate::state::{AppState, Slot};

const SIZE: (f32, f32) = (1096.0, 1400.0);

fn vault() -> VaultStatus {
    VaultStatus {
        place: VaultPlace::Files,
        keychain_problem: Some("there is no D-Bus session here".into()),
        protection: Protection::Passphrase,
        locked: false,
        locked_out_until: None,
        attempts_left: 5,
        key_created: Some(NOW),
        next_rotation: None,
        problem: None,
    }
}

fn list(vault: VaultStatus) -> CredentialList {
    let item = Credential {
        service: "openai".into(),
        label: "Work account".into(),
        place: VaultPlace::Files,
        base_url: None,
        host: Some("api.openai.com".into()),
        created: NOW,
        updated: NOW,
        expires: Some(Timestamp(NOW.0 + 86_400_000)),
        tested: Some(CredentialTest {
            at: NOW,
            outcome: TestOutcome::Accepted,
            words: "api.openai.com accepted it and offers 42 models".into(),
        }),
        used: None,
        overruled_by: None,
    };
    let environment = EnvironmentKey {
        service: "anthropic".into(),
        variable: "ANTHROPIC_API_KEY".into(),
        in_use: true,
        host: Some("api.anthropic.com".into()),
        tested: None,
    };
    let known = |service: &str, name: &str, base_url: Option<&str>| KnownService {
        service: service.into(),
        name: name.into(),
        base_url: base_url.map(str::to_owned),
    };
    let services = vec![
        known("anthropic", "Anthropic", Some("https://api.anthropic.com/v1")),
        known("custom", "OpenAI-compatible", None),
    ];
    CredentialList { vault, items: vec![item], environment: vec![environment], services }
}

fn state(list: CredentialList) -> AppState {
    let mut state = fixtures::state();
    let grant = |name: &str, allowed| Grant {
        service: "openai".into(),
        consumer: Consumer::Agent(name.into()),
        allowed,
        at: NOW,
    };
    state.pages.credentials.list = Slot::with(list);
    state.pages.credentials.grants = Slot::with(vec![grant("researcher", None), grant("editor", Some(true))]);
    state
}

fn sent(harness: &egui_kittest::Harness<'_, fixtures::Stage<CredentialsView>>) -> Vec<C> {
    let of = |command: &UiCommand| match command {
        UiCommand::Credentials(command) => Some(command.clone()),
        UiCommand::Confirm(question) => match &*question.then {
            UiCommand::Credentials(command) => Some(command.clone()),
            _ => None,
        },
        _ => None,
    };
    harness.state().commands.iter().filter_map(of).collect()
}

#[test]
fn a_key_is_typed_unseen_and_sent_once_and_forgotten_when_it_is_stored() {
    let mut harness = page::<CredentialsView>(state(list(vault())), SIZE, true);
    harness.run();
    harness.get_by_label("Add a key").click();
    harness.run();
    harness.get_by_role_and_label(egui::Role::PasswordInput, "Key").focus();
    harness.run();
    for piece in ["sk-cana", "ry!"] {
        harness.get_by_role_and_label(egui::Role::PasswordInput, "Key").type_text(piece);
        harness.run();
    }
    harness.key_press(Key::Backspace);
    harness.run();
    let told = format!("{:?}", harness.root());
    assert!(!told.contains("canary"), "a screen reader is told the key");
    assert_eq!(harness.get_by_role_and_label(egui::Role::PasswordInput, "Key").value(), None);
    harness.get_by_label("Save").click();
    harness.run();
    let commands = sent(&harness);
    let Some(C::Set { service, secret, .. }) = commands.last() else { panic!("{commands:?}") };
    assert_eq!((service.as_str(), secret.reveal()), ("anthropic", "sk-canary"));
    assert!(!format!("{commands:?}").contains("canary"));
    // Not yet confirmed: the form is still there.
    harness.state_mut().state.pages.credentials.busy = true;
    harness.run();
    assert!(harness.query_by_label("Save").is_some());
    harness.state_mut().state.pages.credentials.busy = false;
    harness.state_mut().state.pages.credentials.confirmed += 1;
    harness.run();
    assert!(harness.query_by_label("Save").is_none());
}

#[test]
fn a_test_names_its_host_before_anything_leaves() {
    let mut harness = page::<CredentialsView>(state(list(vault())), SIZE, true);
    harness.run();
    harness.get_by_label("Test Work account").click();
    harness.run();
    let asked = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Confirm(question) => Some(question.consequence.clone()),
        _ => None,
    });
    assert!(asked.unwrap().contains("api.openai.com"));
    let expected = C::Test { service: "openai".into(), confirmed_host: "api.openai.com".into() };
    assert_eq!(sent(&harness), [expected]);
}

#[test]
fn a_locked_vault_is_unlocked_by_enter_and_a_locked_out_one_takes_nothing() {
    let locked = VaultStatus { locked: true, attempts_left: 2, ..vault() };
    let mut harness = page::<CredentialsView>(state(list(locked.clone())), SIZE, true);
    harness.run();
    harness.get_by_label("2 more tries");
    harness.get_by_role_and_label(egui::Role::PasswordInput, "Passphrase").focus();
    harness.run();
    harness.get_by_role_and_label(egui::Role::PasswordInput, "Passphrase").type_text("open sesame");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let commands = sent(&harness);
    assert!(matches!(&commands[..], [C::Unlock(passphrase)] if passphrase.reveal() == "open sesame"), "{commands:?}");

    let out = VaultStatus { locked_out_until: Some(NOW), ..locked };
    let mut harness = page::<CredentialsView>(state(list(out)), SIZE, true);
    harness.run();
    harness.get_by_label_contains("Too many wrong passphrases");
    assert!(harness.query_by_role_and_label(egui::Role::PasswordInput, "Passphrase").is_none());
}

#[test]
fn a_question_of_an_agent_is_answered_and_an_answer_taken_back() {
    let mut harness = page::<CredentialsView>(state(list(vault())), SIZE, true);
    harness.run();
    harness.get_by_label("Allow").click();
    harness.run();
    harness.get_by_label("Take back").click();
    harness.run();
    let commands = sent(&harness);
    assert!(
        matches!(&commands[0], C::AnswerGrant { allowed: true, consumer: Consumer::Agent(name), .. } if name == "researcher")
    );
    assert!(matches!(&commands[1], C::RevokeGrant { consumer: Consumer::Agent(name), .. } if name == "editor"));
}

#[test]
fn nothing_stored_errors_and_loading_are_said() {
    let mut empty = list(VaultStatus { protection: Protection::KeyFile, key_created: None, ..vault() });
    empty.items.clear();
    empty.environment.clear();
    let mut harness = page::<CredentialsView>(state(empty), SIZE, true);
    harness.run();
    harness.get_by_label_contains("No keys yet");
    harness.get_by_label_contains("guards against a stolen copy");
    let mut failed = fixtures::state();
    let error = rspa_core::api::ApiError::validation("vault.json cannot be used", "Restore it.");
    failed.pages.credentials.list = Slot::failed(error);
    let mut harness = page::<CredentialsView>(failed, SIZE, true);
    harness.run();
    harness.get_by_label("Try again").click();
    harness.run();
    assert_eq!(sent(&harness), [C::Refresh]);
    let mut harness = page::<CredentialsView>(fixtures::state(), SIZE, true);
    harness.run();
    assert!(harness.query_all_by_label("Reading the vault").count() >= 1);
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "credentials_dark"), (false, "credentials_light")] {
        let mut harness = page::<CredentialsView>(state(list(vault())), (900.0, 640.0), dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
