//! What `rspa bench retrieval|vectors` measures: the same code as everyday work, on a data folder of its own.

pub mod retrieval;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rspa_ml::Cancel;
use rspa_ml::kernels::distance::floats;
use rspa_vectors::{Filter as Everything, Identity, Index, Mark, Options};
use serde::Serialize;
use uuid::Uuid;

use super::reports::Silent;
use super::{Config, KnowledgeError, Preferences, Service};
use crate::clock::SystemClock;
use crate::inference::EncoderProvider;
use crate::model::ProfileId;
use crate::storage::{Db, DbOptions, tables};

#[derive(Clone, Debug, Serialize)]
pub struct VectorMeasurement {
    pub rows: u64,
    pub build_s: f64,
    pub ef: u64,
    pub recall10: f64,
    pub qps: f64,
}

/// Opens a service with everything under `scratch` (an empty folder).
fn service(scratch: &Path, encoder: Arc<dyn EncoderProvider>) -> Result<Service, KnowledgeError> {
    let main = Db::open(&scratch.join("main.redb"), &tables::MAIN, DbOptions::default())?;
    let options = DbOptions { cache_bytes: 64 << 20, ..DbOptions::default() };
    let knowledge = Db::open(&scratch.join("knowledge.redb"), &tables::KNOWLEDGE, options)?;
    Service::new(Config {
        profile: PROFILE,
        main,
        knowledge,
        data: scratch.to_owned(),
        index: scratch.join("index"),
        samples: scratch.join("samples"),
        preferences: Arc::new(Preferences::default),
        clock: Arc::new(SystemClock),
        reports: Arc::new(Silent),
        encoder,
        eager: false,
        built_in: false,
        pages: scratch.join("pages"),
        fetch: None,
    })
}

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));

/// Rows at the beginning that are asked for.
pub const QUESTIONS: usize = 1_000;
/// Nearest rows that are wanted.
pub const WANTED: usize = 10;

/// Builds the index over rows of `dimensions` values with two threads and searches it on one; the first
/// [`QUESTIONS`] rows are the questions. Cosine; recall against a full scan. None when there are too few rows, or
/// when it was cancelled.
pub fn vectors(values: &[f32], dimensions: usize, cancel: &Cancel) -> Option<Vec<VectorMeasurement>> {
    const AT_ONCE: usize = 1_000;
    if dimensions == 0 || values.len() / dimensions <= QUESTIONS + WANTED {
        return None;
    }
    let unit: Vec<Vec<f32>> = values.chunks_exact(dimensions).map(unit).collect();
    let (questions, rows) = unit.split_at(QUESTIONS);
    let started = Instant::now();
    let index = Index::new(Options {
        dimensions,
        graph_from: 0,
        tail: AT_ONCE,
        threads: 2,
        folder: None,
        identity: Identity { store: 0, space: 0 },
    });
    for (part, from) in rows.chunks(AT_ONCE).zip((0_u64..).step_by(AT_ONCE)) {
        let row = |id| rspa_vectors::Row { id, source: 0, kind: 0, modified: 0 };
        let added: Vec<_> = part.iter().zip(from..).map(|(vector, id)| (row(id), vector.as_slice())).collect();
        index.apply(&[], &added, Mark::default());
    }
    index.fold(&|| cancel.is_cancelled()).ok()?;
    let build_s = started.elapsed().as_secs_f64();
    let mut truth: Vec<Vec<u64>> = Vec::with_capacity(QUESTIONS);
    for question in questions {
        if cancel.is_cancelled() {
            return None;
        }
        truth.push(nearest(question, rows));
    }
    let measure = |ef: usize| {
        let started = Instant::now();
        let found: Vec<Vec<(u64, f32)>> =
            questions.iter().map(|question| index.search_with(question, &Everything::default(), WANTED, ef)).collect();
        let seconds = started.elapsed().as_secs_f64();
        let hits: usize = found
            .iter()
            .zip(&truth)
            .map(|(found, truth)| found.iter().filter(|(id, _)| truth.contains(id)).count())
            .sum();
        VectorMeasurement {
            rows: rows.len() as u64,
            build_s,
            ef: ef as u64,
            recall10: hits as f64 / (QUESTIONS * WANTED) as f64,
            qps: QUESTIONS as f64 / seconds,
        }
    };
    Some([32, 64, 128, 256].map(measure).to_vec())
}

fn unit(row: &[f32]) -> Vec<f32> {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    row.iter().map(|value| if value.is_finite() { value / length } else { 0.0 }).collect()
}

/// The true nearest rows, by comparing with each.
fn nearest(question: &[f32], rows: &[Vec<f32>]) -> Vec<u64> {
    let mut scored: Vec<(f32, u64)> = rows.iter().zip(0..).map(|(row, at)| (floats(question, row), at)).collect();
    let (best, _, _) = scored.select_nth_unstable_by(WANTED, |a, b| b.0.total_cmp(&a.0));
    best.iter().map(|(_, at)| *at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rows_are_those_of_the_greatest_cosine() {
        let rows: Vec<Vec<f32>> =
            (0..20).map(|at| unit(&[3.0 * (at as f32 / 10.0).cos(), 3.0 * (at as f32 / 10.0).sin()])).collect();
        let mut found = nearest(&[1.0, 0.0], &rows);
        found.sort_unstable();
        assert_eq!(found, (0..10).collect::<Vec<u64>>());
    }

    #[test]
    fn the_index_finds_most_at_every_width() {
        let values: Vec<f32> = (0..3_000 * 16_u64).map(|at| ((at * at * 31 + at * 7) % 1_009) as f32 - 504.0).collect();
        let measured = vectors(&values, 16, &Cancel::new()).unwrap();
        assert_eq!(measured.iter().map(|line| line.ef).collect::<Vec<_>>(), [32, 64, 128, 256]);
        assert!(measured.iter().all(|line| line.rows == 2_000 && line.recall10 > 0.8), "{measured:?}");
        assert!(measured[3].recall10 > 0.98, "{measured:?}");
        assert!(vectors(&values[..16 * 900], 16, &Cancel::new()).is_none());
    }
}
