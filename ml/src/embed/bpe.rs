//! SentencePiece-style BPE with byte fallback, for the static embedder: same ids as the `tokenizers` crate, far faster.
//!
//! The algorithm is Sennrich et al. 2016 (<https://arxiv.org/abs/1508.07909>): merge the adjacent pair of lowest rank,
//! leftmost first. This vocabulary has no pre-tokenizer, so a whole text is one word. Two facts make it fast without
//! changing any id: no merge can span a byte pair that no vocabulary entry contains, so the text is cut there first;
//! and the pieces, mostly words, repeat, so their ids are cached.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use serde::Deserialize;

/// Pieces up to this many symbols are merged by scanning; longer ones with a priority queue.
const SCAN_LIMIT: usize = 40;
/// Bytes of the longest piece that is cached.
const KEY_BYTES: usize = 24;
/// Ids of the longest cached result.
const CACHED_IDS: usize = 10;
const CACHE_SLOTS: usize = 4096;
const NO_MERGE: u16 = u16::MAX;

#[derive(Deserialize)]
struct TokenizerJson<'a> {
    #[serde(borrow)]
    added_tokens: Vec<AddedToken<'a>>,
    #[serde(borrow)]
    model: Model<'a>,
}

#[derive(Deserialize)]
struct AddedToken<'a> {
    id: u16,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Model<'a> {
    #[serde(borrow)]
    vocab: HashMap<Cow<'a, str>, u16>,
    #[serde(borrow)]
    merges: Vec<Cow<'a, str>>,
}

#[derive(Clone, Copy)]
struct Merge {
    pair: u32,
    rank: u16,
    id: u16,
}

/// Vocabulary and merges, compiled for encoding.
pub(super) struct Bpe {
    /// Id of each single-character token below U+10000; 0 where there is none.
    bmp: Box<[u16]>,
    astral: HashMap<char, u16>,
    bytes: [u16; 256],
    /// Open addressing, a power of two long, at most half full.
    merges: Box<[Merge]>,
    /// Bit `previous * 256 + next`: some token has these two bytes side by side at a character boundary.
    joins: Box<[u64]>,
    specials: Vec<(String, u16)>,
}

/// Buffers that outlive a call, one per thread: the text being encoded, and the cache of pieces.
pub(super) struct Scratch {
    text: String,
    cache: Box<[Cached]>,
    ids: Vec<u16>,
    queue: LongPiece,
}

#[derive(Clone, Copy)]
struct Cached {
    key: [u8; KEY_BYTES],
    key_len: u8,
    count: u8,
    ids: [u16; CACHED_IDS],
}

/// Linked list of symbols and queue of candidate merges for pieces that are too long to scan.
#[derive(Default)]
struct LongPiece {
    next: Vec<u32>,
    previous: Vec<u32>,
    /// `rank << 32 | position`, so that the lowest rank comes first and then the leftmost place.
    candidates: BinaryHeap<Reverse<u64>>,
}

impl Default for Scratch {
    fn default() -> Self {
        let empty = Cached { key: [0; KEY_BYTES], key_len: 0, count: 0, ids: [0; CACHED_IDS] };
        Self {
            text: String::new(),
            cache: vec![empty; CACHE_SLOTS].into_boxed_slice(),
            ids: Vec::new(),
            queue: LongPiece::default(),
        }
    }
}

impl Bpe {
    /// Compiles a Hugging Face `tokenizer.json` whose model is BPE with byte fallback and whose normalizer is
    /// "prepend ▁, replace each space by ▁".
    pub(super) fn from_json(json: &[u8]) -> Result<Self, String> {
        let parsed: TokenizerJson = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let vocab = &parsed.model.vocab;
        if parsed.model.merges.len() >= usize::from(NO_MERGE) {
            return Err("too many merges".to_owned());
        }
        let mut bmp = vec![0_u16; 0x10000].into_boxed_slice();
        let mut astral = HashMap::new();
        let mut joins = vec![0_u64; 256 * 256 / 64].into_boxed_slice();
        for (token, &id) in vocab {
            let token = internal(token);
            let mut characters = token.chars();
            if let (Some(character), None) = (characters.next(), characters.next()) {
                match bmp.get_mut(character as usize) {
                    Some(slot) => *slot = id,
                    None => drop(astral.insert(character, id)),
                }
            }
            for pair in token.as_bytes().windows(2).filter(|pair| !is_continuation(pair[1])) {
                let bit = join_bit(pair[0], pair[1]);
                joins[bit / 64] |= 1 << (bit % 64);
            }
        }
        let mut bytes = [0_u16; 256];
        for (byte, slot) in bytes.iter_mut().enumerate() {
            *slot = *vocab.get(format!("<0x{byte:02X}>").as_str()).ok_or("a byte has no token")?;
        }
        let specials = parsed.added_tokens.iter().map(|token| (token.content.to_string(), token.id)).collect();
        Ok(Self { bmp, astral, bytes, merges: compile_merges(&parsed.model)?, joins, specials })
    }

    /// Calls `emit` with the ids of `text`, in order. Special tokens in the text become their ids, as in wordllama.
    pub(super) fn encode(&self, text: &str, scratch: &mut Scratch, emit: &mut impl FnMut(&[u16])) {
        let mut rest = text;
        let mut from = 0;
        while let Some(offset) = rest[from..].find('<') {
            let at = from + offset;
            match self.specials.iter().find(|(content, _)| rest[at..].starts_with(content.as_str())) {
                Some((content, id)) => {
                    self.encode_plain(&rest[..at], scratch, emit);
                    emit(&[*id]);
                    rest = &rest[at + content.len()..];
                    from = 0;
                }
                None => from = at + 1,
            }
        }
        self.encode_plain(rest, scratch, emit);
    }

    fn encode_plain(&self, text: &str, scratch: &mut Scratch, emit: &mut impl FnMut(&[u16])) {
        if text.is_empty() {
            return;
        }
        let mut buffer = std::mem::take(&mut scratch.text);
        buffer.clear();
        buffer.push(' ');
        buffer.push_str(&internal(text));
        let bytes = buffer.as_bytes();
        let mut start = 0;
        for at in 1..bytes.len() {
            if !is_continuation(bytes[at]) && !self.joins(bytes[at - 1], bytes[at]) {
                self.encode_piece(&buffer[start..at], scratch, emit);
                start = at;
            }
        }
        self.encode_piece(&buffer[start..], scratch, emit);
        // A single huge text must not keep its memory.
        if buffer.capacity() <= 1 << 20 {
            scratch.text = buffer;
        }
    }

    fn encode_piece(&self, piece: &str, scratch: &mut Scratch, emit: &mut impl FnMut(&[u16])) {
        let mut key = [0_u8; KEY_BYTES];
        if let Some(head) = key.get_mut(..piece.len()) {
            head.copy_from_slice(piece.as_bytes());
            let slot = slot(&key);
            let cached = &scratch.cache[slot];
            if usize::from(cached.key_len) == piece.len() && cached.key == key {
                return emit(&cached.ids[..usize::from(cached.count)]);
            }
            self.merge_piece(piece, scratch);
            let ids = &scratch.ids;
            if ids.len() <= CACHED_IDS {
                let cached = &mut scratch.cache[slot];
                cached.key = key;
                cached.key_len = piece.len() as u8;
                cached.count = ids.len() as u8;
                cached.ids[..ids.len()].copy_from_slice(ids);
            }
        } else {
            self.merge_piece(piece, scratch);
        }
        emit(&scratch.ids);
        if scratch.ids.capacity() > 1 << 20 {
            scratch.ids = Vec::new();
            scratch.queue = LongPiece::default();
        }
    }

    /// Leaves the ids of `piece` in `scratch.ids`.
    fn merge_piece(&self, piece: &str, scratch: &mut Scratch) {
        let ids = &mut scratch.ids;
        ids.clear();
        for character in piece.chars() {
            let id = match self.bmp.get(character as usize) {
                Some(&id) => id,
                None => self.astral.get(&character).copied().unwrap_or(0),
            };
            if id != 0 {
                ids.push(id);
            } else {
                let mut utf8 = [0; 4];
                ids.extend(character.encode_utf8(&mut utf8).bytes().map(|byte| self.bytes[usize::from(byte)]));
            }
        }
        if ids.len() <= SCAN_LIMIT { self.merge_by_scan(ids) } else { self.merge_by_queue(ids, &mut scratch.queue) }
    }

    fn merge_by_scan(&self, ids: &mut Vec<u16>) {
        let mut ranks = [NO_MERGE; SCAN_LIMIT];
        for at in 1..ids.len() {
            ranks[at - 1] = self.rank(ids[at - 1], ids[at]);
        }
        while ids.len() > 1 {
            let pairs = ids.len() - 1;
            let (mut at, mut lowest) = (0, NO_MERGE);
            for (place, &rank) in ranks[..pairs].iter().enumerate() {
                if rank < lowest {
                    (at, lowest) = (place, rank);
                }
            }
            if lowest == NO_MERGE {
                return;
            }
            ids[at] = self.merged(ids[at], ids[at + 1]);
            ids.remove(at + 1);
            ranks.copy_within(at + 1..pairs, at);
            let pairs = pairs - 1;
            if at < pairs {
                ranks[at] = self.rank(ids[at], ids[at + 1]);
            }
            if at > 0 {
                ranks[at - 1] = self.rank(ids[at - 1], ids[at]);
            }
        }
    }

    fn merge_by_queue(&self, ids: &mut Vec<u16>, long: &mut LongPiece) {
        const END: u32 = u32::MAX;
        let count = ids.len() as u32;
        long.next.clear();
        long.next.extend((1..count).chain([END]));
        long.previous.clear();
        long.previous.extend([END].into_iter().chain(0..count - 1));
        long.candidates.clear();
        let candidate = |rank: u16, at: u32| Reverse(u64::from(rank) << 32 | u64::from(at));
        let mut first = std::mem::take(&mut long.candidates).into_vec();
        for at in 1..ids.len() {
            let rank = self.rank(ids[at - 1], ids[at]);
            if rank != NO_MERGE {
                first.push(candidate(rank, at as u32 - 1));
            }
        }
        long.candidates = BinaryHeap::from(first);
        // 0 marks a symbol that was merged away: `<unk>` never takes part in a merge.
        while let Some(Reverse(top)) = long.candidates.pop() {
            let (rank, at) = ((top >> 32) as u16, top as u32);
            let left = ids[at as usize];
            let next = long.next[at as usize];
            if left == 0 || next == END || self.rank(left, ids[next as usize]) != rank {
                continue;
            }
            let merged = self.merged(left, ids[next as usize]);
            ids[at as usize] = merged;
            ids[next as usize] = 0;
            let after = long.next[next as usize];
            long.next[at as usize] = after;
            if after != END {
                long.previous[after as usize] = at;
                let rank = self.rank(merged, ids[after as usize]);
                if rank != NO_MERGE {
                    long.candidates.push(candidate(rank, at));
                }
            }
            let before = long.previous[at as usize];
            if before != END {
                let rank = self.rank(ids[before as usize], merged);
                if rank != NO_MERGE {
                    long.candidates.push(candidate(rank, before));
                }
            }
        }
        ids.retain(|&id| id != 0);
    }

    fn rank(&self, left: u16, right: u16) -> u16 {
        self.find(left, right).rank
    }

    fn merged(&self, left: u16, right: u16) -> u16 {
        self.find(left, right).id
    }

    /// The merge of this pair, or the empty slot (rank [`NO_MERGE`]) where the search ended.
    fn find(&self, left: u16, right: u16) -> Merge {
        let pair = u32::from(left) << 16 | u32::from(right);
        self.merges[merge_place(&self.merges, pair)]
    }

    fn joins(&self, previous: u8, next: u8) -> bool {
        let bit = join_bit(previous, next);
        self.joins[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// Inside, the word mark `▁` is a plain space: the text then needs no rewriting.
fn internal(text: &str) -> Cow<'_, str> {
    if text.contains('▁') { Cow::Owned(text.replace('▁', " ")) } else { Cow::Borrowed(text) }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

fn join_bit(previous: u8, next: u8) -> usize {
    usize::from(previous) * 256 + usize::from(next)
}

fn slot(key: &[u8; KEY_BYTES]) -> usize {
    let mut hash = 0_u64;
    for chunk in key.as_chunks::<8>().0 {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*chunk)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    (hash >> 40) as usize % CACHE_SLOTS
}

fn merge_place(table: &[Merge], pair: u32) -> usize {
    let mask = table.len() - 1;
    let mut place = (pair.wrapping_mul(0x9e37_79b1) >> 12) as usize & mask;
    while table[place].rank != NO_MERGE && table[place].pair != pair {
        place = (place + 1) & mask;
    }
    place
}

fn compile_merges(model: &Model) -> Result<Box<[Merge]>, String> {
    let empty = Merge { pair: 0, rank: NO_MERGE, id: 0 };
    let mut table = vec![empty; (model.merges.len() * 2).next_power_of_two()].into_boxed_slice();
    let mut joined = String::new();
    for (rank, merge) in model.merges.iter().enumerate() {
        let (left, right) = merge.split_once(' ').ok_or("a merge without two parts")?;
        joined.clear();
        joined.push_str(left);
        joined.push_str(right);
        let id = |token: &str| model.vocab.get(token).copied().ok_or("a merge of unknown tokens");
        let pair = u32::from(id(left)?) << 16 | u32::from(id(right)?);
        let place = merge_place(&table, pair);
        table[place] = Merge { pair, rank: rank as u16, id: id(&joined)? };
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    const JSON: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/embedder/l2_supercat_tokenizer_config.json"));

    fn both(text: &str) -> (Vec<u32>, Vec<u32>) {
        static ORACLE: OnceLock<tokenizers::Tokenizer> = OnceLock::new();
        static OURS: OnceLock<Bpe> = OnceLock::new();
        thread_local!(static SCRATCH: std::cell::RefCell<Scratch> = std::cell::RefCell::default());
        let oracle = ORACLE.get_or_init(|| tokenizers::Tokenizer::from_bytes(JSON).unwrap());
        let bpe = OURS.get_or_init(|| Bpe::from_json(JSON).unwrap());
        let mut ours = Vec::new();
        SCRATCH.with_borrow_mut(|scratch| {
            bpe.encode(text, scratch, &mut |ids| ours.extend(ids.iter().map(|&id| u32::from(id))));
        });
        (ours, oracle.encode(text, false).unwrap().get_ids().to_vec())
    }

    fn check(text: &str) {
        let (ours, expected) = both(text);
        assert_eq!(ours, expected, "{text:?}");
    }

    #[test]
    fn ids_equal_the_reference_on_chosen_texts() {
        for text in ["", " ", "a", "<s>", "x<s>y</s> z<unk", "<<s>>", "▁▁ ▁", "😀😀", "\u{0}", "ﷺ", "a\u{301}e\u{308}"]
        {
            check(text);
        }
        check(&"a".repeat(3000));
        check(&" ".repeat(500));
        check(&"Donaudampfschifffahrtsgesellschaft".repeat(30));
        check(include_str!("bpe.rs"));
        check(include_str!("../weights/catalogue.rs"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn ids_equal_the_reference_on_any_text(text in any::<String>()) {
            let (ours, expected) = both(&text);
            prop_assert_eq!(ours, expected);
        }

        #[test]
        fn ids_equal_the_reference_on_words(text in "([a-zA-Z0-9 .,;:_<>/\"'(){}\\-\n\täöüéпривет日本語]|the |ing|tion|    ){0,400}") {
            let (ours, expected) = both(&text);
            prop_assert_eq!(ours, expected);
        }
    }
}
