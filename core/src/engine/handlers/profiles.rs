//! The family of profiles: list, create, rename, switch, delete, and what each says of the network.

use tokio_util::sync::CancellationToken;

use crate::api::request::profiles::{ProfilesRequest as Request, ProfilesResponse as Response};
use crate::api::{ApiError, Event, Role};
use crate::engine::Context;
use crate::engine::profiles::remove_leftovers;
use crate::model::{NetworkPolicy, Profile, ProfileId, ProfileList, ProfileNetwork};
use crate::storage::disk::SystemDisk;
use crate::storage::{profiles, responses};

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    match request {
        Request::ListProfiles(_) => list(ctx).await.map(Response::ListProfiles),
        Request::CreateProfile(create) => {
            let now = ctx.clock.now();
            let id = ProfileId(ctx.ids.next());
            let wanted = Profile { id, name: create.name, created: now, updated: now, network: create.network };
            let made = in_main(ctx, move |main| profiles::create(main, wanted)).await?;
            ctx.active().happened("profile.created", &format!("Profile \"{}\" created", made.name));
            changed(ctx, &made);
            Ok(Response::CreateProfile(made))
        }
        Request::RenameProfile(rename) => {
            let now = ctx.clock.now();
            let before = in_main(ctx, move |main| profiles::get(main, rename.id)).await?;
            let renamed = in_main(ctx, move |main| profiles::rename(main, rename.id, rename.name, now)).await?;
            let words = format!("Profile \"{}\" is now called \"{}\"", before.name, renamed.name);
            ctx.active().happened("profile.renamed", &words);
            changed(ctx, &renamed);
            Ok(Response::RenameProfile(renamed))
        }
        Request::SetProfileNetwork(set) => {
            let now = ctx.clock.now();
            let stored = in_main(ctx, move |main| profiles::set_network(main, set.id, set.network, now)).await?;
            let words = format!("Network of the profile \"{}\": {}", stored.name, policy_words(&stored.network));
            tracing::info!(profile = stored.name, policy = policy_words(&stored.network), "a network policy changed");
            ctx.active().happened("network.policy", &words);
            changed(ctx, &stored);
            Ok(Response::SetProfileNetwork(stored))
        }
        Request::SwitchProfile(switch) => {
            switch_to(ctx, switch.id).await?;
            list(ctx).await.map(Response::SwitchProfile)
        }
        Request::DeleteProfile(delete) => {
            remove(ctx, delete.id, delete.confirmed_name).await?;
            list(ctx).await.map(Response::DeleteProfile)
        }
    }
}

async fn in_main<T: Send + 'static>(
    ctx: &Context,
    work: impl FnOnce(&crate::storage::Db) -> Result<T, crate::storage::StorageError> + Send + 'static,
) -> Result<T, ApiError> {
    let main = ctx.databases.main().clone();
    ctx.blocking(move || Ok(work(&main)?)).await
}

async fn list(ctx: &Context) -> Result<ProfileList, ApiError> {
    let active = ctx.active().profile;
    in_main(ctx, move |main| {
        let all = profiles::list(main)?;
        let counts = all.iter().map(|profile| profiles::counts(main, profile.id)).collect::<Result<_, _>>()?;
        Ok(ProfileList { active, profiles: all, counts })
    })
    .await
}

/// Tells everybody, and the profile's door if it is open.
fn changed(ctx: &Context, profile: &Profile) {
    for open in ctx.open_profiles() {
        if open.profile == profile.id {
            open.egress.set_profile(profile);
        }
    }
    ctx.events.publish(None, Event::ProfilesChanged);
}

/// Opens the other profile, makes it the active one, starts its services, then closes the one before.
async fn switch_to(ctx: &Context, id: ProfileId) -> Result<(), ApiError> {
    let _turn = ctx.turn().await;
    let before = ctx.active().profile;
    if before == id {
        return Ok(());
    }
    let next = ctx.open_now(id).await?;
    in_main(ctx, move |main| profiles::set_active(main, id)).await?;
    ctx.set_active(id);
    tracing::info!(from = %before, to = %id, "switched to another profile");
    ctx.events.publish(None, Event::ProfileSwitched { profile: id });
    let started = next.clone();
    ctx.blocking(move || {
        if started.role == Role::Window {
            started.services.start_all(&started);
        }
        started.egress.publish_status();
        Ok(())
    })
    .await?;
    ctx.close_now(before).await;
    Ok(())
}

/// Closes the profile if it is open, removes its rows in one step, then its folders.
async fn remove(ctx: &Context, id: ProfileId, confirmed_name: String) -> Result<(), ApiError> {
    let _turn = ctx.turn().await;
    let known = in_main(ctx, move |main| profiles::get(main, id)).await?;
    if ctx.active().profile == id {
        return Err(ApiError::validation(
            "the profile that you work in cannot be deleted",
            "Switch to another profile first.",
        ));
    }
    if known.name != confirmed_name.trim() {
        return Err(ApiError::validation(
            format!("the profile is named \"{}\", and another name was typed", known.name),
            "Type its name exactly as it is shown.",
        ));
    }
    ctx.close_now(id).await;
    let gone = in_main(ctx, move |main| profiles::delete(main, id, confirmed_name)).await?;
    let inner = ctx.clone();
    ctx.blocking(move || {
        remove_leftovers(inner.databases.main(), &inner.places, &SystemDisk)?;
        // Answers are kept in a file that all profiles share, and may be thrown away at any time.
        if inner.places.cache_db().exists() {
            responses::clear(&inner.databases.cache()?, id)?;
        }
        Ok(())
    })
    .await?;
    ctx.active().happened("profile.deleted", &format!("Profile \"{}\" deleted with everything in it", gone.name));
    ctx.events.publish(None, Event::ProfilesChanged);
    Ok(())
}

fn policy_words(network: &ProfileNetwork) -> String {
    let policy = match network.policy {
        None => "as the settings say".to_owned(),
        Some(NetworkPolicy::Nothing) => "nothing".to_owned(),
        Some(NetworkPolicy::Listed) => format!("{} listed hosts", network.hosts.len()),
        Some(NetworkPolicy::All) => "all".to_owned(),
    };
    if network.forbid_cloud { format!("every call to the cloud is forbidden ({policy})") } else { policy }
}
