//! The column of crews: searched; only the rows in view are drawn.

use egui::{
    Align2, Color32, Id, Key, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use rspa_core::model::{Crew, CrewId};

use super::{go, look, push};
use crate::commands::pages::crews::CrewsCommand;
use crate::commands::{Action, PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::crews::Shown;
use crate::text::{ago, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::list::line;
use crate::widgets::{Button, IconButton, TextField, column_header, context_menu, states};

#[derive(Default)]
pub struct List {
    search: String,
}

impl List {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, unsaved: bool) {
        let tokens = ui.tokens();
        column_header(ui, tr("page.crews"), |ui| {
            if ui.add(IconButton::new(Icon::Plus, Action::NewCrew.name())).clicked() {
                go(cx, unsaved, CrewsCommand::Show(Shown::Making));
            }
        });
        let page = &cx.state.pages.crews;
        let Some(all) = page.list.get() else {
            match page.list.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, CrewsCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("crews.loading")),
            }
            return;
        };
        padded(ui, tokens.space.m, tokens.space.s, |ui| {
            let field = TextField::new(&mut self.search, tr("crews.search"));
            field.hint(tr("crews.search")).icon(Icon::MagnifyingGlass).show(ui);
        });
        crate::widgets::hairline(ui);
        let wanted = self.search.trim().to_lowercase();
        let fits = |crew: &&Crew| {
            wanted.is_empty()
                || crew.settings.name.to_lowercase().contains(&wanted)
                || crew.settings.description.to_lowercase().contains(&wanted)
        };
        let shown: Vec<&Crew> = all.iter().filter(fits).collect();
        if shown.is_empty() {
            if all.is_empty() {
                states::empty(ui, Icon::UsersFour, tr("crews.list_empty"), "", |_| {});
            } else {
                states::empty(ui, Icon::MagnifyingGlass, tr("crews.no_match"), tr("crews.no_match_detail"), |ui| {
                    if ui.add(Button::new(tr("crews.clear_search"))).clicked() {
                        self.search.clear();
                    }
                });
            }
            return;
        }
        let chosen = page.chosen();
        keys(ui, cx, &shown, chosen, unsaved);
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, tokens.size.row_two_lines, shown.len(), |ui, rows| {
            for crew in &shown[rows] {
                let selected = chosen == Some(crew.id);
                let response = row(ui, cx, crew, selected);
                if response.clicked() && !(selected && matches!(cx.state.pages.crews.shown(), Shown::Crew(_))) {
                    open(cx, crew.id, chosen, unsaved);
                }
                menu(&response, cx, crew, unsaved);
            }
        });
    }
}

fn open(cx: &mut Cx<'_>, id: CrewId, chosen: Option<CrewId>, unsaved: bool) {
    go(cx, unsaved && chosen != Some(id), CrewsCommand::Show(Shown::Crew(id)));
}

/// Up and down go through the list while nothing else has the keyboard.
fn keys(ui: &Ui, cx: &mut Cx<'_>, shown: &[&Crew], chosen: Option<CrewId>, unsaved: bool) {
    let form = matches!(cx.state.pages.crews.shown(), Shown::Making | Shown::Start(_) | Shown::Replay(_));
    if !cx.focused || form || unsaved || ui.memory(|memory| memory.focused()).is_some() {
        return;
    }
    let by =
        ui.input(|input| i32::from(input.key_pressed(Key::ArrowDown)) - i32::from(input.key_pressed(Key::ArrowUp)));
    let at = chosen.and_then(|id| shown.iter().position(|crew| crew.id == id));
    let next = match (by, at) {
        (0, _) => return,
        (1, Some(at)) => at + 1,
        (_, Some(at)) => at.saturating_sub(1),
        (_, None) => 0,
    };
    if let Some(crew) = shown.get(next) {
        push(cx, CrewsCommand::Show(Shown::Crew(crew.id)));
    }
}

fn menu(response: &Response, cx: &mut Cx<'_>, crew: &Crew, unsaved: bool) {
    context_menu(response).show(|ui| {
        if ui.button(tr("crews.run_it")).clicked() {
            go(cx, unsaved, CrewsCommand::Show(Shown::Start(crew.id)));
        }
        if ui.button(tr("crews.duplicate")).clicked() {
            go(cx, unsaved, CrewsCommand::Duplicate(crew.id));
        }
        if ui.button(tr("crews.export")).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::CrewExport(crew.id)));
        }
        if ui.button(tr("crews.delete")).clicked() {
            push(cx, CrewsCommand::Delete(crew.id));
        }
    });
}

/// "Sequential · 4 steps"
pub fn kind(crew: &Crew) -> String {
    let members = crew.settings.process == rspa_core::model::CrewProcess::Hierarchical;
    let count = if members {
        tr_count("crews.members", crew.settings.members.len() as u64)
    } else {
        tr_count("crews.steps", crew.settings.steps.len() as u64)
    };
    format!("{} · {count}", look::process(crew.settings.process))
}

fn row(ui: &mut Ui, cx: &Cx<'_>, crew: &Crew, selected: bool) -> Response {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row_two_lines), Sense::hover());
    let response = ui.interact(rect, Id::unique(("crew", crew.id)), Sense::click());
    let name = look::short(&crew.settings.name, 80);
    let last = cx.state.pages.crews.last.get(&crew.id);
    let state = last.map(|last| look::run(last.state, last.needs_you));
    let words = state.map_or(tr("crews.never_ran"), |(_, _, words)| words);
    let told = tr_with("crews.row", &[("name", &name), ("kind", &kind(crew)), ("state", &words)]);
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, &told));
    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => Color32::TRANSPARENT,
    };
    let painter = ui.painter();
    painter.rect_filled(rect, 0.0, fill);
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        painter.rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(tokens.space.m, 0.0));
    let (first, second) = (rect.top() + 18.0, rect.top() + 38.0);
    let (icon, tone, _) = state.unwrap_or((Icon::UsersFour, crate::widgets::Tone::Neutral, ""));
    let ink = if tone == crate::widgets::Tone::Neutral { tokens.color.text_3 } else { tone.ink(tokens) };
    painter.text(pos2(inner.left(), first), Align2::LEFT_CENTER, icon.code(), Icon::font(tokens.size.icon), ink);
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    let mut right = inner.right();
    if let Some(last) = last {
        let font = tokens.font(Type::Label);
        let at = pos2(inner.right(), first);
        let shown = ago(last.created, cx.state.now);
        right = painter.text(at, Align2::RIGHT_CENTER, shown, font, tokens.color.text_3).left() - tokens.space.s;
    }
    line(ui, left, right, first, &name, Type::Strong, tokens.color.text);
    line(ui, left, inner.right(), second, &kind(crew), Type::Secondary, tokens.color.text_2);
    response
}
