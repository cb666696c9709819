//! The fields of the form: what is typed, and what it says.

use egui::{Id, ScrollArea, TextEdit, Ui};
use rspa_core::agents::validate::Fault;
use rspa_core::model::{AgentDraft, ModelId, ModelKind};

use super::Form;
use crate::design::{Type, UiExt};
use crate::text::tr;
use crate::views::Cx;
use crate::views::agents::look;
use crate::widgets::{IconButton, TextField, cells, section_title, select, toggle};

/// Numbers and lists as they are typed.
#[derive(Default)]
pub struct Typed {
    temperature: String,
    max_tokens: String,
    steps: String,
    tokens: String,
    seconds: String,
    last_tasks: String,
    tags: String,
}

impl Typed {
    pub fn of(draft: &AgentDraft) -> Self {
        Self {
            temperature: draft.temperature.to_string(),
            max_tokens: draft.max_tokens.to_string(),
            steps: draft.budget.steps.to_string(),
            tokens: draft.budget.tokens.to_string(),
            seconds: draft.budget.seconds.to_string(),
            last_tasks: draft.memory.last_tasks.to_string(),
            tags: draft.tags.join(", "),
        }
    }

    /// The draft with what is typed; what is no number stays as it was.
    pub fn applied(&self, draft: &AgentDraft) -> AgentDraft {
        let mut draft = draft.clone();
        let number = |text: &str, place: &mut u32| {
            if let Ok(value) = text.trim().parse() {
                *place = value;
            }
        };
        if let Ok(value) = self.temperature.trim().replace(',', ".").parse() {
            draft.temperature = value;
        }
        number(&self.max_tokens, &mut draft.max_tokens);
        number(&self.steps, &mut draft.budget.steps);
        number(&self.tokens, &mut draft.budget.tokens);
        number(&self.seconds, &mut draft.budget.seconds);
        number(&self.last_tasks, &mut draft.memory.last_tasks);
        draft.tags = self.tags.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
        draft
    }

    /// What is no number.
    pub fn faults(&self) -> Vec<Fault> {
        let whole = |text: &str| text.trim().parse::<u32>().is_ok();
        let all = [
            ("temperature", self.temperature.trim().replace(',', ".").parse::<f64>().is_ok(), "agents.form.no_number"),
            ("max_tokens", whole(&self.max_tokens), "agents.form.no_whole"),
            ("budget.steps", whole(&self.steps), "agents.form.no_whole"),
            ("budget.tokens", whole(&self.tokens), "agents.form.no_whole"),
            ("budget.seconds", whole(&self.seconds), "agents.form.no_whole"),
            ("memory.last_tasks", whole(&self.last_tasks), "agents.form.no_whole"),
        ];
        let wrong = all.into_iter().filter(|(_, is_number, _)| !is_number);
        wrong.map(|(field, _, key)| Fault { field, words: tr(key).to_owned(), warning: false }).collect()
    }
}

fn label(ui: &mut Ui, words: &str) {
    let tokens = ui.tokens();
    ui.add_space(tokens.space.xs);
    ui.label(tokens.rich(Type::Secondary, words));
}

/// Letters that are kept while they are typed; what is above the bounds is told.
fn bound(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
    }
}

impl Form {
    fn one_line(
        &mut self,
        ui: &mut Ui,
        faults: &[Fault],
        field: &'static str,
        name: &str,
        text: fn(&mut Self) -> Option<&mut String>,
    ) {
        label(ui, name);
        let wrong = self.is_wrong(faults, field);
        let focus = field == "name" && std::mem::take(&mut self.focus);
        let number = self.number;
        let Some(text) = text(self) else { return };
        let id = Id::unique(("agent form", number, field));
        let response = TextField::new(text, name).problem(wrong).id(id).show(ui);
        bound(text, 8_192);
        if focus {
            response.request_focus();
        }
        if response.lost_focus() {
            self.touched.insert(field);
        }
        self.told(ui, faults, field);
    }

    pub(super) fn about(&mut self, ui: &mut Ui, faults: &[Fault]) {
        let tokens = ui.tokens();
        section_title(ui, tr("agents.form.about"));
        self.one_line(ui, faults, "name", tr("agents.field.name"), |form| Some(&mut form.draft.as_mut()?.name));
        self.one_line(ui, faults, "description", tr("agents.field.description"), |form| {
            Some(&mut form.draft.as_mut()?.description)
        });
        self.one_line(ui, faults, "tags", tr("agents.form.tags"), |form| Some(&mut form.typed.tags));
        label(ui, tr("agents.field.avatar"));
        if let Some(draft) = &mut self.draft {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.xs;
                for (name, icon) in look::AVATARS {
                    let words = name.replace('_', " ");
                    if ui.add(IconButton::new(icon, words).selected(draft.avatar == name)).clicked() {
                        draft.avatar = name.to_owned();
                    }
                }
            });
        }
        label(ui, tr("agents.field.prompt"));
        if let Some(draft) = &mut self.draft {
            let frame = egui::Frame::new()
                .fill(tokens.color.bg0)
                .stroke(egui::Stroke::new(1.0, tokens.color.line))
                .corner_radius(tokens.radius.control)
                .inner_margin(tokens.space.s as i8);
            ScrollArea::vertical().id_salt("agent prompt").max_height(260.0).show(ui, |ui| {
                let edit = TextEdit::multiline(&mut draft.system_prompt)
                    .id(Id::unique(("agent form", self.number, "prompt")))
                    .font(tokens.font(Type::Body))
                    .frame(frame)
                    .desired_rows(6)
                    .desired_width(ui.available_width());
                ui.add(edit).accessible_name(tr("agents.field.prompt"));
            });
            bound(&mut draft.system_prompt, 80_000);
        }
        self.told(ui, faults, "prompt");
    }

    pub(super) fn model(&mut self, ui: &mut Ui, cx: &Cx<'_>, faults: &[Fault]) {
        let tokens = ui.tokens();
        section_title(ui, tr("agents.field.model"));
        if let Some(draft) = &mut self.draft {
            let installed = cx.state.models.list.get().map_or(&[][..], |list| &list.models);
            let chat = installed.iter().filter(|model| model.info.kind == ModelKind::Chat);
            let mut known: Vec<(Option<ModelId>, String)> = vec![(None, tr("agents.default_model").to_owned())];
            known.extend(chat.map(|model| (Some(model.id.clone()), look::short(&model.info.name, 60))));
            if let Some(own) = &draft.model
                && !known.iter().any(|(id, _)| id.as_ref() == Some(own))
            {
                let words = crate::text::tr_with("agents.form.model_gone", &[("name", &look::short(&own.0, 60))]);
                known.push((Some(own.clone()), words));
            }
            let at = known.iter().position(|(id, _)| *id == draft.model).unwrap_or(0);
            let names: Vec<String> = known.iter().map(|(_, name)| name.clone()).collect();
            let width = ui.available_width().min(360.0);
            if let Some(picked) = select(ui, tr("agents.field.model"), &names, at, width) {
                draft.model = known[picked].0.clone();
            }
        }
        self.told(ui, faults, "provider");
        cells(ui, 2, tokens.space.m, |i, ui| match i {
            0 => self.one_line(ui, faults, "temperature", tr("agents.form.temperature"), |form| {
                Some(&mut form.typed.temperature)
            }),
            _ => self.one_line(ui, faults, "max_tokens", tr("agents.form.max_tokens"), |form| {
                Some(&mut form.typed.max_tokens)
            }),
        });
    }

    pub(super) fn limits(&mut self, ui: &mut Ui, faults: &[Fault]) {
        let tokens = ui.tokens();
        section_title(ui, tr("agents.field.budget"));
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("agents.form.budget_detail"))).wrap());
        cells(ui, 3, tokens.space.m, |i, ui| match i {
            0 => self.one_line(ui, faults, "budget.steps", tr("agents.form.steps"), |form| Some(&mut form.typed.steps)),
            1 => {
                self.one_line(ui, faults, "budget.tokens", tr("agents.form.tokens"), |form| {
                    Some(&mut form.typed.tokens)
                });
            }
            _ => self.one_line(ui, faults, "budget.seconds", tr("agents.form.seconds"), |form| {
                Some(&mut form.typed.seconds)
            }),
        });
        ui.add_space(tokens.space.m);
        section_title(ui, tr("agents.tab.memory"));
        if let Some(draft) = &mut self.draft {
            ui.horizontal(|ui| {
                toggle(ui, &mut draft.memory.store, tr("agents.form.store"));
                ui.label(tokens.rich(Type::Body, tr("agents.form.store")));
            });
        }
        cells(ui, 3, tokens.space.m, |i, ui| {
            if i == 0 {
                self.one_line(ui, faults, "memory.last_tasks", tr("agents.form.last_tasks"), |form| {
                    Some(&mut form.typed.last_tasks)
                });
            }
        });
    }
}
