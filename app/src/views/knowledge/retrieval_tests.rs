//! Retrieval tests: the questions with the passages that search should find, their figures, and trials of other settings.

mod figures;

use egui::{
    Align, Align2, Color32, Id, Label, Layout, Rect, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};
use rspa_core::model::{
    Job, JobKind, ModelId, Passage, RetrievalFigures, RetrievalOutcome, RetrievalSettings, RetrievalTest,
    RetrievalTestId, RetrievalTests,
};

use crate::commands::UiCommand;
use crate::commands::pages::retrieval::RetrievalCommand;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::text::{tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::citation::{file_name, line_range, rule};
use crate::widgets::column::padded;
use crate::widgets::work::job_card;
use crate::widgets::{Button, IconButton, TextField, Tone, card, list, section_title, select, states};

/// Between which a passage may be aimed at, in characters.
const SIZES: std::ops::RangeInclusive<u32> = 200..=4_000;
/// Widths of the form.
const FIELD: f32 = 180.0;
const SELECT: f32 = 260.0;

#[derive(Default)]
pub struct Tests {
    /// The form of a trial is open.
    tries: bool,
    size: String,
    /// Of the encoders, after "none"; none until the form was opened.
    encoder: Option<Option<ModelId>>,
}

/// The button beside a hit that saves it as a test.
pub fn save_button(ui: &mut Ui, cx: &mut Cx<'_>, question: &str, passage: &Passage) {
    let saved = cx.state.pages.retrieval.holds(question, passage);
    let name = tr(if saved { "knowledge.tests.is_saved" } else { "knowledge.tests.save" });
    let icon = if saved { Icon::Check } else { Icon::PushPin };
    let button = Button::new(name).icon(icon).quiet().enabled(!saved && !question.trim().is_empty());
    if ui.add(button.tooltip(tr("knowledge.tests.save_tip"))).clicked() {
        let save = RetrievalCommand::Save { question: question.trim().to_owned(), passage: passage.id };
        cx.commands.push(UiCommand::Retrieval(save));
    }
}

impl Tests {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let slot = &cx.state.pages.retrieval.list;
        let Some(all) = slot.get() else {
            match slot.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::Retrieval(RetrievalCommand::Refresh));
                    }
                }
                None => states::loading(ui, tr("knowledge.tests.loading")),
            }
            return;
        };
        if all.tests.is_empty() {
            let (title, detail) = (tr("knowledge.tests.none"), tr("knowledge.tests.none_detail"));
            states::empty(ui, Icon::Gauge, title, detail, |_| {});
            return;
        }
        let tokens = ui.tokens();
        let job = cx.state.running_jobs().find(|job| job.kind == JobKind::Measure);
        ScrollArea::vertical().id_salt("retrieval-tests").auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                self.head(ui, cx, all, job);
                if let Some(job) = job {
                    ui.add_space(tokens.space.s);
                    if job_card(ui, job) {
                        cx.commands.push(UiCommand::CancelJob(job.id));
                    }
                }
                if all.unmeasured {
                    ui.add_space(tokens.space.s);
                    states::banner(ui, Tone::Warn, Icon::Warning, tr("knowledge.tests.unmeasured"));
                }
                if self.tries {
                    ui.add_space(tokens.space.s);
                    self.form(ui, cx, all, job.is_some());
                }
                ui.add_space(tokens.space.s);
                figures::ui(ui, cx, all, job.is_some());
            });
            rows(ui, cx, all);
        });
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, all: &RetrievalTests, job: Option<&Job>) {
        ui.horizontal(|ui| {
            section_title(ui, &tr_count("knowledge.tests.count", all.tests.len() as u64));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let tries = Button::new(tr("knowledge.tests.try")).icon(Icon::SlidersHorizontal).selected(self.tries);
                if ui.add(tries).clicked() {
                    self.tries = !self.tries;
                    if self.encoder.is_none() {
                        self.size = all.settings.chunk_size.to_string();
                        self.encoder = Some(all.settings.encoder.clone());
                    }
                }
                let run = Button::new(tr("knowledge.tests.run")).icon(Icon::Play).enabled(job.is_none());
                if ui.add(run.tooltip(tr("knowledge.tests.run_tip"))).clicked() {
                    cx.commands.push(UiCommand::Retrieval(RetrievalCommand::Run));
                }
            });
        });
    }

    /// Which settings are to be tried.
    fn form(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, all: &RetrievalTests, busy: bool) {
        let tokens = ui.tokens();
        card(ui, |ui| {
            ui.set_min_width(ui.available_width());
            section_title(ui, tr("knowledge.tests.try_title"));
            ui.add(Label::new(tokens.rich(Type::Secondary, tr("knowledge.tests.try_detail"))).wrap());
            ui.add_space(tokens.space.m);
            let wanted = self.size.trim().parse::<u32>().ok().filter(|size| SIZES.contains(size));
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    let name = tr("knowledge.tests.size");
                    ui.label(tokens.rich(Type::Label, name));
                    let field = TextField::new(&mut self.size, name).hint(tr("knowledge.tests.size_hint"));
                    field.width(FIELD).problem(wanted.is_none()).show(ui);
                });
                ui.add_space(tokens.space.m);
                ui.vertical(|ui| {
                    let name = tr("knowledge.tests.encoder");
                    ui.label(tokens.rich(Type::Label, name));
                    let none = tr("knowledge.tests.no_encoder").to_owned();
                    let names: Vec<String> =
                        std::iter::once(none).chain(all.encoders.iter().map(|encoder| encoder.0.clone())).collect();
                    let chosen = self.encoder.clone().flatten();
                    let at = chosen.and_then(|chosen| all.encoders.iter().position(|known| *known == chosen));
                    if let Some(picked) = select(ui, name, &names, at.map_or(0, |at| at + 1), SELECT) {
                        self.encoder = Some(picked.checked_sub(1).and_then(|at| all.encoders.get(at).cloned()));
                    }
                });
            });
            ui.add_space(tokens.space.s);
            let settings = wanted.map(|chunk_size| {
                let encoder = self.encoder.clone().flatten().filter(|encoder| all.encoders.contains(encoder));
                RetrievalSettings { chunk_size, encoder }
            });
            let same = settings.as_ref() == Some(&all.settings);
            let ready = settings.filter(|_| !same && !busy);
            ui.horizontal(|ui| {
                let button = Button::new(tr("knowledge.tests.try_now")).primary().enabled(ready.is_some());
                if ui.add(button).clicked()
                    && let Some(settings) = ready
                {
                    cx.commands.push(UiCommand::Retrieval(RetrievalCommand::Try(settings)));
                }
                let why = match (wanted, same) {
                    (None, _) => tr("knowledge.tests.wrong_size"),
                    (_, true) => tr("knowledge.tests.same"),
                    _ => "",
                };
                ui.label(tokens.rich(Type::Secondary, why));
            });
        });
    }
}

/// The tests; only those in view are drawn.
fn rows(ui: &mut Ui, cx: &mut Cx<'_>, all: &RetrievalTests) {
    let tokens = ui.tokens();
    let height = tokens.size.row_two_lines;
    let size = vec2(ui.available_width(), height * all.tests.len() as f32);
    let (whole, _) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().hline(whole.x_range(), whole.top() - 0.5, Stroke::new(1.0, tokens.color.line));
    let clip = ui.clip_rect();
    let at = |y: f32| ((y - whole.top()) / height).max(0.0) as usize;
    let (first, last) = (at(clip.top()), (at(clip.bottom()) + 1).min(all.tests.len()));
    for (index, test) in all.tests.iter().enumerate().take(last).skip(first) {
        let top = whole.top() + index as f32 * height;
        let rect = Rect::from_min_size(pos2(whole.left(), top), vec2(whole.width(), height));
        row(ui, cx, tokens, all, test, rect);
    }
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, tokens: &Tokens, all: &RetrievalTests, test: &RetrievalTest, rect: Rect) {
    let wanted = &test.wanted;
    let (place, ink) = place(tokens, all, test.id);
    let lines = line_range(wanted.start_line, wanted.end_line);
    let name = match (&wanted.address, file_name(&wanted.path)) {
        (Some(address), _) => address.clone(),
        (None, name) => name,
    };
    let document = match &wanted.heading {
        Some(heading) => format!("{name} · {heading} · {lines}"),
        None => format!("{name} · {lines}"),
    };
    let label =
        tr_with("knowledge.tests.row", &[("question", &test.question), ("document", &document), ("place", &place)]);
    let response = ui.interact(rect, Id::unique(("retrieval test", test.id)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &label));
    let fill = if response.hovered() { tokens.color.bg3 } else { Color32::TRANSPARENT };
    ui.painter().rect_filled(rect, 0.0, fill);
    rule(ui, rect);
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let (first, second) = (rect.top() + height_of(rect, 0.33), rect.top() + height_of(rect, 0.70));
    let bin = Rect::from_center_size(
        pos2(inner.right() - tokens.size.control_small / 2.0, rect.center().y),
        vec2(tokens.size.control_small, tokens.size.control_small),
    );
    let right = bin.left() - tokens.space.m;
    let at = pos2(right, first);
    let places = ui.painter().text(at, Align2::RIGHT_CENTER, &place, tokens.font(Type::Secondary), ink);
    let end = places.left() - tokens.space.m;
    list::line(ui, inner.left(), end, first, &test.question, Type::Strong, tokens.color.text);
    list::line(ui, inner.left(), right, second, &document, Type::Secondary, tokens.color.text_2);
    let response = response.on_hover_text(format!("{}\n{}", crate::text::path(&wanted.path), wanted.excerpt));
    // Where it was saved from: the search is shown again.
    if response.clicked() {
        cx.commands.push(UiCommand::ShowSearch(test.question.clone()));
    }
    let builder = UiBuilder::new().max_rect(bin).layout(Layout::left_to_right(Align::Center));
    let name = tr_with("knowledge.tests.remove", &[("question", &test.question)]);
    if ui.new_child(builder).add(IconButton::new(Icon::Trash, name).small()).clicked() {
        cx.commands.push(UiCommand::Retrieval(RetrievalCommand::Remove(test.id)));
    }
}

fn height_of(rect: Rect, share: f32) -> f32 {
    (rect.height() * share).round()
}

/// The place last time; where the last trial gave another one, both.
fn place(tokens: &Tokens, all: &RetrievalTests, id: RetrievalTestId) -> (String, Color32) {
    let of = |figures: &RetrievalFigures| figures.places.iter().find(|one| one.test == id).map(|one| one.outcome);
    let last = all.run.as_ref().and_then(|run| of(&run.figures));
    // The later of both says what is known.
    let trial = all.trial.as_ref().filter(|trial| all.run.as_ref().is_none_or(|run| run.at < trial.at));
    let both = trial.and_then(|trial| of(&trial.old).zip(of(&trial.new)));
    use RetrievalOutcome as O;
    if let Some((old, new)) = both.filter(|(old, new)| old != new && old.counts() && new.counts()) {
        let number = |outcome| match outcome {
            O::Found { place } => place,
            _ => u32::MAX,
        };
        let ink = if number(new) < number(old) { tokens.color.ok } else { tokens.color.warn };
        let short = |outcome| match outcome {
            O::Found { place } => place.to_string(),
            _ => "–".to_owned(),
        };
        return (tr_with("knowledge.tests.place_change", &[("old", &short(old)), ("new", &short(new))]), ink);
    }
    match both.map(|(old, _)| old).or(last) {
        None => (tr("knowledge.tests.not_asked").to_owned(), tokens.color.text_3),
        Some(O::Found { place }) => (tr_with("knowledge.tests.place", &[("n", &place)]), tokens.color.text_2),
        Some(O::NotFound) => (tr("knowledge.tests.not_found").to_owned(), tokens.color.warn),
        Some(O::PassageGone) => (tr("knowledge.tests.passage_gone").to_owned(), tokens.color.warn),
        Some(O::DocumentGone) => (tr("knowledge.tests.document_gone").to_owned(), tokens.color.warn),
        Some(O::SourceGone) => (tr("knowledge.tests.source_gone").to_owned(), tokens.color.warn),
    }
}
