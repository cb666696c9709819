//! The models that a provider offers, what can be done with each, and fetching more where the server can.

use egui::{Align, Layout, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{JobState, ModelId, ProviderKind, ProviderModel, ProviderState, ProviderStatus};

use super::push;
use crate::commands::pages::providers::ProvidersCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{bytes, number, short, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::list::line;
use crate::widgets::{Button, IconButton, TextField, job_card, menu, section_title, states};

const ROW: f32 = 36.0;
/// Rows that are drawn; more are found by their name.
const MOST: usize = 300;
/// Points of the columns at the right: context, size, tools, vectors, the menu.
const RIGHT: [f32; 5] = [110.0, 84.0, 60.0, 72.0, 36.0];

#[derive(Default)]
pub struct Offered {
    filter: String,
    pull: String,
}

impl Offered {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, status: &ProviderStatus) {
        let tokens = ui.tokens();
        if status.id.is_embedded() {
            embedded(ui, cx);
            return;
        }
        let usable = status.state.usable() && status.settings.enabled;
        let slot = &cx.state.pages.providers.models;
        ui.horizontal(|ui| {
            section_title(ui, tr("providers.models"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let button = Button::new(tr("providers.list_models")).icon(Icon::ArrowsClockwise).small();
                if ui.add(button.enabled(usable && !slot.is_waiting())).clicked() {
                    push(cx, ProvidersCommand::ListModels);
                }
                if slot.get().is_some_and(|all| all.len() > 8) {
                    let field = TextField::new(&mut self.filter, tr("providers.models_filter"));
                    field.hint(tr("providers.models_filter")).icon(Icon::MagnifyingGlass).width(200.0).show(ui);
                }
            });
        });
        ui.add_space(tokens.space.xs);
        if status.settings.kind == ProviderKind::Ollama {
            self.pulling(ui, cx, status, usable);
        }
        let Some(models) = slot.get() else {
            match slot.error() {
                Some(error) => {
                    let words = format!("{} {}", crate::text::sentence(&error.message), error.advice);
                    states::banner(ui, crate::widgets::Tone::Bad, Icon::WarningCircle, &words);
                }
                None if slot.is_waiting() || status.state == ProviderState::Ready => {
                    ui.label(tokens.rich(Type::Secondary, tr("providers.models_loading")));
                }
                None => {
                    let key = if usable { "providers.models_unknown" } else { "providers.models_unusable" };
                    ui.label(tokens.rich(Type::Secondary, tr(key)));
                }
            }
            return;
        };
        let wanted = self.filter.trim().to_lowercase();
        let all: Vec<&ProviderModel> =
            models.iter().filter(|model| wanted.is_empty() || model.name.to_lowercase().contains(&wanted)).collect();
        if all.is_empty() {
            let key = if models.is_empty() { "providers.models_none" } else { "providers.models_no_match" };
            ui.label(tokens.rich(Type::Secondary, tr(key)));
            return;
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        head(ui);
        for model in all.iter().take(MOST) {
            ui.push_id(&model.id.0, |ui| row(ui, cx, status, model));
        }
        if all.len() > MOST {
            let words = tr_with("providers.models_more", &[("n", &number((all.len() - MOST) as u64))]);
            ui.label(tokens.rich(Type::Secondary, words));
        }
    }

    fn pulling(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, status: &ProviderStatus, usable: bool) {
        let tokens = ui.tokens();
        let jobs: Vec<_> = cx.state.pages.providers.pulls.iter().filter(|(id, _)| *id == status.id).collect();
        for job in jobs.iter().filter_map(|(_, job)| cx.state.job(*job)) {
            if job.state == JobState::Running && job_card(ui, job) {
                cx.commands.push(UiCommand::CancelJob(job.id));
            }
        }
        ui.horizontal(|ui| {
            let field = TextField::new(&mut self.pull, tr("providers.pull_name")).hint(tr("providers.pull_hint"));
            let response = field.width(280.0).show(ui);
            let name = self.pull.trim();
            let ready = usable && !name.is_empty() && name.len() < 200;
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let button = Button::new(tr("providers.pull")).icon(Icon::DownloadSimple).enabled(ready);
            if (ui.add(button).clicked() || entered) && ready {
                push(cx, ProvidersCommand::Pull(ModelId::of(&status.id, name)));
                self.pull.clear();
            }
        });
        ui.add_space(tokens.space.s);
    }
}

/// The models of this program itself, in a few words; their own page has the rest.
fn embedded(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    section_title(ui, tr("providers.models"));
    ui.add_space(tokens.space.xs);
    let models = cx.state.models.list.get().map_or(&[][..], |list| &list.models);
    if models.is_empty() {
        ui.label(tokens.rich(Type::Secondary, tr("providers.embedded_none")));
    }
    for model in models {
        ui.horizontal(|ui| {
            ui.label(Icon::Cube.rich(tokens.size.icon).color(tokens.color.text_2));
            ui.label(tokens.rich(Type::Body, short(&model.info.name, 80)));
            let context = tr_count("providers.tokens", model.info.context_length as u64);
            let words = [model.info.quantisation.clone(), bytes(model.info.size_bytes), context].join(" · ");
            ui.label(tokens.rich(Type::Secondary, words));
        });
    }
}

/// The right edges of the columns; the first ends before the second begins.
fn edges(left: f32, width: f32) -> [f32; 6] {
    let mut right = left + width;
    let mut all = [0.0; 6];
    for (i, width) in RIGHT.iter().enumerate().rev() {
        all[i + 1] = right;
        right -= width;
    }
    all[0] = right;
    all
}

fn head(ui: &mut Ui) {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    let edges = edges(rect.left(), rect.width());
    let ink = tokens.color.text_3;
    line(ui, rect.left(), edges[0], rect.center().y, tr("providers.column.name"), Type::Label, ink);
    for (i, key) in ["context", "size", "tools", "embeds"].iter().enumerate() {
        let at = pos2(edges[i + 1], rect.center().y);
        let words = tr(&format!("providers.column.{key}"));
        ui.painter().text(at, egui::Align2::RIGHT_CENTER, words, tokens.font(Type::Label), ink);
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, status: &ProviderStatus, model: &ProviderModel) {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let name = short(&model.name, 80);
    let context = model.context_length.map_or_else(|| "–".to_owned(), |n| tr_count("providers.tokens", u64::from(n)));
    let size = model.size_bytes.map_or_else(|| "–".to_owned(), bytes);
    let yes = |known: Option<bool>| match known {
        Some(true) => tr("providers.yes"),
        Some(false) => tr("providers.no"),
        None => "–",
    };
    let (tools, embeds) = (yes(model.tools), yes(model.embeds));
    let told =
        tr_with("providers.model_row", &[("name", &name), ("context", &context), ("size", &size), ("tools", &tools)]);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::ListItem, true, &told));
    if response.hovered() {
        ui.painter().rect_filled(rect, 0.0, tokens.color.bg3);
    }
    let edges = edges(rect.left(), rect.width());
    let middle = rect.center().y;
    let named = line(ui, rect.left(), edges[0], middle, &name, Type::Body, tokens.color.text);
    let mut kinds: Vec<String> = [&model.family, &model.quantisation].iter().map(|word| short(word, 24)).collect();
    kinds.retain(|word| !word.is_empty());
    let ink = tokens.color.text_3;
    line(ui, named.right() + tokens.space.s, edges[0], middle, &kinds.join(" · "), Type::Secondary, ink);
    for (edge, words) in [(edges[1], context.as_str()), (edges[2], &size), (edges[3], tools), (edges[4], embeds)] {
        let font = tokens.font(Type::Secondary);
        ui.painter().text(pos2(edge, middle), egui::Align2::RIGHT_CENTER, words, font, tokens.color.text_2);
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    let place = egui::Rect::from_center_size(pos2(edges[5] - 14.0, middle), vec2(24.0, 24.0));
    let more = IconButton::new(Icon::DotsThree, tr_with("providers.model_more", &[("name", &name)])).small();
    let more = ui.put(place, more);
    // The small button would move the cursor up into the row.
    ui.advance_cursor_after_rect(rect);
    menu(&more).show(|ui| {
        if ui.button(tr("providers.use_default")).clicked() {
            push(cx, ProvidersCommand::UseAsDefault(model.id.clone()));
        }
        if ui.button(tr("providers.copy_id")).clicked() {
            cx.commands.push(UiCommand::CopyText(model.id.0.clone()));
        }
        if status.settings.kind == ProviderKind::Ollama && ui.button(tr("providers.delete_model")).clicked() {
            delete(cx, status, model, &name);
        }
    });
}

fn delete(cx: &mut Cx<'_>, status: &ProviderStatus, model: &ProviderModel, name: &str) {
    let server = short(&status.settings.name, 60);
    cx.commands.push(UiCommand::Confirm(Confirmation {
        title: tr_with("providers.delete_title", &[("name", &name)]),
        consequence: tr_with("providers.delete_text", &[("server", &server)]),
        verb: tr("common.delete").to_owned(),
        danger: true,
        then: Box::new(UiCommand::Providers(ProvidersCommand::DeleteModel(model.id.clone()))),
    }));
}

#[cfg(test)]
mod tests {
    use super::edges;

    #[test]
    fn the_columns_fill_the_row() {
        let edges = edges(10.0, 800.0);
        assert_eq!(edges[5], 810.0);
        assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
