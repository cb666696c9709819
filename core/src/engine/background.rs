//! Work that nobody waits for right now: its own threads at low priority, so that the window stays quick.

use super::Context;
use crate::api::{ApiError, ErrorCategory};

/// Makes the calling thread yield to others (nice 10 on Linux; elsewhere it stays as it is).
pub fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: a plain system call without pointers; 0 names the calling thread. Failure leaves the priority as it is.
        let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
        if result != 0 {
            tracing::debug!("the priority of a background thread could not be lowered");
        }
    }
}

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
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            lower_priority();
            // Whoever waited may have gone.
            drop(sender.send(work()));
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
