//! Builds HNSW graphs over coarse codes on several threads.
//!
//! Nodes are inserted from the highest level down, so the first one is where all walks start and never changes.
//! Reading takes no lock: links are atomic numbers, each of which is a node at any moment. Whoever adds a link to a
//! node holds one of many locks; nobody holds two. A node is linked to before it is linked from, on the lowest level
//! first: who finds it can go on from it.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rspa_ml::kernels::distance;

use crate::Error;
use crate::graph::{self, LINKS, Links, MOST_LEVELS, NONE, UPPER_LINKS, Vectors};
use crate::scratch::Walk;

/// Links that a node makes when it is inserted (M).
pub const NEIGHBOURS: usize = UPPER_LINKS;
/// Width of the search for them.
pub const EF_CONSTRUCTION: usize = 200;
/// Room for links on the lowest level while building: they are thinned out less often.
const ROOM: usize = LINKS + LINKS / 2;
/// Candidates that are compared with each other at once.
const AT_ONCE: usize = 32;
const LOCKS: usize = 1 << 12;

/// A finished graph.
pub(crate) struct Graph {
    pub counts: Vec<u32>,
    pub links: Vec<u32>,
    pub upper: Vec<u32>,
}

impl Graph {
    pub fn view(&self) -> graph::Frozen<'_> {
        graph::Frozen { counts: &self.counts, links: &self.links, upper: &self.upper }
    }
}

/// The level of a row, by chance as in the paper; the same for the same id.
pub(crate) fn level_of(id: u64) -> usize {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let mut mixed = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let share = ((mixed >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    ((-share.ln() / (NEIGHBOURS as f64).ln()) as usize).min(MOST_LEVELS - 1)
}

pub(crate) struct Builder<'a> {
    vectors: Vectors<'a>,
    /// Nodes of each level, the lowest first.
    counts: Vec<usize>,
    links: Vec<AtomicU32>,
    upper: Vec<Vec<AtomicU32>>,
    locks: Vec<Mutex<()>>,
}

#[derive(Default)]
struct Room {
    walk: Walk,
    candidates: Vec<(u32, f32)>,
    chosen: Vec<Vec<u32>>,
    thinned: Vec<u32>,
    group: Vec<(u32, f32)>,
    ids: Vec<u32>,
    products: Vec<i32>,
}

impl Links for Builder<'_> {
    #[inline]
    fn links(&self, level: usize, node: u32) -> impl Iterator<Item = u32> {
        self.row(level, node).iter().map(|link| link.load(Ordering::Relaxed)).take_while(|link| *link != NONE)
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        distance::prefetch(&self.links, node as usize * ROOM, LINKS);
    }
}

impl<'a> Builder<'a> {
    /// `counts` are the nodes of each level, the lowest first: the nodes in number, then ever fewer.
    pub fn new(vectors: Vectors<'a>, counts: Vec<usize>) -> Self {
        let empty = |count: usize| (0..count).map(|_| AtomicU32::new(NONE)).collect::<Vec<_>>();
        let links = empty(counts.first().map_or(0, |count| count * ROOM));
        let upper = counts.iter().skip(1).map(|count| empty(count * UPPER_LINKS)).collect();
        Self { vectors, counts, links, upper, locks: (0..LOCKS).map(|_| Mutex::new(())).collect() }
    }

    fn row(&self, level: usize, node: u32) -> &[AtomicU32] {
        let (links, room) = match level {
            0 => (&self.links, ROOM),
            _ => (&self.upper[level - 1], UPPER_LINKS),
        };
        links.get(node as usize * room..(node as usize + 1) * room).unwrap_or_default()
    }

    fn write(&self, level: usize, node: u32, links: &[u32]) {
        let links = links.iter().copied().chain(std::iter::repeat(NONE));
        for (place, link) in self.row(level, node).iter().zip(links) {
            place.store(link, Ordering::Relaxed);
        }
    }

    /// Takes over the links of a node of an earlier graph; those among `lost` are replaced by what these led to.
    pub fn take_over(&self, level: usize, node: u32, kept: &[u32], lost: &[u32]) {
        if lost.is_empty() {
            return self.write(level, node, kept);
        }
        let mut room = Room::default();
        room.ids.extend(kept.iter().chain(lost).copied().filter(|link| *link != node));
        room.ids.sort_unstable();
        room.ids.dedup();
        let most = if level == 0 { LINKS } else { UPPER_LINKS };
        self.thin(node, most, &mut room);
        self.write(level, node, &room.thinned);
    }

    /// Inserts these nodes, in this order. Node 0 is there already.
    pub fn insert(&self, these: &[u32], threads: usize, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<(), Error> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut room = Room::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(node) = these.get(at) else { return };
                if at.is_multiple_of(256) && cancelled() {
                    next.store(these.len(), Ordering::Relaxed);
                    return;
                }
                self.insert_one(*node, &mut room);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.max(1) {
                scope.spawn(work);
            }
            work();
        });
        if cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    fn insert_one(&self, node: u32, room: &mut Room) {
        let top = self.counts.len() - 1;
        let level = self.counts.iter().rposition(|count| (node as usize) < *count).unwrap_or(0);
        let codes = self.vectors.codes_of(node);
        let scale = self.vectors.scale_of(node);
        let mut entry = graph::descend(self, self.vectors, codes, (top, level + 1), &mut room.walk);
        room.chosen.resize_with(MOST_LEVELS, Vec::new);
        for level in (0..=level).rev() {
            graph::spread(self, self.vectors, codes, level, entry, EF_CONSTRUCTION, &mut room.walk);
            room.candidates.clear();
            let found = room.walk.pool.iter().filter(|(found, _)| *found != node);
            room.candidates.extend(found.map(|(found, score)| (found, score * scale)));
            if let Some(best) = room.walk.pool.iter().next() {
                entry = best;
            }
            let mut chosen = std::mem::take(&mut room.chosen[level]);
            self.select(NEIGHBOURS, room, &mut chosen);
            self.write(level, node, &chosen);
            room.chosen[level] = chosen;
        }
        for level in 0..=level {
            for at in 0..room.chosen[level].len() {
                let neighbour = room.chosen[level][at];
                self.connect(level, neighbour, node, room);
            }
        }
    }

    /// Adds a link from `from` to `to`; where there is no room, the best set of links stays.
    fn connect(&self, level: usize, from: u32, to: u32, room: &mut Room) {
        let _one = self.locks[from as usize % LOCKS].lock().unwrap_or_else(PoisonError::into_inner);
        let row = self.row(level, from);
        room.ids.clear();
        for place in row {
            match place.load(Ordering::Relaxed) {
                NONE => {
                    place.store(to, Ordering::Relaxed);
                    return;
                }
                link if link == to => return,
                link => room.ids.push(link),
            }
        }
        room.ids.push(to);
        self.thin(from, if level == 0 { LINKS } else { UPPER_LINKS }, room);
        self.write(level, from, &room.thinned);
    }

    /// Chooses the links of `node` among `room.ids`, into `room.thinned`.
    fn thin(&self, node: u32, most: usize, room: &mut Room) {
        let scale = self.vectors.scale_of(node);
        room.candidates.clear();
        let scores = self.vectors.scores(self.vectors.codes_of(node), &room.ids, &mut room.products);
        room.candidates.extend(scores.map(|(link, score)| (link, score * scale)));
        room.candidates.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut chosen = std::mem::take(&mut room.thinned);
        self.select(most, room, &mut chosen);
        room.thinned = chosen;
    }

    /// The heuristic of the paper: of `room.candidates`, best first, those that are nearer to the node than to any
    /// that was chosen before.
    fn select(&self, most: usize, room: &mut Room, chosen: &mut Vec<u32>) {
        chosen.clear();
        let Room { candidates, group, ids, products, .. } = room;
        for part in candidates.chunks(AT_ONCE) {
            group.clear();
            group.extend_from_slice(part);
            for known in chosen.iter() {
                self.keep_apart(*known, group, ids, products);
            }
            while let Some((best, _)) = group.first().copied() {
                chosen.push(best);
                if chosen.len() >= most {
                    return;
                }
                group.remove(0);
                self.keep_apart(best, group, ids, products);
            }
        }
    }

    /// Leaves out those that are nearer to `known` than to the node that they are candidates of.
    fn keep_apart(&self, known: u32, group: &mut Vec<(u32, f32)>, ids: &mut Vec<u32>, products: &mut Vec<i32>) {
        if group.is_empty() {
            return;
        }
        ids.clear();
        ids.extend(group.iter().map(|(node, _)| *node));
        let scale = self.vectors.scale_of(known);
        let mut scores = self.vectors.scores(self.vectors.codes_of(known), ids, products);
        group.retain(|(_, score)| scores.next().is_none_or(|(_, near)| near * scale <= *score));
    }

    /// The graph, with at most [`LINKS`] links a node.
    pub fn finish(self) -> Graph {
        let nodes = self.counts.first().copied().unwrap_or(0);
        let mut room = Room::default();
        let mut links = Vec::with_capacity(nodes * LINKS);
        for node in 0..nodes as u32 {
            room.ids.clear();
            room.ids.extend(self.links(0, node));
            let from = links.len();
            if room.ids.len() > LINKS {
                self.thin(node, LINKS, &mut room);
                links.extend_from_slice(&room.thinned);
            } else {
                links.extend_from_slice(&room.ids);
            }
            links.resize(from + LINKS, NONE);
        }
        let upper = self.upper.iter().flatten().map(|link| link.load(Ordering::Relaxed)).collect();
        Graph { counts: self.counts.iter().map(|count| *count as u32).collect(), links, upper }
    }
}
