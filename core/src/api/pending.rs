//! A reply that is still being worked on: wait for it, poll it, await it, or drop it to cancel the work.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::ApiError;

/// Dropping it cancels the work: a newer question simply replaces the older one.
pub struct Pending<T> {
    receiver: oneshot::Receiver<Result<T, ApiError>>,
    _cancel_on_drop: DropGuard,
}

impl<T> Pending<T> {
    /// The reply's future end: what `sender` gets sent; `cancel` is triggered when this is dropped.
    pub fn new(receiver: oneshot::Receiver<Result<T, ApiError>>, cancel: CancellationToken) -> Self {
        Self { receiver, _cancel_on_drop: cancel.drop_guard() }
    }

    /// Blocks this thread. For commands and tests, never for a drawing thread or inside the engine's runtime.
    pub fn wait(self) -> Result<T, ApiError> {
        let Self { receiver, _cancel_on_drop } = self;
        receiver.blocking_recv().unwrap_or_else(|_closed| Err(stopped()))
    }

    /// The reply if it is there. Afterwards nothing more comes.
    pub fn poll_now(&mut self) -> Option<Result<T, ApiError>> {
        match self.receiver.try_recv() {
            Ok(reply) => Some(reply),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(stopped())),
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, ApiError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver).poll(context).map(|reply| reply.unwrap_or_else(|_closed| Err(stopped())))
    }
}

fn stopped() -> ApiError {
    ApiError::cancelled()
}
