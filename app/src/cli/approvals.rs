//! `rspa approvals`.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct ApprovalsArguments {}

pub fn run(_context: &Context, _arguments: ApprovalsArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for it."))
}
