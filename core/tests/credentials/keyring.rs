//! A real GNOME keyring on a D-Bus of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use rspa_core::api::Core;
use rspa_core::api::request::credentials::{ListCredentials, MoveVault, RemoveCredential, TestCredential};
use rspa_core::model::{TestOutcome, VaultPlace};

use super::stand_in::StandIn;
use super::{memory, options, set};

const FOLDER: &str = "RSPA_TEST_KEYRING_FOLDER";
const HOW: &str = "sudo apt-get install --no-install-recommends gnome-keyring dbus";

/// A bus that starts nothing by itself.
const BARE_BUS: &str = r#"<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// What the session of a test has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Session {
    /// A keyring that was unlocked with its password.
    Unlocked,
    /// A keyring that the bus starts, and nobody who could type its password.
    Locked,
    NoKeyring,
}

/// Runs a test of this file within a session of its own.
fn in_session(test: &str, folder: &Path, session: Session) {
    for program in ["dbus-run-session", "gnome-keyring-daemon"] {
        let there = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|path| path.join(program).exists());
        assert!(there, "{program} is missing; install it with: {HOW}");
    }
    let daemon = match session {
        Session::Unlocked => "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null",
        Session::Locked | Session::NoKeyring => "true",
    };
    let script = format!("{daemon} && exec \"$0\" --exact {test} --ignored --nocapture --test-threads=1");
    for name in ["home", "run"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    let mut command = Command::new("dbus-run-session");
    if session == Session::NoKeyring {
        let config = folder.join("bus.conf");
        std::fs::write(&config, BARE_BUS).unwrap();
        command.arg("--config-file").arg(config);
    }
    let output = command
        .args(["--", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env("HOME", folder.join("home"))
        .env("XDG_DATA_HOME", folder.join("home/.local/share"))
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env(FOLDER, folder)
        .env_remove("DISPLAY")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

fn core(folder: &Path) -> Core {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    Core::start(options(&folder.join("data"), environment)).unwrap()
}

#[test]
fn a_credential_lives_in_a_real_keyring_over_restarts_and_moves_out_of_it_and_back() {
    let folder = tempfile::tempdir().unwrap();
    in_session("keyring::lives_in_the_keyring", folder.path(), Session::Unlocked);
}

#[test]
#[ignore = "run by another test within a session of its own"]
fn lives_in_the_keyring() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let running = core(folder);
    let stored = running.call(set("openai", "sk-canary-keyring", None)).wait().unwrap();
    assert_eq!(stored.place, VaultPlace::Keychain);
    assert!(!folder.join("data/credentials/openai.sealed").exists());
    running.shutdown();
    // Another run reads it.
    let running = core(folder);
    let stand_in = StandIn::answering("200 OK", r#"{"data":[{}]}"#);
    running.call(set("second", "sk-canary-second", Some(stand_in.base_url()))).wait().unwrap();
    let test = TestCredential { service: "second".to_owned(), confirmed_host: Some("127.0.0.1".to_owned()) };
    assert_eq!(running.call(test).wait().unwrap().outcome, TestOutcome::Accepted);
    assert!(stand_in.request().contains("sk-canary-second"));
    for to in [VaultPlace::Files, VaultPlace::Keychain] {
        let moved = running.call(MoveVault { to }).wait().unwrap();
        assert_eq!(moved.vault.place, to);
        assert!(moved.items.iter().all(|item| item.place == to), "{moved:?}");
        assert_eq!(folder.join("data/credentials/openai.sealed").exists(), to == VaultPlace::Files);
    }
    running.call(RemoveCredential { service: "openai".to_owned() }).wait().unwrap();
    let left = running.call(ListCredentials {}).wait().unwrap();
    assert_eq!(left.items.len(), 1);
    assert_eq!(left.vault.keychain_problem, None);
    running.shutdown();
    memory::files_without(&folder.join("data"), "sk-canary");
}

#[test]
fn a_session_without_a_keyring_has_sealed_files() {
    let folder = tempfile::tempdir().unwrap();
    in_session("keyring::has_none", folder.path(), Session::NoKeyring);
}

#[test]
#[ignore = "run by another test within a session of its own"]
fn has_none() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let running = core(Path::new(&folder));
    let list = running.call(ListCredentials {}).wait().unwrap();
    assert!(list.vault.keychain_problem.is_some() && list.vault.place == VaultPlace::Files, "{:?}", list.vault);
    let stored = running.call(set("openai", "sk-canary", None)).wait().unwrap();
    assert_eq!(stored.place, VaultPlace::Files);
}

#[test]
fn a_keyring_that_nobody_can_unlock_is_an_error_in_words_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    in_session("keyring::is_locked", folder.path(), Session::Locked);
}

#[test]
#[ignore = "run by another test within a session of its own"]
fn is_locked() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let running = core(Path::new(&folder));
    let error = running.call(set("openai", "sk-canary", None)).wait().unwrap_err();
    assert!(error.message.contains("keychain") && error.advice.contains("security.vault"), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"));
    assert!(running.call(ListCredentials {}).wait().unwrap().items.is_empty());
    // As the advice says.
    let value = rspa_core::model::SettingValue::Text("files".to_owned());
    let key = "security.vault".to_owned();
    running.call(rspa_core::api::request::settings::SetSetting { key, value }).wait().unwrap();
    assert_eq!(running.call(set("openai", "sk-canary", None)).wait().unwrap().place, VaultPlace::Files);
}
