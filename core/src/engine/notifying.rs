//! Tells the person what they want to know without looking: `Context::notify`, and the worker that listens for it.

use std::collections::VecDeque;

use tokio_util::sync::CancellationToken;

use super::Context;
use crate::api::{ApiError, Event, EventEnvelope, Heard};
use crate::model::{
    Activity, AgentId, Approval, ApprovalId, Notification, NotificationId, NotificationKind, ProfileId, Task, TaskId,
    TaskStatus, Wait,
};
use crate::storage::notifications;

/// A task that ended longer ago is no news, whatever changes about it.
const NEWS_MS: i64 = 60_000;
/// What was told lately, so that it is not told again.
const REMEMBERED: usize = 1_000;
/// Longest title and detail, in characters.
const LONGEST: usize = 300;

/// What the person is told, before it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    pub kind: NotificationKind,
    pub title: String,
    pub detail: String,
    pub task: Option<TaskId>,
    pub agent: Option<AgentId>,
    pub approval: Option<ApprovalId>,
}

impl News {
    pub fn new(kind: NotificationKind, title: impl Into<String>, detail: impl Into<String>) -> Self {
        let (title, detail) = (title.into(), detail.into());
        Self { kind, title, detail, task: None, agent: None, approval: None }
    }

    fn kept(self, id: NotificationId, at: crate::model::Timestamp) -> Notification {
        let Self { kind, title, detail, task, agent, approval } = self;
        let short = |text: String| match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        };
        Notification { id, at, kind, title: short(title), detail: short(detail), read: false, task, agent, approval }
    }
}

impl Context {
    /// Keeps what the person should know of this profile, and tells it once it is kept.
    pub fn notify(&self, news: News) {
        let ctx = self.clone();
        self.spawn(async move { tell(&ctx, ctx.profile, news).await });
    }
}

async fn tell(ctx: &Context, profile: ProfileId, news: News) {
    let told = news.kept(NotificationId(ctx.ids.next()), ctx.clock.now());
    match notifications::add(ctx.databases.main(), profile, told.clone()).await {
        Ok(()) => ctx.events.publish(Some(profile), Event::NotificationAdded { notification: told }),
        Err(error) => tracing::warn!(%error, title = told.title, "a notification was not stored"),
    }
}

/// Listens to what happens in all profiles and tells what the person waits for.
pub(super) async fn run(ctx: Context, cancel: CancellationToken) -> Result<(), ApiError> {
    let mut listener = ctx.events.listen();
    let mut told = Told::default();
    ctx.begin_turn("notifications");
    loop {
        let heard = tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            heard = listener.recv() => heard,
        };
        match heard {
            Heard::Event(EventEnvelope { profile: Some(profile), event, .. }) => {
                hear(&ctx, profile, event, &mut told).await?;
            }
            Heard::Event(_) | Heard::Gap(_) => {}
            Heard::Closed => return Ok(()),
        }
    }
}

async fn hear(ctx: &Context, profile: ProfileId, event: Event, told: &mut Told) -> Result<(), ApiError> {
    match event {
        Event::TaskChanged { task } => {
            if let Some((news, at)) = of_task(&task)
                && ctx.clock.now().0 - at < NEWS_MS
                && told.first_time((task.id.0.as_u128(), news.kind, at))
            {
                tell(ctx, profile, news).await;
            }
        }
        Event::ApprovalAsked { approval }
            if told.first_time((approval.id.0.as_u128(), NotificationKind::NeedsYou, 0)) =>
        {
            tell(ctx, profile, of_approval(&approval)).await;
        }
        Event::ApprovalEnded { approval } => {
            let (main, id) = (ctx.databases.main().clone(), approval.id);
            let read = move || Ok(notifications::mark_read(&main, profile, move |told| told.approval == Some(id))?);
            if ctx.blocking(read).await?.1 {
                ctx.events.publish(Some(profile), Event::NotificationsChanged);
            }
        }
        Event::ActivityCreated { activity } => {
            if let Some(news) = of_activity(&activity) {
                tell(ctx, profile, news).await;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What a task's change says, and since when.
fn of_task(task: &Task) -> Option<(News, i64)> {
    let who = if task.agent_name.is_empty() { format!("#{}", task.number) } else { task.agent_name.clone() };
    let (mut news, at) = match (task.status, &task.waits) {
        // The person's own task is no news to the person.
        // A step of a crew is no news: the end of its run is.
        (TaskStatus::Completed | TaskStatus::Failed, _) if crate::crews::marked(&task.input).is_some() => return None,
        (TaskStatus::Completed, _) if task.agent.is_some() => {
            let first =
                task.output.as_ref().and_then(|output| output.text.lines().find(|line| !line.trim().is_empty()));
            let detail = format!("{who}: {}", first.unwrap_or("done"));
            (News::new(NotificationKind::Done, format!("“{}” is done", task.title), detail), task.completed?.0)
        }
        (TaskStatus::Failed, _) => {
            let why = task.error.as_ref().map_or("it failed", |error| error.message.as_str());
            let title = format!("“{}” failed", task.title);
            (
                News::new(NotificationKind::Failed, title, format!("{who}: {why}")),
                task.completed.unwrap_or(task.updated).0,
            )
        }
        (_, Some(Wait::Repeat { .. })) => {
            let detail = "It was cut off, and what it did may not be done twice without your word.";
            let title = format!("“{}” waits for you", task.title);
            (News::new(NotificationKind::NeedsYou, title, detail), task.updated.0)
        }
        _ => return None,
    };
    news.task = Some(task.id);
    news.agent = task.agent;
    Some((news, at))
}

fn of_approval(approval: &Approval) -> News {
    let title = format!("{} asks: {}", approval.agent_name, approval.title);
    News {
        task: approval.task,
        agent: Some(approval.agent),
        approval: Some(approval.id),
        ..News::new(NotificationKind::NeedsYou, title, approval.task_title.clone())
    }
}

/// Schedules and crews tell through the list of what happened.
fn of_activity(activity: &Activity) -> Option<News> {
    let kind = match activity.kind.as_str() {
        "schedule.failed" => NotificationKind::Failed,
        "schedule.missed" => NotificationKind::Info,
        "crew.run.completed" => NotificationKind::Done,
        "crew.run.failed" => NotificationKind::Failed,
        _ => return None,
    };
    Some(News::new(kind, activity.title.clone(), activity.description.clone()))
}

/// What was told lately.
#[derive(Default)]
struct Told(VecDeque<(u128, NotificationKind, i64)>);

impl Told {
    fn first_time(&mut self, what: (u128, NotificationKind, i64)) -> bool {
        if self.0.contains(&what) {
            return false;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(what);
        true
    }
}

#[cfg(test)]
mod tests;
