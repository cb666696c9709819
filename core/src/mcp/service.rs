//! The servers of one profile: set up, started when first needed, kept alive, listed, called, ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Patience};
use super::tools::ServerTool;
use super::words::{checked, line, wrong};
use super::{Connect, Log, PREFIX};
use crate::answering::Publish;
use crate::api::{ApiError, Event};
use crate::clock::{Clock, Ids};
use crate::model::{
    Happening, McpContent, McpOffer, McpServer, McpServerDraft, McpServerId, McpState, McpTransport, ProfileId,
    Timestamp,
};
use crate::storage::Db;
use crate::storage::mcp::{self as stored, Row};
use crate::tools::Found;

/// The worker that starts servers again.
pub const KEEPER: &str = "tool servers";
/// How often in a row a server that ends on its own is started again.
const TRIES: u32 = 3;
/// A server that could not be started is not tried again sooner.
const START_AGAIN: Duration = Duration::from_secs(5);
/// One that ended too often is left alone for so long.
const REST: Duration = Duration::from_secs(300);
/// Changes that a server tells within this time are one.
const GATHER: Duration = Duration::from_millis(250);
/// Bytes of the arguments of a call.
const LARGEST_ARGUMENTS: usize = 1 << 20;

/// What the servers work with.
#[derive(Clone)]
pub struct Parts {
    pub main: Db,
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub publish: Publish,
    /// Keeps what happened.
    pub happened: Arc<dyn Fn(Happening) + Send + Sync>,
    /// A turn of the keeper begins.
    pub turn: Arc<dyn Fn(&'static str) + Send + Sync>,
    pub runtime: Handle,
    pub connect: Arc<dyn Connect>,
    pub patience: Patience,
    /// Before the first, second, … restart of a server in a row.
    pub pause: fn(u32) -> Duration,
    /// A server that worked for so long has not failed in a row.
    pub steady: Duration,
}

/// Half a second, two seconds, eight seconds.
pub fn pause(restart: u32) -> Duration {
    Duration::from_millis(500) * 4_u32.pow(restart.saturating_sub(1).min(TRIES))
}

/// The servers of a profile. Clones are the same.
#[derive(Clone)]
pub struct Servers(Arc<Inner>);

struct Inner {
    parts: Parts,
    slots: Mutex<BTreeMap<McpServerId, Arc<Slot>>>,
    /// Servers that are to be started again, and when.
    due: Mutex<BTreeMap<McpServerId, Instant>>,
    changed: Condvar,
    closed: AtomicBool,
}

/// One server as it is now.
struct Slot {
    id: McpServerId,
    /// Whoever has it starts or ends the server.
    turn: tokio::sync::Mutex<()>,
    live: Mutex<Live>,
    log: Arc<Log>,
}

#[derive(Default)]
struct Live {
    state: McpState,
    connection: Option<Arc<Connection>>,
    offer: Option<Arc<McpOffer>>,
    confinement: String,
    restarts: u32,
    /// Ends in a row.
    failures: u32,
    began: Option<Instant>,
    /// Of the connection: news of an earlier one are no news.
    generation: u64,
}

impl Slot {
    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Servers {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            slots: Mutex::default(),
            due: Mutex::default(),
            changed: Condvar::new(),
            closed: AtomicBool::new(false),
        }))
    }

    /// What it works with: for the same servers in the next run of the program.
    #[cfg(test)]
    pub(super) fn clone_parts(&self) -> Parts {
        self.0.parts.clone()
    }

    fn parts(&self) -> &Parts {
        &self.0.parts
    }

    fn slot(&self, id: McpServerId) -> Arc<Slot> {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Slot { id, turn: tokio::sync::Mutex::default(), live: Mutex::default(), log: Arc::default() };
        slots.entry(id).or_insert_with(|| Arc::new(fresh())).clone()
    }

    fn due(&self) -> MutexGuard<'_, BTreeMap<McpServerId, Instant>> {
        self.0.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) {
        (self.parts().publish)(Event::McpChanged);
    }

    fn happened(&self, kind: &str, name: &str, words: &str) {
        let happening = Happening::new(kind, format!("{name} {words}")).with("server", name);
        (self.parts().happened)(happening);
    }

    fn rows(&self) -> Result<Vec<Row>, ApiError> {
        Ok(stored::list(&self.parts().main, self.parts().profile)?)
    }

    fn row(&self, id: McpServerId) -> Result<Row, ApiError> {
        Ok(stored::get(&self.parts().main, self.parts().profile, id)?)
    }

    fn later(&self, by: Duration) -> Timestamp {
        Timestamp(self.parts().clock.now().0 + i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 2))
    }

    /// What is known to be offered: by the server that runs, or by the one that ran last.
    fn offered(&self, id: McpServerId) -> Option<Arc<McpOffer>> {
        let slot = self.slot(id);
        if let Some(offer) = &slot.live().offer {
            return Some(offer.clone());
        }
        let kept = stored::offer(&self.parts().main, self.parts().profile, id).unwrap_or_else(|error| {
            tracing::warn!(%error, "what a tool server offered cannot be read");
            None
        });
        let kept = Arc::new(kept?);
        slot.live().offer.get_or_insert(kept.clone());
        Some(kept)
    }

    fn whole(&self, row: Row) -> McpServer {
        let offer = self.offered(row.id);
        let slot = self.slot(row.id);
        let live = slot.live();
        let count =
            |of: fn(&McpOffer) -> usize| offer.as_ref().map_or(0, |offer| u32::try_from(of(offer)).unwrap_or(u32::MAX));
        McpServer {
            id: row.id,
            settings: row.settings,
            state: live.state.clone(),
            tools: count(|offer| offer.tools.len()),
            resources: count(|offer| offer.resources.len()),
            prompts: count(|offer| offer.prompts.len()),
            confinement: live.confinement.clone(),
            restarts: live.restarts,
            log: slot.log.text(),
        }
    }

    /// By name.
    pub fn list(&self) -> Result<Vec<McpServer>, ApiError> {
        Ok(self.rows()?.into_iter().map(|row| self.whole(row)).collect())
    }

    /// # Errors
    /// When there is no such server.
    pub fn get(&self, id: McpServerId) -> Result<McpServer, ApiError> {
        Ok(self.whole(self.row(id)?))
    }

    fn names_beside(&self, id: Option<McpServerId>) -> Result<Vec<String>, ApiError> {
        let others = self.rows()?.into_iter().filter(|row| Some(row.id) != id);
        Ok(others.map(|row| row.settings.name).collect())
    }

    /// # Errors
    /// Category validation when it cannot be like this.
    pub fn add(&self, draft: McpServerDraft) -> Result<McpServer, ApiError> {
        let draft = checked(draft, &self.names_beside(None)?)?;
        let id = McpServerId(self.parts().ids.next());
        let name = draft.name.clone();
        stored::add(&self.parts().main, self.parts().profile, id, draft, self.parts().clock.now())?;
        self.happened("mcp.added", &name, "is a tool server now");
        self.told();
        self.get(id)
    }

    /// Ends it, and starts it anew if it was running.
    ///
    /// # Errors
    /// Category validation when it cannot be like this.
    pub async fn update(&self, id: McpServerId, draft: McpServerDraft) -> Result<McpServer, ApiError> {
        let before = self.row(id)?;
        let draft = checked(draft, &self.names_beside(Some(id))?)?;
        let slot = self.slot(id);
        let ran = slot.live().connection.is_some();
        self.end(&slot).await;
        let enabled = draft.enabled;
        {
            let mut live = slot.live();
            (live.offer, live.failures, live.restarts) = (None, 0, 0);
        }
        stored::update(&self.parts().main, self.parts().profile, id, draft, self.parts().clock.now())?;
        self.happened("mcp.changed", &before.settings.name, "was changed");
        self.told();
        if ran && enabled {
            // That it does not work now is its state.
            self.need(id).await.map(drop).unwrap_or_else(|error| tracing::info!(%error, "a changed tool server"));
        }
        self.get(id)
    }

    /// # Errors
    /// When there is no such server.
    pub async fn remove(&self, id: McpServerId) -> Result<(), ApiError> {
        let row = self.row(id)?;
        let slot = self.slot(id);
        self.end(&slot).await;
        stored::remove(&self.parts().main, self.parts().profile, id)?;
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.happened("mcp.removed", &row.settings.name, "is no tool server any more");
        self.told();
        Ok(())
    }

    /// Connects now, whatever happened before.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub async fn start(&self, id: McpServerId) -> Result<McpServer, ApiError> {
        let slot = self.slot(id);
        {
            let mut live = slot.live();
            live.failures = 0;
            if let McpState::Failed { until, .. } = &mut live.state {
                *until = None;
            }
        }
        self.due().remove(&id);
        self.need(id).await?;
        self.get(id)
    }

    /// Ends it; it is started again when it is needed.
    ///
    /// # Errors
    /// When there is no such server.
    pub async fn stop(&self, id: McpServerId) -> Result<McpServer, ApiError> {
        self.row(id)?;
        let slot = self.slot(id);
        self.end(&slot).await;
        self.told();
        self.get(id)
    }

    async fn end(&self, slot: &Slot) {
        let _turn = slot.turn.lock().await;
        self.due().remove(&slot.id);
        let connection = {
            let mut live = slot.live();
            live.generation += 1;
            live.state = McpState::Stopped;
            live.connection.take()
        };
        if let Some(connection) = connection {
            connection.end().await;
        }
    }

    /// A connection that works: the one that there is, or a new one.
    ///
    /// # Errors
    /// Why there is none.
    async fn need(&self, id: McpServerId) -> Result<Arc<Connection>, ApiError> {
        let row = self.row(id)?;
        let name = &row.settings.name;
        if !row.settings.enabled {
            return Err(wrong(format!("the tool server \"{name}\" is switched off"), "Switch it on first."));
        }
        let slot = self.slot(id);
        let _turn = slot.turn.lock().await;
        if self.0.closed.load(Ordering::SeqCst) {
            return Err(ApiError::cancelled());
        }
        {
            let live = slot.live();
            if let Some(connection) = live.connection.as_ref().filter(|connection| !connection.is_over()) {
                return Ok(connection.clone());
            }
            if let McpState::Failed { why, until: Some(until) } = &live.state
                && *until > self.parts().clock.now()
            {
                let seconds = (until.0 - self.parts().clock.now().0) / 1_000 + 1;
                return Err(wrong(
                    format!(
                        "the tool server \"{name}\" does not work: {why}; it is tried again in {seconds} s at the earliest"
                    ),
                    "Wait, or start it yourself once you have changed what is wrong.",
                ));
            }
        }
        self.due().remove(&id);
        self.connect(&slot, &row).await
    }

    /// By who has the turn.
    async fn connect(&self, slot: &Arc<Slot>, row: &Row) -> Result<Arc<Connection>, ApiError> {
        let generation = {
            let mut live = slot.live();
            live.generation += 1;
            live.state = McpState::Starting;
            live.connection = None;
            live.generation
        };
        self.told();
        slot.log.clear();
        match self.open(slot, row, generation).await {
            Ok(connection) => {
                self.told();
                Ok(connection)
            }
            Err(error) => {
                let mut error = error;
                let log = slot.log.text();
                if let Some(last) = log.lines().rev().find(|line| !line.trim().is_empty()) {
                    error.message = format!("{}; it wrote: {}", error.message, line(last, 300));
                }
                let until = Some(self.later(START_AGAIN));
                slot.live().state = McpState::Failed { why: error.message.clone(), until };
                self.happened("mcp.failed", &row.settings.name, "could not be started");
                self.told();
                Err(error)
            }
        }
    }

    async fn open(&self, slot: &Arc<Slot>, row: &Row, generation: u64) -> Result<Arc<Connection>, ApiError> {
        let parts = self.parts();
        let (connect, settings, log) = (parts.connect.clone(), row.settings.clone(), slot.log.clone());
        let line = parts.runtime.spawn_blocking(move || connect.connect(&settings, &log)).await;
        let line = line.map_err(|error| {
            tracing::error!(%error, "a tool server was not started");
            wrong("the start of the tool server stopped because of a fault in the program", "Report this.")
        })??;
        slot.live().confinement = line.confinement.clone();
        let (changed, news) = mpsc::channel(1);
        let (servers, ended) = (self.clone(), slot.clone());
        let gone = move |why: String| servers.gone(&ended, generation, &why);
        let connection = Connection::begin(line, &row.settings, &parts.runtime, parts.patience, changed, gone).await?;
        let connection = Arc::new(connection);
        let offer = match connection.offer().await {
            Ok(offer) => offer,
            Err(error) => {
                connection.end().await;
                return Err(error);
            }
        };
        self.keep_offer(slot, offer)?;
        {
            let mut live = slot.live();
            let hello = connection.hello.clone();
            live.state = McpState::Ready { server: hello.server, version: hello.version, protocol: hello.protocol };
            live.connection = Some(connection.clone());
            live.began = Some(Instant::now());
        }
        if connection.is_over() {
            // It ended before anybody could hear of it.
            slot.live().connection = None;
            return Err(wrong(format!("the tool server \"{}\" ended at once", row.settings.name), "Look at its log."));
        }
        self.listen(slot, &connection, generation, news);
        Ok(connection)
    }

    fn keep_offer(&self, slot: &Slot, offer: McpOffer) -> Result<(), ApiError> {
        let same = slot.live().offer.as_deref() == Some(&offer);
        if !same {
            stored::put_offer(&self.parts().main, self.parts().profile, slot.id, offer.clone())?;
        }
        slot.live().offer = Some(Arc::new(offer));
        Ok(())
    }

    /// Lists anew what the server says has changed, until it is gone.
    fn listen(&self, slot: &Arc<Slot>, connection: &Arc<Connection>, generation: u64, mut news: mpsc::Receiver<()>) {
        let (servers, slot, connection) = (self.clone(), slot.clone(), Arc::downgrade(connection));
        self.parts().runtime.spawn(async move {
            while news.recv().await.is_some() {
                tokio::time::sleep(GATHER).await;
                while news.try_recv().is_ok() {}
                let Some(connection) = connection.upgrade() else { return };
                let offer = connection.offer().await;
                if slot.live().generation != generation {
                    return;
                }
                match offer.and_then(|offer| servers.keep_offer(&slot, offer)) {
                    Ok(()) => servers.told(),
                    Err(error) => tracing::warn!(%error, "what a tool server offers now is not known"),
                }
            }
        });
    }

    /// A server is gone that nobody ended: it is started again after a pause, and given up after the third time.
    fn gone(&self, slot: &Slot, generation: u64, why: &str) {
        let restart = {
            let mut live = slot.live();
            // While it begins, whoever waits for it hears of the end.
            if live.generation != generation || live.connection.is_none() {
                return;
            }
            live.connection = None;
            let steady = live.began.is_some_and(|began| began.elapsed() >= self.parts().steady);
            live.failures = if steady { 1 } else { live.failures + 1 };
            let restart = live.failures <= TRIES;
            let wait = if restart { (self.parts().pause)(live.failures) } else { REST };
            let why = match restart {
                true => format!("it ended: {why}"),
                false => format!("it ended {} times in a row: {why}", live.failures),
            };
            live.state = McpState::Failed { why, until: Some(self.later(wait)) };
            restart.then(|| Instant::now() + wait)
        };
        let name = self.row(slot.id).map(|row| row.settings.name).unwrap_or_default();
        tracing::warn!(server = name, why, "a tool server ended on its own");
        self.happened("mcp.ended", &name, &format!("ended: {why}"));
        if let Some(at) = restart {
            self.due().insert(slot.id, at);
            self.0.changed.notify_all();
        }
        self.told();
    }

    /// Starts servers again that ended, until [`Servers::close`]. On a thread of its own.
    pub fn run(&self) {
        loop {
            (self.parts().turn)(KEEPER);
            let id = {
                let mut due = self.due();
                loop {
                    if self.0.closed.load(Ordering::SeqCst) {
                        return;
                    }
                    let next = due.iter().min_by_key(|(_, at)| **at).map(|(id, at)| (*id, *at));
                    let now = Instant::now();
                    due = match next {
                        Some((id, at)) if at <= now => {
                            due.remove(&id);
                            break id;
                        }
                        Some((_, at)) => {
                            let waited = self.0.changed.wait_timeout(due, at - now);
                            waited.unwrap_or_else(PoisonError::into_inner).0
                        }
                        None => self.0.changed.wait(due).unwrap_or_else(PoisonError::into_inner),
                    };
                }
            };
            self.again(id);
        }
    }

    fn again(&self, id: McpServerId) {
        let slot = self.slot(id);
        {
            let mut live = slot.live();
            if !matches!(live.state, McpState::Failed { .. }) {
                return;
            }
            live.restarts += 1;
            if let McpState::Failed { until, .. } = &mut live.state {
                *until = None;
            }
        }
        if let Err(error) = self.parts().runtime.block_on(self.need(id)) {
            let failures = {
                let mut live = slot.live();
                live.failures += 1;
                live.failures
            };
            tracing::warn!(%error, failures, "a tool server could not be started again");
            let wait = if failures <= TRIES { (self.parts().pause)(failures) } else { REST };
            if let McpState::Failed { until, .. } = &mut slot.live().state {
                *until = Some(self.later(wait));
            }
            if failures <= TRIES && !self.0.closed.load(Ordering::SeqCst) {
                self.due().insert(id, Instant::now() + wait);
            }
            self.told();
        }
    }

    /// Ends all servers for good; blocks until they are gone.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        {
            let _due = self.due();
            self.0.changed.notify_all();
        }
        let slots: Vec<Arc<Slot>> =
            self.0.slots.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let ends = slots.into_iter().map(|slot| {
            let servers = self.clone();
            async move { servers.end(&slot).await }
        });
        self.parts().runtime.block_on(futures::future::join_all(ends));
    }

    /// What it offers; starts it if need be.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn offer(&self, id: McpServerId) -> Result<McpOffer, ApiError> {
        self.need(id).await?;
        let offer = self.offered(id);
        Ok(offer.map(|offer| offer.as_ref().clone()).unwrap_or_default())
    }

    /// Calls a tool by the server's own name for it. Never done twice.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn call(
        &self,
        id: McpServerId,
        tool: &str,
        arguments: &Value,
        cancel: &CancellationToken,
    ) -> Result<McpContent, ApiError> {
        let arguments = object(arguments)?;
        let connection = self.need(id).await?;
        let known = self.offered(id).is_some_and(|offer| offer.tools.iter().any(|known| known.name == tool));
        if !known {
            return Err(ApiError::validation(
                format!("this server has no tool {:?}", line(tool, 100)),
                "`rspa mcp show` lists all that it has.",
            ));
        }
        connection.call(tool, arguments, cancel).await
    }

    /// # Errors
    /// When there is no answer.
    pub async fn read(&self, id: McpServerId, uri: &str, cancel: &CancellationToken) -> Result<McpContent, ApiError> {
        self.need(id).await?.read(uri, cancel).await
    }

    /// # Errors
    /// When there is no answer.
    pub async fn prompt(
        &self,
        id: McpServerId,
        name: &str,
        arguments: BTreeMap<String, String>,
        cancel: &CancellationToken,
    ) -> Result<McpContent, ApiError> {
        let arguments = arguments.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        self.need(id).await?.prompt(name, arguments, cancel).await
    }

    /// All tools that are known, of servers that run or ran.
    pub fn tools(&self) -> Vec<Found> {
        let rows = self.rows().unwrap_or_else(|error| {
            tracing::warn!(%error, "the tool servers cannot be read");
            Vec::new()
        });
        let mut all = Vec::new();
        for row in rows {
            let Some(offer) = self.offered(row.id) else { continue };
            for tool in &offer.tools {
                let tool = ServerTool::of(self.clone(), &row, tool.clone(), false);
                all.push(Found::Served(Arc::new(tool)));
            }
        }
        all
    }

    /// The tool that agents call so; also one whose server is gone or has it no more, which then says so. `start`: its
    /// server is started when the tool is asked whether it is there.
    pub fn tool(&self, name: &str, start: bool) -> Option<Found> {
        let rest = name.strip_prefix(PREFIX)?;
        let row = self
            .rows()
            .ok()?
            .into_iter()
            .find(|row| rest.strip_prefix(row.settings.name.as_str()).is_some_and(|rest| rest.starts_with('_')));
        let Some(row) = row else {
            return Some(Found::Served(Arc::new(ServerTool::gone(self.clone(), name))));
        };
        let find = |offer: Arc<McpOffer>| offer.tools.iter().find(|tool| tool.tool == name).cloned();
        let mut known = self.offered(row.id).and_then(find);
        if known.is_none() && start && row.settings.enabled {
            // It was never reached, or offers something else by now.
            match self.parts().runtime.block_on(self.need(row.id)) {
                Ok(_) => known = self.offered(row.id).and_then(find),
                Err(error) => tracing::info!(%error, "a tool server that an agent needs"),
            }
        }
        Some(Found::Served(Arc::new(match known {
            Some(tool) => ServerTool::of(self.clone(), &row, tool, start),
            None => ServerTool::missing(self.clone(), &row, name),
        })))
    }

    /// Why a server cannot be used now; starts it where it shall be.
    pub(super) fn unusable(&self, id: McpServerId, start: bool) -> Option<String> {
        let row = match self.row(id) {
            Ok(row) => row,
            Err(_) => return Some("its server was removed".to_owned()),
        };
        if !row.settings.enabled {
            return Some(format!("the tool server \"{}\" is switched off", row.settings.name));
        }
        if start {
            return self.parts().runtime.block_on(self.need(id)).err().map(|error| error.message);
        }
        match &self.slot(id).live().state {
            McpState::Failed { why, .. } => {
                Some(format!("the tool server \"{}\" does not work: {why}", row.settings.name))
            }
            McpState::Stopped | McpState::Starting | McpState::Ready { .. } => None,
        }
    }

    /// As [`Servers::call`], on a thread that blocks.
    pub(super) fn call_and_wait(
        &self,
        id: McpServerId,
        tool: &str,
        arguments: &Value,
        cancel: &CancellationToken,
    ) -> Result<McpContent, ApiError> {
        self.parts().runtime.block_on(self.call(id, tool, arguments, cancel))
    }
}

/// Whether a server is reached over the network.
pub(super) fn is_remote(row: &Row) -> bool {
    matches!(row.settings.transport, McpTransport::Http { .. })
}

pub(super) fn object(arguments: &Value) -> Result<rmcp::model::JsonObject, ApiError> {
    if arguments.to_string().len() > LARGEST_ARGUMENTS {
        return Err(ApiError::validation("the arguments are larger than 1 MB", "Give less at once."));
    }
    match arguments {
        Value::Object(fields) => Ok(fields.clone()),
        Value::Null => Ok(rmcp::model::JsonObject::new()),
        _ => {
            Err(ApiError::validation("the arguments are no JSON object", "Give an object, such as {\"path\": \".\"}."))
        }
    }
}
