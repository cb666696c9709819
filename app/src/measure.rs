//! Measures a real window: first frame, driver, memory, repaints while nothing happens.

use std::time::{Duration, Instant};

use egui::{Context, ViewportCommand};

use crate::shell::Shell;
use crate::state::CoreStatus;

/// What is measured, and who gets the figures.
pub struct Measure {
    /// Repaints are counted for this long after the window has come to rest.
    pub idle: Duration,
    pub report: Box<dyn FnOnce(WindowFigures) + Send>,
}

/// All in the units of their names.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct WindowFigures {
    /// From the start of the process to the end of the first frame's drawing commands.
    pub first_frame_ms: f64,
    /// From the moment the window is asked for to the moment its device is ready: the window of the desktop,
    /// the wgpu instance, surface, adapter, device and egui's render pipeline. None of it is our code.
    pub driver_ms: f64,
    /// Core's own start, which runs beside the driver's.
    pub core_ms: Option<f64>,
    /// Name and backend of the adapter.
    pub adapter: Option<String>,
    /// Resident memory at the end.
    pub rss_bytes: Option<u64>,
    /// Passes that egui made while nothing happened.
    pub idle_repaints: u64,
    pub idle_seconds: f64,
    /// Processor time of the whole process while nothing happened, in percent of one core.
    pub idle_cpu_percent: Option<f64>,
}

/// A window counts as at rest when no frame came for this long.
const REST: Duration = Duration::from_millis(1500);

pub(crate) struct Measuring {
    measure: Option<Measure>,
    process_start: Instant,
    driver: Duration,
    adapter: Option<String>,
    first_frame: Option<Duration>,
    timer_started: bool,
    frames: std::sync::Arc<std::sync::Mutex<Frames>>,
}

/// What the frames leave for the thread that waits.
#[derive(Default)]
struct Frames {
    count: u64,
    last: Option<Instant>,
    figures: Option<WindowFigures>,
    done: bool,
}

impl Measuring {
    pub(crate) fn new(measure: Measure, process_start: Instant, driver: Duration, adapter: Option<String>) -> Self {
        Self {
            measure: Some(measure),
            process_start,
            driver,
            adapter,
            first_frame: None,
            timer_started: false,
            frames: std::sync::Arc::default(),
        }
    }

    /// Notes one drawn frame.
    pub(crate) fn frame(&mut self, ctx: &Context, shell: &Shell) {
        let first = *self.first_frame.get_or_insert_with(|| self.process_start.elapsed());
        let done = {
            let mut frames = lock(&self.frames);
            frames.count += 1;
            frames.last = Some(Instant::now());
            frames.done
        };
        let ready = !matches!(shell.state.core, CoreStatus::Starting);
        if ready && !self.timer_started {
            self.timer_started = true;
            self.wait_beside(ctx);
        }
        if done && let Some(measure) = self.measure.take() {
            let figures = lock(&self.frames).figures.take();
            if let Some(mut figures) = figures {
                figures.first_frame_ms = first.as_secs_f64() * 1000.0;
                figures.driver_ms = self.driver.as_secs_f64() * 1000.0;
                figures.core_ms = shell.engine.start_took.map(|took| took.as_secs_f64() * 1000.0);
                figures.adapter = self.adapter.clone();
                (measure.report)(figures);
            }
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    /// Counts on a thread of its own, so that counting asks for no frame.
    fn wait_beside(&self, ctx: &Context) {
        let Some(idle) = self.measure.as_ref().map(|measure| measure.idle) else { return };
        let (frames, ctx) = (self.frames.clone(), ctx.clone());
        let work = move || {
            let limit = Instant::now() + Duration::from_secs(60);
            loop {
                std::thread::sleep(Duration::from_millis(100));
                let rested = lock(&frames).last.is_none_or(|last| last.elapsed() >= REST);
                if rested || Instant::now() >= limit {
                    break;
                }
            }
            let (before, cpu, begin) = (lock(&frames).count, cpu_seconds(), Instant::now());
            std::thread::sleep(idle);
            let seconds = begin.elapsed().as_secs_f64();
            let mut frames = lock(&frames);
            let cpu_after = cpu_seconds();
            frames.figures = Some(WindowFigures {
                first_frame_ms: 0.0,
                driver_ms: 0.0,
                core_ms: None,
                adapter: None,
                rss_bytes: resident_bytes(),
                idle_repaints: frames.count - before,
                idle_seconds: seconds,
                idle_cpu_percent: cpu.zip(cpu_after).map(|(a, b)| (b - a) / seconds * 100.0),
            });
            frames.done = true;
            ctx.request_repaint();
        };
        if let Err(error) = std::thread::Builder::new().name("measure".into()).spawn(work) {
            tracing::error!(%error, "the measuring thread cannot be started");
        }
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Resident set of this process; none where the system does not tell in this way.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// User and system time of this process; none where the system does not tell in this way.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    // USER_HZ is 100 on every Linux that egui runs on.
    Some(ticks as f64 / 100.0)
}
