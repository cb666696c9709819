//! Imports as jobs: progress in bytes, cancellable, and nothing half is left behind.

use std::path::PathBuf;

use rspa_ml::Cancel;
use rspa_ml::weights::import;

use crate::api::{ApiError, ErrorCategory};
use crate::engine::{Context, JobHandle};
use crate::model::{Happening, Job, JobKind};

/// Starts the import on a thread of its own and returns its job.
///
/// # Errors
/// The path does not exist, or no thread could be started.
pub fn start(ctx: &Context, path: PathBuf) -> Result<Job, ApiError> {
    if !path.exists() {
        return Err(ApiError::validation(
            format!("{} does not exist", path.display()),
            "Choose a .gguf file, a folder, a zip or a wheel.",
        ));
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let handle = ctx.jobs.start(JobKind::Import, format!("Import {name}"), "bytes", 0, ctx.shutdown.child_token());
    let job = handle.snapshot().ok_or_else(ApiError::cancelled)?;
    spawn(ctx, "import", move |ctx| {
        let result = import_all(&ctx, &path, &handle);
        handle.finish(result);
    })?;
    Ok(job)
}

fn import_all(ctx: &Context, path: &std::path::Path, job: &JobHandle) -> Result<(), ApiError> {
    let models = ctx.models()?;
    let cancel = Cancel::new();
    let mut progress = |done: u64, total: u64| {
        if job.cancel_token().is_cancelled() {
            cancel.cancel();
        }
        job.progress(done, total);
    };
    let imported = import::import(path, &models.registry().own_folder(), &mut progress, &cancel)?;
    models.changed(ctx);
    // Makes the first of a kind the default.
    models.registry().list()?;
    for model in &imported {
        let happening = Happening::new("model.imported", &model.name).with("bytes", model.size_bytes);
        ctx.activity(happening.with("path", model.path.display()));
    }
    Ok(())
}

/// A thread for work that takes long; shutdown waits for it.
pub(in crate::engine) fn spawn(
    ctx: &Context,
    name: &'static str,
    work: impl FnOnce(Context) + Send + 'static,
) -> Result<(), ApiError> {
    let (done, ended) = tokio::sync::oneshot::channel::<()>();
    let inner = ctx.clone();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            work(inner);
            drop(done);
        })
        .map_err(|error| {
            ApiError::new(
                ErrorCategory::System,
                format!("no thread for the {name}: {error}"),
                "Close other programs, then try again.",
            )
        })?;
    ctx.spawn(async move {
        // The sender is dropped at the end of the work, also when it panics.
        drop(ended.await);
    });
    Ok(())
}
