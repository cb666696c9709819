//! The tool that fetches a web page and gives its readable text, under the network policy.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::parse;
use super::output::{Page, bounded_to, plain};
use super::{Proposal, Scope, Tool, ToolSpec, schema, web};
use crate::api::ApiError;
use crate::model::{Permission, ToolEffect, ToolOutput};
use crate::trust::egress::Method;

const TEXT_BYTES: usize = 6 << 10;
const MOST_LINKS: usize = 25;

pub struct ReadPage;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    url: String,
    #[serde(default)]
    first_line: Option<u32>,
}

fn headers() -> Vec<(&'static str, String)> {
    vec![("accept", "text/html, application/xhtml+xml, text/plain, application/pdf".to_owned())]
}

impl Tool for ReadPage {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_page".into(),
            title: "Read a web page".into(),
            description: "Fetches a web page and gives its readable text: title, headings, paragraphs and links. \
                          Redirects are told, not followed."
                .into(),
            effect: ToolEffect::Network,
            default: Permission::Ask,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("url", schema::text(web::MOST_URL as u32, "https address.")),
                    ("first_line", schema::integer(1, 1_000_000, "Where a long page is read on.")),
                ],
                &["url"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        let address = web::address(&given.url)?;
        Ok(Proposal {
            title: format!("Read a page of {}", address.host),
            action: web::shown(&address, Method::Get, &headers(), ""),
            always: Some(web::always(&address, Method::Get)),
            harmless: false,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let address = web::address(&given.url)?;
        let answer = web::ask(scope, &address, Method::Get, &headers(), "")?;
        let status = answer.status;
        if let Some(words) = web::redirect(&answer, &address) {
            return Ok(super::output::with_data(words, json!({"status": status, "location": answer.location})));
        }
        if !(200..300).contains(&status) {
            return Ok(super::output::with_data(
                format!("{} answered with status {status}.", address.host),
                json!({"status": status}),
            ));
        }
        let cut = !answer.complete;
        let page = web::readable(answer, &address)?;
        Ok(render(&address, &page, given.first_line.unwrap_or(1).max(1), cut))
    }
}

fn render(address: &web::Address, read: &web::Page, first: u32, cut: bool) -> ToolOutput {
    let lines = &read.text.lines;
    let (mut text, mut next) = (String::new(), None);
    for number in first..=lines.count() {
        let line = lines.line(number).trim();
        if line.is_empty() {
            continue;
        }
        let heading = read.text.headings.iter().find(|heading| heading.line == number);
        let line = match heading {
            Some(heading) => format!("{} {line}\n", "#".repeat(usize::from(heading.level.clamp(1, 6)))),
            None => format!("{}\n", bounded_to(line, TEXT_BYTES / 2)),
        };
        if text.len() + line.len() > TEXT_BYTES {
            next = Some(number);
            break;
        }
        text.push_str(&line);
    }
    let mut page = Page::new();
    page.line(&format!("{} ({})", if read.title.is_empty() { "Without a title" } else { &read.title }, address.url));
    if let Some(note) = &read.text.note {
        page.line(note);
    }
    page.line(text.trim_end());
    if let Some(next) = next {
        page.line(&format!("[goes on: read from line {next} of {}]", lines.count()));
    } else if cut {
        page.line("[only the first 1 MB of the page was taken]");
    }
    if !read.links.is_empty() && first == 1 {
        page.line("Links:");
        for (link, words) in read.links.iter().take(MOST_LINKS) {
            page.line(&format!("- {words}: {link}"));
        }
    }
    let links: Vec<Value> = read.links.iter().map(|(link, words)| json!({"url": link, "text": plain(words)})).collect();
    ToolOutput {
        text: page.finish("links"),
        data: Some(json!({"title": read.title, "url": address.url, "lines": lines.count(), "links": links})),
        ..ToolOutput::default()
    }
}
