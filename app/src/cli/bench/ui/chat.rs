//! A chat of ten thousand messages: what a frame costs while it is scrolled through, and while an answer streams at its end.

use std::sync::Arc;

use egui::{Context as Egui, Event, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, TouchPhase, vec2};
use rspa_core::api::{Event as CoreEvent, EventEnvelope};
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::model::{
    Author, Chat, ChatId, ChatSummary, Message, MessageId, MessageState, ModelChoice, ModelList, ProfileId, Versions,
};
use serde_json::json;

use super::{Context, Failure, SIZE, Stage, percentile, print};
use crate::design;
use crate::shell::Shell;
use crate::state::{AppState, CoreStatus, Page, Slot};

const MESSAGES: usize = 10_000;
/// Chats in the list beside it.
const CHATS: usize = 10_000;
/// Pieces of the answer that streams, one a frame: thirty times as fast as a quick model.
const PIECES: usize = 600;

pub fn run(context: &Context, frames: u64) -> Result<(), Failure> {
    let egui = Egui::default();
    design::install(&egui);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (state, chat, last) = state(clock.as_ref());
    let mut shell = Shell::showing(state, clock);
    let mut stage = Stage { egui, time: 0.0, triangles: 0 };
    let pointer = Event::PointerMoved(Pos2::new(SIZE[0] * 0.5, SIZE[1] * 0.4));
    // Fonts and icons are painted for the first time.
    for _ in 0..30 {
        stage.frame(&mut shell, vec![pointer.clone()]);
    }
    let (mut scrolling, mut leaping) = (Vec::new(), Vec::new());
    let mut down = false;
    for frame in 0..frames {
        context.interrupt.check()?;
        // Gently, with a fling now and then; a hundred screens at once, as a scroll bar does; at each end it turns.
        let points = match frame % 100 {
            0..70 => 60.0,
            70..95 => 240.0,
            95 => 80_000.0,
            _ => 60.0,
        };
        if frame % 4_000 == 3_999 {
            down = !down;
        }
        let scroll = Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, if down { -points } else { points }),
            modifiers: Modifiers::NONE,
            phase: TouchPhase::Move,
            source: MouseWheelSource::Trackpad,
        };
        let cost = stage.frame(&mut shell, vec![scroll]).as_secs_f64() * 1e3;
        if frame % 100 == 95 { leaping.push(cost) } else { scrolling.push(cost) }
    }
    // To the end, where an answer grows.
    let to_end = Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, -1e8),
        modifiers: Modifiers::NONE,
        phase: TouchPhase::Move,
        source: MouseWheelSource::Trackpad,
    };
    stage.frame(&mut shell, vec![to_end]);
    for _ in 0..30 {
        stage.frame(&mut shell, Vec::new());
    }
    let mut streaming = Vec::new();
    let pieces: Vec<String> = words(&answer(7).repeat(8)).into_iter().take(PIECES).collect();
    for (number, text) in pieces.iter().enumerate() {
        context.interrupt.check()?;
        let event = CoreEvent::AnswerDelta { chat, message: last, text: text.clone() };
        let envelope = EventEnvelope { number: number as u64, at: shell.state.now, profile: None, event };
        let cost = stage.frame_after(&mut shell, Vec::new(), |shell| {
            shell.state.apply(envelope);
        });
        streaming.push(cost.as_secs_f64() * 1e3);
    }
    let streamed = shell.state.open_messages().last().map_or(0, |message| message.text.len());
    if streamed < pieces.iter().map(String::len).sum() {
        return Err(Failure::system("the answer did not stream: nothing was measured", "Report this."));
    }
    drop(shell);
    let mut all: Vec<f64> = scrolling.iter().chain(&leaping).chain(&streaming).copied().collect();
    for figures in [&mut scrolling, &mut leaping, &mut streaming, &mut all] {
        figures.sort_by(f64::total_cmp);
    }
    print(
        context,
        1,
        json!({
            "bench": "ui",
            "scene": "chat",
            "messages": MESSAGES,
            "chats": CHATS,
            "frames": all.len(),
            "streamed_bytes": streamed,
            "triangles": stage.triangles,
            "cpu_ms_p50": percentile(&all, 0.50),
            "cpu_ms_p99": percentile(&all, 0.99),
            "scroll_cpu_ms_p50": percentile(&scrolling, 0.50),
            "scroll_cpu_ms_p99": percentile(&scrolling, 0.99),
            "leap_cpu_ms_p99": percentile(&leaping, 0.99),
            "stream_cpu_ms_p50": percentile(&streaming, 0.50),
            "stream_cpu_ms_p99": percentile(&streaming, 0.99),
        }),
    )
}

/// An identifier that is the same in each run.
fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(kind: u32, number: usize) -> T {
    let text = format!("{kind:08x}-0000-7000-8000-{number:012x}");
    text.parse().expect("the text has the form of an identifier")
}

/// The page with everything at hand, and the answer that will stream.
fn state(clock: &dyn Clock) -> (AppState, ChatId, MessageId) {
    let now = clock.now();
    let profile: ProfileId = id(1, 1);
    let open: ChatId = id(2, 0);
    let chats = (0..CHATS).map(|number| ChatSummary {
        chat: Chat {
            id: id(2, number),
            profile,
            title: format!("What was agreed in meeting {number}"),
            created: now,
            updated: now,
            folder: if number % 3 == 0 { format!("Folder {}", number % 12) } else { String::new() },
            pinned: number % 500 == 1,
            branched_from: None,
        },
        messages: 2,
        preview: "The notes say that the lease is renewed every thirty seconds.".to_owned(),
    });
    let mut messages: Vec<Message> = (0..MESSAGES).map(|number| message(open, number, now)).collect();
    let last = messages.last_mut().expect("there are messages");
    (last.state, last.text) = (MessageState::Streaming, String::new());
    let last = last.id;
    let mut state = AppState { core: CoreStatus::Ready, profile: Some(profile), now, ..AppState::default() };
    state.chats.list = Slot::with(chats.collect());
    state.chats.open = Some(open);
    state.chats.messages.insert(open, Slot::with(messages));
    state.models.list = Slot::with(ModelList { models: Vec::new(), unusable: Vec::new(), folders: Vec::new() });
    state.ui.welcomed = true;
    state.ui.layout.open_page(Page::Chat);
    (state, open, last)
}

fn message(chat: ChatId, number: usize, created: rspa_core::model::Timestamp) -> Message {
    let asks = number.is_multiple_of(2);
    let choice = ModelChoice {
        provider: "embedded".to_owned(),
        model: "smollm2-135m".to_owned(),
        reason: "the default model".to_owned(),
        ..ModelChoice::default()
    };
    Message {
        id: id(3, number),
        chat,
        author: if asks { Author::Person } else { Author::Model },
        text: if asks { question(number) } else { answer(number) },
        created,
        state: MessageState::Complete,
        passages: Vec::new(),
        citations: Vec::new(),
        sentences: Vec::new(),
        stats: None,
        versions: Versions::default(),
        attachments: Vec::new(),
        choice: (!asks).then_some(choice),
        context: None,
    }
}

fn question(number: usize) -> String {
    match number % 6 {
        0 => format!("What did we agree on in meeting {number}?"),
        2 => format!("And who does point {number} until when? Please name the lines of the notes that say so."),
        _ => "Show it as code, with the error cases, and say what it costs.".to_owned(),
    }
}

/// Paragraphs, lists, code, tables and mathematics by turns.
fn answer(number: usize) -> String {
    let opening = format!(
        "In meeting **{number}** it was agreed that the *lease* is renewed every thirty seconds, see `queue.rs`, and that \
         a task whose lease has expired is queued again with its attempt counted. Nobody objected."
    );
    let rest = match number % 10 {
        1 => {
            "1. The queue takes the most urgent task that is due.\n2. It leases it for a minute.\n   - The lease has a token.\n   - Only its holder may end it.\n3. Expired leases go back."
        }
        3 => {
            "```rust\n/// Takes the most urgent task that is due, and leases it.\npub fn lease(&self, now: Timestamp) -> Result<Option<Lease>> {\n    let write = self.store.write()?;\n    let Some(key) = write.due_index()?.first_before(now)? else {\n        return Ok(None);\n    };\n    let task = write.tasks()?.take(key.id)?; // one commit\n    write.commit()?;\n    Ok(Some(Lease { task, token: key.id }))\n}\n```"
        }
        5 => {
            "| step | who | until | state |\n| --- | :-- | --: | :-: |\n| write it down | Ada | 12 May | done |\n| try it with ten agents | Grace | 14 May | open |\n| measure | Edsger | 20 May | open |"
        }
        7 => {
            "> A lease is a promise with an end.\n\nThe expected wait is $E[W] = \\lambda / (\\mu (\\mu - \\lambda))$, and so\n\n$$P(W > t) = \\rho e^{-(\\mu - \\lambda) t}$$\n\nwhich [the notes](https://example.com/notes) work out."
        }
        _ => {
            "## What follows\n\nThe renewal must not wait for the disk. It is kept in memory, and the token tells a late worker that its time is over; what it still writes is refused.\n\n- [x] noted\n- [ ] tried"
        }
    };
    format!("{opening}\n\n{rest}\n\nThat is all that the notes say about it.\n")
}

/// A text in the pieces that a model would say it in.
fn words(text: &str) -> Vec<String> {
    text.split_inclusive([' ', '\n']).map(str::to_owned).collect()
}
