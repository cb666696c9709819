//! `rspa bench logs`: from a change of the filter to the first screen of the log page, over generated entries.

use std::collections::BTreeMap;
use std::time::Instant;

use clap::Args;
use rspa_core::api::request::logs::ListLogs;
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::model::{LogCursor, LogFilter, LogLevel, Timestamp};
use rspa_core::observe::sample;
use serde_json::json;

use super::{Context, Failure, Throwaway, percentile, print};

#[derive(Args)]
pub struct LogsArguments {
    /// How many entries the log has
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=20_000_000))]
    count: u64,
}

/// Rows that the page asks for at once.
pub const SCREEN: u32 = 200;
const ROUNDS: usize = 20;
const SEED: u64 = 16;
const HOUR: i64 = 3_600_000;

pub fn run(context: &Context, arguments: &LogsArguments) -> Result<(), Failure> {
    let now = SystemClock.now();
    let throwaway = with_entries(context, arguments.count, now)?;
    let session = &throwaway.session;
    let mut kinds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    // The first one waits for the file to be opened.
    session.call(ListLogs { limit: SCREEN, brief: true, ..ListLogs::default() })?;
    for round in 0..ROUNDS {
        for (kind, filter) in filters(now, round) {
            context.interrupt.check()?;
            let started = Instant::now();
            let list = ListLogs { filter, cursor: LogCursor::default(), limit: SCREEN, brief: true };
            session.call(list)?;
            kinds.entry(kind).or_default().push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    let mut all: Vec<f64> = kinds.values().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let by_kind: BTreeMap<&str, f64> = kinds
        .iter_mut()
        .map(|(kind, milliseconds)| {
            milliseconds.sort_by(f64::total_cmp);
            (*kind, percentile(milliseconds, 0.95))
        })
        .collect();
    let worst = by_kind.iter().max_by(|a, b| a.1.total_cmp(b.1));
    print(
        context,
        1,
        json!({
            "bench": "logs",
            "entries": arguments.count,
            "filters": all.len(),
            "filter_ms_p50": percentile(&all, 0.50),
            "filter_ms_p95": percentile(&all, 0.95),
            "filter_ms_p99": percentile(&all, 0.99),
            "worst_kind": worst.map(|(kind, _)| *kind),
            "worst_kind_ms_p95": worst.map(|(_, milliseconds)| *milliseconds),
            "kinds_ms_p95": by_kind,
        }),
    )
}

/// A core on a data folder whose log holds generated entries, up to now.
pub fn with_entries(context: &Context, count: u64, now: Timestamp) -> Result<Throwaway, Failure> {
    let stop = || context.interrupt.check().is_err();
    let throwaway = Throwaway::start_after(context, |data| {
        let folder = data.join("logs");
        std::fs::create_dir_all(&folder)?;
        sample::fill(&folder, count, SEED, now, &stop)
            .map_err(|error| Failure::Api(rspa_core::api::ApiError::from(error)))
    });
    context.interrupt.check()?;
    throwaway
}

/// One change of each kind, a little different in each round, so that nothing of an earlier one is remembered.
fn filters(now: Timestamp, round: usize) -> Vec<(&'static str, LogFilter)> {
    let ago = |hours: i64| Some(Timestamp(now.0 - hours * HOUR - round as i64));
    let from = |least: LogLevel| LogLevel::ALL.into_iter().filter(|level| *level >= least).collect::<Vec<_>>();
    let text = |text: String| LogFilter { text, ..LogFilter::default() };
    let common = ["indexed", "files", "commit", "passages", "report"][round % 5];
    let words = ["report", "draft", "meeting", "budget", "summary", "review", "letter", "manual"];
    let target = ["rspa_core::storage", "rspa_core::trust", "wgpu_hal", "rspa_core"][round % 4];
    vec![
        ("none", LogFilter::default()),
        ("level", LogFilter { levels: from(LogLevel::ALL[2 + round % 4]), ..LogFilter::default() }),
        ("target", LogFilter { targets: vec![target.to_owned()], ..LogFilter::default() }),
        ("time", LogFilter { since: ago(30), until: ago(24), ..LogFilter::default() }),
        ("common text", text(format!("{common} {}", round % 3))),
        ("rare text", text(format!("{} {}", sample::RARE, 1 + round % 9))),
        ("absent text", text(format!("quixotic zebra {round}"))),
        // Every three letters of it are common, the whole is nowhere: nothing can be ruled out before it is read.
        ("absent text of common parts", text(format!("{0}-{1}-{0}", words[round % 8], words[(round / 8 + 3) % 8]))),
        (
            "level, target and time",
            LogFilter {
                levels: from(LogLevel::Warn),
                since: ago(72),
                targets: vec!["rspa_core::knowledge".to_owned()],
                ..LogFilter::default()
            },
        ),
        ("level and text", LogFilter { levels: from(LogLevel::Error), ..text(format!("report-draft-{:02}", round)) }),
    ]
}
