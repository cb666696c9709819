//! `rspa mcp`: servers of tools (model context protocol): add, look at, call.

use clap::Args;

use super::Context;
use super::failure::Failure;

#[derive(Args)]
pub struct McpArguments {}

pub fn run(_context: &Context, _arguments: McpArguments) -> Result<(), Failure> {
    Err(Failure::validation("this is not there yet", "Wait for a later version."))
}
