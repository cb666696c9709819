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
use crate::model::{LogEntry, LogId, LogLevel, Timestamp};

/// Entries that wait for the log thread at most.
const QUEUE: usize = 8_192;
/// Bytes of one message or field that are kept.
const LONGEST: usize = 16 << 10;
/// Bytes of all texts of one entry that are kept.
const LARGEST: usize = 32 << 10;
/// Causes of an error that are kept.
const CAUSES: usize = 16;
/// Above all levels: nobody listens.
const NOTHING: u8 = LogLevel::ALL.len() as u8;

static SINKS: RwLock<Vec<Weak<Sink>>> = RwLock::new(Vec::new());
static INSTALL: Once = Once::new();
/// The least important level that any core wants, as its place in [`LogLevel::ALL`].
static LEAST: AtomicU8 = AtomicU8::new(NOTHING);

/// One core's queue.
pub(super) struct Sink {
    /// The least important level that is kept.
    level: AtomicU8,
    /// The least important level that the console shows.
    console: u8,
    dropped: AtomicU64,
    clock: Arc<dyn Clock>,
    queue: Mutex<Option<SyncSender<LogEntry>>>,
}

impl Sink {
    pub fn new(level: LogLevel, console: Option<LogLevel>, clock: Arc<dyn Clock>) -> (Arc<Self>, Receiver<LogEntry>) {
        let (sender, receiver) = sync_channel(QUEUE);
        let sink = Self {
            level: AtomicU8::new(level as u8),
            console: console.map_or(NOTHING, |level| level as u8),
            dropped: AtomicU64::new(0),
            clock,
            queue: Mutex::new(Some(sender)),
        };
        (Arc::new(sink), receiver)
    }

    pub fn set_level(&self, level: LogLevel) {
        self.level.store(level as u8, Ordering::Relaxed);
    }

    /// Whether file and table keep entries of this level.
    pub fn keeps(&self, level: LogLevel) -> bool {
        level as u8 >= self.level.load(Ordering::Relaxed)
    }

    fn least(&self) -> u8 {
        self.level.load(Ordering::Relaxed).min(self.console)
    }

    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Queues the entry, stamped with this core's time; never waits.
    pub fn put(&self, entry: &LogEntry) {
        if (entry.level as u8) < self.least() {
            return;
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queue.as_ref() {
            let entry = LogEntry { at: self.clock.now(), ..entry.clone() };
            if let Err(TrySendError::Full(_)) = queue.try_send(entry) {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A level by its name; `info` for any other text.
pub(super) fn level(name: &str) -> LogLevel {
    name.parse().unwrap_or(LogLevel::Info)
}

/// What `tracing` calls it. An error may turn out to be critical.
fn level_of(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// The most important that a call of this level can become.
fn highest_of(level: Level) -> LogLevel {
    if level == Level::ERROR { LogLevel::Critical } else { level_of(level) }
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
    let least = sinks.iter().filter_map(Weak::upgrade).map(|sink| sink.least()).min();
    LEAST.store(least.unwrap_or(NOTHING), Ordering::Relaxed);
    drop(sinks);
    tracing::callsite::rebuild_interest_cache();
}

struct HubLayer;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for HubLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        let least = LEAST.load(Ordering::Relaxed);
        // Libraries are heard when something is wrong.
        let least = if metadata.target().starts_with("rspa") { least } else { least.max(LogLevel::Warn as u8) };
        highest_of(*metadata.level()) as u8 >= least
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match LogLevel::from_index(LEAST.load(Ordering::Relaxed)) {
            None => LevelFilter::OFF,
            Some(LogLevel::Critical | LogLevel::Error) => LevelFilter::ERROR,
            Some(LogLevel::Warn) => LevelFilter::WARN,
            Some(LogLevel::Info) => LevelFilter::INFO,
            Some(LogLevel::Debug) => LevelFilter::DEBUG,
            Some(LogLevel::Trace) => LevelFilter::TRACE,
        })
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = if fields.critical { highest_of(*metadata.level()) } else { level_of(*metadata.level()) };
        let (mut names, mut function) = (Vec::new(), fields.function);
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            // A span of the same module is named for the function that it was made in.
            if !fields.named && span.metadata().module_path() == metadata.module_path() {
                span.name().clone_into(&mut function);
            }
            names.push(span.name());
        }
        let entry = LogEntry {
            id: LogId::default(),
            at: Timestamp::default(),
            level,
            target: metadata.target().to_owned(),
            module: metadata.module_path().unwrap_or_default().to_owned(),
            function,
            line: metadata.line().unwrap_or(0),
            span: names.join(" > "),
            message: redact(&fields.message),
            errors: fields.errors,
            fields: fields.others,
        };
        let sinks: Vec<_> =
            SINKS.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        for sink in sinks {
            sink.put(&entry);
        }
    }
}

/// What an event says. `critical = true` makes an error critical; `function = "…"` names the function.
#[derive(Default)]
struct Fields {
    message: String,
    errors: Vec<String>,
    others: Vec<(String, String)>,
    function: String,
    named: bool,
    critical: bool,
    bytes: usize,
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "critical" => self.critical = value,
            _ => self.add(field, format_args!("{value}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        if redact::names_a_secret(field.name()) {
            return self.add(field, format_args!(""));
        }
        let mut cause = Some(value);
        while let Some(error) = cause
            && self.errors.len() < CAUSES
        {
            let text = redact(&self.limited(format_args!("{error}")));
            self.errors.push(text);
            cause = error.source();
        }
    }
}

impl Fields {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if redact::names_a_secret(field.name()) {
            self.others.push((field.name().to_owned(), redact::HIDDEN.to_owned()));
            return;
        }
        let text = self.limited(value);
        match field.name() {
            "message" => self.message = text,
            "function" => (self.function, self.named) = (redact(&text), true),
            name => self.others.push((name.to_owned(), redact(&text))),
        }
    }

    /// The text, cut where it or the whole entry is too long.
    fn limited(&mut self, value: fmt::Arguments<'_>) -> String {
        let mut text = Limited { text: String::new(), room: LONGEST.min(LARGEST.saturating_sub(self.bytes)) };
        // Too long a text is cut; that is no error.
        text.write_fmt(value).ok();
        self.bytes += text.text.len();
        text.text
    }
}

/// A text that stops growing.
struct Limited {
    text: String,
    room: usize,
}

impl Write for Limited {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let cut = text.floor_char_boundary(self.room);
        self.text.push_str(&text[..cut]);
        self.room -= cut;
        if cut < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}
