//! `rspa usage`: tokens, time and cost by day, provider, model and agent.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct UsageArguments {}

pub fn run(_context: &Context, _arguments: UsageArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for a later version."))
}
