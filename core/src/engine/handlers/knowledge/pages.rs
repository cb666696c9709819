//! Fetches pages for sources through the door: judged and written into the ledger one by one, redirects too.

use std::time::Duration;

use rspa_ml::Cancel;

use crate::api::{ApiError, ErrorCategory};
use crate::engine::Context;
use crate::knowledge::readers::detect::looks_binary;
use crate::knowledge::{FetchPage, Fetched};
use crate::model::SecretText;
use crate::tools::web;
use crate::trust::egress::{Answer, Consent, Method, Request};

const LIMIT: Duration = Duration::from_secs(30);
/// Addresses that one page may lead through.
const MOST_REDIRECTS: usize = 5;
const ACCEPT: &str = "text/html, application/xhtml+xml, text/plain, text/markdown, application/pdf";

/// The door of a profile.
pub struct Door(pub Context);

impl FetchPage for Door {
    fn fetch(&self, address: &str, confirmed: Option<&str>, cancel: &Cancel) -> Result<Fetched, ApiError> {
        let mut at = web::address(address)?;
        let consent = match confirmed.map(str::trim).filter(|host| !host.is_empty()) {
            None => None,
            Some(host) if host.eq_ignore_ascii_case(&at.host) => Some(Consent::once(host)),
            Some(host) => {
                let message = format!("the page lies on {}, but {host} was confirmed", at.host);
                let advice = "Look at the address that is shown, and confirm that one.";
                return Err(ApiError::new(ErrorCategory::Authorisation, message, advice));
            }
        };
        for _ in 0..=MOST_REDIRECTS {
            if cancel.is_cancelled() {
                return Err(ApiError::cancelled());
            }
            let answer = self.0.egress.request(
                &Request {
                    who: "knowledge".to_owned(),
                    purpose: format!("Fetch a page of {}", at.host),
                    method: Method::Get,
                    url: at.url.clone(),
                    headers: vec![("accept", SecretText::new(ACCEPT.to_owned()))],
                    body: Vec::new(),
                    limit: LIMIT,
                },
                consent.as_ref(),
            )?;
            if (300..400).contains(&answer.status)
                && let Some(next) = answer.location.as_deref().and_then(|link| web::join(&at.url, link))
            {
                // Another host is judged by the policy alone: only the first one was agreed to.
                at = web::address(&next)?;
                continue;
            }
            return page(answer, &at.host, &at.url);
        }
        Err(failed(&at.host, "redirects too often", "Add the address that it leads to."))
    }
}

fn failed(host: &str, what: &str, advice: &str) -> ApiError {
    ApiError::new(ErrorCategory::Network, format!("{host} {what}"), advice)
}

fn page(answer: Answer, host: &str, url: &str) -> Result<Fetched, ApiError> {
    if !(200..300).contains(&answer.status) {
        let what = format!("answered with status {}", answer.status);
        return Err(failed(host, &what, "Check the address in a browser."));
    }
    if !answer.complete {
        return Err(failed(host, "sent more than 1 MB", "Save the page in a browser and add the file."));
    }
    let bytes = answer.body;
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4_096)]).to_lowercase();
    let path = url.split(['?', '#']).next().unwrap_or_default().to_lowercase();
    let extension = if bytes.starts_with(b"%PDF-") {
        "pdf"
    } else if looks_binary(&bytes) {
        return Err(failed(
            host,
            "sent something that is no page and no text",
            "Save it in a browser and add the file.",
        ));
    } else if ["<!doctype html", "<html", "<head", "<body", "<title"].iter().any(|sign| head.contains(sign)) {
        "html"
    } else if path.ends_with(".md") || path.ends_with(".markdown") {
        "md"
    } else {
        "txt"
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(failed(host, "sent an empty page", "Check the address in a browser."));
    }
    Ok(Fetched { bytes, extension })
}
