//! Ctrl-C, a request to terminate, a terminal that is gone: the running verb ends in order; a second one ends the process at once.

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
    Hangup,
}

impl Signal {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
        }
    }

    pub fn error(self) -> ApiError {
        let mut error = ApiError::cancelled();
        error.message = match self {
            Self::Interrupt => "interrupted".to_owned(),
            Self::Terminate => "asked to terminate".to_owned(),
            Self::Hangup => "the terminal is gone".to_owned(),
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
    /// The code of the first signal.
    code: Arc<AtomicU8>,
}

impl Interrupt {
    /// Takes over the signals of this process.
    pub fn listen(exit_at_once: fn(i32) -> !) -> Result<Self, Failure> {
        let interrupt =
            Self { token: CancellationToken::new(), cancel: Cancel::new(), code: Arc::new(AtomicU8::new(0)) };
        let heard = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut signals = runtime.block_on(async { Signals::register() })?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                let first = signals.next().await;
                heard.code.store(first.exit_code(), Ordering::Release);
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
        let code = self.code.load(Ordering::Acquire);
        [Signal::Terminate, Signal::Hangup]
            .into_iter()
            .find(|signal| signal.exit_code() == code)
            .unwrap_or(Signal::Interrupt)
    }
}

/// The signals that end this process, taken over from the moment of registering.
struct Signals {
    interrupt: Source,
    #[cfg(unix)]
    terminate: Source,
    /// None when it is ignored.
    #[cfg(unix)]
    hangup: Option<Source>,
}

#[cfg(unix)]
type Source = tokio::signal::unix::Signal;
#[cfg(not(unix))]
type Source = tokio::signal::windows::CtrlC;

#[cfg(unix)]
impl Signals {
    fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = if is_ignored(libc::SIGHUP) { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hangup })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            Some(()) = received(&mut self.hangup) => Signal::Hangup,
        }
    }
}

/// Never, when there is nothing to receive from.
#[cfg(unix)]
async fn received(source: &mut Option<Source>) -> Option<()> {
    match source {
        Some(source) => source.recv().await,
        None => std::future::pending().await,
    }
}

/// `nohup` starts programs with the hang-up ignored; then it stays so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the call changes nothing and fills the one struct that it is given.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: the struct is read only if the call succeeded, and then it is filled.
    result == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
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
