//! `rspa bench tasks`.

use clap::Args;

use crate::cli::Context;
use crate::cli::failure::Failure;

#[derive(Args)]
pub struct TasksArguments {}

pub fn run(_context: &Context, _arguments: &TasksArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for it."))
}
