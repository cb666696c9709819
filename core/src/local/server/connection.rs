//! One connection of a client: greeting, requests, cancellations, events; all bounded, ended by the first bad frame.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{Counted, Door, Gate, Taker};
use crate::api::{ApiError, Asker, ErrorCategory, Guard, Heard, Origin, Parcel, Request, Response};
use crate::local::frame::{self, FrameError};
use crate::local::message::{FromClient, FromOwner, Greeting, Hello, Refusal, Refused, Welcome};
use crate::local::transport::Accepted;
use crate::local::{MAGIC, PROTOCOL, process};
use crate::model::ProfileId;

/// How long a client may take for its greeting.
const GREETING: Duration = Duration::from_secs(5);
/// How long the writing of one frame may take: a client that reads nothing is let go.
const WRITING: Duration = Duration::from_secs(30);
/// Requests of one client that may run at the same time.
const AT_ONCE: usize = 256;
/// Frames that wait to be written.
const OUTGOING: usize = 64;
/// How long replies that are on their way are waited for when the owner leaves.
const REPLIES: Duration = Duration::from_secs(2);

/// A frame; none after the last one.
type Frame = Option<Vec<u8>>;

/// Greets, then serves until the client goes, sends what is no frame, or `stop` ends it.
pub(super) async fn serve(accepted: Accepted, door: &Door, room: bool) {
    let (mut reader, mut writer) = tokio::io::split(accepted.stream);
    let greeting = tokio::select! {
        () = door.stop.cancelled() => return,
        greeting = tokio::time::timeout(GREETING, frame::read::<Hello>(&mut reader)) => greeting,
    };
    let hello = match greeting {
        Ok(Ok(Some(hello))) if hello.magic == MAGIC => hello,
        Ok(Ok(None)) => return,
        Ok(Ok(Some(_stranger))) => return tracing::warn!("a stranger spoke on the local socket"),
        Ok(Err(error)) => return tracing::warn!(%error, "a client of the local socket did not greet"),
        Err(_late) => return tracing::warn!("a client of the local socket said nothing"),
    };
    let Some(strong) = door.owner.upgrade() else { return };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut counted = None;
    let why = refusal(&hello, room).or_else(|| {
        counted = door.enter();
        counted.is_none().then_some(Refusal::Leaving)
    });
    let greeting = match why {
        Some(why) => Greeting::Refused(Refused { protocol: PROTOCOL, version, why }),
        None => Greeting::Welcome(Welcome {
            protocol: PROTOCOL,
            version,
            role: strong.role(),
            pid: std::process::id(),
            profile: strong.profile(),
            busy: strong.busy(),
            models_path: strong.models_path(),
        }),
    };
    drop(strong);
    let refused = matches!(greeting, Greeting::Refused(_));
    if let Err(error) = write(&mut writer, &greeting).await {
        return tracing::debug!(%error, "a client went before it was greeted");
    }
    if refused {
        return;
    }
    let who = process::describe(&hello, accepted.pid);
    tracing::debug!(%who, version = hello.version, "a process uses the data folder through this one");
    let (out, outgoing) = mpsc::channel(OUTGOING);
    let ended = CancellationToken::new();
    let connection = Connection {
        door: door.clone(),
        asker: Arc::new(Asker { who }),
        profile: hello.profile,
        out,
        ended: ended.clone(),
        running: Arc::default(),
        replied: Arc::default(),
        places: Arc::new(Semaphore::new(AT_ONCE)),
    };
    let guard = ended.clone().drop_guard();
    let mut writing = tokio::spawn(write_all(writer, outgoing, ended.clone()));
    let result = connection.read_all(reader, counted).await;
    let mut written = None;
    match result {
        Ok(Some(counted)) => {
            let parting = async {
                connection.part().await;
                (&mut writing).await
            };
            tokio::select! {
                end = parting => written = Some(end),
                () = door.stop.cancelled() => {}
            }
            drop(counted);
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a connection of the local socket was closed"),
    }
    drop(guard);
    drop(connection);
    let written = match written {
        Some(written) => written,
        None => writing.await,
    };
    if let Err(error) = written {
        tracing::error!(%error, "the writer of a connection stopped unexpectedly");
    }
}

fn refusal(hello: &Hello, room: bool) -> Option<Refusal> {
    match hello.protocol.cmp(&PROTOCOL) {
        std::cmp::Ordering::Less => Some(Refusal::ClientTooOld),
        std::cmp::Ordering::Greater => Some(Refusal::ClientTooNew),
        std::cmp::Ordering::Equal => (!room).then_some(Refusal::Busy),
    }
}

/// A request that was begun and not answered yet.
struct Run {
    cancel: CancellationToken,
    /// The last words wait for its reply: it must not be done twice, or the person was asked about it.
    waited_for: bool,
}

/// The requests that run, by number.
type Running = Arc<Mutex<HashMap<u64, Run>>>;

/// A request that waits for the gate.
struct Held {
    id: u64,
    profile: Option<ProfileId>,
    request: Request,
}

struct Connection {
    door: Door,
    asker: Arc<Asker>,
    profile: Option<ProfileId>,
    out: mpsc::Sender<Frame>,
    /// Triggered at the end of this connection: the parent of all that runs for it.
    ended: CancellationToken,
    running: Running,
    /// Told of each reply.
    replied: Arc<Notify>,
    places: Arc<Semaphore>,
}

/// Reading cannot be broken off within a frame: the reader comes back with the message.
async fn read_next<R: AsyncRead + Unpin>(mut reader: R) -> (R, Result<Option<FromClient>, FrameError>) {
    let message = frame::read::<FromClient>(&mut reader).await;
    (reader, message)
}

impl Connection {
    /// Gives the place among the clients back when the owner leaves: then the client must be told.
    async fn read_all(
        &self,
        reader: impl AsyncRead + Unpin,
        counted: Option<Counted>,
    ) -> Result<Option<Counted>, FrameError> {
        // None for a window that takes the folder over: it is told when that is released, after all others have gone.
        let mut counted = counted;
        let mut subscribed = false;
        let mut gate = self.door.gate.subscribe();
        let mut held: VecDeque<Held> = VecDeque::new();
        let mut reading = Box::pin(read_next(reader));
        loop {
            let (reader, message) = tokio::select! {
                biased;
                () = self.ended.cancelled() => return Ok(None),
                () = self.door.stop.cancelled(), if counted.is_some() => return Ok(None),
                // The gate goes with the server, which stops then.
                Ok(()) = gate.changed() => {
                    let now = *gate.borrow_and_update();
                    if now == Gate::Leaving && counted.is_some() {
                        return Ok(counted);
                    }
                    while now == Gate::Open
                        && let Some(next) = held.pop_front()
                    {
                        if let Some(again) = self.call(next).await? {
                            held.push_front(again);
                            break;
                        }
                    }
                    continue;
                }
                read = &mut reading => read,
            };
            let Some(message) = message? else { return Ok(None) };
            reading = Box::pin(read_next(reader));
            let Some(owner) = self.door.owner.upgrade() else { return Ok(None) };
            match message {
                FromClient::Call { id, profile, request } => {
                    let next = Held { id, profile, request };
                    // What waits keeps its order.
                    let waits = if held.is_empty() { self.call(next).await? } else { Some(next) };
                    match waits {
                        Some(Held { id, .. }) if held.len() >= AT_ONCE => {
                            self.send(&FromOwner::Reply { id, result: Err(too_many()) }).await;
                        }
                        Some(next) => held.push_back(next),
                        None => {}
                    }
                }
                FromClient::Cancel { id } => {
                    held.retain(|waits| waits.id != id);
                    if let Some(run) = lock(&self.running).get(&id) {
                        run.cancel.cancel();
                    }
                }
                FromClient::Subscribe if !subscribed => {
                    subscribed = true;
                    tokio::spawn(send_events(owner.subscribe(), self.out.clone(), self.ended.clone()));
                }
                FromClient::Raise => {
                    owner.window_wanted();
                    self.send(&FromOwner::Raised).await;
                }
                FromClient::TakeOver if counted.is_some() => {
                    let (released, wait) = oneshot::channel();
                    let (busy, told) = watch::channel(owner.busy());
                    if !owner.hand_over(Taker { released, busy, done: self.ended.clone() }) {
                        return Ok(None);
                    }
                    counted = None;
                    tokio::spawn(tell_taker(self.out.clone(), self.ended.clone(), told, wait));
                }
                FromClient::Subscribe | FromClient::TakeOver => {
                    return Err(FrameError::Malformed("it was asked twice".to_owned()));
                }
            }
        }
    }

    /// Begins a request; gives it back while the gate is not open.
    async fn call(&self, held: Held) -> Result<Option<Held>, FrameError> {
        let id = held.id;
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            self.send(&FromOwner::Reply { id, result: Err(too_many()) }).await;
            return Ok(None);
        };
        let Some(owner) = self.door.owner.upgrade() else { return Ok(None) };
        let (sender, receiver) = oneshot::channel();
        {
            // Held until the owner has it: whoever pauses waits for this.
            let gate = self.door.gate.borrow();
            if *gate != Gate::Open {
                return Ok(Some(held));
            }
            let cancel = self.ended.child_token();
            let waited_for = !held.request.repeatable() || held.request.guard() != Guard::Open;
            let run = Run { cancel: cancel.clone(), waited_for };
            if lock(&self.running).insert(id, run).is_some() {
                return Err(FrameError::Malformed(format!("request {id} was sent twice")));
            }
            owner.carry(Parcel::new(
                held.profile.or(self.profile),
                held.request,
                Origin::Socket(self.asker.clone()),
                cancel,
                // A client that has gone needs no reply.
                move |result: Result<Response, ApiError>| drop(sender.send(result)),
            ));
        }
        let (out, running, replied) = (self.out.clone(), self.running.clone(), self.replied.clone());
        tokio::spawn(async move {
            let result = receiver.await.unwrap_or_else(|_dropped| Err(ApiError::cancelled()));
            send(&out, &FromOwner::Reply { id, result }).await;
            lock(&running).remove(&id);
            replied.notify_one();
            drop(place);
        });
        Ok(None)
    }

    /// The last words, after the replies that are on their way.
    async fn part(&self) {
        let unfinished = || -> Vec<u64> {
            let running = lock(&self.running);
            running.iter().filter(|(_, run)| run.waited_for).map(|(id, _)| *id).collect()
        };
        let replies = async {
            while !unfinished().is_empty() {
                self.replied.notified().await;
            }
        };
        if tokio::time::timeout(REPLIES, replies).await.is_err() {
            tracing::warn!("a request of a client is cut off by the end of this process");
        }
        self.send(&FromOwner::Leaving { unfinished: unfinished() }).await;
        // The writer has gone with its client.
        drop(self.out.send(None).await);
    }

    async fn send(&self, message: &FromOwner) {
        send(&self.out, message).await;
    }
}

/// Tells a window what it waits for, and when the folder is free.
async fn tell_taker(
    out: mpsc::Sender<Frame>,
    ended: CancellationToken,
    mut busy: watch::Receiver<Vec<String>>,
    mut released: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            biased;
            released = &mut released => {
                return match released {
                    Ok(()) => send(&out, &FromOwner::Released).await,
                    Err(_not_released) => ended.cancel(),
                };
            }
            () = ended.cancelled() => return,
            Ok(()) = busy.changed() => {
                let busy = busy.borrow_and_update().clone();
                send(&out, &FromOwner::BusyWith(busy)).await;
            }
        }
    }
}

fn lock(running: &Running) -> std::sync::MutexGuard<'_, HashMap<u64, Run>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_many() -> ApiError {
    ApiError::new(
        ErrorCategory::Processing,
        format!("more than {AT_ONCE} requests of one process run already"),
        "Wait for some of them, then try again.",
    )
}

/// Events to this client only as fast as it reads; what it misses meanwhile becomes a gap.
async fn send_events(mut subscription: crate::api::Subscription, out: mpsc::Sender<Frame>, ended: CancellationToken) {
    loop {
        let heard = tokio::select! {
            () = ended.cancelled() => return,
            heard = subscription.recv() => heard,
        };
        match heard {
            Heard::Event(envelope) => send(&out, &FromOwner::Event(envelope)).await,
            Heard::Gap(lost) => send(&out, &FromOwner::Gap(lost)).await,
            Heard::Closed => return,
        }
    }
}

/// A message that does not fit into a frame becomes an error of its request.
async fn send(out: &mpsc::Sender<Frame>, message: &FromOwner) {
    let bytes = frame::encode(message).or_else(|error| {
        tracing::warn!(%error, "a message does not go through the local socket");
        match message {
            FromOwner::Reply { id, .. } => frame::encode(&FromOwner::Reply {
                id: *id,
                result: Err(ApiError::new(
                    ErrorCategory::Processing,
                    format!("the reply cannot be sent: {error}"),
                    "Ask for less at once.",
                )),
            }),
            _ => Err(error),
        }
    });
    if let Ok(bytes) = bytes {
        // The writer has gone with its client.
        drop(out.send(Some(bytes)).await);
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> Result<(), FrameError> {
    let bytes = frame::encode(message)?;
    match tokio::time::timeout(WRITING, writer.write_all(&bytes)).await {
        Ok(written) => Ok(written?),
        Err(_late) => Err(FrameError::Io(std::io::Error::from(std::io::ErrorKind::TimedOut))),
    }
}

async fn write_all(mut writer: impl AsyncWrite + Unpin, mut outgoing: mpsc::Receiver<Frame>, ended: CancellationToken) {
    loop {
        let bytes = tokio::select! {
            biased;
            bytes = outgoing.recv() => bytes,
            () = ended.cancelled() => return,
        };
        let Some(Some(bytes)) = bytes else { return };
        let written = tokio::select! {
            written = tokio::time::timeout(WRITING, writer.write_all(&bytes)) => written,
            () = ended.cancelled() => return,
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "a client of the local socket has gone");
                return ended.cancel();
            }
            Err(_late) => {
                tracing::warn!("a client of the local socket reads nothing; its connection is closed");
                return ended.cancel();
            }
        }
    }
}
