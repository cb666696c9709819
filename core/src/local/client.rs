//! The client's side: greets the owner, sends requests, matches replies, passes events on, and notices the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::frame;
use super::message::{FromClient, FromOwner, Greeting, Hello, Refusal, Refused, Welcome};
use super::net::Net;
use super::place::Place;
use super::transport;
use crate::api::{ApiError, ErrorCategory, Event, Heard, Parcel};
use crate::engine::Events;
use crate::model::ProfileId;

/// How long an owner may take to greet.
const GREETING: Duration = Duration::from_secs(5);
/// Frames that wait to be written.
const OUTGOING: usize = 4096;

/// Why there is no connection.
pub(crate) enum NoOwner {
    /// Nobody listens (yet, or any more).
    Nobody,
    /// The owner is there and ends.
    Leaving,
    /// Trying again does not help.
    Refused(ApiError),
}

/// What was waiting for replies when a connection ended.
#[derive(Default)]
pub(crate) struct Lost {
    /// In the order in which it was asked: not begun, or may be done twice.
    pub again: Vec<Parcel>,
    /// Nobody knows whether it was done.
    pub unknown: Vec<Parcel>,
    /// The owner said that it leaves.
    pub told: bool,
}

/// Called once when the connection has ended and was not closed from here.
pub(crate) type OnLost = Box<dyn FnOnce(Lost) + Send>;

/// A connection to the owner of the data folder.
pub(crate) struct Client {
    pub welcome: Welcome,
    pub events: Events,
    out: mpsc::Sender<FromClient>,
    state: Arc<Mutex<State>>,
    signals: watch::Receiver<Signals>,
    net: tokio::runtime::Handle,
    /// Ends the connection when dropped.
    closing: DropGuard,
}

struct State {
    /// None once the connection has ended.
    waiting: Option<HashMap<u64, Waiting>>,
    last: u64,
    profile: ProfileId,
    on_lost: Option<OnLost>,
}

struct Waiting {
    parcel: Parcel,
    /// The owner may have read it.
    sent: bool,
    /// Ends the watch over the caller's cancellation.
    _done: DropGuard,
}

/// What the owner said about the folder and the window.
#[derive(Clone, Default)]
struct Signals {
    raised: bool,
    /// What it is busy with, when it has said so since the greeting.
    busy: Option<Vec<String>>,
    released: bool,
    ended: bool,
}

impl Client {
    /// Connects and greets; events come from now on into `events`.
    pub fn connect(net: &Net, place: &Place, hello: Hello, events: Events) -> Result<Self, NoOwner> {
        let place = place.clone();
        let handle = net.handle().clone();
        let greeted = net.wait(GREETING * 2, async move {
            let stream = transport::connect(&place).await.map_err(|error| {
                NoOwner::Refused(ApiError::new(
                    ErrorCategory::Storage,
                    format!("the rspa that uses this data folder cannot be reached: {error}"),
                    "Close its window or stop that command, then try again.",
                ))
            })?;
            let Some(stream) = stream else { return Err(NoOwner::Nobody) };
            let (mut reader, mut writer) = tokio::io::split(stream);
            let bytes = frame::encode(&hello).map_err(|error| strange(&error.to_string()))?;
            // It may be ending at this moment; then there is nobody.
            if writer.write_all(&bytes).await.is_err() {
                return Err(NoOwner::Nobody);
            }
            match tokio::time::timeout(GREETING, frame::read::<Greeting>(&mut reader)).await {
                Ok(Ok(Some(Greeting::Welcome(welcome)))) => Ok((reader, writer, welcome)),
                Ok(Ok(Some(Greeting::Refused(refused)))) => Err(refused_in_words(&refused)),
                Ok(Ok(None) | Err(frame::FrameError::Io(_))) => Err(NoOwner::Nobody),
                Ok(Err(error)) => Err(strange(&error.to_string())),
                Err(_late) => Err(strange("it does not greet")),
            }
        });
        let (reader, writer, welcome) = greeted.unwrap_or_else(|| Err(strange("it does not answer")))?;
        let closing = CancellationToken::new();
        let (out, outgoing) = mpsc::channel(OUTGOING);
        let (signal, signals) = watch::channel(Signals::default());
        let state = State { waiting: Some(HashMap::new()), last: 0, profile: welcome.profile, on_lost: None };
        let state = Arc::new(Mutex::new(state));
        handle.spawn(write_all(writer, outgoing, state.clone(), closing.clone()));
        handle.spawn(read_all(reader, state.clone(), events.clone(), signal, closing.clone()));
        let client = Self { welcome, events, out, state, signals, net: handle, closing: closing.drop_guard() };
        Ok(client)
    }

    /// Wants events from now on, and `on_lost` called at the end. The end may have come already.
    pub fn stay(&self, on_lost: OnLost) {
        self.send(FromClient::Subscribe);
        let ended = {
            let mut state = lock(&self.state);
            if state.waiting.is_some() {
                state.on_lost = Some(on_lost);
                None
            } else {
                Some(on_lost)
            }
        };
        if let Some(on_lost) = ended {
            on_lost(Lost::default());
        }
    }

    /// The profile that the person works in, as far as was heard.
    pub fn profile(&self) -> ProfileId {
        lock(&self.state).profile
    }

    /// Sends a request; gives it back when the connection has ended. Never waits.
    pub fn carry(&self, parcel: Parcel) -> Option<Parcel> {
        let done = CancellationToken::new();
        let (cancelled, profile, request) = (parcel.cancel.clone(), parcel.profile, parcel.request.clone());
        let id = {
            let mut state = lock(&self.state);
            state.last += 1;
            let id = state.last;
            let Some(waiting) = &mut state.waiting else { return Some(parcel) };
            waiting.insert(id, Waiting { parcel, sent: false, _done: done.clone().drop_guard() });
            id
        };
        match self.out.try_send(FromClient::Call { id, profile, request }) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                if let Some(waiting) = take(&self.state, id) {
                    waiting.parcel.answer(Err(ApiError::new(
                        ErrorCategory::Processing,
                        "too many requests wait for the rspa that uses this data folder",
                        "Wait a moment, then try again.",
                    )));
                }
                return None;
            }
            // The owner reads no more. What it said last may still have to be read; then this is handed back.
            Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
        let (state, out) = (self.state.clone(), self.out.clone());
        self.net.spawn(async move {
            tokio::select! {
                () = done.cancelled() => {}
                () = cancelled.cancelled() => {
                    if take(&state, id).is_some() {
                        // With the connection gone, nothing runs any more.
                        drop(out.send(FromClient::Cancel { id }).await);
                    }
                }
            }
        });
        None
    }

    /// False when the connection has ended or too much waits.
    fn send(&self, message: FromClient) -> bool {
        self.out.try_send(message).is_ok()
    }

    /// Asks a window to come to the front; false when it did not say that it does.
    pub fn raise(&self, net: &Net, limit: Duration) -> bool {
        self.send(FromClient::Raise) && self.wait(net, limit, |signals| signals.raised)
    }

    /// Asks for the data folder.
    pub fn take_over(&self) {
        self.send(FromClient::TakeOver);
    }

    /// Waits until the owner has closed the data folder, or has gone; false when neither happened in this time.
    pub fn released(&self, net: &Net, limit: Duration) -> bool {
        self.wait(net, limit, |signals| signals.released || signals.ended)
    }

    /// What the owner does that must not be cut off.
    pub fn busy(&self) -> Vec<String> {
        self.signals.borrow().busy.clone().unwrap_or_else(|| self.welcome.busy.clone())
    }

    fn wait(&self, net: &Net, limit: Duration, fits: fn(&Signals) -> bool) -> bool {
        let mut signals = self.signals.clone();
        net.wait(limit, async move { signals.wait_for(fits).await.is_ok() }).unwrap_or(false)
    }

    /// Ends the connection; what waits is answered with an error, and nobody is told that it was lost.
    pub fn close(self) {
        let waiting = {
            let mut state = lock(&self.state);
            state.on_lost = None;
            state.waiting.take()
        };
        // Not under the lock: whoever waits is told by this.
        drop(waiting);
        drop(self.closing);
        self.events.close();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(state: &Mutex<State>, id: u64) -> Option<Waiting> {
    lock(state).waiting.as_mut()?.remove(&id)
}

fn strange(what: &str) -> NoOwner {
    NoOwner::Refused(ApiError::new(
        ErrorCategory::Storage,
        format!("another rspa uses this data folder and cannot be understood: {what}"),
        "Close its window or stop that command, then try again; make sure that both are the same version.",
    ))
}

fn refused_in_words(refused: &Refused) -> NoOwner {
    let (own, other) = (env!("CARGO_PKG_VERSION"), &refused.version);
    let (message, advice) = match refused.why {
        Refusal::ClientTooOld => (
            format!("the rspa that uses this data folder is newer ({other}, this one is {own})"),
            "Update this rspa, or close the other one.",
        ),
        Refusal::ClientTooNew => (
            format!("the rspa that uses this data folder is older ({other}, this one is {own})"),
            "Close the other one and update it; this one can then use the data folder.",
        ),
        Refusal::Leaving => return NoOwner::Leaving,
        Refusal::Busy => {
            ("too many processes use this data folder already".to_owned(), "End some of them, then try again.")
        }
    };
    NoOwner::Refused(ApiError::new(ErrorCategory::Storage, message, advice))
}

async fn write_all(
    mut writer: impl AsyncWrite + Unpin,
    mut outgoing: mpsc::Receiver<FromClient>,
    state: Arc<Mutex<State>>,
    closing: CancellationToken,
) {
    loop {
        let message = tokio::select! {
            () = closing.cancelled() => return,
            message = outgoing.recv() => message,
        };
        let Some(message) = message else { return };
        let written = match frame::encode(&message) {
            Ok(bytes) => tokio::select! {
                () = closing.cancelled() => return,
                written = writer.write_all(&bytes) => written,
            },
            Err(error) => {
                let FromClient::Call { id, .. } = message else { continue };
                if let Some(waiting) = take(&state, id) {
                    waiting.parcel.answer(Err(ApiError::validation(
                        format!("the request cannot be sent: {error}"),
                        "Ask for less at once.",
                    )));
                }
                continue;
            }
        };
        match (written, message) {
            // A frame that was not written whole is never read as one.
            (Ok(()), FromClient::Call { id, .. }) => {
                if let Some(waiting) = lock(&state).waiting.as_mut().and_then(|waiting| waiting.get_mut(&id)) {
                    waiting.sent = true;
                }
            }
            (Ok(()), _) => {}
            // The owner has closed its end; the reader reads what it said last.
            (Err(error), _) => {
                return tracing::debug!(%error, "the owner of the data folder cannot be written to");
            }
        }
    }
}

async fn read_all(
    mut reader: impl AsyncRead + Unpin,
    state: Arc<Mutex<State>>,
    events: Events,
    signal: watch::Sender<Signals>,
    closing: CancellationToken,
) {
    let mut left = None;
    loop {
        let message = tokio::select! {
            () = closing.cancelled() => break,
            message = frame::read::<FromOwner>(&mut reader) => message,
        };
        match message {
            Ok(Some(FromOwner::Reply { id, result })) => {
                if let Some(waiting) = take(&state, id) {
                    waiting.parcel.answer(result);
                }
            }
            Ok(Some(FromOwner::Event(envelope))) => {
                if let Event::ProfileSwitched { profile } = envelope.event {
                    lock(&state).profile = profile;
                }
                // The owner ends; whether this core ends with it is decided here.
                if envelope.event != Event::ShuttingDown {
                    events.relay(Heard::Event(envelope));
                }
            }
            Ok(Some(FromOwner::Gap(lost))) => events.relay(Heard::Gap(lost)),
            Ok(Some(FromOwner::Raised)) => signal.send_modify(|signals| signals.raised = true),
            Ok(Some(FromOwner::BusyWith(busy))) => signal.send_modify(|signals| signals.busy = Some(busy)),
            Ok(Some(FromOwner::Leaving { unfinished })) => {
                left = Some(unfinished);
                break;
            }
            Ok(Some(FromOwner::Released)) => signal.send_modify(|signals| signals.released = true),
            Ok(None) => break,
            Err(error) => {
                tracing::debug!(%error, "the connection to the owner of the data folder ended");
                break;
            }
        }
    }
    signal.send_modify(|signals| signals.ended = true);
    closing.cancel();
    let (waiting, on_lost) = {
        let mut state = lock(&state);
        (state.waiting.take(), state.on_lost.take())
    };
    if let Some(on_lost) = on_lost {
        on_lost(sort(waiting.unwrap_or_default(), left.as_deref()));
    }
}

/// `left` is what the owner named as unfinished when it left; none when it was cut off.
fn sort(waiting: HashMap<u64, Waiting>, left: Option<&[u64]>) -> Lost {
    let mut waiting: Vec<_> = waiting.into_iter().collect();
    waiting.sort_unstable_by_key(|(id, _)| *id);
    let (unknown, again): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(id, waiting)| {
        let begun = left.map_or(waiting.sent, |unfinished| unfinished.contains(id));
        begun && !waiting.parcel.request.repeatable()
    });
    let parcels = |list: Vec<(u64, Waiting)>| list.into_iter().map(|(_, waiting)| waiting.parcel).collect();
    Lost { again: parcels(again), unknown: parcels(unknown), told: left.is_some() }
}
