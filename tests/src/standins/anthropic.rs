//! The Messages API as Anthropic's own client speaks it.

use serde_json::{Value, json};

use super::{ARGUMENTS, Asked, KEY, Reply, Said, Vendor, say, unknown};

pub struct Anthropic;

/// In pages of two.
const MODELS: [&str; 3] = ["claude-standin-4", "claude-standin-3", "claude-standin-2"];
/// As the client of today sends them. The newest model takes no temperature any more.
const FIELDS: [&str; 13] = [
    "model",
    "max_tokens",
    "messages",
    "stream",
    "system",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "metadata",
    "output_config",
];

fn model(id: &str) -> Value {
    json!({
        "type": "model", "id": id, "display_name": format!("Stand-in {id}"), "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active", "max_input_tokens": 200_000, "max_tokens": 64_000, "capabilities": null,
    })
}

fn event(name: &str, value: &Value) -> Vec<u8> {
    format!("event: {name}\ndata: {value}\n\n").into_bytes()
}

impl Anthropic {
    fn models(&self, asked: &Asked) -> Reply {
        let limit = asked.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20).min(2);
        let after = asked.parameter("after_id").and_then(|after| MODELS.iter().position(|id| *id == after));
        let start = after.map_or(0, |position| position + 1);
        let page: Vec<Value> = MODELS.iter().skip(start).take(limit).map(|id| model(id)).collect();
        let (first, last) = (page.first().map(|model| &model["id"]), page.last().map(|model| &model["id"]));
        let more = start + page.len() < MODELS.len();
        Reply::json(200, &json!({"data": page, "has_more": more, "first_id": first, "last_id": last}))
    }

    fn refuse(&self, status: u16, message: &str) -> Reply {
        Reply::json(status, &self.error(status, message))
    }

    fn messages(&self, asked: &Asked) -> Reply {
        let body = asked.json();
        if let Some(field) = unknown(&body, &FIELDS) {
            return self.refuse(400, &format!("{field}: Extra inputs are not permitted"));
        }
        let name = body["model"].as_str().unwrap_or_default();
        if !MODELS.contains(&name) {
            return self.refuse(404, &format!("model: {name}"));
        }
        if name == MODELS[0] && !body["temperature"].is_null() {
            return self.refuse(400, "`temperature` is not supported by this model");
        }
        if body["max_tokens"].as_u64().is_none_or(|most| most == 0) {
            return self.refuse(400, "max_tokens: Field required");
        }
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        if messages.first().is_none_or(|message| message["role"] != "user") {
            return self.refuse(400, "messages: first message must use the \"user\" role");
        }
        if messages.windows(2).any(|pair| pair[0]["role"] == pair[1]["role"]) {
            return self.refuse(400, "messages: roles must alternate");
        }
        let blocks: Vec<Value> =
            messages.iter().flat_map(|m| m["content"].as_array().cloned().unwrap_or_default()).collect();
        if blocks.iter().any(|block| block["type"] == "text" && block["text"] == "") {
            return self.refuse(400, "messages: text content blocks must be non-empty");
        }
        let of = |kind: &str| blocks.iter().filter(|block| block["type"] == kind).cloned().collect::<Vec<_>>();
        let (uses, results) = (of("tool_use"), of("tool_result"));
        if results.iter().any(|result| uses.iter().all(|call| call["id"] != result["tool_use_id"])) {
            return self.refuse(400, "messages: `tool_result` block without its `tool_use` block");
        }
        let results: Vec<String> = results
            .iter()
            .map(|result| match &result["content"] {
                Value::String(text) => text.clone(),
                blocks => blocks[0]["text"].as_str().unwrap_or_default().to_owned(),
            })
            .collect();
        let tools = body["tools"].as_array().cloned().unwrap_or_default();
        if tools.iter().any(|tool| tool["name"].as_str().is_none() || tool["input_schema"]["type"] != "object") {
            return self.refuse(400, "tools: input_schema.type must be object");
        }
        let named = body["tool_choice"]["name"].as_str();
        let offered =
            tools.first().and_then(|tool| tool["name"].as_str()).filter(|_| body["tool_choice"]["type"] != "none");
        let said = match named {
            // A forced tool is called whatever was before.
            Some(name) => Said::Call { name: name.to_owned() },
            None => say(offered, &results, false),
        };
        let prompt = asked.body.len() as u64 / 4;
        match body["stream"] == true {
            true => Reply::events(stream(name, &said, prompt)),
            false => Reply::json(200, &whole(name, &said, prompt)),
        }
    }
}

/// A forced answer has the form of its schema; other tools get what they always get.
fn input(name: &str) -> &'static str {
    if name == "answer" { "{\"city\":\"Zürich\",\"degrees\":21}" } else { ARGUMENTS }
}

fn whole(model: &str, said: &Said, prompt: u64) -> Value {
    let (content, reason, count) = match said {
        Said::Pieces(pieces) => {
            (json!([{"type": "text", "text": pieces.concat(), "citations": null}]), "end_turn", pieces.len())
        }
        Said::Call { name } => {
            let input: Value = serde_json::from_str(input(name)).unwrap_or_default();
            (json!([{"type": "tool_use", "id": "toolu_01", "name": name, "input": input}]), "tool_use", 5)
        }
    };
    json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": reason, "stop_sequence": null, "usage": {"input_tokens": prompt, "output_tokens": count},
    })
}

fn stream(model: &str, said: &Said, prompt: u64) -> Vec<Vec<u8>> {
    let start = json!({"type": "message_start", "message": {
        "id": "msg_01", "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": prompt, "output_tokens": 1},
    }});
    let mut pieces = vec![event("message_start", &start)];
    let mut add = |name: &str, value: Value| pieces.push(event(name, &value));
    let (reason, count) = match said {
        Said::Pieces(texts) => {
            add(
                "content_block_start",
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            );
            add("ping", json!({"type": "ping"}));
            for text in texts {
                add(
                    "content_block_delta",
                    json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
                );
            }
            ("end_turn", texts.len())
        }
        Said::Call { name } => {
            add(
                "content_block_start",
                json!({"type": "content_block_start", "index": 0,
                "content_block": {"type": "tool_use", "id": "toolu_01", "name": name, "input": {}}}),
            );
            let json_text = input(name);
            let letters: Vec<char> = json_text.chars().collect();
            for piece in std::iter::once(String::new()).chain(letters.chunks(7).map(|piece| piece.iter().collect())) {
                add(
                    "content_block_delta",
                    json!({"type": "content_block_delta", "index": 0,
                    "delta": {"type": "input_json_delta", "partial_json": piece}}),
                );
            }
            ("tool_use", 5)
        }
    };
    add("content_block_stop", json!({"type": "content_block_stop", "index": 0}));
    add(
        "message_delta",
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null},
        "usage": {"output_tokens": count}}),
    );
    add("message_stop", json!({"type": "message_stop"}));
    pieces
}

impl Vendor for Anthropic {
    fn answer(&self, asked: &Asked) -> Reply {
        if asked.header("x-api-key") != Some(KEY) {
            return self.refuse(401, "invalid x-api-key");
        }
        if asked.header("anthropic-version") != Some("2023-06-01") {
            return self.refuse(400, "anthropic-version: header is required");
        }
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/v1/models") => self.models(asked),
            ("GET", path) if path.strip_prefix("/v1/models/").is_some_and(|id| MODELS.contains(&id)) => {
                Reply::json(200, &model(path.trim_start_matches("/v1/models/")))
            }
            ("POST", "/v1/messages") => self.messages(asked),
            _ => self.refuse(404, "Not found"),
        }
    }

    fn error(&self, status: u16, message: &str) -> Value {
        let kind = match status {
            400 => "invalid_request_error",
            401 => "authentication_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_01"})
    }

    fn error_piece(&self) -> Vec<u8> {
        event("error", &self.error(529, "Overloaded"))
    }

    fn broken_piece(&self) -> Vec<u8> {
        b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\n\n".to_vec()
    }

    fn endless_piece(&self) -> Vec<u8> {
        event(
            "content_block_delta",
            &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "more "}}),
        )
    }

    fn line_start(&self) -> &'static [u8] {
        b"data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\""
    }
}
