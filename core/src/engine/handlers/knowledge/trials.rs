//! Retrieval tests: saved from hits, asked as jobs of the index in use and of trials, and what was tried taken over.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rspa_ml::Cancel;

use super::Knowledge;
use crate::api::request::knowledge::{SaveRetrievalTest, TryRetrievalSettings};
use crate::api::{ApiError, Event};
use crate::engine::handlers::{models, settings, trash as trashing};
use crate::engine::{Context, JobHandle};
use crate::knowledge::trial::{self, Plan, USUAL_DOCUMENTS};
use crate::knowledge::{self, chunk};
use crate::model::{
    Happening, Job, JobKind, JobState, RetrievalRun, RetrievalSettings, RetrievalTest, RetrievalTestId, RetrievalTests,
    SettingValue, TrashItem,
};
use crate::panics;
use crate::storage::{StorageError, retrieval as stored, trash};

/// The parts that progress is told in.
const PARTS: u64 = 100;
const SIZE: &str = "knowledge.chunk_size";
const USE_ENCODER: &str = "knowledge.use_encoder";

/// One run or trial at a time.
#[derive(Default)]
pub struct Trials {
    busy: Arc<AtomicBool>,
}

/// Says that nothing is asked any more, however the work ends.
struct Turn(Arc<AtomicBool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn scratch(ctx: &Context) -> PathBuf {
    ctx.places.profile(ctx.profile).join("trial")
}

/// Removes what a trial left that was cut off with the program.
pub(super) fn clear(ctx: &Context) {
    if let Err(error) = trial::clear(&scratch(ctx)) {
        tracing::warn!(%error, "what a trial left was not removed");
    }
}

pub(super) fn save(
    ctx: &Context,
    service: &knowledge::Service,
    save: &SaveRetrievalTest,
) -> Result<RetrievalTest, ApiError> {
    let question = stored::question(&save.question).map_err(refused)?;
    let test = RetrievalTest {
        id: RetrievalTestId(ctx.ids.next()),
        question,
        wanted: service.wanted(save.passage)?,
        created: ctx.clock.now(),
    };
    stored::add(ctx.databases.main(), ctx.profile, &test).map_err(refused)?;
    ctx.publish(Event::RetrievalTestsChanged);
    Ok(test)
}

/// What storage says has no advice that fits here.
fn refused(error: StorageError) -> ApiError {
    match error {
        StorageError::Refused(why) => {
            ApiError::validation(why, "Ask in fewer words, or remove a retrieval test that is not needed any more.")
        }
        error => error.into(),
    }
}

pub(super) fn list(ctx: &Context) -> Result<RetrievalTests, ApiError> {
    let main = ctx.databases.main();
    let tests = stored::list(main, ctx.profile)?;
    let (run, trial) = (stored::run(main, ctx.profile)?, stored::trial(main, ctx.profile)?);
    let settings = in_force(ctx)?;
    // The later one of both says what the tests were last asked with.
    let asked = run.as_ref().map(|run| &run.figures.settings);
    let measured = asked == Some(&settings) || trial.as_ref().is_some_and(|trial| trial.new.settings == settings);
    let (encoders, _) = models::encoders(ctx)?;
    let job = ctx.jobs.list().into_iter().find(|job| job.kind == JobKind::Measure && job.state == JobState::Running);
    Ok(RetrievalTests {
        unmeasured: !tests.is_empty() && asked.is_some() && !measured,
        tests,
        run,
        trial,
        settings,
        encoders,
        job: job.map(|job| job.id),
    })
}

/// The settings that documents are cut and understood with now.
fn in_force(ctx: &Context) -> Result<RetrievalSettings, ApiError> {
    let chosen = ctx.settings.current().knowledge.clone();
    let (_, encoder) = models::encoders(ctx)?;
    Ok(RetrievalSettings {
        chunk_size: u32::try_from(chosen.chunk_size).unwrap_or(0),
        encoder: encoder.filter(|_| chosen.use_encoder),
    })
}

pub(super) fn remove(ctx: &Context, id: RetrievalTestId) -> Result<TrashItem, ApiError> {
    let item = trash::retrieval_test(ctx.databases.main(), ctx.profile, id, trashing::deletion(ctx))?;
    ctx.publish(Event::RetrievalTestsChanged);
    ctx.publish(Event::TrashChanged);
    Ok(item)
}

pub(super) fn run(ctx: &Context, knowledge: &Arc<Knowledge>) -> Result<Job, ApiError> {
    let tests = all(ctx)?;
    let settings = in_force(ctx)?;
    start(ctx, knowledge, "Ask the retrieval tests", move |ctx, knowledge, progress, cancel| {
        let figures = knowledge.service.ask_tests(&tests, settings, progress, cancel)?;
        let run = RetrievalRun { at: ctx.clock.now(), figures };
        stored::put_run(ctx.databases.main(), ctx.profile, &run)?;
        Ok(())
    })
}

pub(super) fn try_settings(
    ctx: &Context,
    knowledge: &Arc<Knowledge>,
    wanted: TryRetrievalSettings,
) -> Result<Job, ApiError> {
    let TryRetrievalSettings { settings: new, documents } = wanted;
    let size = new.chunk_size as usize;
    if !(chunk::LEAST_TARGET..=chunk::MOST_TARGET).contains(&size) {
        return Err(ApiError::validation(
            format!("passages of {size} characters are not possible"),
            format!("Choose a size from {} to {}.", chunk::LEAST_TARGET, chunk::MOST_TARGET),
        ));
    }
    let old = in_force(ctx)?;
    if new == old {
        return Err(ApiError::validation(
            "these settings are in force already",
            "Choose another passage size or another encoder.",
        ));
    }
    let (encoders, _) = models::encoders(ctx)?;
    if let Some(encoder) = new.encoder.as_ref().filter(|encoder| !encoders.contains(encoder)) {
        return Err(ApiError::validation(
            format!("there is no encoder '{encoder}'"),
            "`rspa models list` shows those that are installed.",
        ));
    }
    let tests = all(ctx)?;
    let documents = if documents == 0 { USUAL_DOCUMENTS } else { documents as usize };
    start(ctx, knowledge, "Try other search settings", move |ctx, knowledge, progress, cancel| {
        // The person goes on working meanwhile.
        rspa_ml::priority::lower();
        let encoder = match &new.encoder {
            Some(id) => Some(ctx.models()?.registry().encoder_named(id)?),
            None => None,
        };
        let scratch = scratch(ctx);
        let plan = Plan { tests: &tests, old, new, encoder, scratch: &scratch, documents };
        let trial = knowledge.service.try_settings(&plan, ctx.clock.now(), progress, cancel)?;
        stored::put_trial(ctx.databases.main(), ctx.profile, &trial)?;
        let title = format!("Passages of {} characters tried", trial.new.settings.chunk_size);
        let happening = Happening::new("retrieval.tried", title).with("documents", trial.documents);
        ctx.activity(happening.with("tests", trial.new.asked));
        Ok(())
    })
}

/// All tests.
///
/// # Errors
/// There are none.
fn all(ctx: &Context) -> Result<Vec<RetrievalTest>, ApiError> {
    let tests = stored::list(ctx.databases.main(), ctx.profile)?;
    if tests.is_empty() {
        return Err(ApiError::validation(
            "there is no retrieval test yet",
            "Search for something, and save the hit that answers it as a test.",
        ));
    }
    Ok(tests)
}

/// Takes over what was tried last.
pub(super) fn adopt(
    ctx: &Context,
    service: &knowledge::Service,
    wanted: RetrievalSettings,
) -> Result<RetrievalSettings, ApiError> {
    let trial = stored::trial(ctx.databases.main(), ctx.profile)?;
    if trial.is_none_or(|trial| trial.new.settings != wanted || trial.new.asked == 0) {
        return Err(ApiError::validation(
            "these are not the settings that were tried last",
            "Try them first: the index in use stays until then.",
        ));
    }
    let before = in_force(ctx)?;
    let set = |key: &str, value: SettingValue| -> Result<(), ApiError> {
        settings::tell(ctx, &ctx.settings.set(key, &value)?);
        Ok(())
    };
    if before.encoder != wanted.encoder {
        if let Some(encoder) = &wanted.encoder {
            models::choose_encoder(ctx, encoder)?;
        }
        set(USE_ENCODER, SettingValue::Bool(wanted.encoder.is_some()))?;
    }
    if before.chunk_size != wanted.chunk_size {
        set(SIZE, SettingValue::Integer(i64::from(wanted.chunk_size)))?;
    }
    let now = in_force(ctx)?;
    if now != wanted {
        return Err(ApiError::validation(
            "the settings stay as they are: the command line, the environment or a file says otherwise",
            "`rspa settings list` shows where each value comes from.",
        ));
    }
    // Who listens to the events comes later: nobody shall find the old settings in between.
    service.preferences_changed();
    service.encoder_changed();
    ctx.publish(Event::RetrievalTestsChanged);
    Ok(now)
}

/// Begins work on a thread of its own as the only one of its kind.
fn start(
    ctx: &Context,
    knowledge: &Arc<Knowledge>,
    label: &str,
    work: impl FnOnce(&Context, &Knowledge, trial::Progress<'_>, &Cancel) -> Result<(), ApiError> + Send + 'static,
) -> Result<Job, ApiError> {
    let busy = knowledge.trials.busy.clone();
    if busy.swap(true, Ordering::AcqRel) {
        return Err(ApiError::validation(
            "the retrieval tests are being asked already",
            "Wait until that has ended, or cancel it.",
        ));
    }
    let turn = Turn(busy);
    let handle = ctx.jobs.start(JobKind::Measure, label, "percent", PARTS, ctx.shutdown.child_token());
    let job = handle.snapshot().ok_or_else(ApiError::cancelled)?;
    let knowledge = knowledge.clone();
    models::import::spawn(ctx, "retrieval tests", move |ctx| {
        let result = panics::caught(|| {
            let cancel = Cancel::new();
            let mut progress = |done: f64| tell(&handle, &cancel, done);
            progress(0.0);
            work(&ctx, &knowledge, &mut progress, &cancel)
        });
        drop(turn);
        drop(knowledge);
        // Who waits for the end of the job finds the figures, and can begin again.
        handle.finish(result);
        ctx.publish(Event::RetrievalTestsChanged);
    })?;
    ctx.publish(Event::RetrievalTestsChanged);
    Ok(job)
}

fn tell(job: &JobHandle, cancel: &Cancel, done: f64) {
    if job.cancel_token().is_cancelled() {
        cancel.cancel();
    }
    job.progress((done.clamp(0.0, 1.0) * PARTS as f64) as u64, PARTS);
}
