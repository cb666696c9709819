//! The family of knowledge: requests to the knowledge service.

mod pages;
mod trials;

use std::path::PathBuf;
use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::cross::Reranker;
use tokio_util::sync::CancellationToken;

use crate::api::request::knowledge::{KnowledgeRequest as Request, KnowledgeResponse as Response, WaitFor};
use crate::api::{ApiError, ErrorCategory, Event, Heard, Role};
use crate::engine::{Context, JobHandle, Service};
use crate::inference::EncoderProvider;
use crate::knowledge::chunk::Sizes;
use crate::knowledge::reports::{JobReport, Reports};
use crate::knowledge::{self, Config, KnowledgeError, Preferences};
use crate::model::{
    DoctorCheck, DocumentChange, Happening, JobKind, MessageState, Overview, Source, SourceId, SourceKind,
    SourceStatus, is_record,
};

/// The knowledge service as the engine holds it.
pub struct Knowledge {
    service: knowledge::Service,
    trials: trials::Trials,
}

impl Knowledge {
    /// Sources were added to the store by others.
    pub fn sources_changed(&self) -> Result<(), ApiError> {
        Ok(self.service.sources_changed()?)
    }
}

impl Service for Knowledge {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        trials::clear(ctx);
        let links = Arc::new(Links(ctx.clone()));
        let service = knowledge::Service::new(Config {
            profile: ctx.profile,
            main: ctx.databases.main().clone(),
            knowledge: ctx.databases.knowledge(ctx.profile)?,
            data: ctx.places.data().to_owned(),
            index: ctx.places.index(ctx.profile),
            samples: ctx.places.samples(),
            preferences: preferences(ctx),
            clock: ctx.clock.clone(),
            reports: links.clone(),
            encoder: links,
            eager: ctx.role == Role::Window,
            built_in: true,
            pages: pages_folder(ctx),
            fetch: Some(Arc::new(pages::Door(ctx.clone()))),
        })?;
        Ok(Self { service, trials: trials::Trials::default() })
    }

    fn start(&self, ctx: &Context) {
        if let Err(error) = self.service.start() {
            ctx.health("indexing", false, &error.to_string());
        }
        // Models and settings change without knowing who uses them.
        let service = self.service.clone();
        let mut listener = ctx.events.listen();
        let closed = ctx.shutdown.clone();
        let inner = ctx.clone();
        let follow = move || {
            loop {
                inner.begin_turn("knowledge events");
                let heard = listener.next();
                // Closing a profile is told to all after it was triggered.
                if closed.is_cancelled() {
                    return;
                }
                match heard {
                    Heard::Event(envelope) => match envelope.event {
                        // Each profile searches its own.
                        event if envelope.profile == Some(inner.profile) && hear(&service, &event) => {}
                        Event::ModelsChanged => service.encoder_changed(),
                        Event::SettingChanged { entry } if entry.key.starts_with("knowledge.") => {
                            service.preferences_changed();
                            service.encoder_changed();
                        }
                        Event::ShuttingDown => return,
                        _ => {}
                    },
                    Heard::Gap(_) => {
                        service.encoder_changed();
                        SourceKind::BUILT_IN.into_iter().for_each(|kind| service.items_changed(kind, None));
                    }
                    Heard::Closed => return,
                }
            }
        };
        let supervisor = ctx.clone();
        let thread = std::thread::Builder::new()
            .name("knowledge events".to_owned())
            .spawn(move || supervisor.supervise("knowledge events", follow));
        if let Err(error) = thread {
            ctx.health("indexing", false, &format!("changes of models are not noticed: {error}"));
        }
    }

    fn overview(&self, _ctx: &Context, overview: &mut Overview) -> Result<(), ApiError> {
        let mut sources = self.service.list()?;
        sources.retain(|status| !status.source.kind.is_built_in());
        overview.sources = sources.len() as u64;
        overview.documents = sources.iter().map(|status| status.documents).sum();
        overview.passages = sources.iter().map(|status| status.passages).sum();
        overview.problems = sources.iter().map(|status| status.problems).sum();
        Ok(())
    }

    fn doctor(&self, _ctx: &Context) -> Vec<DoctorCheck> {
        let check = |name: &str, result: Result<String, String>| DoctorCheck {
            name: name.to_owned(),
            ok: result.is_ok(),
            detail: result.unwrap_or_else(|detail| detail),
        };
        let sources = self.service.list().map(|sources| {
            let passages: u64 = sources.iter().map(|status| status.passages).sum();
            format!("{} sources, {passages} passages", sources.len())
        });
        let mut index = self.service.check().map_err(|error| error.to_string());
        let healed = self.service.healed();
        if let Ok(detail) = &mut index
            && !healed.is_empty()
        {
            *detail = format!("{detail}; {}", healed.join("; "));
        }
        vec![check("sources", sources.map_err(|error| error.to_string())), check("indexes", index)]
    }

    fn stop(&self) {
        self.service.stop();
    }
}

/// Lets the search follow what happens in the program; whether the event says nothing to anybody else here.
fn hear(service: &knowledge::Service, event: &Event) -> bool {
    match event {
        Event::MessageChanged { message } => {
            if !matches!(message.state, MessageState::Preparing | MessageState::Streaming) {
                service.items_changed(SourceKind::Chats, Some(message.chat.to_string()));
            }
            if message.state == MessageState::Complete {
                service.cited(message.citations.iter().map(|citation| &citation.passage));
            }
        }
        Event::ChatsChanged => service.items_changed(SourceKind::Chats, None),
        Event::TaskChanged { task } => service.items_changed(SourceKind::Tasks, Some(task.id.to_string())),
        Event::TasksChanged => service.items_changed(SourceKind::Tasks, None),
        // What came back, or went.
        Event::TrashChanged => {
            service.items_changed(SourceKind::Chats, None);
            service.items_changed(SourceKind::Tasks, None);
        }
        Event::ActivityCreated { activity } => service.happened_at(activity.at),
        _ => return false,
    }
    true
}

/// The sources of this profile as the store has them, with those that every profile has, where the service is not needed.
pub fn sources(ctx: &Context) -> Result<Vec<Source>, ApiError> {
    Ok(knowledge::all_sources(ctx.databases.main(), ctx.profile, &pages_folder(ctx))?)
}

fn pages_folder(ctx: &Context) -> PathBuf {
    ctx.places.profile(ctx.profile).join("pages")
}

fn preferences(ctx: &Context) -> Arc<dyn Fn() -> Preferences + Send + Sync> {
    let settings = ctx.settings.clone();
    Arc::new(move || {
        let chosen = settings.current().knowledge.clone();
        Preferences {
            largest_file: u64::try_from(chosen.max_file_mb).unwrap_or(50) << 20,
            follow_gitignore: chosen.follow_gitignore,
            watch: chosen.watch,
            sizes: Sizes::around(usize::try_from(chosen.chunk_size).unwrap_or(0)),
        }
    })
}

impl Knowledge {
    /// Passages of all sources but the program's own.
    pub fn passages_of_documents(&self) -> Result<u64, ApiError> {
        Ok(self.service.passages_of_documents()?)
    }

    /// A source is back from the trash.
    pub fn returned(&self, id: SourceId) -> Result<(), ApiError> {
        Ok(self.service.returned(id)?)
    }
}

pub async fn handle(ctx: &Context, token: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let inner = ctx.clone();
    let cancel = Cancel::new();
    let work = {
        let cancel = cancel.clone();
        ctx.blocking(move || answer(&inner, request, &cancel))
    };
    tokio::pin!(work);
    tokio::select! {
        reply = &mut work => reply,
        () = token.cancelled() => {
            cancel.cancel();
            work.await
        }
    }
}

/// Blocks.
fn answer(ctx: &Context, request: Request, cancel: &Cancel) -> Result<Response, ApiError> {
    let knowledge = ctx.knowledge()?;
    let service = &knowledge.service;
    Ok(match request {
        Request::AddSource(add) => Response::AddSource(service.add(&add.path)?),
        Request::AddPage(add) => {
            Response::AddPage(service.add_page(&add.address, add.confirmed_host.as_deref(), cancel)?)
        }
        Request::AddSampleSource(_) => Response::AddSampleSource(service.add_sample()?),
        Request::RemoveSource(remove) => {
            let item = service.remove(remove.id, super::trash::deletion(ctx))?;
            ctx.publish(Event::TrashChanged);
            Response::RemoveSource(item)
        }
        Request::ListSources(_) => Response::ListSources(service.list()?),
        Request::PauseSource(pause) => Response::PauseSource(service.pause(pause.id, pause.paused)?),
        Request::RescanSource(rescan) => Response::RescanSource(service.rescan(rescan.id)?),
        Request::WaitForSource(wait) => {
            Response::WaitForSource(service.wait(wait.id, wait.until == WaitFor::Complete, cancel)?)
        }
        Request::ListDocuments(list) => {
            Response::ListDocuments(service.documents(list.source, &list.filter, list.page)?)
        }
        Request::ListProblems(list) => Response::ListProblems(service.problems(list.source, list.page)?),
        Request::ReadDocument(read) => {
            Response::ReadDocument(service.read_document(&read.path, read.start_line, read.end_line, cancel)?)
        }
        Request::ExplainMissing(explain) => {
            Response::ExplainMissing(service.why_not(&explain.query, &explain.path, cancel)?)
        }
        Request::DescribeDocument(describe) => Response::DescribeDocument(service.describe(&describe.path, cancel)?),
        Request::Search(search) => {
            let records = &search.query.kinds;
            if records.is_empty() || records.iter().any(|kind| is_record(*kind)) {
                service.catch_up(cancel)?;
            }
            let results = service.search(&search.query, cancel)?;
            service.shown(results.hits.iter().map(|hit| &hit.passage));
            Response::Search(results)
        }
        Request::SaveRetrievalTest(save) => Response::SaveRetrievalTest(trials::save(ctx, service, &save)?),
        Request::ListRetrievalTests(_) => Response::ListRetrievalTests(trials::list(ctx)?),
        Request::RemoveRetrievalTest(remove) => Response::RemoveRetrievalTest(trials::remove(ctx, remove.id)?),
        Request::RunRetrievalTests(_) => Response::RunRetrievalTests(trials::run(ctx, &knowledge)?),
        Request::TryRetrievalSettings(wanted) => {
            Response::TryRetrievalSettings(trials::try_settings(ctx, &knowledge, wanted)?)
        }
        Request::AdoptRetrievalSettings(adopt) => {
            Response::AdoptRetrievalSettings(trials::adopt(ctx, service, adopt.settings)?)
        }
    })
}

/// How the service reaches the rest of the engine.
struct Links(Context);

impl Reports for Links {
    fn source_changed(&self, status: SourceStatus) {
        self.0.publish(Event::SourceChanged { status });
    }

    fn source_removed(&self, id: SourceId) {
        self.0.publish(Event::SourceRemoved { id });
    }

    fn documents_changed(&self, changes: Vec<DocumentChange>) {
        self.0.publish(Event::DocumentsChanged { changes });
    }

    fn health(&self, part: &str, healthy: bool, detail: &str) {
        self.0.health(part, healthy, detail);
    }

    fn job(&self, label: &str) -> Box<dyn JobReport> {
        // Of its own, so that it tells what the person wants: the end of the program ends scans by itself.
        let token = CancellationToken::new();
        Box::new(IndexJob(self.0.jobs.start(JobKind::Index, label, "files", 0, token)))
    }

    fn happened(&self, happening: Happening) {
        self.0.activity(happening);
    }

    fn turn(&self, worker: &'static str) {
        self.0.begin_turn(worker);
    }

    fn worker_failed(&self, worker: &'static str, failures: u32, why: &str) {
        self.0.worker_failed(worker, failures, why);
    }
}

impl EncoderProvider for Links {
    fn encoder(&self) -> Option<Arc<dyn Embedder>> {
        if !self.0.settings.current().knowledge.use_encoder {
            return None;
        }
        self.0.models().ok()?.encoder()
    }

    fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        self.0.models().ok()?.reranker()
    }

    fn former(&self, id: &str) -> Option<Arc<dyn Embedder>> {
        self.0.models().ok()?.registry().former(id)
    }
}

struct IndexJob(JobHandle);

impl JobReport for IndexJob {
    fn progress(&self, done: u64, total: u64) {
        self.0.progress(done, total);
    }

    fn is_cancelled(&self) -> bool {
        self.0.cancel_token().is_cancelled()
    }

    fn finish(self: Box<Self>, result: Result<(), KnowledgeError>) {
        if matches!(result, Err(KnowledgeError::Cancelled)) {
            // Whoever stopped the scan, the job counts as cancelled, not as failed.
            self.0.cancel_token().cancel();
        }
        self.0.finish(result.map_err(ApiError::from));
    }
}

impl From<KnowledgeError> for ApiError {
    fn from(error: KnowledgeError) -> Self {
        let category = match cause(&error) {
            KnowledgeError::Storage(_)
            | KnowledgeError::Keyword(_)
            | KnowledgeError::Sample(_)
            | KnowledgeError::Trial(_) => ErrorCategory::Storage,
            KnowledgeError::Page(error) => return (**error).clone(),
            KnowledgeError::CannotAdd { .. }
            | KnowledgeError::UnknownSource
            | KnowledgeError::UnknownPassage
            | KnowledgeError::BuiltIn(_) => ErrorCategory::Validation,
            KnowledgeError::OutsideSources(_) => ErrorCategory::Authorisation,
            KnowledgeError::Unreadable { .. } | KnowledgeError::Embedding(_) => ErrorCategory::Processing,
            KnowledgeError::Cancelled | KnowledgeError::Scan(_) => return Self::cancelled(),
        };
        Self::new(category, error.to_string(), error.advice())
    }
}

/// What went wrong with a scan, for the error that tells of it.
fn cause(error: &KnowledgeError) -> &KnowledgeError {
    match error {
        KnowledgeError::Scan(error) => cause(error),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::api::CoreOptions;
    use crate::clock::SystemClock;
    use crate::engine::Engine;

    #[test]
    fn the_end_of_the_program_is_not_taken_for_the_person_cancelling_a_job() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::start(CoreOptions {
            role: Role::Command,
            data_folder: Some(folder.path().to_owned()),
            overrides: BTreeMap::new(),
            environment: BTreeMap::from([("HOME".to_owned(), folder.path().display().to_string())]),
            console_level: None,
            chat_model: None,
            clock: Arc::new(SystemClock),
            faults: None,
        })
        .unwrap();
        let ctx = engine.context().clone();
        let (first, second) = (Links(ctx.clone()).job("first"), Links(ctx.clone()).job("second"));
        let newest = ctx.jobs.list()[0].id;
        ctx.jobs.cancel(newest).unwrap();
        ctx.shutdown.cancel();
        assert!(!first.is_cancelled());
        assert!(second.is_cancelled());
    }
}
