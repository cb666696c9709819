//! Nothing was found: what was searched, what each filter leaves out, what is not searched now, and what can be done.

use egui::{Label, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};
use rspa_core::model::{SearchQuery, SourceState};

use super::filters::{Filters, One};
use super::why_not::WhyNotField;
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::text::{number, short, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, IconButton, card, section_title, states};

/// Points that the words take at most.
const WIDTH: f32 = 560.0;
/// Letters of a name that are shown.
const NAME: usize = 60;

/// What the person wants changed.
pub enum Wish {
    Clear(One),
    ClearAll,
}

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, filters: &Filters, text: &str, why_not: &mut WhyNotField) -> Option<Wish> {
    let tokens = ui.tokens();
    if cx.state.has_no_sources() {
        let (title, detail) = (tr("knowledge.search.nothing"), tr("knowledge.search.no_sources"));
        states::empty(ui, Icon::MagnifyingGlass, title, detail, |ui| {
            if ui.add(Button::new(Action::AddFolder.name()).primary().icon(Icon::FolderPlus)).clicked() {
                cx.commands.run(Action::AddFolder);
            }
        });
        return None;
    }
    let mut wish = None;
    ScrollArea::vertical().id_salt("nothing").auto_shrink(false).show(ui, |ui| {
        let side = ((ui.available_width() - WIDTH) / 2.0).max(tokens.space.l);
        let width = (ui.available_width() - 2.0 * side).max(0.0);
        let top = ui.cursor().top() + 2.0 * tokens.space.xl;
        let place = Rect::from_min_size(pos2(ui.cursor().left() + side, top), vec2(width, ui.available_height()));
        ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
            ui.spacing_mut().item_spacing = vec2(tokens.space.s, tokens.space.xs);
            ui.label(Icon::MagnifyingGlass.rich(28.0).color(tokens.color.text_3));
            ui.add_space(tokens.space.s);
            section_title(ui, tr("knowledge.search.nothing"));
            ui.add(Label::new(tokens.rich(Type::Secondary, searched(cx.state))).wrap());
            let set = filters.set();
            if !set.is_empty() {
                ui.add_space(tokens.space.m);
                wish = hidden(ui, cx, filters, text, &set);
            }
            let remarks = remarks(cx.state, filters, text);
            if !remarks.is_empty() {
                ui.add_space(tokens.space.m);
                for remark in remarks {
                    ui.horizontal_top(|ui| {
                        ui.label(Icon::WarningCircle.rich(tokens.size.icon).color(tokens.color.warn));
                        ui.add(Label::new(tokens.rich(Type::Secondary, remark)).wrap());
                    });
                }
            }
            ui.add_space(tokens.space.m);
            let advice = match set.is_empty() {
                true => tr("knowledge.search.nothing_detail"),
                false => tr("knowledge.search.nothing_filtered"),
            };
            ui.add(Label::new(tokens.rich(Type::Secondary, advice)).wrap());
            ui.add_space(tokens.space.s);
            ui.horizontal_wrapped(|ui| {
                if !set.is_empty() && ui.add(Button::new(tr("knowledge.search.clear_filters")).primary()).clicked() {
                    wish = Some(Wish::ClearAll);
                }
                let why = Button::new(tr("knowledge.why_not.missing")).icon(Icon::Question);
                if ui.add(why.selected(why_not.is_open())).clicked() {
                    why_not.toggle();
                }
            });
            if why_not.is_open() {
                ui.add_space(tokens.space.m);
                card(ui, |ui| why_not.ui(ui, cx));
            }
        });
    });
    wish
}

/// Each filter that is set, what it leaves out, and how it goes.
fn hidden(ui: &mut Ui, cx: &mut Cx<'_>, filters: &Filters, text: &str, set: &[One]) -> Option<Wish> {
    let tokens = ui.tokens();
    let wanted: SearchQuery = Filters::query_beyond(text);
    let beyond = cx.state.knowledge.beyond.as_ref().filter(|(query, _)| *query == wanted);
    if beyond.is_none() && !cx.state.knowledge.results.is_waiting() {
        cx.commands.push(UiCommand::SearchBeyond(wanted.clone()));
    }
    let slot = beyond.map(|(_, slot)| slot);
    let results = slot.and_then(|slot| slot.get());
    let mut wish = None;
    let without = match (results, slot.and_then(|slot| slot.error())) {
        (Some(results), _) => {
            let n = results.hits.len();
            let at_least = n as u64 >= u64::from(wanted.limit);
            let key = if at_least { "knowledge.nothing.at_least" } else { "knowledge.nothing.without" };
            match n {
                0 => tr("knowledge.nothing.nothing_without").to_owned(),
                n => tr_with(key, &[("passages", &tr_count("knowledge.browse.passages", n as u64))]),
            }
        }
        (None, Some(error)) => error.message.clone(),
        (None, None) => tr("knowledge.nothing.counting").to_owned(),
    };
    ui.add(Label::new(tokens.rich(Type::Strong, without)).wrap());
    for &one in set {
        ui.horizontal(|ui| {
            let words = filters.words(cx.state, one);
            ui.label(Icon::Funnel.rich(tokens.size.icon).color(tokens.color.text_2));
            ui.label(tokens.rich(Type::Body, &words));
            if let Some(results) = results.filter(|results| !results.hits.is_empty()) {
                let n = filters.hidden(&results.hits, one);
                let words = tr_with("knowledge.nothing.leaves_out", &[("n", &number(n as u64))]);
                ui.label(tokens.rich(Type::Secondary, words));
            }
            let name = tr_with("knowledge.nothing.remove", &[("filter", &words)]);
            if ui.add(IconButton::new(Icon::X, name).small()).clicked() {
                wish = Some(Wish::Clear(one));
            }
        });
    }
    wish
}

/// `Searched: 48,210 passages in 6 sources.`
fn searched(state: &AppState) -> String {
    let passages = state.knowledge.results.get().map_or(0, |results| results.searched);
    let sources = state.knowledge.sources.get().map_or(&[][..], Vec::as_slice);
    let filled = sources.iter().filter(|status| status.passages > 0).count() as u64;
    let (passages, filled) =
        (tr_count("knowledge.browse.passages", passages), tr_count("knowledge.nothing.sources", filled));
    tr_with("knowledge.nothing.searched", &[("passages", &passages), ("sources", &filled)])
}

/// What is not searched, or not yet.
fn remarks(state: &AppState, filters: &Filters, text: &str) -> Vec<String> {
    let sources = state.knowledge.sources.get().map_or(&[][..], Vec::as_slice);
    let about = |key: &str, name: &str| tr_with(key, &[("name", &short(name, NAME))]);
    let mut lines = Vec::new();
    if text.matches('"').count() > 1 {
        lines.push(tr("knowledge.nothing.phrase").to_owned());
    }
    for status in sources.iter().filter(|status| filters.source().is_none_or(|id| status.source.id == id)) {
        let name = &status.source.name;
        match status.state {
            SourceState::Queued | SourceState::Scanning | SourceState::Indexing => {
                lines.push(about("knowledge.nothing.not_read_yet", name));
            }
            SourceState::Paused => lines.push(about("knowledge.nothing.paused", name)),
            SourceState::Missing => lines.push(about("knowledge.nothing.missing", name)),
            SourceState::Upgrading | SourceState::Ready => {}
        }
    }
    let problems: u64 = sources.iter().map(|status| status.problems).sum();
    if problems > 0 {
        lines.push(tr_count("knowledge.nothing.problems", problems));
    }
    lines
}
