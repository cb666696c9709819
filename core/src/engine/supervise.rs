//! Supervised workers: one that panics or fails is started again, up to three times, and the person is told.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Context, Events};
use crate::api::{ApiError, Event};

const RESTARTS: u32 = 3;
/// Before the first restart; four times longer before each next one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

impl Context {
    /// Keeps `make`'s future running until it ends well or the token given to it is triggered (at shutdown). Of the whole
    /// program, not of this profile: it goes on when the person works in another one.
    /// Three failures in a row end it; the dashboard says so.
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
                let run = ctx.runtime.spawn(make(ctx.clone(), cancel));
                let why = match run.await {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => error.to_string(),
                    Err(error) => error.to_string(),
                };
                if ctx.stopping().is_cancelled() {
                    return;
                }
                tracing::error!(worker = name, failures, %why, "a worker stopped");
                failures += 1;
                if failures > RESTARTS {
                    return ctx.health(name, false, &format!("stopped after {failures} failures: {why}"));
                }
                ctx.health(name, false, &format!("is being restarted: {why}"));
                tokio::select! {
                    () = tokio::time::sleep(FIRST_PAUSE * 4_u32.pow(failures - 1)) => {}
                    () = ctx.stopping().cancelled() => return,
                }
            }
            if failures > 0 {
                ctx.health(name, true, "works again");
            }
        });
    }

    /// Tells that a part works less well than it should, or works again.
    pub fn health(&self, part: &str, healthy: bool, detail: &str) {
        self.degraded.tell(&self.events, part, healthy, detail);
    }
}

/// The parts that do not work as they should, with why.
#[derive(Default)]
pub struct Degraded(std::sync::Mutex<std::collections::BTreeMap<String, String>>);

impl Degraded {
    /// Keeps it and publishes it.
    pub(super) fn tell(&self, events: &Events, part: &str, healthy: bool, detail: &str) {
        self.set(part, healthy, detail);
        events.publish(None, Event::Health { part: part.to_owned(), healthy, detail: detail.to_owned() });
    }

    fn set(&self, part: &str, healthy: bool, detail: &str) {
        let mut parts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if healthy {
            parts.remove(part);
        } else {
            parts.insert(part.to_owned(), detail.to_owned());
        }
    }

    /// One sentence each.
    pub fn list(&self) -> Vec<String> {
        let parts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        parts.iter().map(|(part, detail)| format!("{part}: {detail}")).collect()
    }
}
