//! `rspa activities`: what happened, filtered by kind, agent, time and text; clean-up now.

use clap::{Args, Subcommand};
use rspa_core::api::request::activities::{CleanUp, ListActivities};
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::model::{Activity, ActivityFilter, Page, PageRequest, Timestamp};

use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::session::Session;

/// Rows that are asked for at once.
const PAGE: u32 = 1_000;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ActivitiesArguments {
    #[command(subcommand)]
    verb: Option<ActivitiesVerb>,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Subcommand)]
enum ActivitiesVerb {
    /// Remove now what is older than the settings say: activities, trash, log entries
    Cleanup,
}

#[derive(Args)]
struct ListArguments {
    /// A kind such as source.indexed, or a family such as source
    #[arg(long, default_value = "")]
    kind: String,
    /// Only what this agent did
    #[arg(long)]
    agent: Option<String>,
    /// From this time on: 2026-11-20, 2026-11-20T08:30, or back from now: 30m, 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// In title or description
    #[arg(long, default_value = "")]
    text: String,
    /// The newest so many; 0 for all
    #[arg(long, default_value_t = 50)]
    limit: u64,
}

pub fn run(context: &Context, arguments: ActivitiesArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    if let Some(ActivitiesVerb::Cleanup) = arguments.verb {
        let cleaned = session.call(CleanUp {})?;
        if output.json {
            return output.json_line(&cleaned);
        }
        return output.line(&format!(
            "Removed: {} activities, {} things in the trash, {} log entries.",
            cleaned.activities, cleaned.trashed, cleaned.log_entries
        ));
    }
    let found = find(&session, arguments.list)?;
    if output.json {
        return output.json_line(&found);
    }
    if found.items.is_empty() {
        output.note("Nothing happened that fits.");
    }
    found.items.iter().try_for_each(|one| show(output, one))?;
    let more = found.total.saturating_sub(found.items.len() as u64);
    if more > 0 {
        output.note(&format!("{more} older ones are not shown; --limit 0 shows all."));
    }
    Ok(())
}

/// Page after page, until there are as many as are wanted.
fn find(session: &Session, wanted: ListArguments) -> Result<Page<Activity>, Failure> {
    let ListArguments { kind, agent, since, until, text, limit } = wanted;
    let limit = if limit == 0 { u64::MAX } else { limit };
    let filter = ActivityFilter { kind, agent, from: since, until, text };
    let mut all = Page { items: Vec::new(), total: 0, offset: 0 };
    loop {
        let have = all.items.len() as u64;
        let ask = u32::try_from(limit - have).unwrap_or(PAGE).min(PAGE);
        let page = PageRequest { offset: have, limit: ask };
        let page = session.call(ListActivities { filter: filter.clone(), page })?;
        all.total = page.total;
        let got = page.items.len();
        all.items.extend(page.items);
        if got < ask as usize || all.items.len() as u64 >= limit {
            return Ok(all);
        }
    }
}

fn show(output: Output, one: &Activity) -> Result<(), Failure> {
    let agent = one.agent.as_deref().map(|agent| format!("  [{}]", one_line(agent))).unwrap_or_default();
    let line = format!("{}  {:<22}  {}{agent}", moment(one.at), one_line(&one.kind), one_line(&one.title));
    output.line(line.trim_end())?;
    match one.description.is_empty() {
        true => Ok(()),
        false => output.line(&format!("    {}", one_line(&one.description))),
    }
}

/// Local time, to the second.
pub fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// A day, a day with a time, a whole timestamp, or a length of time back from now.
pub fn time(text: &str) -> Result<Timestamp, String> {
    time_from(text, SystemClock.now())
}

fn time_from(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    let units = [('m', 60_000), ('h', 3_600_000), ('d', 86_400_000), ('w', 7 * 86_400_000)];
    for (unit, milliseconds) in units {
        if let Some(count) = text.strip_suffix(unit).and_then(|count| count.parse::<u32>().ok()) {
            return Ok(Timestamp(now.0.saturating_sub(i64::from(count) * milliseconds)));
        }
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(at.as_millisecond()));
    }
    let local = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_no_time| text.parse::<jiff::civil::Date>().map(jiff::civil::DateTime::from))
        .ok()
        .and_then(|at| at.to_zoned(jiff::tz::TimeZone::system()).ok());
    match local {
        Some(at) => Ok(Timestamp(at.timestamp().as_millisecond())),
        None => Err("expected a day (2026-11-20), a time (2026-11-20T08:30), or 30m, 12h, 7d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days_moments_or_lengths() {
        let now = Timestamp(1_760_000_000_000);
        let at = |text: &str| time_from(text, now);
        assert_eq!(at("2h"), Ok(Timestamp(now.0 - 7_200_000)));
        assert_eq!(at(" 1w "), Ok(Timestamp(now.0 - 7 * 86_400_000)));
        assert_eq!(at("2025-10-09T08:53:20Z"), Ok(now));
        let day = at("2025-10-09").unwrap();
        assert!((now.0 - day.0).abs() < 2 * 86_400_000);
        assert_eq!(at("2025-10-09T01:00").unwrap().0 - day.0, 3_600_000);
        for wrong in ["", "yesterday", "-3d", "9999999999h", "2025-13-01"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }
}
