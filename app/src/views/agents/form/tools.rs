//! The table of tools: what each touches, what this agent may, and where the profile is stricter.

use std::collections::BTreeMap;

use egui::{Align, Layout, Ui};
use rspa_core::model::{Permission, ToolInfo, ToolRule};

use crate::commands::pages::agents::AgentsCommand;
use crate::commands::{CommandQueue, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::views::agents::look;
use crate::widgets::{Chip, IconButton, Tone, hairline, menu};

const WORDS: [Permission; 3] = [Permission::Allow, Permission::Ask, Permission::Deny];

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, rules: &mut BTreeMap<String, ToolRule>) {
    let tokens = ui.tokens();
    let Some(all) = cx.state.pages.agents.tools.get() else {
        ui.label(tokens.rich(Type::Secondary, tr("agents.form.tools_loading")));
        return;
    };
    let mut tools: Vec<&ToolInfo> = all.iter().collect();
    tools.sort_by_key(|tool| (tool.effect, tool.title.clone()));
    hairline(ui);
    for tool in tools {
        row(ui, cx.commands, tool, rules);
        hairline(ui);
    }
    let unknown: Vec<String> =
        rules.keys().filter(|name| !all.iter().any(|tool| tool.name == **name)).cloned().collect();
    for name in unknown {
        ui.horizontal(|ui| {
            ui.label(Icon::Question.rich(tokens.size.icon).color(tokens.color.bad));
            ui.label(tokens.rich(Type::Body, look::short(&name, 60)));
            ui.add(Chip::new(tr("agents.tool_unknown")).tone(Tone::Bad)).on_hover_text(tr("agents.tool_unknown_tip"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = tr_with("agents.form.remove_tool", &[("name", &look::short(&name, 60))]);
                if ui.add(IconButton::new(Icon::X, remove).small()).clicked() {
                    rules.remove(&name);
                }
            });
        });
        hairline(ui);
    }
}

fn row(ui: &mut Ui, commands: &mut CommandQueue, tool: &ToolInfo, rules: &mut BTreeMap<String, ToolRule>) {
    let tokens = ui.tokens();
    let own = rules.get(&tool.name).map_or(Permission::Deny, |rule| rule.permission);
    ui.horizontal(|ui| {
        ui.set_min_height(tokens.size.row);
        let (icon, touches) = look::effect(tool.effect);
        let ink = if own == Permission::Deny { tokens.color.text_3 } else { tokens.color.text_2 };
        ui.label(icon.rich(tokens.size.icon).color(ink)).on_hover_text(touches);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            policy(ui, commands, tool);
            for permission in WORDS.into_iter().rev() {
                let word = look::permission(permission);
                let name = tr_with("agents.form.tool_word", &[("tool", &tool.title), ("word", &word)]);
                let chip = Chip::new(word).selectable(own == permission);
                let response = ui.add(chip);
                response.widget_info(|| {
                    egui::WidgetInfo::selected(egui::Role::RadioButton, true, own == permission, &name)
                });
                if response.clicked() {
                    set(rules, &tool.name, permission);
                }
            }
            if let Some(why) = &tool.unavailable {
                ui.add(Chip::new(tr("agents.tool_unavailable")).tone(Tone::Bad)).on_hover_text(why);
            } else if let Some(profile) = tool.profile.filter(|profile| *profile > own) {
                let words = tr_with("agents.form.profile_chip", &[("word", &look::permission(profile))]);
                ui.add(Chip::new(words).tone(Tone::Warn)).on_hover_text(tr("agents.form.profile_tip"));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let ink = if own == Permission::Deny { tokens.color.text_2 } else { tokens.color.text };
                ui.label(tokens.rich(Type::Body, look::short(&tool.title, 40)).color(ink));
                let words = look::short(&tool.description, 200);
                ui.add(egui::Label::new(tokens.rich(Type::Label, &words)).truncate()).on_hover_text(&words);
            });
        });
    });
}

/// What the whole profile says of the tool.
fn policy(ui: &mut Ui, commands: &mut CommandQueue, tool: &ToolInfo) {
    let name = tr_with("agents.policy.title", &[("tool", &tool.title)]);
    let button = ui.add(IconButton::new(Icon::DotsThreeVertical, name).small());
    menu(&button).show(|ui| {
        let choices = [
            (None, "agents.policy.agents"),
            (Some(Permission::Ask), "agents.policy.ask"),
            (Some(Permission::Deny), "agents.policy.deny"),
        ];
        for (permission, key) in choices {
            let chosen = tool.profile.filter(|word| *word != Permission::Allow) == permission;
            if ui.selectable_label(chosen, tr(key)).clicked() && !chosen {
                let set = AgentsCommand::SetPolicy { tool: tool.name.clone(), permission };
                commands.push(UiCommand::Agents(set));
            }
        }
    });
}

/// A tool that is denied and has no settings of its own is not named at all.
fn set(rules: &mut BTreeMap<String, ToolRule>, name: &str, permission: Permission) {
    match rules.get_mut(name) {
        Some(rule) if permission == Permission::Deny && rule.settings.is_empty() => drop(rules.remove(name)),
        Some(rule) => rule.permission = permission,
        None if permission == Permission::Deny => {}
        None => {
            rules.insert(name.to_owned(), ToolRule { permission, settings: BTreeMap::new() });
        }
    }
}
