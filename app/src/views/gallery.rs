//! The gallery: every building block in every state, to look at and to test.

use egui::Ui;
use rspa_core::api::ApiError;

use super::{Cx, View};
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::NoticeKind;
use crate::text::tr;
use crate::widgets::{
    Button, Chip, IconButton, ListRow, TextField, Tone, TwoLineRow, card, dot, hairline, page_body, page_header,
    progress_bar, section_title, select, sparkline, states, toggle,
};

#[derive(Default)]
pub struct GalleryView {
    text: String,
    on: bool,
    chosen: usize,
    chip: bool,
}

impl View for GalleryView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        page_header(ui, tr("page.gallery"), |_| {});
        page_body(ui, 900.0, |ui| {
            part(ui, "Type", types);
            part(ui, "Buttons", buttons);
            part(ui, "Chips and dots", |ui| self.chips(ui));
            part(ui, "Fields", |ui| self.fields(ui));
            part(ui, "Rows", rows);
            part(ui, "Progress and figures", progress);
            part(ui, "Notes", |ui| notes(ui, cx));
            part(ui, "Empty", |ui| {
                sized(ui, |ui| {
                    states::empty(ui, Icon::Books, "Nothing here yet", "Why, and what to do about it.", |ui| {
                        ui.add(Button::new("Do it").primary());
                    });
                })
            });
            part(ui, "Loading", |ui| sized(ui, |ui| states::loading(ui, "Reading…")));
            part(ui, "Error", |ui| {
                sized(ui, |ui| {
                    states::error(ui, &ApiError::validation("It did not work", "Do something else."));
                })
            });
            part(ui, "Colours", colours);
            part(ui, "Icons", icons);
        });
    }
}

fn part(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui)) {
    let tokens = ui.tokens();
    section_title(ui, title);
    ui.add_space(tokens.space.s);
    ui.push_id(title, |ui| {
        card(ui, |ui| {
            ui.take_available_width();
            add(ui);
        });
    });
    ui.add_space(tokens.space.xl);
}

fn sized(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let size = egui::vec2(ui.available_width(), 200.0);
    ui.allocate_ui(size, |ui| {
        ui.set_min_size(size);
        ui.set_max_size(size);
        add(ui);
    });
}

fn types(ui: &mut Ui) {
    let tokens = ui.tokens();
    let all =
        [Type::Figure, Type::Heading, Type::Title, Type::Strong, Type::Body, Type::Secondary, Type::Label, Type::Code];
    for kind in all {
        ui.label(tokens.rich(kind, format!("{kind:?} — 0123456789 The quick brown fox: äöüß ñ čšž Ωλ Жд → ≤ ± “”")));
    }
}

fn buttons(ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        ui.add(Button::new("Primary").primary());
        ui.add(Button::new("Primary with icon").primary().icon(Icon::Plus));
        ui.add(Button::new("Normal"));
        ui.add(Button::new("Normal with icon").icon(Icon::ArrowSquareOut));
        ui.add(Button::new("Quiet").quiet());
        ui.add(Button::new("Danger").danger().icon(Icon::Trash));
        ui.add(Button::new("Selected").selected(true));
        ui.add(Button::new("Disabled").enabled(false));
        ui.add(Button::new("Small").small());
        ui.add(IconButton::new(Icon::Copy, "Copy"));
        ui.add(IconButton::new(Icon::Trash, "Cannot delete").enabled(false));
        ui.add(IconButton::new(Icon::X, "Small close").small());
    });
}

fn rows(ui: &mut Ui) {
    ui.add(ListRow::new("A row").icon(Icon::Folder).right("12,406"));
    ui.add(ListRow::new("A selected row").icon(Icon::Folder).right("3,118").selected(true));
    ui.add(ListRow::new("A row that cannot be chosen").icon(Icon::File).dim(true));
    hairline(ui);
    ui.add(
        TwoLineRow::new("A title that stands over its detail", "The detail, cut with an ellipsis where it is too long")
            .right("2 min"),
    );
    ui.add(TwoLineRow::new("Selected", "With a detail").right("yesterday").selected(true));
}

fn progress(ui: &mut Ui) {
    let tokens = ui.tokens();
    progress_bar(ui, "81 percent", Some(0.81), 320.0);
    ui.add_space(tokens.space.s);
    progress_bar(ui, "Not known", None, 320.0);
    ui.add_space(tokens.space.s);
    sparkline(ui, "Course", &[1.0, 3.0, 2.0, 5.0, 4.0, 8.0, 6.0, 9.0], tokens.color.accent, 40.0);
}

fn notes(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    for (tone, icon) in [
        (Tone::Neutral, Icon::Info),
        (Tone::Accent, Icon::Info),
        (Tone::Ok, Icon::CheckCircle),
        (Tone::Warn, Icon::Warning),
        (Tone::Bad, Icon::WarningCircle),
    ] {
        states::banner(ui, tone, icon, "What happened, and what can be done about it.");
        ui.add_space(tokens.space.xs);
    }
    ui.horizontal(|ui| {
        for kind in [NoticeKind::Info, NoticeKind::Done, NoticeKind::Warning, NoticeKind::Error] {
            if ui.add(Button::new(format!("Toast: {kind:?}"))).clicked() {
                let (title, detail) = ("Something happened".to_owned(), "What to do next.".to_owned());
                cx.commands.push(UiCommand::Notify { kind, title, detail });
            }
        }
        if ui.add(Button::new("Question")).clicked() {
            cx.commands.push(UiCommand::Confirm(Confirmation {
                title: "Delete it?".to_owned(),
                consequence: "It is gone then, and cannot be brought back.".to_owned(),
                verb: "Delete".to_owned(),
                danger: true,
                then: Box::new(UiCommand::Notify {
                    kind: NoticeKind::Done,
                    title: "Deleted".to_owned(),
                    detail: String::new(),
                }),
            }));
        }
    });
}

fn colours(ui: &mut Ui) {
    let tokens = ui.tokens();
    let c = &tokens.color;
    let all = [
        ("bg0", c.bg0),
        ("bg1", c.bg1),
        ("bg2", c.bg2),
        ("bg3", c.bg3),
        ("line", c.line),
        ("text", c.text),
        ("text_2", c.text_2),
        ("text_3", c.text_3),
        ("accent", c.accent),
        ("ok", c.ok),
        ("warn", c.warn),
        ("bad", c.bad),
        ("selection", c.selection),
        ("mark", c.mark),
        ("ok_soft", c.ok_soft),
        ("warn_soft", c.warn_soft),
        ("bad_soft", c.bad_soft),
    ];
    ui.horizontal_wrapped(|ui| {
        for (name, color) in all {
            ui.vertical(|ui| {
                let (rect, _) = ui.allocate_exact_size(egui::vec2(56.0, 32.0), egui::Sense::hover());
                ui.painter().rect(
                    rect,
                    tokens.radius.control,
                    color,
                    egui::Stroke::new(1.0, c.line),
                    egui::StrokeKind::Inside,
                );
                ui.label(tokens.rich(Type::Label, name));
            });
        }
    });
}

fn icons(ui: &mut Ui) {
    let tokens = ui.tokens();
    ui.horizontal_wrapped(|ui| {
        for icon in Icon::ALL {
            ui.label(icon.rich(20.0).color(tokens.color.text_2)).on_hover_text(format!("{icon:?}"));
        }
    });
}

impl GalleryView {
    fn chips(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            for tone in [Tone::Neutral, Tone::Accent, Tone::Ok, Tone::Warn, Tone::Bad] {
                ui.add(Chip::new(format!("{tone:?}")).tone(tone));
                dot(ui, tone);
            }
            ui.add(Chip::new("With icon").icon(Icon::Cpu).tone(Tone::Ok));
            if ui.add(Chip::new("Can be chosen").selectable(self.chip)).clicked() {
                self.chip = !self.chip;
            }
        });
    }

    fn fields(&mut self, ui: &mut Ui) {
        let tokens = ui.tokens();
        TextField::new(&mut self.text, "A field").hint("A hint").width(320.0).show(ui);
        ui.add_space(tokens.space.s);
        TextField::new(&mut self.text, "A search field").hint("Search").icon(Icon::MagnifyingGlass).large().show(ui);
        ui.add_space(tokens.space.s);
        TextField::new(&mut self.text, "A field with a problem").problem(true).width(320.0).show(ui);
        ui.add_space(tokens.space.s);
        ui.horizontal(|ui| {
            toggle(ui, &mut self.on, "A switch");
            ui.label(tokens.rich(Type::Body, "A switch"));
            let options = ["Hybrid", "Keyword", "Vector"].map(str::to_owned);
            if let Some(picked) = select(ui, "A choice", &options, self.chosen, 140.0) {
                self.chosen = picked;
            }
        });
    }
}
