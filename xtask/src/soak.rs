//! `cargo xtask soak`: the tests with large counts that take too long for every day (`RSPA_SOAK=1`), and a table of what
//! they counted. `RSPA_SEED` repeats a run.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{models, process, setup, verify};

/// A name for `cargo xtask soak NAME`, the tests that it runs, and what it is about.
struct Part {
    name: &'static str,
    /// As nextest filters.
    tests: &'static str,
    about: &'static str,
}

const PARTS: [Part; 6] = [
    Part { name: "faults", tests: "binary(faults)", about: "the real executable on broken disks, and killed" },
    Part {
        name: "cuts",
        tests: "package(rspa-core) & (binary(powercut) or test(/backups::tests::cuts/))",
        about: "power cuts at each write of databases, backups and restores",
    },
    Part {
        name: "fuzz",
        tests: "package(rspa-core) & test(/fuzz|backups::tests::hostile|storage::.*::[A-Z]/)",
        about: "any bytes as settings, backups, messages, records",
    },
    Part {
        name: "constraints",
        tests: "package(rspa-ml) & binary(constraints)",
        about: "answers of a small model to random schemas",
    },
    Part {
        name: "tasks",
        tests: "package(rspa-core) & test(/tasks::tests::kills/)",
        about: "many tasks under random kills",
    },
    Part {
        name: "schedules",
        tests: "package(rspa-core) & test(/schedules::/)",
        about: "a thousand schedules over a year, and cut off anywhere",
    },
];

/// What must be counted in all when everything runs: words in the lines of the tests, and how much at least.
const PROMISED: [(&str, u64); 6] = [
    ("power cut", 10_000),
    ("fuzzed", 1_000_000),
    ("constrained answers", 990),
    ("tasks under kills", 10_000),
    ("schedules over a year", 1_000),
    ("schedules in a simulated year", 1_000),
];

pub fn run(arguments: &[String]) -> Result<()> {
    let (parts, rest) = chosen(arguments)?;
    setup::ensure()?;
    let cache = models::cache_folder()?;
    models::fetch_missing(&cache, &models::default_pins()?)?;
    process::run(process::cargo().args(["build", "--workspace", "--bins", "--tests"]).args(verify::FEATURES))?;
    let program = process::target_folder()?.join("debug").join(format!("rspa{}", std::env::consts::EXE_SUFFIX));
    let mut command = verify::tests();
    command.args(verify::FEATURES).env("RSPA_SOAK", "1").env("RSPA_TEST_EXE", program).env("RSPA_MODELS_PATH", cache);
    // Only nextest knows filters and time limits; without it everything runs.
    if command.get_args().any(|argument| argument == "nextest") {
        command.args(["--profile", "soak", "--success-output", "immediate"]);
        if !parts.is_empty() {
            let filter: Vec<String> = parts.iter().map(|part| format!("({})", part.tests)).collect();
            command.args(["-E", &filter.join(" or ")]);
        }
        command.args(rest);
    } else {
        command.args(rest).args(["--", "--nocapture"]);
    }
    let begun = Instant::now();
    let (success, counts) = counted(&mut command)?;
    println!("\n{}", table(&counts));
    println!("{} minutes", begun.elapsed().as_secs().div_ceil(60));
    if !success {
        bail!("a test failed");
    }
    if parts.is_empty() && rest.is_empty() {
        let missing = missing(&counts);
        if !missing.is_empty() {
            bail!("less was tried than is promised: {}", missing.join("; "));
        }
    }
    Ok(())
}

/// The parts that are named, and what is left for the test runner.
fn chosen(arguments: &[String]) -> Result<(Vec<&'static Part>, &[String])> {
    let names = arguments.iter().take_while(|argument| !argument.starts_with('-'));
    let mut parts = Vec::new();
    for name in names {
        let part = PARTS.iter().find(|part| part.name == name);
        parts.push(part.with_context(|| {
            let known: Vec<String> = PARTS.iter().map(|part| format!("  {:8} {}", part.name, part.about)).collect();
            format!("there is no part '{name}' of the long tests; there are\n{}", known.join("\n"))
        })?);
    }
    let rest = &arguments[parts.len()..];
    Ok((parts, rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest)))
}

/// Runs it, shows what it says, and gathers the lines of counts.
fn counted(command: &mut Command) -> Result<(bool, Counts)> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("the tests could not be started")?;
    let (sender, lines) = mpsc::channel();
    let out = child.stdout.take().context("standard output is piped")?;
    let err = child.stderr.take().context("standard error is piped")?;
    let readers = [forward(out, sender.clone()), forward(err, sender)];
    let mut counts = Counts::default();
    for line in lines {
        println!("{line}");
        counts.add(&line);
    }
    for reader in readers {
        reader.join().ok();
    }
    Ok((child.wait()?.success(), counts))
}

fn forward(from: impl Read + Send + 'static, to: mpsc::Sender<String>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if to.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    })
}

/// What was tried, how often, from which seeds.
#[derive(Default)]
struct Counts(BTreeMap<String, (u64, Vec<String>)>);

impl Counts {
    /// Takes a line such as `soak: fuzzed settings files 1000 seed 7`.
    fn add(&mut self, line: &str) {
        let Some((what, seed)) = line.trim().strip_prefix("soak: ").and_then(|rest| rest.rsplit_once(" seed ")) else {
            return;
        };
        let Some((what, count)) = what.rsplit_once(' ') else { return };
        let Ok(count) = count.parse::<u64>() else { return };
        let (sum, seeds) = self.0.entry(what.to_owned()).or_default();
        *sum += count;
        if !seeds.iter().any(|known| known == seed) {
            seeds.push(seed.to_owned());
        }
    }
}

fn table(counts: &Counts) -> String {
    let mut text = String::from("| tried | count | seeds |\n| --- | ---: | --- |\n");
    for (what, (count, seeds)) in &counts.0 {
        text.push_str(&format!("| {what} | {count} | {} |\n", seeds.join(", ")));
    }
    text
}

fn missing(counts: &Counts) -> Vec<String> {
    let total = |word: &str| -> u64 {
        counts.0.iter().filter(|(what, _)| what.contains(word)).map(|(_, (count, _))| count).sum()
    };
    let short = PROMISED.iter().filter(|(word, least)| total(word) < *least);
    short.map(|(word, least)| format!("{word}: {} of {least}", total(word))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_counts_are_added_up() {
        let mut counts = Counts::default();
        counts.add("    soak: fuzzed records 600000 seed 7");
        counts.add("soak: fuzzed records 400000 seed 8");
        counts.add("soak: power cuts 9999 seed 1000 to 1199");
        counts.add("test soak ... ok");
        assert_eq!(
            table(&counts),
            "| tried | count | seeds |\n| --- | ---: | --- |\n\
             | fuzzed records | 1000000 | 7, 8 |\n| power cuts | 9999 | 1000 to 1199 |\n"
        );
        counts.add("soak: constrained answers 995 seed 4");
        counts.add("soak: tasks under kills 10000 seed 42");
        counts.add("soak: schedules over a year 1000 seed 1");
        assert_eq!(missing(&counts), ["power cut: 9999 of 10000", "schedules in a simulated year: 0 of 1000"]);
    }

    #[test]
    fn parts_are_named_before_the_arguments_of_the_tests() {
        let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let arguments = of(&["faults", "cuts", "--", "--no-capture"]);
        let (parts, rest) = chosen(&arguments).unwrap();
        assert_eq!(parts.iter().map(|part| part.name).collect::<Vec<_>>(), ["faults", "cuts"]);
        assert_eq!(rest, of(&["--no-capture"]));
        assert!(chosen(&of(&["fault"])).err().unwrap().to_string().contains("there is no part"));
    }
}
