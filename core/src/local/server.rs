//! The owner's side: accepts connections, carries their requests to the engine, and sends replies and events.

mod connection;

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::net::Net;
use super::place::Place;
use super::transport::Listener;
use crate::api::{Parcel, Role, Subscription};
use crate::model::ProfileId;

/// Processes that may be connected at the same time.
const CONNECTIONS: usize = 64;

/// Before the next try to accept after one failed, such as for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How long the last words may take to reach all clients.
const LEAVING: Duration = Duration::from_secs(5);

/// Whoever owns the data folder and serves others.
pub(crate) trait Owner: Send + Sync {
    fn role(&self) -> Role;
    /// The profile that the person works in.
    fn profile(&self) -> ProfileId;
    /// What a window would have to wait for, a few words for each.
    fn busy(&self) -> Vec<String>;
    /// Its `RSPA_MODELS_PATH`.
    fn models_path(&self) -> Option<String>;
    fn carry(&self, parcel: Parcel);
    fn subscribe(&self) -> Subscription;
    /// The program was started once more.
    fn window_wanted(&self);
    /// A window wants the data folder; false where it will not get it.
    fn hand_over(self: Arc<Self>, taker: Taker) -> bool;
}

/// A window that waits for the data folder.
pub(crate) struct Taker {
    /// Told when the files are closed.
    pub released: oneshot::Sender<()>,
    /// Told what it waits for.
    pub busy: watch::Sender<Vec<String>>,
    /// Triggered when the window has opened the folder, or has gone.
    pub done: CancellationToken,
}

/// Whether requests of clients are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Open,
    /// New ones wait; replies go out.
    Paused,
    /// Nothing more is begun: each client is told and let go.
    Leaving,
}

/// What all connections of one server share.
#[derive(Clone)]
struct Door {
    owner: Weak<dyn Owner>,
    gate: Arc<watch::Sender<Gate>>,
    /// Clients that were greeted and are not waiting for the data folder.
    clients: Arc<watch::Sender<usize>>,
    /// Ends the accepting and all connections but that of a taker.
    stop: CancellationToken,
}

/// Counts one client.
struct Counted(Arc<watch::Sender<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|clients| *clients -= 1);
    }
}

impl Door {
    /// None once the owner leaves.
    fn enter(&self) -> Option<Counted> {
        // Held until it is counted: whoever leaves waits for it.
        let gate = self.gate.borrow();
        if *gate == Gate::Leaving {
            return None;
        }
        self.clients.send_modify(|clients| *clients += 1);
        Some(Counted(self.clients.clone()))
    }
}

/// Holds new requests of clients back.
#[derive(Clone)]
pub(crate) struct GateKeeper(Arc<watch::Sender<Gate>>);

impl GateKeeper {
    /// When this returns, no request of a client is on its way to the owner any more, and none comes until it is open
    /// again. Not to be called under a lock that the owner's `carry` takes.
    pub fn pause(&self) {
        self.0.send_replace(Gate::Paused);
    }

    /// As with [`GateKeeper::pause`], under no lock.
    pub fn open(&self) {
        self.0.send_replace(Gate::Open);
    }
}

pub(crate) struct Server {
    path: PathBuf,
    gate: Arc<watch::Sender<Gate>>,
    clients: Arc<watch::Sender<usize>>,
    /// Ends the accepting and all connections but that of a taker, also when dropped.
    stop: DropGuard,
}

impl Server {
    /// Listens from now on. Only for whoever holds the lock of the data folder.
    ///
    /// # Errors
    /// When no socket can be made.
    pub fn start(net: &Net, place: &Place, owner: Weak<dyn Owner>) -> std::io::Result<Self> {
        let _inside = net.handle().enter();
        let listener = Listener::bind(place)?;
        let (path, stop) = (listener.path(), CancellationToken::new());
        let (gate, clients) = (Arc::new(watch::Sender::new(Gate::Open)), Arc::new(watch::Sender::new(0)));
        let door = Door { owner, gate: gate.clone(), clients: clients.clone(), stop: stop.clone() };
        net.handle().spawn(accept(listener, door));
        Ok(Self { path, gate, clients, stop: stop.drop_guard() })
    }

    /// Processes that use the data folder through this one.
    pub fn clients(&self) -> usize {
        *self.clients.borrow()
    }

    pub fn gate(&self) -> GateKeeper {
        GateKeeper(self.gate.clone())
    }

    /// Tells all clients that the owner leaves and what of theirs is unfinished, and lets them go; newcomers are told to
    /// wait. Blocks until they have been told, a few seconds at most.
    pub fn leave(&self, net: &Net) {
        self.gate.send_replace(Gate::Leaving);
        let mut clients = self.clients.subscribe();
        let told = net.wait(LEAVING, async move { clients.wait_for(|clients| *clients == 0).await.is_ok() });
        if told.is_none() {
            tracing::warn!("not all clients of the local socket read that this process leaves");
        }
    }

    /// Nobody finds the socket any more, and all connections end. Only while the data folder is locked.
    pub fn stop(self) {
        Listener::hide(&self.path);
        drop(self.stop);
    }
}

async fn accept(mut listener: Listener, door: Door) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = door.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(accepted) => {
                let place = places.clone().try_acquire_owned().ok();
                let door = door.clone();
                tokio::spawn(async move {
                    connection::serve(accepted, &door, place.is_some()).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the local socket could not accept a connection");
                tokio::select! {
                    () = door.stop.cancelled() => return,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
}
