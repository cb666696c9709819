//! `rspa bench vectors`: the vector index on given vectors: building, recall and queries per second.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use rspa_core::knowledge::vector::cosine;
use rspa_core::knowledge::vector::graph::Graph;
use serde_json::json;

use super::{Context, Failure, print};
use crate::cli::output::path_text;

#[derive(Args)]
pub struct VectorsArguments {
    /// Little-endian f32, one row after the other; the first 1,000 rows are the queries
    #[arg(long, value_name = "FILE.f32")]
    vectors: PathBuf,
    /// Values in a row
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    dim: u32,
}

const QUERIES: usize = 1_000;
const WANTED: usize = 10;
const WIDTHS: [usize; 4] = [32, 64, 128, 256];

pub fn run(context: &Context, arguments: &VectorsArguments) -> Result<(), Failure> {
    let rows = read(&arguments.vectors, arguments.dim as usize)?;
    let (queries, stored) = rows.split_at(QUERIES);
    let started = Instant::now();
    let mut graph = Graph::new(arguments.dim as usize, stored.len());
    for (id, row) in stored.iter().enumerate() {
        if id % 1024 == 0 {
            context.interrupt.check()?;
        }
        graph.insert(id as u64, row);
    }
    let build_s = started.elapsed().as_secs_f64();
    let mut truth = Vec::with_capacity(queries.len());
    for query in queries {
        context.interrupt.check()?;
        truth.push(nearest(query, stored));
    }
    for ef in WIDTHS {
        context.interrupt.check()?;
        let started = Instant::now();
        let found: Vec<Vec<(u64, f32)>> = queries.iter().map(|query| graph.search_with(query, WANTED, ef)).collect();
        let seconds = started.elapsed().as_secs_f64();
        let hits = truth
            .iter()
            .zip(&found)
            .map(|(truth, found)| found.iter().filter(|(id, _)| truth.contains(id)).count())
            .sum::<usize>();
        let figures = json!({
            "bench": "vectors",
            "rows": stored.len(),
            "build_s": build_s,
            "ef": ef,
            "recall10": hits as f64 / (WANTED * queries.len()) as f64,
            "qps": queries.len() as f64 / seconds,
        });
        print(context, 1, figures)?;
    }
    Ok(())
}

/// Rows of unit length.
fn read(path: &Path, dimensions: usize) -> Result<Vec<Vec<f32>>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::validation(format!("cannot read {}: {error}", path_text(path)), "Name a file of vectors.")
    })?;
    let row_bytes = dimensions * size_of::<f32>();
    let least = (QUERIES + WANTED) * row_bytes;
    if !bytes.len().is_multiple_of(row_bytes) || bytes.len() < least {
        return Err(Failure::validation(
            format!(
                "{} does not hold at least {} whole rows of {dimensions} values",
                path_text(path),
                QUERIES + WANTED
            ),
            "Check --dim, and that the file is little-endian f32.",
        ));
    }
    Ok(bytes.chunks_exact(row_bytes).map(unit_row).collect())
}

fn unit_row(bytes: &[u8]) -> Vec<f32> {
    let (values, _) = bytes.as_chunks::<4>();
    let mut row: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|value| *value /= length);
    }
    row
}

/// The true nearest rows, by comparing with each.
fn nearest(query: &[f32], rows: &[Vec<f32>]) -> Vec<u64> {
    let mut all: Vec<(f32, u64)> = rows.iter().enumerate().map(|(id, row)| (cosine(query, row), id as u64)).collect();
    let (best, _, _) = all.select_nth_unstable_by(WANTED, |a, b| b.0.total_cmp(&a.0));
    best.iter().map(|(_, id)| *id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_brought_to_unit_length() {
        let bytes: Vec<u8> = [3.0_f32, 4.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(unit_row(&bytes), [0.6, 0.8]);
    }

    #[test]
    fn the_nearest_rows_are_those_of_the_greatest_cosine() {
        let rows: Vec<Vec<f32>> = (0..20).map(|at| vec![(at as f32 / 10.0).cos(), (at as f32 / 10.0).sin()]).collect();
        let mut found = nearest(&[1.0, 0.0], &rows);
        found.sort_unstable();
        assert_eq!(found, (0..10).collect::<Vec<u64>>());
    }
}
