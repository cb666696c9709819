//! One answer: the prompt in blocks, then token by token, as a stream of events.

use std::time::Instant;

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
    /// Answers the prompt. What the session already holds of it is not computed again.
    pub fn run(&mut self, session: &mut Session, prompt: &[u32], params: SamplingParams) -> Result<GenerateStats> {
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
        self.decode(session, logits, Sampler::new(params.clone(), prompt), &params, &mut stats, started)?;
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

    fn decode(
        &mut self,
        session: &mut Session,
        mut logits: Vec<f32>,
        mut sampler: Sampler,
        params: &SamplingParams,
        stats: &mut GenerateStats,
        started: Instant,
    ) -> Result<()> {
        let mut detokenizer = Detokenizer::default();
        let mut stops = StopFinder::new(&params.stop);
        stats.finish = loop {
            if (self.cancelled)() {
                break FinishReason::Cancelled;
            }
            if stats.answer_tokens >= params.max_tokens {
                break FinishReason::MaxTokens;
            }
            let token = sampler.next(&logits)?;
            if stats.answer_tokens == 0 {
                stats.time_to_first_token_seconds = started.elapsed().as_secs_f64();
            }
            if self.tokenizer.vocabulary().is_end(token) {
                break FinishReason::EndOfText;
            }
            stats.answer_tokens += 1;
            let text = detokenizer.push(self.tokenizer.piece(token));
            let (certain, stopped) = stops.push(&text);
            if !self.say(certain) {
                break FinishReason::Cancelled;
            }
            if stopped {
                stats.finish = FinishReason::StopText;
                return Ok(());
            }
            if session.len() >= self.weights.context_length() {
                break FinishReason::ContextFull;
            }
            let next = self.weights.forward(session, &[token], Logits::Last)?;
            let next = next.ok_or_else(|| Error::Compute(candle_core::Error::msg("the model gave no logits")))?;
            logits = next.flatten_all()?.to_vec1()?;
        };
        let (certain, stopped) = stops.push(&detokenizer.finish());
        let rest = if stopped { certain } else { certain + &stops.finish() };
        self.say(rest);
        Ok(())
    }

    fn say(&mut self, text: String) -> bool {
        text.is_empty() || (self.emit)(GenerateEvent::Text(text))
    }
}
