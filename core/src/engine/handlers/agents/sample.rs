//! Sample data: added once, removed whole.

use crate::agents::sample;
use crate::api::{ApiError, Event};
use crate::engine::Context;
use crate::storage::tasks::{self, Change};
use crate::storage::{StorageError, WriteTxn, activities, agents, schedules};

/// Adds it in one change, in place of what there was of it; the number of things.
pub(super) fn add(ctx: &Context) -> Result<u64, ApiError> {
    let profile = ctx.profile;
    let change = Change { profile, now: ctx.clock.now() };
    let sample = sample::make(&ctx.ids, change.now);
    let added = ctx.databases.main().write(move |txn| {
        erase(txn, change)?;
        for agent in &sample.agents {
            agents::create_in(txn, profile, agent)?;
        }
        for done in &sample.outcomes {
            agents::count_outcome(txn, profile, done.agent, done.completed, done.worked_ms, done.tokens, done.at)?;
        }
        for activity in &sample.activities {
            activities::insert(txn, profile, activity)?;
        }
        for task in &sample.tasks {
            tasks::add_made(txn, change, task.clone())?;
        }
        for row in &sample.schedules {
            schedules::create_in(txn, profile, row)?;
        }
        let parts = [sample.agents.len(), sample.activities.len(), sample.tasks.len(), sample.schedules.len()];
        Ok(parts.into_iter().sum::<usize>() as u64)
    })?;
    ctx.happened("sample.added", "Sample data was added");
    tell(ctx);
    Ok(added)
}

/// Removes it and nothing else; the number of things.
pub(super) fn remove(ctx: &Context) -> Result<u64, ApiError> {
    let change = Change { profile: ctx.profile, now: ctx.clock.now() };
    let removed = ctx.databases.main().write(move |txn| erase(txn, change))?;
    if removed > 0 {
        ctx.happened("sample.removed", "Sample data was removed");
        tell(ctx);
    }
    Ok(removed)
}

fn erase(txn: &WriteTxn<'_>, change: Change) -> Result<u64, StorageError> {
    let made = tasks::remove_samples(txn, change)? + schedules::remove_samples(txn, change.profile)?;
    Ok(made + agents::erase_samples(txn, change.profile)? + activities::remove_samples(txn, change.profile)?)
}

fn tell(ctx: &Context) {
    ctx.publish(Event::AgentsChanged);
    ctx.publish(Event::TasksChanged);
    ctx.publish(Event::SchedulesChanged);
}
