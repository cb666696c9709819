//! The program: starts commands for itself where it was asked to, else notes when it started and hands over to the
//! command line.

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    // Before anything starts a thread.
    if let Some(code) = rspa_core::confine::launch_if_asked() {
        return code;
    }
    let started = Instant::now();
    rspa_app::cli::run(started, |code| std::process::exit(code))
}
