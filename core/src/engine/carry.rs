//! A request from its arrival to its reply: whose profile, whether the person must agree, cancelled when nobody waits,
//! given back when the engine ends for another one to take its place.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::context::Busy;
use super::{Context, Engine, answer};
use crate::api::{ApiError, ErrorCategory, Guard, Origin, Parcel, Request, Response, Role};
use crate::model::ProfileId;
use crate::storage::profiles;

/// What is on its way through one engine.
#[derive(Default)]
pub(super) struct Carrying {
    /// The engine ends for another one to take its place.
    pub releasing: AtomicBool,
    /// Requests that run and must not be done twice.
    pub unrepeatable: AtomicUsize,
    /// Cut off by the release.
    returned: Mutex<Vec<Parcel>>,
}

impl Carrying {
    pub fn returned(&self) -> Vec<Parcel> {
        std::mem::take(&mut self.returned.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_back(&self, parcel: Parcel) {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner).push(parcel);
    }
}

/// Counts one request that must not be done twice.
struct Unrepeatable(Arc<Carrying>);

impl Unrepeatable {
    fn count(carrying: &Arc<Carrying>) -> Self {
        carrying.unrepeatable.fetch_add(1, Ordering::SeqCst);
        Self(carrying.clone())
    }
}

impl Drop for Unrepeatable {
    fn drop(&mut self) {
        self.0.unrepeatable.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Engine {
    /// Starts a request. Never waits; a request that comes after the end is dropped, which its sender sees.
    pub(crate) fn carry(&self, parcel: Parcel) {
        let (engine, carrying) = (self.context().clone(), self.carrying.clone());
        // Whose it is is decided now, not when it gets its turn.
        let active = parcel.profile.is_none().then(|| engine.enter_active());
        let repeatable = parcel.request.repeatable();
        let counted = (!repeatable).then(|| Unrepeatable::count(&carrying));
        self.context().spawn_for_all(async move {
            let entered = match (active, parcel.profile) {
                (Some(entered), _) => Ok(entered),
                (None, Some(profile)) => engine.enter(profile).await,
                (None, None) => Ok(engine.enter_active()),
            };
            let reply = match entered {
                Ok((ctx, busy)) => carry_out(ctx, busy, &parcel).await,
                Err(error) => Err(error),
            };
            let cut_off = reply.is_err() && carrying.releasing.load(Ordering::SeqCst);
            if cut_off && repeatable && !parcel.cancel.is_cancelled() {
                carrying.give_back(parcel);
            } else {
                parcel.answer(reply);
            }
            drop(counted);
        });
    }
}

/// Answers within a profile: cancelled when that is closed, or when nobody waits for the reply.
async fn carry_out(ctx: Context, busy: Busy, parcel: &Parcel) -> Result<Response, ApiError> {
    let cancel = ctx.stopping().child_token();
    if let Request::Profiles(_) = &parcel.request {
        // These open and close profiles, and must not wait for themselves.
        drop(busy);
        return within(&ctx, cancel, CancellationToken::new(), parcel).await;
    }
    let reply = within(&ctx, cancel, ctx.shutdown.clone(), parcel).await;
    drop(busy);
    reply
}

async fn within(
    ctx: &Context,
    cancel: CancellationToken,
    closing: CancellationToken,
    parcel: &Parcel,
) -> Result<Response, ApiError> {
    let work = async {
        allow(ctx, &cancel, &parcel.origin, &parcel.request).await?;
        answer(ctx, cancel.clone(), parcel.request.clone()).await
    };
    tokio::pin!(work);
    tokio::select! {
        biased;
        reply = &mut work => return reply,
        () = parcel.cancel.cancelled() => {}
        () = closing.cancelled() => {}
    }
    cancel.cancel();
    work.await
}

fn profile_name(ctx: &Context, id: ProfileId) -> Option<String> {
    profiles::get(ctx.databases.main(), id).ok().map(|profile| profile.name)
}

/// What another process asks for and only the person may allow waits for the person.
async fn allow(ctx: &Context, cancel: &CancellationToken, origin: &Origin, request: &Request) -> Result<(), ApiError> {
    let asker = match origin {
        Origin::Here => return Ok(()),
        Origin::Unasked if request.guard() == Guard::Open => return Ok(()),
        Origin::Unasked => {
            return Err(ApiError::new(
                ErrorCategory::Authorisation,
                "the window that was to ask you has ended; nothing was done",
                "Run it again: then you are asked at the terminal.",
            ));
        }
        Origin::Socket(asker) => asker,
    };
    match request.guard_in(&|id| profile_name(ctx, id)) {
        Guard::Open => Ok(()),
        Guard::Person(what) if ctx.role == Role::Window => {
            ctx.consents.ask(&ctx.events, &ctx.ids, ctx.clock.now(), &asker.who, &what, cancel).await
        }
        Guard::Person(what) => Err(ApiError::new(
            ErrorCategory::Authorisation,
            format!(
                "another rspa command has this data folder open, and nobody can be asked there. What was asked: {what}"
            ),
            "Wait until that command has ended, or open the window, then try again.",
        )),
        Guard::Window => Err(ApiError::new(
            ErrorCategory::Authorisation,
            "only the window itself may do this",
            "Do it in the window.",
        )),
    }
}
