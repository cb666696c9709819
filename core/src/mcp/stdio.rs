//! Servers that are programs: started confined, with three threads that carry what is said, ended with all they started.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::Handle;

use super::wire::{LARGEST_MESSAGE, Wire};
use super::words::{line, wrong};
use super::{Life, Line, Log};
use crate::api::{ApiError, ErrorCategory};
use crate::confine::{End, Ended, Runner, ServeRequest, Served, hidden_arguments, unreachable};
use crate::model::{AllowedFolder, CommandLimits};

/// A program and its bounds, as they are on this computer now.
pub struct Start {
    pub name: String,
    pub command: String,
    pub args: Vec<String>,
    /// With the secrets filled in: stands nowhere else.
    pub env: Vec<(String, String)>,
    pub folder: Option<PathBuf>,
    pub folders: Vec<AllowedFolder>,
    pub network: bool,
    pub private: Vec<PathBuf>,
    pub limits: CommandLimits,
    /// The settings let programs run where they cannot be confined.
    pub unconfined: bool,
}

/// Starts the program; blocks until it runs.
///
/// # Errors
/// Why not, in words that name what is missing.
pub fn start(runner: &Runner, start: Start, log: &Arc<Log>, runtime: &Handle) -> Result<Line, ApiError> {
    let confinement = runner.confinement();
    let unconfined = start.unconfined && !confinement.confines();
    if !confinement.confines() && !unconfined {
        return Err(ApiError::new(
            ErrorCategory::System,
            format!(
                "this computer cannot confine programs, so \"{}\" is not started: {}",
                start.name,
                confinement.missing()
            ),
            "The setting security.unconfined_commands lets it run with limits only.",
        ));
    }
    let real = |path: &PathBuf| {
        path.canonicalize().map_err(|error| {
            wrong(
                format!("the folder {} of \"{}\" cannot be used: {error}", path.display(), start.name),
                "Choose another.",
            )
        })
    };
    let mut folders = Vec::new();
    for folder in &start.folders {
        folders.push(AllowedFolder { path: real(&folder.path)?, write: folder.write });
    }
    let folder = start.folder.as_ref().map(real).transpose()?;
    if let Some(folder) = &folder
        && !folders.iter().any(|allowed| folder.starts_with(&allowed.path))
    {
        folders.push(AllowedFolder { path: folder.clone(), write: false });
    }
    let path = start.env.iter().find(|(name, _)| name == "PATH").map_or(PATH, |(_, path)| path);
    if !unconfined && let Some(why) = unreachable(&start.command, path, folder.as_deref(), &folders) {
        return Err(wrong(
            format!("\"{}\" cannot be started: {why}", start.name),
            "Change the server's program or folders.",
        ));
    }
    let hidden = hidden_arguments(&start.args, &folders);
    let hint = match hidden.first().filter(|_| !unconfined) {
        Some(path) => format!("it may not read {}: add its folder", path.display()),
        None => String::new(),
    };
    let request = ServeRequest {
        program: [start.command].into_iter().chain(start.args).collect(),
        folder,
        folders,
        private: start.private,
        limits: start.limits,
        network: start.network,
        unconfined,
        environment: start.env,
    };
    let name = start.name;
    let served = runner.serve(&request).map_err(|error| {
        let hint = if hint.is_empty() { String::new() } else { format!(" ({hint})") };
        let mut error = ApiError::from(error);
        error.message = format!("\"{name}\" could not be started: {}{hint}", error.message);
        error
    })?;
    Ok(carry(served, &request, hint, log, runtime))
}

/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn carry(served: Served, request: &ServeRequest, hint: String, log: &Arc<Log>, runtime: &Handle) -> Line {
    let Served { mut input, mut output, mut errors, confinement, end } = served;
    let (wire, far) = Wire::pipe();
    let why = wire.why();
    let (mut from_us, mut to_us) = tokio::io::split::<DuplexStream>(far);
    let words = confinement.sentence_of_server(&request.limits, request.network);
    let life = Arc::new(Process { end: Mutex::new(Some(end)), limits: request.limits });
    let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
        if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
            why.set(&format!("no thread could be started for it: {error}"));
            life.end();
        }
    };
    let pool = runtime.clone();
    spawn(
        "tools-input",
        Box::new(move || {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(count) = pool.block_on(from_us.read(&mut buffer)) {
                if count == 0 || input.write_all(&buffer[..count]).and_then(|()| input.flush()).is_err() {
                    return;
                }
            }
        }),
    );
    let (pool, said, ending) = (runtime.clone(), why.clone(), life.clone());
    spawn(
        "tools-output",
        Box::new(move || {
            let mut buffer = vec![0; 16 << 10];
            let mut length = Length::default();
            while let Ok(count) = output.read(&mut buffer) {
                let bytes = &buffer[..count];
                if !length.holds(bytes) {
                    said.set(&format!("it sent a message of more than {} MB", LARGEST_MESSAGE >> 20));
                    ending.end();
                    break;
                }
                if count == 0 || pool.block_on(to_us.write_all(bytes)).is_err() {
                    break;
                }
            }
            // The other side sees the end.
            pool.block_on(to_us.shutdown()).ok();
        }),
    );
    let log = log.clone();
    spawn(
        "tools-errors",
        Box::new(move || {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(count) = errors.read(&mut buffer) {
                if count == 0 {
                    return;
                }
                log.add(&buffer[..count]);
            }
        }),
    );
    Line { wire, confinement: words, life, hint }
}

/// Of the line that is under way, in bytes.
#[derive(Default)]
struct Length(usize);

impl Length {
    /// Whether no line is too long yet.
    fn holds(&mut self, bytes: &[u8]) -> bool {
        for (index, piece) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.0 = 0;
            }
            self.0 += piece.len();
            if self.0 > LARGEST_MESSAGE {
                return false;
            }
        }
        true
    }
}

/// A program that runs, and how it ended.
struct Process {
    end: Mutex<Option<Box<dyn End>>>,
    limits: CommandLimits,
}

impl Life for Process {
    fn end(&self) {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(end);
    }

    fn fate(&self) -> String {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match end.as_mut().and_then(|end| end.ended()) {
            Some(Ended::Exited(code)) => format!("its program ended with exit code {code}"),
            Some(Ended::Signalled(signal)) => format!("its program was ended by signal {signal}"),
            Some(Ended::Limit(limit)) => line(&format!("its program was ended: {}", limit.words(&self.limits)), 200),
            Some(Ended::Cancelled) | None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_line_is_measured_over_pieces() {
        let mut length = Length::default();
        let piece = vec![b'x'; LARGEST_MESSAGE / 4];
        for _ in 0..4 {
            assert!(length.holds(&piece));
        }
        assert!(length.holds(b"\nabc"));
        assert_eq!(length.0, 3);
        for _ in 0..3 {
            assert!(length.holds(&piece));
        }
        assert!(!length.holds(&piece));
    }

    #[test]
    fn the_log_keeps_the_end_and_shows_no_control_characters() {
        let log = Log::default();
        log.add(&vec![b'a'; 3 * Log::MOST]);
        log.add(b"\x1b[31mend\n");
        let text = log.text();
        assert!(text.starts_with("aaa") && text.ends_with("\\u{1b}[31mend\n"));
        assert!(log.bytes().len() == Log::MOST);
    }
}
