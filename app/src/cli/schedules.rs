//! `rspa schedules`.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct SchedulesArguments {}

pub fn run(_context: &Context, _arguments: SchedulesArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for it."))
}
