//! `rspa doctor`: is everything as it should be.

use rspa_core::api::request::system::RunDoctor;

use super::Context;
use super::failure::Failure;
use super::session::Session;

/// # Errors
/// [`Failure::Reported`] when a check failed, after the report was printed.
pub fn run(context: &Context) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let report = session.call(RunDoctor {})?;
    if context.output.json {
        context.output.json_line(&report)?;
    } else {
        for check in &report.checks {
            let mark = if check.ok { "ok  " } else { "FAIL" };
            context.output.line(&format!("{mark}  {}: {}", check.name, check.detail))?;
        }
    }
    if report.ok { Ok(()) } else { Err(Failure::Reported) }
}
