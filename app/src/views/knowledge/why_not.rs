//! The question why a document is not among the hits: the field for its name, and the answer in words.

use egui::{Id, Key, Label, Ui};
use rspa_core::model::{MissingReason, SearchFilter, WhyNot};

use crate::commands::{UiCommand, open};
use crate::design::{Icon, Type, UiExt};
use crate::text::{sentence, short, tr, tr_with};
use crate::views::Cx;
use crate::widgets::citation::document_name;
use crate::widgets::{Button, TextField};

/// Letters of a reason or a word that are shown.
const SHOWN: usize = 400;

#[derive(Default)]
pub struct WhyNotField {
    open: bool,
    name: String,
    /// The field takes the keyboard.
    focus: bool,
}

impl WhyNotField {
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn toggle(&mut self) {
        self.open = !self.open;
        self.focus = self.open;
    }

    /// The field for a name, and why that document is not among the hits.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        ui.add(Label::new(tokens.rich(Type::Secondary, tr("knowledge.why_not.ask"))).wrap());
        let field = TextField::new(&mut self.name, tr("knowledge.why.why_not_name"));
        let field = field.hint(tr("knowledge.why.why_not_hint")).icon(Icon::Question).id(Id::unique("why-not"));
        let response = field.show(ui);
        if std::mem::take(&mut self.focus) {
            response.request_focus();
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if entered && !self.name.trim().is_empty() {
            let query = cx.state.knowledge.query.clone();
            cx.commands.push(UiCommand::ExplainMissing { query, name: self.name.trim().to_owned() });
        }
        ui.add_space(tokens.space.s);
        let slot = &cx.state.knowledge.why_not;
        if slot.is_waiting() {
            ui.label(tokens.rich(Type::Secondary, tr("knowledge.why_not.looking")));
        } else if let Some(error) = slot.error() {
            let words = format!("{}. {}", sentence(error.message.trim_end_matches('.')), error.advice);
            ui.add(Label::new(tokens.rich(Type::Secondary, words).color(tokens.color.bad)).wrap());
        } else if let Some(why) = slot.get() {
            if let Some(document) = &why.document {
                ui.add(Label::new(tokens.rich(Type::Strong, document_name(document))).truncate());
            }
            for line in explained(why) {
                ui.add(Label::new(tokens.rich(Type::Secondary, line)).wrap());
            }
            if let Some(document) = &why.document {
                ui.add_space(tokens.space.xs);
                ui.horizontal_wrapped(|ui| {
                    let command = why.best.as_ref().map_or_else(|| open::document(document), open::hit);
                    let name = if why.best.is_some() { tr("knowledge.why_not.open_best") } else { tr("common.open") };
                    if ui.add(Button::new(name).icon(Icon::ArrowSquareOut).small()).clicked() {
                        cx.commands.push(command);
                    }
                    let structure = Button::new(tr("knowledge.detail.show")).icon(Icon::TreeStructure).small();
                    if ui.add(structure).clicked() {
                        cx.commands.push(UiCommand::ShowDocument(document.path.clone()));
                    }
                });
            }
        }
    }
}

fn explained(why: &WhyNot) -> Vec<String> {
    let name = why.document.as_ref().map(document_name).unwrap_or_default();
    let mut lines = vec![match &why.reason {
        MissingReason::Shown { rank } => tr_with("knowledge.why.shown", &[("name", &name), ("rank", rank)]),
        MissingReason::Below { rank } => tr_with("knowledge.why.below", &[("name", &name), ("rank", rank)]),
        MissingReason::BeyondStages { depth } => tr_with("knowledge.why.beyond", &[("name", &name), ("depth", depth)]),
        MissingReason::NothingInCommon => tr_with("knowledge.why.nothing_in_common", &[("name", &name)]),
        MissingReason::Filtered { by } => {
            let filter = match by {
                SearchFilter::Source => tr("knowledge.why_not.by_source"),
                SearchFilter::Kind => tr("knowledge.why_not.by_kind"),
                SearchFilter::Time => tr("knowledge.why_not.by_time"),
                SearchFilter::Phrase => tr("knowledge.why_not.by_phrase"),
            };
            format!("{} {filter}", tr_with("knowledge.why.filtered", &[("name", &name)]))
        }
        MissingReason::OutsideSources => tr("knowledge.why.outside").to_owned(),
        MissingReason::NoFile => tr("knowledge.why.no_file").to_owned(),
        MissingReason::LeftOut => tr("knowledge.why.left_out").to_owned(),
        MissingReason::Unreadable { why } => tr_with("knowledge.why.unreadable", &[("why", &short(why, SHOWN))]),
        MissingReason::NotYet => tr("knowledge.why.not_yet").to_owned(),
    }];
    if !why.missing_words.is_empty() {
        let words = short(&why.missing_words.join(", "), SHOWN);
        lines.push(tr_with("knowledge.why.missing_words", &[("words", &words)]));
    }
    if let (Some(best), Some(needed)) = (&why.best, why.needed) {
        let (score, needed) = (format!("{:.2}", best.score), format!("{needed:.2}"));
        lines.push(tr_with("knowledge.why.best", &[("score", &score), ("needed", &needed)]));
    }
    lines
}
