//! What the network tools share: addresses that may be asked, requests through the door, answers as readable text.

use std::sync::Arc;
use std::time::Duration;

use rspa_ml::Cancel;

use super::args::{refused, wrong};
use super::output::plain;
use super::{RuleScope, Scope};
use crate::api::{ApiError, ErrorCategory};
use crate::knowledge::readers::{self, Extracted, Format, Limits, ReadError, guard, html};
use crate::model::{ProposedAction, SecretText};
use crate::trust::egress::{Answer, Destination, Method, Request};

const LIMIT: Duration = Duration::from_secs(30);
pub const MOST_URL: usize = 2_000;

/// An address that was looked at.
#[derive(Debug)]
pub struct Address {
    pub url: String,
    pub host: String,
}

/// # Errors
/// For what is no https address, nor one of this computer, or holds a password.
pub fn address(text: &str) -> Result<Address, ApiError> {
    let url = text.trim();
    if url.chars().count() > MOST_URL {
        return Err(wrong(format!("the address is longer than {MOST_URL} characters")));
    }
    if !url.is_ascii() {
        return Err(wrong("the address holds letters that are not ASCII; write them as %-codes"));
    }
    let destination = Destination::parse(url).ok_or_else(|| wrong(format!("{:?} is no https address", plain(url))))?;
    let encrypted = url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    if !encrypted && !destination.is_loopback() {
        return Err(refused("http is not protected against changes on the way", "Use the https address."));
    }
    // What follows # is for browsers; it is never sent.
    let url = url.split('#').next().unwrap_or(url).to_owned();
    Ok(Address { url, host: destination.host })
}

/// What the person is shown of a request.
pub fn shown(address: &Address, method: Method, headers: &[(&'static str, String)], body: &str) -> ProposedAction {
    ProposedAction::HttpRequest {
        method: method.name().to_owned(),
        url: address.url.clone(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: body.to_owned(),
    }
}

/// Requests that change nothing are one thing to allow, each of the others is another.
pub fn always(address: &Address, method: Method) -> RuleScope {
    let host = &address.host;
    match method.is_safe() {
        true => RuleScope { scope: format!("host:{host}"), words: format!("reads from {host}") },
        false => RuleScope {
            scope: format!("host:{host} {}", method.name()),
            words: format!("sends {} requests to {host}", method.name()),
        },
    }
}

pub fn ask(
    scope: &Scope,
    address: &Address,
    method: Method,
    headers: &[(&'static str, String)],
    body: &str,
) -> Result<Answer, ApiError> {
    if scope.cancel.is_cancelled() {
        return Err(ApiError::cancelled());
    }
    let headers = headers.iter().map(|(name, value)| (*name, SecretText::new(value.clone())));
    scope.host.request(&Request {
        who: "agents".to_owned(),
        purpose: format!("{} for the agent {}", method.name(), scope.agent.settings.name),
        method,
        url: address.url.clone(),
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
        limit: LIMIT,
    })
}

/// Where a redirect leads, in words; the tool does not go there.
pub fn redirect(answer: &Answer, address: &Address) -> Option<String> {
    let location = answer.location.as_deref().filter(|_| (300..400).contains(&answer.status))?;
    let target = join(&address.url, location).unwrap_or_else(|| plain(location));
    Some(format!("It redirects to {target}, which was not followed; ask for that address if it is the right one."))
}

/// Readable text of what came: a page's, a PDF's, or the text itself.
pub struct Page {
    pub title: String,
    pub text: Extracted,
    /// Whole addresses with their words.
    pub links: Vec<(String, String)>,
}

pub fn readable(answer: Answer, address: &Address) -> Result<Page, ApiError> {
    let bytes = Arc::new(answer.body);
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4_096)]).to_lowercase();
    let format = if bytes.starts_with(b"%PDF-") {
        Format::Pdf
    } else if ["<!doctype html", "<html", "<head", "<body", "<title"].iter().any(|sign| head.contains(sign)) {
        Format::Html
    } else {
        Format::Unknown
    };
    let limits = Limits { seconds: 20, ..Limits::default() };
    let failed = |error: ReadError| {
        let message = format!("what {} sent cannot be read. {error}", address.host);
        ApiError::new(ErrorCategory::Processing, message, "Try another address.")
    };
    let text = readers::extract(format, Arc::clone(&bytes), &limits, &Cancel::new()).map_err(failed)?;
    let mut page = Page { title: String::new(), text, links: Vec::new() };
    if format == Format::Html {
        let found = guard::read(&html::PageLinks, bytes, limits, &Cancel::new()).map_err(failed)?;
        page.title = plain(found.lines.line(1));
        for (_, line) in found.lines.iter().skip(1) {
            let Some((link, words)) = line.split_once('\t') else { continue };
            let Some(link) = join(&address.url, link) else { continue };
            if !words.trim().is_empty() && page.links.iter().all(|(known, _)| *known != link) {
                page.links.push((link, plain(words)));
            }
        }
    }
    Ok(page)
}

/// Where a link leads from a page (RFC 3986, section 5, without the rarer forms); none for what is no web address.
pub fn join(base: &str, link: &str) -> Option<String> {
    let link = link.trim().split('#').next().unwrap_or_default();
    if link.is_empty() || link.len() > MOST_URL || link.chars().any(|letter| letter.is_control() || letter == ' ') {
        return None;
    }
    let (scheme, rest) = base.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let origin = format!("{scheme}://{}", &rest[..end]);
    let joined = if link.contains("://") && !link.starts_with(['/', '?', '.']) {
        link.to_owned()
    } else if link.starts_with("//") {
        format!("{scheme}:{link}")
    } else if link.starts_with('/') {
        format!("{origin}{}", folded(link))
    } else if let Some(query) = link.strip_prefix('?') {
        format!("{}?{query}", base.split('?').next().unwrap_or(base))
    } else if link.split(['/', '?']).next().is_some_and(|first| first.contains(':')) {
        // mailto:, javascript: and the like.
        return None;
    } else {
        let path = rest[end..].split('?').next().unwrap_or_default();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{origin}{}", folded(&format!("{folder}/{link}")))
    };
    Destination::parse(&joined).map(|_| joined)
}

/// A path without `.` and `..`.
fn folded(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}{query}", parts.join("/"))
}

/// A text as part of a query (RFC 3986, section 2.1).
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_joined_and_only_web_addresses_remain() {
        let base = "https://example.org/docs/page?x=1";
        for (link, expected) in [
            ("https://other.org/a", Some("https://other.org/a")),
            ("//other.org/a", Some("https://other.org/a")),
            ("/a", Some("https://example.org/a")),
            ("b.html#part", Some("https://example.org/docs/b.html")),
            ("../c", Some("https://example.org/c")),
            ("../../../c", Some("https://example.org/c")),
            ("?y=2", Some("https://example.org/docs/page?y=2")),
            ("#part", None),
            ("mailto:a@b.org", None),
            ("javascript:alert(1)", None),
            ("ftp://other.org/a", None),
            ("https://user:pass@other.org/a", None),
        ] {
            assert_eq!(join(base, link).as_deref(), expected, "{link}");
        }
        assert_eq!(join("https://example.org", "a").as_deref(), Some("https://example.org/a"));
        assert_eq!(encode("Käse & Brot"), "K%C3%A4se%20%26%20Brot");
    }

    #[test]
    fn only_https_and_this_computer_are_asked() {
        assert_eq!(address("https://Example.org/a#b").unwrap().url, "https://Example.org/a");
        assert!(address("http://127.0.0.1:8080/a").is_ok());
        for url in [
            "http://example.org",
            "ftp://example.org",
            "https://a:b@example.org",
            "example.org",
            "",
            "https://ex\u{e4}mple.org",
        ] {
            assert!(address(url).is_err(), "{url}");
        }
    }
}
