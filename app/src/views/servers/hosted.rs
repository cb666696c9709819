//! One tool server: how it is doing and confined, what can be done with it, its log, and what it offers.

use egui::{Align, Id, Label, Layout, Ui};
use rspa_core::model::{McpServer, McpServerId, McpState, McpTransport};

use super::offer::OfferView;
use super::{push, rows_of_servers};
use crate::commands::pages::servers::ServersCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::servers::Editing;
use crate::text::{path, short, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::exact::Shown;
use crate::widgets::{Button, ExactView, IconButton, Tone, dot, fact, page_body, section_title, speak_as, states};

#[derive(Default)]
pub struct Hosted {
    offer: OfferView,
    of: Option<McpServerId>,
    log: ExactView,
    log_open: bool,
}

impl Hosted {
    /// `back`: the list is not beside it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, server: &McpServer, back: bool) {
        let tokens = ui.tokens();
        if self.of != Some(server.id) {
            *self = Self { of: Some(server.id), ..Self::default() };
        }
        page_body(ui, 980.0, |ui| {
            head(ui, cx, server, back);
            ui.add_space(tokens.space.m);
            notes(ui, server);
            facts(ui, server);
            self.log(ui, server);
            ui.add_space(tokens.space.l);
            self.offer.ui(ui, cx, server);
        });
    }

    fn log(&mut self, ui: &mut Ui, server: &McpServer) {
        if server.log.is_empty() {
            return;
        }
        let icon = if self.log_open { Icon::CaretDown } else { Icon::CaretRight };
        if ui.add(Button::new(tr("servers.log")).icon(icon).quiet().small()).clicked() {
            self.log_open = !self.log_open;
        }
        if self.log_open {
            let id = Id::unique(("log of", server.id));
            self.log.show(ui, id, tr("servers.log"), &server.log, Shown::Plain, 240.0);
        }
    }
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>, server: &McpServer, back: bool) {
    let tokens = ui.tokens();
    let name = short(&server.settings.name, 80);
    ui.horizontal(|ui| {
        if back && ui.add(IconButton::new(Icon::ArrowLeft, tr("servers.back"))).clicked() {
            push(cx, ServersCommand::Select(None));
        }
        ui.label(rows_of_servers::icon(&server.settings.transport).rich(24.0).color(tokens.color.accent));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            deeds(ui, cx, server, &name);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let heading = ui.add(Label::new(tokens.rich(Type::Heading, &name)).truncate());
                speak_as(ui, &heading, egui::Role::Heading, &name);
            });
        });
    });
    ui.add_space(tokens.space.xs);
    ui.horizontal(|ui| {
        let (tone, mut words) = rows_of_servers::state(server);
        if server.settings.enabled && server.state == McpState::Stopped {
            words = tr("servers.state.stopped_detail").to_owned();
        }
        dot(ui, tone);
        let ink = if tone == Tone::Neutral { tokens.color.text_2 } else { tone.ink(tokens) };
        ui.add(Label::new(tokens.rich(Type::Body, words).color(ink)).truncate());
    });
}

fn deeds(ui: &mut Ui, cx: &mut Cx<'_>, server: &McpServer, name: &str) {
    let id = server.id;
    if ui.add(IconButton::new(Icon::Trash, tr_with("servers.remove_one", &[("name", &name)]))).clicked() {
        cx.commands.push(UiCommand::Confirm(Confirmation {
            title: tr_with("servers.remove_title", &[("name", &name)]),
            consequence: tr("servers.remove_text").to_owned(),
            verb: tr("common.remove").to_owned(),
            danger: true,
            then: Box::new(UiCommand::Servers(ServersCommand::Remove(id))),
        }));
    }
    if ui.add(IconButton::new(Icon::PencilSimple, tr_with("servers.edit_one", &[("name", &name)]))).clicked() {
        push(cx, ServersCommand::Edit(Editing::Change(id)));
    }
    let busy = cx.state.pages.servers.busy.contains(&id);
    match &server.state {
        McpState::Ready { .. } | McpState::Starting => {
            if ui.add(Button::new(tr("servers.stop")).icon(Icon::Stop).enabled(!busy)).clicked() {
                push(cx, ServersCommand::Stop(id));
            }
        }
        McpState::Stopped | McpState::Failed { .. } => {
            let words = if busy { tr("servers.starting") } else { tr("servers.start") };
            let enabled = !busy && server.settings.enabled;
            if ui.add(Button::new(words).icon(Icon::Play).primary().enabled(enabled)).clicked() {
                push(cx, ServersCommand::Start(id));
            }
        }
    }
}

fn notes(ui: &mut Ui, server: &McpServer) {
    let tokens = ui.tokens();
    if let McpState::Failed { why, .. } = &server.state {
        states::banner(ui, Tone::Bad, Icon::WarningCircle, &crate::text::sentence(&short(why, 600)));
        ui.add_space(tokens.space.m);
    }
}

fn facts(ui: &mut Ui, server: &McpServer) {
    let tokens = ui.tokens();
    let words = |ui: &mut Ui, key: &str, kind: Type, words: &str| {
        fact(ui, tr(key), |ui| {
            ui.add(Label::new(tokens.rich(kind, short(words, 600))).wrap());
        });
    };
    section_title(ui, tr("servers.about"));
    match &server.settings.transport {
        McpTransport::Stdio { command, args, env, folder, folders, network } => {
            let line = std::iter::once(command).chain(args).map(String::as_str).collect::<Vec<_>>().join(" ");
            words(ui, "servers.fact.program", Type::Code, &line);
            let own = folder.as_ref().map_or_else(|| tr("servers.own_folder").to_owned(), |folder| path(folder));
            words(ui, "servers.fact.folder", Type::Body, &own);
            if !env.is_empty() {
                // Names alone: a value may be a secret.
                let names = env.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                words(ui, "servers.fact.environment", Type::Code, &names);
            }
            let sees = |folder: &rspa_core::model::AllowedFolder| {
                let key = if folder.write { "servers.sees_writes" } else { "servers.sees_reads" };
                tr_with(key, &[("path", &path(&folder.path))])
            };
            let seen = folders.iter().map(sees).collect::<Vec<_>>().join(", ");
            words(
                ui,
                "servers.fact.sees",
                Type::Body,
                if folders.is_empty() { tr("servers.sees_none") } else { &seen },
            );
            let key = if *network { "servers.network_yes" } else { "servers.network_no" };
            words(ui, "servers.fact.network", Type::Body, tr(key));
            let unknown = server.confinement.is_empty();
            let confined = if unknown { tr("servers.confined_later") } else { &server.confinement };
            words(ui, "servers.fact.confined", Type::Body, confined);
        }
        McpTransport::Http { url, headers } => {
            words(ui, "servers.fact.address", Type::Code, url);
            if !headers.is_empty() {
                let names = headers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                words(ui, "servers.fact.headers", Type::Code, &names);
            }
            words(ui, "servers.fact.confined", Type::Body, tr("servers.through_door"));
        }
    }
    if let McpState::Ready { server: called, version, protocol } = &server.state {
        let (called, version, protocol) = (short(called, 80), short(version, 40), short(protocol, 40));
        let told = [("name", &called as _), ("version", &version as _), ("protocol", &protocol as _)];
        words(ui, "servers.fact.calls_itself", Type::Body, &tr_with("servers.calls_itself", &told));
    }
    if server.restarts > 0 {
        let told = tr_count("servers.restarts", u64::from(server.restarts));
        words(ui, "servers.fact.restarts", Type::Body, &told);
    }
}
