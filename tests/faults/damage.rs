//! Files that were cut short or had bits turned over: never a crash or a hang; what is derived is built again, what the
//! person made is kept as it is and said to be damaged.

use std::fs;
use std::path::Path;

use rspa_tests::deeds::{Ending, Record};
use rspa_tests::folder;
use rspa_tests::process;
use rspa_tests::seed::{self, Chance};
use rspa_tests::world::World;
use std::time::{Duration, Instant};

/// No verb of these small folders takes nearly as long; longer is a hang.
const HANG: Duration = Duration::from_secs(60);

/// What was done to a file.
#[derive(Debug)]
enum Damage {
    CutTo(usize),
    /// Bits turned over, by their number.
    Bits(Vec<usize>),
    /// A stretch of zeros, as a disk leaves after a power cut.
    Zeros(usize, usize),
}

impl Damage {
    fn some(chance: &mut Chance, length: usize) -> Self {
        match chance.below(4) {
            0 => Self::CutTo(chance.below(length)),
            1 => {
                let start = chance.below(length);
                Self::Zeros(start, (start + 1 + chance.below(4096)).min(length))
            }
            _ => {
                let bits = 1 + chance.below(8);
                Self::Bits((0..bits).map(|_| chance.below(length * 8)).collect())
            }
        }
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::CutTo(length) => bytes.truncate(*length),
            Self::Bits(bits) => {
                for bit in bits {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
            Self::Zeros(start, end) => bytes[*start..*end].fill(0),
        }
    }
}

/// Questions that read everything. A damaged store may refuse; the report of `doctor` may say that something is wrong.
fn ask_everything(world: &World, what: &str) -> Vec<Ending> {
    let questions: [&[&str]; 7] = [
        &["settings", "list"],
        &["chat", "--list"],
        &["index", "list"],
        &["search", "note"],
        &["index", "rescan", "--wait"],
        &["chat", "--no-knowledge", "--message", "hello"],
        &["doctor"],
    ];
    let mut ends = Vec::new();
    for question in questions {
        let begun = Instant::now();
        let outcome = process::run(world.command().args(question).arg("--json"), b"", HANG);
        let took = begun.elapsed();
        let reported = question == ["doctor"] && outcome.code() == Some(1) && outcome.stdout.contains("\"checks\"");
        if reported {
            assert!(!outcome.stderr.contains("panicked at"), "{what}: {outcome:?}");
            continue;
        }
        println!("{what}: {question:?}: {} after {took:.1?}", outcome.status);
        ends.push(Ending::of(&outcome));
    }
    ends
}

fn damage_file(world: &World, whole: &Path, path: &Path, damage: &Damage) {
    folder::copy(whole, &world.data());
    let place = world.data().join(path);
    let mut bytes = fs::read(&place).unwrap();
    damage.apply(&mut bytes);
    fs::write(&place, &bytes).unwrap();
    let what = format!("{} {damage:?}", path.display());
    let first = Ending::of(&process::run(world.command().args(["chat", "--list", "--json"]), b"", HANG));
    if path.ends_with("main.redb")
        && let Some(fault) = first.storage_fault()
    {
        assert!(fs::read(&place).unwrap() == bytes, "{what}: refused ({fault:?}), and changed nevertheless");
    }
    let ends = ask_everything(world, &what);
    let derived = path.starts_with("index") || path.starts_with("logs") || path.starts_with("cache");
    if derived {
        // Only the model is missing, as before.
        let refused: Vec<_> = ends.iter().filter_map(Ending::storage_fault).collect();
        assert!(refused.is_empty(), "{what}: {refused:?}");
    }
}

#[test]
fn every_file_cut_short_and_turned_over() {
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    record.check_works(&world);
    let whole = world.path().join("whole");
    folder::copy(&world.data(), &whole);
    let seed = seed::seed();
    let mut chance = Chance::new(seed);
    let mut count = 0;
    for path in folder::files(&whole) {
        let length = usize::try_from(fs::metadata(whole.join(&path)).unwrap().len()).unwrap();
        if length == 0 {
            continue;
        }
        let mut damages = vec![Damage::CutTo(0), Damage::CutTo(length / 2), Damage::CutTo(length - 1)];
        if path.ends_with("main.redb") {
            damages.push(Damage::Bits(vec![0]));
        }
        damages.extend((0..seed::count(1, 60)).map(|_| Damage::some(&mut chance, length)));
        for damage in damages {
            damage_file(&world, &whole, &path, &damage);
            count += 1;
        }
    }
    seed::report("damaged files", count, seed);
}

/// A folder whose main database is refused as damaged.
fn damaged_main(world: &World) -> Vec<u8> {
    let place = world.data().join("main.redb");
    let mut bytes = fs::read(&place).unwrap();
    bytes[..64].fill(0x55);
    fs::write(&place, &bytes).unwrap();
    let ending = Ending::of(&world.run(["chat", "--list", "--json"]));
    let fault = ending.storage_fault().unwrap_or_else(|| panic!("{ending:?}"));
    assert!(fault.message.contains("damaged"), "{fault:?}");
    let check = world.run(["db", "check", "--json"]);
    assert_eq!(check.code(), Some(1), "{check:?}");
    assert!(fs::read(&place).unwrap() == bytes, "it was changed by looking");
    bytes
}

#[test]
fn a_damaged_database_comes_back_from_the_newest_backup() {
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    world.json(["backup", "create"]);
    let damaged = damaged_main(&world);
    let recovered = world.json(["db", "recover", "--from-backup"]);
    let kept = recovered["kept"].as_str().unwrap_or_else(|| panic!("{recovered}"));
    record.check_works(&world);
    assert!(holds(Path::new(kept), &damaged), "the damaged file is not in {kept}");
}

#[test]
fn without_a_backup_what_can_be_read_is_saved() {
    let world = World::in_memory();
    world.json(["profiles", "create", "alpha"]);
    world.run(["chat", "--no-knowledge", "--message", "quartz"]);
    let damaged = damaged_main(&world);
    let refused = world.run(["db", "recover", "--from-backup", "--json"]);
    assert!(matches!(Ending::of(&refused), Ending::Refused(_)), "{refused:?}");
    world.json(["db", "export", "saved"]);
    assert!(!folder::files(&world.files().join("saved")).is_empty());
    let recovered = world.json(["db", "recover", "--empty"]);
    let kept = recovered["kept"].as_str().unwrap_or_else(|| panic!("{recovered}"));
    assert!(holds(Path::new(kept), &damaged), "the damaged file is not in {kept}");
    let mut anew = Record::default();
    anew.check_works(&world);
}

/// The file, or a file below the folder, holds these bytes.
fn holds(place: &Path, bytes: &[u8]) -> bool {
    if place.is_file() {
        return fs::read(place).unwrap() == bytes;
    }
    folder::contents(place).values().any(|content| content == bytes)
}
