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
        let mut signals = runtime.block_on(async { Signals::register() })?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                let first = signals.next().await;
                heard.terminate.store(u8::from(first == Signal::Terminate), Ordering::Release);
                heard.cancel.cancel();
                heard.token.cancel();
                exit_at_once(i32::from(signals.next().await.exit_code()));
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

/// The signals that end this process, taken over from the moment of registering.
struct Signals {
    interrupt: Source,
    #[cfg(unix)]
    terminate: Source,
}

#[cfg(unix)]
type Source = tokio::signal::unix::Signal;
#[cfg(not(unix))]
type Source = tokio::signal::windows::CtrlC;

#[cfg(unix)]
impl Signals {
    fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn register() -> std::io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) -> Signal {
        self.interrupt.recv().await;
        Signal::Interrupt
    }
}
