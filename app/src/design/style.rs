//! egui's own style, made from the tokens.

use egui::style::{ScrollStyle, Selection, WidgetVisuals, Widgets};
use egui::{CornerRadius, Margin, Shadow, Stroke, Style, TextStyle, Visuals, vec2};

use super::tokens::{Tokens, Type};

/// A style for widgets that egui draws itself, so that they look like ours.
pub fn style(tokens: &Tokens, reduce_motion: bool) -> Style {
    let mut style = Style {
        text_styles: [
            (TextStyle::Body, tokens.font(Type::Body)),
            (TextStyle::Button, tokens.font(Type::Body)),
            (TextStyle::Small, tokens.font(Type::Label)),
            (TextStyle::Heading, tokens.font(Type::Title)),
            (TextStyle::Monospace, tokens.font(Type::Code)),
        ]
        .into(),
        drag_value_text_style: TextStyle::Body,
        visuals: visuals(tokens),
        animation_time: if reduce_motion { 0.0 } else { tokens.motion.change_ms as f32 / 1000.0 },
        ..Style::default()
    };
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(tokens.space.s, tokens.space.xs);
    spacing.button_padding = vec2(10.0, tokens.space.xs);
    spacing.interact_size = vec2(40.0, tokens.size.control);
    spacing.window_margin = Margin::same(tokens.space.l as i8);
    spacing.menu_margin = Margin::same(tokens.space.xs as i8);
    spacing.icon_width = tokens.size.icon;
    spacing.icon_width_inner = 10.0;
    spacing.icon_spacing = tokens.space.s;
    spacing.indent = tokens.space.l;
    spacing.combo_width = 120.0;
    spacing.tooltip_width = 360.0;
    spacing.scroll = ScrollStyle {
        floating: true,
        bar_width: 8.0,
        floating_width: 4.0,
        floating_allocated_width: 0.0,
        foreground_color: true,
        ..ScrollStyle::floating()
    };
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    if reduce_motion {
        style.scroll_animation = egui::style::ScrollAnimation::none();
        style.visuals.text_cursor.blink = false;
    }
    style
}

fn visuals(tokens: &Tokens) -> Visuals {
    let c = &tokens.color;
    let radius = CornerRadius::same(tokens.radius.control);
    let state = |fill, line, text| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let none = egui::Color32::TRANSPARENT;
    let contrast_line = if tokens.high_contrast { c.line } else { none };
    let mut visuals = if tokens.dark { Visuals::dark() } else { Visuals::light() };
    visuals.widgets = Widgets {
        noninteractive: WidgetVisuals { bg_fill: c.bg1, ..state(c.bg1, c.line, c.text) },
        inactive: state(c.bg3, contrast_line, c.text),
        hovered: state(c.bg3_hover, contrast_line, c.text),
        // egui draws what has the focus as active: the ring of the accent is the focus ring.
        active: WidgetVisuals { bg_stroke: Stroke::new(1.5, c.accent), ..state(c.bg3_hover, c.accent, c.text) },
        open: state(c.bg3_hover, contrast_line, c.text),
    };
    visuals.selection = Selection { bg_fill: c.mark, stroke: Stroke::new(1.0, c.accent) };
    visuals.weak_text_color = Some(c.text_3);
    visuals.hyperlink_color = c.accent;
    visuals.faint_bg_color = c.bg2;
    visuals.extreme_bg_color = c.bg0;
    visuals.text_edit_bg_color = Some(c.bg0);
    visuals.code_bg_color = c.bg3;
    visuals.warn_fg_color = c.warn;
    visuals.error_fg_color = c.bad;
    visuals.window_corner_radius = CornerRadius::same(tokens.radius.card);
    visuals.menu_corner_radius = CornerRadius::same(tokens.radius.card);
    visuals.window_fill = c.bg2;
    visuals.window_stroke = Stroke::new(1.0, if tokens.high_contrast { c.line_strong } else { c.line });
    let shadow = Shadow { offset: [0, 8], blur: 24, spread: 0, color: c.shadow };
    visuals.window_shadow = shadow;
    visuals.popup_shadow = shadow;
    visuals.panel_fill = c.bg1;
    visuals.text_cursor.stroke = Stroke::new(1.5, c.accent);
    visuals.indent_has_left_vline = false;
    visuals.slider_trailing_fill = true;
    visuals
}
