//! Keys of services, where they lie, when they were tested, and who may use them.

mod form;
mod grants;
mod rows;
mod vault;

use egui::Ui;

use super::{Cx, View};
use crate::commands::UiCommand;
use crate::commands::pages::credentials::CredentialsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::tr;
use crate::widgets::{Button, page_body, page_header, section_title, states};

/// What is open under the head of the page.
#[derive(Default, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    Credential,
    Passphrase,
}

#[derive(Default)]
pub struct CredentialsView {
    open: Open,
    credential: form::CredentialForm,
    vault: vault::VaultForms,
    /// What had been confirmed when the last form was sent.
    sent: Option<u64>,
    /// The vault works on what was sent.
    running: bool,
}

impl View for CredentialsView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let page = &cx.state.pages.credentials;
        // The vault took what was typed: it is overwritten here too.
        if self.sent.is_some_and(|sent| page.confirmed > sent) {
            self.close();
        } else if page.busy {
            self.running = true;
        } else if std::mem::take(&mut self.running) {
            // It was refused: passphrases are typed anew, the rest stays to be put right.
            self.vault.clear();
            self.sent = None;
        }
        let ready = page.list.get().is_some();
        page_header(ui, tr("page.credentials"), |ui| {
            let add = Button::new(tr("credentials.add")).icon(Icon::Plus).primary().enabled(ready);
            if ui.add(add).clicked() {
                self.credential = form::CredentialForm::default();
                self.open = Open::Credential;
            }
        });
        let Some(list) = page.list.get() else {
            match page.list.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::Credentials(CredentialsCommand::Refresh));
                    }
                }
                None => states::loading(ui, tr("credentials.loading")),
            }
            return;
        };
        page_body(ui, 1080.0, |ui| {
            vault::banner(ui, cx, &list.vault, &mut self.vault, &mut self.sent, &mut self.open);
            if self.open == Open::Passphrase {
                vault::passphrase(ui, cx, &list.vault, &mut self.vault, &mut self.sent, &mut self.open);
            }
            if self.open == Open::Credential {
                form::ui(ui, cx, list, &mut self.credential, &mut self.sent, &mut self.open);
            }
            section_title(ui, tr("credentials.stored"));
            ui.add_space(tokens.space.xs);
            if list.items.is_empty() {
                ui.label(tokens.rich(Type::Secondary, tr("credentials.none")));
            }
            for item in &list.items {
                if rows::stored(ui, cx, item) {
                    self.credential = form::CredentialForm::replacing(item);
                    self.open = Open::Credential;
                }
            }
            ui.add_space(tokens.space.l);
            if !list.environment.is_empty() {
                section_title(ui, tr("credentials.environment"));
                ui.label(tokens.rich(Type::Secondary, tr("credentials.environment_detail")));
                ui.add_space(tokens.space.xs);
                for key in &list.environment {
                    rows::environment(ui, cx, key);
                }
                ui.add_space(tokens.space.l);
            }
            grants::ui(ui, cx);
        });
    }
}

impl CredentialsView {
    fn close(&mut self) {
        self.open = Open::Nothing;
        self.sent = None;
        self.credential = form::CredentialForm::default();
        self.vault.clear();
    }
}

#[cfg(test)]
mod tests;
