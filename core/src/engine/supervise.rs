//! Supervised workers: one that panics or fails is started again, up to three times, and the person is told.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::{Context, Events};
use crate::api::{ApiError, Event};
use crate::model::Happening;
use crate::panics;
use crate::supervision::{RESTARTS, STEADY, pause};

impl Context {
    /// Keeps `make`'s future running until it ends well or the token given to it is triggered (at shutdown). Of the whole
    /// program, not of this profile: it goes on when the person works in another one.
    /// Three failures in a row end it; the dashboard says so. `name` stands in [`crate::faults::PLACES`].
    pub fn spawn_worker<F, Fut>(&self, name: &'static str, make: F)
    where
        F: Fn(Context, CancellationToken) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), ApiError>> + Send + 'static,
    {
        let ctx = self.clone();
        self.spawn_for_all(async move {
            let mut failures = 0;
            loop {
                let cancel = ctx.stopping().child_token();
                let (turns, work) = (ctx.faults.clone(), make(ctx.clone(), cancel));
                let mut run = ctx.runtime.spawn(async move {
                    turns.at(name);
                    work.await
                });
                let ended = tokio::select! {
                    ended = &mut run => ended,
                    () = tokio::time::sleep(STEADY), if failures > 0 => {
                        failures = 0;
                        ctx.works_again(name);
                        run.await
                    }
                };
                let why = match ended {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => error.to_string(),
                    Err(error) if error.is_panic() => panics::text(&*error.into_panic()).to_owned(),
                    Err(error) => error.to_string(),
                };
                if ctx.stopping().is_cancelled() {
                    return;
                }
                failures += 1;
                ctx.worker_failed(name, failures, &why);
                if failures > RESTARTS {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(pause(failures)) => {}
                    () = ctx.stopping().cancelled() => return,
                }
            }
            ctx.works_again(name);
        });
    }

    /// As [`Context::spawn_worker`] for a thread that blocks: runs `work` until it returns without a panic, on the
    /// calling thread. What `work` holds outlives a restart.
    pub fn supervise(&self, name: &'static str, mut work: impl FnMut()) {
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            let Err(panic) = catch_unwind(AssertUnwindSafe(&mut work)) else { return };
            if self.shutdown.is_cancelled() {
                return;
            }
            failures = if begun.elapsed() >= STEADY { 1 } else { failures + 1 };
            self.worker_failed(name, failures, panics::text(&*panic));
            if failures > RESTARTS {
                return;
            }
            let ended = self.shutdown.clone();
            let wait = async move { tokio::time::timeout(pause(failures), ended.cancelled()).await.is_ok() };
            if self.runtime.block_on(wait) {
                return;
            }
        }
    }

    /// A turn of a worker's loop begins: a test may let it fail here, and a restarted worker works again.
    pub fn begin_turn(&self, name: &'static str) {
        self.faults.at(name);
        self.works_again(name);
    }

    /// Logs, tells and keeps that a worker failed for so many times in a row.
    pub(crate) fn worker_failed(&self, name: &str, failures: u32, why: &str) {
        tracing::error!(worker = name, failures, why, "a worker stopped");
        let (kind, title, detail) = if failures > RESTARTS {
            ("worker.stopped", "stays stopped", format!("stopped after {failures} failures: {why}"))
        } else {
            ("worker.restarted", "was restarted", format!("is being restarted: {why}"))
        };
        self.health(name, false, &detail);
        let happening = Happening::new(kind, format!("The worker “{name}” {title}"));
        self.activity(happening.describe(why).with("worker", name).with("failures", failures));
    }

    /// Takes back what was said of a worker, if anything was.
    pub(crate) fn works_again(&self, name: &str) {
        if self.degraded.has(name) {
            self.health(name, true, "works again");
        }
    }

    /// Tells that a part works less well than it should, or works again.
    pub fn health(&self, part: &str, healthy: bool, detail: &str) {
        self.degraded.tell(&self.events, part, healthy, detail);
    }
}

/// The parts that do not work as they should, with why.
#[derive(Default)]
pub struct Degraded(Mutex<BTreeMap<String, String>>);

impl Degraded {
    fn parts(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, part: &str, healthy: bool, detail: &str) {
        let mut parts = self.parts();
        if healthy {
            parts.remove(part);
        } else {
            parts.insert(part.to_owned(), detail.to_owned());
        }
    }

    /// Keeps and tells how a part does.
    pub(super) fn tell(&self, events: &Events, part: &str, healthy: bool, detail: &str) {
        self.set(part, healthy, detail);
        events.publish(None, Event::Health { part: part.to_owned(), healthy, detail: detail.to_owned() });
    }

    fn has(&self, part: &str) -> bool {
        self.parts().contains_key(part)
    }

    /// One sentence each.
    pub fn list(&self) -> Vec<String> {
        self.parts().iter().map(|(part, detail)| format!("{part}: {detail}")).collect()
    }
}
