//! A display of its own for one test: Xvfb on whatever number is free.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::process::Running;

pub struct Display {
    number: u32,
    _server: Running,
}

impl Display {
    /// # Panics
    /// When Xvfb is missing or does not start.
    pub fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = Running::start(&mut command);
        let stdout = server.child().stdout.take().expect("standard output is piped");
        let mut line = String::new();
        // Xvfb writes the number when it accepts clients, and ends without one when it cannot.
        BufReader::new(stdout).read_line(&mut line).expect("standard output can be read");
        let number = line.trim().parse().unwrap_or_else(|_| panic!("Xvfb did not start (it said '{}')", line.trim()));
        Self { number, _server: server }
    }

    /// For the environment variable `DISPLAY`.
    pub fn name(&self) -> String {
        format!(":{}", self.number)
    }
}
