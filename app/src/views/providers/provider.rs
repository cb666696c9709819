//! One provider: how it is doing, what can be done, its figures and its models.

use egui::{Align, Label, Layout, Ui};
use rspa_core::model::{ProviderKind, ProviderState, ProviderStatus};

use super::offered::Offered;
use super::{phrases, push};
use crate::commands::pages::providers::ProvidersCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::Page;
use crate::state::pages::providers::Editing;
use crate::text::{number, short, since, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, IconButton, Tone, dot, fact, page_body, speak_as, states, toggle};

/// `back`: the list is not beside it.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, status: &ProviderStatus, back: bool, offered: &mut Offered) {
    let tokens = ui.tokens();
    page_body(ui, 980.0, |ui| {
        head(ui, cx, status, back);
        ui.add_space(tokens.space.m);
        notes(ui, cx, status);
        facts(ui, cx, status);
        ui.add_space(tokens.space.l);
        offered.ui(ui, cx, status);
    });
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>, status: &ProviderStatus, back: bool) {
    let tokens = ui.tokens();
    let name = short(&status.settings.name, 80);
    ui.horizontal(|ui| {
        if back && ui.add(IconButton::new(Icon::ArrowLeft, tr("providers.back"))).clicked() {
            push(cx, ProvidersCommand::Select(None));
        }
        ui.label(phrases::icon(status.settings.kind).rich(24.0).color(tokens.color.accent));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            deeds(ui, cx, status, &name);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let heading = ui.add(Label::new(tokens.rich(Type::Heading, &name)).truncate());
                speak_as(ui, &heading, egui::Role::Heading, &name);
            });
        });
    });
    ui.add_space(tokens.space.xs);
    ui.horizontal(|ui| {
        ui.add(Chip::new(status.settings.kind.name()));
        ui.add_space(tokens.space.xs);
        let (tone, mut words) = phrases::state(status);
        // Why stands below.
        if matches!(status.state, ProviderState::Unreachable { .. }) {
            words = tr("providers.state.unreachable_short").to_owned();
        }
        dot(ui, tone);
        let ink = if tone == Tone::Neutral { tokens.color.text_2 } else { tone.ink(tokens) };
        ui.add(Label::new(tokens.rich(Type::Body, words).color(ink)).truncate());
    });
}

fn deeds(ui: &mut Ui, cx: &mut Cx<'_>, status: &ProviderStatus, name: &str) {
    let id = &status.id;
    if id.is_embedded() {
        if ui.add(Button::new(tr("providers.open_models")).icon(Icon::Cpu)).clicked() {
            cx.commands.push(UiCommand::OpenPage(Page::Models));
        }
        return;
    }
    if ui.add(IconButton::new(Icon::Trash, tr_with("providers.remove_one", &[("name", &name)]))).clicked() {
        cx.commands.push(UiCommand::Confirm(Confirmation {
            title: tr_with("providers.remove_title", &[("name", &name)]),
            consequence: tr("providers.remove_text").to_owned(),
            verb: tr("common.remove").to_owned(),
            danger: true,
            then: Box::new(UiCommand::Providers(ProvidersCommand::Remove(id.clone()))),
        }));
    }
    if ui.add(IconButton::new(Icon::PencilSimple, tr_with("providers.edit_one", &[("name", &name)]))).clicked() {
        push(cx, ProvidersCommand::Edit(Editing::Change(id.clone())));
    }
    let checking = cx.state.pages.providers.checking.contains(id);
    let words = if checking { tr("providers.checking") } else { tr("providers.check") };
    let enabled = !checking && status.settings.enabled;
    if ui.add(Button::new(words).icon(Icon::Heartbeat).enabled(enabled)).clicked() {
        push(cx, ProvidersCommand::Check(id.clone()));
    }
    let mut on = status.settings.enabled;
    if toggle(ui, &mut on, &tr_with("providers.use_one", &[("name", &name)])).changed() {
        let mut draft = status.settings.clone();
        draft.enabled = on;
        push(cx, ProvidersCommand::Update { id: id.clone(), draft: Box::new(draft) });
    }
    ui.label(ui.tokens().rich(Type::Secondary, tr("providers.use")));
}

/// What stands in its way, each with the way out.
fn notes(ui: &mut Ui, cx: &mut Cx<'_>, status: &ProviderStatus) {
    let tokens = ui.tokens();
    let address = &status.settings.base_url;
    let forbidden = matches!(status.state, ProviderState::Forbidden { .. });
    if status.settings.enabled && (forbidden || phrases::is_refused(cx.state.network.as_ref(), address)) {
        let host = phrases::host(address).map_or_else(|| address.clone(), |(host, _)| host);
        let mut words = tr_with("providers.refused", &[("host", &short(&host, 80))]);
        if let Some(why) = phrases::reason(status).filter(|_| forbidden) {
            words = format!("{words} ({why})");
        }
        states::banner(ui, Tone::Warn, Icon::ShieldWarning, &words);
        ui.add_space(tokens.space.xs);
        if ui.add(Button::new(tr("page.profiles")).icon(Icon::ShareNetwork).small()).clicked() {
            cx.commands.push(UiCommand::OpenPage(Page::Profiles));
        }
        ui.add_space(tokens.space.m);
    } else if let Some(why) = phrases::reason(status) {
        let (tone, _) = phrases::state(status);
        states::banner(ui, tone, Icon::WarningCircle, &crate::text::sentence(&why));
        ui.add_space(tokens.space.m);
    }
    let keyless = matches!(status.state, ProviderState::Unauthorised { .. })
        || (status.settings.credential.is_some() && !status.has_key);
    if keyless && !status.id.is_embedded() {
        states::banner(ui, Tone::Warn, Icon::Key, tr("providers.no_key"));
        ui.add_space(tokens.space.xs);
        if ui.add(Button::new(tr("page.credentials")).icon(Icon::Key).small()).clicked() {
            cx.commands.push(UiCommand::OpenPage(Page::Credentials));
        }
        ui.add_space(tokens.space.m);
    }
}

fn facts(ui: &mut Ui, cx: &Cx<'_>, status: &ProviderStatus) {
    let tokens = ui.tokens();
    let line = |ui: &mut Ui, name: &str, words: &str| {
        fact(ui, tr(name), |ui| {
            ui.add(Label::new(tokens.rich(Type::Body, words)).wrap());
        });
    };
    let settings = &status.settings;
    if settings.kind == ProviderKind::Embedded {
        line(ui, "providers.fact.where", tr("providers.embedded_where"));
    } else {
        fact(ui, tr("providers.fact.address"), |ui| {
            ui.add(Label::new(tokens.rich(Type::Code, short(&settings.base_url, 200))).wrap());
        });
        let key = match (&settings.credential, status.has_key) {
            (None, _) => tr("providers.key_none").to_owned(),
            (Some(service), true) => tr_with("providers.key_there", &[("service", &short(service, 60))]),
            (Some(service), false) => tr_with("providers.key_missing", &[("service", &short(service, 60))]),
        };
        line(ui, "providers.fact.key", &key);
    }
    line(ui, "providers.fact.models", &tr_count("providers.models_count", u64::from(status.models)));
    let checked = match (status.checked.map(|at| since(at, cx.state.now)), status.latency_ms.map(phrases::latency)) {
        (None, _) => tr("providers.never_checked").to_owned(),
        (Some(when), None) => when,
        (Some(when), Some(latency)) => tr_with("providers.checked", &[("when", &when), ("latency", &latency)]),
    };
    if !status.id.is_embedded() {
        line(ui, "providers.fact.check", &checked);
    }
    let asked = [
        tr_count("providers.asked", status.requests),
        tr_with("providers.failed", &[("n", &number(status.failures))]),
        tr_with("providers.retried", &[("n", &number(status.retries))]),
    ];
    line(ui, "providers.fact.requests", &asked.join(" · "));
    if !status.id.is_embedded() {
        line(ui, "providers.fact.limits", &phrases::limits(&settings.limits));
    }
}
