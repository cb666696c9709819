//! What an agent is and may do: its type and model, its tools with the profile's word, its folders, its prompt.

use egui::Ui;
use rspa_core::model::{Agent, Permission, ToolInfo};

use super::{look, push, type_name};
use crate::commands::pages::agents::AgentsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::agents::Editing;
use crate::text::{moment, number, path, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, Tone, fact, section_title};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent) {
    let tokens = ui.tokens();
    let settings = &agent.settings;
    let text = |ui: &mut Ui, words: String| {
        ui.add(egui::Label::new(tokens.rich(Type::Body, words)).truncate());
    };
    fact(ui, tr("agents.field.type"), |ui| text(ui, type_name(cx, agent)));
    fact(ui, tr("agents.field.model"), |ui| {
        let model = settings.model.as_ref().map(|model| look::short(&model.0, 60));
        text(ui, model.unwrap_or_else(|| tr("agents.default_model").to_owned()));
    });
    fact(ui, tr("agents.field.temperature"), |ui| text(ui, format!("{:.2}", settings.temperature)));
    fact(ui, tr("agents.field.max_tokens"), |ui| text(ui, number(u64::from(settings.max_tokens))));
    fact(ui, tr("agents.field.budget"), |ui| {
        let budget = settings.budget;
        let steps = tr_count("agents.budget_steps", u64::from(budget.steps));
        let (tokens_most, seconds) = (number(u64::from(budget.tokens)), number(u64::from(budget.seconds)));
        let words =
            tr_with("agents.budget_words", &[("steps", &steps), ("tokens", &tokens_most), ("seconds", &seconds)]);
        ui.add(egui::Label::new(tokens.rich(Type::Body, words)).wrap());
    });
    if !settings.tags.is_empty() {
        fact(ui, tr("agents.field.tags"), |ui| {
            ui.horizontal_wrapped(|ui| {
                for tag in &settings.tags {
                    ui.add(Chip::new(look::short(tag, 40)));
                }
            });
        });
    }
    fact(ui, tr("agents.field.made"), |ui| text(ui, moment(agent.created)));
    ui.add_space(tokens.space.m);
    tools(ui, cx, agent);
    ui.add_space(tokens.space.m);
    section_title(ui, tr("agents.field.folders"));
    if settings.folders.is_empty() {
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("agents.no_folders"))).wrap());
    }
    for folder in &settings.folders {
        ui.horizontal(|ui| {
            ui.label(Icon::Folder.rich(tokens.size.icon).color(tokens.color.text_2));
            let (words, tone) = if folder.write {
                (tr("agents.folder_rw"), Tone::Warn)
            } else {
                (tr("agents.folder_ro"), Tone::Neutral)
            };
            ui.add(Chip::new(words).tone(tone));
            ui.add(egui::Label::new(tokens.rich(Type::Body, path(&folder.path))).truncate());
        });
    }
    ui.add_space(tokens.space.m);
    section_title(ui, tr("agents.field.prompt"));
    let prompt = settings.system_prompt.trim();
    let shown: String = if prompt.is_empty() {
        tr("agents.no_prompt").to_owned()
    } else {
        let end = prompt.char_indices().nth(600).map_or(prompt.len(), |(end, _)| end);
        if end < prompt.len() { format!("{}…", &prompt[..end]) } else { prompt.to_owned() }
    };
    ui.add(egui::Label::new(tokens.rich(Type::Secondary, shown)).wrap());
    ui.add_space(tokens.space.m);
    if ui.add(Button::new(tr("agents.edit")).icon(Icon::PencilSimple)).clicked() {
        push(cx, AgentsCommand::Edit(Editing::Change(agent.id)));
    }
}

fn tools(ui: &mut Ui, cx: &Cx<'_>, agent: &Agent) {
    let tokens = ui.tokens();
    section_title(ui, tr("agents.field.tools"));
    let known = cx.state.pages.agents.tools.get();
    let granted = agent.settings.tools.iter().filter(|(_, rule)| rule.permission != Permission::Deny);
    let mut any = false;
    for (name, rule) in granted {
        any = true;
        let info = known.and_then(|all| all.iter().find(|tool| tool.name == *name));
        ui.horizontal(|ui| {
            let icon = info.map_or(Icon::Question, |info| look::effect(info.effect).0);
            ui.label(icon.rich(tokens.size.icon).color(tokens.color.text_2));
            let (word, tone, why) = in_force(rule.permission, info, known.is_some());
            let title = info.map_or_else(|| look::short(name, 40), |info| look::short(&info.title, 40));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let chip = ui.add(Chip::new(word).tone(tone));
                if let Some(why) = why {
                    chip.on_hover_text(why);
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.add(egui::Label::new(tokens.rich(Type::Body, title)).truncate());
                });
            });
        });
    }
    if !any {
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("agents.no_tools"))).wrap());
    }
}

/// The stricter word of agent and profile, and why it is not the agent's own.
pub fn in_force(own: Permission, info: Option<&ToolInfo>, all_known: bool) -> (&'static str, Tone, Option<String>) {
    let Some(info) = info else {
        // While the tools are on their way nothing is said of them.
        let why = all_known.then(|| tr("agents.tool_unknown_tip").to_owned());
        let word = if all_known { tr("agents.tool_unknown") } else { look::permission(own) };
        return (word, if all_known { Tone::Bad } else { look::permission_tone(own) }, why);
    };
    if let Some(why) = &info.unavailable {
        return (tr("agents.tool_unavailable"), Tone::Bad, Some(why.clone()));
    }
    match info.profile {
        Some(profile) if profile > own => {
            let words = tr_with("agents.profile_says", &[("word", &look::permission(profile))]);
            (look::permission(profile), look::permission_tone(profile), Some(words))
        }
        _ => (look::permission(own), look::permission_tone(own), None),
    }
}
