//! `rspa trash`: what was deleted, and the way back.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct TrashArguments {}

pub fn run(_context: &Context, _arguments: TrashArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
