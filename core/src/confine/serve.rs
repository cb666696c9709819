//! A program that is talked to over its standard input and output for as long as it is needed, such as a server of tools.

use std::io::{Read, Write};
use std::path::PathBuf;

use super::report::{Confinement, Ended};
use crate::model::{AllowedFolder, CommandLimits};

/// A program and the bounds within which it runs: no time limit, those of memory, disk and processes hold.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeRequest {
    /// With its arguments.
    pub program: Vec<String>,
    /// Where it starts; none is an empty folder of its own.
    pub folder: Option<PathBuf>,
    /// What it may read and write beside the system's programs. Real paths: no links, nothing relative.
    pub folders: Vec<AllowedFolder>,
    /// What it may never see.
    pub private: Vec<PathBuf>,
    pub limits: CommandLimits,
    /// It may open connections. These do not pass the program's door for outgoing requests.
    pub network: bool,
    /// Run even where it cannot be confined: with limits only.
    pub unconfined: bool,
    /// Beside the few variables that every command gets.
    pub environment: Vec<(String, String)>,
}

/// A program that runs.
pub struct Served {
    /// Closed when dropped.
    pub input: Box<dyn Write + Send>,
    pub output: Box<dyn Read + Send>,
    pub errors: Box<dyn Read + Send>,
    pub confinement: Confinement,
    /// Ends it, and all that it started, when dropped; that may block for some seconds.
    pub end: Box<dyn End>,
}

/// The end of a program.
pub trait End: Send {
    /// How it ended; waits a moment for it. None when it still runs.
    fn ended(&mut self) -> Option<Ended>;
}

#[cfg(target_os = "linux")]
pub(super) use on_linux::start;

#[cfg(target_os = "linux")]
mod on_linux {
    use std::io::{self, BufRead, BufReader};
    use std::net::Shutdown;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use super::super::parent::{LINE, Refused, Temporary, refused};
    use super::super::policy::{self, Policy, Way};
    use super::super::report::{Message, RUNNING_PROGRAM, layer};
    use super::super::{Error, GRACE, LAUNCH};
    use super::*;

    /// For the launcher to shut itself in and start the program.
    const START: Duration = Duration::from_secs(30);
    /// For the word how a program ended, once it has.
    const WORD: Duration = Duration::from_secs(1);

    pub fn start(executable: &Path, request: &ServeRequest, can: &Confinement) -> Result<Served, Error> {
        // What it writes is seen at once: nothing is kept apart for days.
        let ways: &[Way] = match can.confines() && can.has(layer::NAMESPACES) {
            true => &[Way::Within, Way::Plain],
            false => &[Way::Plain],
        };
        let mut last = None;
        for way in ways {
            match attempt(executable, request, *way, request.unconfined && !can.confines()) {
                Ok(served) => return Ok(served),
                Err(refused) if refused.step == RUNNING_PROGRAM => {
                    return Err(Error::Start(format!("{}: {}", request.program[0], refused.why)));
                }
                Err(refused) => last = Some(refused),
            }
        }
        Err(Error::Start(last.map_or_else(String::new, |refused| format!("{}: {}", refused.step, refused.why))))
    }

    fn attempt(executable: &Path, request: &ServeRequest, way: Way, unconfined: bool) -> Result<Served, Refused> {
        let temporary = match way {
            Way::Plain => Some(Temporary::new().map_err(refused("making a temporary folder"))?),
            Way::Apart | Way::Within => None,
        };
        let home = temporary.as_ref().map_or(Path::new("/tmp"), |folder| &folder.0).to_owned();
        let mut environment = policy::environment(&home, |name| std::env::var(name).ok());
        environment.extend(request.environment.iter().cloned());
        let policy = Policy {
            way,
            command: String::new(),
            program: request.program.clone(),
            folder: request.folder.clone().unwrap_or_else(|| home.clone()),
            folders: policy::ordered(&request.folders),
            temporary: home,
            limits: request.limits,
            network: request.network,
            unconfined,
            environment,
        };
        let begin = || -> io::Result<(Child, UnixStream, UnixStream, io::PipeReader)> {
            let (control, theirs) = UnixStream::pair()?;
            let (line, their_line) = UnixStream::pair()?;
            let (errors, writer) = io::pipe()?;
            let launcher = Command::new(executable)
                .arg(LAUNCH)
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::from(OwnedFd::from(theirs)))
                .stdout(Stdio::from(OwnedFd::from(their_line)))
                .stderr(writer)
                .spawn()?;
            Ok((launcher, control, line, errors))
        };
        let (launcher, control, line, errors) = begin().map_err(refused("starting the launcher"))?;
        let mut end = Launched { launcher, control: BufReader::new(control), temporary };
        let mut policy = serde_json::to_vec(&policy).map_err(refused("writing the policy"))?;
        policy.push(b'\n');
        end.control.get_mut().write_all(&policy).map_err(refused("talking to the launcher"))?;
        let confinement = match end.message(START) {
            Some(Message::Ready(confinement)) => confinement,
            Some(Message::Refused { step, why }) => return Err(Refused { step, why }),
            Some(Message::Ended { .. }) | None => {
                return Err(refused("starting the launcher")("it ended without a word"));
            }
        };
        let input = line.try_clone().map_err(refused("talking to the program"))?;
        Ok(Served {
            input: Box::new(Input(input)),
            output: Box::new(line),
            errors: Box::new(errors),
            confinement,
            end: Box::new(end),
        })
    }

    /// The way in; the program sees its end when this is dropped.
    struct Input(UnixStream);

    impl Write for Input {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }

    impl Drop for Input {
        fn drop(&mut self) {
            self.0.shutdown(Shutdown::Write).ok();
        }
    }

    /// The launcher, which supervises the program.
    struct Launched {
        launcher: Child,
        control: BufReader<UnixStream>,
        #[expect(dead_code, reason = "removed with the value")]
        temporary: Option<Temporary>,
    }

    impl Launched {
        fn message(&mut self, within: Duration) -> Option<Message> {
            self.control.get_ref().set_read_timeout(Some(within)).ok()?;
            let mut line = Vec::new();
            (&mut self.control).take(LINE).read_until(b'\n', &mut line).ok()?;
            serde_json::from_slice(&line).ok()
        }
    }

    impl End for Launched {
        fn ended(&mut self) -> Option<Ended> {
            match self.message(WORD)? {
                Message::Ended { ended, .. } => Some(ended),
                Message::Ready(_) | Message::Refused { .. } => None,
            }
        }
    }

    impl Drop for Launched {
        fn drop(&mut self) {
            // Outside of a namespace it is the launcher that finds and ends all that the program started.
            self.control.get_ref().shutdown(Shutdown::Write).ok();
            let until = Instant::now() + GRACE;
            while Instant::now() < until && self.message(until.saturating_duration_since(Instant::now())).is_some() {}
            self.launcher.kill().ok();
            self.launcher.wait().ok();
        }
    }
}
