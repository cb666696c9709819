//! The Gemini API (v1beta) as Google's own client speaks it.

use serde_json::{Value, json};

use super::{ARGUMENTS, Asked, KEY, Reply, Said, Vendor, data, say, unknown, vector};

pub struct Gemini;

/// In pages of two.
const MODELS: [&str; 3] = ["gemini-standin", "gemini-standin-lite", "standin-embedding"];

fn model(name: &str) -> Value {
    let methods =
        if name.contains("embedding") { json!(["embedContent"]) } else { json!(["generateContent", "countTokens"]) };
    json!({
        "name": format!("models/{name}"), "version": "1", "displayName": name, "description": "A stand-in",
        "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536, "supportedGenerationMethods": methods,
    })
}

impl Gemini {
    fn refuse(&self, status: u16, message: &str) -> Reply {
        Reply::json(status, &self.error(status, message))
    }

    fn models(&self, asked: &Asked) -> Reply {
        let start: usize = asked.parameter("pageToken").and_then(|token| token.parse().ok()).unwrap_or(0);
        let size: usize = asked.parameter("pageSize").and_then(|size| size.parse().ok()).unwrap_or(50).min(2);
        let page: Vec<Value> = MODELS.iter().skip(start).take(size).map(|name| model(name)).collect();
        let next = start + page.len();
        let mut answer = json!({"models": page});
        if next < MODELS.len() {
            answer["nextPageToken"] = next.to_string().into();
        }
        Reply::json(200, &answer)
    }

    fn generate(&self, asked: &Asked, name: &str, streamed: bool) -> Reply {
        let body = asked.json();
        let known = ["contents", "systemInstruction", "generationConfig", "tools", "toolConfig", "safetySettings"];
        if let Some(field) = unknown(&body, &known) {
            return self
                .refuse(400, &format!("Invalid JSON payload received. Unknown name \"{field}\": Cannot find field."));
        }
        let config = [
            "temperature",
            "topP",
            "topK",
            "seed",
            "maxOutputTokens",
            "stopSequences",
            "responseMimeType",
            "responseJsonSchema",
            "responseSchema",
            "candidateCount",
        ];
        if let Some(field) = unknown(&body["generationConfig"], &config) {
            return self.refuse(
                400,
                &format!("Invalid JSON payload received. Unknown name \"{field}\" at 'generation_config'"),
            );
        }
        let contents = body["contents"].as_array().cloned().unwrap_or_default();
        if contents.is_empty()
            || contents.iter().any(|content| !matches!(content["role"].as_str(), Some("user" | "model")))
        {
            return self.refuse(400, "Please use a valid role: user, model.");
        }
        let parts: Vec<&Value> =
            contents.iter().flat_map(|content| content["parts"].as_array().into_iter().flatten()).collect();
        let calls: Vec<&Value> = parts.iter().filter_map(|part| part.get("functionCall")).collect();
        if parts.iter().any(|part| part.get("functionCall").is_some() && part["thoughtSignature"].as_str().is_none()) {
            return self.refuse(400, "Function call is missing a thought_signature in functionCall parts.");
        }
        let results: Vec<&Value> = parts.iter().filter_map(|part| part.get("functionResponse")).collect();
        if results.iter().any(|result| calls.iter().all(|call| call["name"] != result["name"])) {
            return self.refuse(
                400,
                "Please ensure that function response turn comes immediately after a function call turn.",
            );
        }
        let results: Vec<String> = results
            .iter()
            .filter_map(|result| result["response"].as_object()?.values().next()?.as_str().map(str::to_owned))
            .collect();
        let declared = body["tools"][0]["functionDeclarations"].as_array().cloned().unwrap_or_default();
        let mode = body["toolConfig"]["functionCallingConfig"]["mode"].as_str();
        let offered = declared.first().and_then(|tool| tool["name"].as_str()).filter(|_| mode != Some("NONE"));
        let schema = body["generationConfig"]["responseMimeType"] == "application/json";
        let said = say(offered, &results, schema);
        let prompt = asked.body.len() as u64 / 4;
        let pieces = stream(name, &said, prompt);
        match streamed {
            true => Reply::events(pieces.iter().map(|piece| format!("data: {piece}\r\n\r\n").into_bytes()).collect()),
            false => {
                let mut last = pieces.last().cloned().unwrap_or_default();
                let parts = pieces.iter().flat_map(|piece| {
                    piece["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default()
                });
                last["candidates"][0]["content"] = json!({"role": "model", "parts": parts.collect::<Vec<_>>()});
                Reply::json(200, &last)
            }
        }
    }

    fn embed(&self, asked: &Asked) -> Reply {
        let body = asked.json();
        let text = |request: &Value| request["content"]["parts"][0]["text"].as_str().map(vector);
        let requests = body["requests"].as_array().cloned().unwrap_or_default();
        match requests.iter().map(text).collect::<Option<Vec<_>>>() {
            Some(vectors) if requests.len() <= 100 => {
                let embeddings: Vec<Value> = vectors.into_iter().map(|values| json!({"values": values})).collect();
                Reply::json(200, &json!({"embeddings": embeddings}))
            }
            _ => self.refuse(400, "at most 100 requests can be in one batch"),
        }
    }
}

fn stream(model: &str, said: &Said, prompt: u64) -> Vec<Value> {
    let parts: Vec<Value> = match said {
        Said::Pieces(texts) => texts.iter().map(|text| json!({"text": text})).collect(),
        Said::Call { name } => {
            let arguments: Value = serde_json::from_str(ARGUMENTS).unwrap_or_default();
            vec![
                json!({"text": "thinking of the weather", "thought": true}),
                json!({"functionCall": {"name": name, "args": arguments}, "thoughtSignature": "c2lnbmF0dXJl"}),
            ]
        }
    };
    let last = parts.len() - 1;
    let piece = |(position, part): (usize, &Value)| {
        let mut candidate = json!({"content": {"role": "model", "parts": [part]}, "index": 0});
        if position == last {
            candidate["finishReason"] = "STOP".into();
        }
        json!({"candidates": [candidate], "modelVersion": model, "responseId": "r1",
            "usageMetadata": {"promptTokenCount": prompt, "candidatesTokenCount": position + 1, "totalTokenCount": prompt + position as u64 + 1}})
    };
    parts.iter().enumerate().map(piece).collect()
}

impl Vendor for Gemini {
    fn answer(&self, asked: &Asked) -> Reply {
        if asked.query.contains(KEY) || asked.header("x-goog-api-key") != Some(KEY) {
            return self.refuse(400, "API key not valid. Please pass a valid API key.");
        }
        let path = asked.path.strip_prefix("/v1beta/").unwrap_or_default();
        let known = |place: &str| place.strip_prefix("models/").filter(|name| MODELS.contains(name)).map(str::to_owned);
        match (asked.method.as_str(), path.rsplit_once(':')) {
            ("GET", None) if path == "models" => self.models(asked),
            ("GET", None) => match known(path) {
                Some(name) => Reply::json(200, &model(&name)),
                None => self.refuse(404, "models/x is not found for API version v1beta"),
            },
            ("POST", Some((place, verb))) => match (known(place), verb) {
                (Some(name), "generateContent") => self.generate(asked, &name, false),
                (Some(name), "streamGenerateContent") if asked.parameter("alt") == Some("sse") => {
                    self.generate(asked, &name, true)
                }
                (Some(_), "batchEmbedContents") => self.embed(asked),
                _ => self.refuse(404, "models/x is not found for API version v1beta"),
            },
            _ => self.refuse(404, "not found"),
        }
    }

    fn error(&self, status: u16, message: &str) -> Value {
        let kind = match status {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            503 => "UNAVAILABLE",
            _ => "INTERNAL",
        };
        json!({"error": {"code": status, "message": message, "status": kind}})
    }

    fn error_piece(&self) -> Vec<u8> {
        data(&self.error(503, "The model is overloaded. Please try again later."))
    }

    fn broken_piece(&self) -> Vec<u8> {
        b"data: {\"candidates\": [{\r\n\r\n".to_vec()
    }

    fn endless_piece(&self) -> Vec<u8> {
        data(&json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "more "}]}}]}))
    }

    fn line_start(&self) -> &'static [u8] {
        b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\""
    }
}
