//! The family of backups and checks of the database.

mod offline;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use offline::OfflineBackups;

use crate::api::request::backups::{BackupsRequest as Request, BackupsResponse as Response};
use crate::api::{ApiError, ErrorCategory, Event};
use crate::backups::{self, BackupError, Created, Desk, Watch};
use crate::clock::Clock;
use crate::engine::{Context, JobHandle, Service};
use crate::model::{BackupInfo, BackupReason, BackupState, DoctorCheck, JobKind, RestoreFrom, RestoreMode, Restored};
use crate::settings::Settings;
use crate::storage::disk::SystemDisk;
use crate::storage::{Db, DbOptions, profiles};
use crate::workspace::places::{Places, free_disk};

/// After the start of a window, before a missed backup is made: everything else goes first.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks whether the daily backup is due.
const LOOK: Duration = Duration::from_secs(60);
/// A daily backup that failed is tried again after so many looks.
const LOOKS_AFTER_FAILURE: u32 = 30;
const HOUR_MS: i64 = 3_600_000;
/// Without a daily backup for so long something is wrong.
const LONG_AGO_HOURS: i64 = 72;
const SECOND_FOLDER: &str = "second backup folder";
const DAILY: &str = "daily backup";

/// The backups as the engine holds them.
pub struct Backups {
    desk: Desk,
}

/// Where the backups of a data folder are worked on.
pub(crate) fn desk(places: &Places, settings: &Arc<Settings>, clock: &Arc<dyn Clock>, main: Option<Db>) -> Desk {
    Desk {
        data: places.data().to_owned(),
        options: DbOptions { disk: Arc::new(SystemDisk), clock: clock.clone(), ..DbOptions::default() },
        settings: settings.clone(),
        main,
        // What cannot be asked is found out by writing.
        room: Arc::new(|folder: &Path| free_disk(folder).unwrap_or(u64::MAX)),
        zone: jiff::tz::TimeZone::system(),
    }
}

impl Service for Backups {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self { desk: desk(&ctx.places, &ctx.settings, &ctx.clock, Some(ctx.databases.main().clone())) })
    }

    fn start(&self, ctx: &Context) {
        ctx.spawn_worker(DAILY, daily);
    }

    fn doctor(&self, ctx: &Context) -> Vec<DoctorCheck> {
        let list = self.desk.list();
        let now = ctx.clock.now();
        let check = |name: &str, ok: bool, detail: String| DoctorCheck { name: name.to_owned(), ok, detail };
        let mut checks = vec![match (&list.problem, list.backups.first()) {
            (Some(problem), _) => check("backups", false, problem.clone()),
            (None, None) => check("backups", true, "none were made yet".to_owned()),
            (None, Some(newest)) => {
                let hours = (now.0 - newest.made.0).max(0) / HOUR_MS;
                let verified = self.desk.verify(&newest.name, &backups::Unwatched);
                let old = list.next_daily.is_some() && hours > LONG_AGO_HOURS;
                match verified.as_ref().map(|info| &info.state) {
                    Ok(BackupState::Bad { why }) => {
                        check("backups", false, format!("the newest cannot be used: {why}"))
                    }
                    Err(error) => check("backups", false, format!("{} could not be verified: {error}", newest.name)),
                    Ok(_) => check(
                        "backups",
                        !old,
                        format!("{}, the newest is {hours} hours old and verified", count(list.backups.len())),
                    ),
                }
            }
        }];
        checks.extend(list.second_folder.as_ref().map(|folder| {
            let shown = folder.display();
            match &list.second_problem {
                None => check(SECOND_FOLDER, true, format!("{shown} can be reached")),
                Some(problem) => check(SECOND_FOLDER, false, problem.clone()),
            }
        }));
        checks
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 backup".to_owned() } else { format!("{n} backups") }
}

/// Makes the daily backup when it is due.
async fn daily(ctx: Context, cancel: CancellationToken) -> Result<(), ApiError> {
    let mut pause = PATIENCE;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
        pause = LOOK;
        let service = ctx.backups()?;
        let looker = service.clone();
        match ctx.background("backup", move || Ok(looker.desk.daily_is_due()?)).await {
            Ok(false) => continue,
            Ok(true) => {}
            Err(error) => ctx.health(DAILY, false, &error.message),
        }
        let token = cancel.child_token();
        match create(&ctx, service, BackupReason::Daily, None, token).await {
            Ok(_) => ctx.health(DAILY, true, "was made"),
            Err(_stopped) if cancel.is_cancelled() => return Ok(()),
            Err(error) => {
                ctx.health(
                    DAILY,
                    false,
                    &format!("the daily backup was not made: {}. {}", error.message, error.advice),
                );
                pause = LOOK * LOOKS_AFTER_FAILURE;
            }
        }
    }
}

/// A job that is shown, and the request that waits for it: either can stop the work.
struct JobWatch {
    job: JobHandle,
    cancel: CancellationToken,
}

impl Watch for JobWatch {
    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    fn progress(&self, done: u64, total: u64) {
        self.job.progress(done, total);
    }
}

/// Runs long work at low priority, shown as a job.
async fn watched<T: Send + 'static>(
    ctx: &Context,
    label: String,
    cancel: CancellationToken,
    work: impl FnOnce(&JobWatch) -> Result<T, BackupError> + Send + 'static,
) -> Result<T, ApiError> {
    let job = ctx.jobs.start(JobKind::Backup, label, "bytes", 0, cancel.clone());
    let watch = JobWatch { job, cancel };
    ctx.background("backup", move || {
        let result = work(&watch).map_err(ApiError::from);
        watch.job.finish(result.as_ref().map(|_| ()).map_err(ApiError::clone));
        result
    })
    .await
}

async fn create(
    ctx: &Context,
    service: Arc<Backups>,
    reason: BackupReason,
    to: Option<std::path::PathBuf>,
    cancel: CancellationToken,
) -> Result<BackupInfo, ApiError> {
    let label = match reason {
        BackupReason::Daily => "Daily backup",
        BackupReason::Restore => "Backup before restoring",
        BackupReason::Manual | BackupReason::Migration => "Backup",
    };
    let Created { info, second, removed } =
        watched(ctx, label.to_owned(), cancel, move |watch| service.desk.create(reason, to.as_deref(), watch)).await?;
    match second {
        Some(Ok(())) => ctx.health(SECOND_FOLDER, true, "works again"),
        Some(Err(error)) => {
            ctx.health(SECOND_FOLDER, false, &format!("the backup was not copied into the second folder: {error}"));
        }
        None => {}
    }
    tracing::info!(name = info.name, bytes = info.size_bytes, removed = removed.len(), "a backup was made");
    ctx.happened("backup.finished", &info.name);
    ctx.events.publish(None, Event::BackupsChanged);
    Ok(info)
}

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let service = ctx.backups()?;
    match request {
        Request::ListBackups(_) => ctx.blocking(move || Ok(service.desk.list())).await.map(Response::ListBackups),
        Request::CreateBackup(make) => {
            if make.to.as_ref().is_some_and(|folder| !folder.is_absolute()) {
                return Err(ApiError::validation("the folder must be given from the root on", "Give its whole path."));
            }
            create(ctx, service, BackupReason::Manual, make.to, cancel).await.map(Response::CreateBackup)
        }
        Request::VerifyBackup(verify) => {
            let label = format!("Verify {}", verify.name);
            let info = watched(ctx, label, cancel, move |watch| service.desk.verify(&verify.name, watch)).await?;
            ctx.events.publish(None, Event::BackupsChanged);
            Ok(Response::VerifyBackup(info))
        }
        Request::DeleteBackup(delete) => {
            let name = delete.name.clone();
            ctx.blocking(move || Ok(service.desk.delete(&delete.name)?)).await?;
            ctx.happened("backup.deleted", &name);
            ctx.events.publish(None, Event::BackupsChanged);
            Ok(Response::DeleteBackup(()))
        }
        Request::PreviewRestore(preview) => {
            let label = "Look at another state".to_owned();
            let found = watched(ctx, label, cancel, move |watch| service.desk.preview(preview.from, watch)).await?;
            Ok(Response::PreviewRestore(found))
        }
        Request::RestoreBackup(restore) => {
            self::restore(ctx, service, restore.from, restore.mode, cancel).await.map(Response::RestoreBackup)
        }
        Request::GetHistoryRange(_) => {
            ctx.blocking(move || Ok(service.desk.history_range()?)).await.map(Response::GetHistoryRange)
        }
    }
}

async fn restore(
    ctx: &Context,
    service: Arc<Backups>,
    from: RestoreFrom,
    mode: RestoreMode,
    cancel: CancellationToken,
) -> Result<Restored, ApiError> {
    let safety = create(ctx, service.clone(), BackupReason::Restore, None, cancel.clone()).await?.name;
    match mode {
        RestoreMode::Replace => {
            let work = move |watch: &JobWatch| service.desk.replace(&from, watch);
            let replaced = watched(ctx, "Restore".to_owned(), cancel, work).await?;
            tracing::info!(from = replaced.from, "another state is prepared and comes into force at the next start");
            ctx.events.publish(None, Event::RestartNeeded { why: format!("the state of {} is ready", replaced.from) });
            Ok(Restored::Prepared { as_of: replaced.as_of, safety })
        }
        RestoreMode::Merge => {
            let work = move |watch: &JobWatch| service.desk.merge(&from, watch);
            let merged = watched(ctx, "Merge".to_owned(), cancel, work).await?;
            super::settings::tell(ctx, &merged.settings);
            let inner = ctx.clone();
            ctx.blocking(move || look_again(&inner)).await?;
            ctx.happened("backup.merged", &merged.from);
            for event in [Event::ChatsChanged, Event::ProfilesChanged, Event::TrashChanged, Event::BackupsChanged] {
                ctx.events.publish(None, event);
            }
            Ok(Restored::Merged { as_of: merged.as_of, safety, kinds: merged.kinds })
        }
    }
}

/// Sources came into the store without the services' doing: those that are open take them up.
fn look_again(ctx: &Context) -> Result<(), ApiError> {
    for world in ctx.open_profiles() {
        world.knowledge()?.sources_changed()?;
    }
    Ok(())
}

/// After a restore came into force: says so, and lets go of what was derived from profiles that are not there any more.
/// Sources of the restored state are scanned by whoever starts to watch them; passages of others go with that.
pub(in crate::engine) fn after_restore(ctx: &Context, plan: &backups::Plan) {
    tracing::info!(from = plan.from, kept = plan.replaced, "another state was put in place");
    if let Err(error) = forget_profiles(ctx) {
        tracing::warn!(%error, "what belonged to profiles of the former state stays on the disk");
    }
    ctx.happened("backup.restored", &plan.from);
}

fn forget_profiles(ctx: &Context) -> Result<(), ApiError> {
    let known: Vec<String> = profiles::list(ctx.databases.main())?.iter().map(|p| p.id.to_string()).collect();
    for parent in ["profiles", "index"] {
        let Ok(entries) = std::fs::read_dir(ctx.places.data().join(parent)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_profile = name.parse::<crate::model::ProfileId>().is_ok();
            if is_profile
                && !known.contains(&name)
                && let Err(error) = std::fs::remove_dir_all(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "a folder could not be removed");
            }
        }
    }
    Ok(())
}

impl From<BackupError> for ApiError {
    fn from(error: BackupError) -> Self {
        let category = match &error {
            BackupError::NotABackup { .. }
            | BackupError::Newer { .. }
            | BackupError::NotFound(_)
            | BackupError::Refused(_) => ErrorCategory::Validation,
            BackupError::Storage(error) => return error.clone().into(),
            BackupError::Cancelled => return Self::cancelled(),
            BackupError::Damaged { .. }
            | BackupError::Full { .. }
            | BackupError::NoRoom { .. }
            | BackupError::Io { .. } => ErrorCategory::Storage,
        };
        Self::new(category, error.to_string(), error.advice())
    }
}
