//! Constrained answers (SPEC ML-4): what the grammar does not allow is never drawn, so an answer that ends is one that
//! parses. Grammars are those of llguidance, over the model's own vocabulary.

mod check;
mod compile;
mod recursion;
mod shape;
mod table;

use std::sync::Arc;

use llguidance::toktrie::SimpleVob;
use llguidance::{Matcher, ParserFactory};

use self::shape::Shape;
use self::table::TokenTable;
use super::Constraint;
use crate::tokenize::Tokenizer;
use crate::{Error, Result};

/// What one model's constraints share: its vocabulary as a trie of bytes. Made once, when the first request wants it.
pub struct Constrainer {
    factory: ParserFactory,
    table: Arc<TokenTable>,
}

impl Constrainer {
    /// # Errors
    /// [`Error::Constraint`] when the vocabulary cannot be used.
    pub fn new(tokenizer: &Arc<Tokenizer>) -> Result<Self> {
        let table = Arc::new(TokenTable::new(tokenizer));
        let factory = compile::factory(tokenizer, &table)?;
        Ok(Self { factory, table })
    }

    /// Whether an answer can be held to this constraint, without a model.
    ///
    /// # Errors
    /// [`Error::Constraint`], in words, when it cannot.
    pub fn check(&self, constraint: &Constraint) -> Result<()> {
        self.rules(constraint).map(drop)
    }

    /// Compiles a constraint for one answer. Fails with [`Error::Constraint`] when it cannot be used.
    pub(crate) fn rules(&self, constraint: &Constraint) -> Result<Rules> {
        let (matcher, shape) = compile::matcher(&self.factory, constraint)?;
        Ok(Rules { matcher, shape, table: Arc::clone(&self.table) })
    }
}

/// One answer's constraint and how far the answer has come.
pub(crate) struct Rules {
    matcher: Matcher,
    /// Bounds of JSON values; none for regular expressions and grammars, which say themselves where they end.
    shape: Option<Shape>,
    table: Arc<TokenTable>,
}

impl Rules {
    /// Leaves only the logits of tokens that may come next. `remaining` is how many tokens the answer may still have;
    /// `budget` how many it could have in all. False when nothing may come any more and the answer is complete.
    pub fn mask(&mut self, logits: &mut [f32], remaining: usize, budget: usize) -> Result<bool> {
        let mut allowed = self.matcher.compute_mask_or_eos().map_err(|error| self.failed(&error))?;
        allowed.sub(self.table.special());
        if self.may_end()? {
            self.table.ends().iter().for_each(|&end| allowed.allow_token(end));
        }
        if let Some(shape) = &self.shape {
            shape.narrow(&mut allowed, &self.table, remaining, budget);
        }
        let mut any = false;
        for (id, logit) in logits.iter_mut().enumerate() {
            if id < allowed.len() && allowed.get(id) {
                any = true;
            } else {
                *logit = f32::NEG_INFINITY;
            }
        }
        if any || self.may_end()? {
            return Ok(any);
        }
        Err(Error::Constraint("no token of this model can continue the answer".to_owned()))
    }

    /// Takes the token that was drawn.
    pub fn consume(&mut self, token: u32) -> Result<()> {
        self.consume_all(&[token])
    }

    /// Takes and returns the tokens that must come next whatever the model thinks, at most `room`.
    pub fn forced(&mut self, room: usize) -> Result<Vec<u32>> {
        if room == 0 || self.is_complete() {
            return Ok(Vec::new());
        }
        let mut tokens = self.matcher.compute_ff_tokens();
        tokens.truncate(room);
        // Special tokens are never text, whoever asks for them.
        let text = tokens.iter().take_while(|&&token| !self.table.special().is_allowed(token)).count();
        tokens.truncate(text);
        self.consume_all(&tokens)?;
        Ok(tokens)
    }

    /// Nothing can be added any more.
    pub fn is_complete(&self) -> bool {
        self.matcher.is_stopped() && !self.matcher.is_error()
    }

    /// The answer could end here.
    pub fn may_end(&mut self) -> Result<bool> {
        if self.is_complete() {
            return Ok(true);
        }
        self.matcher.is_accepting().map_err(|error| self.failed(&error))
    }

    fn consume_all(&mut self, tokens: &[u32]) -> Result<()> {
        if tokens.is_empty() {
            return Ok(());
        }
        self.matcher.consume_tokens(tokens).map_err(|error| self.failed(&error))?;
        if let Some(shape) = &mut self.shape {
            tokens.iter().for_each(|&token| shape.read(self.table.bytes(token)));
        }
        Ok(())
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Error {
        Error::Constraint(compile::in_words(&error.to_string()))
    }
}

/// Removes `unwanted` from `allowed` when something else remains.
fn prefer_others(allowed: &mut SimpleVob, unwanted: &SimpleVob) {
    let mut rest = allowed.clone();
    rest.sub(unwanted);
    if !rest.is_zero() {
        *allowed = rest;
    }
}

/// Keeps only `wanted` of `allowed` when some of it is there.
fn prefer(allowed: &mut SimpleVob, wanted: &SimpleVob) {
    if !allowed.and_is_zero(wanted) {
        allowed.and(wanted);
    }
}

#[cfg(test)]
mod tests;
