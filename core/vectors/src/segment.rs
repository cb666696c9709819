//! Rows that are searched together: frozen ones, by their graph where it helps, or a scan of those in memory.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use rspa_ml::kernels::distance;

use crate::filter::Compiled;
use crate::frozen::Frozen;
use crate::graph::{Vectors, descend, spread};
use crate::pool::Pool;
use crate::quantise::{Query, exact};
use crate::rows::{Bits, Columns, Rows};
use crate::scratch::{Scratch, Walk};

/// Rows of a scan at a time.
const BLOCK: usize = 256;
/// From so many rows on a scan is shared: before, handing parts out costs as much as it saves.
const SHARED: usize = 1 << 17;
/// Rows that a filter leaves, below which scanning them is quick and misses none.
const SCANNED: usize = 50_000;
/// The widest search when a filter leaves out most of what is met.
const WIDEST: usize = 2_048;
/// Rows that tell how much a filter leaves.
const SAMPLE: usize = 1_024;

#[derive(Clone)]
pub(crate) enum Data {
    Frozen(Arc<Frozen>),
    Rows(Arc<Rows>),
}

#[derive(Clone)]
pub(crate) struct Segment {
    pub data: Data,
    /// Rows that are gone.
    pub dead: Bits,
}

impl Segment {
    pub fn columns(&self) -> Columns<'_> {
        match &self.data {
            Data::Frozen(frozen) => frozen.columns(),
            Data::Rows(rows) => rows.columns(),
        }
    }

    pub fn frozen(&self) -> Option<&Arc<Frozen>> {
        match &self.data {
            Data::Frozen(frozen) => Some(frozen),
            Data::Rows(_) => None,
        }
    }

    pub fn living(&self) -> usize {
        self.columns().len().saturating_sub(self.dead.count())
    }

    /// Marks the rows of these ids as gone.
    pub fn remove(&mut self, ids: std::ops::Range<u64>) {
        let Self { data, dead } = self;
        let columns = match data {
            Data::Frozen(frozen) => frozen.columns(),
            Data::Rows(rows) => rows.columns(),
        };
        columns.within(ids).for_each(|row| dead.insert(row));
    }

    /// Appends the nearest rows with their cosines; at most `candidates` of them, in no order.
    pub fn search(&self, wanted: &Wanted<'_>, scratch: &mut Scratch, found: &mut Vec<(u64, f32)>) {
        let columns = self.columns();
        if let Data::Frozen(frozen) = &self.data
            && let Some(width) = self.width(frozen, &columns, wanted)
            && self.walk(frozen, &columns, wanted, width, scratch, found)
        {
            return;
        }
        scan(&columns, &self.dead, wanted, scratch, found);
    }

    /// How wide to search the graph; none when there is none, or a scan of what the filter leaves is better.
    fn width(&self, frozen: &Frozen, columns: &Columns<'_>, wanted: &Wanted<'_>) -> Option<usize> {
        if !frozen.has_graph() {
            return None;
        }
        let all = columns.len();
        let mut share = self.living() as f64 / all.max(1) as f64;
        if !wanted.filter.everything {
            let step = all.div_ceil(SAMPLE).max(1);
            let sample = (0..all).step_by(step);
            let kept = sample.clone().filter(|row| wanted.filter.keeps(columns, *row)).count();
            let of_filter = kept as f64 / sample.count().max(1) as f64;
            if of_filter * (all as f64) < SCANNED as f64 {
                return None;
            }
            share *= of_filter;
        }
        Some(((wanted.width as f64 / share.max(1e-3)) as usize).min(WIDEST.max(wanted.width)))
    }

    /// False when fewer rows were found than there may be.
    fn walk(
        &self,
        frozen: &Frozen,
        columns: &Columns<'_>,
        wanted: &Wanted<'_>,
        width: usize,
        scratch: &mut Scratch,
        found: &mut Vec<(u64, f32)>,
    ) -> bool {
        let Some(graph) = frozen.graph() else { return false };
        let nodes = graph.nodes();
        let vectors = Vectors {
            dimensions: columns.dimensions,
            codes: &columns.coarse[..nodes * columns.dimensions],
            scales: &columns.scales[..nodes],
        };
        let Scratch { query, walk, rows, .. } = scratch;
        let entry = descend(&graph, vectors, &query.codes, (graph.top(), 1), walk);
        spread(&graph, vectors, &query.codes, 0, entry, width, walk);
        let twins = frozen.twins();
        rows.clear();
        'nodes: for (node, _) in walk.pool.iter() {
            let mut row = node as usize;
            while row < columns.len() {
                if !self.dead.contains(row) && wanted.filter.keeps(columns, row) {
                    rows.push(row as u32);
                    if rows.len() >= wanted.candidates {
                        break 'nodes;
                    }
                }
                match twins.get(row) {
                    // Ever further, whatever a file says.
                    Some(next) if *next as usize > row => row = *next as usize,
                    _ => break,
                }
            }
        }
        if rows.len() < wanted.limit.min(self.living()) {
            return false;
        }
        score(columns, &query.values, rows, found);
        true
    }
}

/// What is searched for, beside the query.
pub(crate) struct Wanted<'a> {
    pub filter: &'a Compiled,
    pub limit: usize,
    /// Rows whose products are computed nearly exactly.
    pub candidates: usize,
    /// Width of the search of a graph.
    pub width: usize,
}

/// Looks at every row; a long scan is shared by the threads of the pool.
pub(crate) fn scan(
    columns: &Columns<'_>,
    dead: &Bits,
    wanted: &Wanted<'_>,
    scratch: &mut Scratch,
    found: &mut Vec<(u64, f32)>,
) {
    let Scratch { query, walk, scanned, rows } = scratch;
    scanned.start(wanted.candidates);
    let threads = if columns.len() < SHARED { 1 } else { rayon::current_num_threads() };
    if threads == 1 {
        scan_part(columns, dead, wanted, query, 0..columns.len(), walk, scanned);
    } else {
        let share = columns.len().div_ceil(threads).next_multiple_of(BLOCK);
        let parts = (0..columns.len()).into_par_iter().step_by(share).map(|from| {
            let (mut walk, mut best) = (Walk::default(), Pool::default());
            best.start(wanted.candidates);
            let part = from..columns.len().min(from + share);
            scan_part(columns, dead, wanted, query, part, &mut walk, &mut best);
            best
        });
        for best in parts.collect::<Vec<_>>() {
            best.iter().for_each(|(row, score)| scanned.push(row, score));
        }
    }
    rows.clear();
    rows.extend(scanned.iter().map(|(row, _)| row));
    score(columns, &query.values, rows, found);
}

/// Looks at these rows, which begin at a block.
fn scan_part(
    columns: &Columns<'_>,
    dead: &Bits,
    wanted: &Wanted<'_>,
    query: &Query,
    rows: Range<usize>,
    walk: &mut Walk,
    scanned: &mut Pool,
) {
    let dimensions = columns.dimensions;
    for from in rows.clone().step_by(BLOCK) {
        let to = rows.end.min(from + BLOCK);
        let part = from as u32..to as u32;
        if wanted.filter.everything {
            walk.products.resize(to - from, 0);
            distance::block(&query.codes, &columns.coarse[from * dimensions..to * dimensions], &mut walk.products);
        } else {
            walk.batch.clear();
            walk.batch.extend(part.clone().filter(|row| wanted.filter.keeps(columns, *row as usize)));
            walk.products.resize(walk.batch.len(), 0);
            distance::gather(&query.codes, columns.coarse, &walk.batch, &mut walk.products);
        }
        let mut push = |row: u32, product: i32| {
            let score = product as f32 * columns.scales[row as usize];
            if score > scanned.least() && !dead.contains(row as usize) {
                scanned.push(row, score);
            }
        };
        if wanted.filter.everything {
            part.zip(&walk.products).for_each(|(row, product)| push(row, *product));
        } else {
            walk.batch.iter().zip(&walk.products).for_each(|(row, product)| push(*row, *product));
        }
    }
}

/// Appends the ids of these rows with their cosines.
fn score(columns: &Columns<'_>, query: &[f32], rows: &[u32], found: &mut Vec<(u64, f32)>) {
    let dimensions = columns.dimensions;
    for row in rows {
        distance::prefetch(columns.fine, *row as usize * dimensions, dimensions);
    }
    for row in rows.iter().map(|row| *row as usize) {
        let cosine = exact(query, columns.coarse_of(row), columns.fine_of(row), columns.scales[row]);
        if cosine.is_finite() {
            found.push((columns.ids[row], cosine));
        }
    }
}
