//! Who asked to use credentials, and what the person answered.

use egui::{Align, Label, Layout, Ui};
use rspa_core::model::{Consumer, Grant};

use crate::commands::UiCommand;
use crate::commands::pages::credentials::CredentialsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{ago, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, Tone, card, section_title, states};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    section_title(ui, tr("credentials.grants"));
    ui.label(tokens.rich(Type::Secondary, tr("credentials.grants_detail")));
    ui.add_space(tokens.space.xs);
    let state = cx.state;
    let page = &state.pages.credentials.grants;
    if let Some(error) = page.error() {
        states::banner(ui, Tone::Warn, Icon::Warning, &error.message);
    }
    let grants = page.get().map_or(&[][..], Vec::as_slice);
    if grants.is_empty() {
        ui.label(tokens.rich(Type::Secondary, tr("credentials.grants_none")));
    }
    // Those that wait come first.
    let waits = |grant: &&Grant| grant.allowed.is_none();
    for grant in grants.iter().filter(waits).chain(grants.iter().filter(|grant| !waits(grant))) {
        row(ui, cx, grant);
    }
}

fn name(consumer: &Consumer) -> String {
    match consumer {
        Consumer::Program => tr("credentials.program").to_owned(),
        Consumer::Agent(name) => tr_with("credentials.agent", &[("name", name)]),
        Consumer::Tool(name) => tr_with("credentials.tool", &[("name", name)]),
        Consumer::Plugin(name) => tr_with("credentials.plugin", &[("name", name)]),
    }
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, grant: &Grant) {
    let tokens = ui.tokens();
    let who = name(&grant.consumer);
    let (service, consumer) = (&grant.service, &grant.consumer);
    card(ui, |ui| {
        ui.take_available_width();
        ui.horizontal(|ui| {
            ui.label(Icon::Robot.rich(tokens.size.icon).color(tokens.color.text_2));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let answer = |allowed| {
                    UiCommand::Credentials(CredentialsCommand::AnswerGrant {
                        service: service.clone(),
                        consumer: consumer.clone(),
                        allowed,
                    })
                };
                match grant.allowed {
                    None => {
                        if ui.add(Button::new(tr("credentials.allow"))).clicked() {
                            cx.commands.push(answer(true));
                        }
                        if ui.add(Button::new(tr("credentials.refuse")).quiet()).clicked() {
                            cx.commands.push(answer(false));
                        }
                    }
                    Some(_) => {
                        if ui.add(Button::new(tr("credentials.revoke")).quiet()).clicked() {
                            cx.commands.push(UiCommand::Credentials(CredentialsCommand::RevokeGrant {
                                service: service.clone(),
                                consumer: consumer.clone(),
                            }));
                        }
                    }
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let words = tr_with("credentials.grant", &[("who", &who), ("service", service)]);
                    ui.add(Label::new(tokens.rich(Type::Body, words)).truncate());
                    let (word, tone) = match grant.allowed {
                        None => (tr("credentials.waits"), Tone::Warn),
                        Some(true) => (tr("credentials.allowed"), Tone::Ok),
                        Some(false) => (tr("credentials.refused"), Tone::Bad),
                    };
                    ui.add(Chip::new(word).tone(tone));
                    ui.label(tokens.rich(Type::Label, ago(grant.at, cx.state.now)));
                });
            });
        });
    });
    ui.add_space(tokens.space.s);
}
