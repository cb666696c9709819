//! This test again as a process of its own: it takes a secret from a pipe, uses it, locks the vault, and waits.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rspa_core::api::Core;
use rspa_core::api::request::credentials::{
    ListCredentials, LockVault, RotateKey, SetCredential, SetPassphrase, TestCredential, UnlockVault,
};
use rspa_core::model::SecretText;
use zeroize::Zeroizing;

use super::options;

const JOB: &str = "RSPA_TEST_CHILD";

/// A child that was told what to do, and a way to talk with it.
pub struct Running {
    pub child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().ok();
    }
}

impl Running {
    /// `job` is what it does, with its folder and the address of a service.
    pub fn start(job: &str, folder: &std::path::Path, base_url: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child::as_a_child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(JOB, format!("{job}\n{}\n{base_url}", folder.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut child = child;
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits until it says this.
    pub fn hear(&mut self, word: &str) {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "it ended before it said {word}");
            if line.trim() == word {
                return;
            }
        }
    }
}

/// A line from the pipe, byte by byte, so that no buffer keeps it.
fn line() -> SecretText {
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    let mut input = std::fs::File::open("/dev/stdin").unwrap();
    let mut byte = [0];
    while input.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        bytes.push(byte[0]);
    }
    SecretText::from_bytes(bytes).unwrap()
}

fn say(word: &str) {
    println!("\n{word}");
}

#[test]
#[ignore = "run by another test as a process of its own"]
fn as_a_child() {
    let Ok(job) = std::env::var(JOB) else { return };
    let mut parts = job.split('\n');
    let (job, folder) = (parts.next().unwrap(), PathBuf::from(parts.next().unwrap()));
    let base_url = parts.next().unwrap().to_owned();
    let core = Core::start(options(&folder, BTreeMap::new())).unwrap();
    let passphrase = line();
    let key = line();
    if job == "keep" {
        // The search must find what is there.
        say("kept");
        line();
        assert!(!key.is_empty());
        return;
    }
    core.call(SetPassphrase { old: None, new: Some(passphrase.clone()) }).wait().unwrap();
    let (service, label) = ("openai".to_owned(), String::new());
    let set = SetCredential { service, label, secret: key, base_url: Some(base_url), expires: None };
    core.call(set).wait().unwrap();
    let test = TestCredential { service: "openai".to_owned(), confirmed_host: Some("127.0.0.1".to_owned()) };
    core.call(test).wait().unwrap();
    core.call(LockVault {}).wait().unwrap();
    core.call(UnlockVault { passphrase }).wait().unwrap();
    core.call(RotateKey {}).wait().unwrap();
    core.call(LockVault {}).wait().unwrap();
    assert!(core.call(ListCredentials {}).wait().unwrap().vault.locked);
    say("locked");
    line();
}
