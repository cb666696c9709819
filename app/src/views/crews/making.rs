//! The ways to a new crew: from a template, empty, from a file.

use std::path::PathBuf;

use egui::{Align, Layout, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};
use rspa_core::model::{CrewProcess, CrewTemplate, ModelId, ModelKind};

use super::{look, push};
use crate::commands::pages::crews::CrewsCommand;
use crate::commands::{PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::crews::Shown;
use crate::text::{path, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{
    Button, IconButton, TextField, Tone, choice, focus_ring, graph, page_body, page_header, section_title, select,
    states,
};

#[derive(Default)]
pub struct Making {
    template: Option<String>,
    name: String,
    process: CrewProcess,
    folder: Option<PathBuf>,
    model: Option<ModelId>,
    taken: u64,
}

const CARD: f32 = 132.0;

impl Making {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        if let Some((number, path)) = &cx.state.pages.crews.picked {
            if *number > self.taken {
                self.folder = Some(path.clone());
            }
            self.taken = *number;
        } else {
            self.taken = 0;
        }
        page_header(ui, tr("crews.new.title"), |ui| {
            if ui.add(Button::new(tr("common.cancel"))).clicked() {
                push(cx, CrewsCommand::Show(Shown::Nothing));
            }
        });
        let page = &cx.state.pages.crews;
        page_body(ui, 860.0, |ui| {
            section_title(ui, tr("crews.new.template"));
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("crews.new.template_detail"))).wrap());
            ui.add_space(tokens.space.s);
            match (page.templates.get(), page.templates.error()) {
                (Some(templates), _) => self.cards(ui, templates),
                (None, Some(error)) => {
                    states::banner(ui, Tone::Bad, Icon::WarningCircle, &format!("{} {}", error.message, error.advice));
                    if ui.add(Button::new(tr("common.try_again")).icon(Icon::ArrowClockwise)).clicked() {
                        push(cx, CrewsCommand::Refresh);
                    }
                }
                (None, None) => {
                    ui.label(tokens.rich(Type::Secondary, tr("crews.new.loading")));
                }
            }
            let page = &cx.state.pages.crews;
            let chosen =
                page.templates.get().and_then(|all| all.iter().find(|one| Some(&one.id) == self.template.as_ref()));
            if let Some(template) = chosen {
                ui.add_space(tokens.space.m);
                self.form(ui, cx, template);
            }
            ui.add_space(tokens.space.xl);
            section_title(ui, tr("crews.new.other"));
            ui.add_space(tokens.space.xs);
            ui.horizontal_wrapped(|ui| {
                for (icon, key, process) in [
                    (Icon::FlowArrow, "crews.new.empty", CrewProcess::Sequential),
                    (Icon::TreeStructure, "crews.new.empty_hierarchical", CrewProcess::Hierarchical),
                ] {
                    if ui.add(Button::new(tr(key)).icon(icon)).clicked() {
                        push(cx, CrewsCommand::Begin(process));
                    }
                }
                if ui.add(Button::new(tr("crews.new.import")).icon(Icon::UploadSimple)).clicked() {
                    cx.commands.push(UiCommand::Pick(PickPurpose::CrewImport));
                }
            });
            ui.add_space(tokens.space.l);
        });
    }

    fn cards(&mut self, ui: &mut Ui, templates: &[CrewTemplate]) {
        let tokens = ui.tokens();
        let gap = tokens.space.m;
        let columns = if ui.available_width() > 640.0 { 3 } else { 2 };
        for (row, some) in templates.chunks(columns).enumerate() {
            if row > 0 {
                ui.add_space(gap);
            }
            crate::widgets::cells(ui, columns, gap, |at, ui| {
                if let Some(template) = some.get(at) {
                    let chosen = self.template.as_ref() == Some(&template.id);
                    if card(ui, template, chosen) {
                        self.take(template);
                    }
                }
            });
        }
    }

    fn take(&mut self, template: &CrewTemplate) {
        if self.template.as_ref() == Some(&template.id) {
            return;
        }
        self.template = Some(template.id.clone());
        self.name = look::short(&template.name, 80);
        self.process = template.process;
    }

    fn form(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, template: &CrewTemplate) {
        let tokens = ui.tokens();
        section_title(ui, &look::short(&template.name, 60));
        look::label(ui, tr("crews.field.name"));
        let name = self.name.trim().to_lowercase();
        let page = &cx.state.pages.crews;
        let taken = page.list.get().is_some_and(|all| all.iter().any(|crew| crew.settings.name.to_lowercase() == name));
        let wrong = name.is_empty() || taken;
        TextField::new(&mut self.name, tr("crews.field.name")).problem(wrong).width(360.0).show(ui);
        look::bound(&mut self.name, 400);
        if wrong {
            super::told(ui, tr(if taken { "crews.fault.name_taken" } else { "crews.fault.no_name" }), false);
        }
        look::label(ui, tr("crews.field.process"));
        let at = usize::from(self.process == CrewProcess::Hierarchical);
        if let Some(picked) = ui.scope(|ui| choice(ui, &processes(), Some(at))).inner {
            self.process = if picked == 1 { CrewProcess::Hierarchical } else { CrewProcess::Sequential };
        }
        look::label(ui, tr("crews.field.folder"));
        folder(ui, cx, &mut self.folder);
        ui.label(tokens.rich(Type::Label, tr("crews.new.folder_detail")));
        look::label(ui, tr("crews.field.model"));
        self.models(ui, cx);
        ui.add_space(tokens.space.m);
        let words = tr_count("crews.new.agents", template.steps.len() as u64);
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, words)).wrap());
        ui.add_space(tokens.space.s);
        let ready = !wrong && !cx.state.pages.crews.saving;
        if ui.add(Button::new(tr("crews.new.make")).icon(Icon::Check).primary().enabled(ready)).clicked() {
            let command = CrewsCommand::FromTemplate {
                template: template.id.clone(),
                name: Some(self.name.trim().to_owned()),
                process: self.process,
                folder: self.folder.clone(),
                model: self.model.clone(),
            };
            push(cx, command);
        }
    }

    fn models(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let installed = cx.state.models.list.get().map_or(&[][..], |list| &list.models);
        let chat = installed.iter().filter(|model| model.info.kind == ModelKind::Chat);
        let mut known: Vec<(Option<ModelId>, String)> = vec![(None, tr("crews.new.any_model").to_owned())];
        known.extend(chat.map(|model| (Some(model.id.clone()), look::short(&model.info.name, 60))));
        let at = known.iter().position(|(id, _)| *id == self.model).unwrap_or(0);
        let names: Vec<String> = known.iter().map(|(_, name)| name.clone()).collect();
        if let Some(picked) = select(ui, tr("crews.field.model"), &names, at, 360.0) {
            self.model = known[picked].0.clone();
        }
    }
}

/// What the two processes are, for a choice between them.
pub fn processes() -> [(&'static str, &'static str); 2] {
    [
        (tr("crews.process.sequential"), tr("crews.process.sequential_detail")),
        (tr("crews.process.hierarchical"), tr("crews.process.hierarchical_detail")),
    ]
}

/// A folder, if one is wanted.
pub fn folder(ui: &mut Ui, cx: &mut Cx<'_>, folder: &mut Option<PathBuf>) {
    let tokens = ui.tokens();
    ui.horizontal(|ui| {
        let words = if folder.is_some() { tr("crews.other_folder") } else { tr("crews.pick_folder") };
        if ui.add(Button::new(words).icon(Icon::FolderOpen)).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::CrewFolder));
        }
        let Some(known) = folder.clone() else {
            ui.label(tokens.rich(Type::Secondary, tr("crews.no_folder")));
            return;
        };
        let remove = tr_with("crews.remove_folder", &[("path", &path(&known))]);
        if ui.add(IconButton::new(Icon::X, remove).small()).clicked() {
            *folder = None;
        }
        ui.add(egui::Label::new(tokens.rich(Type::Body, look::short(&path(&known), 200))).truncate());
    });
}

fn card(ui: &mut Ui, template: &CrewTemplate, chosen: bool) -> bool {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), CARD), Sense::click());
    let name = look::short(&template.name, 40);
    let about = look::short(&template.description, 160);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(about.as_str()));
    let (fill, edge) = match (chosen, response.hovered()) {
        (true, _) => (tokens.color.selection, tokens.color.accent),
        (false, true) => (tokens.color.bg3, tokens.color.line),
        (false, false) => (tokens.color.bg2, tokens.color.line),
    };
    ui.painter().rect(rect, tokens.radius.card, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    if response.has_focus() {
        focus_ring(ui, rect);
    }
    let inner = rect.shrink(tokens.space.m);
    let picture = egui::Rect::from_min_size(inner.min, vec2(inner.width(), 34.0));
    let index = |key: &String| template.steps.iter().position(|step| step.key == *key);
    let edges: Vec<(usize, usize)> = template
        .steps
        .iter()
        .enumerate()
        .flat_map(|(to, step)| step.depends_on.iter().filter_map(index).map(move |from| (from, to)))
        .collect();
    let ink = if chosen { tokens.color.accent } else { tokens.color.text_3 };
    graph::small(ui, picture, template.steps.len().min(12), &edges, ink);
    let words = egui::Rect::from_min_max(inner.min + vec2(0.0, 42.0), inner.max);
    let builder = egui::UiBuilder::new().max_rect(words).layout(Layout::top_down(Align::Min));
    ui.scope_builder(builder, |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(words));
        ui.spacing_mut().item_spacing.y = 0.0;
        let lay = |text: &str, kind, rows| {
            let mut job = egui::text::LayoutJob::simple(
                text.to_owned(),
                tokens.font(kind),
                if kind == Type::Strong { tokens.color.text } else { tokens.color.text_2 },
                words.width(),
            );
            job.wrap.max_rows = rows;
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        // Painted: the card speaks for itself.
        let title = lay(&name, Type::Strong, 1);
        let below = words.min + vec2(0.0, title.size().y + 2.0);
        ui.painter().galley(words.min, title, tokens.color.text);
        ui.painter().galley(below, lay(&about, Type::Secondary, 3), tokens.color.text_2);
    });
    response.clicked()
}
