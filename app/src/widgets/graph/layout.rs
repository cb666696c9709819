//! Where the boxes of a graph stand when nobody placed them: in layers from left to right, each after all it waits for.
//!
//! Layers by the longest way, order within a layer by the mean of the neighbours (Sugiyama, Tagawa, Toda 1981), heights by
//! isotonic regression, so that boxes stand as near to their neighbours' height as the room between them allows.

use egui::{Pos2, Vec2, pos2, vec2};

/// Points that a box takes.
pub const NODE: Vec2 = vec2(176.0, 56.0);
/// Points between layers, and between boxes of one layer.
pub const GAP: Vec2 = vec2(52.0, 24.0);
const SWEEPS: usize = 4;

/// The layer of each node. Where edges go in a circle, one of them leads back.
pub fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waits = vec![0_usize; count];
    for &(from, to) in edges.iter().filter(|(a, b)| a != b && *a < count && *b < count) {
        next[from].push(to);
        waits[to] += 1;
    }
    let mut layer = vec![0_usize; count];
    let mut done = vec![false; count];
    let mut open: std::collections::VecDeque<usize> = (0..count).filter(|node| waits[*node] == 0).collect();
    let mut left = 0;
    loop {
        while let Some(at) = open.pop_front() {
            if std::mem::replace(&mut done[at], true) {
                continue;
            }
            for &there in &next[at] {
                if done[there] {
                    continue;
                }
                layer[there] = layer[there].max(layer[at] + 1);
                waits[there] = waits[there].saturating_sub(1);
                if waits[there] == 0 {
                    open.push_back(there);
                }
            }
        }
        // Only circles are left: the first of them begins.
        while left < count && done[left] {
            left += 1;
        }
        if left == count {
            return layer;
        }
        open.push_back(left);
    }
}

/// The upper left corner of each box, in points; the first layer stands at 0, heights begin at 0.
pub fn places(count: usize, edges: &[(usize, usize)]) -> Vec<Pos2> {
    if count == 0 {
        return Vec::new();
    }
    let layer = layers(count, edges);
    let depth = layer.iter().max().map_or(0, |deepest| deepest + 1);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); depth];
    for node in 0..count {
        columns[layer[node]].push(node);
    }
    let (mut before, mut after) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for &(from, to) in edges.iter().filter(|(a, b)| a != b && *a < count && *b < count) {
        before[to].push(from);
        after[from].push(to);
    }
    let step = NODE.y + GAP.y;
    let mut y = vec![0.0_f32; count];
    for column in &columns {
        let middle = (column.len() as f32 - 1.0) / 2.0;
        for (at, &node) in column.iter().enumerate() {
            y[node] = (at as f32 - middle) * step;
        }
    }
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 0;
        let order: Vec<usize> = if forward { (0..depth).collect() } else { (0..depth).rev().collect() };
        for at in order {
            let near = if forward { &before } else { &after };
            settle(&mut columns[at], near, &mut y, step);
        }
    }
    // Once more along the edges, so that chains end straight.
    for column in &mut columns {
        settle(column, &before, &mut y, step);
    }
    let top = y.iter().copied().fold(f32::INFINITY, f32::min);
    (0..count).map(|node| pos2(layer[node] as f32 * (NODE.x + GAP.x), (y[node] - top).round())).collect()
}

/// Orders a layer by the heights of its neighbours, and moves each box as near to theirs as the others allow.
fn settle(column: &mut [usize], near: &[Vec<usize>], y: &mut [f32], step: f32) {
    let wanted = |node: usize, y: &[f32]| match near[node].len() {
        0 => y[node],
        n => near[node].iter().map(|other| y[*other]).sum::<f32>() / n as f32,
    };
    let mut ordered: Vec<(f32, usize)> = column.iter().map(|node| (wanted(*node, y), *node)).collect();
    ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Pool adjacent violators: blocks of (sum, count) whose means must rise.
    let mut blocks: Vec<(f64, usize)> = Vec::with_capacity(ordered.len());
    for (at, (height, _)) in ordered.iter().enumerate() {
        let mut block = (f64::from(*height) - at as f64 * f64::from(step), 1);
        while let Some(last) = blocks.last()
            && last.0 / last.1 as f64 >= block.0 / block.1 as f64
        {
            block = (block.0 + last.0, block.1 + last.1);
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut at = 0;
    for (sum, count) in blocks {
        for _ in 0..count {
            let (_, node) = ordered[at];
            y[node] = (sum / count as f64 + at as f64 * f64::from(step)) as f32;
            column[at] = node;
            at += 1;
        }
    }
}
