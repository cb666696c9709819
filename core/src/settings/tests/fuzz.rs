//! Any bytes as a settings file: never a panic, never a hang, always settings that can be used, problems in words.
//!
//! A few hundred of each kind in every run; half a million, split by kind, with RSPA_SOAK=1. RSPA_SEED gives the seed.

use std::time::{Duration, Instant};

use super::*;
use crate::soak::{self, Chance};

/// Of one file: far above what the slowest machine needs, far below a hang.
const LONGEST: Duration = Duration::from_secs(30);

const VALUES: [&str; 24] = [
    "true",
    "1",
    "-1",
    "99999999999999999999",
    "1e999",
    ".nan",
    "\"dark\"",
    "'x",
    "[\"a.org\"]",
    "[1, [2]]",
    "{}",
    "null",
    "\"\\u0000\"",
    "2020-01-01",
    "0x10",
    "*a",
    "&a [x]",
    "!!binary aGk=",
    "|\n  text",
    "<<: *a",
    "\u{202e}",
    "\"\"\"",
    "~",
    "[a, b",
];

/// A file that is nearly one of this kind.
fn nearly(dice: &mut Chance, kind: &str) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..dice.below(8) {
        let setting = &schema()[dice.below(schema().len())];
        let (group, name) = setting.key.split_once('.').unwrap();
        let name = if dice.below(6) == 0 { "nothing" } else { name };
        let value = VALUES[dice.below(VALUES.len())];
        match kind {
            "toml" => text.push_str(&format!("[{group}]\n{name} = {value}\n")),
            "yaml" => text.push_str(&format!("{group}:\n  {name}: {value}\n")),
            "json" => {
                text.push_str(&format!("{}\"{group}\": {{\"{name}\": {value}}}", ["{", ",", "", "{"][dice.below(4)]))
            }
            _ => text.push_str(&format!("{}={value}\n", setting.variable())),
        }
    }
    if kind == "json" && dice.below(2) == 0 {
        text.push('}');
    }
    let mut bytes = text.into_bytes();
    for _ in 0..dice.below(6) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(4) {
            0 => bytes.insert(at, u8::try_from(dice.next() & 0xff).unwrap()),
            1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.truncate(at),
            _ => {
                let piece: Vec<u8> = bytes[at..].iter().copied().take(dice.below(20)).collect();
                for _ in 0..dice.below(40) {
                    bytes.extend(&piece);
                }
            }
        }
    }
    bytes
}

fn check(kind: &str, name: &str, bytes: &[u8], world: &World) {
    let begun = Instant::now();
    std::fs::write(world.data.path().join(name), bytes).unwrap();
    let settings = world.load();
    for entry in settings.list() {
        let setting = groups::find(&entry.key).unwrap();
        assert!(parse::check(setting, entry.value.clone()).is_ok(), "{kind}: {}: {:?}", entry.key, entry.value);
        assert!(entry.problem.is_none_or(|words| words.len() > 10 && !words.contains('\n')), "{kind}: {bytes:?}");
    }
    for words in settings.problems() {
        assert!(words.len() > 10 && words.len() < 2_000, "{kind}: {words}");
    }
    // What is read is read again without a change, and the file can be imported or is refused.
    assert!(settings.reload_if_changed().is_empty());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let import = settings.preview(Path::new(name), text);
        assert!(!import.applied);
    }
    assert!(begun.elapsed() < LONGEST, "{kind}: {:?} for {bytes:?}", begun.elapsed());
}

fn fuzz(kind: &str, name: &str, seed: u64) {
    let rounds = soak::count(400, 125_000);
    let seed = soak::seed(seed);
    let mut world = world();
    // Hundreds of thousands of files: in memory where the system has a place for that.
    if Path::new("/dev/shm").is_dir() {
        world.data = tempfile::tempdir_in("/dev/shm").unwrap();
    }
    let mut dice = Chance(seed);
    for round in 0..rounds {
        let bytes = if round % 4 == 0 {
            (0..dice.below(200)).map(|_| u8::try_from(dice.next() & 0xff).unwrap()).collect()
        } else {
            nearly(&mut dice, kind)
        };
        check(kind, name, &bytes, &world);
    }
    soak::report("fuzzed settings files", rounds, seed);
}

#[test]
fn any_bytes_as_toml() {
    fuzz("toml", "settings.toml", 1);
}

#[test]
fn any_bytes_as_yaml() {
    fuzz("yaml", "settings.yaml", 2);
}

#[test]
fn any_bytes_as_json() {
    fuzz("json", "settings.json", 3);
}

#[test]
fn any_bytes_as_dot_env() {
    fuzz("env", ".env", 4);
}

#[test]
fn what_grows_when_it_is_read_is_refused_quickly() {
    let world = world();
    let deep = |open: &str| open.repeat((1 << 20) / open.len() - 10);
    for (name, text) in [
        ("settings.yaml", deep("[")),
        ("settings.yaml", deep("{a: ")),
        ("settings.yaml", deep("- ")),
        ("settings.yaml", deep("a:\n ")),
        (
            "settings.yaml",
            format!("a: &a {}\n{}", "x".repeat(1 << 18), deep("b: *a\n").chars().take(1 << 19).collect::<String>()),
        ),
        ("settings.json", deep("[")),
        ("settings.json", deep("{\"ui\":")),
        ("settings.toml", format!("a = {}", deep("[").chars().take((1 << 20) - 100).collect::<String>())),
        ("settings.toml", deep("[a.b]\n")),
        ("settings.toml", format!("{} = 1", deep("a.").chars().take((1 << 20) - 100).collect::<String>())),
        (".env", deep("RSPA_UI_THEME=\n")),
    ] {
        check(name, name, text.as_bytes(), &world);
        std::fs::remove_file(world.data.path().join(name)).unwrap();
    }
}
