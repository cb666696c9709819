//! Our providers through the real egress door, against stand-ins that fail in every way a server can.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rspa_core::clock::SystemClock;
use rspa_core::engine::Events;
use rspa_core::inference::ToolOffer;
use rspa_core::inference::provider::{
    ChatCall, ChatEnd, ChatPiece, FaultKind, Provider, ProviderFault, ToolChoice, ToolUse, Turn,
};
use rspa_core::ml::Cancel;
use rspa_core::ml::generate::FinishReason;
use rspa_core::model::{PageRequest, Profile, ProviderDraft, ProviderKind, SecretText};
use rspa_core::settings::Settings;
use rspa_core::storage::{Db, DbOptions, tables};
use rspa_core::trust::egress::{Egress, FetchTransport};
use rspa_core::workspace::places::Places;
use rspa_tests::standins::{Fault, JSON_PIECES, KEY, PIECES, Server, anthropic, gemini, ollama, openai};
use serde_json::{Value, json};

/// The real door, under the policy "nothing", and its ledger.
pub struct Door {
    pub egress: Arc<Egress>,
    _folder: tempfile::TempDir,
}

impl Door {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::find(&BTreeMap::new(), Some(folder.path()), None).unwrap();
        let settings = Arc::new(Settings::load(&places, &BTreeMap::new(), &BTreeMap::new(), None).unwrap());
        let main = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default()).unwrap();
        let clock = Arc::new(SystemClock);
        let profile: Profile = serde_json::from_value(json!({"id": "00000000-0000-0000-0000-000000000001",
            "name": "Work", "created": 0, "updated": 0, "network": {"policy": null, "hosts": [], "forbid_cloud": false}}))
        .unwrap();
        let events = Events::new(clock.clone());
        let egress = Egress::new(main, settings, events, clock, &profile, Box::new(FetchTransport));
        Self { egress: Arc::new(egress), _folder: folder }
    }

    fn rows(&self) -> String {
        format!("{:?}", self.egress.ledger(PageRequest::default()).unwrap().items)
    }
}

pub fn open(door: &Door, kind: ProviderKind, url: &str, key: Option<&str>) -> Box<dyn Provider> {
    let mut draft: ProviderDraft =
        serde_json::from_value(json!({"id": "standin", "name": "Stand-in", "kind": kind, "base_url": url})).unwrap();
    draft.limits.first_byte_seconds = 2;
    draft.limits.idle_seconds = 1;
    let key = key.map(|key| SecretText::new(key.to_owned()));
    rspa_core::inference::provider::open(&draft, key, Arc::new(door.egress.clone())).unwrap()
}

/// The text of an answer, and how it ended.
pub fn chat(provider: &dyn Provider, call: &ChatCall) -> Result<(String, ChatEnd), ProviderFault> {
    let mut text = String::new();
    let end = provider.chat(call, &Cancel::new(), &mut |piece| {
        if let ChatPiece::Text(piece) = piece {
            text.push_str(&piece);
        }
    })?;
    Ok((text, end))
}

fn ask(model: &str) -> ChatCall {
    let mut call = ChatCall {
        model: model.to_owned(),
        turns: vec![Turn::System("Be brief.".to_owned()), Turn::User("Hello".to_owned())],
        max_tokens: Some(100),
        stop: vec!["END".to_owned()],
        ..ChatCall::default()
    };
    call.sampling = (&rspa_core::ml::generate::SamplingParams::default()).into();
    call
}

fn weather() -> ToolOffer {
    ToolOffer {
        name: "weather".to_owned(),
        description: "The weather of a city".to_owned(),
        parameters: json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    }
}

/// Everything that a provider can be asked, against a stand-in that its vendor's client accepts.
pub fn understands(provider: &dyn Provider, model: &str, models: &[&str]) {
    let cancel = Cancel::new();
    provider.health(&cancel).unwrap();
    let listed = provider.list_models(&cancel).unwrap();
    assert_eq!(listed.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), models);
    assert_eq!(listed[0].id.0, format!("standin/{}", models[0]));
    let info = provider.model_info(models[0], &cancel).unwrap();
    assert!(info.context_length.is_some_and(|tokens| tokens >= 8_192), "{info:?}");

    let (text, end) = chat(provider, &ask(model)).unwrap();
    assert_eq!(text, PIECES.concat());
    assert_eq!((end.finish, end.answer_tokens, end.tool_calls.len()), (FinishReason::EndOfText, Some(4), 0));
    assert!(end.prompt_tokens.is_some_and(|tokens| tokens > 10), "{end:?}");

    let mut call = ask(model);
    call.tools = vec![weather()];
    call.tool_choice = ToolChoice::Required;
    let mut told = Vec::new();
    let end = provider.chat(&call, &cancel, &mut |piece| told.push(piece)).unwrap();
    let [used] = end.tool_calls.as_slice() else { panic!("{end:?}") };
    assert_eq!((used.name.as_str(), &used.arguments), ("weather", &json!({"city": "Zürich"})));
    assert_eq!(told, [ChatPiece::ToolCall(used.clone())]);
    // Its result goes back; two calls of one turn too.
    let second = ToolUse { id: "call_second".to_owned(), ..used.clone() };
    let result = |call: &ToolUse, text: &str| Turn::ToolResult {
        id: call.id.clone(),
        name: call.name.clone(),
        text: text.to_owned(),
        failed: false,
    };
    call.turns.push(Turn::Assistant { text: String::new(), calls: vec![used.clone(), second.clone()] });
    call.turns.extend([result(used, "sun"), result(&second, "rain")]);
    call.tool_choice = ToolChoice::Auto;
    assert_eq!(chat(provider, &call).unwrap().0, "The tool said: rain");

    let mut call = ask(model);
    call.schema =
        Some(json!({"type": "object", "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
        "required": ["city", "degrees"], "additionalProperties": false}));
    assert_eq!(chat(provider, &call).unwrap().0, JSON_PIECES.concat());

    let texts: Vec<String> = (0..130).map(|count| "x".repeat(count + 1)).collect();
    let embedder = models.last().unwrap();
    match provider.kind() {
        ProviderKind::Anthropic => {
            assert_eq!(provider.embed(embedder, &texts, &cancel).unwrap_err().kind, FaultKind::Refused);
        }
        _ => {
            let embeddings = provider.embed(embedder, &texts, &cancel).unwrap();
            let lengths: Vec<f32> = embeddings.vectors.iter().map(|vector| vector[0]).collect();
            assert_eq!(lengths, (1..=130).map(|count| count as f32).collect::<Vec<_>>());
        }
    }
    let unknown = chat(provider, &ask("unknown")).unwrap_err();
    assert_eq!((unknown.kind.clone(), unknown.worth_retrying()), (FaultKind::NotFound, false), "{unknown}");
    if provider.kind() == ProviderKind::Ollama {
        let mut seen = Vec::new();
        provider.pull("standin:new", &cancel, &mut |progress| seen.push(progress)).unwrap();
        assert!(seen.iter().any(|progress| (progress.done, progress.total) == (Some(100), Some(300))), "{seen:?}");
        assert_eq!(provider.pull("other", &cancel, &mut |_| {}).unwrap_err().kind, FaultKind::NotFound);
        provider.delete("standin:135m", &cancel).unwrap();
        assert_eq!(provider.delete("other", &cancel).unwrap_err().kind, FaultKind::NotFound);
    } else {
        assert_eq!(provider.pull("x", &cancel, &mut |_| {}).unwrap_err().kind, FaultKind::Refused);
    }
}

fn all() -> [(ProviderKind, Server, &'static str); 4] {
    [
        (ProviderKind::Anthropic, Server::start(anthropic::Anthropic), "claude-standin-3"),
        (ProviderKind::OpenAi, Server::start(openai::OpenAi { plain: true }), "gpt-standin"),
        (ProviderKind::Gemini, Server::start(gemini::Gemini), "gemini-standin"),
        (ProviderKind::Ollama, Server::start(ollama::Ollama), "standin:135m"),
    ]
}

#[test]
fn every_fault_of_a_server_has_its_name_and_says_no_key() {
    for (kind, server, model) in all() {
        let door = Door::new();
        let provider = open(&door, kind, &server.url(), Some(KEY));
        // A first answer, so that what it does not take is known.
        chat(&*provider, &ask(model)).unwrap();
        let seconds = |seconds| FaultKind::Limited { retry_after: Some(Duration::from_secs(seconds)) };
        let elsewhere = Server::start(ollama::Ollama);
        let cases: Vec<(Fault, FaultKind, bool)> = vec![
            (Fault::Silent, FaultKind::Timeout, false),
            (Fault::Stall, FaultKind::Timeout, true),
            (Fault::Cut, FaultKind::Unreachable, true),
            (Fault::SaysLess, FaultKind::Unreachable, true),
            (Fault::Status(500), FaultKind::Server(500), false),
            (Fault::Status(529), FaultKind::Server(529), false),
            (Fault::Status(401), FaultKind::Unauthorised, false),
            (Fault::Status(403), FaultKind::Unauthorised, false),
            (Fault::Status(404), FaultKind::NotFound, false),
            (Fault::Status(413), FaultKind::TooLong, false),
            (Fault::Limited("7"), seconds(7), false),
            (Fault::Limited("nonsense"), FaultKind::Limited { retry_after: None }, false),
            (Fault::BrokenJson, FaultKind::BadAnswer, true),
            (Fault::Endless, FaultKind::TooLong, true),
            (Fault::HugeLine, FaultKind::TooLong, true),
            (Fault::Redirect(elsewhere.url()), FaultKind::BadAnswer, false),
            (Fault::Garbage, FaultKind::Unreachable, false),
            (Fault::EchoKey, FaultKind::Unauthorised, false),
        ];
        for (fault, expected, started) in cases {
            server.fail(fault.clone());
            let found =
                chat(&*provider, &ask(model)).err().unwrap_or_else(|| panic!("{kind:?} {fault:?}: it answered"));
            // What is heard before the text, and what is not, differs from format to format.
            let stalls = matches!(fault, Fault::Stall | Fault::HugeLine | Fault::Endless | Fault::SaysLess);
            assert_eq!(found.kind, expected, "{kind:?} {fault:?}: {found}");
            assert!(stalls || found.started == started, "{kind:?} {fault:?}: {found:?}");
            assert!(!found.worth_retrying() || !found.started, "{kind:?} {fault:?}");
            assert!(!found.to_string().contains("0123456789") && !found.to_string().contains('\u{1b}'), "{found}");
        }
        assert!(elsewhere.take_seen().is_empty(), "a redirect was followed");
        server.fail(Fault::ErrorEvent);
        let found = chat(&*provider, &ask(model)).unwrap_err();
        assert!(matches!(found.kind, FaultKind::Server(_)) && found.started && !found.worth_retrying(), "{found:?}");
        // Late, but not too late; and more after the end than the head said.
        server.fail(Fault::SlowFirstByte(Duration::from_millis(300)));
        assert_eq!(chat(&*provider, &ask(model)).unwrap().0, PIECES.concat());
        server.fail(Fault::SaysMore);
        match chat(&*provider, &ask(model)) {
            // Where the end is known by what is said, what was promised besides is not missed.
            Ok((text, _)) => assert_eq!(text, PIECES.concat()),
            Err(fault) => assert!(fault.kind == FaultKind::Unreachable && fault.started, "{fault:?}"),
        }
        let rows = door.rows();
        assert!(!rows.contains("0123456789") && rows.contains("this computer, set up by the person"), "{rows}");
        // Each request stands there, and each is completed.
        assert!(!rows.contains("set up by the person\""), "{rows}");
    }
}

#[test]
fn nobody_there_is_told_apart_from_a_wrong_key() {
    for (kind, server, model) in all() {
        let door = Door::new();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let provider = open(&door, kind, &format!("http://{free}"), Some(KEY));
        let fault = provider.health(&Cancel::new()).unwrap_err();
        assert!(fault.kind == FaultKind::Unreachable && fault.worth_retrying(), "{fault:?}");
        if kind == ProviderKind::Ollama {
            continue;
        }
        for key in [None, Some("sk-wrong-key")] {
            let provider = open(&door, kind, &server.url(), key);
            let fault = provider.health(&Cancel::new()).unwrap_err();
            assert!(fault.kind == FaultKind::Unauthorised && !fault.worth_retrying(), "{fault:?}");
            let fault = chat(&*provider, &ask(model)).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Unauthorised, "{fault}");
        }
    }
}

#[test]
fn a_cloud_that_is_not_allowed_is_not_asked() {
    let door = Door::new();
    for kind in ProviderKind::SERVERS {
        let provider = open(&door, kind, "https://api.standin.example", Some(KEY));
        let fault = provider.health(&Cancel::new()).unwrap_err();
        assert!(fault.kind == FaultKind::Forbidden && !fault.worth_retrying(), "{fault:?}");
    }
    let rows = door.rows();
    assert_eq!(rows.matches("allowed: false").count(), 4, "{rows}");
}

#[test]
fn a_stop_is_answered_while_a_server_is_silent() {
    for (kind, server, model) in all() {
        for fault in [Fault::Silent, Fault::Stall] {
            let door = Door::new();
            let mut draft: ProviderDraft = serde_json::from_value(
                json!({"id": "standin", "name": "Stand-in", "kind": kind, "base_url": server.url()}),
            )
            .unwrap();
            draft.limits.first_byte_seconds = 600;
            draft.limits.idle_seconds = 600;
            let key = Some(SecretText::new(KEY.to_owned()));
            let provider = rspa_core::inference::provider::open(&draft, key, Arc::new(door.egress.clone())).unwrap();
            if kind != ProviderKind::OpenAi {
                server.fail(fault);
            } else {
                chat(&*provider, &ask(model)).unwrap();
                server.fail(fault);
            }
            let cancel = Cancel::new();
            let (ended, end) = mpsc::channel();
            server.take_seen();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let result = provider.chat(&ask(model), &cancel, &mut |_| {});
                    ended.send(result).unwrap();
                });
                // The request has arrived once the stand-in has seen it.
                while server.take_seen().is_empty() {
                    std::thread::yield_now();
                }
                let asked = Instant::now();
                cancel.cancel();
                let fault = end.recv().unwrap().unwrap_err();
                assert_eq!(fault.kind, FaultKind::Cancelled, "{kind:?}: {fault}");
                // 50 ms where nothing else runs; test machines are loaded.
                assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
            });
        }
    }
}

#[test]
fn fields_that_a_server_does_not_take_are_left_out_from_then_on() {
    let server = Server::start(openai::OpenAi { plain: true });
    let door = Door::new();
    let provider = open(&door, ProviderKind::OpenAi, &server.url(), Some(KEY));
    let mut call = ask("gpt-standin");
    call.schema = Some(json!({"type": "object"}));
    assert_eq!(chat(&*provider, &call).unwrap().0, JSON_PIECES.concat());
    let seen: Vec<Value> = server.take_seen().iter().map(rspa_tests::standins::Asked::json).collect();
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(seen[2]["response_format"], json!({"type": "json_object", "schema": {"type": "object"}}));
    chat(&*provider, &call).unwrap();
    assert_eq!(server.take_seen().len(), 1);

    let server = Server::start(anthropic::Anthropic);
    let provider = open(&door, ProviderKind::Anthropic, &server.url(), Some(KEY));
    for (model, temperature) in [("claude-standin-4", false), ("claude-standin-3", true)] {
        chat(&*provider, &ask(model)).unwrap();
        let seen = server.take_seen();
        assert_eq!(!seen.last().unwrap().json()["temperature"].is_null(), temperature, "{model}");
    }
}
