//! Where the program has no means to confine a command: it runs with limits of time and output only, if at all.

use std::ffi::OsString;
use std::io::{self, PipeReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::report::{Changes, Confinement, Ended, Limit, Outcome, layer};
use super::serve::{End, ServeRequest, Served};
use super::{Error, Request};

/// Between two looks at what the command does.
const LOOK: Duration = Duration::from_millis(20);

/// For what is left in the pipe when the command has ended: one that it left behind may hold it open.
const REST: Duration = Duration::from_millis(500);

/// What a command finds of this process's environment: what programs need in order to start.
const ENVIRONMENT: &[&str] = match cfg!(windows) {
    true => &["SystemRoot", "SystemDrive", "ComSpec", "PATH", "PATHEXT", "TEMP", "TMP", "NUMBER_OF_PROCESSORS"],
    false => &["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ"],
};

pub fn confinement() -> Confinement {
    let mut confinement = Confinement::default();
    confinement.set(layer::SECCOMP, false, "on this system the program has no means to confine a command");
    confinement
}

pub fn run(request: &Request, cancel: &CancellationToken) -> Result<Outcome, Error> {
    let (mut child, output) = start(request).map_err(|error| Error::Start(error.to_string()))?;
    let started = Instant::now();
    let chunks = read(output);
    let room = request.limits.output_kb as usize * 1_024;
    let (mut kept, mut cut) = (Vec::new(), false);
    let mut take = |bytes: &[u8]| {
        let takes = bytes.len().min(room - kept.len());
        kept.extend_from_slice(&bytes[..takes]);
        cut |= takes < bytes.len();
        takes == bytes.len()
    };
    let ended = loop {
        match chunks.recv_timeout(LOOK) {
            Ok(bytes) if !take(&bytes) => break Ended::Limit(Limit::Output),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => {}
            // It closed its output and may still run.
            Err(RecvTimeoutError::Disconnected) => thread::park_timeout(LOOK),
        }
        if let Ok(Some(status)) = child.try_wait() {
            break how(status);
        }
        if cancel.is_cancelled() {
            break Ended::Cancelled;
        }
        if started.elapsed() >= Duration::from_secs(request.limits.seconds.into()) {
            break Ended::Limit(Limit::Time);
        }
    };
    end(&mut child);
    let until = Instant::now() + REST;
    while let Ok(bytes) = chunks.recv_timeout(until.saturating_duration_since(Instant::now())) {
        take(&bytes);
    }
    let duration = started.elapsed();
    Ok(Outcome { ended, output: kept, cut, duration, confinement: confinement(), changes: Changes::AsItWent })
}

fn start(request: &Request) -> io::Result<(Child, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("/bin/sh", "-c") };
    let mut command = Command::new(shell);
    command.args([option, &request.command]).current_dir(&request.folder).env_clear();
    command.envs(ENVIRONMENT.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))));
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Ok((command.spawn()?, reader))
}

/// A program that is talked to, with no limit but its end.
pub fn serve(request: &ServeRequest) -> Result<Served, Error> {
    let (program, arguments) =
        request.program.split_first().ok_or_else(|| Error::Start("no program is named".to_owned()))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(request.folder.clone().unwrap_or_else(std::env::temp_dir)).env_clear();
    command.envs(ENVIRONMENT.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))));
    command.envs(request.environment.iter().cloned());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| Error::Start(format!("{program}: {error}")))?;
    let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        end(&mut child);
        return Err(Error::Start("it has no input and output".to_owned()));
    };
    Ok(Served {
        input: Box::new(input),
        output: Box::new(output),
        errors: Box::new(errors),
        confinement: confinement(),
        end: Box::new(Started(child)),
    })
}

struct Started(Child);

impl End for Started {
    fn ended(&mut self) -> Option<Ended> {
        let until = Instant::now() + REST;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Some(how(status));
            }
            thread::park_timeout(LOOK);
        }
        None
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

fn read(mut output: PipeReader) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(16);
    thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count) = output.read(&mut buffer) {
            if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn how(status: ExitStatus) -> Ended {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Ended::Signalled(signal);
    }
    Ended::Exited(status.code().unwrap_or(-1))
}

/// The command and what stayed in its group; what left it lives on, which the person was told.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: takes numbers. The group has the number of its first process, which was given to no other one: either
        // it is not waited for yet, or members of its group still live, or nobody is there to be signalled.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    #[cfg(windows)]
    {
        let tree = ["/T", "/F", "/PID", &child.id().to_string()].map(str::to_owned);
        Command::new("taskkill").args(tree).stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
    }
    child.kill().ok();
    child.wait().ok();
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::model::{AllowedFolder, CommandLimits};

    fn outcome(command: &str, limits: CommandLimits) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let request = Request {
            command: command.to_owned(),
            folder: folder.path().to_owned(),
            folders: vec![AllowedFolder { path: folder.path().to_owned(), write: true }],
            private: Vec::new(),
            limits,
            network: false,
            unconfined: true,
        };
        run(&request, &CancellationToken::new()).unwrap()
    }

    #[test]
    fn a_program_that_serves_is_talked_to_and_gone_with_the_value() {
        use std::io::{BufRead, BufReader, Write};
        let request = ServeRequest {
            program: ["sh", "-c", "read line; echo \"$line $KEY\"; read line; exit 3"].map(str::to_owned).to_vec(),
            folder: None,
            folders: Vec::new(),
            private: Vec::new(),
            limits: CommandLimits::default(),
            network: false,
            unconfined: true,
            environment: vec![("KEY".to_owned(), "value".to_owned())],
        };
        let mut served = serve(&request).unwrap();
        served.input.write_all(b"hello\n").unwrap();
        let mut line = String::new();
        BufReader::new(served.output).read_line(&mut line).unwrap();
        assert_eq!(line, "hello value\n");
        drop(served.input);
        assert_eq!(served.end.ended(), Some(Ended::Exited(3)));
    }

    #[test]
    fn limits_of_time_and_output_hold_everywhere() {
        let limits = CommandLimits { seconds: 1, output_kb: 1, ..CommandLimits::default() };
        let done = outcome("echo out; echo err >&2; exit 3", limits);
        assert_eq!((done.ended, done.output.as_slice()), (Ended::Exited(3), b"out\nerr\n".as_slice()));
        assert_eq!(outcome("kill -9 $$", limits).ended, Ended::Signalled(9));
        assert_eq!(outcome("sleep 100 & sleep 100", limits).ended, Ended::Limit(Limit::Time));
        let endless = outcome("yes", limits);
        assert_eq!((endless.ended, endless.output.len()), (Ended::Limit(Limit::Output), 1_024));
        assert!(!endless.confinement.confines());
    }
}
