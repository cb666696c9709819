//! The form that sets a provider up: what it speaks, where it is, which key it gets, how patiently it is asked.

use egui::{Id, Label, Ui};
use rspa_core::model::{ProviderDraft, ProviderId, ProviderKind, ProviderLimits};

use super::{phrases, push};
use crate::commands::UiCommand;
use crate::commands::pages::providers::ProvidersCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::Page;
use crate::state::pages::providers::{Editing, ProvidersState};
use crate::text::{short, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{
    Button, TextArea, TextField, Tone, cells, choice, page_body, page_header, section_title, select, speak_as, states,
    toggle,
};

/// The limits as they are typed, by the key of their name.
type Typed = [(&'static str, String); 8];

pub struct Form {
    number: u64,
    /// None for a new one.
    id: Option<ProviderId>,
    draft: ProviderDraft,
    limits: Typed,
    extra: String,
    advanced: bool,
    tried: bool,
    focus: bool,
    /// The person chose a key, or none.
    chose_key: bool,
}

impl Form {
    /// The form of before while it is for the same opening, else a new one.
    pub fn kept(before: Option<Self>, editing: &Editing, page: &ProvidersState) -> Option<Self> {
        if let Some(form) = before.filter(|form| form.number == page.form) {
            return Some(form);
        }
        let known = match editing {
            Editing::New => None,
            Editing::Change(id) => Some(page.provider(id)?),
        };
        let draft = known.map_or_else(|| new_draft(ProviderKind::Ollama), |status| status.settings.clone());
        Some(Self {
            number: page.form,
            id: known.map(|status| status.id.clone()),
            limits: typed(&draft.limits),
            extra: draft.extra_models.join("\n"),
            chose_key: known.is_some(),
            draft,
            advanced: false,
            tried: false,
            focus: true,
        })
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let title = match &self.id {
            None => tr("providers.form.new").to_owned(),
            Some(_) => tr_with("providers.form.change", &[("name", &short(&self.draft.name, 60))]),
        };
        let saving = cx.state.pages.providers.saving;
        let mut save = false;
        let escape = cx.focused && ui.input(|input| input.key_pressed(egui::Key::Escape));
        let mut leave = escape && !ui.ctx().text_edit_focused();
        page_header(ui, &title, |ui| {
            let words = if self.id.is_none() { tr("providers.form.add") } else { tr("providers.form.save") };
            save = ui.add(Button::new(words).icon(Icon::Check).primary().enabled(!saving)).clicked();
            leave |= ui.add(Button::new(tr("common.cancel"))).clicked();
        });
        if leave {
            push(cx, ProvidersCommand::CloseForm);
            return;
        }
        if save {
            self.tried = true;
            if self.is_right() {
                let draft = Box::new(self.tidy());
                push(
                    cx,
                    match &self.id {
                        None => ProvidersCommand::Add(draft),
                        Some(id) => ProvidersCommand::Update { id: id.clone(), draft },
                    },
                );
            }
        }
        page_body(ui, 760.0, |ui| self.body(ui, cx));
    }

    fn is_right(&self) -> bool {
        !self.draft.name.trim().is_empty()
            && phrases::address_problem(&self.draft.base_url).is_none()
            && self.limits.iter().all(|(_, text)| is_number(text))
    }

    fn tidy(&self) -> ProviderDraft {
        let mut draft = self.draft.clone();
        draft.name = draft.name.trim().to_owned();
        draft.base_url = draft.base_url.trim().trim_end_matches('/').to_owned();
        let lines = self.extra.lines().map(str::trim).filter(|line| !line.is_empty());
        draft.extra_models = lines.map(str::to_owned).collect();
        let number = |i: usize| self.limits[i].1.trim().parse().unwrap_or_default();
        draft.limits = ProviderLimits {
            requests_per_minute: number(0),
            tokens_per_minute: number(1),
            first_byte_seconds: number(2),
            idle_seconds: number(3),
            retries: number(4),
            health_seconds: number(5),
            breaker_failures: number(6),
            breaker_seconds: number(7),
        };
        draft
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        self.kinds(ui);
        ui.add_space(tokens.space.m);
        label(ui, tr("providers.form.name"));
        let id = Id::unique(("provider form", self.number, "name"));
        let wrong = self.tried && self.draft.name.trim().is_empty();
        let field = TextField::new(&mut self.draft.name, tr("providers.form.name")).id(id).problem(wrong).show(ui);
        if std::mem::take(&mut self.focus) {
            field.request_focus();
        }
        if wrong {
            told(ui, tr("providers.form.no_name"));
        }
        label(ui, tr("providers.form.address"));
        let problem = phrases::address_problem(&self.draft.base_url);
        let show = problem.filter(|_| self.tried || !self.draft.base_url.trim().is_empty());
        let field = TextField::new(&mut self.draft.base_url, tr("providers.form.address"));
        field.hint(self.draft.kind.usual_address()).problem(show.is_some()).show(ui);
        if let Some(problem) = show {
            told(ui, problem);
        } else if phrases::is_refused(cx.state.network.as_ref(), &self.draft.base_url) {
            ui.add_space(tokens.space.xs);
            states::banner(ui, Tone::Warn, Icon::ShieldWarning, tr("providers.form.refused"));
        }
        self.key(ui, cx);
        ui.add_space(tokens.space.m);
        ui.horizontal(|ui| {
            toggle(ui, &mut self.draft.enabled, tr("providers.form.enabled"));
            ui.label(tokens.rich(Type::Body, tr("providers.form.enabled")));
        });
        ui.add_space(tokens.space.m);
        self.advanced(ui);
    }

    /// A card for each thing that it may speak; the usual address comes with it unless another was typed.
    fn kinds(&mut self, ui: &mut Ui) {
        section_title(ui, tr("providers.form.kind"));
        ui.add_space(ui.tokens().space.xs);
        let keys = ["ollama", "anthropic", "openai", "gemini"];
        let cards: Vec<(&str, &str)> = ProviderKind::SERVERS
            .iter()
            .zip(keys)
            .map(|(kind, key)| (kind.name(), tr(&format!("providers.kind.{key}"))))
            .collect();
        let now = ProviderKind::SERVERS.iter().position(|kind| *kind == self.draft.kind);
        let Some(picked) = choice(ui, &cards, now) else { return };
        let (old, new) = (self.draft.kind, ProviderKind::SERVERS[picked]);
        let address = self.draft.base_url.trim();
        if address.is_empty() || address == old.usual_address() {
            self.draft.base_url = new.usual_address().to_owned();
        }
        if self.draft.name.trim().is_empty() || self.draft.name == old.name() {
            self.draft.name = new.name().to_owned();
        }
        self.draft.kind = new;
        if !self.chose_key {
            self.draft.credential = None;
        }
    }

    fn key(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        label(ui, tr("providers.form.key"));
        let list = cx.state.pages.providers.keys.get();
        let mut known: Vec<(Option<String>, String)> = vec![(None, tr("providers.form.key_none").to_owned())];
        for item in list.into_iter().flat_map(|list| &list.items) {
            let label = if item.label.is_empty() { &item.service } else { &item.label };
            let words = tr_with("providers.form.key_stored", &[("label", &short(label, 60))]);
            known.push((Some(item.service.clone()), words));
        }
        for key in list.into_iter().flat_map(|list| list.environment.iter().filter(|key| key.in_use)) {
            if !known.iter().any(|(service, _)| service.as_ref() == Some(&key.service)) {
                let words = tr_with("providers.form.key_environment", &[("variable", &short(&key.variable, 60))]);
                known.push((Some(key.service.clone()), words));
            }
        }
        if !self.chose_key && self.draft.credential.is_none() {
            let usual = usual_service(self.draft.kind);
            let there = known.iter().find(|(service, _)| service.is_some() && service.as_deref() == usual);
            self.draft.credential = there.and_then(|(service, _)| service.clone());
        }
        if let Some(own) = &self.draft.credential
            && !known.iter().any(|(service, _)| service.as_ref() == Some(own))
        {
            known.push((Some(own.clone()), tr_with("providers.form.key_gone", &[("service", &short(own, 60))])));
        }
        let at = known.iter().position(|(service, _)| *service == self.draft.credential).unwrap_or_default();
        let names: Vec<String> = known.iter().map(|(_, words)| words.clone()).collect();
        ui.horizontal(|ui| {
            if let Some(picked) = select(ui, tr("providers.form.key"), &names, at, 360.0) {
                self.draft.credential = known[picked].0.clone();
                self.chose_key = true;
            }
            if ui.add(Button::new(tr("providers.form.add_key")).icon(Icon::Key).quiet()).clicked() {
                cx.commands.push(UiCommand::OpenPage(Page::Credentials));
            }
        });
        ui.add(Label::new(tokens.rich(Type::Label, tr("providers.form.key_detail"))).wrap());
    }

    fn advanced(&mut self, ui: &mut Ui) {
        let tokens = ui.tokens();
        let icon = if self.advanced { Icon::CaretDown } else { Icon::CaretRight };
        if ui.add(Button::new(tr("providers.form.advanced")).icon(icon).quiet()).clicked() {
            self.advanced = !self.advanced;
        }
        // What is wrong is never hidden.
        let wrong = self.limits.iter().any(|(_, text)| !is_number(text));
        if !self.advanced && !wrong {
            return;
        }
        for row in self.limits.chunks_mut(2) {
            cells(ui, 2, tokens.space.m, |i, ui| {
                let (key, text) = &mut row[i];
                let name = tr(key);
                label(ui, name);
                let problem = !is_number(text);
                TextField::new(text, name).problem(problem).show(ui);
                if problem {
                    told(ui, tr("providers.form.no_number"));
                }
            });
        }
        label(ui, tr("providers.form.extra"));
        TextArea::new(&mut self.extra, tr("providers.form.extra")).hint("my-model").code().show(ui);
        ui.add(Label::new(tokens.rich(Type::Label, tr("providers.form.extra_detail"))).wrap());
    }
}

fn new_draft(kind: ProviderKind) -> ProviderDraft {
    ProviderDraft {
        id: String::new(),
        name: kind.name().to_owned(),
        kind,
        base_url: kind.usual_address().to_owned(),
        enabled: true,
        credential: None,
        limits: ProviderLimits::default(),
        extra_models: Vec::new(),
    }
}

/// The service whose key such a server usually wants.
fn usual_service(kind: ProviderKind) -> Option<&'static str> {
    match kind {
        ProviderKind::Anthropic => Some("anthropic"),
        ProviderKind::OpenAi => Some("openai"),
        ProviderKind::Gemini => Some("gemini"),
        ProviderKind::Embedded | ProviderKind::Ollama => None,
    }
}

fn typed(limits: &ProviderLimits) -> Typed {
    [
        ("providers.form.requests", limits.requests_per_minute.to_string()),
        ("providers.form.tokens", limits.tokens_per_minute.to_string()),
        ("providers.form.first_byte", limits.first_byte_seconds.to_string()),
        ("providers.form.idle", limits.idle_seconds.to_string()),
        ("providers.form.retries", limits.retries.to_string()),
        ("providers.form.health", limits.health_seconds.to_string()),
        ("providers.form.breaker_failures", limits.breaker_failures.to_string()),
        ("providers.form.breaker_seconds", limits.breaker_seconds.to_string()),
    ]
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<u32>().is_ok()
}

fn label(ui: &mut Ui, words: &str) {
    let tokens = ui.tokens();
    ui.add_space(tokens.space.s);
    ui.label(tokens.rich(Type::Secondary, words));
}

/// What is wrong with the field above.
fn told(ui: &mut Ui, words: &str) {
    let tokens = ui.tokens();
    let response = ui.add(Label::new(tokens.rich(Type::Secondary, words).color(tokens.color.bad)).wrap());
    speak_as(ui, &response, egui::Role::Alert, words);
}
