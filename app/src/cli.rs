//! The command line: what may be typed, and which file does it.

mod answer;
mod arguments;
mod ask;
mod bench;
mod chat;
mod doctor;
mod failure;
mod index;
mod interrupt;
mod job;
mod models;
mod output;
mod search;
mod session;
mod settings;
mod typed;
mod window;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use arguments::{Arguments, Verb};
use failure::Failure;
use interrupt::Interrupt;
use output::Output;

/// What a verb works with.
struct Context {
    global: arguments::Global,
    output: Output,
    interrupt: Interrupt,
    /// When the process started.
    started: Instant,
}

/// Does what the arguments of this process say. `exit_at_once` ends the process when a second interrupt asks for it.
pub fn run(started: Instant, exit_at_once: fn(i32) -> !) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::usage(&error),
    };
    let output = Output::new(arguments.global.json);
    let done = perform(arguments, output, started, exit_at_once);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(output),
    }
}

fn perform(arguments: Arguments, output: Output, started: Instant, exit_at_once: fn(i32) -> !) -> Result<(), Failure> {
    let Arguments { global, verb } = arguments;
    let Some(verb) = verb else {
        return window::open(&global, started);
    };
    let interrupt = Interrupt::listen(exit_at_once)?;
    let context = Context { global, output, interrupt, started };
    match verb {
        Verb::Ask(arguments) => ask::run(&context, arguments),
        Verb::Chat(arguments) => chat::run(&context, arguments),
        Verb::Index(arguments) => index::run(&context, arguments),
        Verb::Search(arguments) => search::run(&context, arguments),
        Verb::Models(arguments) => models::run(&context, arguments),
        Verb::Settings(arguments) => settings::run(&context, arguments),
        Verb::Doctor => doctor::run(&context),
        Verb::Bench(arguments) => bench::run(&context, arguments),
    }
}
