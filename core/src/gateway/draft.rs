//! Whether a server can be set up as somebody wrote it, in its usual form; and whether routes can.

use crate::api::ApiError;
use crate::model::{ModelId, ProviderDraft, ProviderId, ProviderKind, Routing};
use crate::trust::egress::Destination;

/// In characters.
const LONGEST_ID: usize = 40;
const LONGEST_NAME: usize = 80;
const LONGEST_ADDRESS: usize = 1_024;
const MOST_MODELS: usize = 200;
const LONGEST_MODEL: usize = 200;
const MOST_RULES: usize = 100;
const MOST_FALLBACKS: usize = 20;

fn wrong(field: &str, words: impl std::fmt::Display, advice: &str) -> ApiError {
    ApiError::validation(format!("{field}: {words}"), advice)
}

/// The draft as it is stored: id made where none is given, no spaces around anything.
///
/// # Errors
/// Category validation, with the field that is wrong.
pub fn usable(mut draft: ProviderDraft) -> Result<ProviderDraft, ApiError> {
    for text in [&mut draft.id, &mut draft.name, &mut draft.base_url] {
        *text = text.trim().to_owned();
    }
    if draft.kind == ProviderKind::Embedded {
        return Err(wrong("kind", "the models inside this program are there already", "Choose a kind of server."));
    }
    let length = draft.name.chars().count();
    if length == 0 || length > LONGEST_NAME || draft.name.chars().any(char::is_control) {
        return Err(wrong("name", format!("it has 1 to {LONGEST_NAME} characters"), "Give it a short name."));
    }
    if draft.id.is_empty() {
        draft.id = slug(&draft.name);
    }
    if draft.id.is_empty() || !is_id(&draft.id) {
        let words = format!("it has small letters, digits and hyphens, {LONGEST_ID} at most");
        return Err(wrong("id", words, "Give one such as openai."));
    }
    if draft.id == ProviderId::EMBEDDED {
        return Err(wrong("id", "\"embedded\" is this program itself", "Give another one."));
    }
    if draft.base_url.is_empty() {
        draft.base_url = draft.kind.usual_address().to_owned();
    }
    draft.base_url = address(&draft.base_url)?;
    draft.credential = draft.credential.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let is_service = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if draft.credential.as_ref().is_some_and(|name| name.len() > 64 || !name.chars().all(is_service)) {
        return Err(wrong("credential", "this is no name of a service", "Name one that Credentials lists."));
    }
    draft.extra_models = draft.extra_models.iter().map(|name| name.trim().to_owned()).collect();
    draft.extra_models.retain(|name| !name.is_empty());
    draft.extra_models.dedup();
    if draft.extra_models.len() > MOST_MODELS {
        return Err(wrong("extra_models", format!("there are at most {MOST_MODELS}"), "Name those you use."));
    }
    if draft.extra_models.iter().any(|name| name.len() > LONGEST_MODEL || name.chars().any(char::is_control)) {
        return Err(wrong("extra_models", "one of them is no name of a model", "Write it as the server does."));
    }
    limits(&draft)?;
    Ok(draft)
}

fn limits(draft: &ProviderDraft) -> Result<(), ApiError> {
    let limits = &draft.limits;
    for (field, value, least, most) in [
        ("requests_per_minute", limits.requests_per_minute, 0, 1_000_000),
        ("tokens_per_minute", limits.tokens_per_minute, 0, 1_000_000_000),
        ("first_byte_seconds", limits.first_byte_seconds, 1, 3_600),
        ("idle_seconds", limits.idle_seconds, 1, 3_600),
        ("retries", limits.retries, 0, 10),
        ("health_seconds", limits.health_seconds, 1, 86_400),
        ("breaker_failures", limits.breaker_failures, 1, 1_000),
        ("breaker_seconds", limits.breaker_seconds, 1, 86_400),
    ] {
        if !(least..=most).contains(&value) {
            return Err(wrong(field, format!("{value} is not between {least} and {most}"), "Give another number."));
        }
    }
    Ok(())
}

/// https, or http to this computer itself, without query and last slash.
fn address(text: &str) -> Result<String, ApiError> {
    const ADVICE: &str = "Give an address such as https://host.example/v1, or http://127.0.0.1:11434.";
    let text = text.trim_end_matches('/');
    if text.len() > LONGEST_ADDRESS || text.contains(['?', '#']) {
        return Err(wrong("base_url", "this address is too long, or has a query", ADVICE));
    }
    let destination =
        Destination::parse(text).ok_or_else(|| wrong("base_url", "this is not an address of a server", ADVICE))?;
    if destination.origin.starts_with("http://") && !destination.is_loopback() {
        return Err(wrong("base_url", "everybody on the way can read what goes over http", ADVICE));
    }
    Ok(text.to_owned())
}

fn is_id(id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    id.len() <= LONGEST_ID && id.chars().all(allowed) && !id.starts_with('-')
}

fn slug(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            id.push(c);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    id.truncate(LONGEST_ID);
    id.trim_end_matches('-').to_owned()
}

/// The routing as it is stored. A model need not be there: a rule whose model cannot be used is passed over.
///
/// # Errors
/// Category validation, with what is wrong.
pub fn usable_routing(mut routing: Routing) -> Result<Routing, ApiError> {
    if routing.rules.len() > MOST_RULES || routing.fallback.len() > MOST_FALLBACKS {
        let words = format!("there are at most {MOST_RULES} rules and {MOST_FALLBACKS} models to fall back on");
        return Err(wrong("rules", words, "Take some away."));
    }
    for rule in &mut routing.rules {
        rule.name = rule.name.trim().to_owned();
        let length = rule.name.chars().count();
        if length == 0 || length > LONGEST_NAME || rule.name.chars().any(char::is_control) {
            return Err(wrong("rules", format!("a name has 1 to {LONGEST_NAME} characters"), "Name each rule."));
        }
        rule.model = model(&rule.model)?;
        rule.work.sort();
        rule.work.dedup();
        rule.agents.dedup();
    }
    for id in &mut routing.fallback {
        *id = model(id)?;
    }
    let mut seen = Vec::new();
    routing.fallback.retain(|id| {
        let new = !seen.contains(id);
        seen.push(id.clone());
        new
    });
    Ok(routing)
}

fn model(id: &ModelId) -> Result<ModelId, ApiError> {
    let id = ModelId(id.0.trim().to_owned());
    let (provider, name) = id.split();
    let fits = !name.is_empty() && id.0.len() <= LONGEST_MODEL + LONGEST_ID && !id.0.chars().any(char::is_control);
    if !fits || (!provider.is_embedded() && !is_id(&provider.0)) {
        let words = "this is no id of a model";
        return Err(wrong("model", words, "Name one as the lists of models do, such as openai/gpt-4.1."));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProviderLimits, RouteRule, WorkKind};

    fn draft() -> ProviderDraft {
        ProviderDraft {
            id: String::new(),
            name: " My  Server (EU) ".to_owned(),
            kind: ProviderKind::OpenAi,
            base_url: "https://host.example/v1/".to_owned(),
            enabled: true,
            credential: Some(" ".to_owned()),
            limits: ProviderLimits::default(),
            extra_models: vec![" tuned ".to_owned(), String::new()],
        }
    }

    #[test]
    fn a_draft_gets_its_usual_form() {
        let usable = usable(draft()).unwrap();
        assert_eq!((usable.id.as_str(), usable.name.as_str()), ("my-server-eu", "My  Server (EU)"));
        assert_eq!((usable.base_url.as_str(), usable.credential), ("https://host.example/v1", None));
        assert_eq!(usable.extra_models, ["tuned"]);
        let usual = super::usable(ProviderDraft { base_url: String::new(), kind: ProviderKind::Ollama, ..draft() });
        assert_eq!(usual.unwrap().base_url, "http://127.0.0.1:11434");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_field() {
        let limits = |change: fn(&mut ProviderLimits)| {
            let mut draft = draft();
            change(&mut draft.limits);
            draft
        };
        for (field, draft) in [
            ("kind", ProviderDraft { kind: ProviderKind::Embedded, ..draft() }),
            ("name", ProviderDraft { name: " ".to_owned(), ..draft() }),
            ("id", ProviderDraft { id: "a/b".to_owned(), ..draft() }),
            ("id", ProviderDraft { id: "embedded".to_owned(), ..draft() }),
            ("id", ProviderDraft { name: "日本".to_owned(), ..draft() }),
            ("base_url", ProviderDraft { base_url: "http://host.example".to_owned(), ..draft() }),
            ("base_url", ProviderDraft { base_url: "https://a@host.example".to_owned(), ..draft() }),
            ("base_url", ProviderDraft { base_url: "https://host.example/?k=1".to_owned(), ..draft() }),
            ("credential", ProviderDraft { credential: Some("a b".to_owned()), ..draft() }),
            ("extra_models", ProviderDraft { extra_models: vec!["a\nb".to_owned()], ..draft() }),
            ("retries", limits(|limits| limits.retries = 11)),
            ("breaker_failures", limits(|limits| limits.breaker_failures = 0)),
            ("first_byte_seconds", limits(|limits| limits.first_byte_seconds = 0)),
        ] {
            let error = usable(draft).unwrap_err();
            assert!(error.message.starts_with(field), "{field}: {error}");
        }
    }

    #[test]
    fn routes_are_checked_too() {
        let rule = |model: &str| RouteRule {
            name: "r".to_owned(),
            enabled: true,
            work: vec![WorkKind::Task, WorkKind::Chat, WorkKind::Task],
            agents: Vec::new(),
            model: ModelId(model.to_owned()),
        };
        let of = |rules: Vec<RouteRule>, fallback: &[&str]| {
            let fallback = fallback.iter().map(|id| ModelId((*id).to_owned())).collect();
            usable_routing(Routing { rules, fallback })
        };
        let good = of(vec![rule("openai/org/model")], &["tiny", "tiny", "ollama/x"]).unwrap();
        assert_eq!((good.rules[0].work.len(), good.fallback.len()), (2, 2));
        assert!(of(vec![rule("openai/")], &[]).is_err());
        assert!(of(vec![rule("Open AI/x")], &[]).is_err());
        assert!(of(vec![], &["a\nb"]).is_err());
        assert!(of(vec![RouteRule { name: String::new(), ..rule("tiny") }], &[]).is_err());
    }
}
