//! The tool that asks a search service of the person's choice, under the network policy.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, short, text};
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, schema, web};
use crate::api::ApiError;
use crate::model::{Permission, ToolEffect, ToolOutput};
use crate::trust::egress::Method;

const MOST_RESULTS: usize = 20;

pub struct WebSearch;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
    #[serde(default)]
    limit: Option<usize>,
}

/// The service's address with the query in it.
fn address(scope: &Scope, query: &str) -> Result<web::Address, ApiError> {
    let settings = scope.agent.settings.tools.get("web_search").map(|rule| &rule.settings);
    let template = settings.and_then(|settings| settings.get("address")).and_then(Value::as_str).unwrap_or_default();
    if !template.contains("{query}") {
        return Err(ApiError::validation(
            "no search service is set for this agent, and none is built in",
            "On the agent's page, give web_search the setting `address`, such as \
             https://searx.example.org/search?q={query}&format=json for a SearXNG instance.",
        ));
    }
    web::address(&template.replace("{query}", &web::encode(query)))
}

fn headers() -> Vec<(&'static str, String)> {
    vec![("accept", "application/json, text/html".to_owned())]
}

impl Tool for WebSearch {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "web_search".into(),
            title: "Search the web".into(),
            description: "Searches the web with the service that the person has set, and gives titles, addresses and \
                          extracts."
                .into(),
            effect: ToolEffect::Network,
            default: Permission::Ask,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("query", schema::text(300, "What is looked for.")),
                    ("limit", schema::integer(1, MOST_RESULTS as i64, "Results; 8 when not given.")),
                ],
                &["query"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        let query = text("query", &given.query, 300)?;
        let address = address(scope, query)?;
        Ok(Proposal {
            title: format!("Search the web for {:?}", short(query, 60)),
            action: web::shown(&address, Method::Get, &headers(), ""),
            always: Some(web::always(&address, Method::Get)),
            harmless: false,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let query = text("query", &given.query, 300)?;
        let address = address(scope, query)?;
        let answer = web::ask(scope, &address, Method::Get, &headers(), "")?;
        if let Some(words) = web::redirect(&answer, &address) {
            return Ok(super::output::text(words));
        }
        if !(200..300).contains(&answer.status) {
            return Ok(super::output::text(format!("{} answered with status {}.", address.host, answer.status)));
        }
        let limit = given.limit.unwrap_or(8).clamp(1, MOST_RESULTS);
        let results = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(found) => from_json(&found),
            // A service that speaks HTML alone: its links to other hosts are the results.
            Err(_) => {
                let links = web::readable(answer, &address)?.links.into_iter();
                let elsewhere =
                    links.filter(|(link, words)| !link.contains(&address.host) && words.chars().count() > 8);
                elsewhere.map(|(url, title)| Found { title, url, extract: String::new() }).collect()
            }
        };
        let (mut page, mut rows) = (Page::new(), Vec::new());
        page.line(&format!("{} results for {query:?}:", results.len().min(limit)));
        for (index, found) in results.iter().take(limit).enumerate() {
            let line = format!("[{}] {} — {}\n{}", index + 1, found.title, found.url, found.extract);
            page.line(line.trim_end());
            rows.push(json!({"title": found.title, "url": found.url, "extract": found.extract}));
        }
        Ok(ToolOutput { text: page.finish("results"), data: Some(json!({ "results": rows })), ..ToolOutput::default() })
    }
}

struct Found {
    title: String,
    url: String,
    extract: String,
}

/// As SearXNG answers: `results` with `title`, `url` and `content`.
fn from_json(found: &Value) -> Vec<Found> {
    let text = |entry: &Value, name: &str, most: usize| short(&plain(entry[name].as_str().unwrap_or_default()), most);
    let entries = found["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let entry = |entry: &Value| {
        let url = entry["url"].as_str().and_then(|url| web::join("https://none.invalid/", url))?;
        Some(Found { title: text(entry, "title", 160), url, extract: text(entry, "content", 400) })
    };
    entries.iter().filter_map(entry).take(100).collect()
}
