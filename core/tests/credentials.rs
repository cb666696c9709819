//! Credentials through the one door: tested against a stand-in service, searched for where they must not be, and kept in
//! a real keychain.
#![cfg(unix)]
#![allow(clippy::disallowed_types, reason = "the stand-in service speaks plain TCP")]

#[path = "credentials/child.rs"]
mod child;
#[path = "credentials/keyring.rs"]
mod keyring;
#[path = "credentials/memory.rs"]
mod memory;
#[path = "credentials/stand_in.rs"]
mod stand_in;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rspa_core::api::request::backups::CreateBackup;
use rspa_core::api::request::credentials::{
    ListCredentials, ListGrants, RemoveCredential, SetCredential, SetPassphrase, TestCredential, UnlockVault,
};
use rspa_core::api::request::settings::DumpSettings;
use rspa_core::api::request::system::{ListLedger, RunDoctor};
use rspa_core::api::{Call, Core, CoreOptions, ErrorCategory, Guard, Heard, Role};
use rspa_core::clock::SystemClock;
use rspa_core::model::{Consumer, PageRequest, SecretText, TestOutcome};
use stand_in::StandIn;

pub fn options(data: &Path, environment: BTreeMap<String, String>) -> CoreOptions {
    CoreOptions {
        role: Role::Command,
        data_folder: Some(data.to_owned()),
        overrides: BTreeMap::from([("logging.level".to_owned(), "trace".to_owned())]),
        environment,
        console_level: None,
        chat_model: None,
        faults: None,
        clock: Arc::new(SystemClock),
    }
}

pub fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

pub fn set(service: &str, text: &str, base_url: Option<String>) -> SetCredential {
    let (service, label) = (service.to_owned(), String::new());
    SetCredential { service, label, secret: secret(text), base_url, expires: None }
}

fn test(service: &str) -> TestCredential {
    TestCredential { service: service.to_owned(), confirmed_host: Some("127.0.0.1".to_owned()) }
}

#[test]
fn a_key_is_tested_against_a_service_that_answers_in_every_way() {
    use TestOutcome as T;
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path(), BTreeMap::new())).unwrap();
    for (status, body, expected) in [
        ("200 OK", r#"{"data":[{"id":"a"},{"id":"b"}]}"#, T::Accepted),
        ("200 OK", "<html>sk-canary", T::Unexpected),
        ("401 X", r#"{"error":"Incorrect API key provided: sk-canary"}"#, T::Refused),
        ("403 X", "sk-canary", T::Forbidden),
        ("429 X", "sk-canary", T::Limited),
        ("500 X", "sk-canary", T::ServerError),
        ("302 X\r\nLocation: http://127.0.0.1:1/sk-canary", "", T::Unexpected),
    ] {
        let service = StandIn::answering(status, body);
        core.call(set("openai", "sk-canary", Some(service.base_url()))).wait().unwrap();
        let tested = core.call(test("openai")).wait().unwrap();
        assert_eq!(tested.outcome, expected, "{status}: {}", tested.words);
        assert!(!tested.words.contains("canary"), "{}", tested.words);
        let request = service.request();
        assert!(request.starts_with("GET /v1/models HTTP/1.1\r\n"), "{request}");
        assert!(request.to_lowercase().contains("authorization: bearer sk-canary\r\n"), "{request}");
        let item = core.call(ListCredentials {}).wait().unwrap().items.remove(0);
        assert_eq!(item.tested.unwrap().outcome, expected);
    }
    // Nothing listens there.
    core.call(set("openai", "sk-canary", Some("http://127.0.0.1:1/v1".to_owned()))).wait().unwrap();
    assert_eq!(core.call(test("openai")).wait().unwrap().outcome, T::Unreachable);
    let ledger = core.call(ListLedger { page: PageRequest::default() }).wait().unwrap();
    assert_eq!(ledger.total, 8);
    assert!(!format!("{ledger:?}").contains("canary"));
}

#[test]
fn each_known_service_gets_its_key_in_its_own_header() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path(), BTreeMap::new())).unwrap();
    for (service, path, header, body) in [
        ("anthropic", "/v1/models", "x-api-key: sk-canary\r\n", r#"{"data":[{}]}"#),
        ("gemini", "/v1/models", "x-goog-api-key: sk-canary\r\n", r#"{"models":[{}]}"#),
        ("ollama", "/v1/api/tags", "authorization: bearer sk-canary\r\n", r#"{"models":[{}]}"#),
        ("my-server", "/v1/models", "authorization: bearer sk-canary\r\n", r#"{"data":[{}]}"#),
    ] {
        let stand_in = StandIn::answering("200 OK", body);
        core.call(set(service, "sk-canary", Some(stand_in.base_url()))).wait().unwrap();
        assert_eq!(core.call(test(service)).wait().unwrap().outcome, TestOutcome::Accepted, "{service}");
        let request = stand_in.request();
        assert!(request.starts_with(&format!("GET {path} ")), "{request}");
        assert!(request.to_lowercase().contains(header), "{request}");
    }
}

#[test]
fn without_a_yes_for_this_very_host_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path(), BTreeMap::new())).unwrap();
    let stand_in = StandIn::answering("200 OK", "{}");
    core.call(set("openai", "sk-canary", Some(stand_in.base_url()))).wait().unwrap();
    let ask = |confirmed_host: Option<&str>| {
        let confirmed_host = confirmed_host.map(str::to_owned);
        core.call(TestCredential { service: "openai".to_owned(), confirmed_host }).wait().unwrap_err()
    };
    let error = ask(None);
    assert_eq!(error.category, ErrorCategory::Authorisation);
    assert!(error.advice.contains("127.0.0.1") && error.advice.contains("policy"), "{error:?}");
    assert_eq!(ask(Some("api.openai.com")).category, ErrorCategory::Validation);
    stand_in.nobody_came();
}

#[test]
fn only_the_person_may_change_or_unlock_and_no_sentence_holds_a_secret() {
    let guard = |request: rspa_core::api::Request| request.guard();
    let unlock = UnlockVault { passphrase: secret("canary") };
    let change = SetPassphrase { old: Some(secret("canary")), new: Some(secret("canary")) };
    for request in [
        set("openai", "canary", None).into_request(),
        RemoveCredential { service: "openai".to_owned() }.into_request(),
        test("openai").into_request(),
        unlock.into_request(),
        change.into_request(),
    ] {
        let Guard::Person(what) = guard(request.clone()) else { panic!("{request:?} is open") };
        assert!(!what.contains("canary") && !format!("{request:?}").contains("canary"));
    }
    assert_eq!(guard(ListCredentials {}.into_request()), Guard::Open);
    let answer = rspa_core::api::request::credentials::AnswerGrant {
        service: "openai".to_owned(),
        consumer: Consumer::Agent("a".to_owned()),
        allowed: true,
    };
    assert_eq!(guard(answer.into_request()), Guard::Window);
}

#[test]
fn a_key_is_found_nowhere_outside_of_the_vault() {
    const CANARY: &str = "sk-canary-7f3a9c51e2d84b06";
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path(), BTreeMap::new())).unwrap();
    let mut listener = core.subscribe();
    let stand_in = StandIn::answering("401 X", &format!(r#"{{"error":"bad key {CANARY}"}}"#));
    let mut said = String::new();
    said += &format!("{:?}", core.call(set("openai", CANARY, Some(stand_in.base_url()))).wait());
    said += &format!("{:?}", core.call(test("openai")).wait());
    // What goes wrong says nothing of it either.
    said += &format!("{:?}", core.call(set("../x", CANARY, None)).wait());
    said += &format!("{:?}", core.call(set("openai", &format!("{CANARY}\u{7}"), None)).wait());
    said +=
        &format!("{:?}", core.call(set("openai", CANARY, Some(format!("http://{CANARY}.example")))).wait().is_err());
    said += &format!("{:?}", core.call(SetPassphrase { old: None, new: Some(secret(CANARY)) }).wait());
    said += &format!("{:?}", core.call(UnlockVault { passphrase: secret(&format!("{CANARY}!")) }).wait());
    said += &format!("{:?}", core.call(ListCredentials {}).wait());
    said += &format!("{:?}", core.call(ListGrants {}).wait());
    said += &format!("{:?}", core.call(DumpSettings {}).wait());
    said += &format!("{:?}", core.call(RunDoctor {}).wait());
    said += &format!("{:?}", core.call(ListLedger { page: PageRequest::default() }).wait());
    said += &format!("{:?}", core.call(CreateBackup { to: None }).wait());
    while let Some(Heard::Event(event)) = listener.try_next() {
        said += &format!("{event:?}");
    }
    assert!(said.contains("does not know this key") && said.contains("wrong"), "{said}");
    assert!(!said.contains(CANARY), "{said}");
    core.shutdown();
    let searched = memory::files_without(folder.path(), CANARY);
    assert!(searched.iter().any(|file| file.ends_with("openai.sealed")), "{searched:?}");
    for part in ["main.redb", "rs_pa.log", "vault.json"] {
        assert!(searched.iter().any(|file| file.ends_with(part)), "{part} was not searched: {searched:?}");
    }
    assert!(searched.iter().any(|file| file.to_string_lossy().contains("backups/")), "{searched:?}");
}
