//! The runs of one crew, newest first.

use egui::{Align2, Color32, Id, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{CrewId, CrewRun};

use super::{Tab, look, push};
use crate::commands::pages::crews::CrewsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::crews::Shown;
use crate::text::{ago, tr, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::list::line;
use crate::widgets::{Button, Tone, states};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, id: CrewId, back: bool, unsaved: bool) {
    let tokens = ui.tokens();
    let page = &cx.state.pages.crews;
    let name = page.crew(id).map(|crew| look::short(&crew.settings.name, 80)).unwrap_or_default();
    super::head(ui, cx, &name, back, unsaved, |ui, cx| {
        super::more(ui, cx, id, unsaved);
        let run = Button::new(tr("crews.run_it")).icon(Icon::Play);
        let run = if unsaved { run.enabled(false).tooltip(tr("crews.save_first")) } else { run.primary() };
        if ui.add(run).clicked() {
            push(cx, CrewsCommand::Show(Shown::Start(id)));
        }
    });
    padded(ui, tokens.space.l, 6.0, |ui| {
        ui.horizontal(|ui| {
            ui.set_min_height(tokens.size.control_small);
            super::tabs(ui, cx, Tab::Runs, id);
        });
    });
    crate::widgets::hairline(ui);
    let page = &cx.state.pages.crews;
    let Some(runs) = page.runs.get() else {
        match page.runs.error() {
            Some(error) => {
                if states::error(ui, error) {
                    push(cx, CrewsCommand::Refresh);
                }
            }
            None => states::loading(ui, tr("crews.runs.loading")),
        }
        return;
    };
    if runs.items.is_empty() {
        states::empty(ui, Icon::Play, tr("crews.runs.none"), tr("crews.runs.none_detail"), |_| {});
        return;
    }
    let mut go_on = false;
    let mut wanted = None;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, tokens.size.row_two_lines, runs.items.len(), |ui, rows| {
        for run in &runs.items[rows] {
            go_on |= !run.state.is_final();
            if row(ui, cx, run).clicked() {
                wanted = Some(run.id);
            }
        }
    });
    if let Some(id) = wanted {
        push(cx, CrewsCommand::Show(Shown::Run(id)));
    }
    if go_on {
        // Their times go on.
        ui.ctx().request_repaint_after(std::time::Duration::from_secs(1));
    }
}

fn row(ui: &mut Ui, cx: &Cx<'_>, run: &CrewRun) -> Response {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row_two_lines), Sense::hover());
    let response = ui.interact(rect, Id::unique(("crew run", run.id)), Sense::click());
    let (icon, tone, state) = look::run(run.state, look::needs_you(run));
    let title = tr_with("crews.run.title", &[("n", &run.number)]);
    let took = look::took(Some(run.created), run.ended, cx.state.now).unwrap_or_default();
    let mut detail = vec![state.to_owned(), look::progress(run), took];
    if run.replay_of.is_some() {
        detail.push(tr("crews.run.replayed").to_owned());
    }
    if run.offline {
        detail.push(tr("crews.run.offline").to_owned());
    }
    let input = look::short(&run.input, 120);
    let told = tr_with("crews.run.row", &[("title", &title), ("detail", &detail.join(", "))]);
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, false, &told));
    let painter = ui.painter();
    let fill = if response.hovered() { tokens.color.bg3 } else { Color32::TRANSPARENT };
    painter.rect_filled(rect, 0.0, fill);
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        painter.rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let (first, second) = (rect.top() + 18.0, rect.top() + 38.0);
    let ink = if tone == Tone::Neutral { tokens.color.text_3 } else { tone.ink(tokens) };
    painter.text(pos2(inner.left(), first), Align2::LEFT_CENTER, icon.code(), Icon::font(tokens.size.icon), ink);
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    let font = tokens.font(Type::Label);
    let at = pos2(inner.right(), first);
    let right =
        painter.text(at, Align2::RIGHT_CENTER, ago(run.created, cx.state.now), font, tokens.color.text_3).left();
    let named = line(ui, left, right - tokens.space.s, first, &title, Type::Strong, tokens.color.text);
    let from = named.right() + tokens.space.m;
    line(ui, from, right - tokens.space.s, first, &input, Type::Secondary, tokens.color.text_2);
    line(ui, left, inner.right(), second, &detail.join(" · "), Type::Secondary, tokens.color.text_2);
    response
}
