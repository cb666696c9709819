//! Sources that nobody would write: they end within their limits, and what is found lies in the file.

#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rspa_ml::Cancel;
use rspa_syntax::{Language, Limits, Outline, Stopped, outline};

/// Short, so that what does not end by itself is stopped soon.
fn limits() -> Limits {
    Limits { time: Duration::from_millis(400), bytes: 64 << 20, ..Limits::default() }
}

/// Far above the limit: a busy machine is slow, but what is not stopped takes minutes.
const PATIENCE: Duration = Duration::from_secs(30);

fn in_every_language(source: &str) {
    for language in Language::ALL {
        let started = Instant::now();
        let found = outline(language, source, &limits(), &Cancel::new());
        assert!(started.elapsed() < PATIENCE, "{language:?}: {:?}", started.elapsed());
        match found {
            Ok(found) => check(source, &found),
            Err(why) => assert!(matches!(why, Stopped::TimedOut | Stopped::Unsafe), "{language:?}: {why}"),
        }
    }
}

/// Lines lie in the file, in order, and inside of what they are declared in.
fn check(source: &str, found: &Outline) {
    let lines = u32::try_from(source.split('\n').count()).unwrap();
    let mut stack: Vec<&rspa_syntax::Symbol> = Vec::new();
    for symbol in &found.symbols {
        assert!(symbol.first_line >= 1, "{symbol:?}");
        assert!(symbol.first_line <= symbol.line && symbol.line <= symbol.last_line, "{symbol:?}");
        assert!(symbol.last_line <= lines, "{symbol:?}");
        assert!(!symbol.name.is_empty() && !symbol.title.is_empty(), "{symbol:?}");
        stack.truncate(usize::from(symbol.level) - 1);
        let titles: Vec<_> = stack.iter().map(|above| above.title.as_str()).collect();
        assert_eq!(titles, symbol.containers, "{symbol:?}");
        if let Some(above) = stack.last() {
            assert!(
                above.first_line <= symbol.first_line && symbol.last_line <= above.last_line,
                "{symbol:?} in {above:?}"
            );
        }
        stack.push(symbol);
    }
    assert!(found.errors.iter().all(|error| (1..=lines).contains(&error.line) && error.column >= 1));
}

#[test]
fn a_megabyte_of_brackets_ends() {
    in_every_language(&"(".repeat(1 << 20));
    in_every_language(&"<a>".repeat(200_000));
}

#[test]
fn deep_nesting_ends() {
    let depth = 100_000;
    in_every_language(&format!("{}{}", "{".repeat(depth), "}".repeat(depth)));
    in_every_language(&format!("{}{}", "mod a {\n".repeat(depth), "}\n".repeat(depth)));
    in_every_language(&format!("{}{}", "class A {\n".repeat(depth / 4), "}\n".repeat(depth / 4)));
    in_every_language(&"- ".repeat(2_000));
    in_every_language(&"f(<<A, <<B, <<\"C\", \"#{%w(".repeat(2_000));
    in_every_language(&(0..2_000).map(|deep| format!("{}if x:\n", " ".repeat(deep))).collect::<String>());
}

#[test]
fn noise_ends() {
    // xorshift: the same noise every time.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(300_000)
    .collect();
    in_every_language(&String::from_utf8_lossy(&bytes));
}

#[test]
fn size_time_and_the_wish_to_stop_are_kept() {
    let minified = "function a(b,c){return b+c*2}var d={e:function(){return 1}};".repeat(20 * (1 << 20) / 60);
    let of = |limits: &Limits, cancel: &Cancel| outline(Language::JavaScript, &minified, limits, cancel);
    assert_eq!(of(&Limits::default(), &Cancel::new()), Err(Stopped::TooLarge));
    let started = Instant::now();
    assert_eq!(of(&Limits { time: Duration::from_millis(50), ..limits() }, &Cancel::new()), Err(Stopped::TimedOut));
    assert!(started.elapsed() < PATIENCE);
    let cancelled = Cancel::new();
    cancelled.cancel();
    assert_eq!(of(&limits(), &cancelled), Err(Stopped::Cancelled));
}

#[test]
fn the_number_of_symbols_is_limited() {
    let source = "fn a() {}\n".repeat(1_000);
    let few = Limits { symbols: 10, ..Limits::default() };
    let found = outline(Language::Rust, &source, &few, &Cancel::new()).unwrap();
    assert!(found.cut && found.symbols.len() == 10);
}

#[test]
fn broken_code_gives_the_rest_and_the_place() {
    let source = "fn first() {\n    let x = 1;\n}\n\nfn broken( {\n    y\n}\n\nfn last() {\n    z();\n}\n";
    let found = outline(Language::Rust, source, &Limits::default(), &Cancel::new()).unwrap();
    let names: Vec<_> = found.symbols.iter().map(|symbol| symbol.name.as_str()).collect();
    assert!(names.contains(&"first") && names.contains(&"last"), "{names:?}");
    assert_eq!(found.errors.first().map(|error| error.line), Some(5), "{:?}", found.errors);
    let missing = outline(Language::C, "int é(void) { return 1 }\n", &Limits::default(), &Cancel::new()).unwrap();
    let error = &missing.errors[0];
    assert_eq!((error.line, error.message.as_str()), (1, "`;` is missing"));
    assert!(error.column == 23 || error.column == 22, "{error:?}");
}

fn samples() -> Vec<(Language, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "outline"));
    paths.sort();
    let read = |path: PathBuf| {
        let source = std::fs::read_to_string(&path).unwrap();
        (Language::of(Some(&path), &source).unwrap(), source)
    };
    paths.into_iter().map(read).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn changed_sources_keep_what_holds(
        which in 0..18_usize,
        other in 0..18_usize,
        edits in proptest::collection::vec((any::<u16>(), any::<u16>(), 0..6_u8), 0..24),
    ) {
        let samples = samples();
        let (language, source) = &samples[which];
        let mut chars: Vec<char> = source.chars().collect();
        for (at, by, what) in edits {
            if chars.is_empty() {
                break;
            }
            let (at, by) = (usize::from(at) % chars.len(), usize::from(by) % chars.len());
            match what {
                0 => { chars.remove(at); }
                1 => { chars.drain(at..(at + by % 40).min(chars.len())); }
                2 => chars.insert(at, ['{', '}', '(', ')', '"', '\n', '\'', '\u{4e16}', '\0', '<', '\r', '/'][by % 12]),
                3 => chars.swap(at, by),
                4 => {
                    let piece: Vec<char> = chars[at.min(by)..at.max(by).min(at.min(by) + 60)].to_vec();
                    chars.splice(at..at, piece);
                }
                _ => {
                    // A piece of another language.
                    let foreign: Vec<char> = samples[other].1.chars().skip(by).take(80).collect();
                    chars.splice(at..at, foreign);
                }
            }
        }
        let changed: String = chars.into_iter().collect();
        let found = outline(*language, &changed, &Limits { time: Duration::from_secs(60), ..Limits::default() }, &Cancel::new());
        match found {
            Ok(found) => check(&changed, &found),
            Err(why) => assert_eq!(why, Stopped::Unsafe),
        }
    }
}
