//! The knowledge of one profile: its sources, store and indexes, and what can be asked of them.

use std::collections::btree_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::static_embedder::StaticEmbedder;

use super::chunk::Sizes;
use super::keyword::KeywordIndex;
use super::kinds::{self, FetchPage};
use super::prepare::Preparer;
use super::readers::Limits;
use super::reports::Reports;
use super::runtime::{Board, Running};
use super::uses::Uses;
use super::vector::VectorIndex;
use super::watch::Watcher;
use super::{KnowledgeError, indexer, sample, upgrade};
use crate::api::ApiError;
use crate::clock::{Clock, Ids};
use crate::inference::EncoderProvider;
use crate::model::{
    Document, DocumentProblem, Happening, Origin, Page, PageRequest, ProfileId, Source, SourceId, SourceKind,
    SourceState, SourceStatus, Timestamp, TrashItem,
};
use crate::panics;
use crate::storage::knowledge::{self as stored, KnowledgeStore};
use crate::storage::trash::{self, Deletion};
use crate::storage::{Db, chats, tasks};
use crate::supervision::{RESTARTS, STEADY, pause};

/// How often a waiting caller looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(100);

/// What the service is made from.
pub struct Config {
    pub profile: ProfileId,
    pub main: Db,
    pub knowledge: Db,
    /// The whole data folder: left out when it lies within a source.
    pub data: PathBuf,
    /// Folder of the indexes of this profile.
    pub index: PathBuf,
    /// Where the sample folder is written.
    pub samples: PathBuf,
    /// Asked again at each scan.
    pub preferences: Arc<dyn Fn() -> Preferences + Send + Sync>,
    pub clock: Arc<dyn Clock>,
    pub reports: Arc<dyn Reports>,
    pub encoder: Arc<dyn EncoderProvider>,
    /// Scans and watches all sources on its own.
    pub eager: bool,
    /// Chats, tasks and activities of the profile are sources too.
    pub built_in: bool,
    /// Where pages of the web are kept.
    pub pages: PathBuf,
    /// None where no page is ever fetched.
    pub fetch: Option<Arc<dyn FetchPage>>,
}

/// What the person chose about reading.
#[derive(Clone, Copy, Debug)]
pub struct Preferences {
    /// Bytes of a file; larger ones are listed and left out.
    pub largest_file: u64,
    pub follow_gitignore: bool,
    pub watch: bool,
    /// How documents are cut; other ones let every document be read again, in place.
    pub sizes: Sizes,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            largest_file: Limits::default().file_bytes,
            follow_gitignore: true,
            watch: true,
            sizes: Sizes::default(),
        }
    }
}

/// A handle; clones share it.
#[derive(Clone)]
pub struct Service {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub profile: ProfileId,
    pub main: Db,
    pub store: KnowledgeStore,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub reports: Arc<dyn Reports>,
    pub encoders: Arc<dyn EncoderProvider>,
    pub board: Board,
    pub keyword: KeywordIndex,
    pub preferences: Arc<dyn Fn() -> Preferences + Send + Sync>,
    /// The store's identity.
    pub identity: u64,
    /// Where snapshots of vectors lie.
    pub vectors: PathBuf,
    pub static_space: Option<Space>,
    /// Those of encoders, once they are loaded.
    pub encoders_loaded: RwLock<Loaded>,
    /// Commits and what the indexes make of them happen in one order.
    pub commits: Mutex<()>,
    pub stop: Cancel,
    /// The last scan failed, and the person was told.
    pub unwell: AtomicBool,
    pub eager: bool,
    pub data: PathBuf,
    pub watcher: Watcher,
    pub fetch: Option<Arc<dyn FetchPage>>,
    /// Uses of documents that were not written down yet.
    pub uses: Uses,
    /// What opening the indexes had to mend, in words.
    pub healed: Mutex<Vec<String>>,
    /// A command that searches reads what happened in the program first, one at a time.
    /// Holds the change of the main database that was read last.
    catching_up: Mutex<Option<u64>>,
    pages: PathBuf,
    samples: PathBuf,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// An embedder with its vectors.
#[derive(Clone)]
pub(super) struct Space {
    pub embedder: Arc<dyn Embedder>,
    pub index: Arc<VectorIndex>,
}

/// The encoder that is searched with, and the one that shall take its place.
#[derive(Default)]
pub(super) struct Loaded {
    pub searched: Option<Space>,
    /// Filled in the background; searched once it covers everything.
    pub coming: Option<Space>,
}

impl Service {
    /// Opens nothing large: indexes are opened by the first scan or search.
    pub fn new(config: Config) -> Result<Self, KnowledgeError> {
        let built_in = StaticEmbedder::built_in().map(|embedder| Arc::new(embedder) as Arc<dyn Embedder>);
        let embedder = match built_in {
            Ok(embedder) => Some(embedder),
            Err(error) => {
                config.reports.health("search by meaning", false, &error.to_string());
                None
            }
        };
        Self::with_embedder(config, embedder)
    }

    /// As [`Service::new`], with another embedder in place of the built-in one.
    pub fn with_embedder(config: Config, embedder: Option<Arc<dyn Embedder>>) -> Result<Self, KnowledgeError> {
        let store = KnowledgeStore::new(config.knowledge);
        let ids = Arc::new(Ids::new(config.clock.clone()));
        let identity = store.identity(ids.next().as_u64_pair().1)?;
        let vectors = config.index.join("vectors");
        let static_space = match embedder {
            Some(embedder) => {
                let space = store.space(embedder.id(), embedder.dimensions())?;
                let index = VectorIndex::kept(space, Some(vectors.clone()), identity);
                Some(Space { embedder, index: Arc::new(index) })
            }
            None => None,
        };
        let inner = Arc::new(Inner {
            profile: config.profile,
            main: config.main,
            store,
            clock: config.clock,
            ids,
            reports: config.reports,
            encoders: config.encoder,
            board: Board::default(),
            keyword: KeywordIndex::new(config.index.join("keyword"), identity),
            preferences: config.preferences,
            identity,
            vectors,
            static_space,
            encoders_loaded: RwLock::default(),
            commits: Mutex::default(),
            stop: Cancel::new(),
            unwell: AtomicBool::new(false),
            eager: config.eager,
            // As walked paths are.
            data: config.data.canonicalize().unwrap_or(config.data),
            watcher: Watcher::default(),
            fetch: config.fetch,
            uses: Uses::default(),
            healed: Mutex::default(),
            catching_up: Mutex::default(),
            pages: config.pages,
            samples: config.samples,
            threads: Mutex::default(),
        });
        let mut sources = all_sources(&inner.main, inner.profile, &inner.pages)?;
        sources.retain(|source| config.built_in || !source.kind.is_built_in());
        inner.forget_pages(&sources)?;
        // What is paused of the program's own is not searched.
        let kept = |id: &SourceId| {
            sources.iter().any(|source| source.id == *id && !(source.kind.is_built_in() && source.paused))
        };
        let orphans = inner.store.known_sources()?.into_iter().filter(|id| !kept(id)).collect();
        inner.board.change(|board| {
            for source in sources {
                let mut running = Running::new(source);
                if !running.source.paused && !inner.eager {
                    // A command scans only what it is asked to.
                    let is_there = running.source.kind.is_built_in() || running.source.path.exists();
                    running.state = if is_there { SourceState::Ready } else { SourceState::Missing };
                }
                board.by_id.insert(running.source.id, running);
            }
            // A removal that was interrupted goes on.
            board.leaving = orphans;
        });
        Ok(Self { inner })
    }

    /// Scans and watches all sources from now on.
    pub fn start(&self) -> Result<(), KnowledgeError> {
        self.inner.board.change(|board| {
            let all: Vec<SourceId> = board.by_id.keys().copied().collect();
            all.into_iter().for_each(|id| board.enqueue(id));
        });
        self.work()
    }

    /// Starts the threads that work, once.
    fn work(&self) -> Result<(), KnowledgeError> {
        let mut threads = self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if !threads.is_empty() || self.inner.stop.is_cancelled() {
            return Ok(());
        }
        let mut spawn = |name: &'static str, run: fn(&Inner)| {
            let inner = self.inner.clone();
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                rspa_ml::priority::lower();
                supervise(&inner, name, run);
            });
            match thread {
                Ok(thread) => {
                    threads.push(thread);
                    Ok(())
                }
                Err(error) => Err(KnowledgeError::Keyword(format!("no thread for indexing: {error}"))),
            }
        };
        spawn("indexer", indexer::run)?;
        spawn("embedder", upgrade::run)?;
        if self.inner.eager {
            spawn("watcher", super::watch::run)?;
        }
        Ok(())
    }

    /// Adds a folder or file, or scans it again when it is there already.
    pub fn add(&self, path: &Path) -> Result<SourceStatus, KnowledgeError> {
        self.add_as(path, None)
    }

    fn add_as(&self, path: &Path, sample: Option<&str>) -> Result<SourceStatus, KnowledgeError> {
        let cannot = |reason: String| KnowledgeError::CannotAdd { path: path.display().to_string(), reason };
        let path = path.canonicalize().map_err(|error| cannot(super::readers::words_of(&error)))?;
        let metadata = std::fs::metadata(&path).map_err(|error| cannot(super::readers::words_of(&error)))?;
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(cannot("it is neither a folder nor a file".to_owned()));
        }
        if metadata.is_dir() {
            std::fs::read_dir(&path).map_err(|error| cannot(super::readers::words_of(&error)))?;
        }
        let known = self.inner.board.sources().into_iter().find(|source| source.path == path);
        let fresh = known.is_none();
        let source = match known {
            // A repository or a vault may have been made of a folder meanwhile.
            Some(source) => {
                Source { kind: kinds::detect(&path), paused: false, updated: self.inner.clock.now(), ..source }
            }
            None => {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                let now = self.inner.clock.now();
                Source {
                    address: None,
                    kind: kinds::detect(&path),
                    id: SourceId(self.inner.ids.next()),
                    profile: self.inner.profile,
                    path,
                    name: sample.map_or(name, str::to_owned),
                    sample: sample.is_some(),
                    paused: false,
                    created: now,
                    updated: now,
                }
            }
        };
        self.take_up(source, fresh)
    }

    /// Fetches a page and adds it, or takes it into the place of what was kept of the same address.
    ///
    /// # Errors
    /// Nothing is added, and what was kept stays, when the door refuses it or nothing readable comes.
    pub fn add_page(
        &self,
        address: &str,
        confirmed: Option<&str>,
        cancel: &Cancel,
    ) -> Result<SourceStatus, KnowledgeError> {
        let page = |error: ApiError| KnowledgeError::Page(Box::new(error));
        let fetch = self.inner.fetch.as_ref().ok_or(KnowledgeError::UnknownSource)?;
        let address = address.trim().split('#').next().unwrap_or_default().to_owned();
        let fetched = fetch.fetch(&address, confirmed, cancel).map_err(page)?;
        let known = self.inner.board.sources().into_iter().find(|source| source.address.as_deref() == Some(&address));
        let fresh = known.is_none();
        let now = self.inner.clock.now();
        let source = match known {
            Some(source) => Source { paused: false, updated: now, ..source },
            None => {
                let id = SourceId(self.inner.ids.next());
                Source {
                    id,
                    profile: self.inner.profile,
                    path: self.inner.page_folder(id),
                    name: kinds::address_of_page(&address),
                    kind: SourceKind::Web,
                    address: Some(address.clone()),
                    sample: false,
                    paused: false,
                    created: now,
                    updated: now,
                }
            }
        };
        kinds::keep_page(&source.path, &address, &fetched).map_err(|error| KnowledgeError::CannotAdd {
            path: address.clone(),
            reason: super::readers::words_of(&error),
        })?;
        self.take_up(source, fresh)
    }

    /// Stores a source and reads it.
    fn take_up(&self, source: Source, fresh: bool) -> Result<SourceStatus, KnowledgeError> {
        stored::put_source(&self.inner.main, &source)?;
        let id = source.id;
        if fresh {
            self.inner.happened("source.added", &source);
        }
        self.inner.board.change(|board| {
            board
                .by_id
                .entry(id)
                .and_modify(|running| running.source = source.clone())
                .or_insert_with(|| Running::new(source));
            board.enqueue(id);
        });
        self.work()?;
        let status = self.status(id)?;
        self.inner.reports.source_changed(status.clone());
        Ok(status)
    }

    /// Writes the sample folder and adds it.
    pub fn add_sample(&self) -> Result<SourceStatus, KnowledgeError> {
        let folder = sample::write(&self.inner.samples).map_err(KnowledgeError::Sample)?;
        self.add_as(&folder, Some(sample::NAME))
    }

    /// Puts a source into the trash. Its passages are not found from now on; their rows go in the background.
    pub fn remove(&self, id: SourceId, deletion: Deletion) -> Result<TrashItem, KnowledgeError> {
        let source = self.inner.source(id)?;
        if source.kind.is_built_in() {
            return Err(KnowledgeError::BuiltIn(source.name));
        }
        let item = trash::source(&self.inner.main, self.inner.profile, id, deletion)?;
        self.inner.board.change(|board| {
            if let Some(removed) = board.by_id.remove(&id) {
                removed.cancel.cancel();
            }
            board.leaving.push(id);
        });
        self.inner.watcher.forget(id);
        self.inner.reports.source_removed(id);
        self.inner.happened("source.removed", &source);
        self.work()?;
        Ok(item)
    }

    /// A source is back from the trash: it is read again.
    pub fn returned(&self, id: SourceId) -> Result<(), KnowledgeError> {
        let all = self.inner.stored_sources()?;
        let source = all.into_iter().find(|source| source.id == id).ok_or(KnowledgeError::UnknownSource)?;
        self.inner.board.change(|board| {
            // Passages that are still being cleared away go first; the scan comes after that.
            board.by_id.insert(id, Running::new(source));
            board.enqueue(id);
        });
        self.work()?;
        self.inner.reports.source_changed(self.status(id)?);
        Ok(())
    }

    pub fn list(&self) -> Result<Vec<SourceStatus>, KnowledgeError> {
        let ids: Vec<SourceId> = self.inner.board.lock().by_id.keys().copied().collect();
        ids.into_iter().map(|id| self.status(id)).collect()
    }

    pub fn status(&self, id: SourceId) -> Result<SourceStatus, KnowledgeError> {
        self.inner.status(id)
    }

    pub fn pause(&self, id: SourceId, paused: bool) -> Result<SourceStatus, KnowledgeError> {
        let before = self.inner.source(id)?;
        self.inner.pause(id, paused)?;
        if before.paused != paused {
            self.inner.happened(if paused { "source.paused" } else { "source.resumed" }, &before);
        }
        let leaves = paused && before.kind.is_built_in();
        if leaves {
            // What was read of a folder stays searchable; the program's own things do not.
            self.inner.board.change(|board| board.leaving.push(id));
        } else if !paused {
            self.inner.board.change(|board| board.enqueue(id));
        }
        if leaves || !paused {
            self.work()?;
        }
        self.inner.tell(id);
        self.status(id)
    }

    pub fn rescan(&self, id: SourceId) -> Result<SourceStatus, KnowledgeError> {
        let known = self.inner.board.change(|board| {
            board.enqueue_again(id);
            board.by_id.contains_key(&id)
        });
        if !known {
            return Err(KnowledgeError::UnknownSource);
        }
        self.work()?;
        self.status(id)
    }

    /// Waits until everything that was asked of the source is done (or it is paused or missing), and with
    /// `complete` until the installed encoder has covered it.
    ///
    /// # Errors
    /// Also when the last scan of the source failed, and with `complete` when the encoder did, with its error.
    pub fn wait(&self, id: SourceId, complete: bool, cancel: &Cancel) -> Result<SourceStatus, KnowledgeError> {
        let (asked, begun) = self.inner.board.change(|board| {
            // Nobody asked this process to read it: whoever added it has ended, and this one has taken over.
            let begun = board.by_id.get(&id).is_some_and(|running| running.asked == 0 && !running.source.paused);
            if begun {
                board.enqueue(id);
            }
            (board.by_id.get(&id).map(|running| running.asked), begun)
        });
        let asked = asked.ok_or(KnowledgeError::UnknownSource)?;
        if begun {
            self.work()?;
        }
        let mut wish = 0;
        if complete {
            wish = self.inner.board.change(|board| {
                board.wishes += 1;
                board.wishes
            });
            self.work()?;
        }
        loop {
            if cancel.is_cancelled() || self.inner.stop.is_cancelled() {
                return Err(KnowledgeError::Cancelled);
            }
            let ended = self.inner.board.wait_for(Some(LOOK), |board| match board.by_id.get(&id) {
                None => Some(Err(KnowledgeError::UnknownSource)),
                Some(running) => (running.source.paused || running.ended >= asked).then(|| match &running.failed {
                    Some(error) => Err(KnowledgeError::Scan(error.clone())),
                    None => Ok(running.state),
                }),
            });
            let Some(state) = ended.transpose()? else { continue };
            if !complete || matches!(state, SourceState::Paused | SourceState::Missing) || !self.inner.is_behind(id)? {
                return self.status(id);
            }
            // The encoder tells each step by a change of the board; what failed before this wish was tried again.
            let failed = self
                .inner
                .board
                .wait_for(Some(LOOK), |board| board.unsettled.clone().filter(|_| board.settled >= wish));
            if let Some(error) = failed {
                return Err(KnowledgeError::Scan(error));
            }
        }
    }

    pub fn documents(&self, id: SourceId, filter: &str, page: PageRequest) -> Result<Page<Document>, KnowledgeError> {
        let source = self.inner.source(id)?;
        Ok(self.inner.store.documents(&source, filter, page)?)
    }

    pub fn problems(&self, id: Option<SourceId>, page: PageRequest) -> Result<Page<DocumentProblem>, KnowledgeError> {
        let sources = match id {
            Some(id) => vec![self.inner.source(id)?],
            None => self.inner.board.sources(),
        };
        Ok(self.inner.store.problems(&sources, page)?)
    }

    /// Takes up sources that others put into the store.
    pub fn sources_changed(&self) -> Result<(), KnowledgeError> {
        let stored = self.inner.stored_sources()?;
        let fresh = self.inner.board.change(|board| {
            let mut fresh = Vec::new();
            for source in stored {
                let id = source.id;
                if let Entry::Vacant(place) = board.by_id.entry(id) {
                    place.insert(Running::new(source));
                    board.enqueue(id);
                    fresh.push(id);
                }
            }
            fresh
        });
        if fresh.is_empty() {
            return Ok(());
        }
        self.work()?;
        for id in fresh {
            self.inner.reports.source_changed(self.status(id)?);
        }
        Ok(())
    }

    /// What is read may be another choice now: everything is looked at again.
    pub fn preferences_changed(&self) {
        if self.inner.eager {
            self.inner.board.change(|board| {
                let all: Vec<SourceId> = board.by_id.keys().copied().collect();
                all.into_iter().for_each(|id| board.enqueue(id));
            });
        }
    }

    /// Something of the program's own changed: the item with this key, or nobody knows which.
    pub fn items_changed(&self, kind: SourceKind, key: Option<String>) {
        let id = kinds::built_in(self.inner.profile, kind).id;
        self.inner.watcher.items_changed(id, kind, key.map(String::into_bytes));
    }

    /// Something happened at this time.
    pub fn happened_at(&self, at: Timestamp) {
        self.items_changed(SourceKind::Activities, kinds::day_of(at));
    }

    /// Passages of all sources but the program's own.
    pub fn passages_of_documents(&self) -> Result<u64, KnowledgeError> {
        let sources = self.inner.board.sources();
        let sources = sources.iter().filter(|source| !source.kind.is_built_in());
        sources.map(|source| Ok(self.inner.store.counts(source.id)?.passages)).sum()
    }

    /// Reads what happened in the program since it was last looked at. A window does so on its own.
    ///
    /// # Errors
    /// `Cancelled`; what cannot be read is told as health, and the search goes on with what there is.
    pub fn catch_up(&self, cancel: &Cancel) -> Result<(), KnowledgeError> {
        if self.inner.eager {
            return Ok(());
        }
        let mut caught_up = self.inner.catching_up.lock().unwrap_or_else(PoisonError::into_inner);
        let change = self.inner.main.last_change();
        if *caught_up == Some(change) {
            return Ok(());
        }
        let own: Vec<SourceId> = {
            let board = self.inner.board.lock();
            let own = board.by_id.values().filter(|running| running.source.kind.is_built_in());
            own.filter(|running| !running.source.paused).map(|running| running.source.id).collect()
        };
        let working = !self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        let mut whole = true;
        for id in own {
            if cancel.is_cancelled() {
                return Err(KnowledgeError::Cancelled);
            }
            self.inner.board.change(|board| board.enqueue(id));
            if working {
                match self.wait(id, false, cancel) {
                    Ok(_) => {}
                    Err(KnowledgeError::Scan(_)) => whole = false,
                    Err(error) => return Err(error),
                }
            } else if let Some(order) = self.inner.board.change(|board| board.begin(id)) {
                indexer::execute(&self.inner, &order);
                whole &= !self.inner.unwell.load(Ordering::Acquire);
            }
        }
        *caught_up = whole.then_some(change);
        Ok(())
    }

    /// An encoder was installed, changed or removed.
    pub fn encoder_changed(&self) {
        if self.inner.eager {
            self.inner.board.change(|board| board.wishes += 1);
        }
    }

    /// Opens both indexes and builds the graph now instead of in the background: for measurements.
    pub fn warm(&self, cancel: &Cancel) -> Result<(), KnowledgeError> {
        self.inner.open_keyword(cancel)?;
        if let Some(space) = &self.inner.static_space {
            self.inner.load_vectors(space, cancel)?;
            space.index.build_graph(cancel)?;
        }
        Ok(())
    }

    /// Opens the indexes and compares them with the store, for `rspa doctor`.
    ///
    /// # Errors
    /// When they cannot be brought to the state of the store.
    pub fn check(&self) -> Result<String, KnowledgeError> {
        self.inner.open_keyword(&self.inner.stop)?;
        let (stored, found) = (self.inner.store.passage_count()?, self.inner.keyword.count());
        if stored == found || self.inner.board.lock().scanning.is_some() {
            return Ok(format!("the keyword index holds {found} passages"));
        }
        self.inner.keyword.repair(&self.inner.store, &self.inner.stop)?;
        Ok(format!("the keyword index held {found} of {stored} passages and was built again"))
    }

    /// Bytes of vectors in memory.
    pub fn memory_bytes(&self) -> usize {
        self.inner.spaces().iter().map(|space| space.index.memory_bytes()).sum()
    }

    /// Ends all work and closes the indexes; what was committed stays.
    pub fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.board.close();
        self.inner.watcher.close();
        let threads: Vec<_> = self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a knowledge thread ended with a panic");
            }
        }
        if let Err(error) = self.inner.uses.keep(&self.inner.store) {
            tracing::debug!(%error, "how much documents were used was not kept");
        }
        self.inner.keyword.close();
        for space in self.inner.spaces() {
            if let Err(error) = space.index.save() {
                tracing::warn!(%error, "the snapshot of the vectors stays older than the store");
            }
        }
    }
}

/// Pages lie where the data folder is now: it may have been moved since they were fetched.
fn placed(mut sources: Vec<Source>, pages: &Path) -> Vec<Source> {
    for source in sources.iter_mut().filter(|source| source.kind == SourceKind::Web) {
        source.path = pages.join(source.id.to_string());
    }
    sources
}

/// All sources of a profile, with those that every profile has.
pub fn all_sources(main: &Db, profile: ProfileId, pages: &Path) -> Result<Vec<Source>, KnowledgeError> {
    let mut sources = placed(stored::list_sources(main, profile)?, pages);
    for kind in SourceKind::BUILT_IN {
        let source = kinds::built_in(profile, kind);
        if !sources.iter().any(|known| known.id == source.id) {
            sources.push(source);
        }
    }
    Ok(sources)
}

/// A worker that panics starts again, after a while and not for ever; the board still holds what it should do.
fn supervise(inner: &Inner, worker: &'static str, run: fn(&Inner)) {
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(inner))) else { return };
        if inner.stop.is_cancelled() {
            return;
        }
        failures = if begun.elapsed() >= STEADY { 1 } else { failures + 1 };
        inner.reports.worker_failed(worker, failures, panics::text(&*panic));
        if worker == "indexer" {
            inner.board.change(|board| board.scanning = None);
        }
        if failures > RESTARTS {
            return;
        }
        inner.board.wait_for(Some(pause(failures)), |board| board.is_closed().then_some(()));
    }
}

impl Inner {
    fn happened(&self, kind: &str, source: &Source) {
        self.reports
            .happened(Happening::new(kind, &source.name).with("path", source.path.display()).with("source", source.id));
    }

    pub fn source(&self, id: SourceId) -> Result<Source, KnowledgeError> {
        self.board.lock().by_id.get(&id).map(|running| running.source.clone()).ok_or(KnowledgeError::UnknownSource)
    }

    /// The index of a space, with its snapshots.
    pub fn vector_index(&self, space: stored::Space) -> VectorIndex {
        VectorIndex::kept(space, Some(self.vectors.clone()), self.identity)
    }

    /// The encoder's vectors that are searched.
    pub fn encoder(&self) -> Option<Space> {
        self.encoders_loaded.read().unwrap_or_else(PoisonError::into_inner).searched.clone()
    }

    pub fn encoder_spaces(&self) -> Vec<Space> {
        let loaded = self.encoders_loaded.read().unwrap_or_else(PoisonError::into_inner);
        [&loaded.searched, &loaded.coming].into_iter().flatten().cloned().collect()
    }

    /// All vectors that are kept up to date.
    pub fn spaces(&self) -> Vec<Space> {
        self.static_space.iter().cloned().chain(self.encoder_spaces()).collect()
    }

    /// The sources that have a row.
    fn stored_sources(&self) -> Result<Vec<Source>, KnowledgeError> {
        Ok(placed(stored::list_sources(&self.main, self.profile)?, &self.pages))
    }

    fn page_folder(&self, id: SourceId) -> PathBuf {
        self.pages.join(id.to_string())
    }

    /// Removes the pages of sources that are neither there nor in the trash.
    fn forget_pages(&self, sources: &[Source]) -> Result<(), KnowledgeError> {
        let Ok(entries) = std::fs::read_dir(&self.pages) else { return Ok(()) };
        for entry in entries.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<SourceId>().ok()) else { continue };
            let known = sources.iter().any(|source| source.id == id);
            if !known
                && !trash::holds_source(&self.main, self.profile, id)?
                && let Err(error) = std::fs::remove_dir_all(entry.path())
            {
                tracing::warn!(%error, "a page that nobody needs any more was not removed");
            }
        }
        Ok(())
    }

    /// The sources that a search may find something in.
    pub fn searched_sources(&self) -> Vec<Source> {
        let mut sources = self.board.sources();
        sources.retain(|source| !(source.kind.is_built_in() && source.paused));
        sources
    }

    /// Whether what a passage was made from is still there: a chat or task that was just deleted is found no more,
    /// whatever the indexes still hold.
    pub fn is_there(&self, origin: &Origin) -> bool {
        match origin {
            Origin::Chat { id, .. } => chats::get(&self.main, self.profile, *id).is_ok(),
            Origin::Task { id } => tasks::get(&self.main, self.profile, *id).is_ok(),
            Origin::File | Origin::Activity { .. } | Origin::Commit { .. } | Origin::Page { .. } => true,
        }
    }

    pub fn limits(&self) -> Limits {
        Limits { file_bytes: (self.preferences)().largest_file, ..Limits::default() }
    }

    pub fn preparer(&self) -> Preparer {
        Preparer {
            limits: self.limits(),
            sizes: (self.preferences)().sizes,
            embedder: self.static_space.as_ref().map(|space| space.embedder.clone()),
            ids: self.ids.clone(),
        }
    }

    pub fn status(&self, id: SourceId) -> Result<SourceStatus, KnowledgeError> {
        let counts = self.store.counts(id)?;
        let page = self.source(id).ok().filter(|source| source.kind == SourceKind::Web);
        let completed = match page {
            Some(page) => kinds::kept_at(&page.path),
            None => (counts.completed > 0).then_some(Timestamp(counts.completed)),
        };
        let board = self.board.lock();
        let running = board.by_id.get(&id).ok_or(KnowledgeError::UnknownSource)?;
        Ok(SourceStatus {
            source: running.source.clone(),
            state: running.state,
            documents: counts.documents,
            passages: counts.passages,
            problems: counts.problems,
            progress: running.progress(),
            completed,
        })
    }

    /// Tells how a source stands, not too often.
    pub fn tell(&self, id: SourceId) {
        let tell = self.board.lock().by_id.get_mut(&id).is_some_and(Running::should_tell);
        if tell {
            match self.status(id) {
                Ok(status) => self.reports.source_changed(status),
                Err(KnowledgeError::UnknownSource) => {}
                Err(error) => tracing::warn!(%error, "the figures of a source cannot be read"),
            }
        }
    }

    pub fn pause(&self, id: SourceId, paused: bool) -> Result<(), KnowledgeError> {
        let mut source = self.source(id)?;
        source.paused = paused;
        source.updated = self.clock.now();
        stored::put_source(&self.main, &source)?;
        self.board.change(|board| {
            if let Some(running) = board.by_id.get_mut(&id) {
                running.source = source;
                if paused {
                    running.cancel.cancel();
                    running.state = SourceState::Paused;
                }
            }
        });
        Ok(())
    }
}
