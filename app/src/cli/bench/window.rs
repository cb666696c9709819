//! `rspa bench start` and `rspa bench idle`: a real window, measured and closed.

use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{Context, Failure, all_threads, print};
use crate::cli::window;
use crate::{Measure, WindowFigures};

#[derive(Args)]
pub struct IdleArguments {
    /// How long nothing happens
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

/// How long it takes from the start of the process to the first frame.
pub fn start(context: &Context) -> Result<(), Failure> {
    let figures = measure(context, Duration::ZERO)?;
    print(
        context,
        all_threads(),
        json!({
            "bench": "start",
            "first_frame_ms": figures.first_frame_ms,
            "driver_ms": figures.driver_ms,
            "core_ms": figures.core_ms,
            "rss_mb": megabytes(&figures),
            "adapter": figures.adapter,
        }),
    )
}

/// What a window costs in which nothing happens.
pub fn idle(context: &Context, arguments: &IdleArguments) -> Result<(), Failure> {
    let figures = measure(context, Duration::from_secs(arguments.seconds))?;
    print(
        context,
        all_threads(),
        json!({
            "bench": "idle",
            "seconds": figures.idle_seconds,
            "repaints": figures.idle_repaints,
            "cpu_s": figures.idle_cpu_percent.map(|percent| percent / 100.0 * figures.idle_seconds),
            "rss_mb": megabytes(&figures),
            "adapter": figures.adapter,
        }),
    )
}

fn megabytes(figures: &WindowFigures) -> Option<f64> {
    figures.rss_bytes.map(|bytes| bytes as f64 / 1e6)
}

/// Opens a window on a data folder of its own.
fn measure(context: &Context, idle: Duration) -> Result<WindowFigures, Failure> {
    window::check_display()?;
    let folder = tempfile::Builder::new().prefix("rspa-bench-").tempdir()?;
    let (sender, receiver) = mpsc::channel();
    let report = Box::new(move |figures| {
        sender.send(figures).unwrap_or_default();
    });
    let mut options = window::options(&context.global, context.started, Some(Measure { idle, report }));
    options.data_folder = Some(folder.path().join("data"));
    window::run(options)?;
    context.interrupt.check()?;
    receiver.try_recv().map_err(|_closed| {
        Failure::system("the window was closed before it was measured", "Leave it alone until it closes by itself.")
    })
}
