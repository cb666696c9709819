//! Measures embedders on given texts: `encoder MODEL_FOLDER TEXTS.json`. The static one, and each way to compute an
//! encoder beside candle's.

use std::time::{Duration, Instant};

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::encoder::{Computation, Encoder};
use rspa_ml::embed::static_embedder::StaticEmbedder;
use rspa_ml::kernels::gemm::Kernel;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(texts)) = (arguments.next(), arguments.next()) else {
        return Err("usage: encoder MODEL_FOLDER TEXTS.json".into());
    };
    let folder = std::path::Path::new(&folder);
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(texts)?)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let few = &texts[..texts.len().min(100)];
    let cancel = Cancel::new();

    let built_in = StaticEmbedder::built_in()?;
    let (seconds, _) = timed(5, || built_in.embed(&texts, &cancel))?;
    println!("static: {:.0} texts/s", texts.len() as f64 / seconds);
    let stock = Encoder::load_with(folder, Computation::Stock)?;
    let (seconds, expected) = timed(1, || stock.embed(&texts, &cancel))?;
    println!("candle: {:.1} texts/s", texts.len() as f64 / seconds);
    drop(stock);
    for kernel in Kernel::available() {
        let before = resident();
        let encoder = Encoder::load_with(folder, Computation::Packed(kernel))?;
        let loaded = resident() - before;
        let (all, vectors) = timed(2, || encoder.embed(&texts, &cancel))?;
        let (one, _) = timed(1, || encoder.embed_on_this_thread(few, &cancel))?;
        let (tokens, _) = timed(1, || encoder.embed_tokens(few, &cancel))?;
        let (query, _) = timed(9, || encoder.embed(&["how is the index rebuilt"], &cancel))?;
        let cosine = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let cosines: Vec<f32> = vectors.iter().zip(&expected).map(cosine).filter(|&cosine| cosine != 0.0).collect();
        println!(
            "{kernel:?}: {:.1} texts/s, one thread {:.1}, tokens {:.1}, a query {:.2} ms, cosine to candle at least {:.6}, mean {:.6}; {:.0} MB loaded; cancelled after {:.1} ms",
            texts.len() as f64 / all,
            few.len() as f64 / one,
            few.len() as f64 / tokens,
            query * 1e3,
            cosines.iter().copied().fold(f32::INFINITY, f32::min),
            cosines.iter().sum::<f32>() / cosines.len() as f32,
            loaded,
            cancelled(&encoder, &texts).as_secs_f64() * 1e3,
        );
    }
    Ok(())
}

/// The best of so many times, in seconds, and the result.
fn timed<T>(times: usize, mut work: impl FnMut() -> rspa_ml::Result<T>) -> rspa_ml::Result<(f64, T)> {
    let start = Instant::now();
    let mut result = work()?;
    let mut best = start.elapsed();
    for _ in 1..times {
        let start = Instant::now();
        result = work()?;
        best = best.min(start.elapsed());
    }
    Ok((best.as_secs_f64(), result))
}

/// How long work that runs goes on after it was cancelled; nothing where it was faster.
fn cancelled(encoder: &Encoder, texts: &[&str]) -> Duration {
    let cancel = Cancel::new();
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let cancel = &cancel;
        scope.spawn(move || done.send(encoder.embed(texts, cancel).is_err()));
        if ended.recv_timeout(Duration::from_millis(300)).is_ok() {
            return Duration::ZERO;
        }
        let start = Instant::now();
        cancel.cancel();
        ended.recv().map_or(Duration::MAX, |_| start.elapsed())
    })
}

/// Resident memory in MB, where the system says.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()));
    pages.unwrap_or(0.0) * 4096.0 / 1e6
}
