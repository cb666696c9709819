//! `rspa db`: check the database, save what can be read of a damaged one.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct DbArguments {}

pub fn run(_context: &Context, _arguments: DbArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
