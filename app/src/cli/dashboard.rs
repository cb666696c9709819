//! `rspa dashboard`.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct DashboardArguments {}

pub fn run(_context: &Context, _arguments: DashboardArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for it."))
}
