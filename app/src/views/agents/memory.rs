//! An agent's own data: seen, changed, removed, added; JSON or plain text.

use egui::{Align, Layout, ScrollArea, TextEdit, Ui};
use rspa_core::model::{Agent, AgentDatum, AgentId};
use serde_json::Value;

use super::{look, push};
use crate::commands::pages::agents::AgentsCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{ago, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{Button, IconButton, TextField, TwoLineRow, hairline, states};

/// Of a value as text, in bytes: as the store allows.
const LARGEST: usize = 64 << 10;

#[derive(Default)]
pub struct Memory {
    editor: Option<Editor>,
}

struct Editor {
    agent: AgentId,
    key: String,
    /// The entry that is changed; none for a new one.
    old: Option<String>,
    text: String,
}

impl Memory {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent) {
        let tokens = ui.tokens();
        if self.editor.as_ref().is_some_and(|editor| editor.agent != agent.id) {
            self.editor = None;
        }
        let slot = &cx.state.pages.agents.data;
        let Some(entries) = slot.get() else {
            match slot.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, AgentsCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("agents.memory.loading")),
            }
            return;
        };
        padded(ui, tokens.space.l, tokens.space.s, |ui| {
            ui.horizontal(|ui| {
                let words = if agent.settings.memory.store {
                    tr_count("agents.memory.count", entries.len() as u64)
                } else {
                    tr("agents.memory.off").to_owned()
                };
                ui.label(tokens.rich(Type::Secondary, words));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.add(Button::new(tr("agents.memory.add")).icon(Icon::Plus).small()).clicked() {
                        self.editor =
                            Some(Editor { agent: agent.id, key: String::new(), old: None, text: String::new() });
                    }
                });
            });
        });
        hairline(ui);
        if let Some(editor) = &mut self.editor
            && editor.ui(ui, cx, entries)
        {
            self.editor = None;
        }
        if entries.is_empty() && self.editor.is_none() {
            return states::empty(ui, Icon::Brain, tr("agents.memory.none"), tr("agents.memory.none_detail"), |_| {});
        }
        ScrollArea::vertical().auto_shrink(false).show_rows(
            ui,
            tokens.size.row_two_lines,
            entries.len(),
            |ui, range| {
                for entry in &entries[range] {
                    let value = match &entry.value {
                        Value::String(text) => look::short(text, 240),
                        other => look::short(&other.to_string(), 240),
                    };
                    let row = TwoLineRow::new(look::short(&entry.key, 120), value)
                        .right(ago(entry.updated, cx.state.now))
                        .selected(self.editor.as_ref().is_some_and(|editor| editor.old.as_ref() == Some(&entry.key)));
                    if ui.add(row).clicked() {
                        let text = match &entry.value {
                            Value::String(text) if serde_json::from_str::<Value>(text).is_err() => text.clone(),
                            other => serde_json::to_string_pretty(other).unwrap_or_default(),
                        };
                        self.editor = Some(Editor {
                            agent: agent.id,
                            key: entry.key.clone(),
                            old: Some(entry.key.clone()),
                            text,
                        });
                    }
                }
            },
        );
    }
}

impl Editor {
    /// True when it is done.
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, entries: &[AgentDatum]) -> bool {
        let tokens = ui.tokens();
        let mut done = false;
        padded(ui, tokens.space.l, tokens.space.s, |ui| {
            if self.old.is_none() {
                TextField::new(&mut self.key, tr("agents.memory.key")).hint(tr("agents.memory.key")).show(ui);
            } else {
                ui.label(tokens.rich(Type::Strong, look::short(&self.key, 120)));
            }
            let name = tr("agents.memory.value");
            let frame = egui::Frame::new()
                .fill(tokens.color.bg0)
                .stroke(egui::Stroke::new(1.0, tokens.color.line))
                .corner_radius(tokens.radius.control)
                .inner_margin(tokens.space.s as i8);
            ScrollArea::vertical().id_salt("memory value").max_height(200.0).show(ui, |ui| {
                let edit = TextEdit::multiline(&mut self.text)
                    .font(tokens.font(Type::Code))
                    .frame(frame)
                    .desired_rows(4)
                    .desired_width(ui.available_width());
                ui.add(edit).accessible_name(name);
            });
            let parsed = serde_json::from_str::<Value>(&self.text);
            let taken = self.old.is_none() && entries.iter().any(|entry| entry.key == self.key);
            let words = match (taken, self.text.len() > LARGEST, &parsed) {
                (true, _, _) => tr("agents.memory.taken"),
                (_, true, _) => tr("agents.memory.large"),
                (_, _, Ok(_)) => tr("agents.memory.is_json"),
                (_, _, Err(_)) => tr("agents.memory.is_text"),
            };
            ui.horizontal(|ui| {
                ui.label(tokens.rich(Type::Label, words));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let ready = !self.key.trim().is_empty() && self.text.len() <= LARGEST;
                    if ui.add(Button::new(tr("agents.save")).primary().small().enabled(ready)).clicked() {
                        let value = parsed.unwrap_or_else(|_plain| Value::String(self.text.clone()));
                        let key = self.key.trim().to_owned();
                        push(cx, AgentsCommand::PutDatum { id: self.agent, key, value: Some(value) });
                        done = true;
                    }
                    done |= ui.add(Button::new(tr("common.cancel")).small()).clicked();
                    if let Some(key) = &self.old
                        && ui.add(IconButton::new(Icon::Trash, tr("agents.memory.remove")).small()).clicked()
                    {
                        let remove = AgentsCommand::PutDatum { id: self.agent, key: key.clone(), value: None };
                        cx.commands.push(UiCommand::Confirm(Confirmation {
                            title: tr_with("agents.memory.remove_title", &[("key", &look::short(key, 60))]),
                            consequence: tr("agents.memory.remove_text").to_owned(),
                            verb: tr("common.delete").to_owned(),
                            danger: true,
                            then: Box::new(UiCommand::Agents(remove)),
                        }));
                        done = true;
                    }
                });
            });
        });
        hairline(ui);
        done
    }
}
