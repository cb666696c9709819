//! The tool that searches what the profile has indexed.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, short, text};
use super::output::{Page, bounded_to, plain};
use super::{Proposal, Scope, Tool, ToolSpec, schema};
use crate::api::ApiError;
use crate::model::{DOCUMENTS, Permission, ProposedAction, SearchMode, SearchQuery, ToolEffect, ToolOutput};

const MOST_HITS: u32 = 20;
/// For comparing the best passages closely, in milliseconds.
const COMPARE_MS: u32 = 400;
/// Of one passage as the model reads it.
const PASSAGE_BYTES: usize = 1_200;

pub struct SearchKnowledge;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
    #[serde(default)]
    limit: Option<u32>,
}

impl Tool for SearchKnowledge {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "search_knowledge".into(),
            title: "Search knowledge".into(),
            description: "Searches the person's indexed documents and gives numbered passages with path and lines. \
                          Cite a passage by its number in brackets, such as [2]."
                .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("query", schema::text(400, "What is looked for, in a few words or a question.")),
                    ("limit", schema::integer(1, i64::from(MOST_HITS), "Passages; 6 when not given.")),
                ],
                &["query"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        let query = text("query", &given.query, 400)?;
        Ok(Proposal {
            title: format!("Search for {:?}", short(query, 60)),
            action: ProposedAction::Look { what: format!("indexed documents, for {query:?}") },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let results = scope.host.search(SearchQuery {
            text: text("query", &given.query, 400)?.to_owned(),
            mode: SearchMode::Hybrid,
            limit: given.limit.unwrap_or(6).clamp(1, MOST_HITS),
            kinds: DOCUMENTS.to_vec(),
            compare_ms: COMPARE_MS,
            ..SearchQuery::default()
        })?;
        if results.hits.is_empty() {
            return Ok(super::output::text(format!("Nothing was found in {} passages.", results.searched)));
        }
        let (mut page, mut hits) = (Page::new(), Vec::new());
        for (index, hit) in results.hits.iter().enumerate() {
            let passage = &hit.passage;
            let place =
                format!("{}:{}-{}", plain(&passage.path.to_string_lossy()), passage.start_line, passage.end_line);
            let heading =
                passage.heading.as_deref().map(|heading| format!(" ({})", plain(heading))).unwrap_or_default();
            let words = bounded_to(&passage.text, PASSAGE_BYTES);
            if page.line(&format!("[{}] {place}{heading}\n{words}\n", index + 1)) {
                hits.push(json!({
                    "number": index + 1,
                    "passage": passage.id,
                    "document": passage.document,
                    "path": passage.path.to_string_lossy(),
                    "start_line": passage.start_line,
                    "end_line": passage.end_line,
                    "page": passage.page,
                    "heading": passage.heading,
                    "score": hit.score,
                    "text": passage.text,
                }));
            }
        }
        Ok(ToolOutput { text: page.finish("passages"), data: Some(json!({ "hits": hits })), ..ToolOutput::default() })
    }
}
