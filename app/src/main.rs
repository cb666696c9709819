//! The program: notes when it started, and hands over to the command line.

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let started = Instant::now();
    rspa_app::cli::run(started, |code| std::process::exit(code))
}
