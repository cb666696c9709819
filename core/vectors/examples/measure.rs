//! Builds and searches an index over vectors of a file: `measure FILE.f32 DIMENSIONS [ROUNDS]`.

use std::time::Instant;

use rspa_vectors::{Filter, Identity, Index, Mark, Options, Row};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a file")?;
    let dimensions: usize = arguments.next().ok_or("name the dimensions")?.parse()?;
    let rounds: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let bytes = std::fs::read(path)?;
    let values: Vec<f32> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
    let rows: Vec<&[f32]> = values.chunks_exact(dimensions).collect();
    let (queries, rows) = rows.split_at(1_000);
    println!("{}", rspa_ml::kernels::distance::instructions());
    let started = Instant::now();
    let index = Index::new(Options {
        dimensions,
        graph_from: 0,
        tail: 1_000,
        threads: 2,
        folder: std::env::var_os("FOLDER").map(Into::into),
        identity: Identity { store: 1, space: 1 },
    });
    for (part, from) in rows.chunks(1_000).zip((0_u64..).step_by(1_000)) {
        let row = |id| Row { id, source: u128::from(id % 7), kind: (id % 5) as u8, modified: id as u32 };
        let added: Vec<(Row, &[f32])> = part.iter().zip(from..).map(|(vector, id)| (row(id), *vector)).collect();
        index.apply(&[], &added, Mark { change: Some(from), covered: None });
    }
    println!("added after {:.2} s", started.elapsed().as_secs_f64());
    let truth: Vec<Vec<u64>> = if std::env::var_os("NO_TRUTH").is_some() {
        Vec::new()
    } else {
        queries.iter().map(|query| nearest(query, rows)).collect()
    };
    let started = Instant::now();
    for query in queries.iter().take(100) {
        std::hint::black_box(index.search(query, &Filter::default(), 10));
    }
    println!("scan: {:.0} queries/s", 100.0 / started.elapsed().as_secs_f64());
    let (started, cpu) = (Instant::now(), processor_seconds());
    index.fold(&|| false)?;
    println!("built in {:.2} s, {:.2} s of processor time", started.elapsed().as_secs_f64(), processor_seconds() - cpu);
    for _ in 0..rounds {
        for ef in [24, 32, 48, 64, 96, 128, 256] {
            let (started, cpu) = (Instant::now(), processor_seconds());
            let found: Vec<Vec<(u64, f32)>> =
                queries.iter().map(|query| index.search_with(query, &Filter::default(), 10, ef)).collect();
            let seconds = started.elapsed().as_secs_f64();
            let cpu = processor_seconds() - cpu;
            let hits: usize = found
                .iter()
                .zip(&truth)
                .map(|(found, truth)| found.iter().filter(|(id, _)| truth.contains(id)).count())
                .sum();
            println!(
                "ef {ef}: recall {:.4}, {:.0} queries/s, {:.0} per second of processor time",
                hits as f64 / 1e4,
                1e3 / seconds,
                1e3 / cpu
            );
        }
    }
    println!("{} MB", index.memory_bytes() >> 20);
    Ok(())
}

/// What all threads took so far, where the system says: a loaded machine does not change it much.
fn processor_seconds() -> f64 {
    let of_thread = |path: std::path::PathBuf| -> Option<f64> {
        std::fs::read_to_string(path).ok()?.split(' ').next()?.parse::<f64>().ok()
    };
    let main = of_thread("/proc/thread-self/schedstat".into()).unwrap_or(f64::NAN) / 1e9;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: f64 = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split(' ')
        .skip(12)
        .take(2)
        .filter_map(|text| text.parse::<f64>().ok())
        .sum();
    let all = ticks / 100.0;
    // Ticks are coarse; the calling thread alone is known finely.
    if all - main > 0.05 { all } else { main }
}

fn nearest(query: &[f32], rows: &[&[f32]]) -> Vec<u64> {
    let mut all: Vec<(f32, u64)> =
        rows.iter().zip(0..).map(|(row, id)| (rspa_ml::kernels::distance::floats(query, row), id)).collect();
    let (best, _, _) = all.select_nth_unstable_by(10, |a, b| b.0.total_cmp(&a.0));
    best.iter().map(|(_, id)| *id).collect()
}
