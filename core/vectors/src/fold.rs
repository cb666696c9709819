//! Brings living rows together: those of an earlier graph keep their links, others are inserted, equal codes share a
//! node.

use std::collections::HashMap;

use memmap2::MmapMut;
use rspa_ml::kernels::distance::{bytes_of, view};

use crate::build::{Builder, Graph, level_of};
use crate::checksum::Checksum;
use crate::freeze::{Numbered, Pick};
use crate::frozen::Frozen;
use crate::graph::{LINKS, Links, MOST_LEVELS, NONE, Vectors, descend, spread};
use crate::rows::{Bits, Columns};
use crate::scratch::Walk;
use crate::{Error, oracle};

/// An earlier graph that lost a larger share of its nodes is not mended but built again.
const MOST_LOST: f64 = 0.25;
/// Nodes that a finished graph must find.
const CHECKED: usize = 48;
const LEAST_RECALL: f64 = 0.9;

/// How a graph is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// A graph from so many rows on.
    pub graph_from: usize,
    pub threads: usize,
}

pub(crate) struct Folded {
    pub picks: Vec<Pick>,
    pub graph: Option<Numbered>,
}

struct Node {
    pick: Pick,
    level: usize,
    /// Its number in the earlier graph.
    earlier: u32,
    twins: Vec<Pick>,
}

/// `earlier` is the file of the first columns, where that has one.
pub(crate) fn fold(
    columns: &[Columns<'_>],
    dead: &[Bits],
    earlier: Option<&Frozen>,
    how: How,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Folded, Error> {
    let total: usize = columns.iter().zip(dead).map(|(columns, dead)| columns.len() - dead.count()).sum();
    if total > NONE as usize / 4 {
        return Err(Error::TooMany);
    }
    let living = |pick: &Pick| !dead[pick.segment as usize].contains(pick.row as usize);
    if total <= how.graph_from {
        let picks = columns
            .iter()
            .zip(0..)
            .flat_map(|(columns, segment)| (0..columns.len() as u32).map(move |row| Pick { segment, row }));
        return Ok(Folded { picks: picks.filter(living).collect(), graph: None });
    }
    let earlier = earlier.filter(|frozen| frozen.has_graph());
    let mut nodes = Nodes { columns, list: Vec::new(), by_codes: HashMap::new() };
    let mut placed = Bits::default();
    if let Some(frozen) = earlier {
        nodes.take_over(frozen, &living, &mut placed);
    }
    let known = nodes.list.len();
    let lost = earlier.and_then(Frozen::graph).map_or(0, |graph| graph.nodes()) - known;
    let earlier = earlier.filter(|_| known > 0 && (lost as f64) < (known + lost) as f64 * MOST_LOST);
    for (columns, segment) in columns.iter().zip(0..) {
        for row in 0..columns.len() as u32 {
            let pick = Pick { segment, row };
            if living(&pick) && !(segment == 0 && placed.contains(row as usize)) {
                nodes.add(pick);
            }
        }
    }
    let mut list = nodes.list;
    match earlier {
        // Node 0 stays one of the earlier graph.
        Some(_) => {
            let top = list[..known].iter().map(|node| node.level).max().unwrap_or(0);
            list.iter_mut().for_each(|node| node.level = node.level.min(top));
        }
        None => list.iter_mut().for_each(|node| node.earlier = NONE),
    }
    // Those of the earlier graph first on each level.
    list.sort_by_key(|node| (MOST_LEVELS - node.level, node.earlier == NONE));
    let graph = build(columns, &mut list, earlier, how, cancelled)?;
    Ok(number(list, graph))
}

struct Nodes<'a> {
    columns: &'a [Columns<'a>],
    list: Vec<Node>,
    by_codes: HashMap<u64, u32>,
}

impl Nodes<'_> {
    fn codes(&self, pick: Pick) -> (&[i8], u32) {
        let columns = &self.columns[pick.segment as usize];
        (columns.coarse_of(pick.row as usize), columns.scales[pick.row as usize].to_bits())
    }

    fn hash(&self, pick: Pick) -> u64 {
        let (codes, scale) = self.codes(pick);
        Checksum::of(bytes_of(codes)).wrapping_add(u64::from(scale))
    }

    /// The nodes of an earlier graph of which a row still lives.
    fn take_over(&mut self, frozen: &Frozen, living: &impl Fn(&Pick) -> bool, placed: &mut Bits) {
        let Some(graph) = frozen.graph() else { return };
        let (twins, rows) = (frozen.twins(), self.columns[0].len());
        for number in 0..graph.nodes() {
            let mut members = Vec::new();
            let mut row = number;
            while row < rows && !placed.contains(row) {
                placed.insert(row);
                let pick = Pick { segment: 0, row: row as u32 };
                if living(&pick) {
                    members.push(pick);
                }
                match twins.get(row) {
                    Some(next) if *next as usize > row => row = *next as usize,
                    _ => break,
                }
            }
            let mut members = members.into_iter();
            let Some(pick) = members.next() else { continue };
            let level = graph.counts.iter().rposition(|count| number < *count as usize).unwrap_or(0);
            self.by_codes.entry(self.hash(pick)).or_insert(self.list.len() as u32);
            self.list.push(Node { pick, level, earlier: number as u32, twins: members.collect() });
        }
    }

    fn add(&mut self, pick: Pick) {
        let hash = self.hash(pick);
        let number = *self.by_codes.entry(hash).or_insert(self.list.len() as u32);
        match self.list.get(number as usize) {
            Some(node) if self.codes(node.pick) == self.codes(pick) => self.list[number as usize].twins.push(pick),
            _ => {
                let level = level_of(self.columns[pick.segment as usize].ids[pick.row as usize]);
                self.list.push(Node { pick, level, earlier: NONE, twins: Vec::new() });
            }
        }
    }
}

/// Builds the graph over the nodes in their order, which changes where hnsw_rs builds it.
fn build(
    columns: &[Columns<'_>],
    list: &mut Vec<Node>,
    earlier: Option<&Frozen>,
    how: How,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Graph, Error> {
    let dimensions = columns.first().map_or(0, |columns| columns.dimensions);
    let mut memory = MmapMut::map_anon((list.len() * dimensions).max(1))?;
    #[cfg(target_os = "linux")]
    if let Err(error) = memory.advise(memmap2::Advice::HugePage) {
        tracing::debug!(%error, "no large pages for building");
    }
    let mut scales = Vec::with_capacity(list.len());
    for (node, place) in list.iter().zip(memory.chunks_exact_mut(dimensions.max(1))) {
        let columns = &columns[node.pick.segment as usize];
        place.copy_from_slice(bytes_of(columns.coarse_of(node.pick.row as usize)));
        scales.push(columns.scales[node.pick.row as usize]);
    }
    let vectors = Vectors { dimensions, codes: view(&memory).unwrap_or_default(), scales: &scales };
    let top = list.first().map_or(0, |node| node.level);
    let counts: Vec<usize> = (0..=top).map(|level| list.partition_point(|node| node.level >= level)).collect();
    let builder = Builder::new(vectors, counts);
    let mut fresh: Vec<u32> = Vec::new();
    if let Some(graph) = earlier.and_then(Frozen::graph) {
        let mut numbers = vec![NONE; graph.nodes()];
        for (node, number) in list.iter().zip(0..) {
            match numbers.get_mut(node.earlier as usize) {
                Some(known) => *known = number,
                None => fresh.push(number),
            }
        }
        let number = |link: u32| numbers.get(link as usize).copied().filter(|number| *number != NONE);
        let (mut kept, mut through) = (Vec::new(), Vec::new());
        for (node, place) in list.iter().zip(0..) {
            for level in (0..=node.level).filter(|_| node.earlier != NONE) {
                kept.clear();
                through.clear();
                for link in graph.links(level, node.earlier) {
                    match number(link) {
                        Some(number) => kept.push(number),
                        None => through.extend(graph.links(level, link).filter_map(number)),
                    }
                }
                builder.take_over(level, place, &kept, &through);
            }
        }
    } else {
        fresh.extend(1..list.len() as u32);
    }
    builder.insert(&fresh, how.threads, cancelled)?;
    let graph = builder.finish();
    let recall = recall(&graph, vectors);
    if recall >= LEAST_RECALL {
        return Ok(graph);
    }
    tracing::warn!(recall, "the graph finds too little and is built with hnsw_rs");
    let (graph, order, levels) = oracle::build(vectors, how.threads)?;
    let mut nodes: Vec<Option<Node>> = list.drain(..).map(Some).collect();
    let ordered = order.iter().filter_map(|node| nodes.get_mut(*node as usize).and_then(Option::take));
    list.extend(ordered.zip(levels).map(|(node, level)| Node { level, ..node }));
    Ok(graph)
}

/// How much of what a scan finds the graph finds, for some of its nodes.
pub(crate) fn recall(graph: &Graph, vectors: Vectors<'_>) -> f64 {
    const WANTED: usize = 10;
    let nodes = vectors.scales.len();
    let mut walk = Walk::default();
    let (mut hits, mut all) = (0, 0);
    let everything: Vec<u32> = (0..nodes as u32).collect();
    let mut products = Vec::new();
    for node in (0..nodes as u32).step_by(nodes.div_ceil(CHECKED).max(1)) {
        let codes = vectors.codes_of(node);
        let mut scores: Vec<f32> = vectors.scores(codes, &everything, &mut products).map(|(_, score)| score).collect();
        let last = WANTED.min(scores.len()) - 1;
        let (_, least, _) = scores.select_nth_unstable_by(last, |a, b| b.total_cmp(a));
        let view = graph.view();
        let entry = descend(&view, vectors, codes, (view.top(), 1), &mut walk);
        spread(&view, vectors, codes, 0, entry, 6 * WANTED, &mut walk);
        hits += walk.pool.iter().take(WANTED).filter(|(_, score)| score >= least).count();
        all += last + 1;
    }
    hits as f64 / all.max(1) as f64
}

/// Numbers the nodes of each level so that neighbours lie near each other, and puts twins behind all nodes.
fn number(list: Vec<Node>, graph: Graph) -> Folded {
    let mut nodes: Vec<u32> = Vec::with_capacity(list.len());
    let mut seen = vec![false; list.len()];
    for start in 0..list.len() as u32 {
        if std::mem::replace(&mut seen[start as usize], true) {
            continue;
        }
        let mut at = nodes.len();
        nodes.push(start);
        while let Some(node) = nodes.get(at) {
            for link in &graph.links[*node as usize * LINKS..][..LINKS] {
                if let Some(seen) = seen.get_mut(*link as usize)
                    && !std::mem::replace(seen, true)
                {
                    nodes.push(*link);
                }
            }
            at += 1;
        }
    }
    nodes.sort_by_key(|node| MOST_LEVELS - list[*node as usize].level);
    let mut numbers = vec![0; nodes.len()];
    nodes.iter().zip(0..).for_each(|(node, number)| numbers[*node as usize] = number);
    let mut picks: Vec<Pick> = nodes.iter().map(|node| list[*node as usize].pick).collect();
    let mut twins = vec![NONE; picks.len()];
    for node in &nodes {
        let mut last = numbers[*node as usize] as usize;
        for twin in &list[*node as usize].twins {
            twins[last] = picks.len() as u32;
            last = picks.len();
            picks.push(*twin);
            twins.push(NONE);
        }
    }
    Folded { picks, graph: Some(Numbered { graph, nodes, numbers, twins }) }
}
