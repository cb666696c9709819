//! Each wire format through a door of the test's own: what a hostile or broken server can send.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use rspa_ml::Cancel;
use rspa_ml::generate::FinishReason;
use serde_json::{Value, json};

use crate::api::{ApiError, ErrorCategory};
use crate::inference::ToolOffer;
use crate::inference::provider::{
    ChatCall, ChatEnd, ChatPiece, Door, FaultKind, Provider, ProviderFault, ToolChoice, Turn, open,
};
use crate::model::{ProviderDraft, ProviderKind, SecretText};
use crate::trust::egress::{Incoming, Method, Outgoing, StreamFault};

const KEY: &str = "sk-canary-4711";

/// One scripted answer.
#[derive(Clone, Default)]
struct Scripted {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Bytes that one read gives at most.
    step: usize,
    /// After the body, in place of its end.
    fault: Option<StreamFault>,
}

struct Dripping {
    rest: VecDeque<u8>,
    step: usize,
    fault: Option<StreamFault>,
}

impl Read for Dripping {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.step.min(buffer.len()).min(self.rest.len());
        if count == 0
            && let Some(fault) = self.fault.take()
        {
            return Err(std::io::Error::other(fault));
        }
        for (place, byte) in buffer.iter_mut().zip(self.rest.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }
}

/// Answers to come, and what was asked.
type Played = (VecDeque<Result<Scripted, StreamFault>>, Vec<Outgoing>);

/// Gives the scripted answers in turn, and notes what was asked.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Played>>);

impl Door for Script {
    fn open(&self, request: Outgoing, _cancel: &Cancel) -> Result<Incoming, StreamFault> {
        let mut script = self.0.lock().unwrap();
        script.1.push(request);
        let answer = script.0.pop_front().expect("an answer for every request")?;
        let headers = answer.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let body = Dripping { rest: answer.body.into(), step: answer.step, fault: answer.fault };
        Ok(Incoming { status: answer.status, headers, body: Box::new(body) })
    }
}

impl Script {
    fn then(self, answer: Scripted) -> Self {
        self.0.lock().unwrap().0.push_back(Ok(answer));
        self
    }

    fn provider(&self, kind: ProviderKind) -> Box<dyn Provider> {
        let draft: ProviderDraft = serde_json::from_value(
            json!({"id": "p", "name": "Test", "kind": kind, "base_url": "https://models.example", "extra_models": ["mine"]}),
        )
        .unwrap();
        open(&draft, Some(SecretText::new(KEY.to_owned())), Arc::new(self.clone())).unwrap()
    }

    fn asked(&self) -> Vec<Outgoing> {
        std::mem::take(&mut self.0.lock().unwrap().1)
    }
}

fn good(body: impl Into<Vec<u8>>) -> Scripted {
    Scripted { status: 200, body: body.into(), step: usize::MAX, ..Scripted::default() }
}

fn status(status: u16, body: &str) -> Scripted {
    Scripted { status, ..good(body) }
}

fn events(values: &[Value]) -> Vec<u8> {
    values.iter().map(|value| format!("data: {value}\n\n")).collect::<String>().into_bytes()
}

fn lines(values: &[Value]) -> Vec<u8> {
    values.iter().map(|value| format!("{value}\n")).collect::<String>().into_bytes()
}

fn call() -> ChatCall {
    ChatCall { model: "m".to_owned(), turns: vec![Turn::User("Hello".to_owned())], ..ChatCall::default() }
}

type Told = (Vec<ChatPiece>, Result<ChatEnd, ProviderFault>);

fn chat_with(kind: ProviderKind, call: &ChatCall, answer: Scripted) -> Told {
    let mut told = Vec::new();
    let provider = Script::default().then(answer).provider(kind);
    let end = provider.chat(call, &Cancel::new(), &mut |piece| told.push(piece));
    (told, end)
}

fn chat(kind: ProviderKind, answer: Scripted) -> Told {
    chat_with(kind, &call(), answer)
}

fn fault(kind: ProviderKind, answer: Scripted) -> ProviderFault {
    chat(kind, answer).1.unwrap_err()
}

/// A good answer of two pieces of text, a call and its end.
fn sample(kind: ProviderKind) -> Vec<u8> {
    match kind {
        ProviderKind::Ollama => lines(&[
            json!({"message": {"content": "Grü"}, "done": false}),
            json!({"message": {"content": "ße 😀", "thinking": "hidden"}, "done": false}),
            json!({"message": {"content": "", "tool_calls": [{"function": {"name": "t", "arguments": {"a": 1}}}]}, "done": false}),
            json!({"message": {"content": ""}, "done": true, "done_reason": "length", "prompt_eval_count": 3, "eval_count": 5}),
        ]),
        ProviderKind::Anthropic => events(&[
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hidden"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Grü"}}),
            json!({"type": "ping"}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "ße 😀"}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "x", "name": "t", "input": {}}}),
            json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":"}}),
            json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
            json!({"type": "content_block_stop", "index": 2}),
            json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 5}}),
            json!({"type": "message_stop"}),
        ]),
        ProviderKind::Gemini => events(&[
            json!({"candidates": [{"content": {"parts": [{"text": "hidden", "thought": true}, {"text": "Grü"}]}}], "usageMetadata": {"promptTokenCount": 3}}),
            json!({"candidates": [{"content": {"parts": [{"text": "ße 😀"}]}}]}),
            json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "t", "args": {"a": 1}}}]}, "finishReason": "MAX_TOKENS"}],
                "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 1}}),
        ]),
        _ => {
            let delta = |delta: Value| json!({"choices": [{"delta": delta}]});
            let mut bytes = events(&[
                delta(json!({"role": "assistant", "content": null})),
                delta(json!({"content": "Grü", "reasoning_content": "hidden"})),
                delta(json!({"content": "ße 😀"})),
                delta(json!({"tool_calls": [{"index": 0, "id": "x", "function": {"name": "t", "arguments": ""}}]})),
                delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"a\":"}}]})),
                delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]})),
                json!({"choices": [{"delta": {}, "finish_reason": "length"}]}),
                json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}),
            ]);
            bytes.extend_from_slice(b": comment\r\n\r\ndata: [DONE]\n\n");
            bytes
        }
    }
}

#[test]
fn any_split_of_the_bytes_tells_the_same() {
    for kind in ProviderKind::SERVERS {
        for step in [1, 2, 3, 7, 64, usize::MAX] {
            let (told, end) = chat(kind, Scripted { step, ..good(sample(kind)) });
            let end = end.unwrap();
            let text: String = told
                .iter()
                .filter_map(|piece| if let ChatPiece::Text(text) = piece { Some(text.as_str()) } else { None })
                .collect();
            assert_eq!(text, "Grüße 😀", "{kind:?}");
            let Some(ChatPiece::ToolCall(used)) = told.last() else { panic!("{kind:?}: {told:?}") };
            assert_eq!((used.name.as_str(), &used.arguments), ("t", &json!({"a": 1})));
            assert_eq!(end.tool_calls, std::slice::from_ref(used));
            assert_eq!(
                (end.prompt_tokens, end.answer_tokens, end.finish),
                (Some(3), Some(5), FinishReason::MaxTokens),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn an_answer_that_ends_too_early_is_no_answer() {
    for kind in ProviderKind::SERVERS {
        let whole = sample(kind);
        for end in [0, whole.len() / 3, whole.len() / 2] {
            let (told, result) = chat(kind, good(&whole[..end]));
            let fault = result.unwrap_err();
            assert!(matches!(fault.kind, FaultKind::Unreachable | FaultKind::BadAnswer), "{kind:?} {end}: {fault:?}");
            assert_eq!(fault.started, !told.is_empty(), "{kind:?} {end}");
            assert_eq!(fault.worth_retrying(), told.is_empty() && fault.kind == FaultKind::Unreachable);
        }
        for (inner, expected) in [
            (StreamFault::Timeout("silent".to_owned()), FaultKind::Timeout),
            (StreamFault::Cut("cut".to_owned()), FaultKind::Unreachable),
            (StreamFault::TooLarge("large".to_owned()), FaultKind::TooLong),
            (StreamFault::Cancelled, FaultKind::Cancelled),
            (StreamFault::Refused(ApiError::new(ErrorCategory::Authorisation, "no", "")), FaultKind::Forbidden),
        ] {
            let cut = Scripted { fault: Some(inner), ..good(&whole[..whole.len() / 2]) };
            assert_eq!(fault(kind, cut).kind, expected, "{kind:?}");
        }
    }
}

#[test]
fn a_status_means_the_same_everywhere() {
    let cases: [(u16, &str, FaultKind); 14] = [
        (302, "", FaultKind::BadAnswer),
        (400, "{\"error\":{\"message\":\"nonsense\"}}", FaultKind::Refused),
        (400, "{\"error\":{\"message\":\"This model's maximum context length is 8 tokens\"}}", FaultKind::TooLong),
        (400, "{\"error\":{\"message\":\"prompt is too long: 9 tokens > 8 maximum\"}}", FaultKind::TooLong),
        (400, "{\"error\":{\"message\":\"API key not valid. Please pass a valid API key.\"}}", FaultKind::Unauthorised),
        (401, "", FaultKind::Unauthorised),
        (404, "{\"error\":\"model 'x' not found\"}", FaultKind::NotFound),
        (413, "", FaultKind::TooLong),
        (422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"bad\"}]}", FaultKind::Refused),
        (429, "", FaultKind::Limited { retry_after: None }),
        (500, "<html>", FaultKind::Server(500)),
        (503, "", FaultKind::Server(503)),
        (529, "[{\"error\":{\"message\":\"overloaded\"}}]", FaultKind::Server(529)),
        (999, "", FaultKind::Server(999)),
    ];
    for kind in ProviderKind::SERVERS {
        for (code, body, expected) in &cases {
            let found = fault(kind, status(*code, body));
            assert_eq!(&found.kind, expected, "{kind:?} {code} {body}: {found}");
            assert!(!found.started);
        }
        let limited =
            |headers: Vec<(&'static str, String)>| fault(kind, Scripted { headers, ..status(503, "") }).retry_after();
        assert_eq!(limited(vec![("retry-after", "12".to_owned())]), Some(Duration::from_secs(12)));
        assert_eq!(limited(vec![("retry-after-ms", "250".to_owned())]), Some(Duration::from_millis(250)));
        let date = |seconds: u32| format!("Fri, 20 Nov 2026 14:18:{seconds:02} GMT");
        assert_eq!(limited(vec![("retry-after", date(40)), ("date", date(10))]), Some(Duration::from_secs(30)));
        assert_eq!(limited(vec![("retry-after", date(40))]), None);
        assert_eq!(limited(vec![("retry-after", "-1".to_owned())]), None);
        assert_eq!(limited(vec![("retry-after", "1e300".to_owned())]), None);
    }
}

#[test]
fn the_key_stands_in_one_header_and_in_no_word() {
    for kind in ProviderKind::SERVERS {
        let echo = format!("{{\"error\":{{\"message\":\"key {KEY}\\u001b[31m is wrong{}\"}}}}", "x".repeat(9_000));
        let script = Script::default().then(status(401, &echo));
        let provider = script.provider(kind);
        let fault = provider.chat(&call(), &Cancel::new(), &mut |_| {}).unwrap_err();
        assert!(!format!("{fault:?}").contains("canary") && fault.to_string().contains("[key]"), "{fault}");
        assert!(fault.message.len() < 700 && !fault.message.contains('\u{1b}'), "{fault}");
        let error = ApiError::from(fault);
        assert_eq!(error.category, ErrorCategory::Authentication);
        let asked = script.asked();
        assert!(!asked[0].url.contains("canary") && !format!("{asked:?}").contains("canary"));
        let with_key = asked[0].headers.iter().filter(|(_, value)| value.reveal().contains(KEY)).count();
        assert_eq!(with_key, 1);
        assert!(asked[0].set_up_by_person && asked[0].who == "providers");
    }
}

#[test]
fn hostile_answers_are_faults() {
    let openai = |delta: Value| events(&[json!({"choices": [{"delta": delta, "finish_reason": "stop"}]})]);
    for arguments in ["{", "[1]", "null", "\"text\"", "{\"a\":1} {"] {
        let answer = openai(json!({"tool_calls": [{"index": 0, "function": {"name": "t", "arguments": arguments}}]}));
        assert_eq!(fault(ProviderKind::OpenAi, good(answer)).kind, FaultKind::BadAnswer, "{arguments}");
        let answer =
            lines(&[json!({"message": {"tool_calls": [{"function": {"name": "t", "arguments": arguments}}]}})]);
        assert_eq!(fault(ProviderKind::Ollama, good(answer)).kind, FaultKind::BadAnswer, "{arguments}");
    }
    for name in ["", "  ", "a\u{0}b", &"x".repeat(300)] {
        let answer = events(&[json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": name}}]}}]})]);
        assert_eq!(fault(ProviderKind::Gemini, good(answer)).kind, FaultKind::BadAnswer, "{name}");
    }
    let calls: Vec<Value> = (0..200).map(|index| json!({"index": index, "function": {"name": "t"}})).collect();
    assert_eq!(fault(ProviderKind::OpenAi, good(openai(json!({"tool_calls": calls})))).kind, FaultKind::BadAnswer);
    let piece =
        openai(json!({"tool_calls": [{"index": 0, "function": {"name": "t", "arguments": "x".repeat(600_000)}}]}));
    assert_eq!(fault(ProviderKind::OpenAi, good([piece.clone(), piece].concat())).kind, FaultKind::TooLong);
    // One line too long, much text, JSON too deep, no text at all.
    let long = [b"data: ".as_slice(), &vec![b'x'; 1 << 20], b"\n\n"].concat();
    let deep = format!("data: {}\n\n", "[".repeat(100_000)).into_bytes();
    for kind in [ProviderKind::OpenAi, ProviderKind::Anthropic, ProviderKind::Gemini] {
        assert_eq!(fault(kind, good(long.clone())).kind, FaultKind::TooLong);
        assert_eq!(fault(kind, good(deep.clone())).kind, FaultKind::BadAnswer);
    }
    let much = openai(json!({"content": "x".repeat(1_000_000)})).repeat(17);
    assert_eq!(fault(ProviderKind::OpenAi, good(much)).kind, FaultKind::TooLong);
    // Ids that are missing, doubled or odd are replaced; control characters of text are left out.
    let calls =
        json!([{"index": 0, "id": "a", "function": {"name": "t"}}, {"index": 1, "id": "a", "function": {"name": "t"}}]);
    let (told, end) =
        chat(ProviderKind::OpenAi, good(openai(json!({"content": "a\u{0}\u{1b}[1mb\tc\n", "tool_calls": calls}))));
    assert_eq!(told[0], ChatPiece::Text("a[1mb\tc\n".to_owned()));
    let ids: Vec<String> = end.unwrap().tool_calls.into_iter().map(|call| call.id).collect();
    assert_eq!(ids, ["a", "call_2"]);
}

#[test]
fn an_answer_that_is_withheld_is_said_to_be() {
    for answer in [
        json!({"promptFeedback": {"blockReason": "SAFETY"}}),
        json!({"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]}),
    ] {
        let found = fault(ProviderKind::Gemini, good(events(&[answer])));
        assert!(found.kind == FaultKind::Refused && found.message.contains("withheld"), "{found}");
    }
    let answer = json!({"type": "message_delta", "delta": {"stop_reason": "refusal"}});
    assert_eq!(fault(ProviderKind::Anthropic, good(events(&[answer]))).kind, FaultKind::Refused);
    let answer = json!({"choices": [{"delta": {}, "finish_reason": "content_filter"}]});
    assert_eq!(fault(ProviderKind::OpenAi, good(events(&[answer]))).kind, FaultKind::Refused);
}

#[test]
fn an_openai_server_that_does_not_stream_is_understood() {
    let body = json!({"choices": [{"message": {"content": "Hi", "tool_calls": null}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 1}});
    let headers = vec![("content-type", "application/json".to_owned())];
    let (told, end) = chat(ProviderKind::OpenAi, Scripted { headers, ..good(body.to_string()) });
    assert_eq!((told.as_slice(), end.unwrap().answer_tokens), ([ChatPiece::Text("Hi".to_owned())].as_slice(), Some(1)));
}

#[test]
fn a_schema_on_anthropic_is_a_forced_tool_whose_input_is_the_answer() {
    let answer = |pieces: &[&str]| {
        let mut all = vec![
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "x", "name": "answer", "input": {}}}),
        ];
        all.extend(pieces.iter().map(|piece| {
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}})
        }));
        all.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}));
        all.push(json!({"type": "message_stop"}));
        events(&all)
    };
    let ask = |schema: Value, body: Vec<u8>| {
        let script = Script::default().then(good(body));
        let call = ChatCall { schema: Some(schema), ..call() };
        let mut text = String::new();
        let end = script.provider(ProviderKind::Anthropic).chat(&call, &Cancel::new(), &mut |piece| {
            if let ChatPiece::Text(piece) = piece {
                text.push_str(&piece);
            }
        });
        let sent: Value = serde_json::from_slice(&script.asked()[0].body).unwrap();
        (sent, end.map(|end| (text, end.tool_calls.len())))
    };
    let object = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let (sent, told) = ask(object.clone(), answer(&["{\"a\"", ":1}"]));
    assert_eq!(told.unwrap(), ("{\"a\":1}".to_owned(), 0));
    assert_eq!(sent["tool_choice"], json!({"type": "tool", "name": "answer"}));
    assert_eq!(sent["tools"][0]["input_schema"], object);
    // What is no object stands in one of ours, and is told without it.
    let (sent, told) = ask(json!({"type": "array"}), answer(&["{\"answer\":", "[1, 2]}"]));
    assert_eq!(told.unwrap().0, "[1,2]");
    assert_eq!(sent["tools"][0]["input_schema"]["properties"]["answer"], json!({"type": "array"}));
    let (_, told) = ask(json!({"type": "array"}), answer(&["{\"other\":1}"]));
    assert_eq!(told.unwrap_err().kind, FaultKind::BadAnswer);
}

#[test]
fn lists_of_models_are_bounded_and_say_no_key() {
    for kind in ProviderKind::SERVERS {
        let (field, name) = match kind {
            ProviderKind::Gemini => ("models", "name"),
            ProviderKind::Ollama => ("models", "model"),
            _ => ("data", "id"),
        };
        let odd = ["good", "good", "", "a b", "a\u{7}", KEY];
        let items: Vec<Value> =
            odd.iter().map(|text| json!({name: text})).chain([json!(1), json!({}), json!({name: 7})]).collect();
        let provider = Script::default().then(good(json!({field: items}).to_string())).provider(kind);
        let names: Vec<String> =
            provider.list_models(&Cancel::new()).unwrap().into_iter().map(|model| model.name).collect();
        assert_eq!(names, ["good", "mine"], "{kind:?}");
        for nonsense in ["{}", "[]", "null", "{\"models\":7,\"data\":{}}", "nonsense", ""] {
            let provider = Script::default().then(good(nonsense)).provider(kind);
            assert_eq!(
                provider.list_models(&Cancel::new()).unwrap_err().kind,
                FaultKind::BadAnswer,
                "{kind:?} {nonsense}"
            );
        }
    }
    // Pages without end.
    let mut script = Script::default();
    for _ in 0..100 {
        script =
            script.then(good(json!({"models": [{"name": "models/x"}], "nextPageToken": "more&key=1"}).to_string()));
    }
    script.provider(ProviderKind::Gemini).list_models(&Cancel::new()).unwrap();
    let asked = script.asked();
    assert_eq!(asked.len(), 20);
    assert!(asked[1].url.ends_with("/v1beta/models?pageSize=1000&pageToken=more%26key%3D1"), "{}", asked[1].url);
}

#[test]
fn vectors_belong_to_what_was_asked() {
    let texts = ["a".to_owned(), "b".to_owned()];
    let cases = [
        (ProviderKind::OpenAi, json!({"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]}), true),
        (
            ProviderKind::OpenAi,
            json!({"data": [{"index": 0, "embedding": [2]}, {"index": 0, "embedding": [1]}]}),
            false,
        ),
        (
            ProviderKind::OpenAi,
            json!({"data": [{"index": 0, "embedding": [2]}, {"index": 1e15, "embedding": [1]}]}),
            false,
        ),
        (ProviderKind::OpenAi, json!({"data": [{"embedding": [2]}, {"embedding": [1, 2]}]}), false),
        (ProviderKind::Ollama, json!({"embeddings": [[1], [2]]}), true),
        (ProviderKind::Ollama, json!({"embeddings": [[1]]}), false),
        (ProviderKind::Ollama, json!({"embeddings": [[1], ["x"]]}), false),
        (ProviderKind::Gemini, json!({"embeddings": [{"values": [1]}, {"values": [2]}]}), true),
        (ProviderKind::Gemini, json!({"embeddings": [{"values": [1]}, {}]}), false),
    ];
    for (kind, answer, fits) in cases {
        let provider = Script::default().then(good(answer.to_string())).provider(kind);
        let found = provider.embed("m", &texts, &Cancel::new());
        assert_eq!(
            found.map(|found| found.vectors).ok(),
            fits.then(|| vec![vec![1.0], vec![2.0]]),
            "{kind:?} {answer}"
        );
    }
}

#[test]
fn addresses_are_made_as_people_write_them() {
    let url = |kind: ProviderKind, base: &str| {
        let script = Script::default().then(good("{}"));
        let draft: ProviderDraft =
            serde_json::from_value(json!({"id": "p", "name": "Test", "kind": kind, "base_url": base})).unwrap();
        let provider = open(&draft, None, Arc::new(script.clone())).ok()?;
        drop(provider.list_models(&Cancel::new()));
        let asked = script.asked().remove(0);
        assert!(asked.method == Method::Get && asked.headers.iter().all(|(name, _)| name == "anthropic-version"));
        Some(asked.url)
    };
    use ProviderKind::{Anthropic, Gemini, Ollama, OpenAi};
    for (kind, base, expected) in [
        (OpenAi, "https://api.openai.com/v1", "https://api.openai.com/v1/models"),
        (OpenAi, "http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/models"),
        (OpenAi, "https://x.example/openai/", "https://x.example/openai/models"),
        (Anthropic, "https://api.anthropic.com", "https://api.anthropic.com/v1/models?limit=1000"),
        (Anthropic, "https://x.example/v1/", "https://x.example/v1/models?limit=1000"),
        (Gemini, "https://g.example", "https://g.example/v1beta/models?pageSize=1000"),
        (Ollama, "http://127.0.0.1:11434/", "http://127.0.0.1:11434/api/tags"),
        (Ollama, "http://127.0.0.1:11434/api", "http://127.0.0.1:11434/api/tags"),
    ] {
        assert_eq!(url(kind, base).as_deref(), Some(expected));
    }
    for odd in ["", "example.org", "ftp://x", "https://u:p@x", "https://x/?key=1", "https://x#a", "https://x y"] {
        assert_eq!(url(OpenAi, odd), None, "{odd}");
    }
    // Names of models cannot lead elsewhere.
    for name in ["..", ".", "", "models/.."] {
        let provider = Script::default().provider(Gemini);
        assert_eq!(provider.model_info(name, &Cancel::new()).unwrap_err().kind, FaultKind::BadAnswer);
    }
    let script = Script::default().then(status(404, ""));
    drop(script.provider(Gemini).model_info("../x?key=1#", &Cancel::new()));
    assert_eq!(script.asked()[0].url, "https://models.example/v1beta/models/..%2Fx%3Fkey%3D1%23");
}

fn some_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop_oneof![
            Just("text_delta"),
            Just("tool_use"),
            Just("error"),
            Just("message_stop"),
            Just("STOP"),
            Just("{"),
            Just("é\u{0}")
        ]
        .prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "type",
        "index",
        "delta",
        "text",
        "partial_json",
        "content_block",
        "name",
        "input",
        "id",
        "usage",
        "input_tokens",
        "choices",
        "content",
        "tool_calls",
        "function",
        "arguments",
        "finish_reason",
        "candidates",
        "parts",
        "functionCall",
        "args",
        "finishReason",
        "message",
        "done",
        "error",
        "stop_reason",
        "code",
        "models",
        "data",
        "embedding",
        "details",
    ]);
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_sent_nothing_panics(values in proptest::collection::vec(some_json(), 0..6), step in 1_usize..50) {
        for kind in ProviderKind::SERVERS {
            let body = if kind == ProviderKind::Ollama { lines(&values) } else { events(&values) };
            let call = ChatCall { schema: Some(json!({"type": "array"})), ..call() };
            drop(chat_with(kind, &call, Scripted { step, ..good(body) }));
            let whole = values.first().cloned().unwrap_or_default().to_string();
            drop(Script::default().then(good(whole.clone())).then(good("")).provider(kind).list_models(&Cancel::new()));
            drop(Script::default().then(good(whole.clone())).provider(kind).embed("m", &["a".to_owned()], &Cancel::new()));
            drop(fault(kind, status(400, &whole)));
        }
    }
}

#[test]
fn tools_and_choices_go_out_in_each_vendor_s_words() {
    let call = ChatCall {
        tools: vec![ToolOffer {
            name: "t".to_owned(),
            description: "d".to_owned(),
            parameters: json!({"type": "object"}),
        }],
        tool_choice: ToolChoice::Required,
        ..call()
    };
    let sent = |kind: ProviderKind| -> Value {
        let script = Script::default().then(good(sample(kind)));
        script.provider(kind).chat(&call, &Cancel::new(), &mut |_| {}).unwrap();
        serde_json::from_slice(&script.asked()[0].body).unwrap()
    };
    let anthropic = sent(ProviderKind::Anthropic);
    assert_eq!(
        (&anthropic["tools"][0]["input_schema"], &anthropic["tool_choice"]["type"]),
        (&json!({"type": "object"}), &json!("any"))
    );
    let openai = sent(ProviderKind::OpenAi);
    assert_eq!((&openai["tools"][0]["function"]["name"], &openai["tool_choice"]), (&json!("t"), &json!("required")));
    let gemini = sent(ProviderKind::Gemini);
    assert_eq!(gemini["toolConfig"]["functionCallingConfig"]["mode"], "ANY");
    assert_eq!(gemini["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"], json!({"type": "object"}));
    assert_eq!(sent(ProviderKind::Ollama)["tools"][0]["function"]["parameters"], json!({"type": "object"}));
}
