//! The commands of this workspace; `cargo xtask` is an alias for this program.

mod bench;
mod clients;
mod dependencies;
mod dist;
mod documents;
mod models;
mod process;
mod setup;
mod soak;
mod start;
mod verify;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  run [-- ARGUMENTS]       fetch the default models, build with optimisation and start the program
  test                     everything that must pass: setup, models, clients, format, dependencies, lints, documents, tests
  models [--check]         fetch the default models into the model cache; --check only looks
         [--pins FILE]     take other packages, in the form of xtask/models.json
  clients [--check]        install the vendors' own clients and the MCP reference servers that the tests talk to
  soak [PART...] [-- ARGUMENTS]   the long tests: faults, cuts (of power), fuzz; all of them without a name
  bench [--peers FILE] [SUBJECT...]   our speed beside the peers' (embed, llm, perplexity, vectors)
  dist                     build and check what is shipped, in TARGET/dist
  deps                     check which crate and module may use what

RSPA_MODELS_CACHE names the model cache; without it ~/.cache/rspa-models (or XDG_CACHE_HOME) is used.
RSPA_CLIENTS_PATH names the folder of the clients; without it ~/.cache/rspa-clients is used.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match command(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[String]) -> Result<()> {
    let Some((verb, rest)) = arguments.split_first() else { bail!("no command was given\n\n{USAGE}") };
    match verb.as_str() {
        "run" => start::run(after_dashes(rest)),
        "test" => verify::run(),
        "models" => models::run(rest),
        "clients" => clients::run(rest),
        "soak" => soak::run(rest),
        "bench" => bench::run(rest),
        "dist" => dist::run(),
        "deps" => dependencies::run(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no command '{other}'\n\n{USAGE}"),
    }
}

/// Arguments for the program that is started: `--` before them may be left out.
fn after_dashes(arguments: &[String]) -> &[String] {
    arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments)
}
