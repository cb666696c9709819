//! A key typed at the terminal of the real program is found nowhere outside of the vault: no file, no backup, no output.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read;
use std::path::Path;

use rspa_tests::folder;
use rspa_tests::terminal::Terminal;
use rspa_tests::world::{LIMIT, World};

/// Different in each run, so that nothing of an earlier one is found.
fn unique(prefix: &str) -> String {
    // The standard library's hashing starts from a random key.
    format!("{prefix}{:016x}{:x}", RandomState::new().build_hasher().finish(), std::process::id())
}

/// Where a text stands below a folder; backups are unpacked to look into them.
fn found(place: &Path, text: &str) -> (Vec<String>, usize) {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let (mut places, mut searched) = (Vec::new(), 0);
    for path in folder::files(place) {
        let bytes = fs::read(place.join(&path)).unwrap();
        searched += 1;
        if holds(&bytes) {
            places.push(path.display().to_string());
        }
        if path.extension().is_some_and(|extension| extension == "rspa-backup") {
            let mut backup = zip::ZipArchive::new(File::open(place.join(&path)).unwrap()).unwrap();
            for index in 0..backup.len() {
                let mut entry = backup.by_index(index).unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                searched += 1;
                if holds(&content) {
                    places.push(format!("{} in {}", entry.name().unwrap(), path.display()));
                }
            }
        }
    }
    (places, searched)
}

#[test]
fn a_key_typed_at_the_terminal_is_found_nowhere_outside_of_the_vault() {
    let world = World::empty();
    let (passphrase, key, wrong) = (unique("words-"), unique("sk-canary-"), unique("guess-"));
    let mut said = String::new();
    let mut at_terminal = |arguments: &[&str], phrase: &str, code: i32| {
        let mut command = world.command();
        let terminal = Terminal::start(command.args(arguments).arg("--json"));
        let replies = [("[y/N]", "y"), ("assphrase", phrase), ("Key for", &key)];
        let (outcome, shown) = terminal.converse(&replies, LIMIT);
        assert_eq!(outcome.code(), Some(code), "{arguments:?}: {outcome:?}");
        said += &format!("{shown}{}{}", outcome.stdout, outcome.stderr);
        shown
    };
    assert!(at_terminal(&["credentials", "passphrase"], &passphrase, 0).contains("(again)"));
    assert!(at_terminal(&["credentials", "set", "openai", "--label", "at work"], &passphrase, 0).contains("Key for"));
    // A passphrase that is refused is kept as little as one that is right.
    at_terminal(&["credentials", "unlock"], &wrong, 5);
    let listed = world.json(["credentials", "list"]);
    assert!(listed.to_string().contains("at work"), "{listed}");
    world.json(["backup", "create"]);
    world.json(["db", "export", "saved"]);
    said += &listed.to_string();
    for arguments in [&["settings", "dump"][..], &["doctor"], &["logs"], &["activities"], &["network", "ledger"]] {
        let outcome = world.run(arguments);
        said += &format!("{}{}", outcome.stdout, outcome.stderr);
    }
    assert!(said.contains("Key for openai"), "{said}");
    let sealed = folder::files(&world.data()).into_iter().find(|path| path.ends_with("openai.sealed"));
    assert!(sealed.is_some(), "the key is sealed");
    for text in [&key, &passphrase, &wrong] {
        assert!(!said.contains(text.as_str()), "{said}");
        let (places, searched) = found(world.path(), text);
        assert!(places.is_empty(), "{places:?}");
        assert!(searched > 8, "only {searched} files were searched");
    }
    // The search finds what is there: the label stands in the database, and so in its backup.
    let (places, _) = found(world.path(), "at work");
    for part in ["main.redb", "main.redb in "] {
        assert!(places.iter().any(|place| place.contains(part)), "{part}: {places:?}");
    }
}
