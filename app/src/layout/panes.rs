//! Draws the panes with egui_tiles: a single pane shows no tabs.

use egui::{Color32, Rect, Sense, Stroke, Ui, Visuals, WidgetText, vec2};
use egui_tiles::{Behavior, Container, SimplificationOptions, TabState, Tile, TileId, Tiles, UiResponse};

use super::{Layout, Pane};
use crate::commands::{Action, CommandQueue};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::views::{Cx, Views};
use crate::widgets::IconButton;

/// What drawing the panes needs.
pub struct Panes<'a> {
    pub views: &'a mut Views,
    pub state: &'a AppState,
    pub commands: &'a mut CommandQueue,
}

struct Draw<'a, 'b> {
    panes: &'a mut Panes<'b>,
    single: bool,
    focused: Option<TileId>,
    clicked: Option<TileId>,
}

impl Layout {
    /// Draws all panes in view and lets the person drag, resize and close them.
    pub fn ui(&mut self, ui: &mut Ui, panes: &mut Panes<'_>) {
        let single = self.panes().count() == 1;
        let focused = self.focused_tile();
        let mut draw = Draw { panes, single, focused, clicked: None };
        self.tree.ui(&mut draw, ui);
        if let Some(clicked) = draw.clicked {
            self.focused = Some(clicked);
        }
    }
}

impl Behavior<Pane> for Draw<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, tile: TileId, pane: &mut Pane) -> UiResponse {
        let rect = ui.max_rect();
        let pressed = ui.input(|i| i.pointer.any_pressed().then(|| i.pointer.interact_pos()).flatten());
        if pressed.is_some_and(|at| rect.contains(at)) && ui.ui_contains_pointer() {
            self.clicked = Some(tile);
        }
        let mut cx = Cx {
            state: self.panes.state,
            commands: self.panes.commands,
            focused: self.single || self.focused == Some(tile),
        };
        ui.set_clip_rect(ui.clip_rect().intersect(rect));
        self.panes.views.show(pane, ui, &mut cx);
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        crate::views::title(pane, self.panes.state).into()
    }

    fn tab_ui(
        &mut self,
        tiles: &mut Tiles<Pane>,
        ui: &mut Ui,
        id: egui::Id,
        tile: TileId,
        state: &TabState,
    ) -> egui::Response {
        let tokens = ui.tokens();
        let title = self.tab_title_for_tile(tiles, tile).text().to_owned();
        let icon = match tiles.get(tile) {
            Some(Tile::Pane(pane)) => crate::views::icon(pane),
            _ => Icon::SquareSplitHorizontal,
        };
        let galley = ui.painter().layout_no_wrap(title.clone(), tokens.font(Type::Body), Color32::PLACEHOLDER);
        let close = tokens.size.icon;
        let gap = tokens.space.s;
        let width = tokens.space.m * 2.0 + tokens.size.icon + gap + galley.size().x + gap + close;
        let (_, outer) = ui.allocate_space(vec2(width.min(260.0), ui.available_height()));
        let rect = outer.shrink2(vec2(2.0, 4.0));
        let response = ui.interact(outer, id, Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, state.active, &title));
        if state.is_being_dragged {
            return self.on_tab_button(tiles, tile, response);
        }
        let fill = match (state.active, response.hovered()) {
            (true, _) => tokens.color.bg2,
            (false, true) => tokens.color.bg3,
            _ => Color32::TRANSPARENT,
        };
        let ink = if state.active { tokens.color.text } else { tokens.color.text_2 };
        ui.painter().rect_filled(rect, tokens.radius.control, fill);
        if response.has_focus() {
            crate::widgets::focus_ring(ui, rect);
        }
        let middle = rect.center().y;
        let left = rect.left() + tokens.space.s;
        ui.painter().text(
            egui::pos2(left, middle),
            egui::Align2::LEFT_CENTER,
            icon.code(),
            Icon::font(tokens.size.icon),
            tokens.color.text_2,
        );
        let text_left = left + tokens.size.icon + gap;
        let close_rect =
            Rect::from_center_size(egui::pos2(rect.right() - gap - close / 2.0, middle), vec2(close, close));
        let clip = Rect::from_x_y_ranges(text_left..=close_rect.left() - 2.0, rect.y_range());
        let at = egui::pos2(text_left, middle - galley.size().y / 2.0);
        ui.painter().with_clip_rect(clip.intersect(ui.clip_rect())).galley(at, galley, ink);
        let close_id = id.with("close");
        let close_response = ui.interact(close_rect, close_id, Sense::click());
        let label = crate::text::tr_with("pane.close", &[("title", &title)]);
        close_response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
        if state.active || response.hovered() || close_response.hovered() || close_response.has_focus() {
            let ink = if close_response.hovered() { tokens.color.text } else { tokens.color.text_3 };
            let font = Icon::font(12.0);
            ui.painter().text(close_rect.center(), egui::Align2::CENTER_CENTER, Icon::X.code(), font, ink);
        }
        if close_response.clicked() || response.middle_clicked() {
            tiles.remove(tile);
        }
        self.on_tab_button(tiles, tile, response)
    }

    fn top_bar_right_ui(
        &mut self,
        _tiles: &Tiles<Pane>,
        ui: &mut Ui,
        _tile: TileId,
        tabs: &egui_tiles::Tabs,
        _scroll: &mut f32,
    ) {
        if tabs.children.len() > 1 {
            ui.add_space(4.0);
            let button = IconButton::new(Icon::SquareSplitHorizontal, Action::SplitRight.name());
            if ui.add(button).clicked() {
                if let Some(active) = tabs.active {
                    self.clicked = Some(active);
                }
                self.panes.commands.run(Action::SplitRight);
            }
        }
    }

    fn is_tab_bar_visible(&self, _tile: TileId, _tabs: &egui_tiles::Tabs) -> bool {
        !self.single
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        36.0
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        1.0
    }

    fn min_size(&self) -> f32 {
        200.0
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }

    fn tab_bar_color(&self, visuals: &Visuals) -> Color32 {
        visuals.extreme_bg_color
    }

    fn tab_bar_hline_stroke(&self, visuals: &Visuals) -> Stroke {
        visuals.widgets.noninteractive.bg_stroke
    }

    fn resize_stroke(&self, style: &egui::Style, state: egui_tiles::ResizeState) -> Stroke {
        match state {
            egui_tiles::ResizeState::Idle => style.visuals.widgets.noninteractive.bg_stroke,
            _ => style.visuals.selection.stroke,
        }
    }

    fn drag_preview_color(&self, visuals: &Visuals) -> Color32 {
        visuals.selection.bg_fill.gamma_multiply(0.5)
    }

    fn is_tile_draggable(&self, tiles: &Tiles<Pane>, tile: TileId) -> bool {
        matches!(tiles.get(tile), Some(Tile::Pane(_)) | Some(Tile::Container(Container::Tabs(_))))
    }
}
