//! One quiet thread for everything that the local socket does, apart from the engine, which it outlives.

use std::future::Future;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

use crate::api::{ApiError, ErrorCategory};

pub(crate) struct Net {
    handle: Handle,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Net {
    pub fn start() -> Result<Self, ApiError> {
        let failed = |error: std::io::Error| {
            ApiError::new(
                ErrorCategory::System,
                format!("no thread for the local socket: {error}"),
                "Close other programs, then try again.",
            )
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("local socket".to_owned())
            .spawn(move || runtime.block_on(stopped.cancelled()))
            .map_err(failed)?;
        Ok(Self { handle, stop, thread: Some(thread) })
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs it on the thread and waits; none when it took too long. Not to be called on that thread.
    pub fn wait<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let task = self.handle.spawn(async move {
            // Nobody waits any more when it took too long.
            drop(sender.send(work.await));
        });
        let result = receiver.recv_timeout(limit).ok();
        task.abort();
        result
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the local socket ended with a panic");
        }
    }
}
