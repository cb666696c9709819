//! The side of this program: starts the launcher, takes the output, and keeps the promise of an end.

use std::fs;
use std::io::{self, BufRead, BufReader, PipeReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::policy::{self, Policy, Way};
use super::report::{Changes, Confinement, Ended, Limit, Message, Outcome, layer};
use super::{Error, GRACE, LAUNCH, Request};
use crate::model::{AllowedFolder, CommandLimits};

/// Between two looks at whether the command shall stop.
const LOOK: Duration = Duration::from_millis(20);

/// One line of the launcher is never longer.
pub(super) const LINE: u64 = 1 << 20;

/// What a launcher said before any command began.
pub(super) struct Refused {
    pub step: String,
    pub why: String,
}

/// Finds out by running a command that does nothing, from the strongest way down to the weakest.
pub fn probe(executable: &Path) -> Confinement {
    let mut found = Confinement::default();
    let place = match Temporary::new() {
        Ok(place) => place,
        Err(error) => {
            found.set(layer::SECCOMP, false, format!("no temporary folder can be made: {error}"));
            return found;
        }
    };
    let request = Request {
        command: ":".to_owned(),
        folder: place.0.clone(),
        folders: vec![AllowedFolder { path: place.0.clone(), write: true }],
        private: Vec::new(),
        limits: CommandLimits { seconds: 20, ..CommandLimits::default() },
        network: false,
        unconfined: false,
    };
    let mut missing: Vec<(&str, String)> = Vec::new();
    for way in [Way::Apart, Way::Within, Way::Plain] {
        match attempt(executable, &request, way, false, &CancellationToken::new()) {
            Ok(outcome) => {
                found = outcome.confinement;
                break;
            }
            Err(refused) => {
                let name = match way {
                    Way::Apart => layer::DISK,
                    Way::Within => layer::NAMESPACES,
                    Way::Plain => layer::LANDLOCK,
                };
                missing.push((name, format!("{}: {}", refused.step, refused.why)));
            }
        }
    }
    // What stood in the way of the stronger ones says more than "not used".
    for (name, why) in missing {
        if !found.has(name) {
            found.set(name, false, why);
        }
    }
    found
}

/// Runs it in the strongest way that works for its folders.
pub fn run(
    executable: &Path,
    request: &Request,
    can: &Confinement,
    cancel: &CancellationToken,
) -> Result<Outcome, Error> {
    let ways: &[Way] = match (can.has(layer::NAMESPACES), can.has(layer::DISK)) {
        _ if !can.confines() => &[Way::Plain],
        (true, true) => &[Way::Apart, Way::Within],
        (true, false) => &[Way::Within],
        (false, _) => &[Way::Plain],
    };
    let mut last = None;
    for way in ways {
        match attempt(executable, request, *way, request.unconfined && !can.confines(), cancel) {
            Ok(outcome) => return Ok(outcome),
            Err(refused) => last = Some(refused),
        }
    }
    Err(Error::Start(last.map_or_else(String::new, |refused| format!("{}: {}", refused.step, refused.why))))
}

fn attempt(
    executable: &Path,
    request: &Request,
    way: Way,
    unconfined: bool,
    cancel: &CancellationToken,
) -> Result<Outcome, Refused> {
    let temporary = match way {
        Way::Plain => Some(Temporary::new().map_err(refused("making a temporary folder"))?),
        Way::Apart | Way::Within => None,
    };
    let home = temporary.as_ref().map_or(Path::new("/tmp"), |folder| &folder.0);
    let policy = Policy {
        way,
        command: request.command.clone(),
        program: Vec::new(),
        folder: request.folder.clone(),
        folders: policy::ordered(&request.folders),
        temporary: home.to_owned(),
        limits: request.limits,
        network: request.network,
        unconfined,
        environment: policy::environment(home, |name| std::env::var(name).ok()),
    };
    Running::start(executable, &policy)?.watch(&request.limits, cancel)
}

pub(super) fn refused<E: std::fmt::Display>(step: &str) -> impl FnOnce(E) -> Refused {
    move |why| Refused { step: step.to_owned(), why: why.to_string() }
}

enum Event {
    Output(Vec<u8>),
    Said(Message),
    /// The launcher and all that it started have closed the line.
    Silent,
}

struct Running {
    launcher: Child,
    control: UnixStream,
    events: Receiver<Event>,
    started: Instant,
}

impl Running {
    fn start(executable: &Path, policy: &Policy) -> Result<Self, Refused> {
        let begin = || -> io::Result<(Child, UnixStream, PipeReader)> {
            let (control, theirs) = UnixStream::pair()?;
            let (reader, writer) = io::pipe()?;
            let launcher = Command::new(executable)
                .arg(LAUNCH)
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::from(OwnedFd::from(theirs)))
                .stdout(writer.try_clone()?)
                .stderr(writer)
                .spawn()?;
            Ok((launcher, control, reader))
        };
        let (launcher, control, output) = begin().map_err(refused("starting the launcher"))?;
        let (sender, events) = mpsc::sync_channel(16);
        let mut running = Self { launcher, control, events, started: Instant::now() };
        let lines = running.control.try_clone().map_err(refused("starting the launcher"))?;
        let to = sender.clone();
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        named("command-output").spawn(move || read_output(output, &to)).map_err(refused("starting a thread"))?;
        named("command-report").spawn(move || read_messages(lines, &sender)).map_err(refused("starting a thread"))?;
        let mut line = serde_json::to_vec(policy).map_err(refused("writing the policy"))?;
        line.push(b'\n');
        running.control.write_all(&line).map_err(refused("talking to the launcher"))?;
        Ok(running)
    }

    /// Until all of it is gone.
    fn watch(self, limits: &CommandLimits, cancel: &CancellationToken) -> Result<Outcome, Refused> {
        let room = limits.output_kb as usize * 1_024;
        let (mut output, mut cut, mut why) = (Vec::new(), false, None);
        let mut confinement = None;
        let mut ended = None;
        let last = self.started + Duration::from_secs(limits.seconds.into()) + GRACE;
        loop {
            match self.events.recv_timeout(LOOK) {
                Ok(Event::Output(bytes)) => {
                    let takes = bytes.len().min(room - output.len());
                    output.extend_from_slice(&bytes[..takes]);
                    if takes < bytes.len() && !cut {
                        cut = true;
                        why.get_or_insert(Ended::Limit(Limit::Output));
                        self.stop();
                    }
                }
                Ok(Event::Said(Message::Ready(layers))) => confinement = Some(layers),
                Ok(Event::Said(Message::Refused { step, why })) => return Err(Refused { step, why }),
                Ok(Event::Said(Message::Ended { ended: how, changes })) => ended = Some((how, changes)),
                Ok(Event::Silent) => {}
                Err(RecvTimeoutError::Timeout) => {}
                // Both threads are done: nobody holds the output or the line any more.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if why.is_none() && ended.is_none() && cancel.is_cancelled() {
                why = Some(Ended::Cancelled);
                self.stop();
            }
            if Instant::now() > last {
                why.get_or_insert(Ended::Limit(Limit::Time));
                break;
            }
        }
        let Some(confinement) = confinement else {
            let words = String::from_utf8_lossy(&output).trim().chars().take(300).collect::<String>();
            let why = if words.is_empty() { "the launcher ended without a word".to_owned() } else { words };
            return Err(Refused { step: "starting the launcher".to_owned(), why });
        };
        let (how, changes) = ended.unwrap_or((Ended::Signalled(libc::SIGKILL), Changes::Discarded));
        // What this side asked for is the reason, unless the command had ended by then.
        let ended = match (why, how) {
            (Some(why), Ended::Cancelled | Ended::Signalled(_)) => why,
            (Some(Ended::Limit(Limit::Output)), _) => Ended::Limit(Limit::Output),
            (_, how) => how,
        };
        Ok(Outcome { ended, output, cut, duration: self.started.elapsed(), confinement, changes })
    }

    /// Asks the launcher to end all; it does so as soon as it sees the line closed.
    fn stop(&self) {
        self.control.shutdown(Shutdown::Write).ok();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        // It has ended by itself unless something is badly wrong; its namespace ends with it.
        self.launcher.kill().ok();
        self.launcher.wait().ok();
    }
}

fn read_output(mut output: PipeReader, to: &SyncSender<Event>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        match output.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if to.send(Event::Output(buffer[..count].to_vec())).is_err() => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn read_messages(lines: UnixStream, to: &SyncSender<Event>) {
    let mut lines = BufReader::new(lines);
    loop {
        let mut line = Vec::new();
        match (&mut lines).take(LINE).read_until(b'\n', &mut line) {
            Ok(count) if count > 0 => {}
            _ => {
                to.send(Event::Silent).ok();
                return;
            }
        }
        let Ok(message) = serde_json::from_slice(&line) else { return };
        if to.send(Event::Said(message)).is_err() {
            return;
        }
    }
}

/// A folder for one command, removed with the value.
pub(super) struct Temporary(pub PathBuf);

impl Temporary {
    pub fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("rspa-command-{}", uuid::Uuid::now_v7().simple()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        // Without links, as Landlock and the mounts need it.
        fs::canonicalize(&path).map(Self)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
