//! `rspa reset`: delete data of this program, after asking.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct ResetArguments {}

pub fn run(_context: &Context, _arguments: ResetArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
