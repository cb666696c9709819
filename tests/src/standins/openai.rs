//! Chat completions, models and embeddings as OpenAI's own client speaks them.

use serde_json::{Value, json};

use super::{ARGUMENTS, Asked, KEY, Reply, Said, Vendor, data, say, unknown, vector};

/// `plain` servers know fewer fields, as some that speak this API do.
#[derive(Default)]
pub struct OpenAi {
    pub plain: bool,
}

const MODELS: [&str; 3] = ["gpt-standin", "org/gpt-standin-small", "standin-embedding"];
const FIELDS: [&str; 13] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "max_tokens",
    "max_completion_tokens",
    "tools",
    "tool_choice",
    "response_format",
];

impl OpenAi {
    fn refuse(&self, status: u16, message: &str) -> Reply {
        Reply::json(status, &self.error(status, message))
    }

    fn chat(&self, asked: &Asked) -> Reply {
        let body = asked.json();
        if let Some(field) = unknown(&body, &FIELDS) {
            return self.refuse(400, &format!("Unrecognized request argument supplied: {field}"));
        }
        let name = body["model"].as_str().unwrap_or_default();
        if !MODELS.contains(&name) {
            return self.refuse(404, &format!("The model `{name}` does not exist"));
        }
        let refused = match self.plain {
            true if !body["stream_options"].is_null() => Some("stream_options: Extra inputs are not permitted"),
            true if body["response_format"]["type"] == "json_schema" => Some(
                "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\", 'input': 'json_schema'}]",
            ),
            false if !body["max_tokens"].is_null() => Some(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            ),
            _ => None,
        };
        if let Some(words) = refused {
            return self.refuse(400, words);
        }
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        let calls: Vec<&Value> =
            messages.iter().flat_map(|message| message["tool_calls"].as_array().into_iter().flatten()).collect();
        let results: Vec<&Value> = messages.iter().filter(|message| message["role"] == "tool").collect();
        if results.iter().any(|result| calls.iter().all(|call| call["id"] != result["tool_call_id"])) {
            return self
                .refuse(400, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'");
        }
        if calls.iter().any(|call| call["type"] != "function" || call["function"]["arguments"].as_str().is_none()) {
            return self.refuse(400, "tool_calls: arguments must be a string");
        }
        let results: Vec<String> =
            results.iter().map(|result| result["content"].as_str().unwrap_or_default().to_owned()).collect();
        let tools = body["tools"].as_array().cloned().unwrap_or_default();
        if tools.iter().any(|tool| tool["type"] != "function" || tool["function"]["name"].as_str().is_none()) {
            return self.refuse(400, "Missing required parameter: 'tools[0].function.name'");
        }
        let offered =
            tools.first().and_then(|tool| tool["function"]["name"].as_str()).filter(|_| body["tool_choice"] != "none");
        let said = say(offered, &results, !body["response_format"].is_null());
        let prompt = asked.body.len() as u64 / 4;
        match body["stream"] == true {
            true => Reply::events(stream(name, &said, prompt, body["stream_options"]["include_usage"] == true)),
            false => Reply::json(200, &whole(name, &said, prompt)),
        }
    }

    fn embed(&self, asked: &Asked) -> Reply {
        let body = asked.json();
        let texts: Vec<&str> = match &body["input"] {
            Value::String(text) => vec![text],
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
            _ => return self.refuse(400, "'input' is a required property"),
        };
        let embedding = |text: &str| match body["encoding_format"].as_str() {
            Some("base64") => {
                let bytes: Vec<u8> = vector(text).into_iter().flat_map(f32::to_le_bytes).collect();
                base64(&bytes).into()
            }
            _ => json!(vector(text)),
        };
        let item = |(index, text): (usize, &&str)| json!({"object": "embedding", "index": index, "embedding": embedding(text)});
        // Not in their order: the index counts.
        let data: Vec<Value> = texts.iter().enumerate().map(item).rev().collect();
        Reply::json(
            200,
            &json!({"object": "list", "data": data, "model": body["model"],
            "usage": {"prompt_tokens": texts.len(), "total_tokens": texts.len()}}),
        )
    }
}

fn usage(prompt: u64, answer: usize) -> Value {
    json!({"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer as u64})
}

fn whole(model: &str, said: &Said, prompt: u64) -> Value {
    let (message, reason, count) = match said {
        Said::Pieces(pieces) => {
            (json!({"role": "assistant", "content": pieces.concat(), "refusal": null}), "stop", pieces.len())
        }
        Said::Call { name } => {
            let call =
                json!({"id": "call_abc", "type": "function", "function": {"name": name, "arguments": ARGUMENTS}});
            (json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls", 5)
        }
    };
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1_767_225_600, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": null}], "usage": usage(prompt, count)})
}

fn stream(model: &str, said: &Said, prompt: u64, with_usage: bool) -> Vec<Vec<u8>> {
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_767_225_600, "model": model, "choices": choices});
        if with_usage {
            chunk["usage"] = usage;
        }
        data(&chunk)
    };
    let delta = |delta: Value, reason: Value| {
        chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}]), Value::Null)
    };
    let mut pieces = vec![delta(json!({"role": "assistant", "content": ""}), Value::Null)];
    let (reason, count) = match said {
        Said::Pieces(texts) => {
            pieces.extend(texts.iter().map(|text| delta(json!({"content": text}), Value::Null)));
            ("stop", texts.len())
        }
        Said::Call { name } => {
            let call =
                json!({"index": 0, "id": "call_abc", "type": "function", "function": {"name": name, "arguments": ""}});
            pieces.push(delta(json!({"tool_calls": [call]}), Value::Null));
            let letters: Vec<char> = ARGUMENTS.chars().collect();
            for piece in letters.chunks(6) {
                let piece: String = piece.iter().collect();
                pieces
                    .push(delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}), Value::Null));
            }
            ("tool_calls", 5)
        }
    };
    pieces.push(delta(json!({}), reason.into()));
    if with_usage {
        pieces.push(chunk(json!([]), usage(prompt, count)));
    }
    pieces.push(b"data: [DONE]\n\n".to_vec());
    pieces
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for position in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * position) & 63) as usize];
            text.push(if position <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

impl Vendor for OpenAi {
    fn answer(&self, asked: &Asked) -> Reply {
        if asked.header("authorization") != Some(&format!("Bearer {KEY}")) {
            return self.refuse(401, "Incorrect API key provided");
        }
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/v1/models") => {
                let model = |id: &&str| json!({"id": id, "object": "model", "created": 1_767_225_600, "owned_by": "standin", "max_model_len": 32_768});
                Reply::json(200, &json!({"object": "list", "data": MODELS.iter().map(model).collect::<Vec<_>>()}))
            }
            ("POST", "/v1/chat/completions") => self.chat(asked),
            ("POST", "/v1/embeddings") => self.embed(asked),
            _ => self.refuse(404, "Invalid URL"),
        }
    }

    fn error(&self, status: u16, message: &str) -> Value {
        let kind = match status {
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
    }

    fn error_piece(&self) -> Vec<u8> {
        data(&self.error(500, "The server had an error while processing your request"))
    }

    fn broken_piece(&self) -> Vec<u8> {
        b"data: {\"choices\":[{\"delta\":\n\n".to_vec()
    }

    fn endless_piece(&self) -> Vec<u8> {
        data(&json!({"choices": [{"index": 0, "delta": {"content": "more "}, "finish_reason": null}]}))
    }

    fn line_start(&self) -> &'static [u8] {
        b"data: {\"choices\":[{\"delta\":{\"content\":\""
    }
}
