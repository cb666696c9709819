//! Measurements of language models: speed of reading and writing, and perplexity. `rspa bench` prints them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::Device;
use serde::Serialize;

use crate::arch::{self, LanguageWeights, Logits, Session};
use crate::generate::stream::PREFILL_BLOCK;
use crate::tokenize::Tokenizer;
use crate::weights::gguf::Gguf;
use crate::{Cancel, Error, Result};

const DEFAULT_PROMPT: &str = "The quick brown fox jumps over the lazy dog. ";
const ROUNDS: usize = 3;
/// New tokens of the second turn, after all that the first one left.
const SECOND_TURN_TOKENS: usize = 16;
const PERPLEXITY_WINDOW: usize = 512;
/// Rows of logits in memory at a time.
const PERPLEXITY_BLOCK: usize = 64;

/// What to measure.
#[derive(Clone, Debug)]
pub struct LlmOptions {
    pub model: PathBuf,
    /// Read as it is, without a template; its tokens are repeated to the length. None is a sentence about a fox.
    pub prompt: Option<String>,
    pub prompt_tokens: usize,
    pub generate: usize,
    /// 0 means all cores; see [`crate::runtime::LoadOptions::threads`] for what it reaches.
    pub threads: usize,
}

/// Best of three rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LlmReport {
    pub file: String,
    pub prompt_tokens: usize,
    /// Prompt tokens read per second, from an empty cache.
    pub prefill_tok_s: f64,
    pub decode_tok_s: f64,
    /// Time to the first token of a cold prompt, in milliseconds.
    pub ttft_ms: f64,
    /// The same for a second turn that begins with all of the first.
    pub second_turn_ttft_ms: f64,
    /// The same after a restart; none while no prefix cache is kept on disk.
    pub restart_ttft_ms: Option<f64>,
    /// The first 16.
    pub prompt_ids: Vec<u32>,
    pub greedy_ids: Vec<u32>,
    pub greedy_text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PerplexityReport {
    pub file: String,
    /// Tokens that were predicted.
    pub tokens: usize,
    pub perplexity: f64,
}

/// Measures prefill, decode and time to the first token.
pub fn llm(options: &LlmOptions, cancel: &Cancel) -> Result<LlmReport> {
    let model = Model::load(&options.model)?;
    let prompt = options.prompt.as_deref().unwrap_or(DEFAULT_PROMPT);
    let ids = model.tokenizer.encode(prompt, true, false)?;
    if ids.is_empty() || options.prompt_tokens == 0 {
        return Err(Error::Tokenizer("the prompt is empty".into()));
    }
    let prompt: Vec<u32> = ids.iter().copied().cycle().take(options.prompt_tokens).collect();
    in_pool(options.threads, || {
        let mut best: Option<Round> = None;
        for _ in 0..ROUNDS {
            let round = model.round(&prompt, options.generate, cancel)?;
            best = Some(match best {
                None => round,
                Some(best) => best.better_of(round),
            });
        }
        let best = best.expect("at least one round ran");
        Ok(LlmReport {
            file: file_name(&options.model),
            prompt_tokens: prompt.len(),
            prefill_tok_s: prompt.len() as f64 / best.prefill_seconds,
            decode_tok_s: best.answer.len() as f64 / best.decode_seconds,
            ttft_ms: best.first_token_seconds * 1e3,
            second_turn_ttft_ms: best.second_turn_seconds * 1e3,
            restart_ttft_ms: None,
            prompt_ids: prompt.iter().copied().take(16).collect(),
            greedy_text: model.tokenizer.decode(&best.answer),
            greedy_ids: best.answer,
        })
    })
}

/// Perplexity of `text` over its first `tokens` tokens, in windows of 512 that do not overlap.
pub fn perplexity(path: &Path, text: &str, tokens: usize, threads: usize, cancel: &Cancel) -> Result<PerplexityReport> {
    let model = Model::load(path)?;
    let mut ids = model.tokenizer.encode(text, true, false)?;
    ids.truncate(tokens);
    in_pool(threads, || {
        let (mut loss, mut predicted) = (0.0, 0);
        for window in ids.chunks(PERPLEXITY_WINDOW).filter(|window| window.len() > 1) {
            let mut session = model.weights.new_session();
            let mut targets = window[1..].iter();
            for block in window[..window.len() - 1].chunks(PERPLEXITY_BLOCK) {
                stop_if(cancel)?;
                let logits = model.weights.forward(&mut session, block, Logits::All)?;
                for (row, &target) in
                    logits.map(|rows| rows.to_vec2::<f32>()).transpose()?.iter().flatten().zip(&mut targets)
                {
                    loss -= log_probability(row, target);
                    predicted += 1;
                }
            }
        }
        if predicted == 0 {
            return Err(Error::Tokenizer("the text is too short".into()));
        }
        let perplexity = (loss / predicted as f64).exp();
        Ok(PerplexityReport { file: file_name(path), tokens: predicted, perplexity })
    })
}

struct Model {
    weights: Box<dyn LanguageWeights>,
    tokenizer: Tokenizer,
}

struct Round {
    prefill_seconds: f64,
    first_token_seconds: f64,
    decode_seconds: f64,
    second_turn_seconds: f64,
    answer: Vec<u32>,
}

impl Round {
    fn better_of(self, other: Self) -> Self {
        Self {
            prefill_seconds: self.prefill_seconds.min(other.prefill_seconds),
            first_token_seconds: self.first_token_seconds.min(other.first_token_seconds),
            decode_seconds: self.decode_seconds.min(other.decode_seconds),
            second_turn_seconds: self.second_turn_seconds.min(other.second_turn_seconds),
            answer: self.answer,
        }
    }
}

impl Model {
    fn load(path: &Path) -> Result<Self> {
        let gguf = Gguf::open(path)?;
        Ok(Self { tokenizer: Tokenizer::from_gguf(&gguf)?, weights: arch::load(&gguf, 0, &Device::Cpu)? })
    }

    fn round(&self, prompt: &[u32], generate: usize, cancel: &Cancel) -> Result<Round> {
        let mut session = self.weights.new_session();
        let started = Instant::now();
        let mut logits = self.read(&mut session, prompt, cancel)?;
        let prefill_seconds = started.elapsed().as_secs_f64();
        let mut token = greatest(&logits);
        let first_token_seconds = started.elapsed().as_secs_f64();

        let mut answer = Vec::with_capacity(generate);
        let started = Instant::now();
        for _ in 0..generate {
            token = greatest(&logits);
            answer.push(token);
            logits = self.read(&mut session, &[token], cancel)?;
        }
        let decode_seconds = started.elapsed().as_secs_f64();

        let mut turn = session.tokens().to_vec();
        turn.extend(prompt.iter().cycle().take(SECOND_TURN_TOKENS));
        turn.push(token);
        let started = Instant::now();
        session.truncate(session.common_prefix(&turn));
        let held = session.len();
        greatest(&self.read(&mut session, &turn[held..], cancel)?);
        let second_turn_seconds = started.elapsed().as_secs_f64();
        Ok(Round { prefill_seconds, first_token_seconds, decode_seconds, second_turn_seconds, answer })
    }

    fn read(&self, session: &mut Session, tokens: &[u32], cancel: &Cancel) -> Result<Vec<f32>> {
        let mut logits = Vec::new();
        let blocks = tokens.chunks(PREFILL_BLOCK);
        let last = blocks.len().saturating_sub(1);
        for (index, block) in blocks.enumerate() {
            stop_if(cancel)?;
            let wanted = if index == last { Logits::Last } else { Logits::None };
            if let Some(tensor) = self.weights.forward(session, block, wanted)? {
                logits = tensor.flatten_all()?.to_vec1()?;
            }
        }
        Ok(logits)
    }
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::Compute(candle_core::Error::wrap(error)))?.install(work)
}

fn stop_if(cancel: &Cancel) -> Result<()> {
    if cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
}

fn greatest(logits: &[f32]) -> u32 {
    let best = logits.iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map_or(0, |(id, _)| id as u32)
}

/// Natural logarithm of the target's probability.
fn log_probability(logits: &[f32], target: u32) -> f64 {
    let greatest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - greatest).exp()).sum();
    f64::from(logits[target as usize]) - greatest - sum.ln()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
