//! Graphs that hnsw_rs builds: the reference that ours is compared with, and what is frozen when ours fails its check.

use hnsw_rs::prelude::{DistL2, Hnsw};

use crate::Error;
use crate::build::{EF_CONSTRUCTION, Graph, NEIGHBOURS};
use crate::graph::{LINKS, MOST_LEVELS, NONE, UPPER_LINKS, Vectors};

/// A graph of hnsw_rs over unit vectors, known by their place.
pub struct Oracle {
    hnsw: Hnsw<'static, f32, DistL2>,
}

impl Oracle {
    /// Builds it with the same width and number of neighbours as ours.
    ///
    /// # Errors
    /// When no threads can be started.
    pub fn build(vectors: &[Vec<f32>], threads: usize) -> Result<Self, Error> {
        // The Euclidean distance orders unit vectors as the cosine does.
        let mut hnsw = Hnsw::new(NEIGHBOURS, vectors.len().max(1), MOST_LEVELS, EF_CONSTRUCTION, DistL2);
        hnsw.set_keeping_pruned(true);
        let numbered: Vec<(&Vec<f32>, usize)> = vectors.iter().zip(0..).collect();
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build().map_err(std::io::Error::other)?;
        pool.install(|| hnsw.parallel_insert(&numbered));
        Ok(Self { hnsw })
    }

    /// The places of the nearest vectors, best first.
    pub fn search(&self, query: &[f32], limit: usize, width: usize) -> Vec<usize> {
        self.hnsw.search(query, limit, width).iter().map(|found| found.d_id).collect()
    }
}

/// A graph of hnsw_rs in our form, and the nodes in the order of its levels, by which the graph numbers them.
pub(crate) fn build(vectors: Vectors<'_>, threads: usize) -> Result<(Graph, Vec<u32>, Vec<usize>), Error> {
    let nodes = vectors.scales.len();
    let unit: Vec<Vec<f32>> = (0..nodes as u32)
        .map(|node| {
            let values: Vec<f32> = vectors.codes_of(node).iter().map(|code| f32::from(*code)).collect();
            let length = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(1.0);
            values.iter().map(|value| value / length).collect()
        })
        .collect();
    let oracle = Oracle::build(&unit, threads)?;
    let mut found: Vec<(usize, Vec<Vec<usize>>)> = vec![(0, Vec::new()); nodes];
    for point in oracle.hnsw.get_point_indexation() {
        let links = point.get_neighborhood_id();
        let links = links.iter().map(|level| level.iter().map(|link| link.d_id).collect()).collect();
        if let Some(place) = found.get_mut(point.get_origin_id()) {
            *place = (usize::from(point.get_point_id().0).min(MOST_LEVELS - 1), links);
        }
    }
    let mut order: Vec<u32> = (0..nodes as u32).collect();
    order.sort_by_key(|node| MOST_LEVELS - found[*node as usize].0);
    let mut numbers = vec![NONE; nodes];
    order.iter().zip(0..).for_each(|(node, number)| numbers[*node as usize] = number);
    let levels: Vec<usize> = order.iter().map(|node| found[*node as usize].0).collect();
    let top = levels.first().copied().unwrap_or(0);
    let counts: Vec<u32> = (0..=top).map(|level| levels.partition_point(|of| *of >= level) as u32).collect();
    let (mut links, mut upper) = (Vec::with_capacity(nodes * LINKS), Vec::new());
    for level in 0..=top {
        let (all, room) = if level == 0 { (&mut links, LINKS) } else { (&mut upper, UPPER_LINKS) };
        for node in &order[..counts[level] as usize] {
            let of_level = found[*node as usize].1.get(level).map_or(&[][..], Vec::as_slice);
            let row = of_level.iter().filter_map(|link| numbers.get(*link).copied());
            // A link must stay on its level.
            let row = row.filter(|number| *number < counts[level]).take(room);
            let from = all.len();
            all.extend(row);
            all.resize(from + room, NONE);
        }
    }
    Ok((Graph { counts, links, upper }, order, levels))
}
