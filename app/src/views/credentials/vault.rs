//! How the vault is, in words; unlocking it, its passphrase, its key.

use egui::{Align, Label, Layout, Ui};
use rspa_core::model::{Protection, VaultPlace, VaultStatus};

use super::Open;
use crate::commands::pages::credentials::CredentialsCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{clock, since, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::secret_field::{SecretDraft, SecretField};
use crate::widgets::{Button, Chip, Tone, card, states};

/// What is being typed.
#[derive(Default)]
pub struct VaultForms {
    passphrase: SecretDraft,
    new: SecretDraft,
    again: SecretDraft,
}

impl VaultForms {
    pub fn clear(&mut self) {
        self.passphrase.clear();
        self.new.clear();
        self.again.clear();
    }
}

fn send(cx: &mut Cx<'_>, sent: &mut Option<u64>, command: CredentialsCommand) {
    *sent = Some(cx.state.pages.credentials.confirmed);
    cx.commands.push(UiCommand::Credentials(command));
}

/// Title, meaning, and the icon of what holds new credentials.
fn words(vault: &VaultStatus) -> (Icon, &'static str, &'static str) {
    match (vault.place, vault.protection, vault.locked) {
        (VaultPlace::Keychain, ..) => {
            (Icon::ShieldCheck, tr("credentials.keychain"), tr("credentials.keychain_detail"))
        }
        (_, Protection::Passphrase, true) => (Icon::Lock, tr("credentials.locked"), tr("credentials.locked_detail")),
        (_, Protection::Passphrase, false) => {
            (Icon::LockOpen, tr("credentials.passphrase"), tr("credentials.passphrase_detail"))
        }
        (_, Protection::KeyFile, _) => {
            (Icon::ShieldWarning, tr("credentials.key_file"), tr("credentials.key_file_detail"))
        }
    }
}

pub fn banner(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    vault: &VaultStatus,
    forms: &mut VaultForms,
    sent: &mut Option<u64>,
    open: &mut Open,
) {
    let tokens = ui.tokens();
    let (icon, title, detail) = words(vault);
    card(ui, |ui| {
        ui.take_available_width();
        ui.horizontal(|ui| {
            ui.label(icon.rich(tokens.size.icon).color(tokens.color.text_2));
            ui.label(tokens.rich(Type::Strong, title));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if vault.protection == Protection::Passphrase && !vault.locked {
                    let lock = Button::new(tr("credentials.lock")).icon(Icon::Lock).quiet();
                    if ui.add(lock).clicked() {
                        cx.commands.push(UiCommand::Credentials(CredentialsCommand::Lock));
                    }
                }
                if vault.key_created.is_some() {
                    ui.add(Chip::new(key_age(cx, vault))).on_hover_text(tr("credentials.key_tip"));
                }
            });
        });
        ui.add(Label::new(tokens.rich(Type::Secondary, detail)).wrap());
        if vault.place == VaultPlace::Keychain && vault.locked {
            ui.add(Label::new(tokens.rich(Type::Secondary, tr("credentials.files_locked"))).wrap());
        }
        ui.add_space(tokens.space.s);
        if let Some(until) = vault.locked_out_until {
            let text = tr_with("credentials.locked_out", &[("time", &clock(until))]);
            states::banner(ui, Tone::Bad, Icon::Prohibit, &text);
            ui.add_space(tokens.space.s);
        } else if vault.locked {
            unlock(ui, cx, vault, forms, sent);
        }
        for problem in [vault.problem.as_deref(), keychain_problem(vault)].into_iter().flatten() {
            states::banner(ui, Tone::Warn, Icon::Warning, problem);
            ui.add_space(tokens.space.s);
        }
        ui.horizontal_wrapped(|ui| actions(ui, cx, vault, open));
    });
    ui.add_space(tokens.space.l);
}

fn key_age(cx: &Cx<'_>, vault: &VaultStatus) -> String {
    let made = vault.key_created.map(|at| since(at, cx.state.now)).unwrap_or_default();
    tr_with("credentials.key_made", &[("when", &made)])
}

/// Only said where it is in the way: without a keychain, files are what "auto" takes.
fn keychain_problem(vault: &VaultStatus) -> Option<&str> {
    vault.keychain_problem.as_deref().filter(|_| vault.place == VaultPlace::Keychain)
}

fn unlock(ui: &mut Ui, cx: &mut Cx<'_>, vault: &VaultStatus, forms: &mut VaultForms, sent: &mut Option<u64>) {
    let tokens = ui.tokens();
    ui.horizontal(|ui| {
        let field = SecretField::new(&mut forms.passphrase, tr("credentials.passphrase_field"));
        let (_, entered) = field.hint(tr("credentials.passphrase_field")).width(300.0).show(ui);
        let ready = !forms.passphrase.is_empty() && !cx.state.pages.credentials.busy;
        let button = Button::new(tr("credentials.unlock")).icon(Icon::LockOpen).enabled(ready);
        if (ui.add(button).clicked() || entered) && ready {
            send(cx, sent, CredentialsCommand::Unlock(forms.passphrase.secret()));
        }
        if vault.attempts_left <= 3 {
            ui.label(tokens.rich(Type::Label, tr_count("credentials.attempts", u64::from(vault.attempts_left))));
        }
    });
    ui.add_space(tokens.space.s);
}

fn actions(ui: &mut Ui, cx: &mut Cx<'_>, vault: &VaultStatus, open: &mut Open) {
    let free = !vault.locked && !cx.state.pages.credentials.busy;
    let has_files = vault.key_created.is_some();
    let word = match vault.protection {
        Protection::Passphrase => tr("credentials.change_passphrase"),
        Protection::KeyFile => tr("credentials.set_passphrase"),
    };
    if (has_files || vault.place == VaultPlace::Files)
        && ui.add(Button::new(word).icon(Icon::Key).enabled(free)).clicked()
    {
        *open = Open::Passphrase;
    }
    if has_files && ui.add(Button::new(tr("credentials.rotate")).icon(Icon::ArrowsClockwise).enabled(free)).clicked() {
        ask(cx, "credentials.rotate", false, CredentialsCommand::Rotate);
    }
    if vault.place == VaultPlace::Keychain {
        let button = Button::new(tr("credentials.to_files")).icon(Icon::File).enabled(free);
        if ui.add(button).clicked() {
            ask(cx, "credentials.to_files", false, CredentialsCommand::Move(VaultPlace::Files));
        }
    } else {
        let there = vault.keychain_problem.is_none();
        let mut button = Button::new(tr("credentials.to_keychain")).icon(Icon::ShieldCheck).enabled(free && there);
        if let Some(problem) = &vault.keychain_problem {
            button = button.tooltip(tr_with("credentials.no_keychain", &[("why", problem)]));
        }
        if ui.add(button).clicked() {
            ask(cx, "credentials.to_keychain", false, CredentialsCommand::Move(VaultPlace::Keychain));
        }
    }
}

/// Asks with the words under `KEY`, `KEY_text`.
pub fn ask(cx: &mut Cx<'_>, key: &str, danger: bool, command: CredentialsCommand) {
    cx.commands.push(UiCommand::Confirm(Confirmation {
        title: tr(&format!("{key}_title")).to_owned(),
        consequence: tr(&format!("{key}_text")).to_owned(),
        verb: tr(key).to_owned(),
        danger,
        then: Box::new(UiCommand::Credentials(command)),
    }));
}

pub fn passphrase(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    vault: &VaultStatus,
    forms: &mut VaultForms,
    sent: &mut Option<u64>,
    open: &mut Open,
) {
    let tokens = ui.tokens();
    let has = vault.protection == Protection::Passphrase;
    card(ui, |ui| {
        ui.take_available_width();
        let title = if has { tr("credentials.change_passphrase") } else { tr("credentials.set_passphrase") };
        ui.label(tokens.rich(Type::Strong, title));
        ui.add(Label::new(tokens.rich(Type::Secondary, tr("credentials.passphrase_advice"))).wrap());
        ui.add_space(tokens.space.s);
        let field = |ui: &mut Ui, draft: &mut SecretDraft, name: &'static str| {
            SecretField::new(draft, name).hint(name).width(340.0).show(ui);
            ui.add_space(tokens.space.xs);
        };
        if has {
            field(ui, &mut forms.passphrase, tr("credentials.passphrase_old"));
        }
        field(ui, &mut forms.new, tr("credentials.passphrase_new"));
        field(ui, &mut forms.again, tr("credentials.passphrase_again"));
        let same = forms.new.secret() == forms.again.secret();
        if !forms.again.is_empty() && !same {
            ui.label(tokens.rich(Type::Secondary, tr("credentials.passphrase_differs")).color(tokens.color.bad));
        }
        ui.add_space(tokens.space.s);
        ui.horizontal(|ui| {
            let idle = !cx.state.pages.credentials.busy;
            let old = !has || !forms.passphrase.is_empty();
            let ready = idle && old && same && !forms.new.is_empty();
            if ui.add(Button::new(tr("credentials.save")).primary().enabled(ready)).clicked() {
                let old = has.then(|| forms.passphrase.secret());
                send(cx, sent, CredentialsCommand::SetPassphrase { old, new: Some(forms.new.secret()) });
            }
            if has && ui.add(Button::new(tr("credentials.no_passphrase")).danger().enabled(idle && old)).clicked() {
                let command = CredentialsCommand::SetPassphrase { old: Some(forms.passphrase.secret()), new: None };
                *sent = Some(cx.state.pages.credentials.confirmed);
                ask(cx, "credentials.no_passphrase", true, command);
            }
            if ui.add(Button::new(tr("common.cancel")).quiet()).clicked() {
                forms.clear();
                *open = Open::Nothing;
            }
        });
    });
    ui.add_space(tokens.space.l);
}
