//! One answer: the prompt in blocks, then token by token, as a stream of events.

use std::time::Instant;

use super::constrain::Rules;
use super::sampling::Sampler;
use super::stop::StopFinder;
use super::{FinishReason, GenerateEvent, GenerateStats, SamplingParams};
use crate::arch::{LanguageWeights, Logits, Session};
use crate::tokenize::{Detokenizer, Tokenizer};
use crate::{Error, Result};

/// Prompt tokens computed in one go; between two blocks the work can be cancelled.
pub const PREFILL_BLOCK: usize = 256;

/// What an answer is made with.
pub(crate) struct Generation<'a> {
    pub weights: &'a dyn LanguageWeights,
    pub tokenizer: &'a Tokenizer,
    /// True when the answer should end now.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Takes `Prefill` and `Text` events; false when nobody listens any more.
    pub emit: &'a mut (dyn FnMut(GenerateEvent) -> bool + Send),
}

impl Generation<'_> {
    /// Answers the prompt, as `rules` allow where there are any. What the session already holds of the prompt is not
    /// computed again.
    pub fn run(
        &mut self,
        session: &mut Session,
        prompt: &[u32],
        params: SamplingParams,
        rules: Option<Rules>,
    ) -> Result<GenerateStats> {
        let started = Instant::now();
        let context = self.weights.context_length();
        if prompt.is_empty() {
            return Err(Error::Tokenizer("the prompt is empty".into()));
        }
        if prompt.len() > context {
            return Err(Error::PromptTooLong { prompt: prompt.len(), context });
        }
        let mut stats = GenerateStats {
            prompt_tokens: prompt.len(),
            answer_tokens: 0,
            prefill_seconds: 0.0,
            decode_seconds: 0.0,
            time_to_first_token_seconds: 0.0,
            finish: FinishReason::Cancelled,
        };
        let Some(logits) = self.prefill(session, prompt)? else {
            stats.prefill_seconds = started.elapsed().as_secs_f64();
            return Ok(stats);
        };
        stats.prefill_seconds = started.elapsed().as_secs_f64();
        let decoding = Instant::now();
        let sampler = Sampler::new(params.clone(), prompt);
        let decode = Decode { logits, sampler, params: &params, rules, started };
        self.decode(session, decode, &mut stats)?;
        stats.decode_seconds = decoding.elapsed().as_secs_f64();
        Ok(stats)
    }

    /// Logits of the prompt's last token; none when cancelled.
    fn prefill(&mut self, session: &mut Session, prompt: &[u32]) -> Result<Option<Vec<f32>>> {
        // The last token is always computed: its logits are what the answer begins with.
        let held = session.common_prefix(prompt).min(prompt.len() - 1);
        session.truncate(held);
        let mut listening = (self.emit)(GenerateEvent::Prefill { done: held, total: prompt.len() });
        for block in prompt[held..].chunks(PREFILL_BLOCK) {
            if !listening || (self.cancelled)() {
                return Ok(None);
            }
            let last = session.len() + block.len() == prompt.len();
            let logits = self.weights.forward(session, block, if last { Logits::Last } else { Logits::None })?;
            listening = (self.emit)(GenerateEvent::Prefill { done: session.len(), total: prompt.len() });
            if let Some(logits) = logits {
                return Ok(Some(logits.flatten_all()?.to_vec1()?));
            }
        }
        Ok(None)
    }

    fn decode(&mut self, session: &mut Session, mut decode: Decode<'_>, stats: &mut GenerateStats) -> Result<()> {
        let context = self.weights.context_length();
        let budget = decode.params.max_tokens.min(context - session.len() + 1);
        let mut detokenizer = Detokenizer::default();
        let mut stops = StopFinder::new(if decode.rules.is_some() { &[] } else { &decode.params.stop });
        // Chosen, but neither said nor computed yet.
        let mut fresh = decode.forced(budget)?;
        stats.finish = 'answer: loop {
            if (self.cancelled)() {
                break FinishReason::Cancelled;
            }
            for &token in &fresh {
                if stats.answer_tokens == 0 {
                    stats.time_to_first_token_seconds = decode.started.elapsed().as_secs_f64();
                }
                stats.answer_tokens += 1;
                let text = detokenizer.push(self.tokenizer.piece(token));
                let (certain, stopped) = stops.push(&text);
                if !self.say(certain) {
                    break 'answer FinishReason::Cancelled;
                }
                if stopped {
                    stats.finish = FinishReason::StopText;
                    return Ok(());
                }
            }
            if decode.is_complete() {
                break FinishReason::EndOfText;
            }
            if stats.answer_tokens >= decode.params.max_tokens {
                break FinishReason::MaxTokens;
            }
            if session.len() + fresh.len() > context {
                break FinishReason::ContextFull;
            }
            if !fresh.is_empty() {
                let next = self.weights.forward(session, &fresh, Logits::Last)?;
                let next = next.ok_or_else(|| Error::Compute(candle_core::Error::msg("the model gave no logits")))?;
                decode.logits = next.flatten_all()?.to_vec1()?;
            }
            let Some(token) = decode.next(budget.saturating_sub(stats.answer_tokens), budget)? else {
                break FinishReason::EndOfText;
            };
            if self.tokenizer.vocabulary().is_end(token) {
                break FinishReason::EndOfText;
            }
            fresh = vec![token];
            decode.consume(token)?;
            fresh.extend(decode.forced(budget.saturating_sub(stats.answer_tokens + 1))?);
        };
        let (certain, stopped) = stops.push(&detokenizer.finish());
        let rest = if stopped { certain } else { certain + &stops.finish() };
        self.say(rest);
        if matches!(stats.finish, FinishReason::MaxTokens | FinishReason::ContextFull)
            && let Some(rules) = &mut decode.rules
            && !rules.may_end()?
        {
            return Err(Error::Unfinished);
        }
        Ok(())
    }

    fn say(&mut self, text: String) -> bool {
        text.is_empty() || (self.emit)(GenerateEvent::Text(text))
    }
}

/// What one answer draws its tokens with.
struct Decode<'a> {
    /// Of the last token computed.
    logits: Vec<f32>,
    sampler: Sampler,
    params: &'a SamplingParams,
    rules: Option<Rules>,
    started: Instant,
}

impl Decode<'_> {
    /// The next token; none when the rules allow nothing more.
    fn next(&mut self, remaining: usize, budget: usize) -> Result<Option<u32>> {
        if let Some(rules) = &mut self.rules
            && !rules.mask(&mut self.logits, remaining, budget)?
        {
            return Ok(None);
        }
        Ok(Some(self.sampler.next(&self.logits)?))
    }

    fn consume(&mut self, token: u32) -> Result<()> {
        self.rules.as_mut().map_or(Ok(()), |rules| rules.consume(token))
    }

    /// Tokens that must come next, without being drawn.
    fn forced(&mut self, room: usize) -> Result<Vec<u32>> {
        let Some(rules) = &mut self.rules else { return Ok(Vec::new()) };
        let tokens = rules.forced(room)?;
        tokens.iter().for_each(|&token| self.sampler.remember(token));
        Ok(tokens)
    }

    fn is_complete(&self) -> bool {
        self.rules.as_ref().is_some_and(Rules::is_complete)
    }
}
