//! The service of one profile: the shared keeper, this profile's grants and door, and the events that tell of changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::keeper::{Keeper, KeeperParts};
use super::sealed::{Kdf, system_random};
use super::{CredentialError, Keychain, probe};
use crate::api::{ApiError, Event};
use crate::engine::{Context, Service};
use crate::model::{Consumer, CredentialTest, DoctorCheck, SecretText};
use crate::storage::disk::SystemDisk;

/// Between two looks at what expires, locks or is due.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(15);

/// The keeper that all profiles share; made when it is first needed.
#[derive(Default)]
pub struct KeeperSlot {
    keeper: Mutex<Option<Arc<Keeper>>>,
    /// Somebody looks after it already.
    kept_up: AtomicBool,
}

impl KeeperSlot {
    fn get(&self, make: impl FnOnce() -> Keeper) -> Arc<Keeper> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.get_or_insert_with(|| Arc::new(make())).clone()
    }
}

pub struct Credentials {
    keeper: Arc<Keeper>,
    ctx: Context,
}

impl Service for Credentials {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let keeper = ctx.keeper.get(|| Keeper::new(parts(ctx)));
        Ok(Self { keeper, ctx: ctx.clone() })
    }

    fn start(&self, ctx: &Context) {
        if !ctx.keeper.kept_up.swap(true, Ordering::SeqCst) {
            ctx.spawn_worker("credentials", keep_up);
        }
    }

    fn doctor(&self, _ctx: &Context) -> Vec<DoctorCheck> {
        self.keeper.doctor()
    }
}

fn parts(ctx: &Context) -> KeeperParts {
    let begun = Instant::now();
    KeeperParts {
        main: ctx.databases.main().clone(),
        settings: ctx.settings.clone(),
        environment: ctx.environment.clone(),
        clock: ctx.clock.clone(),
        steady: Arc::new(move || begun.elapsed()),
        folder: ctx.places.credentials(),
        disk: Arc::new(SystemDisk),
        random: system_random,
        kdf: Kdf::default(),
        keychain: keychain(ctx),
    }
}

/// On Linux a keychain needs the bus of the session that this program was started in.
fn keychain(ctx: &Context) -> Result<Keychain, String> {
    if cfg!(all(unix, not(target_os = "macos"))) {
        let named = ctx.environment.get("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty());
        let runtime = ctx.environment.get("XDG_RUNTIME_DIR").map(std::path::Path::new);
        if !named && !runtime.is_some_and(|folder| folder.join("bus").exists()) {
            return Err("there is no D-Bus session here".to_owned());
        }
    }
    Ok(Keychain::of_system())
}

async fn keep_up(ctx: Context, cancel: CancellationToken) -> Result<(), ApiError> {
    loop {
        let service = ctx.credentials()?;
        let changed = ctx.blocking(move || Ok(service.keeper.upkeep()?)).await;
        match changed {
            Ok(true) => ctx.events.publish(None, Event::CredentialsChanged),
            Ok(false) => {}
            // Such as a damaged vault: the page and doctor say so, and trying again soon would not help.
            Err(error) => tracing::warn!(%error, "the vault could not be looked after"),
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(UPKEEP_INTERVAL) => {}
        }
    }
}

impl Credentials {
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// The secret of a service, for one who wants to use it now. Blocks: a keychain may ask the person first.
    ///
    /// # Errors
    /// `NeedsConsent` when the person has not yet allowed it: a question waits for them then, and the same call works
    /// once they have said yes.
    pub fn secret_for(&self, service: &str, consumer: &Consumer) -> Result<SecretText, CredentialError> {
        let asked_before = self.keeper.grants(self.ctx.profile)?;
        let result = self.keeper.secret_for(self.ctx.profile, service, consumer);
        if let Err(CredentialError::NeedsConsent { .. }) = &result
            && !asked_before.iter().any(|grant| grant.service == service && grant.consumer == *consumer)
        {
            self.ctx.happened("credential.asked", &format!("{consumer} wants to use the credential for {service}"));
            self.changed();
            self.ask_person(service, consumer);
        }
        result
    }

    /// Asks in the window. A question that nobody answers there waits on the Credentials page.
    fn ask_person(&self, service: &str, consumer: &Consumer) {
        let (ctx, keeper) = (self.ctx.clone(), self.keeper.clone());
        let (service, consumer) = (service.to_owned(), consumer.clone());
        self.ctx.spawn(async move {
            let what = format!("From now on {consumer} may use the credential for {service}.");
            let (now, who) = (ctx.clock.now(), consumer.to_string());
            let asked = ctx.consents.ask(&ctx.events, &ctx.ids, now, &who, &what, &ctx.shutdown);
            if let Err(error) = asked.await {
                return tracing::info!(%error, service, "not allowed in the window");
            }
            let profile = ctx.profile;
            let answered = ctx.blocking(move || Ok(keeper.answer_grant(profile, &service, consumer, true)?)).await;
            if let Err(error) = answered {
                tracing::warn!(%error, "an answer was not stored");
            }
            ctx.events.publish(None, Event::CredentialsChanged);
        });
    }

    /// Asks the service whether it knows the key.
    pub fn test(&self, service: &str, confirmed_host: Option<&str>) -> Result<CredentialTest, ApiError> {
        let address = self.keeper.address_of(service)?;
        let consent = probe::consent(&address, confirmed_host)?;
        let target = self.keeper.target(self.ctx.profile, service)?;
        let (outcome, words) = probe::ask(&self.ctx.egress, service, &target, consent.as_ref(), probe::LIMIT)?;
        let test = CredentialTest { at: self.keeper.now(), outcome, words };
        self.keeper.tested(service, target.variable, &test)?;
        self.changed();
        Ok(test)
    }

    /// Tells everybody that the list is out of date.
    pub fn changed(&self) {
        self.ctx.events.publish(None, Event::CredentialsChanged);
    }
}
