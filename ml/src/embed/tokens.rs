//! Vectors of single tokens, and late interaction over them (ColBERT, Khattab and Zaharia 2020,
//! <https://arxiv.org/abs/2004.12832>).

use std::ops::Range;

use crate::kernels::gemm::{Finish, Kernel, Panels};

/// The tokens of one text as vectors of unit length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenVectors {
    /// Length of each vector.
    pub dimensions: usize,
    /// One vector after the other, `[tokens, dimensions]`.
    pub vectors: Vec<f32>,
    /// How much each token counts, in proportion: its share where the embedder pools tokens into one vector.
    pub weights: Vec<f32>,
    /// Where each token is in the text, in bytes; empty where the embedder does not know.
    pub spans: Vec<Range<usize>>,
}

impl TokenVectors {
    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The vector of one token.
    pub fn vector(&self, token: usize) -> &[f32] {
        &self.vectors[token * self.dimensions..][..self.dimensions]
    }
}

/// A query, ready to be compared with many passages.
pub struct LateInteraction {
    kernel: Kernel,
    dimensions: usize,
    /// The query's tokens as columns.
    query: Panels,
    weights: Vec<f32>,
    scores: Vec<f32>,
    words: Vec<u32>,
    best: Vec<f32>,
}

impl LateInteraction {
    pub fn new(query: &TokenVectors) -> Self {
        let kernel = Kernel::best_f32();
        let total: f32 = query.weights.iter().sum();
        Self {
            kernel,
            dimensions: query.dimensions,
            query: Panels::pack(kernel, &query.vectors, query.len(), query.dimensions),
            weights: query.weights.iter().map(|weight| weight / total.max(f32::MIN_POSITIVE)).collect(),
            scores: Vec::new(),
            words: Vec::new(),
            best: Vec::new(),
        }
    }

    /// The weighted mean, over the query's tokens, of the greatest cosine with any token of the passage: -1 to 1. A
    /// query or a passage without tokens, or of another vector space's length, gives 0.
    pub fn score(&mut self, passage: &TokenVectors) -> f32 {
        let (tokens, columns) = (passage.len(), self.weights.len());
        if tokens == 0 || columns == 0 || passage.dimensions != self.dimensions {
            return 0.0;
        }
        self.words.resize(tokens * self.dimensions, 0);
        self.kernel.to_words(&passage.vectors, &mut self.words);
        self.scores.resize(tokens * columns, 0.0);
        let finish = Finish::Store { output: &mut self.scores, stride: columns };
        self.kernel.multiply(&self.words, self.dimensions, tokens, &self.query, finish);
        self.best.clear();
        self.best.resize(columns, f32::NEG_INFINITY);
        for row in self.scores.chunks_exact(columns) {
            self.best.iter_mut().zip(row).for_each(|(best, &score)| *best = best.max(score));
        }
        self.best.iter().zip(&self.weights).map(|(best, weight)| best * weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(vectors: &[[f32; 3]], weights: &[f32]) -> TokenVectors {
        TokenVectors { dimensions: 3, vectors: vectors.concat(), weights: weights.to_vec(), spans: Vec::new() }
    }

    #[test]
    fn each_token_of_the_query_counts_its_best_match_by_its_weight() {
        let query = tokens(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], &[3.0, 1.0]);
        let passage = tokens(&[[0.6, 0.8, 0.0], [0.8, 0.0, 0.6], [-1.0, 0.0, 0.0]], &[1.0; 3]);
        let score = LateInteraction::new(&query).score(&passage);
        assert!((score - (3.0 * 0.8 + 0.8) / 4.0).abs() < 1e-6, "{score}");
    }

    #[test]
    fn a_side_without_tokens_gives_nothing() {
        let query = tokens(&[[1.0, 0.0, 0.0]], &[1.0]);
        assert_eq!(LateInteraction::new(&query).score(&tokens(&[], &[])), 0.0);
        assert_eq!(LateInteraction::new(&tokens(&[], &[])).score(&query), 0.0);
        let other = TokenVectors { dimensions: 1, vectors: vec![1.0], weights: vec![1.0], spans: Vec::new() };
        assert_eq!(LateInteraction::new(&query).score(&other), 0.0);
    }

    #[test]
    fn one_query_scores_many_passages() {
        let query = tokens(&[[0.0, 0.0, 1.0]], &[0.5]);
        let mut interaction = LateInteraction::new(&query);
        for z in [0.1, 0.9, 0.5] {
            let passage = tokens(&[[0.0, 0.3, z], [0.0, 0.0, -z]], &[1.0; 2]);
            assert!((interaction.score(&passage) - z).abs() < 1e-6);
        }
    }
}
