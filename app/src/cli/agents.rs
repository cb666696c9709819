//! `rspa agents`.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct AgentsArguments {}

pub fn run(_context: &Context, _arguments: AgentsArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for it."))
}
