//! A worker thread owns each loaded language model; requests queue for it and answers stream back.

mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};

use candle_core::Device;
use jiff::Timestamp;

use self::worker::{Job, Worker};
use crate::generate::template::ChatTemplate;
use crate::generate::{GenerateEvent, GenerateRequest};
use crate::tokenize::Tokenizer;
use crate::weights::gguf::Gguf;
use crate::weights::{self, ModelInfo};
use crate::{Cancel, Error, Result, arch};

/// Requests that may wait for one model.
const QUEUE_LENGTH: usize = 32;

/// How a model is loaded.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// CPU threads to compute with; 0 means all cores. candle's quantised products have one pool for the whole
    /// process, which takes its size from `RAYON_NUM_THREADS` at its first use and not from here.
    pub threads: usize,
    /// Upper limit for the context, in tokens; the model's own limit when smaller or when 0.
    pub max_context: usize,
}

/// A loaded language model: a handle to its worker thread. The last clone dropped unloads it.
#[derive(Clone)]
pub struct LanguageModel {
    shared: Arc<Shared>,
}

struct Shared {
    info: ModelInfo,
    tokenizer: Arc<Tokenizer>,
    context_length: usize,
    jobs: SyncSender<Job>,
    /// Ends a running answer when the last handle goes; the worker then finds its queue closed and returns.
    unload: Cancel,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.unload.cancel();
    }
}

impl LanguageModel {
    /// Reads the weights and starts the worker; returns when the model can answer.
    #[expect(clippy::disallowed_methods, reason = "the clock that others replace through load_with_clock")]
    pub fn load(path: &Path, options: LoadOptions) -> Result<Self> {
        Self::load_with_clock(path, options, Timestamp::now)
    }

    /// Like [`LanguageModel::load`], with the clock that chat templates read.
    pub fn load_with_clock(path: &Path, options: LoadOptions, clock: fn() -> Timestamp) -> Result<Self> {
        // Files are checked, but candle asserts what it expects of tensors; a file must not take the process along.
        catch_unwind(AssertUnwindSafe(|| Self::start(path, options, clock)))
            .unwrap_or_else(|_| Err(Error::malformed(path, "its tensors cannot be used")))
    }

    fn start(path: &Path, options: LoadOptions, clock: fn() -> Timestamp) -> Result<Self> {
        let info = weights::inspect(path)?;
        let gguf = Gguf::open(path)?;
        let tokenizer = Arc::new(Tokenizer::from_gguf(&gguf)?);
        let weights = arch::load(&gguf, options.max_context, &Device::Cpu)?;
        let template = ChatTemplate::from_gguf(&gguf, &tokenizer).map_err(|error| error.to_string());
        let unload = Cancel::new();
        let context_length = weights.context_length();
        let worker = Worker::new(weights, Arc::clone(&tokenizer), template, clock, unload.clone(), options.threads)?;
        let (jobs, queue) = sync_channel(QUEUE_LENGTH);
        std::thread::Builder::new()
            .name(format!("model {}", info.id))
            .spawn(move || worker.run(queue))
            .map_err(|error| Error::io(path, error))?;
        Ok(Self { shared: Arc::new(Shared { info, tokenizer, context_length, jobs, unload }) })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.shared.info
    }

    /// Most tokens that prompt and answer may have together, as loaded.
    pub fn context_length(&self) -> usize {
        self.shared.context_length
    }

    /// Number of tokens of plain text.
    pub fn count_tokens(&self, text: &str) -> Result<usize> {
        Ok(self.shared.tokenizer.encode(text, false, false)?.len())
    }

    /// Starts a generation and returns its stream. Dropping the receiver cancels it. Requests wait for each other in
    /// order; [`Error::Busy`] when too many wait.
    pub fn generate(&self, request: GenerateRequest, cancel: Cancel) -> Result<Receiver<GenerateEvent>> {
        let (events, stream) = channel();
        self.shared.jobs.try_send(Job { request, cancel, events }).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => Error::WorkerGone,
        })?;
        Ok(stream)
    }
}
