//! Rows that come and go, recall against a full scan and against hnsw_rs, filters, and changes while a graph is built.

#![expect(clippy::single_range_in_vec_init, reason = "what goes is a list of ranges, also of one")]

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::*;
use crate::oracle::Oracle;

mod snapshots;

pub(super) const DIMENSIONS: usize = 24;

/// A stream of numbers, the same for the same seed.
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn value(&mut self) -> f32 {
        self.next() as f32 / (1_u64 << 31) as f32 - 0.5
    }
}

/// Unit vectors around a few centres.
pub(super) fn vectors(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut centres = Random(11);
    let centres: Vec<Vec<f32>> = (0..50).map(|_| (0..DIMENSIONS).map(|_| centres.value()).collect()).collect();
    let mut random = Random(seed);
    (0..count)
        .map(|_| {
            let centre = &centres[random.next() as usize % centres.len()];
            let raw: Vec<f32> = centre.iter().map(|value| value + random.value()).collect();
            let length = raw.iter().map(|value| value * value).sum::<f32>().sqrt();
            raw.iter().map(|value| value / length).collect()
        })
        .collect()
}

pub(super) fn options(graph_from: usize) -> Options {
    Options {
        dimensions: DIMENSIONS,
        graph_from,
        tail: 100,
        threads: 2,
        folder: None,
        identity: Identity { store: 7, space: 3 },
    }
}

pub(super) fn row(id: u64) -> Row {
    Row { id, source: u128::from(id % 3), kind: (id % 5) as u8, modified: id as u32 }
}

pub(super) fn add(index: &Index, first: u64, vectors: &[Vec<f32>]) {
    let added: Vec<(Row, &[f32])> =
        vectors.iter().zip(first..).map(|(vector, id)| (row(id), vector.as_slice())).collect();
    index.apply(&[], &added, Mark { change: Some(first), covered: None });
}

/// The share of the true ten nearest that is found, for 50 queries, among those that `keeps` keeps.
pub(super) fn recall(index: &Index, all: &[(u64, Vec<f32>)], filter: &Filter<'_>, keeps: impl Fn(u64) -> bool) -> f64 {
    let queries = vectors(50, 991);
    let (mut hits, mut wanted) = (0, 0);
    for query in &queries {
        let kept = all.iter().filter(|(id, _)| keeps(*id));
        let mut exact: Vec<(f32, u64)> =
            kept.map(|(id, vector)| (query.iter().zip(vector).map(|(a, b)| a * b).sum(), *id)).collect();
        exact.sort_by(|a, b| b.0.total_cmp(&a.0));
        exact.truncate(10);
        let found = index.search(query, filter, 10);
        assert_eq!(found.len(), exact.len());
        assert!(found.iter().all(|(id, _)| keeps(*id)), "only what is wanted");
        assert!(found.is_sorted_by(|a, b| a.1 >= b.1));
        for ((_, cosine), (true_cosine, _)) in found.iter().zip(&exact) {
            assert!(*cosine <= true_cosine + 1e-4, "cosines are right");
        }
        hits += exact.iter().filter(|(_, id)| found.iter().any(|(known, _)| known == id)).count();
        wanted += exact.len();
    }
    hits as f64 / wanted as f64
}

pub(super) fn numbered(first: u64, vectors: &[Vec<f32>]) -> Vec<(u64, Vec<f32>)> {
    (first..).zip(vectors.iter().cloned()).collect()
}

#[test]
fn a_scan_is_exact_and_changes_show_at_once() {
    let index = Index::new(options(1_000_000));
    let all = vectors(3_000, 1);
    add(&index, 10, &all);
    assert_eq!(index.len(), 3_000);
    let numbered = numbered(10, &all);
    assert!(recall(&index, &numbered, &Filter::default(), |_| true) > 0.999);

    // Replaced, removed, added again.
    add(&index, 12, &all[100..101]);
    assert_eq!(index.len(), 3_000);
    let found = index.search(&all[100], &Filter::default(), 2);
    assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [12, 110]);
    assert!((found[0].1 - 1.0).abs() < 1e-4);
    index.apply(&[12..13, 110..111, 5_000..u64::MAX], &[], Mark::default());
    assert_eq!(index.len(), 2_998);
    assert!(index.search(&all[100], &Filter::default(), 2).iter().all(|(id, _)| *id != 12 && *id != 110));
    assert!(!index.contains(12) && index.contains(13));
    add(&index, 110, &all[100..101]);
    assert_eq!(index.search(&all[100], &Filter::default(), 1)[0].0, 110);
    assert_eq!(index.mark(), Mark { change: Some(110), covered: Some(0) });
}

#[test]
fn a_long_scan_that_is_shared_is_exact_too() {
    let index = Index::new(options(1_000_000));
    let all = vectors(140_000, 5);
    add(&index, 0, &all);
    let everything = numbered(0, &all);
    assert!(recall(&index, &everything, &Filter::default(), |_| true) > 0.999);
    let third = Filter { sources: &[1], ..Filter::default() };
    assert!(recall(&index, &everything, &third, |id| id % 3 == 1) > 0.999);
}

#[test]
fn the_graph_finds_as_much_as_that_of_hnsw_rs() {
    let all = vectors(8_000, 1);
    let index = Index::new(options(1_000));
    add(&index, 0, &all);
    assert!(index.wants_fold() && !index.has_graph());
    index.fold(&|| false).unwrap();
    assert!(index.has_graph() && !index.wants_fold());
    let ours = recall(&index, &numbered(0, &all), &Filter::default(), |_| true);
    let oracle = Oracle::build(&all, 2).unwrap();
    let queries = vectors(50, 991);
    let mut hits = 0;
    for query in &queries {
        let mut exact: Vec<(f32, usize)> = all
            .iter()
            .enumerate()
            .map(|(at, vector)| (query.iter().zip(vector).map(|(a, b)| a * b).sum(), at))
            .collect();
        exact.sort_by(|a, b| b.0.total_cmp(&a.0));
        let found = oracle.search(query, 10, WIDTH);
        hits += exact[..10].iter().filter(|(_, at)| found.contains(at)).count();
    }
    let theirs = hits as f64 / 500.0;
    assert!(ours >= 0.98 && ours >= theirs - 0.01, "ours {ours}, hnsw_rs {theirs}");
}

#[test]
fn the_fallback_is_frozen_into_the_same_form() {
    let all = vectors(3_000, 1);
    let (mut coarse, mut fine, mut scales) = (Vec::new(), vec![0; DIMENSIONS], Vec::new());
    for vector in &all {
        let from = coarse.len();
        coarse.resize(from + DIMENSIONS, 0);
        scales.push(crate::quantise::quantise(vector, &mut coarse[from..], &mut fine));
    }
    let vectors = crate::graph::Vectors { dimensions: DIMENSIONS, codes: &coarse, scales: &scales };
    let (graph, order, levels) = crate::oracle::build(vectors, 2).unwrap();
    assert_eq!((order.len(), levels.len(), graph.counts[0]), (3_000, 3_000, 3_000));
    let ordered: Vec<i8> = order.iter().flat_map(|node| vectors.codes_of(*node).to_vec()).collect();
    let ordered_scales: Vec<f32> = order.iter().map(|node| scales[*node as usize]).collect();
    let vectors = crate::graph::Vectors { dimensions: DIMENSIONS, codes: &ordered, scales: &ordered_scales };
    assert!(crate::fold::recall(&graph, vectors) > 0.95);
}

#[test]
fn rows_come_and_go_beside_a_graph_and_are_folded_in() {
    let index = Index::new(options(1_000));
    let all = vectors(6_000, 1);
    let mut living = numbered(0, &all[..3_000]);
    add(&index, 0, &all[..3_000]);
    index.fold(&|| false).unwrap();
    // Beside the graph.
    add(&index, 3_000, &all[3_000..3_500]);
    living.extend(numbered(3_000, &all[3_000..3_500]));
    index.apply(&[100..300, 3_100..3_150], &[], Mark::default());
    living.retain(|(id, _)| !(100..300).contains(id) && !(3_100..3_150).contains(id));
    assert_eq!(index.len(), living.len());
    assert!(recall(&index, &living, &Filter::default(), |_| true) > 0.98);
    // Into it: links of what went are mended.
    assert!(index.wants_fold());
    index.fold(&|| false).unwrap();
    assert_eq!(index.len(), living.len());
    assert!(recall(&index, &living, &Filter::default(), |_| true) > 0.98);
    // In steps, until most was inserted later.
    for step in 0..5 {
        let from = 3_500 + step * 500;
        add(&index, from as u64, &all[from..from + 500]);
        living.extend(numbered(from as u64, &all[from..from + 500]));
        index.fold(&|| false).unwrap();
    }
    assert!(recall(&index, &living, &Filter::default(), |_| true) > 0.98);
    // So many go that it is built again; the first node, too.
    index.apply(&[0..2_500], &[], Mark::default());
    living.retain(|(id, _)| *id >= 2_500);
    assert!(recall(&index, &living, &Filter::default(), |_| true) > 0.98);
    assert!(index.wants_fold());
    index.fold(&|| false).unwrap();
    assert!(recall(&index, &living, &Filter::default(), |_| true) > 0.98);
    index.apply(&[0..u64::MAX], &[], Mark::default());
    assert!(index.is_empty() && index.search(&all[0], &Filter::default(), 5).is_empty());
    index.fold(&|| false).unwrap();
    assert!(index.is_empty() && index.search(&all[0], &Filter::default(), 5).is_empty());
}

#[test]
fn filters_find_what_they_keep_with_and_without_a_graph() {
    let all = vectors(4_000, 1);
    for graph_from in [1_000, 100_000] {
        let index = Index::new(options(graph_from));
        add(&index, 0, &all[..3_800]);
        index.fold(&|| false).unwrap();
        add(&index, 3_800, &all[3_800..]);
        let all = numbered(0, &all);
        let one = Filter { sources: &[1], ..Filter::default() };
        assert!(recall(&index, &all, &one, |id| id % 3 == 1) > 0.98);
        let two = Filter { sources: &[0, 2], kinds: &[4], ..Filter::default() };
        assert!(recall(&index, &all, &two, |id| id % 3 != 1 && id % 5 == 4) > 0.98);
        let time = Filter { after: Some(1_000), before: Some(1_007), ..Filter::default() };
        assert!(recall(&index, &all, &time, |id| (1_000..1_007).contains(&id)) > 0.98);
        let none = Filter { sources: &[9], ..Filter::default() };
        assert!(index.search(&all[0].1, &none, 5).is_empty());
    }
}

#[test]
fn equal_vectors_are_all_found_and_all_forgotten() {
    let index = Index::new(options(500));
    let all = vectors(2_000, 1);
    add(&index, 0, &all);
    let same = vec![all[7].clone(); 300];
    add(&index, 10_000, &same);
    add(&index, 20_000, &vec![vec![0.0; DIMENSIONS]; 50]);
    index.fold(&|| false).unwrap();
    assert_eq!(index.len(), 2_350);
    let found = index.search(&all[7], &Filter::default(), 301);
    assert!(found.iter().all(|(id, _)| *id == 7 || (10_000..10_300).contains(id)), "the equal ones come first");
    assert_eq!(found.len(), 301);
    // The one that stands for them goes, and the others stay.
    index.apply(&[7..8, 10_000..10_290], &[], Mark::default());
    let found = index.search(&all[7], &Filter::default(), 10);
    assert!(found.iter().all(|(id, _)| (10_290..10_300).contains(id)), "{found:?}");
    index.fold(&|| false).unwrap();
    let found = index.search(&all[7], &Filter::default(), 10);
    assert!(found.len() == 10 && found.iter().all(|(id, _)| (10_290..10_300).contains(id)), "{found:?}");
}

#[test]
fn odd_vectors_and_questions_do_no_harm() {
    let index = Index::new(options(10));
    let mut all = vectors(40, 1);
    all[3] = vec![0.0; DIMENSIONS];
    all[4] = vec![f32::NAN; DIMENSIONS];
    all[5] = vec![f32::MAX; DIMENSIONS];
    add(&index, 0, &all);
    index.apply(&[], &[(row(99), &[1.0, 2.0])], Mark::default());
    assert_eq!(index.len(), 40);
    for _ in 0..2 {
        assert_eq!(index.search(&all[8], &Filter::default(), 100).len(), 40);
        for odd in [vec![0.0; DIMENSIONS], vec![f32::NAN; DIMENSIONS], vec![1.0], Vec::new()] {
            assert!(index.search(&odd, &Filter::default(), 10).is_empty());
        }
        assert!(index.search(&all[8], &Filter::default(), 0).is_empty());
        index.fold(&|| false).unwrap();
    }
}

#[test]
fn what_changes_while_a_graph_is_built_is_kept() {
    let index = Index::new(options(500));
    let all = vectors(9_000, 1);
    add(&index, 0, &all[..6_000]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let folding = scope.spawn(|| {
            index.fold(&|| false).unwrap();
            done.store(true, Ordering::SeqCst);
        });
        let mut next = 6_000;
        while !done.load(Ordering::SeqCst) || next < 6_100 {
            if next < 8_999 {
                add(&index, next, &all[next as usize..=next as usize]);
                let gone = next - 6_000;
                index.apply(&[gone..gone + 1], &[], Mark::default());
                next += 1;
            }
            assert!(!index.search(&all[5_000], &Filter::default(), 10).is_empty());
        }
        folding.join().unwrap();
        let living: Vec<(u64, Vec<f32>)> = numbered(0, &all[..next as usize]).split_off(next as usize - 6_000);
        assert_eq!(index.len(), living.len());
        assert!(recall(&index, &living, &Filter::default(), |_| true) > 0.97);
    });
    // A fold that is stopped changes nothing.
    let before = index.len();
    index.apply(&[], &[(row(20_000), &all[8_999])], Mark::default());
    assert!(matches!(index.fold(&|| true), Err(Error::Cancelled)));
    assert_eq!(index.len(), before + 1);
    assert_eq!(index.search(&all[8_999], &Filter::default(), 1)[0].0, 20_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any sequence of additions, removals and folds leaves what a plain map would hold.
    #[test]
    fn it_holds_what_a_map_holds(steps in proptest::collection::vec((0_u8..4, 0_u64..60, 1_u64..20), 1..30)) {
        let index = Index::new(options(40));
        let pool = vectors(200, 5);
        let mut map = std::collections::BTreeMap::new();
        for (at, (kind, first, count)) in steps.into_iter().enumerate() {
            match kind {
                0 | 1 => {
                    let fresh = &pool[at * 3 % 150..][..count as usize];
                    add(&index, first, fresh);
                    map.extend((first..).zip(fresh.iter().cloned()));
                }
                2 => {
                    index.apply(&[first..first + count], &[], Mark::default());
                    map.retain(|id, _| !(first..first + count).contains(id));
                }
                _ => index.fold(&|| false).unwrap(),
            }
            prop_assert_eq!(index.len(), map.len());
        }
        let found = index.search(&pool[0], &Filter::default(), 500);
        let mut ids: Vec<u64> = found.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        prop_assert_eq!(ids, map.keys().copied().collect::<Vec<_>>());
        for (id, cosine) in found {
            let exact: f32 = pool[0].iter().zip(&map[&id]).map(|(a, b)| a * b).sum();
            prop_assert!((cosine - exact).abs() < 1e-3);
        }
    }
}
