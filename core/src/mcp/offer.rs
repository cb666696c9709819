//! What a server offers and what its tools give, taken over within limits.

use std::collections::BTreeSet;

use rmcp::model::{
    CallToolResult, ContentBlock, GetPromptResult, Prompt, ReadResourceResult, Resource, ResourceContents, Tool,
};
use serde_json::Value;

use super::schema;
use super::words::{clean, line, tool_names};
use crate::model::{McpContent, McpPrompt, McpResource, McpTool};

/// Of each kind.
pub const MOST: usize = 500;
/// Pages that are asked for.
pub const MOST_PAGES: usize = 100;
/// Bytes of all descriptions and schemas together.
const MOST_WORDS: usize = 1 << 20;
/// Characters.
const LONGEST_NAME: usize = 128;
const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 4_000;
const LONGEST_URI: usize = 2_000;
pub const LONGEST_INSTRUCTIONS: usize = 8_000;
const MOST_PROMPT_ARGUMENTS: usize = 50;
/// Characters of what a call, a resource or a prompt gives.
const LONGEST_TEXT: usize = 1 << 20;
const MOST_PARTS: usize = 200;
/// Bytes of what a call gives as data.
const LARGEST_DATA: usize = 1 << 20;

/// A name that can be sent back as it is: shown without change, of reasonable length.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= LONGEST_NAME && line(name, LONGEST_NAME) == name
}

/// Tools with usable names, each once, until there are too many or they say too much.
pub fn tools(server: &str, listed: Vec<Tool>) -> Vec<McpTool> {
    let mut words = 0;
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for tool in listed {
        if kept.len() == MOST || !is_name(&tool.name) || !seen.insert(tool.name.to_string()) {
            continue;
        }
        let description = clean(tool.description.as_deref().unwrap_or_default(), LONGEST_DESCRIPTION);
        let parameters = schema::sanitised(&Value::Object(tool.input_schema.as_ref().clone()));
        words += description.len() + parameters.to_string().len();
        if words > MOST_WORDS {
            break;
        }
        let hints = tool.annotations.as_ref();
        let title = tool.title.as_deref().or(hints.and_then(|hints| hints.title.as_deref()));
        kept.push(McpTool {
            tool: String::new(),
            title: line(title.unwrap_or(&tool.name), LONGEST_TITLE),
            description,
            parameters,
            read_only: hints.and_then(|hints| hints.read_only_hint).unwrap_or(false),
            name: tool.name.into_owned(),
        });
    }
    let own: Vec<String> = kept.iter().map(|tool| tool.name.clone()).collect();
    for (tool, name) in kept.iter_mut().zip(tool_names(server, &own)) {
        tool.tool = name;
    }
    kept
}

pub fn resources(listed: Vec<Resource>) -> Vec<McpResource> {
    let usable = |uri: &str| !uri.is_empty() && uri.chars().count() <= LONGEST_URI && line(uri, LONGEST_URI) == uri;
    let listed = listed.into_iter().filter(|resource| usable(&resource.uri)).take(MOST);
    listed
        .map(|resource| McpResource {
            name: line(resource.title.as_deref().unwrap_or(&resource.name), LONGEST_TITLE),
            description: clean(resource.description.as_deref().unwrap_or_default(), LONGEST_TITLE * 5),
            mime: line(resource.mime_type.as_deref().unwrap_or_default(), LONGEST_NAME),
            size: resource.size,
            uri: resource.uri,
        })
        .collect()
}

pub fn prompts(listed: Vec<Prompt>) -> Vec<McpPrompt> {
    let listed = listed.into_iter().filter(|prompt| is_name(&prompt.name)).take(MOST);
    listed
        .map(|prompt| {
            let arguments = prompt.arguments.unwrap_or_default().into_iter().take(MOST_PROMPT_ARGUMENTS);
            let arguments = arguments.filter(|argument| is_name(&argument.name)).map(|argument| {
                let words = line(argument.description.as_deref().unwrap_or_default(), LONGEST_TITLE);
                (argument.name, words, argument.required.unwrap_or(false))
            });
            McpPrompt {
                arguments: arguments.collect(),
                description: clean(prompt.description.as_deref().unwrap_or_default(), LONGEST_TITLE * 5),
                name: prompt.name,
            }
        })
        .collect()
}

/// Texts one after the other, within the limit; what is no text in words.
#[derive(Default)]
struct Parts {
    text: String,
    other: Vec<String>,
    left_out: usize,
}

impl Parts {
    fn text(&mut self, text: &str) {
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push('\n');
        }
        let room = LONGEST_TEXT.saturating_sub(self.text.len());
        let end = text.floor_char_boundary(room);
        self.text.push_str(&text[..end]);
        self.left_out += text.len() - end;
    }

    fn other(&mut self, words: String) {
        if self.other.len() < MOST_PARTS {
            self.other.push(words);
        }
    }

    fn block(&mut self, block: ContentBlock) {
        match block {
            ContentBlock::Text(text) => self.text(&text.text),
            ContentBlock::Image(image) => self.other(data(&image.mime_type, &image.data)),
            ContentBlock::Audio(audio) => self.other(data(&audio.mime_type, &audio.data)),
            ContentBlock::Resource(embedded) => self.contents(embedded.resource),
            ContentBlock::ResourceLink(link) => {
                self.other(format!("a link to the resource {}", line(&link.uri, LONGEST_TITLE)));
            }
            _ => self.other("a part of a kind that this program does not know".to_owned()),
        }
    }

    fn contents(&mut self, contents: ResourceContents) {
        match contents {
            ResourceContents::TextResourceContents { text, .. } => self.text(&text),
            ResourceContents::BlobResourceContents { mime_type, blob, .. } => {
                self.other(data(mime_type.as_deref().unwrap_or("data"), &blob));
            }
            _ => self.other("a part of a kind that this program does not know".to_owned()),
        }
    }

    fn content(self, data: Option<Value>, failed: bool) -> McpContent {
        let mut text = crate::confine::visible(&self.text);
        if self.left_out > 0 {
            text.push_str(&format!("\n[{} bytes more were left out]", self.left_out));
        }
        McpContent { text, other: self.other, data, failed }
    }
}

/// "image/png, 12 KB"
fn data(mime: &str, base64: &str) -> String {
    let bytes = base64.len() / 4 * 3;
    let size = if bytes < 1_024 { format!("{bytes} bytes") } else { format!("{} KB", bytes / 1_024) };
    format!("{}, {size}", line(mime, LONGEST_NAME))
}

pub fn of_call(result: CallToolResult) -> McpContent {
    let mut parts = Parts::default();
    let structured = result.structured_content.filter(|data| data.to_string().len() <= LARGEST_DATA);
    for block in result.content {
        parts.block(block);
    }
    if let Some(data) = structured.as_ref().filter(|_| parts.text.is_empty()) {
        parts.text(&data.to_string());
    }
    parts.content(structured, result.is_error.unwrap_or(false))
}

pub fn of_resource(result: ReadResourceResult) -> McpContent {
    let mut parts = Parts::default();
    for contents in result.contents {
        parts.contents(contents);
    }
    parts.content(None, false)
}

pub fn of_prompt(result: GetPromptResult) -> McpContent {
    let mut parts = Parts::default();
    for message in result.messages {
        let who = match message.role {
            rmcp::model::Role::User => "user:",
            rmcp::model::Role::Assistant => "assistant:",
        };
        parts.text(who);
        parts.block(message.content);
    }
    parts.content(None, false)
}
