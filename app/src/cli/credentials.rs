//! `rspa credentials`: keys of services: set, test, rotate, remove.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct CredentialsArguments {}

pub fn run(_context: &Context, _arguments: CredentialsArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
