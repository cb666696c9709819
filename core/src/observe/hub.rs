//! The process-wide receiver of `tracing` events: turns each into an entry and puts it into the queue of every core.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, Once, PoisonError, RwLock, Weak};

use tracing::field::{Field, Visit};
use tracing::metadata::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::redact;
use crate::clock::Clock;
use crate::storage::logs::LogRow;

/// Entries that wait for the log thread at most.
const QUEUE: usize = 8_192;
/// Bytes of one message or field that are kept.
const LONGEST: usize = 16 << 10;

static SINKS: RwLock<Vec<Weak<Sink>>> = RwLock::new(Vec::new());
static INSTALL: Once = Once::new();
/// The most talkative level that any core wants, as in `level_number`.
static MOST: AtomicU8 = AtomicU8::new(0);

/// One core's queue.
pub(super) struct Sink {
    /// The least important level that is kept.
    level: AtomicU8,
    /// The least important level that the console shows; 0 for none.
    console: u8,
    dropped: AtomicU64,
    clock: Arc<dyn Clock>,
    queue: Mutex<Option<SyncSender<(Level, LogRow)>>>,
}

impl Sink {
    pub fn new(level: Level, console: Option<Level>, clock: Arc<dyn Clock>) -> (Arc<Self>, Receiver<(Level, LogRow)>) {
        let (sender, receiver) = sync_channel(QUEUE);
        let sink = Self {
            level: AtomicU8::new(level_number(level)),
            console: console.map_or(0, level_number),
            dropped: AtomicU64::new(0),
            clock,
            queue: Mutex::new(Some(sender)),
        };
        (Arc::new(sink), receiver)
    }

    pub fn set_level(&self, level: Level) {
        self.level.store(level_number(level), Ordering::Relaxed);
    }

    /// Whether file and table keep entries of this level.
    pub fn keeps(&self, level: Level) -> bool {
        level_number(level) <= self.level.load(Ordering::Relaxed)
    }

    fn most(&self) -> u8 {
        self.level.load(Ordering::Relaxed).max(self.console)
    }

    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Queues the entry, stamped with this core's time; never waits.
    pub fn put(&self, level: Level, row: &LogRow) {
        if level_number(level) > self.most() {
            return;
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queue.as_ref() {
            let row = LogRow { at: self.clock.now().0, ..row.clone() };
            if let Err(TrySendError::Full(_)) = queue.try_send((level, row)) {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A level by its name; `info` for any other text.
pub(super) fn level(name: &str) -> Level {
    name.parse().unwrap_or(Level::INFO)
}

/// 1 for errors to 5 for traces.
fn level_number(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

pub(super) fn add(sink: &Arc<Sink>) {
    SINKS.write().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(sink));
    INSTALL.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(HubLayer);
        // A program that has its own receiver keeps it.
        tracing::subscriber::set_global_default(subscriber).ok();
    });
    levels_changed();
}

pub(super) fn levels_changed() {
    let mut sinks = SINKS.write().unwrap_or_else(PoisonError::into_inner);
    sinks.retain(|sink| sink.strong_count() > 0);
    let most = sinks.iter().filter_map(Weak::upgrade).map(|sink| sink.most()).max();
    MOST.store(most.unwrap_or(0), Ordering::Relaxed);
    drop(sinks);
    tracing::callsite::rebuild_interest_cache();
}

struct HubLayer;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for HubLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        let most = MOST.load(Ordering::Relaxed);
        // Libraries are heard when something is wrong.
        let most = if metadata.target().starts_with("rspa") { most } else { most.min(2) };
        level_number(*metadata.level()) <= most
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match MOST.load(Ordering::Relaxed) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let spans = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        let row = LogRow {
            at: 0,
            level: metadata.level().to_string(),
            target: metadata.target().to_owned(),
            module: metadata.module_path().unwrap_or_default().to_owned(),
            line: metadata.line().unwrap_or(0),
            span: spans.map(|span| span.name()).collect::<Vec<_>>().join(" > "),
            message: redact(&fields.message),
            fields: fields.others,
        };
        let sinks: Vec<_> =
            SINKS.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        for sink in sinks {
            sink.put(*metadata.level(), &row);
        }
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(String, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut chain = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            chain = format!("{chain}: {error}");
            cause = error.source();
        }
        self.add(field, format_args!("{chain}"));
    }
}

impl Fields {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut text = Limited::default();
        // Too long a text is cut; that is no error.
        text.write_fmt(value).ok();
        if field.name() == "message" {
            self.message = text.0;
        } else if redact::names_a_secret(field.name()) {
            self.others.push((field.name().to_owned(), redact::HIDDEN.to_owned()));
        } else {
            self.others.push((field.name().to_owned(), redact(&text.0)));
        }
    }
}

/// A text that stops growing.
#[derive(Default)]
struct Limited(String);

impl Write for Limited {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        let cut = text.floor_char_boundary(room);
        self.0.push_str(&text[..cut]);
        if cut < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}
