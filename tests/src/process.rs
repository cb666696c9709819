//! Child processes that never outlive the test.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::wait;

/// A running child in a process group of its own; killed when dropped.
pub struct Running {
    child: Child,
    what: String,
}

/// How a child ended and what it said.
#[derive(Debug)]
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// The exit code; none when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// # Panics
    /// When it failed.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.success(), "{}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr);
        self
    }

    /// Standard output as one JSON value.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.stdout.trim()).unwrap_or_else(|error| {
            panic!("{error}; {}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr)
        })
    }
}

impl Running {
    /// # Panics
    /// When the program cannot be started.
    pub fn start(command: &mut Command) -> Self {
        own_group(command);
        Self::start_as_it_is(command)
    }

    /// For a command that makes a session, and so a group, of its own.
    pub(crate) fn start_as_it_is(command: &mut Command) -> Self {
        let what = format!("{command:?}");
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
        Self { child, what }
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Ends it with `kill -9`; all of its group.
    pub fn kill(&mut self) {
        self.signal(libc::SIGKILL);
        self.child.wait().expect("a child can be waited for");
    }

    pub fn signal(&mut self, signal: i32) {
        if !self.has_ended() {
            signal_group(&self.child, signal);
        }
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it has not ended after this time.
    pub fn ended_within(&mut self, limit: Duration) -> ExitStatus {
        let ended = wait::within(limit, || self.child.try_wait().expect("a child can be waited for"));
        ended.unwrap_or_else(|| {
            self.kill();
            panic!("{} did not end within {limit:?}", self.what);
        })
    }

    /// Waits for the end and reads all that it writes until then.
    pub(crate) fn outcome(&mut self, limit: Duration) -> Outcome {
        let stdout = read_all(self.child.stdout.take().expect("standard output is piped"));
        let stderr = read_all(self.child.stderr.take().expect("standard error is piped"));
        let status = self.ended_within(limit);
        Outcome {
            status,
            stdout: stdout.join().expect("the reader does not panic"),
            stderr: stderr.join().expect("the reader does not panic"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(libc::SIGKILL);
        self.child.wait().ok();
    }
}

/// Runs it to its end with this standard input.
///
/// # Panics
/// When it cannot be started or does not end within the limit.
pub fn run(command: &mut Command, input: &[u8], limit: Duration) -> Outcome {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(command);
    let mut stdin = running.child.stdin.take().expect("standard input is piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program may end without reading all.
        stdin.write_all(&input).ok();
    });
    let outcome = running.outcome(limit);
    writer.join().expect("the writer does not panic");
    outcome
}

fn read_all(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).ok();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

fn signal_group(child: &Child, signal: i32) {
    let group = i32::try_from(child.id()).expect("a process id fits");
    // SAFETY: kill takes plain numbers. The child is not yet waited for, so its group cannot belong to another process.
    unsafe {
        libc::kill(-group, signal);
    }
}
