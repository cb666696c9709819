//! Ways through a graph: whether an edge would close a circle, and which one.

/// Indices of the nodes on a way from `from` to `to` along the edges, both included; none where there is no way.
/// Edges that name no node are passed over. Time grows with nodes and edges.
pub fn way(count: usize, edges: &[(usize, usize)], from: usize, to: usize) -> Option<Vec<usize>> {
    if from >= count || to >= count {
        return None;
    }
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    for &(a, b) in edges.iter().filter(|(a, b)| *a < count && *b < count) {
        next[a].push(b);
    }
    let mut before: Vec<Option<usize>> = vec![None; count];
    let mut seen = vec![false; count];
    let mut open = std::collections::VecDeque::from([from]);
    seen[from] = true;
    while let Some(at) = open.pop_front() {
        if at == to {
            let mut found = vec![at];
            let mut here = at;
            while let Some(previous) = before[here] {
                found.push(previous);
                here = previous;
            }
            found.reverse();
            return Some(found);
        }
        for &there in &next[at] {
            if !seen[there] {
                seen[there] = true;
                before[there] = Some(at);
                open.push_back(there);
            }
        }
    }
    None
}

/// The circle that an edge from `from` to `to` would close, beginning with `to`; none where it closes none.
pub fn closed_by(count: usize, edges: &[(usize, usize)], from: usize, to: usize) -> Option<Vec<usize>> {
    way(count, edges, to, from)
}
