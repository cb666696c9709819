//! The tool that sends one HTTP request, under the network policy.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, wrong};
use super::output::{bounded_to, plain};
use super::{Proposal, Scope, Tool, ToolSpec, schema, web};
use crate::api::ApiError;
use crate::knowledge::readers::text::decode;
use crate::model::{Permission, ToolEffect, ToolOutput};
use crate::trust::egress::Method;

const MOST_BODY: usize = 64 << 10;
const METHODS: [Method; 6] = [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete];
/// Headers that carry no secret. Keys of services never pass through a model.
const HEADERS: [&str; 6] =
    ["accept", "accept-language", "content-type", "if-match", "if-modified-since", "if-none-match"];

pub struct HttpRequest;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    value: String,
}

/// A request that was looked at.
struct Checked {
    method: Method,
    address: web::Address,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Arguments {
    fn check(self) -> Result<Checked, ApiError> {
        let method = METHODS.into_iter().find(|method| method.name() == self.method);
        let method = method
            .ok_or_else(|| wrong(format!("{:?} is no method; GET, POST and the like are", plain(&self.method))))?;
        let address = web::address(&self.url)?;
        let mut headers = Vec::new();
        for header in &self.headers {
            let name = HEADERS.into_iter().find(|name| *name == header.name.to_lowercase());
            let name = name.ok_or_else(|| {
                wrong(format!("the header {:?} cannot be sent; those can: {}", plain(&header.name), HEADERS.join(", ")))
            })?;
            let value = header.value.trim();
            if value.len() > 300 || !value.bytes().all(|byte| (32..127).contains(&byte)) {
                return Err(wrong(format!("the value of {name} is too long or holds what cannot be sent")));
            }
            if headers.iter().any(|(known, _)| *known == name) {
                return Err(wrong(format!("{name} stands there twice")));
            }
            headers.push((name, value.to_owned()));
        }
        if self.body.len() > MOST_BODY {
            return Err(wrong("`body` is longer than 64 KB"));
        }
        if !self.body.is_empty() && !method.has_body() {
            return Err(wrong(format!("a {} request has no body", method.name())));
        }
        Ok(Checked { method, address, headers, body: self.body })
    }
}

impl Tool for HttpRequest {
    fn spec(&self) -> ToolSpec {
        let names = METHODS.map(Method::name);
        let header = schema::object(
            &[("name", schema::one_of(&HEADERS, "Name.")), ("value", schema::text(300, "Value."))],
            &["name", "value"],
        );
        ToolSpec {
            name: "http_request".into(),
            title: "Send an HTTP request".into(),
            description:
                "Sends one HTTP request to an https address and gives status and body. Redirects are told, not \
                          followed. It cannot send passwords or keys."
                    .into(),
            effect: ToolEffect::Network,
            default: Permission::Ask,
            repeatable: false,
            parameters: schema::object(
                &[
                    ("method", schema::one_of(&names, "Method.")),
                    ("url", schema::text(web::MOST_URL as u32, "https address, or http to this computer.")),
                    ("headers", schema::list(header, 6, "Headers.")),
                    ("body", schema::long_text("For POST, PUT and PATCH.")),
                ],
                &["method", "url"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let Checked { method, address, headers, body } = parse::<Arguments>(arguments)?.check()?;
        Ok(Proposal {
            title: format!("{} {}", method.name(), address.host),
            action: web::shown(&address, method, &headers, &body),
            always: Some(web::always(&address, method)),
            harmless: false,
        })
    }

    fn run(&self, arguments: &Value, proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let Checked { method, address, headers, body } = parse::<Arguments>(arguments)?.check()?;
        if proposal.action != web::shown(&address, method, &headers, &body) {
            return Err(wrong("this is not the request that was proposed"));
        }
        let answer = web::ask(scope, &address, method, &headers, &body)?;
        let mut text = format!("Status {} from {}.", answer.status, address.host);
        if let Some(words) = web::redirect(&answer, &address) {
            text.push_str(&format!(" {words}"));
        }
        if !answer.complete {
            text.push_str(" Only the first 1 MB was taken.");
        }
        match decode(&answer.body) {
            _ if answer.body.is_empty() => {}
            Ok(decoded) => text.push_str(&format!("\n{}", bounded_to(&decoded.text, super::output::MOST_BYTES - 600))),
            Err(_) => text.push_str(&format!(" The body is no text ({} bytes).", answer.body.len())),
        }
        let changed = match method.is_safe() {
            true => String::new(),
            false => format!("sent {} to {} (status {})", method.name(), address.host, answer.status),
        };
        Ok(ToolOutput {
            text,
            data: Some(json!({"status": answer.status, "location": answer.location, "bytes": answer.body.len()})),
            changed,
            ..ToolOutput::default()
        })
    }
}
