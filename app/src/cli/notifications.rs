//! `rspa notifications`.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct NotificationsArguments {}

pub fn run(_context: &Context, _arguments: NotificationsArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for it."))
}
