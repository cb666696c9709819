//! `rspa bench ui`: what a frame of a page costs the processor, without a window: layout and tessellation.

mod board;
mod chat;
mod crew;

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use egui::{
    Context as Egui, Event, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, RawInput, Rect, TouchPhase, vec2,
};
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::cpu_time;
use serde_json::json;

use super::{Context, Failure, logs, percentile, print};
use crate::design;
use crate::shell::Shell;
use crate::state::Page;

#[derive(Args)]
pub struct UiArguments {
    /// What is drawn
    #[arg(long, value_enum)]
    scene: Scene,
    /// Frames that are measured
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    frames: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Scene {
    /// The log page over a million entries, scrolled
    Log,
    /// The board with two thousand cards, while one of them is dragged
    Board,
    /// As the board, while ten agents run: each speaks, steps and goes on thirty times a second
    Running,
    /// A chat of ten thousand messages, scrolled through, and one answer that streams at its end
    Chat,
    /// A crew of two hundred steps: panned, dragged, run; and the graph alone with thousands of boxes
    Crew,
}

const ENTRIES: u64 = 1_000_000;
const SIZE: [f32; 2] = [1280.0, 800.0];
/// How long the page may take to have its first rows.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn run(context: &Context, arguments: &UiArguments) -> Result<(), Failure> {
    match arguments.scene {
        Scene::Log => log(context, arguments.frames),
        Scene::Board => board::run(context, arguments.frames, 0),
        Scene::Running => board::run(context, arguments.frames, 10),
        Scene::Chat => chat::run(context, arguments.frames),
        Scene::Crew => crew::run(context, arguments.frames),
    }
}

fn log(context: &Context, frames: u64) -> Result<(), Failure> {
    let throwaway = logs::with_entries(context, ENTRIES, SystemClock.now())?;
    let egui = Egui::default();
    design::install(&egui);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut shell = Shell::with_core(&egui, throwaway.session.core.clone(), clock);
    let mut stage = Stage { egui, time: 0.0, triangles: 0 };
    // The window state arrives first, then the page is opened.
    let begun = Instant::now();
    loop {
        context.interrupt.check()?;
        stage.frame(&mut shell, Vec::new());
        shell.state.ui.welcomed = true;
        if !shell.state.ui.layout.is_visible(&crate::layout::Pane::Page(Page::Logs)) {
            shell.state.ui.layout.open_page(Page::Logs);
        }
        if shell.state.pages.logs.shown.as_ref().is_some_and(|shown| shown.total >= ENTRIES) {
            break;
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::system("the log page did not get its rows in time", "Try again."));
        }
        std::thread::yield_now();
    }
    let pointer = Event::PointerMoved(Pos2::new(SIZE[0] * 0.6, SIZE[1] * 0.6));
    stage.frame(&mut shell, vec![pointer]);
    let mut milliseconds = Vec::new();
    for frame in 0..frames {
        context.interrupt.check()?;
        // Gently, then in leaps over a whole page of rows, and sometimes back.
        let points = match frame % 100 {
            0..80 => -60.0,
            80..95 => -24.0 * 300.0,
            _ => 24.0 * 150.0,
        };
        let scroll = Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, points),
            modifiers: Modifiers::NONE,
            phase: TouchPhase::Move,
            source: MouseWheelSource::Trackpad,
        };
        milliseconds.push(stage.frame(&mut shell, vec![scroll]).as_secs_f64() * 1e3);
        // At 60 frames a second the rows are there by the next one: empty rows would be measured for full ones.
        while shell.state.pages.logs.is_reading() {
            context.interrupt.check()?;
            stage.frame(&mut shell, Vec::new());
            std::thread::yield_now();
        }
        milliseconds.push(stage.frame(&mut shell, Vec::new()).as_secs_f64() * 1e3);
    }
    milliseconds.sort_by(f64::total_cmp);
    let read = shell.state.pages.logs.shown.as_ref().map_or(0, |shown| shown.pages_read());
    if read < 2 {
        return Err(Failure::system("the log page did not scroll: nothing was measured", "Report this."));
    }
    drop(shell);
    print(
        context,
        1,
        json!({
            "bench": "ui",
            "scene": "log",
            "entries": ENTRIES,
            "frames": milliseconds.len(),
            "pages_read": read,
            "triangles": stage.triangles,
            "cpu_ms_p50": percentile(&milliseconds, 0.50),
            "cpu_ms_p99": percentile(&milliseconds, 0.99),
        }),
    )
}

/// A context that draws into nothing.
struct Stage {
    egui: Egui,
    time: f64,
    /// Of the last frame.
    triangles: usize,
}

impl Stage {
    /// One frame as eframe makes it, up to what the graphics card would get; the processor time of this thread.
    fn frame(&mut self, shell: &mut Shell, events: Vec<Event>) -> Duration {
        self.frame_after(shell, events, |_| {})
    }

    /// As [`Self::frame`]; what is done to the window before it counts too.
    fn frame_after(&mut self, shell: &mut Shell, events: Vec<Event>, before: impl FnOnce(&mut Shell)) -> Duration {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE.into())),
            time: Some(self.time),
            predicted_dt: 1.0 / 60.0,
            focused: true,
            events,
            ..RawInput::default()
        };
        let (begun, cpu) = (Instant::now(), cpu_time::of_this_thread());
        before(shell);
        let mut output = self.egui.run_ui(input, |ui| {
            shell.logic(ui.ctx());
            shell.ui(ui);
        });
        let primitives = self.egui.tessellate(output.shapes, output.pixels_per_point);
        let cost = match (cpu, cpu_time::of_this_thread()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            // The time on the clock is the most that it can have cost.
            _ => begun.elapsed(),
        };
        self.triangles = primitives
            .iter()
            .map(|primitive| match &primitive.primitive {
                egui::epaint::Primitive::Mesh(mesh) => mesh.indices.len() / 3,
                egui::epaint::Primitive::Callback(_) => 0,
            })
            .sum();
        // No graphics card takes them.
        output.textures_delta.clear();
        cost
    }
}
