//! The rail at the left: the pages, and the button that makes it narrow.

use egui::{Align2, Color32, Rect, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

use crate::commands::{Action, CommandQueue, Shortcuts};
use crate::design::{Icon, Type, UiExt};
use crate::state::{AppState, Page};
use crate::text::{number, tr};
use crate::views::{RAIL, icon, page_title};
use crate::widgets::focus_ring;

pub(super) fn ui(ui: &mut Ui, state: &AppState, shortcuts: &Shortcuts, commands: &mut CommandQueue) {
    let tokens = ui.tokens();
    let narrow = state.ui.rail_narrow;
    let whole = ui.max_rect();
    ui.painter().vline(whole.right() - 0.5, whole.y_range(), Stroke::new(1.0, tokens.color.line));
    ui.spacing_mut().item_spacing = vec2(0.0, 1.0);
    head(ui, narrow);
    let page = state.ui.layout.page();
    for (i, group) in RAIL.iter().enumerate() {
        if i > 0 {
            ui.add_space(tokens.space.m);
        }
        for (target, action) in *group {
            let pane = crate::layout::Pane::Page(*target);
            let (label, keys) = (page_title(*target), shortcuts.label(ui.ctx(), *action));
            if item(ui, icon(&pane), label, count(state, *target), page == Some(*target), narrow, keys) {
                commands.run(*action);
            }
        }
    }
    let bottom = whole.bottom() - tokens.size.control - tokens.space.s;
    ui.add_space((bottom - ui.cursor().top()).max(0.0));
    let name = if narrow { tr("rail.expand") } else { tr("rail.collapse") };
    if item(ui, Icon::SidebarSimple, name, None, false, true, shortcuts.label(ui.ctx(), Action::ToggleRail)) {
        commands.run(Action::ToggleRail);
    }
}

/// How much goes on there or waits for the person, beside the name of a page.
fn count(state: &AppState, page: Page) -> Option<String> {
    let count = match page {
        Page::Tasks => {
            let (_, waiting) = super::status::needs_you(state);
            state.pages.tasks.counts.get().map_or(0, |counts| counts.running) + waiting
        }
        Page::Crews => state.pages.crews.running(),
        _ => 0,
    };
    (count > 0).then(|| number(count))
}

fn head(ui: &mut Ui, narrow: bool) {
    let tokens = ui.tokens();
    let (rect, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.header + tokens.space.xs), Sense::hover());
    let mark = Rect::from_min_size(egui::pos2(rect.left() + 14.0, rect.center().y - 10.0), vec2(20.0, 20.0));
    ui.painter().rect_filled(mark, tokens.radius.control, tokens.color.accent);
    let font = tokens.font(Type::Title);
    let font = egui::FontId::new(12.0, font.family);
    ui.painter().text(mark.center(), Align2::CENTER_CENTER, "R", font, tokens.color.on_accent);
    if !narrow {
        let at = egui::pos2(mark.right() + tokens.space.s, rect.center().y);
        let font = egui::FontId::new(13.0, tokens.font(Type::Title).family);
        ui.painter().text(at, Align2::LEFT_CENTER, tr("rail.product"), font, tokens.color.text);
    }
}

fn item(
    ui: &mut Ui,
    icon: Icon,
    label: &str,
    right: Option<String>,
    selected: bool,
    narrow: bool,
    keys: Option<String>,
) -> bool {
    let tokens = ui.tokens();
    let (outer, response) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.control), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), selected, label));
    let rect = outer.shrink2(vec2(tokens.space.s, 0.0));
    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.bg3,
        (false, true) => tokens.color.bg2,
        _ => Color32::TRANSPARENT,
    };
    let ink = if selected { tokens.color.text } else { tokens.color.text_2 };
    ui.painter().rect_filled(rect, tokens.radius.control, fill);
    let at = egui::pos2(rect.left() + tokens.space.s, rect.center().y);
    ui.painter().text(at, Align2::LEFT_CENTER, icon.code(), Icon::font(tokens.size.icon), ink);
    if !narrow {
        let at = egui::pos2(rect.left() + tokens.space.s + tokens.size.icon + 10.0, rect.center().y);
        ui.painter().text(at, Align2::LEFT_CENTER, label, tokens.font(Type::Body), ink);
        if let Some(right) = right {
            let at = egui::pos2(rect.right() - tokens.space.s, rect.center().y);
            ui.painter().text(at, Align2::RIGHT_CENTER, right, tokens.font(Type::Label), tokens.color.text_3);
        }
    }
    if response.has_focus() {
        focus_ring(ui, rect);
    }
    let clicked = response.clicked();
    if narrow || keys.is_some() {
        let keys = keys.map(|keys| format!("  ({keys})")).unwrap_or_default();
        response.on_hover_text(format!("{label}{keys}"));
    }
    clicked
}
