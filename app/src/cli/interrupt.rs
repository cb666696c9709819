//! Ctrl-C and a request to terminate: the running verb ends in order; a second one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rspa_core::api::ApiError;
use rspa_core::ml::Cancel;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
}

impl Signal {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    pub fn error(self) -> ApiError {
        let mut error = ApiError::cancelled();
        error.message = match self {
            Self::Interrupt => "interrupted".to_owned(),
            Self::Terminate => "asked to terminate".to_owned(),
        };
        error.advice = "What was done until then is kept; run the command again to go on.".to_owned();
        error
    }
}

/// Clones share one state.
#[derive(Clone)]
pub struct Interrupt {
    token: CancellationToken,
    /// Stops work of the ml crate at its next safe point.
    pub cancel: Cancel,
    terminate: Arc<AtomicU8>,
}

impl Interrupt {
    /// Takes over the signals of this process.
    pub fn listen(exit_at_once: fn(i32) -> !) -> Result<Self, Failure> {
        let interrupt =
            Self { token: CancellationToken::new(), cancel: Cancel::new(), terminate: Arc::new(AtomicU8::new(0)) };
        let heard = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                let Ok(first) = next_signal().await else { return };
                heard.terminate.store(u8::from(first == Signal::Terminate), Ordering::Release);
                heard.cancel.cancel();
                heard.token.cancel();
                if let Ok(second) = next_signal().await {
                    exit_at_once(i32::from(second.exit_code()));
                }
            });
        })?;
        Ok(interrupt)
    }

    pub async fn wait(&self) -> Failure {
        self.token.cancelled().await;
        Failure::Interrupted(self.signal())
    }

    /// An error once an interrupt came.
    pub fn check(&self) -> Result<(), Failure> {
        if self.token.is_cancelled() { Err(Failure::Interrupted(self.signal())) } else { Ok(()) }
    }

    fn signal(&self) -> Signal {
        if self.terminate.load(Ordering::Acquire) == 1 { Signal::Terminate } else { Signal::Interrupt }
    }
}

#[cfg(unix)]
async fn next_signal() -> std::io::Result<Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = interrupt.recv() => Ok(Signal::Interrupt),
        _ = terminate.recv() => Ok(Signal::Terminate),
    }
}

#[cfg(not(unix))]
async fn next_signal() -> std::io::Result<Signal> {
    tokio::signal::ctrl_c().await.map(|()| Signal::Interrupt)
}
