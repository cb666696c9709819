//! A panic inside the weights ends one answer, not the worker.

use std::path::PathBuf;
use std::sync::mpsc::{channel, sync_channel};

use candle_core::{Device, Tensor};

use super::*;
use crate::arch::{self, Logits};
use crate::generate::SamplingParams;
use crate::weights::gguf::Gguf;

/// Real weights that panic where they read token 13.
struct Superstitious(Box<dyn LanguageWeights>);

impl LanguageWeights for Superstitious {
    fn context_length(&self) -> usize {
        self.0.context_length()
    }

    fn vocabulary_size(&self) -> usize {
        self.0.vocabulary_size()
    }

    fn new_session(&self) -> Session {
        self.0.new_session()
    }

    fn forward(&self, session: &mut Session, tokens: &[u32], logits: Logits) -> Result<Option<Tensor>> {
        assert!(!tokens.contains(&13), "unlucky");
        self.0.forward(session, tokens, logits)
    }
}

#[test]
fn a_panic_fails_one_answer_and_the_next_is_right() {
    let folder = std::env::var_os("RSPA_MODELS_PATH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/rspa-models"));
    let path = folder.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(path.is_file(), "{} is missing: run `cargo xtask models`", path.display());
    let gguf = Gguf::open(&path).unwrap();
    let tokenizer = Arc::new(Tokenizer::from_gguf(&gguf).unwrap());
    let weights = Box::new(Superstitious(arch::load(&gguf, 128, &Device::Cpu).unwrap()));
    let template = Err("unused".to_owned());
    let worker = Worker::new(weights, tokenizer, template, || Timestamp::UNIX_EPOCH, Cancel::new(), 2).unwrap();

    let sampling = SamplingParams { temperature: 0.0, repeat_penalty: 1.0, max_tokens: 4, ..Default::default() };
    let (jobs, queue) = sync_channel(8);
    let mut streams = Vec::new();
    for prompt in [vec![504, 1296, 3995], vec![504, 13], vec![504, 1296, 3995]] {
        let (events, stream) = channel();
        let request = GenerateRequest { prompt: Prompt::Tokens(prompt), sampling: sampling.clone(), constraint: None };
        jobs.send(Job { request, cancel: Cancel::new(), events }).unwrap();
        streams.push(stream);
    }
    drop(jobs);
    worker.run(queue);

    let answer = |stream: Receiver<GenerateEvent>| {
        let mut text = String::new();
        for event in stream {
            match event {
                GenerateEvent::Text(piece) => text.push_str(&piece),
                GenerateEvent::Failed { error, .. } => return Err(error.to_string()),
                GenerateEvent::Prefill { .. } | GenerateEvent::Finished(_) => {}
            }
        }
        Ok(text)
    };
    let [first, failed, last]: [Result<String, String>; 3] =
        streams.into_iter().map(answer).collect::<Vec<_>>().try_into().unwrap();
    assert!(failed.unwrap_err().contains("unlucky"));
    assert!(!first.clone().unwrap().is_empty());
    assert_eq!(first, last);
}
