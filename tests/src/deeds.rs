//! What a person does through the command line, and the record of what the program confirmed: nothing of it may be lost.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::documents::marker;
use crate::process::{self, Outcome};
use crate::world::{Fault, LIMIT, World};

/// A kind of change to the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    Setting,
    Index,
    Chat,
    Profile,
    Backup,
}

impl Deed {
    /// Storing credentials is not among them: it asks the person at a terminal.
    pub const ALL: [Self; 5] = [Self::Setting, Self::Index, Self::Chat, Self::Profile, Self::Backup];
}

/// One verb with its arguments, to be run in whatever way a test likes.
#[derive(Clone, Debug)]
pub struct Errand {
    pub deed: Deed,
    number: usize,
    pub arguments: Vec<String>,
    pub input: Vec<u8>,
}

impl Errand {
    /// Adds the arguments and runs it to its end.
    pub fn run_with(&self, command: &mut Command) -> Outcome {
        process::run(command.args(&self.arguments).arg("--json"), &self.input, LIMIT)
    }

    pub fn run(&self, world: &World) -> Outcome {
        self.run_with(&mut world.command())
    }
}

/// How a verb ended, if it ended in one of the ways that are promised.
#[derive(Debug)]
pub enum Ending {
    Done(Value),
    Refused(Fault),
    /// By a signal that the test sent.
    Killed,
}

impl Ending {
    /// # Panics
    /// When it crashed, panicked, or failed without an error that says what to do.
    #[track_caller]
    pub fn of(outcome: &Outcome) -> Self {
        let all = format!("{}\nstdout: {}\nstderr: {}", outcome.status, outcome.stdout, outcome.stderr);
        for fault in ["panicked at", "RUST_BACKTRACE", "fault in the program", "stopped unexpectedly"] {
            assert!(!outcome.stderr.contains(fault), "'{fault}': {all}");
        }
        match outcome.code() {
            Some(0) => Self::Done(serde_json::from_str(outcome.stdout.trim()).unwrap_or(Value::Null)),
            Some(code) => {
                let fault = Fault::of(outcome, code);
                let promised = match fault.category.as_str() {
                    "validation" => 3,
                    "storage" => 4,
                    "network" | "authentication" | "authorisation" => 5,
                    "processing" if code == 130 || code == 143 || code == 129 => code,
                    "processing" => 6,
                    _ => 1,
                };
                assert_eq!(code, promised, "{all}");
                Self::Refused(fault)
            }
            None => {
                use std::os::unix::process::ExitStatusExt;
                assert_eq!(outcome.status.signal(), Some(libc::SIGKILL), "{all}");
                Self::Killed
            }
        }
    }

    /// The error, if it is one of storage.
    pub fn storage_fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused(fault) if fault.category == "storage" => Some(fault),
            _ => None,
        }
    }
}

/// What was asked for and confirmed so far.
#[derive(Clone, Debug, Default)]
pub struct Record {
    numbers: usize,
    /// What the setting may be: the value that was confirmed last, and those that were tried since.
    settings: BTreeSet<usize>,
    /// Documents that lie in the folder.
    written: BTreeSet<usize>,
    documents: BTreeSet<usize>,
    questions: BTreeSet<usize>,
    profiles: BTreeSet<usize>,
    /// The names of the newest few: older ones may be removed by their number.
    backups: Vec<String>,
}

impl Record {
    /// The next thing to do of this kind.
    pub fn next(&mut self, world: &World, deed: Deed) -> Errand {
        self.numbers += 1;
        let number = self.numbers;
        let arguments: Vec<String> = match deed {
            Deed::Setting => {
                let value = number.to_string();
                ["settings", "set", "models.max_tokens", &value].map(str::to_owned).into()
            }
            Deed::Index => {
                world.write(document(number), format!("# Note {number}\n\nThe {} lies here.\n", marker(number)));
                self.written.insert(number);
                ["index", "add", "--wait", "papers"].map(str::to_owned).into()
            }
            Deed::Chat => ["chat", "--no-knowledge", "--message", &marker(number)].map(str::to_owned).into(),
            Deed::Profile => ["profiles", "create", &marker(number)].map(str::to_owned).into(),
            Deed::Backup => ["backup", "create"].map(str::to_owned).into(),
        };
        Errand { deed, number, arguments, input: Vec::new() }
    }

    /// Takes down how it ended.
    ///
    /// # Panics
    /// When it ended well and says something that cannot be.
    pub fn heard(&mut self, errand: &Errand, ending: &Ending) {
        match errand.deed {
            Deed::Setting => {
                if matches!(ending, Ending::Done(_)) {
                    self.settings.clear();
                } else if self.settings.is_empty() {
                    self.settings.insert(DEFAULT_SETTING);
                }
                self.settings.insert(errand.number);
            }
            Deed::Index => {
                if let Ending::Done(status) = ending {
                    assert_eq!(status["documents"], self.written.len(), "{status}");
                    assert_eq!(status["problems"], 0, "{status}");
                    self.documents = self.written.clone();
                }
            }
            // Without a model the question is kept, and the answer is that there is none.
            Deed::Chat => {
                if let Ending::Refused(fault) = ending
                    && fault.message.contains("no chat model")
                {
                    self.questions.insert(errand.number);
                }
            }
            Deed::Profile if matches!(ending, Ending::Done(_)) => drop(self.profiles.insert(errand.number)),
            Deed::Backup => {
                if let Ending::Done(made) = ending {
                    let name = made["name"].as_str().unwrap_or_else(|| panic!("no name in {made}"));
                    self.backups.push(name.to_owned());
                }
            }
            Deed::Profile => {}
        }
    }

    /// The test itself removed some.
    pub fn forget_backups(&mut self) {
        self.backups.clear();
    }

    /// Does one thing and takes down how it ended.
    pub fn attempt(&mut self, world: &World, deed: Deed, run: impl FnOnce(&Errand) -> Outcome) -> Ending {
        let errand = self.next(world, deed);
        let ending = Ending::of(&run(&errand));
        self.heard(&errand, &ending);
        ending
    }

    /// Everything of this kind that was confirmed is there.
    ///
    /// # Panics
    /// When something is not.
    #[track_caller]
    pub fn check(&mut self, world: &World, deed: Deed) {
        match deed {
            Deed::Setting => {
                let entry = world.json(["settings", "get", "models.max_tokens"]);
                let value = usize::try_from(entry["value"].as_u64().unwrap_or_default()).expect("a small number");
                let allowed =
                    if self.settings.is_empty() { &BTreeSet::from([DEFAULT_SETTING]) } else { &self.settings };
                assert!(allowed.contains(&value), "the setting is {value}, not one of {allowed:?}");
                self.settings = BTreeSet::from([value]);
            }
            Deed::Index => {
                if let Some(&newest) = self.documents.last() {
                    let listed = world.documents(&world.files().join("papers"));
                    let paths: BTreeSet<&str> = listed.iter().filter_map(|item| item["path"].as_str()).collect();
                    assert_eq!(paths.len(), listed.len(), "a document is listed twice");
                    for number in &self.documents {
                        let name = document(*number);
                        assert!(paths.iter().any(|path| path.ends_with(&name)), "{name} is not among {paths:?}");
                    }
                    for number in [newest, *self.documents.first().expect("there is one")] {
                        let found = world.json(["search", &marker(number), "--mode", "keyword"]);
                        let path = found["hits"][0]["path"].as_str().unwrap_or_default();
                        assert!(path.ends_with(&document(number)), "{}: {found}", marker(number));
                    }
                }
            }
            Deed::Chat => {
                let chats = world.json(["chat", "--list"]);
                let titles: BTreeSet<&str> = rows(&chats).filter_map(|chat| chat["title"].as_str()).collect();
                for number in &self.questions {
                    assert!(titles.contains(marker(*number).as_str()), "the chat {} is gone", marker(*number));
                }
            }
            Deed::Profile => {
                let listed = world.json(["profiles", "list"]);
                let names: BTreeSet<&str> = rows(&listed).filter_map(|profile| profile["name"].as_str()).collect();
                for number in &self.profiles {
                    assert!(names.contains(marker(*number).as_str()), "the profile {} is gone", marker(*number));
                }
            }
            Deed::Backup => {
                let listed = world.json(["backup", "list"]);
                let names: BTreeSet<&str> =
                    rows(&listed["backups"]).filter_map(|backup| backup["name"].as_str()).collect();
                for name in self.backups.iter().rev().take(3) {
                    assert!(names.contains(name.as_str()), "the backup {name} is gone: {names:?}");
                }
                if let Some(name) = self.backups.last() {
                    world.json(["backup", "verify", name]);
                }
            }
        }
    }

    /// Everything that was confirmed is there.
    #[track_caller]
    pub fn check_all(&mut self, world: &World) {
        for deed in Deed::ALL {
            self.check(world, deed);
        }
    }

    /// Each kind of change works, and everything is there.
    #[track_caller]
    pub fn check_works(&mut self, world: &World) {
        for deed in Deed::ALL {
            let ending = self.attempt(world, deed, |errand| errand.run(world));
            match (&ending, deed) {
                (Ending::Done(_), _) => {}
                (Ending::Refused(fault), Deed::Chat) if fault.message.contains("no chat model") => {}
                _ => panic!("{deed:?}: {ending:?}"),
            }
        }
        self.check_all(world);
    }
}

const DEFAULT_SETTING: usize = 512;

fn document(number: usize) -> String {
    format!("papers/note_{number:05}.md")
}

fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
