//! The figures of the last run, or of the last trial beside those of the index in use.

use egui::{Align, Align2, Label, Layout, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{
    RetrievalFigures, RetrievalSettings, RetrievalStage, RetrievalTests, RetrievalTrial, StageFigures,
};

use crate::commands::UiCommand;
use crate::commands::pages::retrieval::RetrievalCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{ago, duration, number, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::citation::rule;
use crate::widgets::{Button, Chip, Tone, card, section_title};

const STAGES: [(RetrievalStage, &str); 5] = [
    (RetrievalStage::Keyword, "knowledge.tests.keyword"),
    (RetrievalStage::Static, "knowledge.tests.static"),
    (RetrievalStage::Encoder, "knowledge.tests.encoder_stage"),
    (RetrievalStage::Fused, "knowledge.tests.fused"),
    (RetrievalStage::Ranked, "knowledge.tests.ranked"),
];

/// What was asked later stands first; a run that is older than the trial says nothing more than it.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>, all: &RetrievalTests, busy: bool) {
    let later = |at| all.run.as_ref().is_none_or(|run| run.at < at);
    let trial = all.trial.as_ref();
    if let Some(run) = all.run.as_ref().filter(|_| trial.is_none_or(|trial| !later(trial.at))) {
        card(ui, |ui| {
            heading(ui, tr("knowledge.tests.last_run"), &ago(run.at, cx.state.now));
            words(ui, &asked(&run.figures));
            words(ui, &settings(&run.figures.settings));
            table(ui, &run.figures, None);
        });
        ui.add_space(ui.tokens().space.s);
    }
    if let Some(trial) = trial {
        card(ui, |ui| self::trial(ui, cx, all, trial, busy));
    }
}

fn trial(ui: &mut Ui, cx: &mut Cx<'_>, all: &RetrievalTests, trial: &RetrievalTrial, busy: bool) {
    let tokens = ui.tokens();
    heading(ui, tr("knowledge.tests.last_trial"), &ago(trial.at, cx.state.now));
    let over = match trial.documents < trial.documents_all {
        true => {
            let (some, all) = (number(trial.documents), number(trial.documents_all));
            tr_with("knowledge.tests.over_some", &[("n", &some), ("all", &all)])
        }
        false => tr_with("knowledge.tests.over_all", &[("n", &number(trial.documents))]),
    };
    let mut line = format!("{} {over} · {}", asked(&trial.new), duration(trial.seconds));
    if trial.unread > 0 {
        line = format!("{line} · {}", tr_count("knowledge.tests.unread", trial.unread));
    }
    words(ui, &line);
    words(ui, &format!("{}: {}", tr("knowledge.tests.in_use"), settings(&trial.old.settings)));
    words(ui, &format!("{}: {}", tr("knowledge.tests.tried"), settings(&trial.new.settings)));
    table(ui, &trial.old, Some(&trial.new));
    ui.add_space(tokens.space.m);
    ui.horizontal(|ui| {
        if trial.new.settings == all.settings {
            ui.add(Chip::new(tr("knowledge.tests.in_force")).icon(Icon::Check).tone(Tone::Ok));
        } else {
            let button = Button::new(tr("knowledge.tests.adopt")).icon(Icon::Check);
            let button = button.enabled(!busy && trial.new.asked > 0).tooltip(tr("knowledge.tests.adopt_tip"));
            if ui.add(button).clicked() {
                let adopt = RetrievalCommand::Adopt(trial.new.settings.clone());
                cx.commands.push(UiCommand::Retrieval(adopt));
            }
        }
    });
}

fn heading(ui: &mut Ui, title: &str, when: &str) {
    let tokens = ui.tokens();
    ui.horizontal(|ui| {
        section_title(ui, title);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(tokens.rich(Type::Label, when).color(tokens.color.text_3));
        });
    });
}

fn words(ui: &mut Ui, text: &str) {
    let tokens = ui.tokens();
    ui.add(Label::new(tokens.rich(Type::Secondary, text)).wrap());
}

fn settings(settings: &RetrievalSettings) -> String {
    let encoder = settings.encoder.as_ref().map_or(tr("knowledge.tests.static_alone"), |encoder| encoder.0.as_str());
    let size = number(u64::from(settings.chunk_size));
    tr_with("knowledge.tests.settings", &[("size", &size), ("encoder", &encoder)])
}

fn asked(figures: &RetrievalFigures) -> String {
    let asked = tr_count("knowledge.tests.asked", u64::from(figures.asked));
    match figures.left_out {
        0 => asked,
        gone => format!("{asked}, {}", tr_count("knowledge.tests.left_out", u64::from(gone))),
    }
}

/// One line per stage: both figures, of the index in use and of what was tried; and the time of a search.
fn table(ui: &mut Ui, old: &RetrievalFigures, new: Option<&RetrievalFigures>) {
    let tokens = ui.tokens();
    ui.add_space(tokens.space.s);
    let (mrr, recall) = (tr("knowledge.tests.mrr"), tr("knowledge.tests.recall"));
    let stage = tr("knowledge.tests.stage");
    match new {
        None => line(ui, Type::Label, stage, &[(mrr.to_owned(), 0), (recall.to_owned(), 0)]),
        Some(_) => {
            let tried = tr("knowledge.tests.tried").to_lowercase();
            let both = |name: &str| [(name.to_owned(), 0), (tried.clone(), 0)];
            line(ui, Type::Label, stage, &[both(mrr), both(recall)].concat());
        }
    }
    for (stage, name) in STAGES {
        let of = |figures: &RetrievalFigures| figures.stages.iter().find(|one| one.stage == stage).copied();
        let (before, after) = (of(old), new.and_then(of));
        if before.is_none() && after.is_none() {
            continue;
        }
        let pair = |figure: fn(&StageFigures) -> f64| {
            let (before, after) = (before.as_ref().map(figure), after.as_ref().map(figure));
            let text = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.3}"));
            let better = match before.zip(after) {
                // Less than what is shown is no difference.
                Some((before, after)) if (after - before).abs() >= 0.000_5 => {
                    if after > before {
                        1
                    } else {
                        -1
                    }
                }
                _ => 0,
            };
            [(text(before), 0), (text(after), better)]
        };
        let (mrr, recall) = (pair(|of| of.mrr10), pair(|of| of.recall10));
        match new {
            None => line(ui, Type::Body, tr(name), &[mrr[0].clone(), recall[0].clone()]),
            Some(_) => line(ui, Type::Body, tr(name), &[mrr, recall].concat()),
        }
    }
    let time = |figures: &RetrievalFigures| {
        (tr_with("knowledge.tests.ms", &[("n", &crate::views::knowledge::results::milliseconds(figures.p50_ms))]), 0)
    };
    let mut times = vec![time(old)];
    if let Some(new) = new {
        times.extend([time(new), (String::new(), 0)]);
    }
    // Below the first figures of each, where no share stands.
    times.push((String::new(), 0));
    line(ui, Type::Body, tr("knowledge.tests.time"), &times);
}

/// A name and cells at the right, the last at the edge; a cell says whether it is better (1) or worse (-1) than before.
fn line(ui: &mut Ui, kind: Type, name: &str, cells: &[(String, i8)]) {
    let tokens = ui.tokens();
    let height = if kind == Type::Label { tokens.line_height(Type::Body) } else { tokens.size.control_small };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let figures = cells.iter().map(|(text, _)| text.as_str()).filter(|text| !text.is_empty());
    let spoken: Vec<&str> = std::iter::once(name).chain(figures).collect();
    response.widget_info(|| WidgetInfo::labeled(Role::Row, true, spoken.join(", ")));
    rule(ui, rect);
    let ink = if kind == Type::Label { tokens.color.text_3 } else { tokens.color.text_2 };
    let middle = rect.center().y;
    let paint =
        |x: f32, align, text: &str, ink| ui.painter().text(pos2(x, middle), align, text, tokens.font(kind), ink);
    paint(rect.left(), Align2::LEFT_CENTER, name, ink);
    let width = (rect.width() * 0.16).clamp(64.0, 110.0);
    for (at, (text, better)) in cells.iter().rev().enumerate() {
        let ink = match (kind, better) {
            (Type::Label, _) => tokens.color.text_3,
            (_, 1) => tokens.color.ok,
            (_, -1) => tokens.color.bad,
            _ => tokens.color.text,
        };
        paint(rect.right() - at as f32 * width, Align2::RIGHT_CENTER, text, ink);
    }
}
