//! `rspa backup`: make, list, verify and remove backups.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct BackupArguments {}

pub fn run(_context: &Context, _arguments: BackupArguments) -> Result<(), Failure> {
    Err(Failure::system("this is not there yet", "Wait for a later version."))
}
