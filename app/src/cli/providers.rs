//! `rspa providers`: servers that models run on, and which model answers what.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct ProvidersArguments {}

pub fn run(_context: &Context, _arguments: ProvidersArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for a later version."))
}
