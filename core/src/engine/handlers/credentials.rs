//! The family of credentials.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::credentials::{CredentialsRequest as Request, CredentialsResponse as Response};
use crate::credentials::NewCredential;
use crate::engine::Context;
use crate::model::SettingValue;

/// Keychains ask, passphrases take a second to check, services answer late: never on a thread of the engine.
pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let service = ctx.credentials()?;
    let keeper = service.keeper();
    let reply = match request {
        Request::ListCredentials(_) => return Ok(Response::ListCredentials(keeper.list()?)),
        Request::ListGrants(_) => return Ok(Response::ListGrants(keeper.grants(ctx.profile)?)),
        Request::TestCredential(test) => {
            return Ok(Response::TestCredential(service.test(&test.service, test.confirmed_host.as_deref())?));
        }
        Request::SetCredential(set) => {
            let crate::api::request::credentials::SetCredential { service, label, secret, base_url, expires } = set;
            let credential = keeper.set(NewCredential { service, label, secret, base_url, expires })?;
            ctx.happened("credential.set", &format!("{} ({})", credential.label, credential.service));
            Response::SetCredential(credential)
        }
        Request::RemoveCredential(remove) => {
            keeper.remove(&remove.service)?;
            ctx.happened("credential.removed", &remove.service);
            Response::RemoveCredential(())
        }
        Request::UnlockVault(unlock) => {
            // Wrong ones change the list too: fewer tries are left.
            let result = keeper.unlock(&unlock.passphrase);
            service.changed();
            result?;
            Response::UnlockVault(keeper.status()?)
        }
        Request::LockVault(_) => {
            keeper.lock()?;
            Response::LockVault(())
        }
        Request::SetPassphrase(set) => {
            let result = keeper.set_passphrase(set.old.as_ref(), set.new.as_ref());
            service.changed();
            result?;
            Response::SetPassphrase(keeper.status()?)
        }
        Request::RotateKey(_) => {
            keeper.rotate()?;
            ctx.happened("vault.rotated", "credentials");
            Response::RotateKey(keeper.status()?)
        }
        Request::MoveVault(to) => {
            let result = keeper.move_to(to.to);
            service.changed();
            result?;
            let value = SettingValue::Text(to.to.name().to_owned());
            let changed = ctx.settings.set("security.vault", &value)?;
            super::settings::tell(ctx, &changed);
            Response::MoveVault(keeper.list()?)
        }
        Request::AnswerGrant(grant) => {
            keeper.answer_grant(ctx.profile, &grant.service, grant.consumer, grant.allowed)?;
            Response::AnswerGrant(())
        }
        Request::RevokeGrant(grant) => {
            keeper.revoke_grant(ctx.profile, &grant.service, &grant.consumer)?;
            Response::RevokeGrant(())
        }
    };
    service.changed();
    Ok(reply)
}
