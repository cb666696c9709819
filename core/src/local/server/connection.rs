//! One connection of a client: greeting, requests, cancellations, events; all bounded, ended by the first bad frame.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Owner, Taker};
use crate::api::{ApiError, Asker, ErrorCategory, Heard, Origin, Parcel, Request, Response};
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

/// Greets, then serves until the client goes, sends what is no frame, or `stop` ends it.
pub(super) async fn serve(accepted: Accepted, owner: &Weak<dyn Owner>, room: bool, stop: CancellationToken) {
    let (mut reader, mut writer) = tokio::io::split(accepted.stream);
    let greeting = tokio::select! {
        () = stop.cancelled() => return,
        greeting = tokio::time::timeout(GREETING, frame::read::<Hello>(&mut reader)) => greeting,
    };
    let hello = match greeting {
        Ok(Ok(Some(hello))) if hello.magic == MAGIC => hello,
        Ok(Ok(None)) => return,
        Ok(Ok(Some(_stranger))) => return tracing::warn!("a stranger spoke on the local socket"),
        Ok(Err(error)) => return tracing::warn!(%error, "a client of the local socket did not greet"),
        Err(_late) => return tracing::warn!("a client of the local socket said nothing"),
    };
    let Some(strong) = owner.upgrade() else { return };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let greeting = match refusal(&hello, room) {
        Some(why) => Greeting::Refused(Refused { protocol: PROTOCOL, version, why }),
        None => Greeting::Welcome(Welcome {
            protocol: PROTOCOL,
            version,
            role: strong.role(),
            pid: std::process::id(),
            profile: strong.profile(),
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
        owner: owner.clone(),
        asker: Arc::new(Asker { who }),
        profile: hello.profile,
        out,
        ended: ended.clone(),
        running: Arc::default(),
        places: Arc::new(Semaphore::new(AT_ONCE)),
    };
    let guard = ended.clone().drop_guard();
    let writing = tokio::spawn(write_all(writer, outgoing, ended.clone()));
    let result = connection.read_all(&mut reader, &stop).await;
    drop(guard);
    drop(connection);
    if let Err(error) = result {
        tracing::warn!(%error, "a connection of the local socket was closed");
    }
    if let Err(error) = writing.await {
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

/// The requests that run, by number.
type Running = Arc<Mutex<HashMap<u64, CancellationToken>>>;

struct Connection {
    owner: Weak<dyn Owner>,
    asker: Arc<Asker>,
    profile: Option<ProfileId>,
    out: mpsc::Sender<Vec<u8>>,
    /// Triggered at the end of this connection: the parent of all that runs for it.
    ended: CancellationToken,
    running: Running,
    places: Arc<Semaphore>,
}

impl Connection {
    async fn read_all(
        &self,
        reader: &mut (impl tokio::io::AsyncRead + Unpin),
        stop: &CancellationToken,
    ) -> Result<(), FrameError> {
        let mut taking = false;
        let mut subscribed = false;
        loop {
            let message = tokio::select! {
                () = self.ended.cancelled() => return Ok(()),
                // A window that takes the folder over is told when it is released, after everybody else has gone.
                () = stop.cancelled(), if !taking => return Ok(()),
                message = frame::read::<FromClient>(reader) => message?,
            };
            let Some(message) = message else { return Ok(()) };
            let Some(owner) = self.owner.upgrade() else { return Ok(()) };
            match message {
                FromClient::Call { id, profile, request } => self.call(&*owner, id, profile, request).await?,
                FromClient::Cancel { id } => {
                    if let Some(token) = lock(&self.running).get(&id) {
                        token.cancel();
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
                FromClient::TakeOver if !taking => {
                    let (released, wait) = oneshot::channel();
                    taking = owner.hand_over(Taker { released, done: self.ended.clone() });
                    if !taking {
                        return Ok(());
                    }
                    let (out, ended) = (self.out.clone(), self.ended.clone());
                    tokio::spawn(async move {
                        match wait.await {
                            Ok(()) => send(&out, &FromOwner::Released).await,
                            Err(_not_released) => ended.cancel(),
                        }
                    });
                }
                FromClient::Subscribe | FromClient::TakeOver => {
                    return Err(FrameError::Malformed("it was asked twice".to_owned()));
                }
            }
        }
    }

    async fn call(
        &self,
        owner: &dyn Owner,
        id: u64,
        profile: Option<ProfileId>,
        request: Request,
    ) -> Result<(), FrameError> {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            self.send(&FromOwner::Reply { id, result: Err(too_many()) }).await;
            return Ok(());
        };
        let cancel = self.ended.child_token();
        if lock(&self.running).insert(id, cancel.clone()).is_some() {
            return Err(FrameError::Malformed(format!("request {id} was sent twice")));
        }
        let (sender, receiver) = oneshot::channel();
        owner.carry(Parcel::new(
            profile.or(self.profile),
            request,
            Origin::Socket(self.asker.clone()),
            cancel,
            // A client that has gone needs no reply.
            move |result: Result<Response, ApiError>| drop(sender.send(result)),
        ));
        let (out, running) = (self.out.clone(), self.running.clone());
        tokio::spawn(async move {
            let result = receiver.await.unwrap_or_else(|_dropped| Err(ApiError::cancelled()));
            lock(&running).remove(&id);
            send(&out, &FromOwner::Reply { id, result }).await;
            drop(place);
        });
        Ok(())
    }

    async fn send(&self, message: &FromOwner) {
        send(&self.out, message).await;
    }
}

fn lock(running: &Running) -> std::sync::MutexGuard<'_, HashMap<u64, CancellationToken>> {
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
async fn send_events(mut subscription: crate::api::Subscription, out: mpsc::Sender<Vec<u8>>, ended: CancellationToken) {
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
async fn send(out: &mpsc::Sender<Vec<u8>>, message: &FromOwner) {
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
        drop(out.send(bytes).await);
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> Result<(), FrameError> {
    let bytes = frame::encode(message)?;
    match tokio::time::timeout(WRITING, writer.write_all(&bytes)).await {
        Ok(written) => Ok(written?),
        Err(_late) => Err(FrameError::Io(std::io::Error::from(std::io::ErrorKind::TimedOut))),
    }
}

async fn write_all(
    mut writer: impl AsyncWrite + Unpin,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
    ended: CancellationToken,
) {
    loop {
        let bytes = tokio::select! {
            biased;
            bytes = outgoing.recv() => bytes,
            () = ended.cancelled() => return,
        };
        let Some(bytes) = bytes else { return };
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
