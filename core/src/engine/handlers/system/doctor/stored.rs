//! What `rspa doctor` says of the stored data: its owner, its files, how the last run ended, time, and what piles up.

use super::check;
use crate::engine::Context;
use crate::model::{DoctorCheck, Timestamp};
use crate::storage::{
    Db, StorageError, activities as stored_activities, history as stored_history, maintenance, profiles,
    trash as stored_trash,
};

const HOUR_MS: i64 = 3_600_000;
/// 1 January 2025: this program did not exist before.
const EARLIEST: Timestamp = Timestamp(1_735_689_600_000);

pub(super) fn owner(ctx: &Context) -> DoctorCheck {
    let running = &ctx.session.running;
    check("owner", true, format!("a {} of version {}, process {}", running.role, running.version, running.pid))
}

/// Opens every file that there is.
pub(super) fn databases(ctx: &Context) -> DoctorCheck {
    let mut lines = Vec::new();
    let mut ok = true;
    let mut take = |name: String, db: Result<Db, StorageError>| match db.and_then(|db| db.read().map(|_| db)) {
        Ok(db) => {
            let bytes = std::fs::metadata(db.path()).map_or(0, |metadata| metadata.len());
            lines.push(format!("{name} at change {} ({} KiB)", db.last_change(), bytes >> 10));
        }
        Err(error) => {
            ok = false;
            lines.push(format!("{name}: {error}"));
        }
    };
    let databases = &ctx.databases;
    take("main.redb".to_owned(), Ok(databases.main().clone()));
    for profile in profiles::list(databases.main()).unwrap_or_default() {
        if profile.id == ctx.profile || ctx.places.knowledge_db(profile.id).exists() {
            take(format!("knowledge of {}", profile.name), databases.knowledge(profile.id));
        }
    }
    if ctx.places.cache_db().exists() {
        take("cache.redb".to_owned(), databases.cache());
    }
    check("databases", ok, lines.join(", "))
}

/// A run that was cut off is told, but is no fault: what it had confirmed is there.
pub(super) fn last_end(ctx: &Context) -> DoctorCheck {
    match &ctx.session.cut_off {
        None => check("last end", true, "the program ended properly"),
        Some(run) => {
            let which = if run.pid == 0 { String::new() } else { format!(" ({}, process {})", run.role, run.pid) };
            let words = format!("the last run{which} was cut off by a crash, a kill or a power cut");
            check("last end", true, format!("{words}; everything that was confirmed is there"))
        }
    }
}

/// The clock against what is stored.
pub(super) fn clock(ctx: &Context) -> DoctorCheck {
    let now = ctx.clock.now();
    let main = ctx.databases.main();
    let latest = stored_activities::newest(main).and_then(|newest| Ok(newest.max(maintenance::get(main)?.last)));
    match latest {
        Err(error) => check("clock", false, error.to_string()),
        Ok(_) if now < EARLIEST => check("clock", false, "it shows a date before this program was made"),
        Ok(Some(latest)) if latest.0 - now.0 > HOUR_MS => {
            let hours = (latest.0 - now.0) / HOUR_MS;
            check("clock", false, format!("it is {hours} hours behind what is stored; check the date of this computer"))
        }
        Ok(_) => check("clock", true, "it is later than everything that is stored"),
    }
}

/// What going back to an earlier minute costs.
pub(super) fn history(ctx: &Context) -> DoctorCheck {
    let settings = ctx.settings.current();
    match stored_history::bytes(ctx.databases.main()) {
        Ok(bytes) => {
            let (days, most) = (settings.database.history_days, settings.database.history_mb);
            check("change history", true, format!("{} KiB of {most} MiB at most, for {days} days", bytes >> 10))
        }
        Err(error) => check("change history", false, error.to_string()),
    }
}

pub(super) fn activities(ctx: &Context) -> DoctorCheck {
    let days = ctx.settings.current().retention.activities_days;
    let main = ctx.databases.main();
    match stored_activities::count(main).and_then(|count| Ok((count, maintenance::get(main)?))) {
        Ok((count, state)) => {
            let last = match state.last {
                Some(last) => format!("{} hours ago", (ctx.clock.now().0 - last.0).max(0) / HOUR_MS),
                None => "not yet".to_owned(),
            };
            let words = format!("{count} are kept, each for {days} days; last clean-up: {last}");
            check(
                "activities",
                state.doubted.is_none(),
                match state.doubted {
                    None => words,
                    Some(_) => format!("{words}; it waits because the clock jumped"),
                },
            )
        }
        Err(error) => check("activities", false, error.to_string()),
    }
}

pub(super) fn trash(ctx: &Context) -> DoctorCheck {
    let days = ctx.settings.current().retention.trash_days;
    match stored_trash::count(ctx.databases.main()) {
        Ok(count) => check("trash", true, format!("{count} things, each kept for {days} days")),
        Err(error) => check("trash", false, error.to_string()),
    }
}
