//! The services that rspa knows how to ask whether a key is good: their address, their header, their variables.

use std::collections::BTreeMap;

use super::CredentialError;
use crate::model::KnownService;
use crate::trust::egress::Destination;

/// How a key is shown to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// `Authorization: Bearer KEY`
    Bearer,
    /// `x-api-key: KEY` with a version of the interface.
    Anthropic,
    /// `x-goog-api-key: KEY`
    Google,
}

#[derive(Debug)]
pub(super) struct Known {
    pub service: &'static str,
    pub name: &'static str,
    /// None where the person gives one.
    pub base_url: Option<&'static str>,
    /// Lists models; costs nothing.
    pub path: &'static str,
    /// The field of the answer that lists them.
    pub list: &'static str,
    pub header: Header,
    /// Of the environment; the first one that is set wins.
    pub variables: &'static [&'static str],
    pub needs_key: bool,
}

pub(super) static ALL: [Known; 4] = [
    Known {
        service: "anthropic",
        name: "Anthropic",
        base_url: Some("https://api.anthropic.com/v1"),
        path: "/models",
        list: "data",
        header: Header::Anthropic,
        variables: &["ANTHROPIC_API_KEY"],
        needs_key: true,
    },
    Known {
        service: "openai",
        name: "OpenAI",
        base_url: Some("https://api.openai.com/v1"),
        path: "/models",
        list: "data",
        header: Header::Bearer,
        variables: &["OPENAI_API_KEY"],
        needs_key: true,
    },
    Known {
        service: "gemini",
        name: "Google Gemini",
        base_url: Some("https://generativelanguage.googleapis.com/v1beta"),
        path: "/models",
        list: "models",
        header: Header::Google,
        variables: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        needs_key: true,
    },
    Known {
        service: "ollama",
        name: "Ollama",
        base_url: Some("http://127.0.0.1:11434"),
        path: "/api/tags",
        list: "models",
        header: Header::Bearer,
        variables: &[],
        needs_key: false,
    },
];

/// Anything that speaks as OpenAI does, at an address that the person gives.
static CUSTOM: Known = Known {
    service: "custom",
    name: "OpenAI-compatible",
    base_url: None,
    path: "/models",
    list: "data",
    header: Header::Bearer,
    variables: &[],
    needs_key: true,
};

pub(super) fn find(service: &str) -> &'static Known {
    ALL.iter().find(|known| known.service == service).unwrap_or(&CUSTOM)
}

/// For the form: all known ones, then the one with an address of its own.
pub(super) fn list() -> Vec<KnownService> {
    ALL.iter()
        .chain([&CUSTOM])
        .map(|known| KnownService {
            service: known.service.to_owned(),
            name: known.name.to_owned(),
            base_url: known.base_url.map(str::to_owned),
        })
        .collect()
}

/// Where this service is: the stored address, else that of the environment, else the usual one.
pub(super) fn base_url(service: &str, stored: Option<&str>, environment: &BTreeMap<String, String>) -> Option<String> {
    if let Some(stored) = stored {
        return Some(stored.to_owned());
    }
    if service == "ollama"
        && let Some(host) = environment.get("OLLAMA_HOST").map(|host| host.trim()).filter(|host| !host.is_empty())
    {
        return Some(ollama_address(host));
    }
    find(service).base_url.map(str::to_owned)
}

/// `OLLAMA_HOST` may be a host, a host with a port, or an address; 0.0.0.0 is where it listens, not where it is.
fn ollama_address(host: &str) -> String {
    let (scheme, place) = host.split_once("://").unwrap_or(("http", host));
    let place = place.trim_end_matches('/').replace("0.0.0.0", "127.0.0.1");
    match place.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()) {
        true => format!("{scheme}://{place}"),
        false => format!("{scheme}://{place}:11434"),
    }
}

/// The host of an address, as the person is shown it.
pub(super) fn host_of(base_url: &str) -> Option<String> {
    Destination::parse(base_url).map(|destination| destination.host)
}

/// An address as it is stored: https, or http to this computer, without query and last slash.
pub(super) fn check_base_url(text: &str) -> Result<String, CredentialError> {
    let text = text.trim().trim_end_matches('/');
    let wrong = |what: &str| CredentialError::invalid(what, "Give an address such as https://host.example/v1.");
    if text.len() > 1_024 || text.contains(['?', '#']) {
        return Err(wrong("this address is too long, or has a query"));
    }
    let destination = Destination::parse(text).ok_or_else(|| wrong("this is not an address of a service"))?;
    if destination.origin.starts_with("http://") && !destination.is_loopback() {
        return Err(wrong("a key is not sent over http, which everybody on the way can read"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_before_they_are_stored() {
        assert_eq!(check_base_url(" https://host.example/v1/ ").unwrap(), "https://host.example/v1");
        assert_eq!(check_base_url("http://127.0.0.1:9/v1").unwrap(), "http://127.0.0.1:9/v1");
        for bad in ["", "host.example", "http://host.example/v1", "ftp://x", "https://a@b/", "https://h/?k=1"] {
            assert!(check_base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ollama_is_where_its_variable_says() {
        let at = |host: &str| {
            base_url("ollama", None, &BTreeMap::from([("OLLAMA_HOST".to_owned(), host.to_owned())])).unwrap()
        };
        assert_eq!(at("0.0.0.0"), "http://127.0.0.1:11434");
        assert_eq!(at("box.example:80"), "http://box.example:80");
        assert_eq!(at("https://box.example/"), "https://box.example:11434");
        assert_eq!(base_url("ollama", None, &BTreeMap::new()).unwrap(), "http://127.0.0.1:11434");
        assert_eq!(base_url("mine", None, &BTreeMap::new()), None);
    }
}
