//! What a server offers: tools, resources, prompts. Every word of it is the server's: shown as plain text, bounded.

use std::collections::BTreeMap;

use egui::{Align, Id, Label, Layout, Ui};
use rspa_core::model::{McpOffer, McpPrompt, McpResource, McpServer, McpState, McpTool};
use serde_json::Value;

use super::{outcome, push};
use crate::commands::pages::servers::ServersCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::servers::Asked;
use crate::text::{bytes, short, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::exact::Shown;
use crate::widgets::{Button, Chip, ExactView, TextArea, TextField, Tone, card, section_title, states};

/// Of one kind that are drawn; more are found by their name.
const MOST: usize = 200;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Tools,
    Resources,
    Prompts,
}

#[derive(Default)]
pub struct OfferView {
    tab: Tab,
    filter: String,
    /// The tool or prompt that is open.
    open: Option<String>,
    /// What is typed as its arguments.
    arguments: String,
    /// What is typed for a prompt.
    filled: BTreeMap<String, String>,
    says: ExactView,
    says_open: bool,
    schema: ExactView,
    sent: ExactView,
    result: outcome::ResultView,
}

impl OfferView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, server: &McpServer) {
        let tokens = ui.tokens();
        let slot = &cx.state.pages.servers.offer;
        if !matches!(server.state, McpState::Ready { .. }) {
            ui.label(tokens.rich(Type::Secondary, tr("servers.offer.not_running")));
            return;
        }
        let Some(offer) = slot.get() else {
            match slot.error() {
                Some(error) => {
                    let words = format!("{} {}", crate::text::sentence(&error.message), error.advice);
                    states::banner(ui, Tone::Bad, Icon::WarningCircle, &words);
                    ui.add_space(tokens.space.xs);
                    if ui.add(Button::new(tr("common.try_again")).icon(Icon::ArrowClockwise).small()).clicked() {
                        push(cx, ServersCommand::Refresh);
                    }
                }
                None => {
                    ui.label(tokens.rich(Type::Secondary, tr("servers.offer.loading")));
                }
            }
            return;
        };
        self.tabs(ui, offer);
        ui.add_space(tokens.space.s);
        if self.tab == Tab::Tools && !offer.instructions.trim().is_empty() {
            let icon = if self.says_open { Icon::CaretDown } else { Icon::CaretRight };
            if ui.add(Button::new(tr("servers.offer.says")).icon(icon).quiet().small()).clicked() {
                self.says_open = !self.says_open;
            }
            if self.says_open {
                let id = Id::unique("what the server says");
                self.says.show(ui, id, tr("servers.offer.says"), &offer.instructions, Shown::Plain, 240.0);
            }
            ui.add_space(tokens.space.s);
        }
        let wanted = self.filter.trim().to_lowercase();
        let fits = move |name: &str| wanted.is_empty() || name.to_lowercase().contains(&wanted);
        match self.tab {
            Tab::Tools => {
                let all: Vec<_> = offer.tools.iter().filter(|tool| fits(&tool.name)).collect();
                nothing(ui, all.is_empty(), offer.tools.is_empty(), "servers.offer.no_tools");
                for (at, tool) in all.iter().take(MOST).enumerate() {
                    ui.push_id(at, |ui| self.tool(ui, cx, server, tool));
                }
                more(ui, all.len());
            }
            Tab::Resources => {
                let all: Vec<_> = offer.resources.iter().filter(|one| fits(&one.uri) || fits(&one.name)).collect();
                nothing(ui, all.is_empty(), offer.resources.is_empty(), "servers.offer.no_resources");
                for (at, one) in all.iter().take(MOST).enumerate() {
                    ui.push_id(at, |ui| self.resource(ui, cx, server, one));
                }
                more(ui, all.len());
            }
            Tab::Prompts => {
                let all: Vec<_> = offer.prompts.iter().filter(|one| fits(&one.name)).collect();
                nothing(ui, all.is_empty(), offer.prompts.is_empty(), "servers.offer.no_prompts");
                for (at, one) in all.iter().take(MOST).enumerate() {
                    ui.push_id(at, |ui| self.prompt(ui, cx, server, one));
                }
                more(ui, all.len());
            }
        }
    }

    fn tabs(&mut self, ui: &mut Ui, offer: &McpOffer) {
        let all = [
            (Tab::Tools, tr_count("servers.tools", offer.tools.len() as u64)),
            (Tab::Resources, tr_count("servers.resources", offer.resources.len() as u64)),
            (Tab::Prompts, tr_count("servers.prompts", offer.prompts.len() as u64)),
        ];
        section_title(ui, tr("servers.offer.title"));
        ui.horizontal(|ui| {
            for (tab, words) in &all {
                if ui.add(Button::new(words.as_str()).quiet().small().selected(self.tab == *tab)).clicked() {
                    self.tab = *tab;
                    self.open = None;
                }
            }
            if offer.tools.len().max(offer.resources.len()) > 8 {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let field = TextField::new(&mut self.filter, tr("servers.offer.filter"));
                    field.hint(tr("servers.offer.filter")).icon(Icon::MagnifyingGlass).width(200.0).show(ui);
                });
            }
        });
    }

    fn flip(&mut self, name: &str, arguments: String) {
        self.open = if self.open.as_deref() == Some(name) { None } else { Some(name.to_owned()) };
        self.arguments = arguments;
        self.filled.clear();
        self.schema = ExactView::default();
    }

    fn tool(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, server: &McpServer, tool: &McpTool) {
        let tokens = ui.tokens();
        let name = short(&tool.name, 80);
        let open = self.open.as_deref() == Some(tool.name.as_str());
        ui.push_id(&tool.name, |ui| {
            card(ui, |ui| {
                ui.take_available_width();
                ui.horizontal(|ui| {
                    ui.label(
                        tokens.rich(
                            Type::Strong,
                            if tool.title.is_empty() { name.clone() } else { short(&tool.title, 80) },
                        ),
                    );
                    if tool.read_only {
                        ui.add(Chip::new(tr("servers.offer.read_only")))
                            .on_hover_text(tr("servers.offer.read_only_tip"));
                    }
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let words = if open { tr("common.close") } else { tr("servers.offer.try") };
                        let title = tr_with("servers.offer.try_one", &[("name", &name)]);
                        let button = ui.add(Button::new(words).small()).on_hover_text(&title);
                        if button.clicked() {
                            self.flip(&tool.name, example(&tool.parameters));
                        }
                    });
                });
                ui.add(
                    Label::new(tokens.rich(Type::Code, short(&tool.tool, 120)).color(tokens.color.text_3)).truncate(),
                );
                if !tool.description.is_empty() {
                    let words = short(&tool.description.replace('\n', " "), if open { 4_000 } else { 240 });
                    ui.add(Label::new(tokens.rich(Type::Secondary, words)).wrap());
                }
                let lines = arguments(&tool.parameters);
                if !lines.is_empty() {
                    ui.add_space(tokens.space.xs);
                    for line in lines.iter().take(if open { 60 } else { 6 }) {
                        ui.add(Label::new(tokens.rich(Type::Label, line)).wrap());
                    }
                }
                if open {
                    self.trial(ui, cx, server, tool);
                }
            });
        });
        ui.add_space(tokens.space.s);
    }

    /// Arguments as they are typed, exactly what is sent, and what came back.
    fn trial(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, server: &McpServer, tool: &McpTool) {
        let tokens = ui.tokens();
        ui.add_space(tokens.space.s);
        ui.label(tokens.rich(Type::Secondary, tr("servers.offer.schema")));
        let schema = serde_json::to_string_pretty(&tool.parameters).unwrap_or_default();
        self.schema.show(ui, Id::unique("tool schema"), tr("servers.offer.schema"), &schema, Shown::Plain, 160.0);
        ui.add_space(tokens.space.s);
        ui.label(tokens.rich(Type::Secondary, tr("servers.offer.arguments")));
        let read = read(&self.arguments, &tool.parameters);
        let area = TextArea::new(&mut self.arguments, tr("servers.offer.arguments")).rows(4).code();
        area.problem(read.is_err()).show(ui);
        match read {
            Err(why) => {
                let label = ui.add(Label::new(tokens.rich(Type::Secondary, &why).color(tokens.color.bad)).wrap());
                crate::widgets::speak_as(ui, &label, egui::Role::Alert, &why);
            }
            Ok(value) => {
                let server_name = short(&server.settings.name, 60);
                let title = tr_with("servers.offer.sent", &[("server", &server_name)]);
                ui.label(tokens.rich(Type::Secondary, &title));
                let call = serde_json::json!({ "name": tool.name, "arguments": value });
                let exact = serde_json::to_string_pretty(&call).unwrap_or_default();
                self.sent.show(ui, Id::unique("tool call"), &title, &exact, Shown::Plain, 160.0);
                if self.sent.has_hidden() {
                    states::banner(ui, Tone::Warn, Icon::Warning, tr("servers.offer.hidden"));
                }
                ui.add_space(tokens.space.s);
                let waiting = cx.state.pages.servers.result.is_waiting();
                let words = if waiting { tr("servers.offer.calling") } else { tr("servers.offer.call") };
                let enabled = !waiting && !self.sent.is_cut();
                if ui.add(Button::new(words).icon(Icon::PaperPlaneRight).primary().enabled(enabled)).clicked() {
                    let (id, tool) = (server.id, tool.name.clone());
                    push(cx, ServersCommand::Call { id, tool, arguments: value });
                }
            }
        }
        let mine = |asked: &Asked| matches!(asked, Asked::Tool { name, .. } if *name == tool.name);
        if cx.state.pages.servers.asked.as_ref().is_some_and(mine) {
            self.result.ui(ui, cx);
        }
    }

    fn resource(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, server: &McpServer, one: &McpResource) {
        let tokens = ui.tokens();
        let name = if one.name.is_empty() { short(&one.uri, 120) } else { short(&one.name, 120) };
        ui.push_id(&one.uri, |ui| {
            card(ui, |ui| {
                ui.take_available_width();
                ui.horizontal(|ui| {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let button = Button::new(tr("servers.offer.read")).icon(Icon::Eye).small();
                        let title = tr_with("servers.offer.read_one", &[("name", &name)]);
                        let waiting = cx.state.pages.servers.result.is_waiting();
                        if ui.add(button.enabled(!waiting)).on_hover_text(title).clicked() {
                            push(cx, ServersCommand::Read { id: server.id, uri: one.uri.clone() });
                        }
                        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                            ui.add(Label::new(tokens.rich(Type::Strong, &name)).truncate());
                        });
                    });
                });
                ui.add(Label::new(tokens.rich(Type::Code, short(&one.uri, 200)).color(tokens.color.text_3)).truncate());
                let mut words = vec![short(&one.description, 240), short(&one.mime, 60)];
                words.extend(one.size.map(bytes));
                words.retain(|word| !word.is_empty());
                ui.add(Label::new(tokens.rich(Type::Secondary, words.join(" · "))).wrap());
                let mine = |asked: &Asked| matches!(asked, Asked::Resource { uri } if *uri == one.uri);
                if cx.state.pages.servers.asked.as_ref().is_some_and(mine) {
                    self.result.ui(ui, cx);
                }
            });
        });
        ui.add_space(tokens.space.s);
    }

    fn prompt(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, server: &McpServer, one: &McpPrompt) {
        let tokens = ui.tokens();
        let name = short(&one.name, 80);
        let open = self.open.as_deref() == Some(one.name.as_str());
        ui.push_id(&one.name, |ui| {
            card(ui, |ui| {
                ui.take_available_width();
                ui.horizontal(|ui| {
                    ui.label(tokens.rich(Type::Strong, &name));
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let words = if open { tr("common.close") } else { tr("servers.offer.fill") };
                        let title = tr_with("servers.offer.fill_one", &[("name", &name)]);
                        if ui.add(Button::new(words).small()).on_hover_text(title).clicked() {
                            self.flip(&one.name, String::new());
                        }
                    });
                });
                ui.add(Label::new(tokens.rich(Type::Secondary, short(&one.description, 600))).wrap());
                if !open {
                    return;
                }
                let mut missing = false;
                for (argument, words, required) in one.arguments.iter().take(40) {
                    ui.add_space(tokens.space.xs);
                    let title = short(argument, 60);
                    let mark = if *required { tr("servers.offer.required") } else { tr("servers.offer.optional") };
                    let head = [title.clone(), mark.to_owned(), short(words, 200)];
                    let head: Vec<_> = head.into_iter().filter(|part| !part.is_empty()).collect();
                    ui.add(Label::new(tokens.rich(Type::Secondary, head.join(" · "))).wrap());
                    let value = self.filled.entry(argument.clone()).or_default();
                    TextField::new(value, &title).show(ui);
                    missing |= *required && value.trim().is_empty();
                }
                ui.add_space(tokens.space.s);
                let enabled = !missing && !cx.state.pages.servers.result.is_waiting();
                if ui.add(Button::new(tr("servers.offer.get")).icon(Icon::Eye).primary().enabled(enabled)).clicked() {
                    let arguments = self.filled.iter().filter(|(_, value)| !value.is_empty());
                    let arguments = arguments.map(|(name, value)| (name.clone(), value.clone())).collect();
                    push(cx, ServersCommand::Prompt { id: server.id, name: one.name.clone(), arguments });
                }
                let mine = |asked: &Asked| matches!(asked, Asked::Prompt { name } if *name == one.name);
                if cx.state.pages.servers.asked.as_ref().is_some_and(mine) {
                    self.result.ui(ui, cx);
                }
            });
        });
        ui.add_space(tokens.space.s);
    }
}

fn nothing(ui: &mut Ui, none: bool, at_all: bool, key: &str) {
    if none {
        let words = if at_all { tr(key) } else { tr("servers.offer.no_match") };
        ui.label(ui.tokens().rich(Type::Secondary, words));
    }
}

fn more(ui: &mut Ui, count: usize) {
    if count > MOST {
        let words = tr_with("servers.offer.more", &[("n", &(count - MOST))]);
        ui.label(ui.tokens().rich(Type::Secondary, words));
    }
}

/// The arguments that a schema names: "path (text, required): where the file is".
fn arguments(schema: &Value) -> Vec<String> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let required = required(schema);
    let line = |(name, about): (&String, &Value)| {
        let kind = about.get("type").and_then(Value::as_str).map_or_else(String::new, |kind| short(kind, 20));
        let must = if required.contains(&name.as_str()) { tr("servers.offer.required") } else { "" };
        let marks: Vec<&str> = [kind.as_str(), must].into_iter().filter(|mark| !mark.is_empty()).collect();
        let words = about.get("description").and_then(Value::as_str).map_or_else(String::new, |text| short(text, 200));
        let head =
            if marks.is_empty() { short(name, 60) } else { format!("{} ({})", short(name, 60), marks.join(", ")) };
        if words.is_empty() { head } else { format!("{head}: {words}") }
    };
    properties.iter().take(60).map(line).collect()
}

fn required(schema: &Value) -> Vec<&str> {
    let list = schema.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What the field begins with: the required arguments, empty.
fn example(schema: &Value) -> String {
    let of = |name: &str| match schema.pointer(&format!("/properties/{name}/type")).and_then(Value::as_str) {
        Some("string") => Value::from(""),
        Some("integer" | "number") => Value::from(0),
        Some("boolean") => Value::from(false),
        Some("array") => Value::Array(Vec::new()),
        Some("object") => Value::Object(serde_json::Map::new()),
        _ => Value::Null,
    };
    let map: serde_json::Map<String, Value> =
        required(schema).into_iter().take(60).map(|name| (name.to_owned(), of(name))).collect();
    serde_json::to_string_pretty(&map).unwrap_or_else(|_| "{}".to_owned())
}

/// The arguments as JSON, or what is wrong with them in words; the server itself judges the rest.
fn read(text: &str, schema: &Value) -> Result<Value, String> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let value: Value = serde_json::from_str(text)
        .map_err(|error| tr_with("servers.offer.no_json", &[("line", &error.line()), ("column", &error.column())]))?;
    let Some(map) = value.as_object() else { return Err(tr("servers.offer.no_object").to_owned()) };
    if let Some(missing) = required(schema).into_iter().find(|name| !map.contains_key(*name)) {
        return Err(tr_with("servers.offer.missing", &[("name", &short(missing, 60))]));
    }
    let wrong = |(name, value): (&String, &Value)| {
        let kind = schema.get("properties")?.get(name)?.get("type")?.as_str()?;
        let fits = match kind {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        };
        (!fits).then(|| tr_with("servers.offer.wrong_kind", &[("name", &short(name, 60)), ("kind", &short(kind, 20))]))
    };
    match map.iter().find_map(wrong) {
        Some(words) => Err(words),
        None => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_judged_in_words_before_anything_is_sent() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "integer", "description": "first\nnumber"}, "b": {"type": "string"}}});
        assert_eq!(arguments(&schema)[0], "a (integer, required): first\\nnumber");
        assert_eq!(serde_json::from_str::<Value>(&example(&schema)).unwrap(), json!({"a": 0}));
        assert_eq!(read("{\"a\": 2}", &schema), Ok(json!({"a": 2})));
        for (text, part) in [("{\"a\": }", "line 1"), ("[1]", "object"), ("", "a"), ("{\"a\": \"x\"}", "integer")] {
            assert!(read(text, &schema).unwrap_err().contains(part), "{text}");
        }
        assert!(read("{\"free\": 1}", &json!(true)).is_ok());
    }
}
