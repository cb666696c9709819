//! `rspa profiles`: separate worlds: make, switch, delete.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct ProfilesArguments {}

pub fn run(_context: &Context, _arguments: ProfilesArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
