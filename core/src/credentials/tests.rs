//! The keeper with its own clock, keychain and data folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::keychain::tests::{Entries, in_memory};
use super::*;
use crate::api::ErrorCategory;
use crate::clock::{Clock, ManualClock};
use crate::model::{Consumer, PageRequest, ProfileId, Protection, SecretText, Timestamp, VaultPlace};
use crate::settings::Settings;
use crate::storage::audit::{self, AuditState};
use crate::storage::disk::SystemDisk;
use crate::storage::{Db, DbOptions, tables};
use crate::workspace::places::Places;

const MINUTE: i64 = 60_000;
const PROFILE: ProfileId = ProfileId(uuid::Uuid::from_u128(1));

/// A computer that can be restarted: what lies on its disk stays, and so do its clock and its keychain.
struct Computer {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    steady: Arc<AtomicU64>,
    keychain: Option<Entries>,
    environment: BTreeMap<String, String>,
    settings: BTreeMap<String, String>,
}

struct Run {
    main: Db,
    keeper: Keeper,
}

impl Computer {
    fn new(keychain: bool, settings: &[(&str, &str)]) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(Timestamp(1_760_000_000_000))),
            steady: Arc::default(),
            keychain: keychain.then(Entries::default),
            environment: BTreeMap::new(),
            settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        }
    }

    fn start(&self) -> Run {
        let places = Places::find(&BTreeMap::new(), Some(self.folder.path()), None).unwrap();
        let settings = Arc::new(Settings::load(&places, &BTreeMap::new(), &self.settings, None).unwrap());
        let main = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default()).unwrap();
        let steady = self.steady.clone();
        let keeper = Keeper::new(KeeperParts {
            main: main.clone(),
            settings,
            environment: self.environment.clone(),
            clock: self.clock.clone(),
            steady: Arc::new(move || Duration::from_millis(steady.load(Ordering::SeqCst))),
            folder: places.credentials(),
            disk: Arc::new(SystemDisk),
            random: system_random,
            kdf: Kdf { memory_kib: 64, passes: 1, lanes: 1 },
            keychain: self.keychain.as_ref().map(in_memory).ok_or_else(|| "there is none".to_owned()),
        });
        Run { main, keeper }
    }

    /// Time passes by both clocks.
    fn wait(&self, ms: i64) {
        self.clock.advance_ms(ms);
        self.steady.fetch_add(u64::try_from(ms).unwrap(), Ordering::SeqCst);
    }
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

fn new(service: &str, text: &str) -> NewCredential {
    NewCredential {
        service: service.to_owned(),
        label: String::new(),
        secret: secret(text),
        base_url: None,
        expires: None,
    }
}

impl Run {
    fn read(&self, service: &str) -> Result<String, CredentialError> {
        self.keeper.secret_for(PROFILE, service, &Consumer::Program).map(|secret| secret.reveal().to_owned())
    }

    fn kinds(&self) -> Vec<String> {
        assert!(matches!(audit::verify(&self.main).unwrap(), AuditState::Whole { .. }));
        let page = audit::page(&self.main, PageRequest::default()).unwrap();
        page.items.into_iter().rev().map(|row| row.kind).collect()
    }
}

/// Nothing in a data folder holds this text but sealed.
fn assert_nowhere(folder: &Path, text: &str) {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(text.len()).any(|part| part == text.as_bytes());
            assert!(!found, "{} holds it", path.display());
        }
    }
}

#[test]
fn a_credential_is_stored_used_replaced_and_removed_and_each_touch_is_audited() {
    let computer = Computer::new(false, &[]);
    let run = computer.start();
    assert!(matches!(run.read("openai"), Err(CredentialError::Missing(_))));
    let stored = run.keeper.set(new("openai", " sk-canary-one\n")).unwrap();
    assert_eq!(
        (stored.place, stored.label.as_str(), stored.host.as_deref()),
        (VaultPlace::Files, "OpenAI", Some("api.openai.com"))
    );
    assert_eq!(run.read("openai").unwrap(), "sk-canary-one");
    run.keeper.set(new("openai", "sk-canary-two")).unwrap();
    assert_eq!(run.read("openai").unwrap(), "sk-canary-two");
    assert_eq!(run.keeper.list().unwrap().items[0].used, Some(computer.clock.now()));
    assert!(run.keeper.doctor().iter().all(|check| check.ok));
    assert_nowhere(computer.folder.path(), "sk-canary");
    run.keeper.remove("openai").unwrap();
    assert!(run.keeper.list().unwrap().items.is_empty());
    assert_eq!(
        run.kinds(),
        ["credential.set", "credential.read", "credential.replaced", "credential.read", "credential.removed"]
    );
}

#[test]
fn what_cannot_be_a_credential_is_refused_without_saying_it() {
    let run = Computer::new(false, &[]).start();
    let long = "x".repeat(17 << 10);
    for text in ["", "  \n", "sk-canary\r\nx: y", "sk-canary\0", &long] {
        let error = run.keeper.set(new("openai", text)).unwrap_err();
        assert_eq!(error.category(), ErrorCategory::Validation);
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    assert!(run.keeper.set(new("../x", "a")).is_err());
    let plain = NewCredential { base_url: Some("http://host.example".to_owned()), ..new("mine", "sk-canary") };
    assert!(run.keeper.set(plain).unwrap_err().to_string().contains("everybody on the way"));
    let past = NewCredential { expires: Some(Timestamp(5)), ..new("mine", "sk-canary") };
    assert!(run.keeper.set(past).is_err());
    assert!(run.keeper.list().unwrap().items.is_empty());
}

#[test]
fn wrong_passphrases_are_counted_over_restarts_and_then_none_is_tried_for_a_while() {
    let computer = Computer::new(false, &[("security.max_failed_attempts", "3"), ("security.lockout_minutes", "10")]);
    let run = computer.start();
    run.keeper.set(new("openai", "alpha")).unwrap();
    assert!(run.keeper.set_passphrase(None, Some(&secret("short"))).is_err());
    run.keeper.set_passphrase(None, Some(&secret("open sesame"))).unwrap();
    drop(run);
    let run = computer.start();
    assert_eq!(run.read("openai"), Err(CredentialError::Locked));
    assert_eq!(run.keeper.unlock(&secret("wrong 1")), Err(CredentialError::WrongPassphrase { left: 2 }));
    drop(run);
    let run = computer.start();
    assert_eq!(run.keeper.unlock(&secret("wrong 2")), Err(CredentialError::WrongPassphrase { left: 1 }));
    assert!(matches!(run.keeper.unlock(&secret("wrong 3")), Err(CredentialError::LockedOut { .. })));
    // The right one is not even tried.
    assert!(matches!(run.keeper.unlock(&secret("open sesame")), Err(CredentialError::LockedOut { .. })));
    assert!(matches!(
        run.keeper.set_passphrase(Some(&secret("open sesame")), Some(&secret("other words"))),
        Err(CredentialError::LockedOut { .. })
    ));
    computer.wait(4 * MINUTE);
    drop(run);
    // A restart, and a clock that was set back by a day: what is left stays left.
    computer.clock.advance_ms(-24 * 60 * MINUTE);
    let run = computer.start();
    let left = |run: &Run| match run.keeper.unlock(&secret("open sesame")) {
        Err(CredentialError::LockedOut { left_ms, .. }) => left_ms,
        other => panic!("{other:?}"),
    };
    assert_eq!(left(&run), 10 * MINUTE);
    // The clock alone is set forward while the program runs: it counts nothing.
    computer.clock.advance_ms(48 * 60 * MINUTE);
    assert_eq!(left(&run), 10 * MINUTE);
    computer.wait(6 * MINUTE);
    assert_eq!(left(&run), 4 * MINUTE);
    let status = run.keeper.status().unwrap();
    assert_eq!(status.locked_out_until, Some(Timestamp(computer.clock.now().0 + 4 * MINUTE)));
    computer.wait(4 * MINUTE);
    run.keeper.unlock(&secret("open sesame")).unwrap();
    assert_eq!(run.read("openai").unwrap(), "alpha");
    assert_eq!(run.keeper.status().unwrap().attempts_left, 3);
    let kinds = run.kinds();
    assert_eq!(kinds.iter().filter(|kind| *kind == "vault.unlock_failed").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| *kind == "vault.locked_out").count(), 1);
}

#[test]
fn it_locks_itself_removes_what_expired_and_renews_its_key_when_due() {
    let computer = Computer::new(false, &[("security.lock_after_minutes", "5"), ("security.key_rotation_days", "30")]);
    let run = computer.start();
    let expires = Some(Timestamp(computer.clock.now().0 + 2 * MINUTE));
    run.keeper.set(NewCredential { expires, ..new("gone", "sk-canary-gone") }).unwrap();
    run.keeper.set(new("stays", "alpha")).unwrap();
    run.keeper.set_passphrase(None, Some(&secret("open sesame"))).unwrap();
    assert!(!run.keeper.upkeep().unwrap());
    computer.wait(3 * MINUTE);
    assert_eq!(run.read("gone"), Err(CredentialError::Expired("gone".to_owned())));
    assert_eq!(run.keeper.list().unwrap().items.len(), 1);
    assert!(!run.keeper.status().unwrap().locked);
    computer.wait(4 * MINUTE);
    assert!(run.keeper.upkeep().unwrap() && run.keeper.status().unwrap().locked);
    let created = run.keeper.status().unwrap().key_created;
    computer.wait(31 * 24 * 60 * MINUTE);
    // Locked: it waits.
    assert!(!run.keeper.upkeep().unwrap());
    run.keeper.unlock(&secret("open sesame")).unwrap();
    assert!(run.keeper.upkeep().unwrap());
    assert!(run.keeper.status().unwrap().key_created > created);
    assert_eq!(run.read("stays").unwrap(), "alpha");
    assert!(!run.keeper.upkeep().unwrap());
    let kinds = run.kinds();
    assert!(kinds.contains(&"credential.expired".to_owned()) && kinds.contains(&"vault.rotated".to_owned()));
}

#[test]
fn they_move_between_keychain_and_files_and_are_in_one_place_only() {
    let computer = Computer::new(true, &[]);
    let run = computer.start();
    assert_eq!(run.keeper.set(new("openai", "sk-canary-1")).unwrap().place, VaultPlace::Keychain);
    let entries = computer.keychain.clone().unwrap();
    assert_eq!(entries.lock().unwrap().len(), 1);
    run.keeper.move_to(VaultPlace::Files).unwrap();
    assert!(entries.lock().unwrap().is_empty());
    assert_eq!(run.read("openai").unwrap(), "sk-canary-1");
    run.keeper.set_passphrase(None, Some(&secret("open sesame"))).unwrap();
    run.keeper.lock().unwrap();
    assert_eq!(run.keeper.move_to(VaultPlace::Keychain), Err(CredentialError::Locked));
    assert_eq!(run.keeper.status().unwrap().protection, Protection::Passphrase);
    run.keeper.unlock(&secret("open sesame")).unwrap();
    run.keeper.move_to(VaultPlace::Keychain).unwrap();
    assert_eq!(entries.lock().unwrap().len(), 1);
    assert!(!computer.folder.path().join("credentials/openai.sealed").exists());
    assert_eq!(run.read("openai").unwrap(), "sk-canary-1");
    drop(run);
    // A computer without its keychain says so; what is new goes to files.
    let bare = Computer { keychain: None, ..computer };
    let run = bare.start();
    assert!(matches!(run.read("openai"), Err(CredentialError::Keychain(_))));
    run.keeper.unlock(&secret("open sesame")).unwrap();
    assert_eq!(run.keeper.set(new("gemini", "b")).unwrap().place, VaultPlace::Files);
    assert_eq!(run.keeper.status().unwrap().keychain_problem.as_deref(), Some("there is none"));
}

#[test]
fn the_environment_wins_and_its_keys_are_never_stored() {
    let mut computer = Computer::new(false, &[]);
    computer.environment.insert("OPENAI_API_KEY".to_owned(), "sk-canary-environment".to_owned());
    let run = computer.start();
    run.keeper.set(new("openai", "stored")).unwrap();
    assert_eq!(run.read("openai").unwrap(), "sk-canary-environment");
    let list = run.keeper.list().unwrap();
    assert_eq!(list.items[0].overruled_by.as_deref(), Some("OPENAI_API_KEY"));
    assert_eq!((list.environment.len(), list.environment[0].variable.as_str()), (1, "OPENAI_API_KEY"));
    assert!(!format!("{list:?}").contains("canary"));
    assert_nowhere(computer.folder.path(), "sk-canary");
}

#[test]
fn others_than_the_program_ask_first_and_the_answer_can_be_taken_back() {
    let computer = Computer::new(false, &[]);
    let run = computer.start();
    run.keeper.set(new("openai", "alpha")).unwrap();
    let agent = Consumer::Agent("researcher".to_owned());
    let use_it = |run: &Run| run.keeper.secret_for(PROFILE, "openai", &agent).map(|secret| secret.reveal().to_owned());
    let answer = |run: &Run, allowed| run.keeper.answer_grant(PROFILE, "openai", agent.clone(), allowed).unwrap();
    assert!(run.keeper.answer_grant(PROFILE, "openai", agent.clone(), true).is_err(), "nobody has asked");
    for _ in 0..2 {
        assert!(matches!(use_it(&run), Err(CredentialError::NeedsConsent { .. })));
    }
    assert_eq!(run.keeper.grants(PROFILE).unwrap().iter().map(|grant| grant.allowed).collect::<Vec<_>>(), [None]);
    answer(&run, false);
    assert!(matches!(use_it(&run), Err(CredentialError::Refused { .. })));
    answer(&run, true);
    assert_eq!(use_it(&run).unwrap(), "alpha");
    // A grant is for one profile, one service, one consumer.
    let other = ProfileId(uuid::Uuid::from_u128(2));
    assert!(matches!(run.keeper.secret_for(other, "openai", &agent), Err(CredentialError::NeedsConsent { .. })));
    let tool = Consumer::Tool("researcher".to_owned());
    assert!(matches!(run.keeper.secret_for(PROFILE, "openai", &tool), Err(CredentialError::NeedsConsent { .. })));
    drop(run);
    let run = computer.start();
    assert_eq!(use_it(&run).unwrap(), "alpha");
    run.keeper.revoke_grant(PROFILE, "openai", &agent).unwrap();
    assert!(matches!(use_it(&run), Err(CredentialError::NeedsConsent { .. })));
    // What is removed takes its grants along.
    answer(&run, true);
    run.keeper.remove("openai").unwrap();
    run.keeper.set(new("openai", "beta")).unwrap();
    assert!(matches!(use_it(&run), Err(CredentialError::NeedsConsent { .. })));
    let kinds = run.kinds();
    for kind in ["grant.asked", "grant.allowed", "grant.refused", "grant.revoked", "credential.denied"] {
        assert!(kinds.contains(&kind.to_owned()), "{kind} in {kinds:?}");
    }
}

#[test]
fn a_keychain_that_hangs_or_lies_loses_nothing() {
    /// Takes everything and keeps nothing.
    struct Forgetful;
    impl Backend for Forgetful {
        fn get(&mut self, _name: &str) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, String> {
            Ok(None)
        }
        fn set(&mut self, _name: &str, _label: &str, _secret: &[u8]) -> Result<(), String> {
            Ok(())
        }
        fn remove(&mut self, _name: &str) -> Result<bool, String> {
            Ok(false)
        }
    }
    let computer = Computer::new(false, &[("security.vault", "files")]);
    let run = computer.start();
    run.keeper.set(new("openai", "alpha")).unwrap();
    drop(run);
    let mut run = computer.start();
    run.keeper.put_keychain(Keychain::new(KeychainLimits::default(), || Ok(Box::new(Forgetful))));
    assert!(run.keeper.move_to(VaultPlace::Keychain).unwrap_err().to_string().contains("read back"));
    assert_eq!(run.read("openai").unwrap(), "alpha");
    let (_never, waits) = std::sync::mpsc::channel::<()>();
    let waits = Mutex::new(Some(waits));
    let limits = KeychainLimits { connect: Duration::from_millis(30), answer: Duration::from_millis(30) };
    run.keeper.put_keychain(Keychain::new(limits, move || {
        let waits = waits.lock().unwrap().take().unwrap();
        waits.recv().unwrap_or_default();
        Err("it is over".to_owned())
    }));
    let status = run.keeper.status().unwrap();
    assert!(status.keychain_problem.unwrap().contains("did not answer"));
    assert_eq!(run.read("openai").unwrap(), "alpha");
}

#[test]
fn a_lost_key_or_passphrase_loses_what_it_sealed_and_nothing_more() {
    let computer = Computer::new(false, &[]);
    let run = computer.start();
    run.keeper.set(new("openai", "alpha")).unwrap();
    drop(run);
    for entry in std::fs::read_dir(computer.folder.path().join("credentials")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "key") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let run = computer.start();
    let error = run.read("openai").unwrap_err();
    assert!(error.to_string().contains("it is missing") && error.advice().contains("remove"), "{error}");
    assert!(run.keeper.set(new("gemini", "beta")).is_err());
    run.keeper.remove("openai").unwrap();
    run.keeper.set(new("gemini", "beta")).unwrap();
    run.keeper.set_passphrase(None, Some(&secret("open sesame"))).unwrap();
    drop(run);
    let run = computer.start();
    assert!(run.keeper.set_passphrase(None, Some(&secret("other words"))).is_err(), "something is sealed");
    run.keeper.remove("gemini").unwrap();
    run.keeper.set_passphrase(None, Some(&secret("other words"))).unwrap();
    run.keeper.set(new("gemini", "gamma")).unwrap();
    run.keeper.lock().unwrap();
    run.keeper.unlock(&secret("other words")).unwrap();
    assert_eq!(run.read("gemini").unwrap(), "gamma");
}

#[test]
fn an_agents_first_use_asks_in_the_window_and_a_yes_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = crate::engine::Engine::start(crate::api::CoreOptions {
        role: crate::api::Role::Command,
        data_folder: Some(folder.path().to_owned()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::new(),
        console_level: None,
        chat_model: None,
        faults: None,
        clock: Arc::new(ManualClock::at(Timestamp(1_760_000_000_000))),
    })
    .unwrap_or_else(|_refused| panic!("the engine does not start"));
    let ctx = engine.context().clone();
    let credentials = ctx.credentials().unwrap();
    credentials.keeper().set(new("openai", "sk-canary")).unwrap();
    let agent = Consumer::Agent("researcher".to_owned());
    let mut listener = ctx.events.listen();
    assert!(matches!(credentials.secret_for("openai", &agent), Err(CredentialError::NeedsConsent { .. })));
    // A second use while the question waits does not ask a second time.
    assert!(credentials.secret_for("openai", &agent).is_err());
    let question = loop {
        if let crate::api::Heard::Event(heard) = listener.next()
            && let crate::api::Event::ConsentAsked { question } = heard.event
        {
            break question;
        }
    };
    assert!(question.what.contains("openai") && question.who.contains("researcher"), "{question:?}");
    assert_eq!(ctx.consents.list().len(), 1);
    ctx.consents.answer(question.id, true).unwrap();
    while credentials.secret_for("openai", &agent).is_err() {
        listener.next();
    }
    assert_eq!(credentials.secret_for("openai", &agent).unwrap().reveal(), "sk-canary");
}
