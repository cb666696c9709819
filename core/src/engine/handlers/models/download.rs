//! Downloads of catalogue models as jobs: through the one door, with the person's consent, resumed where they stopped.

use std::path::Path;

use rspa_ml::weights::catalogue::{self, CatalogueModel};
use rspa_ml::weights::{self, ModelKind, import};

use super::import::spawn;
use crate::api::{ApiError, ErrorCategory};
use crate::engine::{Context, JobHandle};
use crate::model::{Job, JobKind, file_servers};
use crate::trust::egress::{Consent, Destination, Download};
use crate::workspace::places;

/// Kept free on the disk beside the model.
const SPARE_BYTES: u64 = 200 << 20;

/// Starts the download on a thread of its own and returns its job.
///
/// # Errors
/// The model is not in the catalogue, it lies on another host than was confirmed, or the disk has no room for it.
pub fn start(ctx: &Context, id: &str, confirmed_host: &str) -> Result<Job, ApiError> {
    let model = catalogue::built_in().into_iter().find(|model| model.id == id).ok_or_else(|| {
        ApiError::validation(format!("the catalogue has no model '{id}'"), "Choose one of the listed models.")
    })?;
    start_model(ctx, model, confirmed_host)
}

fn start_model(ctx: &Context, model: CatalogueModel, confirmed_host: &str) -> Result<Job, ApiError> {
    let confirmed = confirmed_host.trim().to_ascii_lowercase();
    for file in &model.files {
        let place = Destination::parse(&file.url).ok_or_else(|| {
            ApiError::validation(format!("the catalogue's address of {} is not usable", file.name), "Report it.")
        })?;
        if place.host != confirmed && place.origin != confirmed {
            return Err(ApiError::new(
                ErrorCategory::Authorisation,
                format!("{} lies on {}, but {confirmed} was confirmed", file.name, place.host),
                "Look at the address that is shown, and confirm that one.",
            ));
        }
    }
    let folder = ctx.places.models();
    places::private_folder(&folder).map_err(|error| storage(&folder, &error))?;
    let needed = model.download_bytes() + SPARE_BYTES;
    let free = places::free_disk(&folder).map_err(|error| storage(&folder, &error))?;
    if free < needed {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        return Err(ApiError::new(
            ErrorCategory::Storage,
            format!(
                "'{}' needs {:.1} GB on the disk, but {:.1} GB are free",
                model.id,
                gigabytes(needed),
                gigabytes(free)
            ),
            "Free some space, or choose a smaller model.",
        ));
    }
    let label = format!("Download {}", model.name);
    let token = ctx.shutdown.child_token();
    let handle = ctx.jobs.start(JobKind::Download, label, "bytes", model.download_bytes(), token);
    let job = handle.snapshot().ok_or_else(ApiError::cancelled)?;
    let consent = Consent::once(&confirmed).and(file_servers(&confirmed).iter().map(|host| (*host).to_owned()));
    spawn(ctx, "download", move |ctx| {
        let result = fetch(&ctx, &model, &consent, &handle);
        handle.finish(result);
    })?;
    Ok(job)
}

fn fetch(ctx: &Context, model: &CatalogueModel, consent: &Consent, job: &JobHandle) -> Result<(), ApiError> {
    let models = ctx.models()?;
    let own = models.registry().own_folder();
    // Hidden, so that half a model is never listed; kept, so that the next try goes on where this one stopped.
    let staging = own.join(format!(".download-{}", model.id));
    // Under the name that it gets: one file, or a folder of files.
    let (staged, folder) = match (&model.kind, &model.files[..]) {
        (ModelKind::Chat, [file]) => (staging.join(&file.name), staging.clone()),
        _ => (staging.join(&model.id), staging.join(&model.id)),
    };
    places::private_folder(&folder).map_err(|error| storage(&folder, &error))?;
    let total = model.download_bytes();
    let mut before = 0;
    for file in &model.files {
        let target = folder.join(&file.name);
        let download = Download {
            who: "models".to_owned(),
            purpose: format!("Download {}", model.name),
            url: file.url.clone(),
            target: target.clone(),
            expected_size: Some(file.size_bytes),
            sha256: Some(file.sha256.clone()).filter(|sum| !sum.is_empty()),
        };
        if !target.exists() {
            let mut progress = |received: u64, _total: Option<u64>| job.progress(before + received, total);
            ctx.egress.download(&download, Some(consent), &mut progress, &|| job.cancel_token().is_cancelled())?;
        }
        before += file.size_bytes;
        job.progress(before, total);
    }
    // Read before it takes the place of a model that works.
    if let Err(error) = weights::inspect(&staged) {
        remove(&staging);
        return Err(error.into());
    }
    import::publish(&staged, &own)?;
    remove(&staging);
    models.changed(ctx);
    models.registry().list()?;
    ctx.happened("model.downloaded", &model.name);
    Ok(())
}

fn remove(path: &Path) {
    let done = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    if let Err(error) = done
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a file of a download could not be removed");
    }
}

fn storage(path: &Path, error: &std::io::Error) -> ApiError {
    ApiError::new(
        ErrorCategory::Storage,
        format!("{} cannot be written: {error}", path.display()),
        "Check that the data folder's disk has room and that you may write to it.",
    )
}

#[cfg(test)]
mod tests;
