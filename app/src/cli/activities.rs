//! `rspa activities`: what happened, filtered by kind, time and text.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct ActivitiesArguments {}

pub fn run(_context: &Context, _arguments: ActivitiesArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
