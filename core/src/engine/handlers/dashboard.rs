//! The family of the dashboard: figures over agents, tasks and schedules, each asked of the family that keeps it.

use tokio_util::sync::CancellationToken;

use super::chats::days_until;
use super::{agents, approvals, schedules, tasks};
use crate::api::ApiError;
use crate::api::request::agents::{AgentsRequest, AgentsResponse, ListAgents};
use crate::api::request::approvals::{ApprovalsRequest, ApprovalsResponse, ListApprovals};
use crate::api::request::dashboard::{DashboardRequest as Request, DashboardResponse as Response};
use crate::api::request::schedules::{ListSchedules, SchedulesRequest, SchedulesResponse};
use crate::api::request::tasks::{CountTasks, GetBoard, GetTask, ListTasks, TasksRequest, TasksResponse};
use crate::engine::Context;
use crate::model::{
    ActivityFilter, AgentFilter, AgentStatus, Board, BoardColumn, Dashboard, NotificationKind, PageRequest, Schedule,
    Task, TaskCounts, TaskFilter, TaskSort, TaskStatus, Timestamp, TrendPoint,
};
use crate::storage::agents::{Outcomes, outcomes};
use crate::storage::{activities, chats, notifications};

const HOUR_MS: i64 = 3_600_000;
const MOST_DAYS: u32 = 365;
/// Rows of each list.
const ROWS: usize = 12;
/// Unread news of failures that are looked through.
const FAILURES: u32 = 50;

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    match request {
        Request::GetDashboard(get) => dashboard(ctx, &cancel, get.days).await.map(Response::GetDashboard),
    }
}

async fn dashboard(ctx: &Context, cancel: &CancellationToken, days: u32) -> Result<Dashboard, ApiError> {
    let now = ctx.clock.now();
    let both = boundaries(now, days.clamp(1, MOST_DAYS));
    let middle = both.len() / 2;
    let window = both[middle..].to_vec();
    let mut problems = Problems::default();

    let agents = problems.of("agents", list_agents(ctx, cancel).await);
    let counts = problems.of("tasks", count_tasks(ctx, cancel).await);
    let board = problems.of("tasks", board(ctx, cancel).await);
    let schedules = problems.of("schedules", list_schedules(ctx, cancel).await);
    let approvals = problems.of("approvals", list_approvals(ctx, cancel).await);
    let created = problems.of("tasks", created(ctx, cancel, &window).await);
    let failed = problems.of("tasks", unseen_failures(ctx, cancel).await);

    let (main, profile, token) = (ctx.databases.main().clone(), ctx.profile, cancel.clone());
    let (spans, all) = (window.clone(), both);
    let read = move || {
        let model = chats::activity(&main, profile, &all)?;
        let outcomes = outcomes(&main, profile, &all)?;
        let count = |from: Timestamp, until: Timestamp| -> Result<u64, ApiError> {
            let filter = ActivityFilter { from: Some(from), until: Some(until), ..ActivityFilter::default() };
            let none = PageRequest { offset: 0, limit: 0 };
            let found = activities::list(&main, profile, &filter, none, &|| token.is_cancelled())?;
            Ok(found.ok_or_else(ApiError::cancelled)?.total)
        };
        let happened = spans.windows(2).map(|span| count(span[0], span[1])).collect::<Result<Vec<_>, _>>()?;
        let lately = count(Timestamp(now.0 - 24 * HOUR_MS), Timestamp(now.0 + 1))?;
        Ok((model, outcomes, happened, lately))
    };
    let (model, outcomes, happened, activities_24h) = ctx.blocking(read).await?;
    let (before, current) = outcomes.split_at(middle.min(outcomes.len()));
    let (model_before, model) = model.split_at(middle.min(model.len()));
    let seconds = |spans: &[chats::Activity]| spans.iter().map(|span| span.model_seconds).sum::<f64>();
    let completed = |spans: &[Outcomes]| spans.iter().map(|span| u64::from(span.completed)).sum::<u64>();

    let trend = window
        .windows(2)
        .enumerate()
        .map(|(at, span)| {
            let done = current.get(at).copied().unwrap_or_default();
            TrendPoint {
                at: span[0],
                created: created.get(at).copied().unwrap_or(0),
                completed: done.completed,
                failed: done.failed,
                execution_s: done.worked_ms as f64 / 1000.0,
                model_s: model.get(at).map_or(0.0, |span| span.model_seconds),
                activities: happened.get(at).map_or(0, |count| u32::try_from(*count).unwrap_or(u32::MAX)),
            }
        })
        .collect();
    let mut needs_you = column(&board, BoardColumn::NeedsYou);
    for task in failed {
        if needs_you.iter().all(|known| known.id != task.id) {
            needs_you.push(task);
        }
    }
    let mut ended = column(&board, BoardColumn::Done);
    ended.sort_by_key(|task| std::cmp::Reverse(task.completed.unwrap_or(task.updated)));
    Ok(Dashboard {
        at: now,
        agents: agents.0,
        agents_active: agents.1,
        tasks: counts,
        success_rate: rate(current),
        success_rate_before: rate(before),
        execution_hours: hours(current),
        execution_hours_before: hours(before),
        completed: completed(current),
        completed_before: completed(before),
        model_s: seconds(model),
        model_s_before: seconds(model_before),
        activities_24h,
        trend,
        running: column(&board, BoardColumn::Running),
        next: column(&board, BoardColumn::Queued),
        ended,
        schedules,
        approvals,
        needs_you,
        problems: problems.0,
    })
}

/// Ends of spans, for the window and the one before it: hours for one day, else local days.
fn boundaries(now: Timestamp, days: u32) -> Vec<Timestamp> {
    if days > 1 {
        return days_until(now, 2 * days as usize);
    }
    let end = (now.0.div_euclid(HOUR_MS) + 1) * HOUR_MS;
    (0..=48).rev().map(|back| Timestamp(end - back * HOUR_MS)).collect()
}

fn rate(spans: &[Outcomes]) -> Option<f64> {
    let sum = |of: fn(&Outcomes) -> u32| spans.iter().map(|span| u64::from(of(span))).sum::<u64>();
    let (completed, failed) = (sum(|span| span.completed), sum(|span| span.failed));
    (completed + failed > 0).then(|| completed as f64 / (completed + failed) as f64)
}

fn hours(spans: &[Outcomes]) -> f64 {
    spans.iter().map(|span| span.worked_ms).sum::<u64>() as f64 / HOUR_MS as f64
}

fn column(board: &Option<Board>, wanted: BoardColumn) -> Vec<Task> {
    let columns = board.iter().flat_map(|board| &board.columns);
    columns.filter(|content| content.column == wanted).flat_map(|content| content.tasks.iter().cloned()).collect()
}

/// What could not be read.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn of<T: Default>(&mut self, part: &str, result: Result<T, ApiError>) -> T {
        result.unwrap_or_else(|error| {
            let words = format!("{part}: {}", error.message);
            if !self.0.contains(&words) {
                self.0.push(words);
            }
            T::default()
        })
    }
}

/// All, and those that are active.
async fn list_agents(ctx: &Context, cancel: &CancellationToken) -> Result<(u64, u64), ApiError> {
    let request = AgentsRequest::ListAgents(ListAgents { filter: AgentFilter::default() });
    let AgentsResponse::ListAgents(all) = agents::handle(ctx, cancel.clone(), request).await? else {
        return Err(ApiError::cancelled());
    };
    let active = all.iter().filter(|agent| agent.status == AgentStatus::Active).count();
    Ok((all.len() as u64, active as u64))
}

async fn count_tasks(ctx: &Context, cancel: &CancellationToken) -> Result<TaskCounts, ApiError> {
    match tasks::handle(ctx, cancel.clone(), TasksRequest::CountTasks(CountTasks {})).await? {
        TasksResponse::CountTasks(counts) => Ok(counts),
        _ => Err(ApiError::cancelled()),
    }
}

async fn board(ctx: &Context, cancel: &CancellationToken) -> Result<Option<Board>, ApiError> {
    let get = GetBoard { filter: TaskFilter::default(), per_column: ROWS as u32 };
    match tasks::handle(ctx, cancel.clone(), TasksRequest::GetBoard(get)).await? {
        TasksResponse::GetBoard(board) => Ok(Some(board)),
        _ => Err(ApiError::cancelled()),
    }
}

/// How many tasks were made in each span.
async fn created(ctx: &Context, cancel: &CancellationToken, window: &[Timestamp]) -> Result<Vec<u32>, ApiError> {
    let mut counts = Vec::new();
    for span in window.windows(2) {
        let filter = TaskFilter { from: Some(span[0]), until: Some(span[1]), ..TaskFilter::default() };
        let page = PageRequest { offset: 0, limit: 0 };
        let request = TasksRequest::ListTasks(ListTasks { filter, sort: TaskSort::Created, page });
        let TasksResponse::ListTasks(page) = tasks::handle(ctx, cancel.clone(), request).await? else {
            return Err(ApiError::cancelled());
        };
        counts.push(u32::try_from(page.total).unwrap_or(u32::MAX));
    }
    Ok(counts)
}

/// Failed tasks of which the news was not read yet.
async fn unseen_failures(ctx: &Context, cancel: &CancellationToken) -> Result<Vec<Task>, ApiError> {
    let (main, profile) = (ctx.databases.main().clone(), ctx.profile);
    let page = PageRequest { offset: 0, limit: FAILURES };
    let unread = ctx.blocking(move || Ok(notifications::list(&main, profile, true, page)?)).await?;
    let failed = unread.items.into_iter().filter(|told| told.kind == NotificationKind::Failed);
    let mut found: Vec<Task> = Vec::new();
    for id in failed.filter_map(|told| told.task) {
        let known = found.iter().any(|task| task.id == id);
        if known || found.len() == ROWS {
            continue;
        }
        let request = TasksRequest::GetTask(GetTask { id });
        // One that was deleted needs nobody.
        if let Ok(TasksResponse::GetTask(detail)) = tasks::handle(ctx, cancel.clone(), request).await
            && detail.task.status == TaskStatus::Failed
        {
            found.push(detail.task);
        }
    }
    Ok(found)
}

/// The next ones.
async fn list_schedules(ctx: &Context, cancel: &CancellationToken) -> Result<Vec<Schedule>, ApiError> {
    let request = SchedulesRequest::ListSchedules(ListSchedules { text: String::new() });
    let SchedulesResponse::ListSchedules(mut all) = schedules::handle(ctx, cancel.clone(), request).await? else {
        return Err(ApiError::cancelled());
    };
    all.retain(|schedule| schedule.settings.enabled && schedule.next_run.is_some());
    all.sort_by_key(|schedule| schedule.next_run);
    all.truncate(ROWS);
    Ok(all)
}

async fn list_approvals(ctx: &Context, cancel: &CancellationToken) -> Result<Vec<crate::model::Approval>, ApiError> {
    let page = PageRequest { offset: 0, limit: ROWS as u32 };
    let request = ApprovalsRequest::ListApprovals(ListApprovals { waiting: true, task: None, page });
    match approvals::handle(ctx, cancel.clone(), request).await? {
        ApprovalsResponse::ListApprovals(page) => Ok(page.items),
        _ => Err(ApiError::cancelled()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_and_the_one_before_are_of_equal_length() {
        let now = Timestamp(1_760_000_000_000);
        let hours = boundaries(now, 1);
        assert_eq!((hours.len(), hours[48].0 - hours[24].0), (49, 24 * HOUR_MS));
        assert!(hours[47] <= now && hours[48] > now);
        let days = boundaries(now, 7);
        assert_eq!(days.len(), 15);
        assert!(days[13] <= now && days[14] > now);
    }

    #[test]
    fn rates_and_hours_are_those_of_all_spans() {
        let span = |completed, failed| Outcomes { completed, failed, worked_ms: 1_800_000 };
        assert_eq!(rate(&[span(3, 1), span(0, 0)]), Some(0.75));
        assert_eq!(rate(&[span(0, 0)]), None);
        assert!((hours(&[span(0, 0), span(1, 1)]) - 1.0).abs() < 1e-9);
    }
}
