//! Whether search finds what is asked for: first sentences of doc comments as questions, their functions as the answers,
//! in source trees from which the doc comments were taken away.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_syntax::{Language, Symbol};
use rspa_syntax::{Limits, outline};
use serde::Serialize;

use super::service;
use crate::knowledge::KnowledgeError;
use crate::knowledge::rank::NAMES;
use crate::knowledge::reports::Given;
use crate::model::{SearchHit, SearchMode, SearchQuery, StageRank};

/// Words of a question: shorter ones ask nothing, longer ones are no first sentences.
const WORDS: std::ops::RangeInclusive<usize> = 4..=40;
/// Deeper places count as not found.
const DEPTH: u32 = 10;

/// What is measured.
pub struct Plan<'a> {
    /// Folders of crates, each with its `src`.
    pub crates: &'a [PathBuf],
    /// Questions of each crate at most.
    pub questions: usize,
    pub seed: u64,
    pub encoder: Option<Arc<dyn Embedder>>,
    /// Milliseconds of each question for comparing the best passages closely; 0 leaves it out.
    pub compare_ms: u32,
}

/// How well one stage finds.
#[derive(Clone, Debug, Serialize)]
pub struct StageFigures {
    pub stage: &'static str,
    /// Mean reciprocal rank, places after the tenth counting 0.
    pub mrr10: f64,
    /// Share of questions whose answer is among the first ten.
    pub recall10: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct RetrievalMeasurement {
    pub crates: Vec<String>,
    pub passages: u64,
    pub questions: usize,
    pub stages: Vec<StageFigures>,
    pub index_s: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
}

/// The candidates of one question with what they were judged by, for learning weights.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    pub question: String,
    /// Names of the features.
    pub names: &'static [&'static str],
    pub candidates: Vec<JudgedCandidate>,
}

#[derive(Clone, Debug, Serialize)]
pub struct JudgedCandidate {
    pub wanted: bool,
    pub features: Vec<f32>,
}

/// Where one stage put a hit.
type PlaceIn = fn(&SearchHit) -> Option<u32>;

/// A question with its answer.
struct Question {
    text: String,
    /// Absolute, in the stripped tree.
    path: PathBuf,
    /// The line of the function's name, in the stripped file.
    line: u32,
}

/// Indexes the stripped crates under `scratch` (an empty folder) and asks. `judged` hears the candidates of each question.
pub fn measure(
    plan: &Plan<'_>,
    scratch: &Path,
    cancel: &Cancel,
    mut judged: impl FnMut(Judged),
) -> Result<RetrievalMeasurement, KnowledgeError> {
    let tree = scratch.join("tree");
    let mut questions = Vec::new();
    let mut chance = StdRng::seed_from_u64(plan.seed);
    for folder in plan.crates {
        let mut of_crate = strip(folder, &tree, cancel)?;
        // The same sentence over two functions asks for neither.
        let mut counts: HashMap<String, usize> = HashMap::new();
        of_crate.iter().for_each(|question| *counts.entry(question.text.clone()).or_default() += 1);
        of_crate.retain(|question| counts[&question.text] == 1);
        for _ in 0..plan.questions.min(of_crate.len()) {
            let at = chance.random_range(0..of_crate.len());
            questions.push(of_crate.swap_remove(at));
        }
    }
    let service = service(scratch, Arc::new(Given(plan.encoder.clone())))?;
    let started = Instant::now();
    let status = service.add(&tree)?;
    let status = service.wait(status.source.id, plan.encoder.is_some(), cancel)?;
    let index_s = started.elapsed().as_secs_f64();
    service.warm(cancel)?;
    let stages: [(&'static str, PlaceIn); 6] = [
        ("keyword", |hit| rank_of(hit.keyword)),
        ("static", |hit| rank_of(hit.static_vector)),
        ("encoder", |hit| rank_of(hit.encoder_vector)),
        ("fused", |hit| rank_of(hit.fusion)),
        ("reranked", |hit| rank_of(hit.rerank)),
        // By the comparison alone, among those that were compared.
        ("late", |hit| rank_of(hit.compared)),
    ];
    // The last is the order that people see.
    let mut sums = [(0.0, 0.0); 7];
    let mut times = Vec::with_capacity(questions.len());
    for question in &questions {
        let query = SearchQuery {
            text: format!("{} ", question.text),
            mode: SearchMode::Hybrid,
            limit: 200,
            compare_ms: plan.compare_ms,
            ..SearchQuery::default()
        };
        let (results, features) = service.search_judged(&query, cancel)?;
        times.push(results.ms);
        let wanted = |hit: &SearchHit| {
            let passage = &hit.passage;
            passage.path == question.path && (passage.start_line..=passage.end_line).contains(&question.line)
        };
        let found: Vec<&SearchHit> = results.hits.iter().filter(|hit| wanted(hit)).collect();
        let shown = results.hits.iter().zip(1_u32..).find(|(hit, _)| wanted(hit)).map(|(_, rank)| rank);
        let ranks = stages.iter().map(|(_, stage)| found.iter().filter_map(|hit| stage(hit)).min());
        for (rank, (mrr, recall)) in ranks.chain([shown]).zip(&mut sums) {
            if let Some(rank) = rank.filter(|rank| *rank <= DEPTH) {
                *mrr += 1.0 / f64::from(rank);
                *recall += 1.0;
            }
        }
        let candidates = results
            .hits
            .iter()
            .filter_map(|hit| {
                let features = features.get(&hit.passage.id.0)?;
                Some(JudgedCandidate { wanted: wanted(hit), features: features.to_vec() })
            })
            .collect();
        judged(Judged { question: question.text.clone(), names: &NAMES, candidates });
    }
    service.stop();
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or(0.0);
    let all = questions.len().max(1) as f64;
    Ok(RetrievalMeasurement {
        crates: plan.crates.iter().map(|folder| name_of(folder)).collect(),
        passages: status.passages,
        questions: questions.len(),
        stages: stages
            .iter()
            .map(|(stage, _)| *stage)
            .chain(["shown"])
            .zip(sums)
            .map(|(stage, (mrr, recall))| StageFigures { stage, mrr10: mrr / all, recall10: recall / all })
            .collect(),
        index_s,
        p50_ms: at(0.5),
        p95_ms: at(0.95),
    })
}

fn rank_of(place: Option<StageRank>) -> Option<u32> {
    place.map(|place| place.rank)
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

/// Copies the sources of a crate without doc comments, and gives what they said of functions.
fn strip(folder: &Path, tree: &Path, cancel: &Cancel) -> Result<Vec<Question>, KnowledgeError> {
    let sample = |error: std::io::Error| KnowledgeError::Sample(error);
    let mut questions = Vec::new();
    let target = tree.join(name_of(folder));
    let mut folders = vec![folder.join("src")];
    while let Some(next) = folders.pop() {
        let mut entries: Vec<_> = fs::read_dir(&next).map_err(sample)?.filter_map(Result::ok).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if cancel.is_cancelled() {
                return Err(KnowledgeError::Cancelled);
            }
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && let Ok(source) = fs::read_to_string(&path)
            {
                let inside = target.join(path.strip_prefix(folder).unwrap_or(&path));
                if let Some(parent) = inside.parent() {
                    fs::create_dir_all(parent).map_err(sample)?;
                }
                let (stripped, asked) = strip_file(&source, cancel);
                fs::write(&inside, stripped).map_err(sample)?;
                questions.extend(asked.into_iter().map(|(text, line)| Question { text, path: inside.clone(), line }));
            }
        }
    }
    Ok(questions)
}

fn is_doc(line: &str) -> bool {
    let line = line.trim_start();
    (line.starts_with("///") && !line.starts_with("////")) || line.starts_with("//!")
}

/// A source without its doc comments, and each question with the line of the function that answers it.
fn strip_file(source: &str, cancel: &Cancel) -> (String, Vec<(String, u32)>) {
    let lines: Vec<&str> = source.lines().collect();
    let mut stripped = String::with_capacity(source.len());
    let mut number = Vec::with_capacity(lines.len());
    let mut kept = 0_u32;
    for line in &lines {
        if !is_doc(line) {
            kept += 1;
            stripped.push_str(line);
            stripped.push('\n');
        }
        number.push(kept);
    }
    let limits = Limits::default();
    let Ok(outline) = outline(Language::Rust, source, &limits, cancel) else { return (stripped, Vec::new()) };
    let asked = |symbol: &Symbol| {
        let before = lines.get(symbol.first_line.checked_sub(1)? as usize..symbol.line.checked_sub(1)? as usize)?;
        let text = first_sentence(before.iter().copied().filter(|line| is_doc(line)));
        WORDS.contains(&text.split_whitespace().count()).then(|| (text, number[symbol.line as usize - 1]))
    };
    let functions = outline.symbols.iter().filter(|symbol| symbol.kind.is_callable() && !symbol.test);
    (stripped, functions.filter_map(asked).collect())
}

/// The first sentence of a doc comment, without its markup.
fn first_sentence<'a>(doc: impl Iterator<Item = &'a str>) -> String {
    let mut paragraph = String::new();
    for line in doc {
        let line = line.trim_start().trim_start_matches('/').trim();
        if line.is_empty() && paragraph.is_empty() {
            continue;
        }
        if line.is_empty() || line.starts_with(['#', '|']) || line.starts_with("```") {
            break;
        }
        if !paragraph.is_empty() {
            paragraph.push(' ');
        }
        paragraph.push_str(line);
    }
    // `[words](target)` and `[words]` are the words.
    let mut plain = String::with_capacity(paragraph.len());
    let mut rest = paragraph.as_str();
    while let Some(open) = rest.find('[') {
        plain.push_str(&rest[..open]);
        let Some(close) = rest[open..].find(']') else { break };
        plain.push_str(&rest[open + 1..open + close]);
        rest = &rest[open + close + 1..];
        for (opens, closes) in [('(', ')'), ('[', ']')] {
            if rest.starts_with(opens)
                && let Some(end) = rest.find(closes)
            {
                rest = &rest[end + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain.retain(|c| !matches!(c, '`' | '*'));
    let end = plain
        .match_indices(['.', '!', '?'])
        .find(|(at, _)| plain[at + 1..].chars().next().is_none_or(char::is_whitespace));
    match end {
        Some((at, _)) => plain[..=at].trim().to_owned(),
        None => plain.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doc_comment_becomes_a_question_and_leaves_the_text() {
        let source = "//! Of the file.\n\nuse a::b;\n\n/// Takes the [`most`](x) urgent *task* that is due. More.\n///\n\
                      /// # Errors\n#[inline]\npub fn lease(&self) -> u8 {\n    1 // one\n}\n\n/// Too short.\nfn b() {}\n";
        let (stripped, asked) = strip_file(source, &Cancel::new());
        assert_eq!(asked, [("Takes the most urgent task that is due.".to_owned(), 5)]);
        assert_eq!(stripped.lines().nth(4), Some("pub fn lease(&self) -> u8 {"));
        assert!(!stripped.contains("urgent") && !stripped.contains("Of the file"));
    }
}
