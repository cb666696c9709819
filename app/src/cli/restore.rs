//! `rspa restore`: go back to a backup or to an earlier minute.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct RestoreArguments {}

pub fn run(_context: &Context, _arguments: RestoreArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
