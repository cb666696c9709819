//! A terminal of its own for one process, at which the test types.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Outcome, Running};

/// A process with a controlling terminal; its standard input is none, so that only the terminal can be asked.
pub struct Terminal {
    process: Running,
    side: File,
    shown: String,
}

impl Terminal {
    /// # Panics
    /// When no terminal can be made or the program not be started.
    pub fn start(command: &mut Command) -> Self {
        let (mut near, mut far) = (0, 0);
        // SAFETY: the two numbers are filled by the call; the other arguments may be null.
        let made = unsafe {
            libc::openpty(&raw mut near, &raw mut far, std::ptr::null_mut(), std::ptr::null(), std::ptr::null())
        };
        assert_eq!(made, 0, "a terminal can be made");
        // SAFETY: both were just opened and belong to nobody else.
        let (side, far) = unsafe { (File::from_raw_fd(near), File::from_raw_fd(far)) };
        let terminal = far.as_raw_fd();
        // SAFETY: between fork and exec only calls that are safe there: plain system calls.
        unsafe {
            command.pre_exec(move || {
                if libc::setsid() < 0 || libc::ioctl(terminal, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { process: Running::start_as_it_is(command), side, shown: String::new() }
    }

    /// Reads until the terminal shows this.
    ///
    /// # Panics
    /// When the program ends before.
    pub fn shows(&mut self, words: &str) {
        let mut block = [0; 1024];
        while !self.shown.contains(words) {
            let count = self.side.read(&mut block).unwrap_or(0);
            assert!(count > 0, "the end before {words:?}; shown: {}", self.shown);
            self.shown.push_str(&String::from_utf8_lossy(&block[..count]));
        }
    }

    /// Types the reply to each question as it comes: words of the question, and the line. To the end of the program;
    /// how it ended, and what the terminal showed.
    ///
    /// # Panics
    /// When it does not end within the limit after it closed the terminal.
    pub fn converse(mut self, replies: &[(&str, &str)], limit: Duration) -> (Outcome, String) {
        let mut block = [0; 1024];
        let mut answered = self.shown.len();
        loop {
            // A terminal that nobody has open any more is an error to read.
            let count = self.side.read(&mut block).unwrap_or(0);
            if count == 0 {
                break;
            }
            self.shown.push_str(&String::from_utf8_lossy(&block[..count]));
            let open = &self.shown[answered..];
            if let Some((_, line)) = replies.iter().find(|(question, _)| open.contains(question)) {
                answered = self.shown.len();
                self.types(line);
            }
        }
        let shown = std::mem::take(&mut self.shown);
        (self.outcome(limit), shown)
    }

    /// # Panics
    /// When the terminal is gone.
    pub fn types(&mut self, line: &str) {
        self.side.write_all(format!("{line}\n").as_bytes()).expect("a terminal takes what is typed");
    }

    /// How it ended, and what it wrote to its outputs, which are not the terminal.
    ///
    /// # Panics
    /// When it does not end within the limit.
    pub fn outcome(mut self, limit: Duration) -> Outcome {
        self.process.outcome(limit)
    }

    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }
}
