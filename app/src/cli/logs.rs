//! `rspa logs`: what the program wrote down of its own work.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct LogsArguments {}

pub fn run(_context: &Context, _arguments: LogsArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
