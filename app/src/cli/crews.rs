//! `rspa crews`: agents that work on one thing together: make, run, replay.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct CrewsArguments {}

pub fn run(_context: &Context, _arguments: CrewsArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for a later version."))
}
