//! Work that nobody waits for right now: its own threads at low priority, so that the window stays quick.

use super::Context;
use crate::api::{ApiError, ErrorCategory};

impl Context {
    /// Runs `work` on a thread of its own at low priority and waits for it without blocking the engine.
    ///
    /// # Errors
    /// The error of `work`, or that it panicked.
    pub async fn background<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let own = name.to_owned();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            rspa_ml::priority::lower();
            // Whoever waited may have gone.
            drop(sender.send(crate::panics::caught_in(&own, work)));
        });
        if let Err(error) = thread {
            return Err(ApiError::new(
                ErrorCategory::System,
                format!("no thread for {name}: {error}"),
                "Close other programs, then try again.",
            ));
        }
        receiver.await.unwrap_or_else(|_panicked| {
            Err(ApiError::new(
                ErrorCategory::System,
                format!("{name} stopped because of a fault in the program"),
                "Try again; if it repeats, report it with the log.",
            ))
        })
    }
}
