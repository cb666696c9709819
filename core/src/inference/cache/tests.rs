//! Tests of the response cache: what is a hit, what is not, and what of it survives.

use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use rspa_ml::generate::{ChatTurn, Constraint, GenerateRequest, Prompt, Role, SamplingParams};
use uuid::Uuid;

use super::*;
use crate::clock::ManualClock;
use crate::inference::ToolOffer;
use crate::storage::{DbOptions, tables};

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));
const HOUR: i64 = 3_600_000;

struct World {
    _folder: tempfile::TempDir,
    db: Db,
    clock: Arc<ManualClock>,
    enabled: Arc<AtomicBool>,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("cache.redb"), &tables::CACHE, DbOptions::default()).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
    World { _folder: folder, db, clock, enabled: Arc::new(AtomicBool::new(true)) }
}

impl World {
    fn cache_of(&self, profile: ProfileId, memory_bytes: u64) -> ResponseCache {
        let (db, enabled) = (self.db.clone(), self.enabled.clone());
        ResponseCache::new(CacheParts {
            profile,
            clock: self.clock.clone(),
            file: Box::new(move || Ok(db.clone())),
            settings: Box::new(move || CacheSettings {
                enabled: enabled.load(Ordering::SeqCst),
                hours: 2,
                most_bytes: 1 << 20,
                memory_bytes,
            }),
        })
    }

    fn cache(&self) -> ResponseCache {
        self.cache_of(PROFILE, 1 << 20)
    }

    fn kept(&self, text: &str) -> Arc<Kept> {
        Arc::new(Kept {
            text: text.to_owned(),
            stored: self.clock.now(),
            prompt_tokens: 7,
            answer_tokens: 3,
            finish: "end_of_text".to_owned(),
        })
    }
}

#[test]
fn an_answer_is_found_in_memory_then_in_the_file_and_not_after_its_time() {
    let world = world();
    let cache = world.cache();
    let kept = world.kept("four");
    assert!(cache.get(&[1; 32]).is_none());
    cache.remember([1; 32], &kept);
    cache.store([1; 32], &kept);
    assert_eq!(cache.get(&[1; 32]), Some((kept.clone(), Tier::Memory)));
    let stats = cache.stats().unwrap();
    assert_eq!((stats.hits, stats.misses, stats.entries, stats.memory_entries), (1, 1, 1, 1));
    assert!(stats.hit_p99_us > 0.0 && stats.hit_p99_us >= stats.hit_p50_us);
    let later = world.cache();
    assert_eq!(later.get(&[1; 32]), Some((kept.clone(), Tier::File)));
    assert_eq!(later.get(&[1; 32]), Some((kept, Tier::Memory)), "the file's answer is at hand from then on");
    world.clock.advance_ms(2 * HOUR);
    assert!(later.get(&[1; 32]).is_none());
    assert_eq!(later.stats().unwrap().entries, 0, "what counts no longer is removed");
    world.clock.advance_ms(-HOUR * 30);
    cache.store([2; 32], &Kept { stored: Timestamp(world.clock.now().0 + 1), ..(*world.kept("x")).clone() });
    assert!(cache.get(&[2; 32]).is_none(), "an answer from the future does not count");
}

#[test]
fn switched_off_it_neither_gives_nor_keeps() {
    let world = world();
    let cache = world.cache();
    let kept = world.kept("four");
    cache.remember([1; 32], &kept);
    world.enabled.store(false, Ordering::SeqCst);
    assert!(cache.get(&[1; 32]).is_none());
    cache.store([2; 32], &kept);
    world.enabled.store(true, Ordering::SeqCst);
    assert!(cache.get(&[2; 32]).is_none());
    assert!(cache.get(&[1; 32]).is_some());
}

#[test]
fn memory_is_bounded_and_lets_the_least_recently_used_go() {
    let world = world();
    let cache = world.cache_of(PROFILE, 3_000);
    for n in 0..3_u8 {
        cache.remember([n; 32], &world.kept(&"x".repeat(700)));
    }
    assert!(cache.get(&[0; 32]).is_some());
    cache.remember([3; 32], &world.kept(&"y".repeat(700)));
    assert!(cache.get(&[1; 32]).is_none() && cache.get(&[0; 32]).is_some());
    assert!(cache.stats().unwrap().memory_bytes <= 3_000);
    cache.remember([4; 32], &world.kept(&"z".repeat(4_000)));
    assert!(cache.get(&[4; 32]).is_none(), "larger than all of it");
    assert!(cache.get(&[0; 32]).is_some(), "and nothing had to go for it");
}

#[test]
fn what_is_used_most_is_at_hand_after_a_new_start_and_uses_are_written_together() {
    let world = world();
    let cache = world.cache();
    for n in 0..100_u8 {
        cache.store([n; 32], &world.kept(&format!("answer {n}")));
    }
    let before = world.db.last_change();
    for _ in 0..50 {
        cache.get(&[42; 32]).unwrap();
    }
    assert_eq!(world.db.last_change(), before, "a hit writes nothing");
    cache.flush();
    assert_eq!(world.db.last_change(), before + 1);
    let first = responses::most_used(&world.db, PROFILE, 1).unwrap();
    assert_eq!(first, vec![[42; 32]]);
    let later = world.cache();
    later.warm();
    assert_eq!(later.get(&[42; 32]).unwrap().1, Tier::Memory);
}

#[test]
fn an_entry_that_cannot_be_read_is_a_miss_and_goes() {
    let world = world();
    let cache = world.cache();
    cache.store([5; 32], &Kept { finish: "end_of_text".to_owned(), ..(*world.kept("fine")).clone() });
    responses::spoil(&world.db, PROFILE, [5; 32]);
    assert!(cache.get(&[5; 32]).is_none());
    assert_eq!(cache.stats().unwrap().entries, 0);
}

#[test]
fn clearing_is_for_one_profile() {
    let world = world();
    let (own, other) = (world.cache(), world.cache_of(ProfileId(Uuid::from_u128(2)), 1 << 20));
    own.store([1; 32], &world.kept("own"));
    other.store([1; 32], &world.kept("other"));
    own.get(&[1; 32]).unwrap();
    assert_eq!(own.clear().unwrap(), 1);
    assert!(own.get(&[1; 32]).is_none());
    assert_eq!(other.get(&[1; 32]).unwrap().0.text, "other");
}

fn request(turns: &[&str]) -> GenerateRequest {
    let turns = turns.iter().map(|text| ChatTurn { role: Role::User, content: (*text).to_owned() }).collect();
    GenerateRequest { prompt: Prompt::Chat(turns), sampling: SamplingParams::default(), constraint: None }
}

fn key_with(request: &GenerateRequest, model: &str, seed: Option<u64>, tools: &[ToolOffer]) -> Key {
    key(&Asked { profile: PROFILE, model, place: "", request, tools, seed })
}

#[test]
fn whatever_changes_the_answer_changes_the_key() {
    let plain = request(&["a", "b"]);
    let same = key_with(&plain, "m", None, &[]);
    let mut seeded = plain.clone();
    seeded.sampling.seed = 99;
    assert_eq!(key_with(&seeded, "m", None, &[]), same, "a seed that nobody fixed does not count");
    let mut warmer = plain.clone();
    warmer.sampling.temperature = 0.71;
    let mut stopped = plain.clone();
    stopped.sampling.stop = vec!["x".to_owned()];
    let constrained = GenerateRequest { constraint: Some(Constraint::Regex("a+".to_owned())), ..plain.clone() };
    let tool = ToolOffer { name: "t".to_owned(), description: String::new(), parameters: serde_json::json!({}) };
    let others = [
        key_with(&plain, "n", None, &[]),
        key_with(&plain, "m", Some(0), &[]),
        key_with(&plain, "m", None, &[tool]),
        key_with(&warmer, "m", None, &[]),
        key_with(&stopped, "m", None, &[]),
        key_with(&constrained, "m", None, &[]),
        key_with(&request(&["ab"]), "m", None, &[]),
        key_with(&request(&["a", "b", ""]), "m", None, &[]),
        key(&Asked { profile: PROFILE, model: "m", place: "x", request: &plain, tools: &[], seed: None }),
        key(&Asked {
            profile: ProfileId(Uuid::from_u128(9)),
            model: "m",
            place: "",
            request: &plain,
            tools: &[],
            seed: None,
        }),
    ];
    let mut all: Vec<Key> = others.to_vec();
    all.push(same);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), others.len() + 1);
}

proptest! {
    #[test]
    fn different_turns_have_different_keys(a in proptest::collection::vec(".{0,6}", 0..4), b in proptest::collection::vec(".{0,6}", 0..4)) {
        let of = |texts: &[String]| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            key_with(&request(&texts), "m", None, &[])
        };
        prop_assert_eq!(of(&a) == of(&b), a == b);
    }
}
