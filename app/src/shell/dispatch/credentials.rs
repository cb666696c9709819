//! Commands of the page "Credentials".

use rspa_core::api::Call;
use rspa_core::api::request::credentials::{
    AnswerGrant, LockVault, MoveVault, RemoveCredential, RevokeGrant, RotateKey, SetCredential, SetPassphrase,
    TestCredential, UnlockVault,
};
use rspa_core::model::TestOutcome;

use crate::commands::pages::credentials::CredentialsCommand;
use crate::shell::Shell;
use crate::state::{NoticeKind, Page};
use crate::text::tr_with;

impl Shell {
    pub(super) fn credentials(&mut self, command: CredentialsCommand) {
        use CredentialsCommand as C;
        match command {
            C::Refresh => self.state.pages.opened(Page::Credentials),
            C::Set { service, label, secret, base_url, expires } => {
                self.send_vault(SetCredential { service, label, secret, base_url, expires });
            }
            C::Remove(service) => self.send_vault(RemoveCredential { service }),
            C::Test { service, confirmed_host } => self.test_credential(service, confirmed_host),
            C::Unlock(passphrase) => self.send_vault(UnlockVault { passphrase }),
            C::Lock => self.send_vault(LockVault {}),
            C::SetPassphrase { old, new } => self.send_vault(SetPassphrase { old, new }),
            C::Rotate => self.send_vault(RotateKey {}),
            C::Move(to) => self.send_vault(MoveVault { to }),
            C::AnswerGrant { service, consumer, allowed } => {
                self.send_vault(AnswerGrant { service, consumer, allowed })
            }
            C::RevokeGrant { service, consumer } => self.send_vault(RevokeGrant { service, consumer }),
        }
    }

    /// The list is read again by the event that follows.
    fn send_vault<C: Call>(&mut self, request: C) {
        self.state.pages.credentials.busy = true;
        let done = |state: &mut crate::state::AppState, _: &mut crate::commands::CommandQueue, _reply: C::Reply| {
            state.pages.credentials.busy = false;
            state.pages.credentials.confirmed += 1;
        };
        self.engine.send_or(&mut self.state, request, done, |state| state.pages.credentials.busy = false);
    }

    fn test_credential(&mut self, service: String, confirmed_host: String) {
        self.state.pages.credentials.testing.insert(service.clone());
        let (done, failed) = (service.clone(), service.clone());
        let request = TestCredential { service, confirmed_host: Some(confirmed_host) };
        let told = move |state: &mut crate::state::AppState,
                         _: &mut crate::commands::CommandQueue,
                         test: rspa_core::model::CredentialTest| {
            state.pages.credentials.testing.remove(&done);
            let kind = if test.outcome == TestOutcome::Accepted { NoticeKind::Done } else { NoticeKind::Warning };
            let title = tr_with("credentials.tested_notice", &[("service", &done)]);
            state.notices.push(state.now, kind, title, test.words);
        };
        self.engine.send_or(&mut self.state, request, told, move |state| {
            state.pages.credentials.testing.remove(&failed);
        });
    }
}
