//! "Test connection": one small authenticated request that lists models, and what its answer says about the key.

use std::time::Duration;

use super::CredentialError;
use super::keeper::Target;
use super::services::{self, Header};
use crate::api::{ApiError, ErrorCategory};
use crate::model::{SecretText, TestOutcome};
use crate::trust::egress::{Answer, Consent, Destination, Egress, Method, Request};

/// A service that takes longer is not reached.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// Asks, through the door.
///
/// # Errors
/// Category authorisation when nothing may go there; then nothing left this computer.
pub(super) fn ask(
    egress: &Egress,
    service: &str,
    target: &Target,
    consent: Option<&Consent>,
    limit: Duration,
) -> Result<(TestOutcome, String), ApiError> {
    let known = services::find(service);
    let host = services::host_of(&target.base_url)
        .ok_or_else(|| CredentialError::invalid("the stored address is not usable", "Store the credential again."))?;
    let mut headers = vec![("accept", SecretText::new("application/json".to_owned()))];
    if let Some(secret) = &target.secret {
        headers.push(match known.header {
            Header::Bearer => ("authorization", bearer(secret)),
            Header::Anthropic => ("x-api-key", secret.clone()),
            Header::Google => ("x-goog-api-key", secret.clone()),
        });
    }
    if known.header == Header::Anthropic {
        headers.push(("anthropic-version", SecretText::new("2023-06-01".to_owned())));
    }
    let request = Request {
        who: "credentials".to_owned(),
        purpose: format!("Test the connection to {service}"),
        method: Method::Get,
        url: format!("{}{}", target.base_url, known.path),
        headers,
        body: Vec::new(),
        limit,
    };
    match egress.request(&request, consent) {
        Ok(answer) => Ok(judge(&answer, &host, known.list)),
        Err(error) if error.category == ErrorCategory::Network => Ok((TestOutcome::Unreachable, error.message)),
        Err(error) => Err(error),
    }
}

/// Built where it lies: no half of it is left behind by growing.
fn bearer(secret: &SecretText) -> SecretText {
    const SCHEME: &str = "Bearer ";
    let mut text = String::with_capacity(SCHEME.len() + secret.reveal().len());
    text.push_str(SCHEME);
    text.push_str(secret.reveal());
    SecretText::new(text)
}

fn judge(answer: &Answer, host: &str, list: &str) -> (TestOutcome, String) {
    use TestOutcome as T;
    match answer.status {
        200 => match models_in(answer, list) {
            Some(1) => (T::Accepted, format!("{host} accepted it and offers 1 model")),
            Some(n) => (T::Accepted, format!("{host} accepted it and offers {n} models")),
            None => (T::Unexpected, format!("{host} answered, but not with a list of models: is the address right?")),
        },
        300..=399 => {
            let elsewhere = answer.location.as_deref().and_then(Destination::parse).map(|to| to.origin);
            let to = elsewhere.unwrap_or_else(|| "another address".to_owned());
            (T::Unexpected, format!("{host} wants to redirect to {to}; the key was not sent there"))
        }
        401 => (T::Refused, format!("{host} does not know this key")),
        403 => (T::Forbidden, format!("{host} knows the key, which may not list models")),
        404 => (T::Unexpected, format!("{host} has nothing at this address: is it right?")),
        429 => (
            T::Limited,
            format!("{host} has had too many requests, or nothing is left to spend; the key was not judged"),
        ),
        status @ 500..=599 => (T::ServerError, format!("{host} has a fault of its own (status {status}); try later")),
        status => (T::Unexpected, format!("{host} answered with status {status}")),
    }
}

/// How many entries the list has; none when it is no such list.
fn models_in(answer: &Answer, list: &str) -> Option<usize> {
    if !answer.complete {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    Some(value.get(list)?.as_array()?.len())
}

/// What the person must have been shown, as the consent of one request.
pub(super) fn consent(base_url: &str, confirmed_host: Option<&str>) -> Result<Option<Consent>, ApiError> {
    let Some(confirmed) = confirmed_host else { return Ok(None) };
    let host = services::host_of(base_url).unwrap_or_default();
    if !host.eq_ignore_ascii_case(confirmed) {
        return Err(ApiError::validation(
            format!("the test would go to {host}, not to {confirmed}"),
            "Confirm the host that is shown.",
        ));
    }
    Ok(Some(Consent::once(&host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str, location: Option<&str>) -> (TestOutcome, String) {
        let location = location.map(str::to_owned);
        judge(&Answer { status, location, body: body.as_bytes().to_vec(), complete: true }, "host.example", "data")
    }

    #[test]
    fn an_answer_says_what_it_means_for_the_key_and_nothing_of_its_text() {
        use TestOutcome as T;
        assert_eq!(
            of(200, r#"{"data":[{},{}]}"#, None),
            (T::Accepted, "host.example accepted it and offers 2 models".to_owned())
        );
        for (status, body, expected) in [
            (200, "<html>", T::Unexpected),
            (200, r#"{"data":7}"#, T::Unexpected),
            (401, "bad key sk-123", T::Refused),
            (403, "sk-123", T::Forbidden),
            (404, "sk-123", T::Unexpected),
            (418, "sk-123", T::Unexpected),
            (429, "sk-123", T::Limited),
            (500, "sk-123", T::ServerError),
        ] {
            let (outcome, words) = of(status, body, None);
            assert_eq!(outcome, expected, "{status}");
            assert!(!words.contains("sk-123") && words.contains("host.example"), "{words}");
        }
        let (_, words) = of(302, "", Some("https://elsewhere.example/x?key=sk-123"));
        assert!(words.contains("https://elsewhere.example:443") && !words.contains("sk-123"), "{words}");
    }
}
