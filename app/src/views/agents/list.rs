//! The column of agents: searched, filtered, sorted; only the rows in view are drawn.

use egui::{
    Align2, Color32, Id, Key, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use rspa_core::agents::select::select;
use rspa_core::model::{Agent, AgentFilter, AgentId, AgentSort};

use super::{look, push, type_name};
use crate::commands::pages::agents::AgentsCommand;
use crate::commands::{Action, PickPurpose, UiCommand};
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::text::{ago, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::list::line;
use crate::widgets::{Button, IconButton, TextField, column_header, context_menu, menu, select as choose, states};

const SORTS: [(AgentSort, &str); 5] = [
    (AgentSort::Name, "agents.sort.name"),
    (AgentSort::LastActive, "agents.sort.last_active"),
    (AgentSort::Completed, "agents.sort.completed"),
    (AgentSort::SuccessRate, "agents.sort.success_rate"),
    (AgentSort::Created, "agents.sort.created"),
];

#[derive(Default)]
pub struct List {
    filter: AgentFilter,
    open: bool,
}

impl List {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        self.head(ui, cx);
        let Some(all) = cx.state.pages.agents.list.get() else {
            match cx.state.pages.agents.list.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, AgentsCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("agents.loading")),
            }
            return;
        };
        padded(ui, tokens.space.m, tokens.space.s, |ui| {
            ui.horizontal(|ui| {
                let width = ui.available_width() - tokens.size.control - tokens.space.s;
                let field = TextField::new(&mut self.filter.text, tr("agents.search"));
                field.hint(tr("agents.search")).icon(Icon::MagnifyingGlass).width(width).show(ui);
                let set = self.is_filtered();
                let button = IconButton::new(Icon::Funnel, tr("agents.filter")).selected(self.open || set);
                if ui.add(button).clicked() {
                    self.open = !self.open;
                }
            });
            if self.open {
                self.filters(ui, cx, all);
            }
        });
        crate::widgets::hairline(ui);
        let shown = select(all.clone(), &self.filter);
        if shown.is_empty() {
            if all.is_empty() {
                states::empty(ui, Icon::Robot, tr("agents.list_empty"), "", |_| {});
            } else {
                states::empty(ui, Icon::MagnifyingGlass, tr("agents.no_match"), tr("agents.no_match_detail"), |ui| {
                    if ui.add(Button::new(tr("agents.clear_filter"))).clicked() {
                        self.filter = AgentFilter { sort: self.filter.sort, ..AgentFilter::default() };
                    }
                });
            }
            return;
        }
        let chosen = cx.state.pages.agents.chosen().map(|agent| agent.id);
        self.keys(ui, cx, &shown, chosen);
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, tokens.size.row_two_lines, shown.len(), |ui, rows| {
            for agent in &shown[rows] {
                let response = row(ui, cx, tokens, agent, chosen == Some(agent.id));
                if response.clicked() {
                    choose_one(cx, agent.id);
                }
                row_menu(&response, cx, agent);
            }
        });
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        column_header(ui, tr("page.agents"), |ui| {
            let more = ui.add(IconButton::new(Icon::DotsThree, tr("agents.more")));
            menu(&more).show(|ui| {
                if ui.button(tr("agents.import")).clicked() {
                    cx.commands.push(UiCommand::Pick(PickPurpose::AgentImport));
                }
                let has_samples =
                    cx.state.pages.agents.list.get().is_some_and(|all| all.iter().any(|agent| agent.sample));
                if has_samples {
                    if ui.button(tr("agents.remove_sample")).clicked() {
                        push(cx, AgentsCommand::RemoveSample);
                    }
                } else if ui.button(tr("agents.add_sample")).clicked() {
                    push(cx, AgentsCommand::AddSample);
                }
            });
            if ui.add(IconButton::new(Icon::Plus, Action::NewAgent.name())).clicked() {
                cx.commands.run(Action::NewAgent);
            }
        });
    }

    fn is_filtered(&self) -> bool {
        self.filter.status.is_some() || self.filter.kind.is_some() || self.filter.tag.is_some()
    }

    fn filters(&mut self, ui: &mut Ui, cx: &Cx<'_>, all: &[Agent]) {
        let tokens = ui.tokens();
        let width = ui.available_width();
        ui.add_space(tokens.space.xs);
        let mut words = vec![tr("agents.any_status").to_owned()];
        words.extend(look::STATUSES.iter().map(|status| look::status(*status).to_owned()));
        let at = self.filter.status.and_then(|own| look::STATUSES.iter().position(|known| *known == own));
        if let Some(picked) = choose(ui, tr("agents.filter_status"), &words, at.map_or(0, |at| at + 1), width) {
            self.filter.status = picked.checked_sub(1).map(|at| look::STATUSES[at]);
        }
        let mut kinds: Vec<&str> = all.iter().map(|agent| agent.settings.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let types = cx.state.pages.agents.types.get();
        let named = |id: &str| {
            let known = types.and_then(|list| list.types.iter().find(|kind| kind.id == id));
            look::short(known.map_or(id, |kind| &kind.name), 40)
        };
        let mut words = vec![tr("agents.any_type").to_owned()];
        words.extend(kinds.iter().map(|kind| named(kind)));
        let at = self.filter.kind.as_ref().and_then(|own| kinds.iter().position(|known| known == own));
        if let Some(picked) = choose(ui, tr("agents.filter_type"), &words, at.map_or(0, |at| at + 1), width) {
            self.filter.kind = picked.checked_sub(1).map(|at| kinds[at].to_owned());
        }
        let mut tags: Vec<&str> = all.iter().flat_map(|agent| agent.settings.tags.iter().map(String::as_str)).collect();
        tags.sort_unstable();
        tags.dedup();
        let mut words = vec![tr("agents.any_tag").to_owned()];
        words.extend(tags.iter().map(|tag| look::short(tag, 40)));
        let at = self.filter.tag.as_ref().and_then(|own| tags.iter().position(|known| known == own));
        if let Some(picked) = choose(ui, tr("agents.filter_tag"), &words, at.map_or(0, |at| at + 1), width) {
            self.filter.tag = picked.checked_sub(1).map(|at| tags[at].to_owned());
        }
        let words: Vec<String> = SORTS.iter().map(|(_, key)| tr(key).to_owned()).collect();
        let at = SORTS.iter().position(|(sort, _)| *sort == self.filter.sort).unwrap_or(0);
        if let Some(picked) = choose(ui, tr("agents.sort.title"), &words, at, width) {
            self.filter.sort = SORTS[picked].0;
        }
    }

    /// Up and down go through the list while nothing else has the keyboard.
    fn keys(&self, ui: &Ui, cx: &mut Cx<'_>, shown: &[Agent], chosen: Option<AgentId>) {
        if !cx.focused || cx.state.pages.agents.editing.is_some() || ui.memory(|memory| memory.focused()).is_some() {
            return;
        }
        let by =
            ui.input(|input| i32::from(input.key_pressed(Key::ArrowDown)) - i32::from(input.key_pressed(Key::ArrowUp)));
        let at = chosen.and_then(|id| shown.iter().position(|agent| agent.id == id));
        let next = match (by, at) {
            (0, _) => return,
            (1, Some(at)) => at + 1,
            (_, Some(at)) => at.saturating_sub(1),
            (_, None) => 0,
        };
        if let Some(agent) = shown.get(next) {
            choose_one(cx, agent.id);
        }
    }
}

fn choose_one(cx: &mut Cx<'_>, id: AgentId) {
    push(cx, AgentsCommand::CloseForm);
    push(cx, AgentsCommand::Select(Some(id)));
}

fn row_menu(response: &Response, cx: &mut Cx<'_>, agent: &Agent) {
    context_menu(response).show(|ui| {
        if ui.button(tr("agents.duplicate")).clicked() {
            push(cx, AgentsCommand::Duplicate(agent.id));
        }
        if ui.button(tr("agents.export")).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::AgentExport(agent.id)));
        }
        if ui.button(tr("agents.delete")).clicked() {
            push(cx, AgentsCommand::Delete(agent.id));
        }
    });
}

fn row(ui: &mut Ui, cx: &Cx<'_>, tokens: &Tokens, agent: &Agent, selected: bool) -> Response {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row_two_lines), Sense::hover());
    let response = ui.interact(rect, Id::unique(("agent", agent.id)), Sense::click());
    let name = look::short(&agent.settings.name, 80);
    let done = agent.completed + agent.failed;
    let last = agent.last_active.map_or_else(|| tr("agents.never").to_owned(), |at| ago(at, cx.state.now));
    let mut words = vec![look::status(agent.status).to_owned(), type_name(cx, agent)];
    if done > 0 {
        words.push(tr_count("agents.tasks_done", done));
    }
    if agent.sample {
        words.push(tr("agents.sample").to_owned());
    }
    let told = tr_with("agents.row", &[("name", &name), ("detail", &words.join(", "))]);
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
    let icon = look::avatar(&agent.settings.avatar);
    let at = pos2(inner.left(), first);
    painter.text(at, Align2::LEFT_CENTER, icon.code(), Icon::font(tokens.size.icon), tokens.color.text_2);
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    let font = tokens.font(Type::Label);
    let right = if agent.last_active.is_some() {
        painter.text(pos2(inner.right(), first), Align2::RIGHT_CENTER, last, font, tokens.color.text_3).left()
    } else {
        inner.right()
    };
    line(ui, left, right - tokens.space.s, first, &name, Type::Strong, tokens.color.text);
    let ink = look::status_tone(agent.status).ink(tokens);
    ui.painter().circle_filled(pos2(inner.left() + tokens.size.icon / 2.0, second), 3.5, ink);
    let mut detail = vec![type_name(cx, agent)];
    if done > 0 {
        detail.push(look::rate(agent.success_rate()));
    }
    if agent.sample {
        detail.push(tr("agents.sample").to_owned());
    }
    line(ui, left, inner.right(), second, &detail.join(" · "), Type::Secondary, tokens.color.text_2);
    response
}
