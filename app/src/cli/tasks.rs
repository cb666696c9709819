//! `rspa tasks`.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct TasksArguments {}

pub fn run(_context: &Context, _arguments: TasksArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for it."))
}
