//! Changes of agents: checked, stored, told, and written down where they give an agent more or less.

use super::{ground, words};
use crate::agents::{portable, types, validate};
use crate::api::{ApiError, Event};
use crate::engine::{Context, handlers};
use crate::model::{
    Agent, AgentDraft, AgentId, AgentStatus, Happening, PageRequest, TaskFilter, TaskSort, TaskStatus, TrashItem,
};
use crate::storage::audit::{self, AuditEntry};
use crate::storage::{agents, trash};

pub(super) fn create(ctx: &Context, draft: AgentDraft) -> Result<Agent, ApiError> {
    let ground = ground(ctx, &draft);
    let draft = validate::checked(draft, None, &ground)?;
    add(ctx, draft, AgentStatus::Active, "agent.created", "was made")
}

fn add(ctx: &Context, draft: AgentDraft, status: AgentStatus, kind: &str, what: &str) -> Result<Agent, ApiError> {
    let now = ctx.clock.now();
    let agent = Agent {
        id: AgentId(ctx.ids.next()),
        status,
        status_detail: String::new(),
        settings: draft,
        completed: 0,
        failed: 0,
        worked_ms: 0,
        last_active: None,
        created: now,
        updated: now,
        sample: false,
    };
    let made = agents::create(ctx.databases.main(), ctx.profile, agent)?;
    permitted(ctx, None, &made.settings)?;
    ctx.activity(happening(kind, &made, what));
    ctx.publish(Event::AgentsChanged);
    Ok(made)
}

pub(super) fn update(ctx: &Context, id: AgentId, draft: AgentDraft) -> Result<Agent, ApiError> {
    let main = ctx.databases.main();
    let before = agents::get(main, ctx.profile, id)?;
    let draft = validate::checked(draft.clone(), Some(&before.settings), &ground(ctx, &draft))?;
    if draft == before.settings {
        return Ok(before);
    }
    let agent = agents::update(main, ctx.profile, id, draft, ctx.clock.now())?;
    permitted(ctx, Some(&before.settings), &agent.settings)?;
    let mut happening = happening("agent.changed", &agent, "was changed");
    if before.settings.name != agent.settings.name {
        happening = happening.describe(format!("Before, its name was {}", before.settings.name));
    }
    ctx.activity(happening);
    ctx.publish(Event::AgentsChanged);
    Ok(agent)
}

/// `why` stands beside the status; empty when the person set it.
pub(in crate::engine) fn set_status(
    ctx: &Context,
    id: AgentId,
    status: AgentStatus,
    why: &str,
) -> Result<Agent, ApiError> {
    let now = ctx.clock.now();
    let (agent, changed) = agents::set_status(ctx.databases.main(), ctx.profile, id, status, why.to_owned(), now)?;
    if changed {
        let what = format!("is {}", words::status(status));
        ctx.activity(
            happening("agent.status.changed", &agent, &what).describe(why).with("status", words::status(status)),
        );
        let name = agent.settings.name.clone();
        ctx.publish(Event::AgentStatusChanged { agent: id, name, status });
        ctx.publish(Event::AgentsChanged);
        // What waits for this agent may go on, or may not.
        ctx.tasks()?.queue().wake();
    }
    Ok(agent)
}

/// The copy is inactive; its data and figures begin anew.
pub(super) fn duplicate(ctx: &Context, id: AgentId) -> Result<Agent, ApiError> {
    let main = ctx.databases.main();
    let mut draft = agents::get(main, ctx.profile, id)?.settings;
    draft.name = free_name(ctx, &format!("{} copy", cut(&draft.name)))?;
    add(ctx, draft, AgentStatus::Inactive, "agent.created", "was made as a copy")
}

/// Leaves room for what is added.
fn cut(name: &str) -> String {
    name.chars().take(validate::LONGEST_NAME - 12).collect()
}

fn free_name(ctx: &Context, name: &str) -> Result<String, ApiError> {
    let all = agents::list(ctx.databases.main(), ctx.profile)?;
    Ok(portable::free_name(name, |name| {
        let folded = name.to_lowercase();
        all.iter().any(|agent| agent.settings.name.to_lowercase() == folded)
    }))
}

pub(super) fn delete(ctx: &Context, id: AgentId) -> Result<TrashItem, ApiError> {
    let main = ctx.databases.main();
    let agent = agents::get(main, ctx.profile, id)?;
    let running = TaskFilter { agent: Some(id), status: vec![TaskStatus::Running], ..TaskFilter::default() };
    let tasks = ctx.tasks()?;
    let page = PageRequest { offset: 0, limit: 1_000 };
    let running = tasks.queue().list(&running, TaskSort::default(), page)?;
    let item = trash::agent(main, ctx.profile, id, handlers::trash::deletion(ctx))?;
    if !running.items.is_empty() {
        tasks.queue().cancel(running.items.into_iter().map(|task| task.id).collect())?;
    }
    ctx.activity(happening("agent.deleted", &agent, "was deleted"));
    ctx.publish(Event::AgentsChanged);
    ctx.publish(Event::TrashChanged);
    Ok(item)
}

/// A name that is taken gets a number; tools that this computer does not have stay in it and can do nothing.
pub(super) fn import(ctx: &Context, text: &str) -> Result<Agent, ApiError> {
    let mut draft = portable::draft_of(text, |kind| types::find(ctx.places.data(), kind))?;
    draft.name = free_name(ctx, &draft.name)?;
    let mut ground = ground(ctx, &draft);
    ground.tools = None;
    let draft = validate::checked(draft, None, &ground)?;
    add(ctx, draft, AgentStatus::Active, "agent.imported", "was imported")
}

/// Keeps in the audit log what an agent may do now and could not before, and the other way round.
fn permitted(ctx: &Context, before: Option<&AgentDraft>, now: &AgentDraft) -> Result<(), ApiError> {
    let changes = words::permissions(before, now);
    if changes.is_empty() {
        return Ok(());
    }
    let entry = AuditEntry {
        at: ctx.clock.now(),
        who: "the person".to_owned(),
        kind: "agent.permissions".to_owned(),
        subject: now.name.clone(),
        detail: changes.join("; "),
    };
    Ok(audit::add(ctx.databases.main(), entry)?)
}

fn happening(kind: &str, agent: &Agent, what: &str) -> Happening {
    Happening::new(kind, format!("Agent {} {what}", agent.settings.name)).with("agent", agent.id)
}
