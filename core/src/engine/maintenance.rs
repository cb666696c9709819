//! The daily clean-up: activities, trash and log entries that have outlived their time, and what a wrong clock may not do.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Context;
use crate::api::{ApiError, ErrorCategory, Event};
use crate::model::{CleanedUp, Happening, Timestamp};
use crate::storage::maintenance::{self as stored, Maintenance};
use crate::storage::{activities, runs, tasks, trash, usage};
use crate::usage::DAYS_KEPT;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// The first look comes when the window has long been drawn.
const AFTER_START: Duration = Duration::from_secs(20);
/// A computer that slept does not count the time: so it is looked at the clock again after this at the latest.
const LONGEST_SLEEP: i64 = HOUR;
/// A clock this much behind what is stored was set back, not corrected.
const BACK: i64 = HOUR;
/// Ahead of the last clean-up by more than this, the daily one waits a day to see whether the clock goes on from there.
const AWAY: i64 = 7 * DAY;
/// As [`AWAY`], for a clean-up that the person asked for, and for what the person is told of.
const FAR: i64 = 300 * DAY;
const PART: &str = "clean-up";

/// Works until the window closes; one timer.
pub(super) async fn run(ctx: Context, cancel: CancellationToken) -> Result<(), ApiError> {
    let mut wait = AFTER_START;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
        ctx.begin_turn("maintenance");
        let inner = ctx.clone();
        wait = ctx.blocking(move || when_due(&inner)).await?;
    }
}

/// Cleans up if a day has passed; how long to wait until the next look.
fn when_due(ctx: &Context) -> Result<Duration, ApiError> {
    let now = ctx.clock.now();
    let state = stored::get(ctx.databases.main())?;
    let since = state.doubted.or(state.last).map_or(DAY, |at| now.0 - at.0);
    // A clock that went back is looked at as well.
    if !(0..DAY).contains(&since) {
        match clean_up(ctx, false) {
            Ok(_) => {}
            // Told already, in its own way.
            Err(error) if error.category == ErrorCategory::Validation => {}
            Err(error) => return Err(error),
        }
        return Ok(Duration::from_millis(LONGEST_SLEEP.unsigned_abs()));
    }
    Ok(Duration::from_millis((DAY - since).clamp(1_000, LONGEST_SLEEP).unsigned_abs()))
}

/// Removes what has outlived its time. `asked` when the person wants it now. Blocks.
///
/// # Errors
/// Category validation when the clock looks wrong: then nothing was removed.
pub fn clean_up(ctx: &Context, asked: bool) -> Result<CleanedUp, ApiError> {
    let main = ctx.databases.main();
    let now = ctx.clock.now();
    let state = stored::get(main)?;
    if let Err(doubt) = judge(now, state, activities::newest(main)?, asked) {
        // From when on the clock must go on to be believed; kept when it has gone on from there.
        let doubted = state.doubted.filter(|since| (0..=DAY).contains(&(now.0 - since.0))).unwrap_or(now);
        stored::put(main, Maintenance { doubted: Some(doubted), ..state })?;
        return Err(tell(ctx, &doubt));
    }
    let settings = ctx.settings.current();
    let before = |days: i64| Timestamp(now.0.saturating_sub(days.saturating_mul(DAY)));
    let cleaned = CleanedUp {
        activities: activities::prune(main, before(settings.retention.activities_days))?,
        trashed: trash::expire(main, before(settings.retention.trash_days))?,
        log_entries: ctx.observe.prune(before(settings.logging.database_days)),
    };
    let completed = before(settings.retention.completed_tasks_days);
    let tasks = tasks::prune(main, completed, before(settings.retention.failed_tasks_days))?;
    // Those of tasks went with them; what is left belongs to tasks in the trash, or to none.
    let days = settings.retention.completed_tasks_days.max(settings.retention.failed_tasks_days);
    runs::prune(main, before(days.max(settings.retention.trash_days)))?;
    let used = usage::prune(main, before(DAYS_KEPT))?;
    let history_bytes = u64::try_from(settings.database.history_mb).unwrap_or(256) << 20;
    main.prune_history(before(settings.database.history_days), history_bytes)?;
    stored::put(main, Maintenance { last: Some(now), doubted: None })?;
    ctx.clock_doubted.store(false, Ordering::Release);
    ctx.works_again(PART);
    let CleanedUp { activities, trashed, log_entries } = cleaned;
    tracing::info!(activities, trashed, log_entries, tasks, used, "cleaned up");
    if tasks > 0 {
        ctx.events.publish(None, Event::TasksChanged);
    }
    if trashed > 0 {
        ctx.events.publish(None, Event::TrashChanged);
    }
    if cleaned != CleanedUp::default() || tasks > 0 {
        let happening = Happening::new("maintenance.cleaned_up", "What had outlived its time was removed")
            .with("activities", activities)
            .with("trashed", trashed)
            .with("log_entries", log_entries)
            .with("tasks", tasks);
        ctx.activity(happening);
    }
    Ok(cleaned)
}

/// Why the clock is not believed.
#[derive(Debug, PartialEq)]
enum Doubt {
    /// The newest record is this much later than the clock.
    Behind(i64),
    /// The last clean-up is this long ago.
    Ahead(i64),
}

/// Whether things may be removed by this clock. One that jumped is believed once it has gone on for a day from there:
/// a clock that was wrong for an hour removes nothing, and one that was put right is not held against for ever.
fn judge(now: Timestamp, state: Maintenance, newest: Option<Timestamp>, asked: bool) -> Result<(), Doubt> {
    let latest = state.last.max(newest).unwrap_or(now);
    let ahead = state.last.map_or(0, |last| now.0 - last.0);
    let doubt = if latest.0 - now.0 > BACK {
        Doubt::Behind(latest.0 - now.0)
    } else if ahead > if asked { FAR } else { AWAY } {
        Doubt::Ahead(ahead)
    } else {
        return Ok(());
    };
    match state.doubted {
        Some(since) if (DAY..=FAR).contains(&(now.0 - since.0)) => Ok(()),
        _ => Err(doubt),
    }
}

/// Tells of a clock that looks wrong, once per run of the program; the error for whoever asked.
fn tell(ctx: &Context, doubt: &Doubt) -> ApiError {
    let days = |time: i64| time / DAY;
    let (words, alarming) = match doubt {
        Doubt::Behind(by) if *by < 2 * DAY => (format!("the clock is {} hours behind what is stored", by / HOUR), true),
        Doubt::Behind(by) => (format!("the clock is {} days behind what is stored", days(*by)), true),
        Doubt::Ahead(by) => (format!("the last clean-up was {} days ago", days(*by)), *by > FAR),
    };
    let detail = format!("{words}: nothing is removed until the clock has run on for a day");
    if !ctx.clock_doubted.swap(true, Ordering::AcqRel) {
        tracing::warn!("{detail}");
        if alarming {
            ctx.health(PART, false, &detail);
        }
    }
    ApiError::validation(detail, "Check the date of this computer; the next daily clean-up looks again.")
}

#[cfg(test)]
mod tests;
