//! The board with two thousand cards: what a frame costs while one of them is dragged through them, and while it scrolls;
//! if wanted, while agents run.

use std::sync::Arc;
use std::time::Instant;

use egui::{
    Context as Egui, Event, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, TouchPhase, vec2,
};
use rspa_core::api::Event as CoreEvent;
use rspa_core::api::request::tasks::{CreateTasks, ListTasks};
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::model::{
    BoardColumn, PageRequest, Priority, RunId, RunStep, StepKind, Task, TaskDraft, TaskFilter, TaskProgress, TaskSort,
    TaskStatus,
};
use serde_json::json;

use super::{Context, Failure, PATIENCE, SIZE, Stage, percentile, print};
use crate::cli::bench::Throwaway;
use crate::design;
use crate::layout::Pane;
use crate::shell::Shell;
use crate::state::Page;
use crate::state::pages::tasks::MOST_CARDS;

const CARDS: u64 = 2_000;
/// Tasks that are made in one commit.
const AT_ONCE: u64 = 1_000;
/// Frames of one drag, from the press to the release.
const DRAG: u64 = 120;
/// Where cards of the first and of the second column lie.
const BACKLOG: Pos2 = Pos2::new(260.0, 300.0);
const QUEUED: Pos2 = Pos2::new(470.0, 300.0);

/// Frames a second, and how often in a second a run that streams is heard of.
const RATE: usize = 60;
const TOLD: usize = 30;

pub fn run(context: &Context, frames: u64, agents: usize) -> Result<(), Failure> {
    let throwaway = Throwaway::start(context)?;
    fill(context, &throwaway)?;
    let egui = Egui::default();
    design::install(&egui);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut shell = Shell::with_core(&egui, throwaway.session.core.clone(), clock);
    let mut stage = Stage { egui, time: 0.0, triangles: 0 };
    open(context, &mut stage, &mut shell)?;
    let mut runs = Runs::of(&shell, agents);
    let (mut dragging, mut scrolling) = (Vec::new(), Vec::new());
    let mut moved = 0_u64;
    let mut before = order(&shell);
    while ((dragging.len() + scrolling.len()) as u64) < frames {
        context.interrupt.check()?;
        drag(&mut stage, &mut shell, &mut runs, &mut dragging);
        settle(context, &mut stage, &mut shell)?;
        let now = order(&shell);
        moved += u64::from(now != before);
        before = now;
        for points in [-60.0; 24].into_iter().chain([900.0; 6]) {
            let scroll = Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta: vec2(0.0, points),
                modifiers: Modifiers::NONE,
                phase: TouchPhase::Move,
                source: MouseWheelSource::Trackpad,
            };
            let cost = stage.frame_after(&mut shell, vec![scroll], |shell| runs.go_on(shell));
            scrolling.push(cost.as_secs_f64() * 1e3);
        }
    }
    if moved == 0 {
        return Err(Failure::system("no card was moved: nothing was measured", "Report this."));
    }
    drop(shell);
    dragging.sort_by(f64::total_cmp);
    scrolling.sort_by(f64::total_cmp);
    print(
        context,
        1,
        json!({
            "bench": "ui",
            "scene": if agents > 0 { "running" } else { "board" },
            "cards": CARDS,
            "agents": agents,
            "events": runs.told,
            "frames": dragging.len() + scrolling.len(),
            "drags_that_moved": moved,
            "triangles": stage.triangles,
            "drag_cpu_ms_p50": percentile(&dragging, 0.50),
            "drag_cpu_ms_p99": percentile(&dragging, 0.99),
            "scroll_cpu_ms_p50": percentile(&scrolling, 0.50),
            "scroll_cpu_ms_p99": percentile(&scrolling, 0.99),
        }),
    )
}

/// Runs that go on, as core would tell of them.
struct Runs {
    tasks: Vec<Task>,
    turn: usize,
    /// Events in all.
    told: u64,
}

impl Runs {
    /// Of the first cards of the board.
    fn of(shell: &Shell, agents: usize) -> Self {
        let cards = shell.state.pages.tasks.cards.iter().flat_map(|cards| &cards.columns);
        let mut tasks: Vec<Task> = cards.flat_map(|content| &content.tasks).take(agents).cloned().collect();
        for task in &mut tasks {
            (task.status, task.column, task.waits) = (TaskStatus::Running, BoardColumn::Running, None);
        }
        Self { tasks, turn: 0, told: 0 }
    }

    /// What is heard within one frame.
    fn go_on(&mut self, shell: &mut Shell) {
        for _ in 0..self.tasks.len() * TOLD / RATE {
            let place = self.turn % self.tasks.len();
            let step = (self.turn / self.tasks.len()) as u32;
            self.turn += 1;
            let task = &mut self.tasks[place];
            let doing = format!("reads page {step} of the notes");
            task.progress = Some(TaskProgress { step: step % 40, most: 40, doing });
            let run = RunId(task.id.0);
            let kind = StepKind::Answer { text: format!("Passage {step} says what was agreed.") };
            let step = Box::new(RunStep { index: step, at: task.updated, ms: 20, kind });
            for event in [
                CoreEvent::RunText { run, task: Some(task.id), text: " and what was agreed".to_owned() },
                CoreEvent::RunStepped { run, task: Some(task.id), step },
                CoreEvent::TaskChanged { task: Box::new(task.clone()) },
            ] {
                shell.state.pages.hear(&event);
                self.told += 1;
            }
        }
    }
}

/// Half of them are held back, half wait for the person to do them: nothing runs while it is measured.
fn fill(context: &Context, throwaway: &Throwaway) -> Result<(), Failure> {
    let priorities = [Priority::Low, Priority::Medium, Priority::High, Priority::Urgent];
    let mut made = 0;
    while made < CARDS {
        context.interrupt.check()?;
        let drafts = (made..made + AT_ONCE).map(|number| TaskDraft {
            held: number % 2 == 0,
            priority: priorities[(number % 4) as usize],
            labels: vec![format!("label {}", number % 7)],
            ..TaskDraft::new(None, format!("Read the notes of meeting {number} and write down what was agreed"))
        });
        throwaway.session.call(CreateTasks { drafts: drafts.collect() })?;
        made += AT_ONCE;
    }
    let page = PageRequest { offset: 0, limit: 1 };
    let list = ListTasks { filter: TaskFilter::default(), sort: TaskSort::Created, page };
    let total = throwaway.session.call(list)?.total;
    if total != CARDS {
        return Err(Failure::system(format!("{total} tasks were made instead of {CARDS}"), "Report this."));
    }
    Ok(())
}

/// Opens the page and waits until all cards are at hand.
fn open(context: &Context, stage: &mut Stage, shell: &mut Shell) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        context.interrupt.check()?;
        stage.frame(shell, Vec::new());
        shell.state.ui.welcomed = true;
        if !shell.state.ui.layout.is_visible(&Pane::Page(Page::Tasks)) {
            shell.state.ui.layout.open_page(Page::Tasks);
        }
        shell.state.pages.tasks.need_cards(MOST_CARDS);
        if order(shell).len() as u64 == CARDS && !shell.state.pages.tasks.is_reading() {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::system("the board did not get its cards in time", "Try again."));
        }
        std::thread::yield_now();
    }
}

/// The cards as they stand on the board.
fn order(shell: &Shell) -> Vec<(BoardColumn, u64)> {
    let columns = shell.state.pages.tasks.cards.iter().flat_map(|cards| &cards.columns);
    columns.flat_map(|content| content.tasks.iter().map(|task| (content.column, task.number))).collect()
}

/// Takes a card, carries it down over the edge, so that the column scrolls, into the other column, and lets it go.
fn drag(stage: &mut Stage, shell: &mut Shell, runs: &mut Runs, milliseconds: &mut Vec<f64>) {
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    stage.frame(shell, vec![Event::PointerMoved(BACKLOG)]);
    stage.frame(shell, vec![button(BACKLOG, true)]);
    for frame in 0..DRAG {
        let share = frame as f32 / DRAG as f32;
        let way = (QUEUED - BACKLOG) * share;
        let down = vec2(0.0, (SIZE[1] - 30.0 - BACKLOG.y) * (share * std::f32::consts::PI).sin());
        let event = Event::PointerMoved(BACKLOG + way + down);
        let cost = stage.frame_after(shell, vec![event], |shell| runs.go_on(shell));
        milliseconds.push(cost.as_secs_f64() * 1e3);
    }
    stage.frame(shell, vec![button(QUEUED, false)]);
}

/// Waits until core has answered to the move.
fn settle(context: &Context, stage: &mut Stage, shell: &mut Shell) -> Result<(), Failure> {
    for _ in 0..10 {
        context.interrupt.check()?;
        stage.frame(shell, Vec::new());
        std::thread::yield_now();
    }
    while shell.state.pages.tasks.is_reading() {
        context.interrupt.check()?;
        stage.frame(shell, Vec::new());
        std::thread::yield_now();
    }
    Ok(())
}
