//! `rspa usage`: tokens, time and cost by day, provider, model and agent; use of features; export and deletion.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rspa_core::api::request::usage::{DeleteUsage, ExportUsage, GetUsage, ListFeatureUse};
use rspa_core::model::{UsageFormat, UsageGroup, UsageLine, UsageQuery};
use serde_json::json;

use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line, path_text};
use super::session::Session;

#[derive(Args)]
pub struct UsageArguments {
    /// Local days, today included
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    #[arg(long, value_enum, default_value_t = By::Day)]
    by: By,
    #[command(subcommand)]
    verb: Option<UsageVerb>,
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    Day,
    Provider,
    Model,
    Agent,
}

#[derive(Subcommand)]
enum UsageVerb {
    /// How often functions of the program were used
    Features,
    /// All that is kept, as text
    Export {
        #[arg(long, value_enum)]
        format: Format,
        /// Into a file that is not there yet
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Delete what is older than so many local days; 0 deletes all
    Delete {
        #[arg(long, value_name = "DAYS")]
        older_than: u32,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Json,
}

pub fn run(context: &Context, arguments: UsageArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb {
        None => report(&session, output, arguments.days, arguments.by),
        Some(UsageVerb::Features) => {
            let features = session.call(ListFeatureUse {})?;
            if output.json {
                return output.json_line(&features);
            }
            for used in &features {
                output.line(&format!("{}  {}  {}", used.last_day, used.count, one_line(&used.feature)))?;
            }
            Ok(())
        }
        Some(UsageVerb::Export { format, to }) => {
            let format = match format {
                Format::Csv => UsageFormat::Csv,
                Format::Json => UsageFormat::Json,
            };
            export(output, &session.call(ExportUsage { format })?, to)
        }
        Some(UsageVerb::Delete { older_than }) => {
            let deleted = session.call(DeleteUsage { older_than_days: older_than })?;
            if output.json {
                return output.json_line(&json!({ "deleted": deleted }));
            }
            output.line(&format!("{deleted} entries deleted"))
        }
    }
}

fn export(output: Output, text: &str, to: Option<PathBuf>) -> Result<(), Failure> {
    let Some(path) = to else { return output.text(text) };
    let written = std::fs::File::options().write(true).create_new(true).open(&path);
    let written = written.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| {
        Failure::validation(format!("cannot write {}: {error}", path_text(&path)), "Name a file that is not there yet.")
    })?;
    if output.json {
        return output.json_line(&json!({ "path": path.to_string_lossy(), "bytes": text.len() }));
    }
    output.line(&format!("written: {}", path_text(&path)))
}

fn report(session: &Session, output: Output, days: u32, by: By) -> Result<(), Failure> {
    let by = match by {
        By::Day => UsageGroup::Day,
        By::Provider => UsageGroup::Provider,
        By::Model => UsageGroup::Model,
        By::Agent => UsageGroup::Agent,
    };
    let report = session.call(GetUsage { query: UsageQuery { days, by } })?;
    if output.json {
        return output.json_line(&report);
    }
    let currency = one_line(&report.currency);
    for line in &report.lines {
        let key = if line.key.is_empty() { "chats" } else { &line.key };
        output.line(&format!("{}  {}", one_line(key), words(line, &currency)))?;
    }
    output.line(&format!("total  {}", words(&report.total, &currency)))?;
    if !report.without_price.is_empty() {
        let models: Vec<String> = report.without_price.iter().map(|model| one_line(model)).collect();
        output.note(&format!("without a price (usage.prices): {}", models.join(", ")));
    }
    if !report.recording {
        output.note("Nothing is counted: usage.record is off.");
    }
    Ok(())
}

fn words(line: &UsageLine, currency: &str) -> String {
    let cost = line.cost.map(|cost| format!(", {cost:.4} {currency}")).unwrap_or_default();
    format!(
        "{} calls ({} from the cache, {} failed), {} + {} tokens, {:.1} s{cost}",
        line.calls, line.cached, line.failed, line.prompt_tokens, line.answer_tokens, line.seconds
    )
}
