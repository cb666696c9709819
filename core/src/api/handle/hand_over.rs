//! Changes of hands while the core is used: a window takes the folder from a command, and an owner that goes away.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::find::Intent;
use super::switch::{Here, Switch, Work, ended};
use crate::api::{ApiError, ErrorCategory};
use crate::local::client::Lost;
use crate::local::server::Taker;

/// Between two looks whether work has ended.
const LOOK: Duration = Duration::from_millis(50);
/// Over how much time the clients of an owner that has gone spread their first look for the next one.
const HERD: Duration = Duration::from_millis(60);
/// How long a window may take to open the folder that it got.
const OPENING: Duration = Duration::from_secs(120);

impl Switch {
    /// Gives the folder to a window, on a thread of its own: finishes what must not be repeated, closes the files,
    /// waits until the window has opened them, and goes on as its client.
    pub(super) fn begin_hand_over(self: Arc<Self>, taker: Taker) {
        let work = move || self.hand_over_to(taker);
        if let Err(error) = std::thread::Builder::new().name("hand-over".to_owned()).spawn(work) {
            tracing::error!(%error, "no thread to give the data folder to a window");
        }
    }

    fn hand_over_to(self: Arc<Self>, taker: Taker) {
        let turn = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = || taker.done.is_cancelled() || self.closing.is_cancelled();
        if gone() {
            return;
        }
        tracing::info!("a window takes the data folder over");
        let Some(Here { engine, server }) = self.take_idle(&taker, gone) else { return };
        self.outlets.pause();
        if let Some(server) = server {
            server.leave(&self.net);
            server.stop();
        }
        let parcels = engine.release();
        drop(engine);
        self.ask_again(parcels);
        drop(turn);
        // Without the window nobody reads it.
        taker.released.send(()).ok();
        let until = Instant::now() + OPENING;
        while !taker.done.is_cancelled() && !self.closing.is_cancelled() && Instant::now() < until {
            self.pause(LOOK);
        }
        let _turn = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        self.go_on();
    }

    /// The connection to the owner has ended: the folder is opened here, or its next owner is found.
    pub(super) fn lost(self: Arc<Self>, number: u64, lost: Lost) {
        let work = move || {
            let _turn = self.control.lock().unwrap_or_else(PoisonError::into_inner);
            let Lost { again, unknown, told } = lost;
            unknown.into_iter().for_each(|parcel| parcel.answer(Err(not_known())));
            if self.closing.is_cancelled() {
                return again.into_iter().for_each(|parcel| parcel.answer(Err(ended())));
            }
            if !self.leave(number) {
                return again.into_iter().for_each(|parcel| self.carry(parcel));
            }
            self.outlets.pause();
            self.ask_again(again);
            tracing::debug!(told, "the owner of the data folder has gone");
            // All its clients hear it at once, and each would try to be the next one.
            self.pause(self.some_of(HERD));
            self.go_on();
        };
        if let Err(error) = std::thread::Builder::new().name("next owner".to_owned()).spawn(work) {
            tracing::error!(%error, "no thread to look for the next owner of the data folder");
        }
    }

    /// Under `control`.
    fn go_on(self: &Arc<Self>) {
        match self.settle(Intent::Again, None) {
            Ok(true) => {}
            Ok(false) => self.fail(&not_known()),
            Err(error) => {
                tracing::error!(%error, "the data folder could not be used again");
                self.fail(&error);
            }
        }
    }

    /// Lets go of this connection; false when it is not the one that is used.
    fn leave(&self, number: u64) -> bool {
        if self.connection.load(Ordering::SeqCst) != number {
            return false;
        }
        let mut work = self.work();
        match std::mem::replace(&mut *work, Work::Nobody(Vec::new())) {
            Work::There(client) => {
                drop(work);
                client.close();
                true
            }
            other => {
                let nobody = matches!(other, Work::Nobody(_));
                *work = other;
                nobody
            }
        }
    }

    /// The engine, once nothing runs that must not be repeated; from then on requests wait. None when `gone`.
    fn take_idle(&self, taker: &Taker, gone: impl Fn() -> bool) -> Option<Here> {
        while !gone() {
            let busy = self.busy_with()?;
            if !busy.is_empty() {
                // It goes on working meanwhile: it may need to be stopped, or asked how far it is.
                taker.busy.send_if_modified(|told| {
                    let changed = *told != busy;
                    *told = busy;
                    changed
                });
                self.pause(LOOK);
                continue;
            }
            // From here on nothing of a client comes between.
            if let Some(gate) = self.gate() {
                gate.pause();
            }
            let here = self.take_here()?;
            if !here.engine.is_busy() {
                return Some(here);
            }
            self.put_back(here);
        }
        None
    }
}

fn not_known() -> ApiError {
    ApiError::new(
        ErrorCategory::Storage,
        "the rspa that did the work has ended; whether it was done is not known",
        "Look whether it was done, and do it again if it was not.",
    )
}
