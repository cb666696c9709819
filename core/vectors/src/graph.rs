//! Walking an HNSW graph (Malkov and Yashunin, 2016): greedily down its levels, then best first on the lowest.
//!
//! Nodes are numbered so that those of a level are the first ones: node 0 lies on all levels and is where walks start.
//! Links may come from a file: a number that is no node is passed over, and no walk can go on for ever.

use rspa_ml::kernels::distance;

use crate::scratch::Walk;

/// Links of a node on the lowest level; half of them above.
pub(crate) const LINKS: usize = 32;
pub(crate) const UPPER_LINKS: usize = LINKS / 2;
/// What stands after the last link of a node.
pub(crate) const NONE: u32 = u32::MAX;
/// More levels than any graph that fits in memory has.
pub(crate) const MOST_LEVELS: usize = 16;

/// Coarse codes with their scales.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<'a> {
    pub dimensions: usize,
    pub codes: &'a [i8],
    pub scales: &'a [f32],
}

impl<'a> Vectors<'a> {
    pub fn codes_of(&self, node: u32) -> &'a [i8] {
        let from = node as usize * self.dimensions;
        self.codes.get(from..from + self.dimensions).unwrap_or_default()
    }

    #[inline]
    pub fn scale_of(&self, node: u32) -> f32 {
        self.scales.get(node as usize).copied().unwrap_or(0.0)
    }

    /// The product with each of the nodes, without the query's scale.
    pub fn scores<'b>(
        &'b self,
        query: &[i8],
        nodes: &'b [u32],
        products: &'b mut Vec<i32>,
    ) -> impl Iterator<Item = (u32, f32)> + 'b {
        products.resize(nodes.len(), 0);
        distance::gather(query, self.codes, nodes, products);
        nodes.iter().zip(products.iter()).map(|(node, product)| (*node, *product as f32 * self.scale_of(*node)))
    }
}

/// Where a graph's links lie.
pub(crate) trait Links {
    /// Those of a node, as stored.
    fn links(&self, level: usize, node: u32) -> impl Iterator<Item = u32>;
    /// Brings the links of a node on the lowest level near.
    fn prefetch(&self, node: u32);
}

/// The links of a frozen graph.
#[derive(Clone, Copy)]
pub(crate) struct Frozen<'a> {
    /// Nodes of each level, the lowest first.
    pub counts: &'a [u32],
    pub links: &'a [u32],
    /// Level after level, from the one above the lowest on.
    pub upper: &'a [u32],
}

impl Frozen<'_> {
    pub fn nodes(&self) -> usize {
        self.counts.first().map_or(0, |count| *count as usize)
    }

    /// The highest level.
    pub fn top(&self) -> usize {
        self.counts.len().saturating_sub(1)
    }
}

impl Links for Frozen<'_> {
    #[inline]
    fn links(&self, level: usize, node: u32) -> impl Iterator<Item = u32> {
        let row = if level == 0 {
            let from = node as usize * LINKS;
            self.links.get(from..from + LINKS)
        } else {
            let below: usize = self.counts.get(1..level).unwrap_or_default().iter().map(|count| *count as usize).sum();
            let inside = self.counts.get(level).is_some_and(|count| node < *count);
            let from = (below + node as usize) * UPPER_LINKS;
            self.upper.get(from..from + UPPER_LINKS).filter(|_| inside)
        };
        row.unwrap_or_default().iter().copied().take_while(|link| *link != NONE)
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        distance::prefetch(self.links, node as usize * LINKS, LINKS);
    }
}

/// The best node found by going from better to better on the levels from `top` down to `bottom`, and its score.
pub(crate) fn descend(
    links: &impl Links,
    vectors: Vectors<'_>,
    query: &[i8],
    (top, bottom): (usize, usize),
    walk: &mut Walk,
) -> (u32, f32) {
    let mut best = vectors.scores(query, &[0], &mut walk.products).next().unwrap_or((0, f32::NEG_INFINITY));
    for level in (bottom..=top).rev() {
        loop {
            walk.batch.clear();
            walk.batch.extend(links.links(level, best.0));
            let before = best.1;
            for (node, score) in vectors.scores(query, &walk.batch, &mut walk.products) {
                if score > best.1 {
                    best = (node, score);
                }
            }
            if best.1 <= before || best.1.is_nan() {
                break;
            }
        }
    }
    best
}

/// Best first from `entry` on one level; the pool holds what was found, at most `width`.
pub(crate) fn spread(
    links: &impl Links,
    vectors: Vectors<'_>,
    query: &[i8],
    level: usize,
    entry: (u32, f32),
    width: usize,
    walk: &mut Walk,
) {
    let nodes = vectors.scales.len();
    walk.visited.start(nodes);
    walk.pool.start(width);
    walk.visited.insert(entry.0);
    walk.pool.push(entry.0, entry.1);
    while let Some((node, after)) = walk.pool.next() {
        if let Some(after) = after {
            links.prefetch(after);
        }
        walk.batch.clear();
        for link in links.links(level, node) {
            if walk.visited.insert(link) {
                walk.batch.push(link);
                distance::prefetch(vectors.codes, link as usize * vectors.dimensions, vectors.dimensions);
            }
        }
        for (link, score) in vectors.scores(query, &walk.batch, &mut walk.products) {
            if score > walk.pool.least() {
                walk.pool.push(link, score);
            }
        }
    }
}
