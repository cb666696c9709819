//! The command line: what may be typed, and which file does it.

mod activities;
mod agents;
mod answer;
mod approvals;
mod arguments;
mod ask;
mod backup;
mod bench;
mod chat;
mod confirm;
mod credentials;
mod crews;
mod dashboard;
mod db;
mod docs;
mod doctor;
mod failure;
mod index;
mod interrupt;
mod job;
mod logs;
mod mcp;
mod models;
mod network;
mod notifications;
mod output;
mod profiles;
mod providers;
mod reset;
mod restore;
mod schedules;
mod search;
mod secret;
mod session;
mod settings;
mod tasks;
mod trash;
mod typed;
mod usage;
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
        if global.profile.is_some() {
            return Err(Failure::validation(
                "--profile goes with a verb",
                "Switch the window with rspa profiles switch NAME, or in its status bar.",
            ));
        }
        return window::open(&global, output, started, exit_at_once);
    };
    let interrupt = Interrupt::listen(exit_at_once)?;
    let context = Context { global, output, interrupt, started };
    match verb {
        Verb::Ask(arguments) => ask::run(&context, arguments),
        Verb::Chat(arguments) => chat::run(&context, arguments),
        Verb::Index(arguments) => index::run(&context, arguments),
        Verb::Docs(arguments) => docs::run(&context, arguments),
        Verb::Search(arguments) => search::run(&context, arguments),
        Verb::Models(arguments) => models::run(&context, arguments),
        Verb::Settings(arguments) => settings::run(&context, arguments),
        Verb::Agents(arguments) => agents::run(&context, arguments),
        Verb::Approvals(arguments) => approvals::run(&context, arguments),
        Verb::Dashboard(arguments) => dashboard::run(&context, arguments),
        Verb::Notifications(arguments) => notifications::run(&context, arguments),
        Verb::Schedules(arguments) => schedules::run(&context, arguments),
        Verb::Usage(arguments) => usage::run(&context, arguments),
        Verb::Mcp(arguments) => mcp::run(&context, arguments),
        Verb::Providers(arguments) => providers::run(&context, arguments),
        Verb::Crews(arguments) => crews::run(&context, arguments),
        Verb::Tasks(arguments) => tasks::run(&context, arguments),
        Verb::Activities(arguments) => activities::run(&context, arguments),
        Verb::Backup(arguments) => backup::run(&context, arguments),
        Verb::Credentials(arguments) => credentials::run(&context, arguments),
        Verb::Db(arguments) => db::run(&context, arguments),
        Verb::Logs(arguments) => logs::run(&context, arguments),
        Verb::Network(arguments) => network::run(&context, arguments),
        Verb::Profiles(arguments) => profiles::run(&context, arguments),
        Verb::Reset(arguments) => reset::run(&context, arguments),
        Verb::Restore(arguments) => restore::run(&context, arguments),
        Verb::Trash(arguments) => trash::run(&context, arguments),
        Verb::Doctor => doctor::run(&context),
        Verb::Bench(arguments) => bench::run(&context, arguments),
    }
}
