//! The building blocks of the pages. Each names itself to screen readers and shows the focus.

pub mod action;
pub mod activity;
pub mod area;
pub mod avatar;
pub mod button;
pub mod chip;
pub mod choice;
pub mod citation;
pub mod code_view;
pub mod column;
pub mod dialog;
pub mod exact;
pub mod fact;
pub mod field;
pub mod frame;
pub mod graph;
pub mod list;
pub mod markdown;
pub mod menu;
pub mod passage_card;
pub mod picker;
pub mod plot;
pub mod progress;
pub mod secret_field;
pub mod select;
pub mod sparkline;
pub mod states;
pub mod status_row;
pub mod steady;
pub mod toast;
pub mod toggle;
pub mod work;

pub use area::TextArea;
pub use button::{Button, IconButton};
pub use chip::{Chip, Tone, dot};
pub use choice::choice;
pub use exact::ExactView;
pub use fact::fact;
pub use field::TextField;
pub use frame::{card, cells, column_header, hairline, page_body, page_header, section_title, split};
pub use list::{ListRow, TwoLineRow};
pub use menu::{context_menu, menu};
pub use progress::progress_bar;
pub use select::select;
pub use sparkline::sparkline;
pub use status_row::StatusRow;
pub use steady::steady;
pub use toggle::toggle;
pub use work::{job_card, progress_words, source_words};

use egui::{Rect, Response, Role, Stroke, StrokeKind, Ui};

use crate::design::UiExt;

/// The ring around what has the keyboard.
pub fn focus_ring(ui: &Ui, rect: Rect) {
    let tokens = ui.tokens();
    let stroke = Stroke::new(2.0, tokens.color.accent);
    ui.painter().rect_stroke(rect.expand(1.0), tokens.radius.control, stroke, StrokeKind::Outside);
}

/// Makes shown words a heading, an alert and the like for screen readers.
pub fn speak_as(ui: &Ui, response: &Response, role: Role, words: &str) {
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(role);
        node.set_label(words);
        if role == Role::Alert {
            node.set_live(egui::accesskit::Live::Polite);
        }
    });
}
