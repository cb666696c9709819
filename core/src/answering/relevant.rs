//! Which hits have to do with the question: vectors always find something, but that alone is no reason to read it.

use std::collections::HashSet;

use super::words::{self, Token};
use crate::model::{Passage, SearchHit};

/// Cosines above these say "same subject" by themselves.
const STATIC_COSINE: f32 = 0.45;
const ENCODER_COSINE: f32 = 0.40;
/// Share of the question's words, by weight, that a passage must have otherwise.
const SHARED_WORDS: f32 = 0.3;

/// The passages worth reading, in the order found.
pub fn passages(question: &str, hits: Vec<SearchHit>) -> Vec<Passage> {
    let wanted: Vec<Token> = words::tokens(question).into_iter().filter(Token::is_content).collect();
    hits.into_iter().filter(|hit| is_relevant(&wanted, hit)).map(|hit| hit.passage).collect()
}

fn is_relevant(wanted: &[Token], hit: &SearchHit) -> bool {
    let above = |rank: Option<crate::model::StageRank>, least: f32| rank.is_some_and(|rank| rank.score >= least);
    if wanted.is_empty() || above(hit.static_vector, STATIC_COSINE) || above(hit.encoder_vector, ENCODER_COSINE) {
        return true;
    }
    let passage = &hit.passage;
    let name = passage.path.file_stem().unwrap_or_default().to_string_lossy().replace(['_', '-'], " ");
    let text = format!("{}\n{}\n{name}", passage.text, passage.heading.as_deref().unwrap_or_default());
    let there: HashSet<String> = words::tokens(&text).into_iter().map(|token| token.stem).collect();
    let all: f32 = wanted.iter().map(Token::background_weight).sum();
    let shared: f32 = wanted.iter().filter(|t| there.contains(&t.stem)).map(Token::background_weight).sum();
    shared >= all * SHARED_WORDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answering::cite::tests::passage;
    use crate::model::StageRank;

    fn hit(text: &str, cosine: f32) -> SearchHit {
        SearchHit {
            fusion: None,
            rerank: None,
            compared: None,
            passage: passage(1, text),
            score: 0.5,
            keyword: None,
            static_vector: Some(StageRank { rank: 1, score: cosine }),
            encoder_vector: None,
            snippet: String::new(),
            marks: Vec::new(),
        }
    }

    #[test]
    fn what_shares_neither_words_nor_sense_is_left_out() {
        let hits = vec![
            hit("Backups are kept for 30 days.", 0.1),
            hit("Tomatoes need sun.", 0.1),
            hit("Old copies stay for a month.", 0.6),
        ];
        let texts: Vec<String> =
            passages("How long are backups kept?", hits).into_iter().map(|passage| passage.text).collect();
        assert_eq!(texts, ["Backups are kept for 30 days.", "Old copies stay for a month."]);
    }
}
