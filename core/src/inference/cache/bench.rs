//! What `rspa bench cache` measures: hits of a filled cache, from memory and from the file, and a workload that repeats.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rspa_ml::generate::{ChatTurn, GenerateRequest, Prompt, Role, SamplingParams};
use serde::Serialize;
use uuid::Uuid;

use super::{Asked, CacheParts, CacheSettings, ResponseCache, Tier, key, share};
use crate::clock::{Clock, SystemClock};
use crate::model::ProfileId;
use crate::random::SplitMix64;
use crate::storage::responses::{Kept, Key};
use crate::storage::{Db, DbOptions, StorageError, tables};

/// Bytes of an answer, and how it is built.
const SMALLEST: usize = 200;
const LARGEST: usize = 20_000;
/// What the settings have when nobody changes them.
const FILE: u64 = 128 << 20;
const MEMORY: u64 = 16 << 20;

#[derive(Clone, Debug, Serialize)]
pub struct CacheMeasurement {
    pub entries: u64,
    pub bytes: u64,
    pub fill_s: f64,
    /// Over all hits, the making of the key included.
    pub hits: u64,
    pub hit_p50_us: f64,
    pub hit_p99_us: f64,
    pub memory_hits: u64,
    pub memory_p50_us: f64,
    pub memory_p99_us: f64,
    pub file_hits: u64,
    pub file_p50_us: f64,
    pub file_p99_us: f64,
    /// Of a workload in which a few questions come again and again, 0 to 1.
    pub repeated_hit_rate: f64,
}

/// Fills a cache in this empty folder and asks it. `stop` ends it early, between two questions.
///
/// # Errors
/// What storage says.
pub fn measure(
    folder: &Path,
    entries: u64,
    rounds: u64,
    stop: &dyn Fn() -> bool,
) -> Result<CacheMeasurement, StorageError> {
    let db = Db::open(&folder.join("cache.redb"), &tables::CACHE, DbOptions::default())?;
    let begun = Instant::now();
    let filling = cache(&db, MEMORY);
    for number in 0..entries {
        if stop() {
            break;
        }
        filling.store(key_of(number), &answer(number));
    }
    let fill_s = begun.elapsed().as_secs_f64();
    let bytes = filling.stats()?.bytes;
    // As after a new start: what is used most is in memory, the rest in the file.
    let cache = cache(&db, MEMORY);
    cache.warm();
    let (mut memory, mut file) = (Vec::new(), Vec::new());
    let mut chance = SplitMix64(0x5eed);
    for _ in 0..rounds {
        if stop() {
            break;
        }
        // Half of the questions are among a few that are asked again and again.
        let number = if chance.next().is_multiple_of(2) { chance.next() % 200 } else { chance.next() % entries.max(1) };
        let begun = Instant::now();
        let found = cache.get(&key_of(number % entries.max(1)));
        let microseconds = begun.elapsed().as_secs_f64() * 1e6;
        match found {
            Some((_, Tier::Memory)) => memory.push(microseconds),
            Some((_, Tier::File)) => file.push(microseconds),
            None => {}
        }
    }
    cache.flush();
    let mut all: Vec<f64> = memory.iter().chain(&file).copied().collect();
    for times in [&mut memory, &mut file, &mut all] {
        times.sort_by(f64::total_cmp);
    }
    Ok(CacheMeasurement {
        entries,
        bytes,
        fill_s,
        hits: all.len() as u64,
        hit_p50_us: share(&all, 0.50),
        hit_p99_us: share(&all, 0.99),
        memory_hits: memory.len() as u64,
        memory_p50_us: share(&memory, 0.50),
        memory_p99_us: share(&memory, 0.99),
        file_hits: file.len() as u64,
        file_p50_us: share(&file, 0.50),
        file_p99_us: share(&file, 0.99),
        repeated_hit_rate: repeated(folder, rounds, stop)?,
    })
}

/// A cache that begins empty, and a morning of work: one of forty questions is new, the others were asked before.
fn repeated(folder: &Path, rounds: u64, stop: &dyn Fn() -> bool) -> Result<f64, StorageError> {
    let db = Db::open(&folder.join("repeated.redb"), &tables::CACHE, DbOptions::default())?;
    let cache = cache(&db, MEMORY);
    let (mut chance, mut known) = (SplitMix64(7), 0);
    for _ in 0..rounds {
        if stop() {
            break;
        }
        let number = if known == 0 || chance.next() % 40 == 0 {
            known += 1;
            known - 1
        } else {
            chance.next() % known
        };
        if cache.get(&key_of(number)).is_none() {
            let kept = answer(number);
            cache.store(key_of(number), &kept);
            cache.remember(key_of(number), &Arc::new(kept));
        }
    }
    Ok(cache.stats()?.hit_rate().unwrap_or(0.0))
}

fn cache(db: &Db, memory_bytes: u64) -> ResponseCache {
    let db = db.clone();
    ResponseCache::new(CacheParts {
        profile: PROFILE,
        clock: Arc::new(SystemClock),
        file: Box::new(move || Ok(db.clone())),
        settings: Box::new(move || CacheSettings { enabled: true, hours: 24, most_bytes: FILE, memory_bytes }),
    })
}

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(15));

/// The key of a question with a few earlier turns, as a chat asks it.
fn key_of(number: u64) -> Key {
    let turn = |role, content: String| ChatTurn { role, content };
    let turns = vec![
        turn(Role::System, "You answer from the passages, and cite them.".to_owned()),
        turn(Role::User, words(number.wrapping_mul(31), 2_000)),
        turn(Role::User, format!("Question {number}: what does this say about the matter?")),
    ];
    let request =
        GenerateRequest { prompt: Prompt::Chat(turns), sampling: SamplingParams::default(), constraint: None };
    let asked =
        Asked { profile: PROFILE, model: "measured", place: "", request: &request, tools: &[], seed: Some(number) };
    key(&asked)
}

/// An answer of 200 bytes to 20 KB, small ones more often.
fn answer(number: u64) -> Kept {
    let share = (SplitMix64(number).next() % 1_000) as f64 / 1_000.0;
    let length = SMALLEST as f64 * (LARGEST as f64 / SMALLEST as f64).powf(share);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "200 to 20,000")]
    let text = words(number, length as usize);
    let tokens = text.len() as u64 / 4;
    Kept {
        text,
        stored: SystemClock.now(),
        prompt_tokens: 500,
        answer_tokens: tokens,
        finish: "end_of_text".to_owned(),
    }
}

fn words(seed: u64, length: usize) -> String {
    const WORDS: [&str; 16] = [
        "the", "report", "says", "that", "revenue", "of", "each", "quarter", "was", "above", "what", "had", "been",
        "expected", "before", "winter",
    ];
    let mut chance = SplitMix64(seed);
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        let number = chance.next();
        text.push_str(WORDS[(number % 16) as usize]);
        if number.is_multiple_of(7) {
            text.push_str(&(number >> 40).to_string());
        }
        text.push(' ');
    }
    text.truncate(length);
    text
}
