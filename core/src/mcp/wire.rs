//! The line to a server as the protocol sees it, held to what a peaceful server would send.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use rmcp::RoleClient;
use rmcp::model::JsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::{StreamableHttpClientTransport, Transport};
use tokio::io::{DuplexStream, ReadHalf, WriteHalf};
use tokio::time::Instant;

use super::http::Door;

/// Bytes of one message.
pub const LARGEST_MESSAGE: usize = 16 << 20;
/// Messages that are taken in a second; those that come faster wait in the pipe.
const PER_SECOND: u32 = 5_000;
/// What the server asks of us costs so many messages: each is answered, and logged.
const COST_OF_REQUEST: u32 = 100;
/// Questions of the server whose answers it has not taken: then it does not read, and the line is closed.
const MOST_OPEN: usize = 64;
/// What is on its way in a pipe.
const IN_THE_PIPE: usize = 64 << 10;

/// Why a line was closed, first word wins.
#[derive(Default)]
pub struct Why(Mutex<String>);

impl Why {
    pub fn set(&self, why: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_empty() {
            why.clone_into(&mut kept);
        }
    }

    pub fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

enum Way {
    Pipe(AsyncRwTransport<RoleClient, ReadHalf<DuplexStream>, WriteHalf<DuplexStream>>),
    Http(StreamableHttpClientTransport<Door>),
}

/// A message could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SendError(String);

/// One line to one server.
pub struct Wire {
    way: Way,
    why: Arc<Why>,
    open: Arc<AtomicUsize>,
    since: Instant,
    taken: u32,
}

impl Wire {
    fn new(way: Way) -> Self {
        Self { way, why: Arc::default(), open: Arc::default(), since: Instant::now(), taken: 0 }
    }

    /// Over a pipe; what is returned too is its other end.
    pub fn pipe() -> (Self, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(IN_THE_PIPE);
        let (read, write) = tokio::io::split(ours);
        let transport = AsyncRwTransport::new(read, write).with_max_line_length(LARGEST_MESSAGE);
        (Self::new(Way::Pipe(transport)), theirs)
    }

    pub(super) fn http(transport: StreamableHttpClientTransport<Door>) -> Self {
        Self::new(Way::Http(transport))
    }

    /// Why it was closed from this side.
    pub fn why(&self) -> Arc<Why> {
        self.why.clone()
    }
}

impl Transport<RoleClient> for Wire {
    type Error = SendError;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), SendError>> + Send + 'static {
        let answers = matches!(item, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_));
        let open = self.open.clone();
        let send: BoxFuture<'static, Result<(), SendError>> = match &mut self.way {
            Way::Pipe(pipe) => {
                let send = pipe.send(item);
                Box::pin(async move { send.await.map_err(|error| SendError(error.to_string())) })
            }
            Way::Http(http) => {
                let send = http.send(item);
                Box::pin(async move { send.await.map_err(|error| SendError(error.to_string())) })
            }
        };
        let why = self.why.clone();
        async move {
            let sent = send.await;
            if answers {
                open.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |open| Some(open.saturating_sub(1))).ok();
            }
            if let Err(error) = &sent {
                why.set(&format!("a message could not be sent: {error}"));
            }
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        // Nothing is taken before the wait is over: a wait that is broken off loses nothing.
        if self.taken >= PER_SECOND {
            tokio::time::sleep_until(self.since + Duration::from_secs(1)).await;
        }
        if self.since.elapsed() >= Duration::from_secs(1) {
            (self.since, self.taken) = (Instant::now(), 0);
        }
        let message = match &mut self.way {
            Way::Pipe(pipe) => pipe.receive().await,
            Way::Http(http) => http.receive().await,
        }?;
        self.taken += 1;
        if matches!(message, JsonRpcMessage::Request(_)) {
            self.taken += COST_OF_REQUEST;
            if self.open.fetch_add(1, Ordering::SeqCst) >= MOST_OPEN {
                self.why.set("it asks and asks, and does not read the answers");
                return None;
            }
        }
        Some(message)
    }

    async fn close(&mut self) -> Result<(), SendError> {
        match &mut self.way {
            Way::Pipe(pipe) => pipe.close().await.map_err(|error| SendError(error.to_string())),
            Way::Http(http) => http.close().await.map_err(|error| SendError(error.to_string())),
        }
    }
}
