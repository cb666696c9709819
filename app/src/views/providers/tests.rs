//! Tests of the page of providers by accessible label.

use egui::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use rspa_core::api::{ApiError, ErrorCategory};
use rspa_core::model::{
    CacheStats, CredentialList, EnvironmentKey, Job, JobKind, JobState, ModelId, NetworkPolicy, NetworkStatus,
    Protection, ProviderDraft, ProviderId, ProviderKind, ProviderLimits, ProviderModel, ProviderState, ProviderStatus,
    Routing, SettingValue, Timestamp, VaultPlace, VaultStatus,
};

use super::ProvidersView;
use crate::commands::pages::providers::ProvidersCommand as P;
use crate::commands::{Action, UiCommand};
use crate::fixtures::{self, NOW, Stage, page};
use crate::state::pages::providers::{Editing, Part};
use crate::state::{AppState, Page, Slot};

const WIDE: (f32, f32) = (1096.0, 774.0);
const NARROW: (f32, f32) = (480.0, 700.0);

fn id(name: &str) -> ProviderId {
    ProviderId(name.into())
}

fn provider(name: &str, kind: ProviderKind, state: ProviderState) -> ProviderStatus {
    ProviderStatus {
        id: id(name),
        settings: ProviderDraft {
            id: name.into(),
            name: if name == "embedded" { "This program".into() } else { format!("{} here", kind.name()) },
            kind,
            base_url: kind.usual_address().into(),
            enabled: true,
            credential: (kind == ProviderKind::OpenAi).then(|| "openai".to_owned()),
            limits: ProviderLimits::default(),
            extra_models: Vec::new(),
        },
        state,
        checked: Some(Timestamp(NOW.0 - 120_000)),
        latency_ms: Some(42.0),
        has_key: true,
        models: 2,
        requests: 120,
        failures: 3,
        retries: 5,
    }
}

fn model(name: &str) -> ProviderModel {
    ProviderModel {
        id: ModelId(format!("ollama/{name}")),
        name: name.into(),
        context_length: Some(8_192),
        max_answer_tokens: None,
        tools: Some(true),
        embeds: None,
        family: "llama".into(),
        quantisation: "Q4_K_M".into(),
        parameters: Some(3_200_000_000),
        size_bytes: Some(2_000_000_000),
    }
}

fn keys() -> CredentialList {
    let vault = VaultStatus {
        place: VaultPlace::Files,
        keychain_problem: None,
        protection: Protection::KeyFile,
        locked: false,
        locked_out_until: None,
        attempts_left: 5,
        key_created: None,
        next_rotation: None,
        problem: None,
    };
    let key = EnvironmentKey {
        service: "anthropic".into(),
        variable: "ANTHROPIC_API_KEY".into(),
        in_use: true,
        host: None,
        tested: None,
    };
    CredentialList { vault, items: vec![], environment: vec![key], services: vec![] }
}

fn stats() -> CacheStats {
    CacheStats {
        enabled: true,
        entries: 412,
        bytes: 3_400_000,
        most_bytes: 128_000_000,
        memory_entries: 60,
        memory_bytes: 900_000,
        hits: 971,
        misses: 29,
        hit_p50_us: 84.0,
        hit_p99_us: 310.0,
        hours: 24,
    }
}

pub fn state() -> AppState {
    let mut state = fixtures::state();
    let page = &mut state.pages.providers;
    page.list = Slot::with(vec![
        provider("embedded", ProviderKind::Embedded, ProviderState::Ready),
        provider("anthropic", ProviderKind::Anthropic, ProviderState::Forbidden { why: "policy: nothing".into() }),
        provider("ollama", ProviderKind::Ollama, ProviderState::Ready),
        provider("openai", ProviderKind::OpenAi, ProviderState::Unreachable { why: "connection refused".into() }),
    ]);
    page.models = Slot::with(vec![model("llama3.2:3b"), model("nomic-embed-text")]);
    page.all_models = Slot::with(vec![model("llama3.2:3b")]);
    page.keys = Slot::with(keys());
    page.routing = Slot::with(Routing::default());
    page.agents = Slot::with(Vec::new());
    page.cache = Slot::with(stats());
    state.network = Some(NetworkStatus {
        policy: NetworkPolicy::Nothing,
        forbid_cloud: false,
        hosts: Vec::new(),
        requests_allowed: 0,
        requests_blocked: 2,
        bytes_sent: 0,
        bytes_received: 0,
        active: false,
    });
    state
}

/// With this one chosen, its models known.
fn chosen(name: &str) -> AppState {
    let mut state = state();
    let models = std::mem::take(&mut state.pages.providers.models);
    state.pages.providers.select(Some(id(name)));
    state.pages.providers.models = models;
    state
}

fn shown(state: AppState, size: (f32, f32)) -> Harness<'static, Stage<ProvidersView>> {
    let mut harness = page::<ProvidersView>(state, size, true);
    harness.run();
    harness
}

fn sent(harness: &Harness<'_, Stage<ProvidersView>>) -> Vec<P> {
    let of = |command: &UiCommand| match command {
        UiCommand::Providers(command) => Some(command.clone()),
        UiCommand::Confirm(question) => match &*question.then {
            UiCommand::Providers(command) => Some(command.clone()),
            _ => None,
        },
        _ => None,
    };
    harness.state().commands.iter().filter_map(of).collect()
}

#[test]
fn the_list_says_how_each_is_doing_and_chooses() {
    let mut harness = shown(state(), WIDE);
    for row in ["This program: Ready", "Anthropic here: Forbidden by profile", "Ollama here: Ready"] {
        assert!(harness.query_by_label(row).is_some(), "{row}");
    }
    harness.get_by_label("OpenAI-compatible here: Unreachable: connection refused").click();
    harness.run();
    assert_eq!(sent(&harness), [P::Select(Some(id("openai")))]);
    harness.get_by_label("Add provider").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&UiCommand::Run(Action::AddProvider)));
}

#[test]
fn what_the_policy_refuses_shows_the_way_out() {
    let mut harness = shown(chosen("anthropic"), WIDE);
    assert!(harness.query_by_label_contains("lets nothing reach api.anthropic.com").is_some());
    harness.get_by_label("Profiles & network").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&UiCommand::OpenPage(Page::Profiles)));
}

#[test]
fn a_provider_is_checked_switched_off_and_removed_after_a_question() {
    let mut harness = shown(chosen("ollama"), WIDE);
    harness.get_by_label("Check now").click();
    harness.run();
    harness.get_by_role_and_label(Role::Switch, "Use Ollama here").click();
    harness.run();
    harness.get_by_label("Edit Ollama here").click();
    harness.run();
    harness.get_by_label("Remove Ollama here").click();
    harness.run();
    let commands = sent(&harness);
    assert_eq!(commands[0], P::Check(id("ollama")));
    assert!(matches!(&commands[1], P::Update { id, draft } if id.0 == "ollama" && !draft.enabled));
    assert_eq!(commands[2..], [P::Edit(Editing::Change(id("ollama"))), P::Remove(id("ollama"))]);
    assert!(harness.state().commands.iter().any(|command| matches!(command, UiCommand::Confirm(q) if q.danger)));
}

#[test]
fn models_are_listed_chosen_as_default_and_fetched() {
    let mut state = chosen("ollama");
    let job = Job {
        id: "01890000-0000-7000-8000-000000000777".parse().unwrap(),
        kind: JobKind::Download,
        label: "Fetch llama3.2:1b".into(),
        state: JobState::Running,
        done: 40,
        total: 100,
        unit: "bytes".into(),
        seconds_left: None,
        started: NOW,
    };
    state.pages.providers.pulls.push((id("ollama"), job.id));
    state.jobs.push(job);
    let mut harness = shown(state, WIDE);
    assert!(harness.query_by_label("llama3.2:3b, context 8,192 tokens, size 2.0 GB, tools yes").is_some());
    assert!(harness.query_by_role_and_label(Role::ProgressIndicator, "Fetch llama3.2:1b").is_some());
    harness.get_by_label("What to do with llama3.2:3b").click();
    harness.run();
    harness.get_by_label("Use as default").click();
    harness.run();
    harness.get_by_label("Model to fetch").focus();
    harness.run();
    harness.get_by_label("Model to fetch").type_text("qwen3:0.6b");
    harness.run();
    harness.get_by_label("Fetch").click();
    harness.run();
    let expected =
        [P::UseAsDefault(ModelId("ollama/llama3.2:3b".into())), P::Pull(ModelId("ollama/qwen3:0.6b".into()))];
    assert_eq!(sent(&harness), expected);
}

#[test]
fn a_provider_is_added_with_the_usual_address_and_the_key_that_is_there() {
    let mut state = state();
    state.pages.providers.edit(Editing::New);
    let mut harness = shown(state, WIDE);
    harness.get_by_label("Anthropic").click();
    harness.run();
    assert!(harness.query_by_label_contains("refuses this host").is_some());
    harness.get_by_label("Advanced").click();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Requests a minute (0: no limit)").focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Requests a minute (0: no limit)").type_text("3");
    harness.run();
    harness.get_by_label("Add it").click();
    harness.run();
    let [P::Add(draft)] = &sent(&harness)[..] else { panic!("one draft") };
    assert_eq!((draft.kind, draft.base_url.as_str()), (ProviderKind::Anthropic, "https://api.anthropic.com"));
    assert_eq!(draft.credential.as_deref(), Some("anthropic"));
    assert!([3, 30].contains(&draft.limits.requests_per_minute), "{}", draft.limits.requests_per_minute);
}

#[test]
fn a_wrong_address_is_told_and_not_sent() {
    let mut state = state();
    state.pages.providers.edit(Editing::New);
    let mut harness = shown(state, WIDE);
    harness.get_by_role_and_label(Role::TextInput, "Address").focus();
    harness.run();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.get_by_role_and_label(Role::TextInput, "Address").type_text("http://example.org");
    harness.run();
    harness.get_by_label("Add it").click();
    harness.run();
    assert!(harness.query_by_label_contains("Use https").is_some());
    assert!(sent(&harness).is_empty());
}

#[test]
fn rules_are_made_ordered_and_saved() {
    let mut state = state();
    state.pages.providers.part = Part::Routing;
    let mut harness = shown(state, (1096.0, 1200.0));
    assert!(harness.query_by_label_contains("SmolLM2-135M would answer: no rule decides").is_some());
    harness.get_by_label("Add rule").click();
    harness.run();
    harness.get_by_label("Add rule").click();
    harness.run();
    harness.get_all_by_label("Tasks").next().unwrap().click();
    harness.run();
    harness.get_by_label("Move Rule 1 down").click();
    harness.run();
    assert!(harness.query_by_label_contains("would answer: rule “Rule 2”").is_some());
    harness.get_by_label("Add model").click();
    harness.run();
    harness.get_all_by_label("ollama/llama3.2:3b").last().unwrap().click();
    harness.run();
    harness.get_by_label("Save").click();
    harness.run();
    let [P::SetRouting(routing)] = &sent(&harness)[..] else { panic!("one routing") };
    let names: Vec<&str> = routing.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["Rule 2", "Rule 1"]);
    assert_eq!(routing.rules[1].work.len(), 1);
    assert_eq!(routing.fallback, [ModelId("ollama/llama3.2:3b".into())]);
}

#[test]
fn the_cache_is_judged_switched_and_cleared_after_a_question() {
    let mut state = state();
    state.pages.providers.part = Part::Cache;
    let mut harness = shown(state, WIDE);
    for words in ["97.1 %", "412", "84 µs", "99 of 100 within 310 µs", "of 128 MB", "24 hours"] {
        assert!(harness.query_by_label_contains(words).is_some(), "{words}");
    }
    harness.get_by_role_and_label(Role::Switch, "Keep answers").click();
    harness.run();
    let off = UiCommand::SetSetting { key: "cache.enabled".into(), value: SettingValue::Bool(false) };
    assert_eq!(harness.state().commands, [off]);
    harness.get_by_label("Clear").click();
    harness.run();
    assert_eq!(sent(&harness), [P::ClearCache]);
}

#[test]
fn it_stands_narrow_loading_and_after_an_error() {
    let harness = shown(state(), NARROW);
    assert!(harness.query_by_label("This program: Ready").is_some() && harness.query_by_label("Check now").is_none());
    let harness = shown(AppState::default(), WIDE);
    assert!(harness.query_all_by_label("Reading the providers…").next().is_some());
    let mut failed = AppState::default();
    let error = ApiError::new(ErrorCategory::Storage, "the disk is full", "Make room.");
    failed.pages.providers.list = Slot::failed(error);
    let mut harness = shown(failed, WIDE);
    harness.get_by_label("Try again").click();
    harness.run();
    assert_eq!(sent(&harness), [P::Refresh]);
}
