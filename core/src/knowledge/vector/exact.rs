//! Vectors in one byte per dimension, scanned whole: exact enough to choose candidates, small enough to keep in memory.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use crate::knowledge::keyword::Filter;
use crate::model::{DocumentKind, SourceId};
use crate::storage::knowledge::PassageRange;

/// What belongs to a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub id: u64,
    pub source: SourceId,
    pub kind: DocumentKind,
}

/// Share of removed rows from which the rest is moved together.
const MOST_DEAD: usize = 4;

/// Rows in order of their ids.
pub struct Compact {
    dimensions: usize,
    ids: Vec<u64>,
    sources: Vec<u16>,
    kinds: Vec<Option<DocumentKind>>,
    scales: Vec<f32>,
    codes: Vec<i8>,
    names: Vec<SourceId>,
    dead: usize,
}

impl Compact {
    pub fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            ids: Vec::new(),
            sources: Vec::new(),
            kinds: Vec::new(),
            scales: Vec::new(),
            codes: Vec::new(),
            names: Vec::new(),
            dead: 0,
        }
    }

    pub fn alive(&self) -> usize {
        self.ids.len() - self.dead
    }

    pub fn memory_bytes(&self) -> usize {
        self.ids.capacity() * 8
            + self.sources.capacity() * 2
            + self.kinds.capacity()
            + self.scales.capacity() * 4
            + self.codes.capacity()
    }

    /// Adds a vector; one that is there already is replaced. Values that are no numbers count as 0.
    pub fn push(&mut self, row: Row, vector: &[f32]) {
        if vector.len() != self.dimensions {
            return;
        }
        let at = match self.ids.binary_search(&row.id) {
            Ok(at) => {
                self.dead -= usize::from(self.kinds[at].is_none());
                at
            }
            Err(at) => {
                self.ids.insert(at, row.id);
                self.sources.insert(at, 0);
                self.kinds.insert(at, None);
                self.scales.insert(at, 0.0);
                let from = at * self.dimensions;
                self.codes.splice(from..from, std::iter::repeat_n(0, self.dimensions));
                at
            }
        };
        self.sources[at] = self.name(row.source);
        self.kinds[at] = Some(row.kind);
        let largest =
            vector.iter().filter(|value| value.is_finite()).fold(0.0_f32, |most, value| most.max(value.abs()));
        let scale = largest / 127.0;
        self.scales[at] = scale;
        let codes = &mut self.codes[at * self.dimensions..(at + 1) * self.dimensions];
        for (code, value) in codes.iter_mut().zip(vector) {
            let scaled = if scale > 0.0 && value.is_finite() { (value / scale).round() } else { 0.0 };
            *code = scaled.clamp(-127.0, 127.0) as i8;
        }
    }

    fn name(&mut self, source: SourceId) -> u16 {
        let at = self.names.iter().position(|name| *name == source).unwrap_or_else(|| {
            self.names.push(source);
            self.names.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    pub fn remove(&mut self, range: PassageRange) {
        let ids = range.ids();
        let mut at = self.ids.partition_point(|id| *id < ids.start);
        while self.ids.get(at).is_some_and(|id| *id < ids.end) {
            self.dead += usize::from(self.kinds[at].take().is_some());
            at += 1;
        }
    }

    pub fn contains(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok_and(|at| self.kinds[at].is_some())
    }

    /// Living rows with an id above this one.
    pub fn rows_above(&self, id: u64) -> usize {
        let from = self.ids.partition_point(|known| *known <= id);
        self.kinds[from..].iter().filter(|kind| kind.is_some()).count()
    }

    /// Moves the rest together when many rows are gone; says whether it did.
    pub fn shrink(&mut self) -> bool {
        if self.dead < 1_000 || self.dead * MOST_DEAD < self.ids.len() {
            return false;
        }
        let mut rest = Self { names: std::mem::take(&mut self.names), ..Self::new(self.dimensions) };
        for at in 0..self.ids.len() {
            if self.kinds[at].is_some() {
                rest.ids.push(self.ids[at]);
                rest.sources.push(self.sources[at]);
                rest.kinds.push(self.kinds[at]);
                rest.scales.push(self.scales[at]);
                rest.codes.extend_from_slice(&self.codes[at * self.dimensions..(at + 1) * self.dimensions]);
            }
        }
        *self = rest;
        true
    }

    /// The ids of the rows above `after` nearest to the query, best first.
    pub fn scan(&self, query: &[f32], filter: &Filter, after: u64, limit: usize) -> Vec<u64> {
        let largest = query.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        if limit == 0 || largest <= 0.0 || !largest.is_finite() {
            return Vec::new();
        }
        // 13 bits and a sign: sums over 2,000 dimensions stay within 32 bits.
        let query: Vec<i16> = query.iter().map(|value| (value / largest * 8191.0) as i16).collect();
        let wanted: Option<HashSet<u16>> = (!filter.sources.is_empty()).then(|| {
            let positions = self.names.iter().enumerate().filter(|(_, name)| filter.sources.contains(name));
            positions.filter_map(|(at, _)| u16::try_from(at).ok()).collect()
        });
        let from = self.ids.partition_point(|id| *id <= after);
        let mut best: BinaryHeap<Reverse<(Score, u64)>> = BinaryHeap::with_capacity(limit + 1);
        for at in from..self.ids.len() {
            let Some(kind) = self.kinds[at] else { continue };
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&self.sources[at])) {
                continue;
            }
            if !filter.kinds.is_empty() && !filter.kinds.contains(&kind) {
                continue;
            }
            let codes = &self.codes[at * self.dimensions..(at + 1) * self.dimensions];
            let score = Score(dot(codes, &query) as f32 * self.scales[at]);
            if best.len() < limit {
                best.push(Reverse((score, self.ids[at])));
            } else if best.peek().is_some_and(|Reverse((least, _))| score > *least) {
                best.pop();
                best.push(Reverse((score, self.ids[at])));
            }
        }
        best.into_sorted_vec().into_iter().map(|Reverse((_, id))| id).collect()
    }
}

/// In lanes, so that the compiler uses multiply-add of 16-bit pairs.
fn dot(codes: &[i8], query: &[i16]) -> i32 {
    let mut sums = [0_i32; 8];
    let (codes_blocks, query_blocks) = (codes.chunks_exact(16), query.chunks_exact(16));
    let rest: i32 = codes_blocks
        .remainder()
        .iter()
        .zip(query_blocks.remainder())
        .map(|(code, value)| i32::from(*code) * i32::from(*value))
        .sum();
    for (a, b) in codes_blocks.zip(query_blocks) {
        for lane in 0..8 {
            sums[lane] += i32::from(i16::from(a[2 * lane])) * i32::from(b[2 * lane])
                + i32::from(i16::from(a[2 * lane + 1])) * i32::from(b[2 * lane + 1]);
        }
    }
    rest + sums.iter().sum::<i32>()
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Score(f32);

impl Eq for Score {}

#[expect(clippy::derive_ord_xor_partial_ord, reason = "scores are finite: both orders agree")]
impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
