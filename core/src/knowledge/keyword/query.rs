//! What the person typed, understood: words, whole identifiers, phrases in quotation marks, words of code that say the
//! same. Characters that query languages treat specially are just separators.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::LazyLock;

use tantivy::Searcher;
use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, Query, RangeQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::{Fields, Filter, KeywordError, kind_number};
use crate::knowledge::words::words;

/// More words do not make a question clearer.
const MOST_WORDS: usize = 48;
/// What a word weighs in each field. Learned with the ranking (see `rank/weights.rs`).
const TEXT_WEIGHT: f32 = 0.5;
const SYMBOL_WEIGHT: f32 = 0.6;
const SIGNATURE_WEIGHT: f32 = 0.4;
const HEADING_WEIGHT: f32 = 0.4;
const PATH_WEIGHT: f32 = 0.3;
/// What a word of the lexicon weighs among the symbols, beside its share.
const LEXICON_WEIGHT: f32 = 0.6;
/// An identifier written out finds itself before what merely shares its parts.
const WHOLE_WEIGHT: f32 = 1.5;
/// For the word that is still being typed.
const PREFIX_WEIGHT: f32 = 0.5;
const LEAST_PREFIX: usize = 3;

/// Words that nearly every passage holds; left out when others remain.
const COMMON: &str = "a an and are as at be by can did do does for from how i if in is it it's its me my of on or so \
    that the there this to was what when where which who why will with you your";

static COMMON_STEMS: LazyLock<Vec<String>> =
    LazyLock::new(|| words(COMMON).into_iter().map(|word| word.text).chain(["s".to_owned()]).collect());

/// What words of prose are called in code: stem, then stems of code with their shares. Learned from the doc comments of
/// 664 crates by the first of IBM's translation models (Brown et al., 1993), as `assets/relevance/lexicon.py` does.
static LEXICON: LazyLock<HashMap<&'static str, Vec<(&'static str, f32)>>> = LazyLock::new(|| {
    let text = include_str!("../../../../assets/relevance/lexicon.tsv");
    text.lines()
        .filter_map(|line| {
            let (word, all) = line.split_once('\t')?;
            let named = all.split(' ').filter_map(|one| {
                let (word, share) = one.split_once(':')?;
                Some((word, share.parse().ok()?))
            });
            Some((word, named.collect()))
        })
        .collect()
});

/// A question, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// Distinct words, without common ones where others remain.
    pub words: Vec<String>,
    /// Identifiers written out (`try_join_next`, `parseHttp`), lower-cased; their parts are among the words.
    pub identifiers: Vec<String>,
    /// In quotation marks: must stand so in the passage, any case, any spacing. Lower-cased.
    pub phrases: Vec<String>,
    /// The last word, when it may be still in the making.
    pub unfinished: Option<String>,
}

impl Question {
    pub fn understand(text: &str) -> Self {
        let mut question = Self { phrases: phrases(text), ..Self::default() };
        let mut all: Vec<String> = Vec::new();
        let mut position = usize::MAX;
        let found = words(text);
        for (at, word) in found.iter().enumerate() {
            // A whole comes before its parts, at the place of the first of them.
            let whole =
                word.position != position && found.get(at + 1).is_some_and(|next| next.position == word.position);
            position = word.position;
            if whole && !question.identifiers.contains(&word.text) {
                question.identifiers.push(word.text.clone());
            }
            if !all.contains(&word.text) {
                all.push(word.text.clone());
            }
            if all.len() >= MOST_WORDS {
                break;
            }
        }
        if !text.ends_with(char::is_whitespace) {
            question.unfinished = all.last().filter(|word| word.chars().count() >= LEAST_PREFIX).cloned();
        }
        let telling: Vec<String> = all.iter().filter(|word| !COMMON_STEMS.contains(word)).cloned().collect();
        question.words = if telling.is_empty() { all } else { telling };
        question
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Words of code that may stand for words of the question, with their weights.
    pub fn translations(&self) -> impl Iterator<Item = (&'static str, f32)> {
        self.words.iter().filter_map(|word| LEXICON.get(word.as_str())).flatten().copied()
    }
}

/// What stands between quotation marks and holds more than one word; a single word is one like others.
fn phrases(text: &str) -> Vec<String> {
    text.split('"')
        .skip(1)
        .step_by(2)
        .map(spaced)
        .filter(|phrase| phrase.contains(' ') || phrase.contains(|c: char| !c.is_alphanumeric()))
        .collect()
}

/// Lower-cased, with single spaces.
pub fn spaced(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.extend(word.chars().flat_map(char::to_lowercase));
    }
    joined
}

/// None when no word is left.
pub fn build(
    question: &Question,
    filter: &Filter,
    fields: &Fields,
    searcher: &Searcher,
) -> Result<Option<BooleanQuery>, KeywordError> {
    if question.is_empty() {
        return Ok(None);
    }
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
    let mut add = |field: Field, word: &str, weight: f32| -> Result<(), KeywordError> {
        let term = Term::from_field_text(field, word);
        // What occurs nowhere need not be looked for in each segment.
        if searcher.doc_freq(&term)? > 0 {
            let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
            clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(query), weight))));
        }
        Ok(())
    };
    for word in &question.words {
        let weight = if question.identifiers.contains(word) { WHOLE_WEIGHT } else { 1.0 };
        add(fields.text, word, TEXT_WEIGHT * weight)?;
        add(fields.symbols, word, SYMBOL_WEIGHT * weight)?;
        add(fields.signature, word, SIGNATURE_WEIGHT * weight)?;
        add(fields.heading, word, HEADING_WEIGHT * weight)?;
        add(fields.path, word, PATH_WEIGHT * weight)?;
    }
    for (word, share) in question.translations() {
        add(fields.symbols, word, LEXICON_WEIGHT * share)?;
        add(fields.signature, word, LEXICON_WEIGHT * share)?;
    }
    // Only a last word that exists nowhere is taken as the beginning of one.
    if let Some(last) = &question.unfinished {
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
    if filter.after.is_some() || filter.before.is_some() {
        let term = |time: i64| Term::from_field_i64(fields.modified, time);
        let from = filter.after.map_or(Bound::Unbounded, |time| Bound::Included(term(time.0)));
        let until = filter.before.map_or(Bound::Unbounded, |time| Bound::Excluded(term(time.0)));
        all.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(RangeQuery::new(from, until)), 0.0))));
    }
    Ok(Some(BooleanQuery::new(all)))
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
        let words = |text: &str| Question::understand(text).words;
        assert_eq!(words("what is the \"backup\" AND (path:x* OR -y)^2 ~"), ["backup", "path", "x", "y", "2"]);
        assert_eq!(words("to be or what"), ["to", "be", "or", "what"]);
        assert!(Question::understand("?!*\"").is_empty());
    }

    #[test]
    fn identifiers_phrases_and_error_codes_are_kept_whole() {
        let question = Question::understand("E0277 in tryJoin_next \"connection  Reset by\" \"one\"");
        assert!(question.words.contains(&"e0277".to_owned()));
        assert_eq!(question.identifiers, ["tryjoin_next"]);
        assert_eq!(question.phrases, ["connection reset by"]);
    }

    #[test]
    fn words_of_prose_are_known_in_code() {
        let question = Question::understand("the length of the list");
        assert!(question.translations().any(|(word, share)| word == "len" && share > 0.2));
    }
}
