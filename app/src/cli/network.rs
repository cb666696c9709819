//! `rspa network`: what may leave this computer, and what did.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct NetworkArguments {}

pub fn run(_context: &Context, _arguments: NetworkArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
