//! The page of crews with two hundred steps: what a frame costs while the graph is panned, while a step is dragged, and
//! while a run of it streams; and the graph alone with thousands of boxes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use egui::{
    Context as Egui, Event, Id, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, RawInput, Rect,
    TouchPhase, Vec2, vec2,
};
use rspa_core::api::Event as CoreEvent;
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::cpu_time;
use rspa_core::model::{
    Crew, CrewDraft, CrewProcess, CrewRun, CrewRunState, CrewRunStep, CrewStep, StepState, Timestamp,
};
use serde_json::json;

use super::{Context, Failure, SIZE, Stage, percentile, print};
use crate::design::{self, Icon};
use crate::shell::Shell;
use crate::state::pages::crews::Shown;
use crate::state::{AppState, CoreStatus, Page, Slot};
use crate::widgets::Tone;
use crate::widgets::graph::{Edge, GraphEvent, GraphView, Node, layout};

const STEPS: usize = 200;
/// Steps that run at the same time, and frames between two words of one of them.
const RUNNING: usize = 10;
const EVERY: u64 = 2;
/// Frames between two changes of the whole run.
const CHANGED: u64 = 30;

pub fn run(context: &Context, frames: u64) -> Result<(), Failure> {
    let mut figures = serde_json::Map::new();
    let mut put = |name: &str, mut milliseconds: Vec<f64>| {
        milliseconds.sort_by(f64::total_cmp);
        figures.insert(format!("{name}_cpu_ms_p50"), json!(percentile(&milliseconds, 0.50)));
        figures.insert(format!("{name}_cpu_ms_p99"), json!(percentile(&milliseconds, 0.99)));
    };
    let share = (frames / 3).max(10);
    let (pan, drag) = editor(context, share)?;
    put("pan", pan);
    put("drag", drag);
    put("live", live(context, share)?);
    for count in [2_000, 10_000] {
        let alone = alone(context, count, share)?;
        put(&format!("graph_{count}_pan"), alone.pan);
        put(&format!("graph_{count}_drag"), alone.drag);
        put(&format!("graph_{count}_whole"), alone.whole);
    }
    let mut all = json!({ "bench": "ui", "scene": "crew", "steps": STEPS, "running": RUNNING, "frames": frames });
    if let Some(all) = all.as_object_mut() {
        all.append(&mut figures);
    }
    print(context, 1, all)
}

/// Ten beside each other, each waits for three of the layer before.
fn depends(number: usize) -> Vec<String> {
    let (layer, place) = (number / 10, number % 10);
    if layer == 0 {
        return Vec::new();
    }
    [0, 3, 7].iter().map(|by| format!("s{}", (layer - 1) * 10 + (place + by) % 10)).collect()
}

fn crew() -> Crew {
    let steps = (0..STEPS).map(|number| CrewStep {
        key: format!("s{number}"),
        title: format!("Read chapter {number} and note what it says"),
        instructions: "Read {input} and write down what was agreed, with the page of each.".to_owned(),
        agent: None,
        depends_on: depends(number),
        at: None,
    });
    let settings = CrewDraft { name: "Large".to_owned(), steps: steps.collect(), ..CrewDraft::default() };
    let at = Timestamp(0);
    Crew { id: id(1), settings, runs: 1, completed: 0, last_run: None, created: at, updated: at }
}

fn id<T: std::str::FromStr>(number: usize) -> T {
    let text = format!("01890000-0000-7000-8000-{number:012}");
    text.parse().unwrap_or_else(|_| unreachable!("{text} is an id"))
}

/// Half of it is done, the next ten run.
fn going() -> CrewRun {
    let crew = crew();
    let steps = crew.settings.steps.into_iter().enumerate().map(|(number, step)| CrewRunStep {
        key: step.key,
        title: step.title,
        instructions: step.instructions,
        agent: None,
        agent_name: format!("Reader {}", number % 10),
        depends_on: step.depends_on,
        at: None,
        state: match number {
            0..100 => StepState::Completed,
            100..110 => StepState::Running,
            _ => StepState::Waiting,
        },
        task: (number < 110).then(|| id(1_000 + number)),
        output: None,
        error: None,
        started: (number < 110).then_some(Timestamp(0)),
        ended: (number < 100).then_some(Timestamp(9_000)),
    });
    CrewRun {
        id: id(7),
        number: 1,
        crew: crew.id,
        crew_name: "Large".to_owned(),
        process: CrewProcess::Sequential,
        state: CrewRunState::Running,
        input: String::new(),
        variables: BTreeMap::new(),
        folder: None,
        steps: steps.collect(),
        replay_of: None,
        offline: false,
        output: None,
        error: None,
        created: Timestamp(0),
        ended: None,
    }
}

fn shell(shown: Shown) -> (Shell, Stage) {
    let egui = Egui::default();
    design::install(&egui);
    let mut state = AppState { core: CoreStatus::Ready, ..AppState::default() };
    state.ui.welcomed = true;
    state.pages.opened(Page::Crews);
    state.pages.crews.list = Slot::with(vec![crew()]);
    state.pages.crews.agents = Slot::with(Vec::new());
    state.pages.crews.show(shown);
    state.ui.layout.open_page(Page::Crews);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    (Shell::showing(state, clock), Stage { egui, time: 0.0, triangles: 0 })
}

fn scroll(delta: Vec2) -> Event {
    Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta,
        modifiers: Modifiers::NONE,
        phase: TouchPhase::Move,
        source: MouseWheelSource::Trackpad,
    }
}

fn button(pos: Pos2, pressed: bool) -> Event {
    Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE }
}

/// To and fro over the whole graph.
fn pan(frame: u64) -> Vec2 {
    let way = if (frame / 120).is_multiple_of(2) { -1.0 } else { 1.0 };
    vec2(28.0, 9.0) * way
}

fn editor(context: &Context, frames: u64) -> Result<(Vec<f64>, Vec<f64>), Failure> {
    let (mut shell, mut stage) = shell(Shown::Crew(id(1)));
    let middle = Pos2::new(SIZE[0] * 0.6, SIZE[1] * 0.5);
    for _ in 0..5 {
        stage.frame(&mut shell, vec![Event::PointerMoved(middle)]);
    }
    let mut panning = Vec::new();
    for frame in 0..frames {
        context.interrupt.check()?;
        panning.push(stage.frame(&mut shell, vec![scroll(pan(frame))]).as_secs_f64() * 1e3);
    }
    // A box of the first layer is found, taken and carried about.
    let (mut shell, mut stage) = self::shell(Shown::Crew(id(1)));
    for _ in 0..5 {
        stage.frame(&mut shell, vec![Event::PointerMoved(middle)]);
    }
    let mut from = Pos2::new(SIZE[0] * 0.4, 100.0);
    while !shell.state.pages.crews.unsaved && from.y < SIZE[1] - 60.0 {
        from.y += 20.0;
        for event in [Event::PointerMoved(from), button(from, true), Event::PointerMoved(from + vec2(0.0, 9.0))] {
            stage.frame(&mut shell, vec![event]);
        }
        stage.frame(&mut shell, vec![button(from + vec2(0.0, 9.0), false)]);
        stage.frame(&mut shell, Vec::new());
    }
    if !shell.state.pages.crews.unsaved {
        return Err(Failure::system("no step was moved: nothing was measured", "Report this."));
    }
    // It went down with the pointer.
    from.y += 9.0;
    for event in [Event::PointerMoved(from), Event::PointerMoved(from), button(from, true)] {
        stage.frame(&mut shell, vec![event]);
    }
    let mut dragging = Vec::new();
    for frame in 0..frames {
        context.interrupt.check()?;
        let turn = frame as f32 / 40.0;
        let at = middle + vec2(turn.cos() * 260.0, turn.sin() * 200.0);
        dragging.push(stage.frame(&mut shell, vec![Event::PointerMoved(at)]).as_secs_f64() * 1e3);
    }
    Ok((panning, dragging))
}

fn live(context: &Context, frames: u64) -> Result<Vec<f64>, Failure> {
    let run = going();
    let (mut shell, mut stage) = shell(Shown::Run(run.id));
    shell.state.pages.hear(&CoreEvent::CrewRunChanged { run: Box::new(run.clone()) });
    let middle = Pos2::new(SIZE[0] * 0.6, SIZE[1] * 0.3);
    for _ in 0..5 {
        stage.frame(&mut shell, vec![Event::PointerMoved(middle)]);
    }
    let before = shell.state.pages.crews.words;
    let mut milliseconds = Vec::new();
    for frame in 0..frames {
        context.interrupt.check()?;
        let heard = |shell: &mut Shell| {
            for step in (0..RUNNING as u64).filter(|step| (frame + step).is_multiple_of(EVERY)) {
                let task = Some(id(1_100 + step as usize));
                let text = " and what was agreed".to_owned();
                shell.state.pages.hear(&CoreEvent::RunText { run: id(9), task, text });
            }
            if frame.is_multiple_of(CHANGED) {
                let mut run = run.clone();
                run.steps[100 + (frame / CHANGED) as usize % RUNNING].agent_name = format!("Reader {frame}");
                shell.state.pages.hear(&CoreEvent::CrewRunChanged { run: Box::new(run) });
            }
        };
        let cost = stage.frame_after(&mut shell, vec![scroll(pan(frame))], heard);
        milliseconds.push(cost.as_secs_f64() * 1e3);
    }
    if shell.state.pages.crews.words == before {
        return Err(Failure::system("nothing was streamed: nothing was measured", "Report this."));
    }
    Ok(milliseconds)
}

struct Alone {
    pan: Vec<f64>,
    drag: Vec<f64>,
    /// All of it in view, moved to and fro.
    whole: Vec<f64>,
}

/// The widget by itself, in the whole window.
fn alone(context: &Context, count: usize, frames: u64) -> Result<Alone, Failure> {
    let egui = Egui::default();
    design::install(&egui);
    let edges: Vec<(usize, usize)> =
        (40..count).flat_map(|to| [0, 7].map(|by| ((to / 40 - 1) * 40 + (to % 40 + by) % 40, to))).collect();
    let nodes = (0..count).map(|number| Node {
        title: format!("Read chapter {number}"),
        detail: "Reader".to_owned(),
        right: format!("{number}"),
        icon: Icon::Robot,
        tone: [Tone::Ok, Tone::Neutral, Tone::Accent, Tone::Warn][number % 4],
        strong: number % 9 == 0,
        name: format!("Step Read chapter {number}"),
    });
    let mut view = GraphView::default();
    let places = layout::places(count, &edges);
    let lines = edges.iter().map(|(from, to)| Edge { from: *from, to: *to, tone: Tone::Neutral }).collect();
    view.set(nodes.collect(), lines, places);
    let mut time = 0.0;
    let mut moved = false;
    let mut frame = |view: &mut GraphView, events: Vec<Event>| {
        time += 1.0 / 60.0;
        let rect = Rect::from_min_size(Pos2::ZERO, SIZE.into());
        let input = RawInput {
            screen_rect: Some(rect),
            time: Some(time),
            predicted_dt: 1.0 / 60.0,
            focused: true,
            events,
            ..RawInput::default()
        };
        let (begun, cpu) = (Instant::now(), cpu_time::of_this_thread());
        let mut output = egui.run_ui(input, |ui| {
            let events = view.show(ui, Id::unique("alone"), rect, "Graph", true);
            moved |= events.iter().any(|event| matches!(event, GraphEvent::Moved(..)));
        });
        egui.tessellate(output.shapes, output.pixels_per_point);
        output.textures_delta.clear();
        let cost = match (cpu, cpu_time::of_this_thread()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => begun.elapsed(),
        };
        cost.as_secs_f64() * 1e3
    };
    let middle = Pos2::new(SIZE[0] / 2.0, SIZE[1] / 2.0);
    for _ in 0..5 {
        frame(&mut view, vec![Event::PointerMoved(middle)]);
    }
    let mut result = Alone { pan: Vec::new(), drag: Vec::new(), whole: Vec::new() };
    for number in 0..frames {
        context.interrupt.check()?;
        result.pan.push(frame(&mut view, vec![scroll(pan(number))]));
    }
    view.fit();
    frame(&mut view, vec![Event::PointerMoved(middle)]);
    // The first box stands in the upper left corner when all of it does not fit.
    let from = view.screen_of(0).center();
    for event in [Event::PointerMoved(from), Event::PointerMoved(from), button(from, true)] {
        frame(&mut view, vec![event]);
    }
    for number in 0..frames {
        context.interrupt.check()?;
        let turn = number as f32 / 40.0;
        let at = middle + vec2(turn.cos() * 300.0, turn.sin() * 240.0);
        result.drag.push(frame(&mut view, vec![Event::PointerMoved(at)]));
    }
    frame(&mut view, vec![button(middle, false)]);
    frame(&mut view, Vec::new());
    view.fit_all();
    for number in 0..frames {
        context.interrupt.check()?;
        result.whole.push(frame(&mut view, vec![scroll(vec2(if number % 2 == 0 { 6.0 } else { -6.0 }, 0.0))]));
    }
    if !moved {
        return Err(Failure::system("no box was moved: nothing was measured", "Report this."));
    }
    Ok(result)
}
