//! The HNSW graph (Malkov and Yashunin, 2016) over one space, through hnsw_rs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use hnsw_rs::prelude::{DistL2, Hnsw};

/// Neighbours per point.
pub const NEIGHBOURS: usize = 16;
pub const EF_CONSTRUCTION: usize = 200;
const LAYERS: usize = 16;
/// Least width of a search.
const EF: usize = 96;

/// Clones share the graph, which grows in place. Points are known by passage id.
#[derive(Clone)]
pub struct Graph {
    inner: Arc<Inner>,
}

struct Inner {
    hnsw: Hnsw<'static, f32, DistL2>,
    dimensions: usize,
    covered: AtomicU64,
    points: AtomicUsize,
}

impl Graph {
    pub fn new(dimensions: usize, expected: usize) -> Self {
        // Euclidean distance orders unit vectors as the cosine does, and has no assertion that rounding can break.
        let hnsw = Hnsw::new(NEIGHBOURS, expected.max(1), LAYERS, EF_CONSTRUCTION, DistL2);
        let (covered, points) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self { inner: Arc::new(Inner { hnsw, dimensions, covered, points }) }
    }

    /// Inserts in order of ids. Vectors that are no unit vectors (zeros, not numbers) are left out.
    pub fn insert(&mut self, id: u64, vector: &[f32]) {
        let length: f32 = vector.iter().map(|value| value * value).sum();
        if vector.len() == self.inner.dimensions
            && (0.9..1.1).contains(&length)
            && let Ok(point) = usize::try_from(id)
        {
            self.inner.hnsw.insert((vector, point));
            self.inner.points.fetch_add(1, Ordering::Relaxed);
        }
        self.inner.covered.fetch_max(id, Ordering::AcqRel);
    }

    /// All vectors up to this id are in.
    pub fn covered(&self) -> u64 {
        self.inner.covered.load(Ordering::Acquire)
    }

    /// Nearest points with their cosine, best first; those that were removed from the store included.
    pub fn search(&self, query: &[f32], limit: usize) -> Vec<(u64, f32)> {
        self.search_with(query, limit, EF.max(limit * 2))
    }

    /// The same with the width of the search given (`ef`): wider finds more and takes longer.
    pub fn search_with(&self, query: &[f32], limit: usize, ef: usize) -> Vec<(u64, f32)> {
        if self.inner.points.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let found = self.inner.hnsw.search(query, limit, ef);
        found.iter().map(|point| (point.d_id as u64, 1.0 - point.distance * point.distance / 2.0)).collect()
    }

    /// Vectors in full precision and the links, estimated from hnsw_rs's structures.
    pub fn memory_bytes(&self) -> usize {
        self.inner.points.load(Ordering::Relaxed) * (self.inner.dimensions * 4 + NEIGHBOURS * 2 * 24 + 160)
    }
}
