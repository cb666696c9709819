//! The owner's side: accepts connections, carries their requests to the engine, and sends replies and events.

mod connection;

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
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

/// Whoever owns the data folder and serves others.
pub(crate) trait Owner: Send + Sync {
    fn role(&self) -> Role;
    /// The profile that the person works in.
    fn profile(&self) -> ProfileId;
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
    /// Triggered when the window has opened the folder, or has gone.
    pub done: CancellationToken,
}

pub(crate) struct Server {
    path: PathBuf,
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
        net.handle().spawn(accept(listener, owner, stop.clone()));
        Ok(Self { path, stop: stop.drop_guard() })
    }

    /// Nobody finds the socket any more, and all connections end. Only while the data folder is locked.
    pub fn stop(self) {
        Listener::hide(&self.path);
        drop(self.stop);
    }
}

async fn accept(mut listener: Listener, owner: Weak<dyn Owner>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(accepted) => {
                let place = places.clone().try_acquire_owned().ok();
                let (owner, stop) = (owner.clone(), stop.clone());
                tokio::spawn(async move {
                    connection::serve(accepted, &owner, place.is_some(), stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the local socket could not accept a connection");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
}
