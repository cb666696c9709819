//! Ollama's API as its own client speaks it.

use serde_json::{Value, json};

use super::{ARGUMENTS, Asked, Reply, Said, Vendor, say, unknown, vector};

pub struct Ollama;

const MODELS: [&str; 2] = ["standin:135m", "standin-embed:latest"];
const TIME: &str = "2026-01-01T00:00:00.000000Z";

fn details() -> Value {
    json!({"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": "134.52M", "quantization_level": "Q4_1"})
}

fn line(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

impl Ollama {
    fn refuse(&self, status: u16, message: &str) -> Reply {
        Reply::json(status, &self.error(status, message))
    }

    fn chat(&self, asked: &Asked) -> Reply {
        let body = asked.json();
        let known = [
            "model",
            "messages",
            "stream",
            "options",
            "format",
            "tools",
            "think",
            "keep_alive",
            "logprobs",
            "top_logprobs",
        ];
        if let Some(field) = unknown(&body, &known) {
            return self.refuse(400, &format!("unknown field {field}"));
        }
        let name = body["model"].as_str().unwrap_or_default();
        if !MODELS.contains(&name) {
            return self.refuse(404, &format!("model '{name}' not found"));
        }
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        let calls = messages.iter().flat_map(|message| message["tool_calls"].as_array().into_iter().flatten());
        if calls.clone().any(|call| !call["function"]["arguments"].is_object()) {
            return self.refuse(400, "json: cannot unmarshal string into Go struct field");
        }
        let results: Vec<String> = messages
            .iter()
            .filter(|message| message["role"] == "tool")
            .map(|message| message["content"].as_str().unwrap_or_default().to_owned())
            .collect();
        let said = say(body["tools"][0]["function"]["name"].as_str(), &results, body["format"].is_object());
        let prompt = asked.body.len() as u64 / 4;
        let pieces = stream(name, &said, prompt);
        match body["stream"] != false {
            true => Reply::lines(pieces.iter().map(line).collect()),
            false => {
                let mut last = pieces.last().cloned().unwrap_or_default();
                let text: String = pieces.iter().filter_map(|piece| piece["message"]["content"].as_str()).collect();
                let calls = pieces.iter().find_map(|piece| piece["message"].get("tool_calls")).cloned();
                last["message"]["content"] = text.into();
                if let Some(calls) = calls {
                    last["message"]["tool_calls"] = calls;
                }
                Reply::json(200, &last)
            }
        }
    }

    fn embed(&self, asked: &Asked) -> Reply {
        let body = asked.json();
        let texts: Vec<&str> = match &body["input"] {
            Value::String(text) => vec![text],
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
            _ => return self.refuse(400, "invalid input type"),
        };
        let vectors: Vec<_> = texts.iter().map(|text| vector(text)).collect();
        Reply::json(
            200,
            &json!({"model": body["model"], "embeddings": vectors, "total_duration": 1, "load_duration": 1, "prompt_eval_count": texts.len()}),
        )
    }

    fn pull(&self, asked: &Asked) -> Reply {
        let body = asked.json();
        let name = body["model"].as_str().unwrap_or_default();
        if !name.starts_with("standin") {
            let error = json!({"error": "pull model manifest: file does not exist"});
            return match body["stream"] != false {
                true => Reply::lines(vec![line(&json!({"status": "pulling manifest"})), line(&error)]),
                false => Reply::json(500, &error),
            };
        }
        let part = |done: u64| json!({"status": "pulling 6f48b936a09f", "digest": "sha256:6f48", "total": 300, "completed": done});
        let all = [
            json!({"status": "pulling manifest"}),
            part(100),
            part(300),
            json!({"status": "verifying sha256 digest"}),
            json!({"status": "success"}),
        ];
        match body["stream"] != false {
            true => Reply::lines(all.iter().map(line).collect()),
            false => Reply::json(200, &all[4]),
        }
    }
}

fn stream(model: &str, said: &Said, prompt: u64) -> Vec<Value> {
    let message = |message: Value| json!({"model": model, "created_at": TIME, "message": message, "done": false});
    let (mut pieces, count): (Vec<Value>, usize) = match said {
        Said::Pieces(texts) => {
            (texts.iter().map(|text| message(json!({"role": "assistant", "content": text}))).collect(), texts.len())
        }
        Said::Call { name } => {
            let arguments: Value = serde_json::from_str(ARGUMENTS).unwrap_or_default();
            let call = json!({"function": {"name": name, "arguments": arguments}});
            (vec![message(json!({"role": "assistant", "content": "", "tool_calls": [call]}))], 5)
        }
    };
    pieces.push(
        json!({"model": model, "created_at": TIME, "message": {"role": "assistant", "content": ""}, "done": true,
        "done_reason": "stop", "total_duration": 10, "load_duration": 1, "prompt_eval_count": prompt,
        "prompt_eval_duration": 2, "eval_count": count, "eval_duration": 3}),
    );
    pieces
}

impl Vendor for Ollama {
    fn answer(&self, asked: &Asked) -> Reply {
        let named = || asked.json()["model"].as_str().is_some_and(|name| MODELS.contains(&name));
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/api/version") => Reply::json(200, &json!({"version": "0.13.0"})),
            ("GET", "/api/tags") => {
                let model = |name: &&str| json!({"name": name, "model": name, "modified_at": TIME, "size": 98_362_432, "digest": "6f48b936a09f", "details": details()});
                Reply::json(200, &json!({"models": MODELS.iter().map(model).collect::<Vec<_>>()}))
            }
            ("POST", "/api/show") if named() => Reply::json(
                200,
                &json!({"modelfile": "", "parameters": "", "template": "", "details": details(), "capabilities": ["completion", "tools"],
                    "model_info": {"general.architecture": "llama", "general.parameter_count": 134_515_008, "llama.context_length": 8_192}}),
            ),
            ("POST", "/api/chat") => self.chat(asked),
            ("POST", "/api/embed") => self.embed(asked),
            ("POST", "/api/pull") => self.pull(asked),
            ("DELETE", "/api/delete") if named() => {
                Reply { status: 200, content_type: "application/json", pieces: vec![Vec::new()] }
            }
            ("POST", "/api/show") | ("DELETE", "/api/delete") => self.refuse(404, "model 'x' not found"),
            _ => self.refuse(404, "404 page not found"),
        }
    }

    fn error(&self, _status: u16, message: &str) -> Value {
        json!({"error": message})
    }

    fn error_piece(&self) -> Vec<u8> {
        line(&json!({"error": "an error was encountered while running the model"}))
    }

    fn broken_piece(&self) -> Vec<u8> {
        b"{\"message\":\n".to_vec()
    }

    fn endless_piece(&self) -> Vec<u8> {
        line(&json!({"message": {"role": "assistant", "content": "more "}, "done": false}))
    }

    fn line_start(&self) -> &'static [u8] {
        b"{\"message\":{\"content\":\""
    }
}
