//! Sample data: added once, removed whole.

use crate::agents::sample;
use crate::api::{ApiError, Event};
use crate::engine::Context;
use crate::storage::{StorageError, activities, agents};

/// Adds it in one change, in place of what there was of it; the number of things.
pub(super) fn add(ctx: &Context) -> Result<u64, ApiError> {
    let profile = ctx.profile;
    let sample = sample::make(&ctx.ids, ctx.clock.now());
    let added = ctx.databases.main().write(move |txn| {
        agents::erase_samples(txn, profile)?;
        activities::remove_samples(txn, profile)?;
        for agent in &sample.agents {
            agents::create_in(txn, profile, agent)?;
        }
        for done in &sample.outcomes {
            agents::count_outcome(txn, profile, done.agent, done.completed, done.worked_ms, done.tokens, done.at)?;
        }
        for activity in &sample.activities {
            activities::insert(txn, profile, activity)?;
        }
        Ok::<_, StorageError>((sample.agents.len() + sample.activities.len()) as u64)
    })?;
    ctx.happened("sample.added", "Sample data was added");
    tell(ctx);
    Ok(added)
}

/// Removes it and nothing else; the number of things.
pub(super) fn remove(ctx: &Context) -> Result<u64, ApiError> {
    let profile = ctx.profile;
    let removed = ctx
        .databases
        .main()
        .write(move |txn| Ok(agents::erase_samples(txn, profile)? + activities::remove_samples(txn, profile)?))?;
    if removed > 0 {
        ctx.happened("sample.removed", "Sample data was removed");
        tell(ctx);
    }
    Ok(removed)
}

fn tell(ctx: &Context) {
    ctx.publish(Event::AgentsChanged);
    ctx.publish(Event::TasksChanged);
    ctx.publish(Event::SchedulesChanged);
}
