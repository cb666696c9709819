//! How a provider is doing, in words and tones; its address, its limits, its models.

use rspa_core::model::{
    InstalledModel, ModelId, ModelKind, NetworkPolicy, NetworkStatus, ProviderKind, ProviderLimits, ProviderModel,
    ProviderState, ProviderStatus,
};

use crate::design::Icon;
use crate::state::AppState;
use crate::text::{clock, number, short, tr, tr_count, tr_with};
use crate::widgets::Tone;

/// The tone of its dot, and the words beside it.
pub fn state(status: &ProviderStatus) -> (Tone, String) {
    let why = |why: &str| short(why, 160);
    match &status.state {
        ProviderState::Unknown => (Tone::Neutral, tr("providers.state.unknown").to_owned()),
        ProviderState::Ready => (Tone::Ok, tr("providers.state.ready").to_owned()),
        ProviderState::Disabled => (Tone::Neutral, tr("providers.state.disabled").to_owned()),
        ProviderState::Forbidden { .. } => (Tone::Warn, tr("providers.state.forbidden").to_owned()),
        ProviderState::Unreachable { why: words } => {
            (Tone::Bad, tr_with("providers.state.unreachable", &[("why", &why(words))]))
        }
        ProviderState::Unauthorised { .. } => (Tone::Bad, tr("providers.state.unauthorised").to_owned()),
        ProviderState::Limited { until, .. } => {
            (Tone::Warn, tr_with("providers.state.limited", &[("time", &clock(*until))]))
        }
        ProviderState::Resting { until, .. } => {
            (Tone::Warn, tr_with("providers.state.resting", &[("time", &clock(*until))]))
        }
    }
}

/// Why it cannot be used now, as whoever found out said it.
pub fn reason(status: &ProviderStatus) -> Option<String> {
    match &status.state {
        ProviderState::Unknown | ProviderState::Ready | ProviderState::Disabled => None,
        ProviderState::Forbidden { why }
        | ProviderState::Unreachable { why }
        | ProviderState::Unauthorised { why }
        | ProviderState::Limited { why, .. }
        | ProviderState::Resting { why, .. } => Some(short(why, 400)),
    }
}

pub fn icon(kind: ProviderKind) -> Icon {
    match kind {
        ProviderKind::Embedded => Icon::Cpu,
        ProviderKind::Ollama => Icon::Desktop,
        ProviderKind::Anthropic | ProviderKind::OpenAi | ProviderKind::Gemini => Icon::Cloud,
    }
}

/// "42 ms", "1.2 s".
pub fn latency(ms: f64) -> String {
    if ms < 1_000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1_000.0) }
}

/// What limits it, in one sentence.
pub fn limits(limits: &ProviderLimits) -> String {
    let rate = |n: u32, key: &str| match n {
        0 => tr(&format!("{key}_none")).to_owned(),
        n => tr_with(key, &[("n", &number(u64::from(n)))]),
    };
    let patience =
        tr_with("providers.limits.patience", &[("first", &limits.first_byte_seconds), ("idle", &limits.idle_seconds)]);
    let retries = tr_count("providers.limits.retries", u64::from(limits.retries));
    let requests = rate(limits.requests_per_minute, "providers.limits.requests");
    let tokens = rate(limits.tokens_per_minute, "providers.limits.tokens");
    [requests, tokens, patience, retries].join(" · ")
}

/// The host of an address, and whether it is this computer itself.
pub fn host(address: &str) -> Option<(String, bool)> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let place = rest.split(['/', '?', '#']).next()?;
    let place = place.rsplit('@').next()?;
    let name = match place.strip_prefix('[') {
        Some(inner) => inner.split(']').next()?,
        None => place.split(':').next()?,
    };
    let own = matches!(name, "localhost" | "::1") || name.starts_with("127.");
    (!name.is_empty()).then(|| (name.to_lowercase(), own))
}

/// What is wrong with an address, if anything; core has the last word.
pub fn address_problem(address: &str) -> Option<&'static str> {
    let address = address.trim();
    match host(address) {
        _ if address.is_empty() => Some(tr("providers.form.no_address")),
        Some(_) if address.starts_with("https://") => None,
        Some((_, true)) if address.starts_with("http://") => None,
        Some(_) if address.starts_with("http://") => Some(tr("providers.form.needs_https")),
        _ => Some(tr("providers.form.wrong_address")),
    }
}

/// Whether the policy in force lets nothing reach this host.
pub fn is_refused(network: Option<&NetworkStatus>, address: &str) -> bool {
    let (Some(network), Some((host, own))) = (network, host(address)) else { return false };
    if own {
        return false;
    }
    match network.policy {
        _ if network.forbid_cloud => true,
        NetworkPolicy::Nothing => true,
        NetworkPolicy::Listed => !network.hosts.contains(&host),
        NetworkPolicy::All => false,
    }
}

/// Models that can be named in rules: id and name, those of this program first.
pub fn choices(state: &AppState) -> Vec<(ModelId, String)> {
    let chat = |model: &&InstalledModel| model.info.kind == ModelKind::Chat;
    let own = state.models.list.get().into_iter().flat_map(|list| list.models.iter().filter(chat));
    let own = own.map(|model| (model.id.clone(), short(&model.info.name, 60)));
    let others = state.pages.providers.all_models.get().into_iter().flatten();
    let others = others.filter(|model| !model.id.split().0.is_embedded() && can_answer(model));
    let others = others.map(|model| (model.id.clone(), short(&model.id.0, 80)));
    own.chain(others).collect()
}

/// A model that only makes vectors answers nothing.
fn can_answer(model: &ProviderModel) -> bool {
    !(model.embeds == Some(true) && model.tools != Some(true) && model.name.contains("embed"))
}

/// A model as rules show it.
pub fn model_name(state: &AppState, id: &ModelId) -> String {
    choices(state).into_iter().find(|(known, _)| known == id).map_or_else(|| short(&id.0, 80), |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (address, wanted) in [
            ("http://127.0.0.1:11434", Some(("127.0.0.1", true))),
            ("http://[::1]:80/v1", Some(("::1", true))),
            ("https://API.openai.com/v1", Some(("api.openai.com", false))),
            ("https://me:key@a.org/", Some(("a.org", false))),
            ("https://", None),
        ] {
            assert_eq!(host(address), wanted.map(|(host, own)| (host.to_owned(), own)), "{address}");
        }
        assert!(address_problem("http://a.org").is_some() && address_problem("ftp://a.org").is_some());
        assert!(address_problem("http://localhost:8080/v1").is_none() && address_problem(" ").is_some());
    }

    #[test]
    fn what_the_policy_refuses_is_known_before_anything_is_sent() {
        let network = |policy, hosts: &[&str], forbid_cloud| NetworkStatus {
            policy,
            forbid_cloud,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            requests_allowed: 0,
            requests_blocked: 0,
            bytes_sent: 0,
            bytes_received: 0,
            active: false,
        };
        let refused = |network: NetworkStatus| is_refused(Some(&network), "https://a.org/v1");
        assert!(refused(network(NetworkPolicy::Nothing, &[], false)));
        assert!(refused(network(NetworkPolicy::Listed, &["b.org"], false)));
        assert!(!refused(network(NetworkPolicy::Listed, &["a.org"], false)));
        assert!(refused(network(NetworkPolicy::All, &[], true)) && !refused(network(NetworkPolicy::All, &[], false)));
        assert!(!is_refused(Some(&network(NetworkPolicy::Nothing, &[], true)), "http://127.0.0.1:1"));
    }
}
