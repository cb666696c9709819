//! What the person typed, as a query: words only. Characters that query languages treat specially are just separators.

use tantivy::Searcher;
use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::{Fields, Filter, KeywordError, kind_number};
use crate::knowledge::words::words;

/// More words do not make a question clearer.
const MOST_WORDS: usize = 48;
/// A heading or name says more about a passage than a word in its text.
const HEADING_WEIGHT: f32 = 1.6;
const PATH_WEIGHT: f32 = 1.3;
/// For the word that is still being typed.
const PREFIX_WEIGHT: f32 = 0.5;
const LEAST_PREFIX: usize = 3;

/// Words that nearly every passage holds; left out when others remain.
const COMMON: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "did", "do", "doe", "for", "from", "how", "i", "in", "is",
    "it", "its", "me", "my", "of", "on", "or", "so", "that", "the", "there", "this", "to", "was", "what", "when",
    "where", "which", "who", "why", "will", "with", "you", "your", "wa", "thi", "it's",
];

/// None when no word is left.
pub fn build(
    text: &str,
    filter: &Filter,
    fields: &Fields,
    searcher: &Searcher,
) -> Result<Option<BooleanQuery>, KeywordError> {
    let terms = query_words(text);
    if terms.is_empty() {
        return Ok(None);
    }
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
    for word in &terms {
        for (field, weight) in [(fields.text, 1.0), (fields.heading, HEADING_WEIGHT), (fields.path, PATH_WEIGHT)] {
            clauses.push((Occur::Should, weighted(field, word, weight)));
        }
    }
    // Only a last word that exists nowhere is taken as the beginning of one.
    if let Some(last) =
        terms.last().filter(|word| word.chars().count() >= LEAST_PREFIX && !text.ends_with(char::is_whitespace))
    {
        let term = Term::from_field_text(fields.text, last);
        if searcher.doc_freq(&term)? == 0 {
            let prefix = FuzzyTermQuery::new_prefix(term, 0, true);
            clauses.push((Occur::Should, Box::new(ConstScoreQuery::new(Box::new(prefix), PREFIX_WEIGHT))));
        }
    }
    let words = BooleanQuery::new(clauses);
    if filter.is_empty() {
        return Ok(Some(words));
    }
    let mut all: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(words))];
    if !filter.sources.is_empty() {
        let terms = filter.sources.iter().map(|source| Term::from_field_text(fields.source, &source.to_string()));
        all.push((Occur::Must, any_of(terms)));
    }
    if !filter.kinds.is_empty() {
        let terms = filter.kinds.iter().map(|kind| Term::from_field_u64(fields.kind, kind_number(*kind)));
        all.push((Occur::Must, any_of(terms)));
    }
    Ok(Some(BooleanQuery::new(all)))
}

/// Distinct words of a query, without common ones where others remain.
pub fn query_words(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words(text) {
        if !all.contains(&word.text) {
            all.push(word.text);
        }
        if all.len() >= MOST_WORDS {
            break;
        }
    }
    let telling: Vec<String> = all.iter().filter(|word| !COMMON.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

fn weighted(field: Field, word: &str, weight: f32) -> Box<dyn Query> {
    let query = TermQuery::new(Term::from_field_text(field, word), IndexRecordOption::WithFreqs);
    if weight == 1.0 { Box::new(query) } else { Box::new(BoostQuery::new(Box::new(query), weight)) }
}

/// A condition that adds nothing to the score.
fn any_of(terms: impl Iterator<Item = Term>) -> Box<dyn Query> {
    let clauses: Vec<(Occur, Box<dyn Query>)> = terms
        .map(|term| {
            let query: Box<dyn Query> = Box::new(TermQuery::new(term, IndexRecordOption::Basic));
            (Occur::Should, query)
        })
        .collect();
    Box::new(ConstScoreQuery::new(Box::new(BooleanQuery::new(clauses)), 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_and_common_words_do_no_harm() {
        assert_eq!(query_words("what is the \"backup\" AND (path:x* OR -y)^2 ~"), ["backup", "path", "x", "y", "2"]);
        assert_eq!(query_words("to be or what"), ["to", "be", "or", "what"]);
        assert!(query_words("?!*\"").is_empty());
    }
}
