//! One credential: what it is for, where it lies, whether the service knows it; and one key of the environment.

use egui::{Align, Label, Layout, Ui};
use rspa_core::model::{Credential, CredentialTest, EnvironmentKey, TestOutcome, Timestamp, VaultPlace};

use crate::commands::pages::credentials::CredentialsCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{since, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, IconButton, Tone, card};

/// True when the person wants to give it a new key.
pub fn stored(ui: &mut Ui, cx: &mut Cx<'_>, item: &Credential) -> bool {
    let tokens = ui.tokens();
    let mut replace = false;
    card(ui, |ui| {
        ui.take_available_width();
        ui.horizontal(|ui| {
            ui.label(Icon::Key.rich(tokens.size.icon).color(tokens.color.text_2));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let name = tr_with("credentials.remove_one", &[("label", &item.label)]);
                if ui.add(IconButton::new(Icon::Trash, name)).clicked() {
                    cx.commands.push(UiCommand::Confirm(removal(item)));
                }
                let name = tr_with("credentials.replace_one", &[("label", &item.label)]);
                replace = ui.add(IconButton::new(Icon::PencilSimple, name)).clicked();
                test_button(ui, cx, &item.service, &item.label, item.host.as_deref());
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(tokens.rich(Type::Strong, &item.label)).truncate());
                    if item.label.to_lowercase() != item.service {
                        ui.add(Chip::new(item.service.as_str()));
                    }
                    let place = match item.place {
                        VaultPlace::Keychain => tr("credentials.in_keychain"),
                        VaultPlace::Files => tr("credentials.in_files"),
                    };
                    ui.add(Chip::new(place));
                    if let Some(expires) = item.expires {
                        let tone = if expires.0 - cx.state.now.0 < 7 * 86_400_000 { Tone::Warn } else { Tone::Neutral };
                        let words = tr_with("credentials.expires_on", &[("day", &day(expires))]);
                        ui.add(Chip::new(words).tone(tone));
                    }
                });
            });
        });
        if let Some(variable) = &item.overruled_by {
            let words = tr_with("credentials.overruled", &[("variable", variable)]);
            ui.label(tokens.rich(Type::Secondary, words).color(tokens.color.warn));
        }
        tested(ui, cx, item.tested.as_ref());
        let mut facts = vec![item.host.clone().unwrap_or_else(|| tr("credentials.no_address").to_owned())];
        facts.push(match item.used {
            Some(at) => tr_with("credentials.used", &[("when", &since(at, cx.state.now))]),
            None => tr("credentials.unused").to_owned(),
        });
        facts.push(tr_with("credentials.changed", &[("when", &since(item.updated, cx.state.now))]));
        ui.add(Label::new(tokens.rich(Type::Label, facts.join("  ·  "))).truncate());
    });
    ui.add_space(tokens.space.s);
    replace
}

pub fn environment(ui: &mut Ui, cx: &mut Cx<'_>, key: &EnvironmentKey) {
    let tokens = ui.tokens();
    card(ui, |ui| {
        ui.take_available_width();
        ui.horizontal(|ui| {
            ui.label(Icon::Desktop.rich(tokens.size.icon).color(tokens.color.text_2));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if key.in_use {
                    test_button(ui, cx, &key.service, &key.variable, key.host.as_deref());
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(tokens.rich(Type::Strong, &key.variable)).truncate());
                    ui.add(Chip::new(key.service.as_str()));
                    let words = if key.in_use { tr("credentials.in_use") } else { tr("credentials.not_in_use") };
                    ui.add(Chip::new(words).tone(if key.in_use { Tone::Ok } else { Tone::Neutral }));
                });
            });
        });
        tested(ui, cx, key.tested.as_ref());
    });
    ui.add_space(tokens.space.s);
}

fn tested(ui: &mut Ui, cx: &Cx<'_>, test: Option<&CredentialTest>) {
    let tokens = ui.tokens();
    let Some(test) = test else {
        ui.label(tokens.rich(Type::Secondary, tr("credentials.untested")));
        return;
    };
    let tone = match test.outcome {
        TestOutcome::Accepted => Tone::Ok,
        TestOutcome::Refused | TestOutcome::Forbidden => Tone::Bad,
        _ => Tone::Warn,
    };
    let when = tr_with("credentials.tested", &[("when", &since(test.at, cx.state.now)), ("words", &test.words)]);
    ui.add(Label::new(tokens.rich(Type::Secondary, when).color(tone.ink(tokens))).wrap());
}

/// Names the host and asks before anything leaves.
fn test_button(ui: &mut Ui, cx: &mut Cx<'_>, service: &str, label: &str, host: Option<&str>) {
    let running = cx.state.pages.credentials.testing.contains(service);
    let word = if running { tr("credentials.testing") } else { tr("credentials.test") };
    let mut button = Button::new(word).quiet().enabled(host.is_some() && !running);
    if host.is_none() {
        button = button.tooltip(tr("credentials.no_address_tip"));
    }
    let response = ui.add(button);
    let name = tr_with("credentials.test_one", &[("label", &label)]);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name));
    if let (true, Some(host)) = (response.clicked(), host) {
        let command = CredentialsCommand::Test { service: service.to_owned(), confirmed_host: host.to_owned() };
        cx.commands.push(UiCommand::Confirm(Confirmation {
            title: tr_with("credentials.test_title", &[("label", &label)]),
            consequence: tr_with("credentials.test_text", &[("host", &host)]),
            verb: tr("credentials.send").to_owned(),
            danger: false,
            then: Box::new(UiCommand::Credentials(command)),
        }));
    }
}

fn removal(item: &Credential) -> Confirmation {
    Confirmation {
        title: tr_with("credentials.remove_title", &[("label", &item.label)]),
        consequence: tr("credentials.remove_text").to_owned(),
        verb: tr("credentials.remove").to_owned(),
        danger: true,
        then: Box::new(UiCommand::Credentials(CredentialsCommand::Remove(item.service.clone()))),
    }
}

fn day(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%-d %b %Y").to_string())
        .unwrap_or_default()
}
