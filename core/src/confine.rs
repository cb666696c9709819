//! Commands that agents run, shut in: folders, network, processes, memory, disk and time, by what the system offers.
//!
//! On Linux the program starts itself again as a launcher (see [`launch_if_asked`]): a small process with one thread,
//! which shuts itself in and then becomes the supervisor of the command. Elsewhere commands run only where the
//! settings allow them without confinement.

#[cfg(any(not(target_os = "linux"), test))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
mod output;
#[cfg(target_os = "linux")]
mod parent;
mod policy;
mod reach;
mod report;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::{ApiError, ErrorCategory};
use crate::model::{AllowedFolder, CommandLimits};

pub use output::visible;
pub use reach::{hidden_arguments, unreachable};
pub use report::{Changes, Confinement, Ended, Layer, Limit, Outcome};
pub use serve::{End, ServeRequest, Served};

/// The first argument that makes the program a launcher; no person types it.
pub const LAUNCH: &str = "--confined-launch";

/// A command and the bounds within which it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// For `sh -c`.
    pub command: String,
    /// Where it starts: in one of the folders.
    pub folder: PathBuf,
    /// What it may read and write beside the system's programs. Real paths: no links, nothing relative.
    pub folders: Vec<AllowedFolder>,
    /// What it may never see, such as the data folder of this program.
    pub private: Vec<PathBuf>,
    pub limits: CommandLimits,
    /// It may open connections. These do not pass the program's door for outgoing requests.
    pub network: bool,
    /// Run even where it cannot be confined: with limits only.
    pub unconfined: bool,
}

/// Why a command was not started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a command cannot run in {folder}: {why}", folder = folder.display())]
    Folder { folder: PathBuf, why: &'static str },
    #[error("this computer cannot confine commands: {0}")]
    Unconfinable(String),
    #[error("the command could not be started: {0}")]
    Start(String),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let (category, advice) = match &error {
            Error::Folder { .. } => (ErrorCategory::Authorisation, "Give the agent another folder."),
            Error::Unconfinable(_) => (
                ErrorCategory::System,
                "See what rspa doctor says of commands; security.unconfined_commands lets them run with limits only.",
            ),
            Error::Start(_) => (ErrorCategory::System, "See what rspa doctor says of commands."),
        };
        Self::new(category, error.to_string(), advice)
    }
}

/// Starts commands: by this program, which is its own launcher, or by another executable of it.
#[derive(Debug)]
pub struct Runner {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no launcher elsewhere"))]
    executable: PathBuf,
    can: OnceLock<Confinement>,
}

impl Runner {
    /// By the executable of this process, also after its file was replaced.
    pub fn this_program() -> &'static Self {
        static THIS: OnceLock<Runner> = OnceLock::new();
        THIS.get_or_init(|| Self::of(PathBuf::from("/proc/self/exe")))
    }

    /// By this executable of the program.
    pub fn of(executable: PathBuf) -> Self {
        Self { executable, can: OnceLock::new() }
    }

    /// What this computer can do, found out once by a command that does nothing.
    pub fn confinement(&self) -> &Confinement {
        self.can.get_or_init(|| self.probe())
    }

    /// Runs the command to its end; blocks. All that it started is gone when this returns.
    ///
    /// # Errors
    /// When it was not started. A command that fails is an [`Outcome`].
    pub fn run(&self, request: &Request, cancel: &CancellationToken) -> Result<Outcome, Error> {
        policy::check(request)?;
        if !request.unconfined && !self.confinement().confines() {
            return Err(Error::Unconfinable(self.confinement().missing()));
        }
        self.start(request, cancel)
    }

    /// Starts a program that is talked to over its standard input and output until it ends, or what is returned is
    /// dropped: then all that it started is gone. Blocks until it runs.
    ///
    /// # Errors
    /// When it was not started.
    pub fn serve(&self, request: &ServeRequest) -> Result<Served, Error> {
        policy::check_folders(
            request.folders.iter().map(|folder| &folder.path).chain(&request.folder),
            &request.private,
        )?;
        if !request.unconfined && !self.confinement().confines() {
            return Err(Error::Unconfinable(self.confinement().missing()));
        }
        self.start_serving(request)
    }

    #[cfg(target_os = "linux")]
    fn start_serving(&self, request: &ServeRequest) -> Result<Served, Error> {
        serve::start(&self.executable, request, self.confinement())
    }

    #[cfg(not(target_os = "linux"))]
    fn start_serving(&self, request: &ServeRequest) -> Result<Served, Error> {
        elsewhere::serve(request)
    }

    #[cfg(target_os = "linux")]
    fn probe(&self) -> Confinement {
        parent::probe(&self.executable)
    }

    #[cfg(target_os = "linux")]
    fn start(&self, request: &Request, cancel: &CancellationToken) -> Result<Outcome, Error> {
        parent::run(&self.executable, request, self.confinement(), cancel)
    }

    #[cfg(not(target_os = "linux"))]
    fn probe(&self) -> Confinement {
        elsewhere::confinement()
    }

    #[cfg(not(target_os = "linux"))]
    fn start(&self, request: &Request, cancel: &CancellationToken) -> Result<Outcome, Error> {
        elsewhere::run(request, cancel)
    }
}

/// Does the launcher's work when this process was started as one, and gives what to exit with. To be called first of
/// all, while the process has one thread.
pub fn launch_if_asked() -> Option<ExitCode> {
    if std::env::args_os().nth(1).is_none_or(|argument| argument != LAUNCH) {
        return None;
    }
    #[cfg(target_os = "linux")]
    return Some(linux::launcher::main());
    #[cfg(not(target_os = "linux"))]
    return Some(ExitCode::from(2));
}

/// How long the parent waits beyond the command's own time before it ends the launcher itself.
#[cfg(target_os = "linux")]
const GRACE: Duration = Duration::from_secs(5);
