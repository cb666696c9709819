//! Tests of the router: cache, fallback, what is told, and what is counted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rspa_ml::generate::{ChatTurn, Constraint, Prompt, Role, SamplingParams};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::gateway::service::GatewayParts;
use crate::gateway::testing::{Act, ManualPace, Script, Told, draft, parts};
use crate::inference::cache::{CacheParts, CacheSettings};
use crate::inference::provider::FaultKind;
use crate::inference::scripted::ScriptedModel;
use crate::model::{AgentId, ProfileId, RouteRule, Routing};
use crate::storage::{Db, DbOptions, tables};

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));

/// The scripted model stands for all inside this program; `tiny` and the default one are there.
struct Here {
    model: Arc<dyn ChatModel>,
    gone: AtomicBool,
}

impl Embedded for Here {
    fn load(&self, id: Option<&ModelId>, _cancel: &Cancel) -> Result<Arc<dyn ChatModel>, ApiError> {
        match id.map(|id| id.0.as_str()) {
            None | Some("tiny") if !self.gone.load(Ordering::SeqCst) => Ok(self.model.clone()),
            _ => Err(ApiError::validation("no such model is installed", "Import one.")),
        }
    }

    fn unusable(&self, id: &ModelId) -> Option<String> {
        (id.0 != "tiny").then(|| "it is not installed".to_owned())
    }
}

struct World {
    _folder: tempfile::TempDir,
    script: Arc<Script>,
    told: Arc<Told>,
    pace: Arc<ManualPace>,
    gateway: Arc<Gateway>,
    cache: Arc<ResponseCache>,
    counted: Arc<Mutex<Vec<UsageCall>>>,
    here: Arc<Here>,
    seed: Arc<Mutex<Option<u64>>>,
    router: Router,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
    let file = Db::open(&folder.path().join("cache.redb"), &tables::CACHE, DbOptions::default()).unwrap();
    let (pace, script, told) = (Arc::new(ManualPace::new()), Arc::new(Script::default()), Arc::new(Told::default()));
    let servers = parts(&pace, &script, &told);
    let gateway = Arc::new(Gateway::new(GatewayParts { main, profile: PROFILE, servers }));
    gateway.add(draft("fake")).unwrap();
    let cache = Arc::new(ResponseCache::new(CacheParts {
        profile: PROFILE,
        clock: pace.clock.clone(),
        file: Box::new(move || Ok(file.clone())),
        settings: Box::new(|| CacheSettings { enabled: true, hours: 24, most_bytes: 1 << 20, memory_bytes: 1 << 20 }),
    }));
    let model = ScriptedModel::new().reply("hello", "I am inside.").fail("break", "", "it broke");
    let here = Arc::new(Here { model: Arc::new(model), gone: AtomicBool::new(false) });
    let (counted, seed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(None)));
    let (sink, fixed, happened) = (counted.clone(), seed.clone(), told.clone());
    let router = Router::new(RouterParts {
        gateway: gateway.clone(),
        embedded: here.clone(),
        cache: cache.clone(),
        clock: pace.clock.clone(),
        count: Box::new(move |call| sink.lock().unwrap().push(call)),
        seed: Box::new(move || *fixed.lock().unwrap()),
        happened: Box::new(move |happening| happened.happenings.lock().unwrap().push(happening.kind)),
    });
    World { _folder: folder, script, told, pace, gateway, cache, counted, here, seed, router }
}

/// What a generation told.
#[derive(Debug, Default)]
struct Heard {
    choices: Vec<ModelChoice>,
    text: String,
    stats: Option<GenerateStats>,
    failed: Option<(ApiError, bool)>,
}

fn request(text: &str) -> GenerateRequest {
    let turns = vec![ChatTurn { role: Role::User, content: text.to_owned() }];
    GenerateRequest { prompt: Prompt::Chat(turns), sampling: SamplingParams::default(), constraint: None }
}

fn hear(events: Receiver<ModelEvent>) -> Heard {
    let mut heard = Heard::default();
    for event in events {
        match event {
            ModelEvent::Chosen(choice) => heard.choices.push(choice),
            ModelEvent::Text(text) => heard.text.push_str(&text),
            ModelEvent::Finished(stats) => heard.stats = Some(stats),
            ModelEvent::Failed { error, unfinished, .. } => heard.failed = Some((error, unfinished)),
            ModelEvent::Prefill { .. } => {}
        }
    }
    heard
}

impl World {
    fn ask_for(&self, wanted: &Wanted, request: GenerateRequest) -> Heard {
        let model = self.router.model(wanted, &Cancel::new()).unwrap();
        hear(model.generate(request, Cancel::new()).unwrap())
    }

    fn ask(&self, model: Option<&str>, text: &str) -> Heard {
        self.ask_for(&Wanted { model: model.map(|id| ModelId(id.to_owned())), ..Wanted::default() }, request(text))
    }

    fn counted(&self) -> Vec<UsageCall> {
        std::mem::take(&mut *self.counted.lock().unwrap())
    }

    fn route(&self, rules: Vec<RouteRule>, fallback: &[&str]) {
        let fallback = fallback.iter().map(|id| ModelId((*id).to_owned())).collect();
        self.gateway.set_routing(Routing { rules, fallback }).unwrap();
    }
}

fn rule(name: &str, model: &str) -> RouteRule {
    RouteRule { name: name.to_owned(), enabled: true, work: vec![], agents: vec![], model: ModelId(model.to_owned()) }
}

#[test]
fn a_model_of_a_server_answers_is_told_counted_and_kept() {
    let world = world();
    let wanted = Wanted {
        model: Some(ModelId("fake/big".to_owned())),
        agent: Some((AgentId(Uuid::from_u128(3)), "Ada".to_owned())),
        ..Wanted::default()
    };
    let model = world.router.model(&wanted, &Cancel::new()).unwrap();
    assert_eq!((model.id(), model.context_length()), ("fake/big", 32_000));
    assert_eq!(model.count_tokens("12345").unwrap(), 2);
    let first = hear(model.generate(request("hello"), Cancel::new()).unwrap());
    assert_eq!(first.text, "I am the server.");
    let stats = first.stats.unwrap();
    assert_eq!((stats.prompt_tokens, stats.answer_tokens), (40, 6));
    let choice = &first.choices[0];
    assert_eq!((choice.provider.as_str(), choice.model.as_str(), choice.cached), ("fake", "fake/big", false));
    let again = hear(model.generate(request("hello"), Cancel::new()).unwrap());
    assert_eq!(again.text, first.text);
    assert!(again.choices[0].cached);
    let stats = again.stats.unwrap();
    assert_eq!((stats.prefill_seconds, stats.decode_seconds, stats.answer_tokens), (0.0, 0.0, 6));
    assert_eq!(world.script.calls.lock().unwrap().len(), 1);
    let counted = world.counted();
    assert_eq!((counted[0].prompt_tokens, counted[0].cached, counted[0].agent.as_deref()), (40, false, Some("Ada")));
    assert_eq!((counted[1].prompt_tokens, counted[1].cached, counted[1].failed), (0, true, false));
}

#[test]
fn what_failed_was_cut_or_is_not_wanted_from_the_cache_is_not_kept() {
    let world = world();
    world.script.then(Act::Cut("half of"));
    assert_eq!(world.ask(Some("fake/m"), "a").stats.unwrap().finish, FinishReason::MaxTokens);
    assert!(!world.ask(Some("fake/m"), "a").choices[0].cached, "a cut answer is none");
    world.script.then(Act::Break("half", FaultKind::Unreachable));
    let broken = world.ask(Some("fake/m"), "b");
    assert!(broken.failed.is_some() && broken.choices.len() == 1, "what has begun is not taken over");
    assert!(!world.ask(Some("fake/m"), "b").choices[0].cached);
    let model = Some(ModelId("fake/m".to_owned()));
    let uncached = Wanted { model: model.clone(), uncached: true, ..Wanted::default() };
    world.ask_for(&uncached, request("c"));
    assert!(!world.ask(Some("fake/m"), "c").choices[0].cached, "it was not filled");
    assert!(!world.ask_for(&uncached, request("c")).choices[0].cached, "and is not asked");
    let fresh = Wanted { model, fresh: true, ..Wanted::default() };
    world.script.then(Act::Say(vec!["anew"]));
    assert_eq!(world.ask_for(&fresh, request("c")).text, "anew");
    assert_eq!(world.ask(Some("fake/m"), "c").text, "anew", "the fresh answer took the place of the old one");
    assert_eq!(world.cache.stats().unwrap().entries, 3);
}

#[test]
fn a_seed_counts_only_where_it_is_fixed() {
    let world = world();
    let with = |seed: u64| {
        let mut request = request("hello");
        request.sampling.seed = seed;
        world.ask_for(&Wanted::default(), request).choices[0].cached
    };
    assert!(!with(1) && with(2));
    *world.seed.lock().unwrap() = Some(7);
    assert!(!with(7) && with(7));
}

#[test]
fn before_any_text_the_next_one_takes_over_and_the_default_stands_at_the_end() {
    let world = world();
    world.gateway.add(draft("second")).unwrap();
    world.route(vec![], &["second/m"]);
    // Each server tries three times.
    for _ in 0..6 {
        world.script.then(Act::Fail(FaultKind::Server(500)));
    }
    let heard = world.ask(Some("fake/m"), "hello");
    assert_eq!(heard.text, "I am inside.");
    let models: Vec<&str> = heard.choices.iter().map(|choice| choice.model.as_str()).collect();
    assert_eq!(models, ["fake/m", "second/m", "scripted"]);
    let last = heard.choices.last().unwrap();
    assert_eq!(last.provider, "embedded");
    let tried: Vec<&str> = last.tried.iter().map(|tried| tried.model.as_str()).collect();
    assert_eq!(tried, ["fake/m", "second/m"]);
    assert!(last.tried[0].why.contains("500"));
    let counted = world.counted();
    assert_eq!(counted.iter().map(|call| call.failed).collect::<Vec<_>>(), [true, true, false]);
    assert!(world.told.kinds().contains(&"provider.fallback".to_owned()));
    assert_eq!(world.pace.waited().len(), 4);
}

#[test]
fn a_server_that_cannot_be_used_is_passed_over_before_it_is_asked() {
    let world = world();
    *world.script.down.lock().unwrap() = Some(FaultKind::Forbidden);
    let heard = world.ask(Some("fake/m"), "hello");
    assert_eq!((heard.text.as_str(), heard.choices.len()), ("I am inside.", 1));
    assert!(heard.choices[0].tried[0].why.contains("Forbidden"));
    *world.script.down.lock().unwrap() = Some(FaultKind::Unreachable);
    world.route(vec![rule("down", "fake/m"), rule("gone", "absent/m"), rule("here", "tiny")], &[]);
    world.gateway.server(&ProviderId("fake".to_owned())).unwrap().check(&Cancel::new());
    let heard = world.ask(None, "hello");
    assert_eq!(heard.choices[0].reason, "rule \"here\"");
    let tried: Vec<&str> = heard.choices[0].tried.iter().map(|tried| tried.model.as_str()).collect();
    assert_eq!(tried, ["fake/m", "absent/m"]);
    let unknown = world.ask(Some("absent/m"), "hello");
    assert!(unknown.choices[0].tried[0].why.contains("no provider"));
}

#[test]
fn when_nothing_can_answer_the_error_says_what_was_tried() {
    let world = world();
    world.here.gone.store(true, Ordering::SeqCst);
    *world.script.down.lock().unwrap() = Some(FaultKind::Unreachable);
    let wanted = Wanted { model: Some(ModelId("fake/m".to_owned())), ..Wanted::default() };
    let error = world.router.model(&wanted, &Cancel::new()).err().unwrap();
    assert!(error.message.contains("no such model") && error.message.contains("fake/m: "), "{error}");
    world.here.gone.store(false, Ordering::SeqCst);
    let broken = world.ask(None, "break it");
    assert!(broken.failed.unwrap().0.message.ends_with("it broke"));
    let named = Wanted { model: Some(ModelId("absent".to_owned())), ..Wanted::default() };
    let error = world.router.model(&named, &Cancel::new()).err().unwrap();
    assert_eq!(error.message, "no such model is installed", "one that was named is not replaced");
}

#[test]
fn native_calls_come_as_the_json_that_agents_read() {
    let world = world();
    let wanted = Wanted { model: Some(ModelId("fake/m".to_owned())), ..Wanted::default() };
    let model = world.router.model(&wanted, &Cancel::new()).unwrap();
    let tools = [ToolOffer { name: "look".to_owned(), description: "Looks.".to_owned(), parameters: json!({}) }];
    let constrained =
        GenerateRequest { constraint: Some(Constraint::JsonSchema(json!({ "type": "object" }))), ..request("do") };
    world.script.then(Act::Call("I look first.", "look"));
    let heard = hear(model.generate_call(constrained.clone(), &tools, Cancel::new()).unwrap());
    assert_eq!(heard.text, r#"{"thought":"I look first.","tool":"look","arguments":{"path":"/x"}}"#);
    let call = world.script.calls.lock().unwrap()[0].clone();
    assert_eq!((call.tools.len(), call.schema), (1, None));
    // One that is known to call no tools is held to the form.
    *world.script.tools.lock().unwrap() = Some(false);
    world.gateway.server(&ProviderId("fake".to_owned())).unwrap().forget_models();
    let model = world.router.model(&wanted, &Cancel::new()).unwrap();
    world.script.then(Act::Say(vec![r#"{"thought":"","answer":"4"}"#]));
    let other = GenerateRequest { prompt: request("do it").prompt, ..constrained };
    hear(model.generate_call(other, &tools, Cancel::new()).unwrap());
    let call = world.script.calls.lock().unwrap()[1].clone();
    assert!(call.tools.is_empty() && call.schema.is_some());
}

#[test]
fn what_a_server_cannot_do_is_done_here() {
    let world = world();
    let pattern = GenerateRequest { constraint: Some(Constraint::Regex("a+".to_owned())), ..request("hello") };
    let wanted = Wanted { model: Some(ModelId("fake/m".to_owned())), ..Wanted::default() };
    let heard = world.ask_for(&wanted, pattern);
    assert_eq!(heard.choices[0].model, "scripted");
    assert!(heard.choices[0].tried[0].why.contains("pattern"));
    assert!(world.script.calls.lock().unwrap().is_empty());
    // An answer of a schema that was cut is unfinished, and is not begun again elsewhere.
    world.script.then(Act::Cut("{\"a\": "));
    let schema = GenerateRequest { constraint: Some(Constraint::JsonSchema(json!({}))), ..request("hello") };
    let cut = world.ask_for(&wanted, schema);
    assert!(cut.failed.unwrap().1);
}

#[test]
fn a_stopped_question_does_not_wander_on() {
    let world = world();
    let model =
        world.router.model(&Wanted { model: Some(ModelId("fake/m".to_owned())), ..Wanted::default() }, &Cancel::new());
    world.script.then(Act::Fail(FaultKind::Cancelled));
    let cancel = Cancel::new();
    let events = model.unwrap().generate(request("hello"), cancel.clone()).unwrap();
    let heard = hear(events);
    assert_eq!(heard.stats.unwrap().finish, FinishReason::Cancelled);
    assert_eq!(heard.choices.len(), 1);
    assert_eq!(world.cache.stats().unwrap().entries, 0);
}
