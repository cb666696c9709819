//! What is known of a command: how it is confined, and how it ended, as data and in words.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::CommandLimits;

/// One thing that holds a command in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// One of the names below.
    pub name: String,
    pub on: bool,
    /// How, or why not.
    pub detail: String,
}

/// The names of layers.
pub(super) mod layer {
    /// Its own view of the file system, of processes and of the network.
    pub const NAMESPACES: &str = "namespaces";
    /// Access to files, by the kernel.
    pub const LANDLOCK: &str = "landlock";
    /// System calls, by the kernel.
    pub const SECCOMP: &str = "seccomp";
    /// Memory and processes of all that it starts.
    pub const CGROUP: &str = "cgroup";
    /// What it writes, in all.
    pub const DISK: &str = "disk";
}

/// How commands are confined here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    pub layers: Vec<Layer>,
}

impl Confinement {
    pub(super) fn set(&mut self, name: &str, on: bool, detail: impl Into<String>) {
        self.layers.retain(|layer| layer.name != name);
        self.layers.push(Layer { name: name.to_owned(), on, detail: detail.into() });
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.layers.iter().any(|layer| layer.name == name && layer.on)
    }

    /// Files, the network and other processes are out of reach, whatever the command does.
    pub fn confines(&self) -> bool {
        self.has(layer::SECCOMP) && (self.has(layer::LANDLOCK) || self.has(layer::NAMESPACES))
    }

    /// What is missing, in words; empty when nothing is.
    pub fn missing(&self) -> String {
        let off: Vec<String> = self
            .layers
            .iter()
            .filter(|layer| !layer.on)
            .map(|layer| format!("no {} ({})", layer.name, layer.detail))
            .collect();
        off.join(", ")
    }

    /// One sentence for a program that serves tools.
    pub fn sentence_of_server(&self, limits: &CommandLimits, network: bool) -> String {
        let bounds = format!(
            "{} memory, {} written, {} processes",
            megabytes(limits.memory_mb),
            megabytes(limits.disk_mb),
            limits.processes
        );
        if !self.confines() {
            return format!(
                "NOT confined: it can read and change all that you can, and reach the network; limits only: {bounds}."
            );
        }
        let network = if network { "and the whole network" } else { "no network" };
        format!("Confined: the system's programs and its own folders, {network}, {bounds}.")
    }

    /// One sentence for the person who is asked.
    pub fn sentence(&self, limits: &CommandLimits, network: bool) -> String {
        let bounds = format!(
            "{} s, {} memory, {} written, {} processes",
            limits.seconds,
            megabytes(limits.memory_mb),
            megabytes(limits.disk_mb),
            limits.processes
        );
        if !self.confines() {
            return format!(
                "NOT confined: it can read and change all that you can, and reach the network; limits only: {bounds}."
            );
        }
        let reach =
            if network { "the agent's folders and the whole network" } else { "the agent's folders only, no network" };
        let mut sentence = format!("Confined: {reach}, {bounds}");
        if !self.has(layer::NAMESPACES) {
            sentence += "; it can see the names of other running programs of yours";
        }
        if !self.has(layer::DISK) {
            sentence += "; what it wrote before it was stopped stays";
        }
        sentence + "."
    }
}

fn megabytes(count: u32) -> String {
    if count >= 1_024 && count.is_multiple_of(1_024) { format!("{} GB", count / 1_024) } else { format!("{count} MB") }
}

/// Which bound ended a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    Time,
    Memory,
    Output,
    Disk,
    Processes,
}

impl Limit {
    /// "it used more than 1 GB of memory"
    pub fn words(self, limits: &CommandLimits) -> String {
        match self {
            Limit::Time => format!("it ran longer than {} s", limits.seconds),
            Limit::Memory => format!("it used more than {} of memory", megabytes(limits.memory_mb)),
            Limit::Output => format!("it wrote more than {} KB of output", limits.output_kb),
            Limit::Disk => format!("it wrote more than {} to disk", megabytes(limits.disk_mb)),
            Limit::Processes => format!("it had more than {} processes at once", limits.processes),
        }
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Exited(i32),
    Signalled(i32),
    Limit(Limit),
    /// By the person, or with the program.
    Cancelled,
}

/// What became of the files that a command wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changes {
    /// It wrote into the folders as it went on; what exactly is not known.
    #[default]
    AsItWent,
    /// Kept apart until it ended, then taken over.
    Kept {
        /// The first of them, as paths.
        written: Vec<String>,
        removed: Vec<String>,
        /// Of all.
        count: u64,
        /// What could not be taken over: sockets, pipes and devices.
        skipped: u64,
    },
    /// Kept apart, and thrown away because the command did not end by itself.
    Discarded,
    /// Kept apart, and then not taken over, or not wholly.
    Failed(String),
}

/// What running a command gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub ended: Ended,
    /// Standard output and error as they came, any bytes, never more than the limit.
    pub output: Vec<u8>,
    /// There was more.
    pub cut: bool,
    pub duration: Duration,
    pub confinement: Confinement,
    pub changes: Changes,
}

impl Outcome {
    /// It did what it should: ended by itself, with 0, and its changes are where they belong.
    pub fn succeeded(&self) -> bool {
        self.ended == Ended::Exited(0) && !matches!(self.changes, Changes::Failed(_))
    }

    /// How it ended, in a sentence.
    pub fn words(&self, limits: &CommandLimits) -> String {
        let seconds = self.duration.as_secs_f64();
        let mut words = match self.ended {
            Ended::Exited(0) => format!("The command succeeded after {seconds:.1} s."),
            Ended::Exited(code) => format!("The command failed with exit code {code} after {seconds:.1} s."),
            Ended::Signalled(signal) => format!("The command was ended by signal {signal} after {seconds:.1} s."),
            Ended::Cancelled => format!("The command was stopped after {seconds:.1} s."),
            Ended::Limit(limit) => {
                format!("The command was stopped: {}.", limit.words(limits))
            }
        };
        match &self.changes {
            Changes::Discarded => words += " Nothing that it wrote was kept.",
            Changes::Failed(why) => words += &format!(" What it wrote could not be kept wholly: {why}."),
            Changes::Kept { skipped, .. } if *skipped > 0 => {
                words += &format!(" {skipped} pipes, sockets or devices that it made were not kept.");
            }
            Changes::AsItWent | Changes::Kept { .. } => {}
        }
        words
    }
}

/// The step that fails when a program is not there, or may not be read or run.
pub(super) const RUNNING_PROGRAM: &str = "running the program";

/// What the launcher tells, one line each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    /// The command begins now, held by these layers.
    Ready(Confinement),
    /// It does not begin: what could not be done, and why.
    Refused { step: String, why: String },
    /// All that it started is gone.
    Ended { ended: Ended, changes: Changes },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(ended: Ended, changes: Changes) -> Outcome {
        Outcome {
            ended,
            output: Vec::new(),
            cut: false,
            duration: Duration::from_millis(1_500),
            confinement: Confinement::default(),
            changes,
        }
    }

    #[test]
    fn each_end_has_its_words() {
        let limits = CommandLimits::default();
        for (ended, words) in [
            (Ended::Exited(0), "succeeded after 1.5 s"),
            (Ended::Exited(3), "exit code 3"),
            (Ended::Signalled(9), "signal 9"),
            (Ended::Cancelled, "was stopped after"),
            (Ended::Limit(Limit::Time), "longer than 60 s"),
            (Ended::Limit(Limit::Memory), "more than 1 GB of memory"),
            (Ended::Limit(Limit::Output), "256 KB of output"),
            (Ended::Limit(Limit::Disk), "256 MB to disk"),
            (Ended::Limit(Limit::Processes), "64 processes"),
        ] {
            let outcome = outcome(ended, Changes::Discarded);
            let said = outcome.words(&limits);
            assert!(said.contains(words) && said.ends_with("Nothing that it wrote was kept."), "{said}");
            assert_eq!(outcome.succeeded(), ended == Ended::Exited(0));
        }
        assert!(!outcome(Ended::Exited(0), Changes::Failed("disk full".to_owned())).succeeded());
    }

    #[test]
    fn a_missing_layer_is_named_and_a_lack_of_all_is_a_warning() {
        let mut confinement = Confinement::default();
        assert!(!confinement.confines());
        assert!(confinement.sentence(&CommandLimits::default(), false).starts_with("NOT confined"));
        confinement.set(layer::SECCOMP, true, "");
        assert!(!confinement.confines());
        confinement.set(layer::NAMESPACES, false, "not allowed here");
        confinement.set(layer::LANDLOCK, true, "");
        assert!(confinement.confines());
        assert_eq!(confinement.missing(), "no namespaces (not allowed here)");
        let sentence = confinement.sentence(&CommandLimits::default(), false);
        assert!(sentence.contains("no network") && sentence.contains("60 s, 1 GB memory"), "{sentence}");
        assert!(sentence.contains("names of other running programs"), "{sentence}");
    }

    #[test]
    fn messages_survive_the_way_and_noise_is_refused() {
        let ended = Message::Ended { ended: Ended::Limit(Limit::Disk), changes: Changes::Discarded };
        for message in [Message::Ready(Confinement::default()), ended] {
            let line = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Message>(&line).unwrap(), message);
        }
        assert!(serde_json::from_str::<Message>("{\"ended\":{}}").is_err());
    }
}
