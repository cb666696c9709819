//! A block: up to 1,024 entries that are stored together, with what a query looks at before it reads any of them.
//!
//! Five values a block: the body (the entries' records), and, derived from it, the summary (times, how many entries of
//! each target and level), the columns (time, level, target of each entry), the text (all that can be searched for), and
//! the trigrams (a bitmap of hashes of three successive bytes of the text: a text of which one is missing is not there).

use super::record::StoredLog;
use crate::model::{LogEntry, LogLevel};
use crate::storage::{StorageError, decode};

pub(super) const ENTRIES: usize = 1_024;
/// A block is closed before it has [`ENTRIES`] when its records are as large as this.
pub(super) const BYTES: u64 = 1 << 20;
/// Raised when what is derived changes its shape; it is made anew then.
pub(super) const DERIVED: u64 = 1;
/// Of the body, which is not derived.
const BODY_VERSION: u16 = 1;
const LEVELS: usize = LogLevel::ALL.len();
/// Bits of the bitmap for each different trigram, about.
const TRIGRAM_BITS: usize = 8;
const LARGEST_TRIGRAMS: usize = 8 << 10;
const SMALLEST_TRIGRAMS: usize = 128;

/// The values of a block, ready to be stored.
pub(super) struct Encoded {
    pub body: Vec<u8>,
    pub summary: Vec<u8>,
    pub columns: Vec<u8>,
    pub text: Vec<u8>,
    pub trigrams: Vec<u8>,
}

/// Makes a block of these records with their numbers, which rise.
pub(super) fn build(rows: &[(u64, Vec<u8>)]) -> Result<Encoded, StorageError> {
    let mut body = BODY_VERSION.to_le_bytes().to_vec();
    body.extend(length(rows.len())?.to_le_bytes());
    let mut end = 0_usize;
    for (id, record) in rows {
        end += record.len();
        body.extend(id.to_le_bytes());
        body.extend(length(end)?.to_le_bytes());
    }
    let mut text = String::new();
    let mut targets: Vec<(String, [u32; LEVELS])> = Vec::new();
    let mut contexts: Vec<String> = Vec::new();
    let (mut levels, mut places, mut contexts_of) = (Vec::new(), Vec::new(), Vec::new());
    let (mut times, mut ids, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    let (mut earliest, mut latest) = (i64::MAX, i64::MIN);
    for (id, record) in rows {
        body.extend(record);
        let entry = decode::<StoredLog>(record)?.into_entry(*id);
        entry.push_own_text(&mut text);
        (earliest, latest) = (earliest.min(entry.at.0), latest.max(entry.at.0));
        let known = targets.iter().position(|(target, _)| *target == entry.target);
        let place = known.unwrap_or_else(|| {
            targets.push((entry.target.clone(), [0; LEVELS]));
            targets.len() - 1
        });
        targets[place].1[entry.level as usize] += 1;
        let mut context = String::new();
        entry.push_context(&mut context);
        let known = contexts.iter().position(|known| *known == context);
        let context = known.unwrap_or_else(|| {
            contexts.push(context);
            contexts.len() - 1
        });
        levels.push(entry.level as u8);
        // A block has fewer of both than 1,024.
        places.extend(u16::try_from(place).unwrap_or(u16::MAX).to_le_bytes());
        contexts_of.extend(u16::try_from(context).unwrap_or(u16::MAX).to_le_bytes());
        times.extend(entry.at.0.to_le_bytes());
        ids.extend(id.to_le_bytes());
        ends.extend(length(text.len())?.to_le_bytes());
    }
    let last = rows.last().map_or(0, |(id, _)| *id);
    let mut summary = Vec::new();
    summary.extend(last.to_le_bytes());
    summary.extend(length(rows.len())?.to_le_bytes());
    summary.extend(earliest.to_le_bytes());
    summary.extend(latest.to_le_bytes());
    for (target, counts) in &targets {
        summary.extend(length(target.len())?.to_le_bytes());
        summary.extend(target.as_bytes());
        summary.extend(counts.iter().flat_map(|count| count.to_le_bytes()));
    }
    let mut columns = levels;
    columns.extend(places);
    columns.extend(contexts_of);
    columns.extend(times);
    columns.extend(ids);
    columns.extend(ends);
    let mut whole = length(contexts.len())?.to_le_bytes().to_vec();
    let mut end = 0;
    for context in &contexts {
        end += context.len();
        whole.extend(length(end)?.to_le_bytes());
    }
    let text = contexts.concat() + &text;
    whole.extend(text.as_bytes());
    Ok(Encoded { body, summary, columns, trigrams: trigrams_of(&text), text: whole })
}

fn length(length: usize) -> Result<u32, StorageError> {
    u32::try_from(length).map_err(|_too_large| broken("it is too large"))
}

fn broken(detail: &str) -> StorageError {
    StorageError::Record { record: "block of log entries", detail: detail.to_owned() }
}

/// Takes little-endian numbers off the front of bytes.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], StorageError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| broken("it is too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StorageError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| broken("it is too short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32, StorageError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, StorageError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, StorageError> {
        Ok(i64::from_le_bytes(self.array()?))
    }
}

/// What is known of a block without looking into it.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    /// The number of its last entry.
    pub last: u64,
    pub count: u32,
    pub earliest: i64,
    pub latest: i64,
    /// How many entries of each level each target has.
    pub targets: Vec<(&'a str, [u32; LEVELS])>,
}

impl<'a> Summary<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, StorageError> {
        let mut bytes = Bytes(bytes);
        let (last, count, earliest, latest) = (bytes.u64()?, bytes.u32()?, bytes.i64()?, bytes.i64()?);
        let mut targets = Vec::new();
        while !bytes.0.is_empty() {
            let length = bytes.u32()? as usize;
            let name = std::str::from_utf8(bytes.take(length)?).map_err(|_no_text| broken("a target is no text"))?;
            let mut counts = [0; LEVELS];
            for count in &mut counts {
                *count = bytes.u32()?;
            }
            targets.push((name, counts));
        }
        Ok(Self { last, count, earliest, latest, targets })
    }
}

/// Time, level, target, context, number and end of the text of each entry.
pub(super) struct Columns<'a> {
    pub levels: &'a [u8],
    targets: &'a [[u8; 2]],
    contexts: &'a [[u8; 2]],
    times: &'a [[u8; 8]],
    ids: &'a [[u8; 8]],
    ends: &'a [[u8; 4]],
}

impl<'a> Columns<'a> {
    pub(super) fn read(bytes: &'a [u8], count: usize) -> Result<Self, StorageError> {
        let mut bytes = Bytes(bytes);
        Ok(Self {
            levels: bytes.take(count)?,
            targets: bytes.take(2 * count)?.as_chunks().0,
            contexts: bytes.take(2 * count)?.as_chunks().0,
            times: bytes.take(8 * count)?.as_chunks().0,
            ids: bytes.take(8 * count)?.as_chunks().0,
            ends: bytes.take(4 * count)?.as_chunks().0,
        })
    }

    /// Into the targets of the summary.
    pub(super) fn target(&self, index: usize) -> usize {
        usize::from(u16::from_le_bytes(self.targets[index]))
    }

    /// Into the contexts of the text.
    pub(super) fn context(&self, index: usize) -> usize {
        usize::from(u16::from_le_bytes(self.contexts[index]))
    }

    pub(super) fn at(&self, index: usize) -> i64 {
        i64::from_le_bytes(self.times[index])
    }

    pub(super) fn id(&self, index: usize) -> u64 {
        u64::from_le_bytes(self.ids[index])
    }

    /// Where in the text of all entries the text of this one lies.
    pub(super) fn place(&self, index: usize) -> std::ops::Range<usize> {
        let end = |index: usize| u32::from_le_bytes(self.ends[index]) as usize;
        let start = if index == 0 { 0 } else { end(index - 1) };
        start..end(index)
    }
}

/// All that can be searched for: first what entries have in common, each once, then what each one alone says.
pub(super) struct Text<'a> {
    /// Ends in `bytes`.
    contexts: &'a [[u8; 4]],
    bytes: &'a [u8],
}

impl<'a> Text<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, StorageError> {
        let mut bytes = Bytes(bytes);
        let count = bytes.u32()? as usize;
        let contexts = bytes.take(count.saturating_mul(4))?.as_chunks().0;
        Ok(Self { contexts, bytes: bytes.0 })
    }

    /// It occurs somewhere in the block.
    pub(super) fn holds(&self, needle: &Needle) -> bool {
        holds(self.bytes, &needle.folded)
    }

    /// For each context, whether it occurs there.
    pub(super) fn contexts_with(&self, needle: &Needle) -> Vec<bool> {
        let mut start = 0;
        self.contexts
            .iter()
            .map(|end| {
                let end = u32::from_le_bytes(*end) as usize;
                let context = self.bytes.get(start..end).unwrap_or_default();
                start = end;
                holds(context, &needle.folded)
            })
            .collect()
    }

    /// It occurs in the text of the entry that lies there.
    pub(super) fn holds_at(&self, place: std::ops::Range<usize>, needle: &Needle) -> bool {
        let start = self.contexts.last().map_or(0, |end| u32::from_le_bytes(*end) as usize);
        holds(self.bytes.get(start + place.start..start + place.end).unwrap_or_default(), &needle.folded)
    }
}

fn holds(text: &[u8], needle: &str) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.contains(needle))
}

/// The records of a block.
pub(super) struct Body<'a> {
    /// Number, then the end of the record.
    index: &'a [[u8; 12]],
    records: &'a [u8],
}

impl<'a> Body<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, StorageError> {
        let mut bytes = Bytes(bytes);
        let version = u16::from_le_bytes(bytes.array()?);
        if version != BODY_VERSION {
            return Err(broken(&format!("it has version {version}, this rspa knows {BODY_VERSION}")));
        }
        let count = bytes.u32()? as usize;
        let index = bytes.take(count.saturating_mul(12))?.as_chunks().0;
        Ok(Self { index, records: bytes.0 })
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    fn end(&self, index: usize) -> usize {
        let [.., a, b, c, d] = self.index[index];
        u32::from_le_bytes([a, b, c, d]) as usize
    }

    pub(super) fn id(&self, index: usize) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.index[index];
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    pub(super) fn record(&self, index: usize) -> Result<&'a [u8], StorageError> {
        let start = if index == 0 { 0 } else { self.end(index - 1) };
        self.records.get(start..self.end(index)).ok_or_else(|| broken("a record is cut off"))
    }

    pub(super) fn entry(&self, index: usize) -> Result<LogEntry, StorageError> {
        Ok(decode::<StoredLog>(self.record(index)?)?.into_entry(self.id(index)))
    }

    /// The place of the entry with this number.
    pub(super) fn find(&self, id: u64) -> Option<usize> {
        let at = self.index.partition_point(|entry| {
            let [a, b, c, d, e, f, g, h, ..] = *entry;
            u64::from_le_bytes([a, b, c, d, e, f, g, h]) < id
        });
        (at < self.len() && self.id(at) == id).then_some(at)
    }
}

/// Where the hash of a trigram lies in a bitmap of any size that is a power of two: its highest bits.
fn hash(trigram: [u8; 3]) -> u32 {
    let [a, b, c] = trigram;
    u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9e37_79b1)
}

fn trigrams_of(text: &str) -> Vec<u8> {
    // Sorted hashes would cost more than a bitmap of the largest size that is folded to the size that is needed.
    let mut map = vec![0_u8; LARGEST_TRIGRAMS];
    let mut different = 0_usize;
    for window in text.as_bytes().windows(3) {
        let bit = place(hash([window[0], window[1], window[2]]), LARGEST_TRIGRAMS);
        let mask = 1_u8 << (bit % 8);
        different += usize::from(map[bit / 8] & mask == 0);
        map[bit / 8] |= mask;
    }
    let size = (different * TRIGRAM_BITS / 8).next_power_of_two().clamp(SMALLEST_TRIGRAMS, LARGEST_TRIGRAMS);
    let mut small = vec![0_u8; size];
    let step = LARGEST_TRIGRAMS / size;
    for (bit, _set) in
        (0..LARGEST_TRIGRAMS * 8).map(|bit| (bit, map[bit / 8] >> (bit % 8) & 1)).filter(|(_, set)| *set == 1)
    {
        let bit = bit / step;
        small[bit / 8] |= 1 << (bit % 8);
    }
    small
}

/// The highest bits of the hash: in half a bitmap, half the place.
fn place(hash: u32, bytes: usize) -> usize {
    let bits = (bytes * 8).trailing_zeros();
    (hash >> (32 - bits)) as usize
}

/// A folded text that is looked for.
pub(super) struct Needle {
    pub folded: String,
    hashes: Vec<u32>,
}

impl Needle {
    pub(super) fn new(folded: String) -> Self {
        let hashes = folded.as_bytes().windows(3).map(|window| hash([window[0], window[1], window[2]])).collect();
        Self { folded, hashes }
    }

    /// False when the text of this bitmap cannot hold it.
    pub(super) fn may_be_in(&self, trigrams: &[u8]) -> bool {
        if !trigrams.len().is_power_of_two() || trigrams.len() < SMALLEST_TRIGRAMS {
            return true;
        }
        self.hashes.iter().all(|hash| {
            let bit = place(*hash, trigrams.len());
            trigrams[bit / 8] >> (bit % 8) & 1 == 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_text_that_is_there_is_never_ruled_out(before in ".{0,300}", text in ".{0,20}", after in ".{0,300}") {
            let whole = format!("{before}{text}{after}");
            proptest::prop_assert!(Needle::new(text).may_be_in(&trigrams_of(&whole)));
        }

        #[test]
        fn damaged_values_are_errors(bytes: Vec<u8>) {
            Summary::read(&bytes).map(drop).unwrap_or_default();
            Columns::read(&bytes, 3).map(drop).unwrap_or_default();
            if let Ok(text) = Text::read(&bytes) {
                text.contexts_with(&Needle::new("a".to_owned()));
                text.holds_at(0..7, &Needle::new("a".to_owned()));
            }
            if let Ok(body) = Body::read(&bytes) {
                for index in 0..body.len() {
                    body.entry(index).map(drop).unwrap_or_default();
                }
            }
        }
    }

    #[test]
    fn a_text_that_is_not_there_is_mostly_ruled_out() {
        let text: String =
            (0..3_000).map(|number| format!("worker {number} opened file {}\n", number * 7919)).collect();
        let trigrams = trigrams_of(&text);
        assert!(!Needle::new("quixotic zebra".to_owned()).may_be_in(&trigrams));
        assert!(Needle::new("opened file 7919".to_owned()).may_be_in(&trigrams));
    }
}
