//! Many rows from few: `million FILE.f32 DIMENSIONS ROWS FOLDER` repeats the vectors of a file with small changes, builds
//! and saves an index in an empty folder; run again, it opens what is there, and says what that takes.

use std::path::PathBuf;
use std::time::Instant;

use rspa_vectors::{Filter, Identity, Index, Mark, Opened, Options, Row};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a file")?;
    let dimensions: usize = arguments.next().ok_or("name the dimensions")?.parse()?;
    let count: usize = arguments.next().ok_or("say how many rows")?.parse()?;
    let folder = PathBuf::from(arguments.next().ok_or("name a folder")?);
    std::fs::create_dir_all(&folder)?;
    let options = Options {
        dimensions,
        graph_from: 50_000,
        tail: 4_096,
        threads: 2,
        folder: Some(folder),
        identity: Identity { store: 1, space: 1 },
    };
    let started = Instant::now();
    let (index, opened) = Index::open(options);
    println!("opened in {:.3} s: {opened:?}", started.elapsed().as_secs_f64());
    println!("{} rows, graph: {}, resident {} MB", index.len(), index.has_graph(), resident());
    let bytes = std::fs::read(path)?;
    let floats = bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four));
    let values: Vec<f32> = floats.collect();
    drop(bytes);
    let rows: Vec<&[f32]> = values.chunks_exact(dimensions).collect();
    let (queries, rows) = rows.split_at(1_000);
    if matches!(opened, Opened::Empty(_) | Opened::Absent) {
        let started = Instant::now();
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as f32 / (1_u64 << 31) as f32 - 0.5) * 0.05
        };
        for id in 0..count as u64 {
            let vector: Vec<f32> = rows[id as usize % rows.len()].iter().map(|value| value + noise()).collect();
            let row = Row { id, source: u128::from(id % 100), kind: (id % 5) as u8, modified: id as u32 };
            index.apply(&[], &[(row, &vector)], Mark { change: Some(id), covered: Some(id) });
        }
        println!("added in {:.1} s, resident {} MB", started.elapsed().as_secs_f64(), resident());
        let started = Instant::now();
        index.fold(&|| false)?;
        println!("built and saved in {:.1} s, resident {} MB", started.elapsed().as_secs_f64(), resident());
        return Ok(());
    }
    let few = [3];
    let filters = [
        ("all", Filter::default()),
        ("one source of a hundred", Filter { sources: &[17], ..Filter::default() }),
        ("one kind of five", Filter { kinds: &few, ..Filter::default() }),
    ];
    for (name, filter) in filters {
        let mut milliseconds: Vec<f64> = queries
            .iter()
            .take(200)
            .map(|query| {
                let started = Instant::now();
                std::hint::black_box(index.search(query, &filter, 60));
                started.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        milliseconds.sort_by(f64::total_cmp);
        println!(
            "{name}: median {:.2} ms, p95 {:.2} ms; resident {} MB",
            milliseconds[100],
            milliseconds[190],
            resident()
        );
    }
    let started = Instant::now();
    for (at, vector) in rows.iter().take(2_000).enumerate() {
        let row = Row { id: (count + at) as u64, source: 0, kind: 0, modified: 0 };
        let gone = at as u64..at as u64 + 1;
        index.apply(std::slice::from_ref(&gone), &[(row, vector)], Mark::default());
    }
    println!("2,000 rows went and came in {:.3} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    index.save()?;
    println!("saved in {:.3} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Megabytes in memory, of the file of vectors too; 0 where the system does not say.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096 / (1 << 20)
}
