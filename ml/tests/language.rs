//! SmolLM2 against what llama.cpp makes of the same inputs, and whole answers through the worker.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use candle_core::Device;
use rspa_ml::arch::{self, Logits};
use rspa_ml::generate::{
    ChatTurn, FinishReason, GenerateEvent, GenerateRequest, GenerateStats, Prompt, Role, SamplingParams,
};
use rspa_ml::runtime::{LanguageModel, LoadOptions};
use rspa_ml::tokenize::Tokenizer;
use rspa_ml::weights::gguf::Gguf;
use rspa_ml::{Cancel, Error, weights};
use serde::Deserialize;

fn model_path() -> PathBuf {
    let folder = std::env::var_os("RSPA_MODELS_PATH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/rspa-models"));
    let path = folder.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(path.is_file(), "{} is missing: run `cargo xtask models`", path.display());
    path
}

fn fixture<T: for<'a> Deserialize<'a>>(path: PathBuf) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn load() -> LanguageModel {
    LanguageModel::load(&model_path(), LoadOptions { threads: 2, max_context: 1024 }).unwrap()
}

fn greedy(max_tokens: usize) -> SamplingParams {
    SamplingParams { temperature: 0.0, repeat_penalty: 1.0, max_tokens, ..Default::default() }
}

fn start(model: &LanguageModel, prompt: Prompt, sampling: SamplingParams) -> Receiver<GenerateEvent> {
    model.generate(GenerateRequest { prompt, sampling, constraint: None }, Cancel::new()).unwrap()
}

fn finish(stream: Receiver<GenerateEvent>) -> (String, GenerateStats) {
    let mut text = String::new();
    for event in stream {
        match event {
            GenerateEvent::Prefill { .. } => {}
            GenerateEvent::Text(piece) => text.push_str(&piece),
            GenerateEvent::Finished(stats) => return (text, stats),
            GenerateEvent::Failed { error, partial } => panic!("{error} after {partial:?}"),
        }
    }
    panic!("the stream ended without an end");
}

fn user(content: &str) -> ChatTurn {
    ChatTurn { role: Role::User, content: content.to_owned() }
}

#[derive(Deserialize)]
struct TokenFixture {
    texts: Vec<String>,
    ids: Vec<Vec<u32>>,
}

fn check_tokens(model: PathBuf, expected: PathBuf) {
    let tokenizer = Tokenizer::from_gguf(&Gguf::open(&model).unwrap()).unwrap();
    let fixture: TokenFixture = fixture(expected);
    assert_eq!(fixture.texts.len(), 1000);
    let mut wrong = Vec::new();
    for (text, expected) in fixture.texts.iter().zip(&fixture.ids) {
        let ids = tokenizer.encode(text, false, false).unwrap();
        if ids != *expected {
            wrong.push(format!("{text:?}\n  got      {ids:?}\n  expected {expected:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}: {} of 1000 differ:\n{}",
        model.display(),
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
}

#[test]
fn token_ids_equal_llama_cpp() {
    check_tokens(model_path(), fixtures().join("smollm2_tokens.json"));
}

/// Other vocabularies are not ours to ship: point RSPA_VOCABULARIES at llama.cpp's `models` folder, with a
/// `NAME.json` beside each `ggml-vocab-NAME.gguf` that `make_token_fixture.py tokens` wrote.
#[test]
#[ignore = "needs RSPA_VOCABULARIES"]
fn token_ids_of_other_vocabularies_equal_llama_cpp() {
    let folder = PathBuf::from(std::env::var_os("RSPA_VOCABULARIES").expect("RSPA_VOCABULARIES is set"));
    let only = std::env::var("RSPA_VOCABULARY").ok();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().replace("ggml-vocab-", "");
        let expected = folder.join(format!("{name}.json"));
        if path.extension().is_some_and(|kind| kind == "gguf")
            && expected.is_file()
            && only.as_ref().is_none_or(|only| *only == name)
        {
            println!("{name}");
            check_tokens(path, expected);
        }
    }
}

#[test]
fn control_tokens_come_only_from_the_renderer() {
    let tokenizer = Tokenizer::from_gguf(&Gguf::open(&model_path()).unwrap()).unwrap();
    let text = "<|im_start|>user\nHi<|im_end|>";
    assert_eq!(tokenizer.encode("<|im_end|>", false, true).unwrap(), [2]);
    assert!(!tokenizer.encode(text, true, false).unwrap().iter().any(|&id| id < 17));
    assert_eq!(tokenizer.decode(&tokenizer.encode(text, false, false).unwrap()), text);
    // The guard is taken out again, and the name around it stays text.
    let guarded = tokenizer.encode_rendered("<\u{e000}|im_end|>", '\u{e000}').unwrap();
    assert_eq!(guarded, tokenizer.encode("<|im_end|>", false, false).unwrap());
}

#[test]
fn the_header_is_inspected() {
    let info = weights::inspect(&model_path()).unwrap();
    assert_eq!((info.family.as_str(), info.quantisation.as_str()), ("llama", "Q4_1"));
    assert_eq!((info.context_length, info.parameters), (8192, 134_515_008));
    assert_eq!((info.id.as_str(), info.license.as_deref()), ("smollm2-135m-instruct.q4_1", Some("apache-2.0")));
    assert!(info.has_chat_template);
}

#[derive(Deserialize)]
struct GreedyFixture {
    cases: Vec<GreedyCase>,
}

#[derive(Deserialize)]
struct GreedyCase {
    prompt: String,
    prompt_ids: Vec<u32>,
    ids: Vec<u32>,
    /// How far llama.cpp's best logit stood above its second.
    margins: Vec<f32>,
    text: String,
}

#[test]
fn greedy_tokens_equal_llama_cpp() {
    let gguf = Gguf::open(&model_path()).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let weights = arch::load(&gguf, 256, &Device::Cpu).unwrap();
    let fixture: GreedyFixture = fixture(fixtures().join("smollm2_greedy.json"));
    assert_eq!(fixture.cases.len(), 5);
    for case in fixture.cases {
        assert_eq!(tokenizer.encode(&case.prompt, true, false).unwrap(), case.prompt_ids);
        let mut session = weights.new_session();
        let mut next = case.prompt_ids.clone();
        // Tokens that end an answer are read on like any other, as the fixture does.
        for (step, (&expected, margin)) in case.ids.iter().zip(&case.margins).enumerate() {
            let logits = weights.forward(&mut session, &next, Logits::Last).unwrap().unwrap();
            let logits: Vec<f32> = logits.flatten_all().unwrap().to_vec1().unwrap();
            let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap() as u32;
            assert_eq!(best, expected, "step {step} of {:?}; margin there {margin}", case.prompt);
            next = vec![best];
        }
        assert_eq!(case.ids.len(), 32);
        assert_eq!(tokenizer.decode(&case.ids), case.text);
    }
}

#[test]
fn the_worker_streams_the_greedy_text() {
    let model = load();
    let fixture: GreedyFixture = fixture(fixtures().join("smollm2_greedy.json"));
    let case = &fixture.cases[0];
    let (text, stats) = finish(start(&model, Prompt::Raw(case.prompt.clone()), greedy(32)));
    assert_eq!(text, case.text);
    assert_eq!((stats.answer_tokens, stats.finish), (32, FinishReason::MaxTokens));
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let model = load();
    let answer = |seed| {
        let sampling = SamplingParams { temperature: 1.0, seed, max_tokens: 24, ..Default::default() };
        finish(start(&model, Prompt::Chat(vec![user("Name a colour and say why you like it.")]), sampling)).0
    };
    let first = answer(1);
    assert_eq!(answer(1), first);
    assert_ne!(answer(2), first);
}

#[test]
fn a_second_turn_computes_only_what_is_new() {
    let model = load();
    let mut turns = vec![user("List three fruits."), ChatTurn { role: Role::Assistant, content: String::new() }];
    let (answer, first) = finish(start(&model, Prompt::Chat(vec![turns[0].clone()]), greedy(16)));
    turns[1].content = answer;
    turns.push(user("And one more."));
    let stream = start(&model, Prompt::Chat(turns.clone()), greedy(8));
    let GenerateEvent::Prefill { done, .. } = stream.recv().unwrap() else { panic!("no prefill came first") };
    assert!(done >= first.prompt_tokens, "{done} of {} were held", first.prompt_tokens);
    let continued = finish(stream).0;
    // What was held gives the same answer as computing everything.
    assert_eq!(finish(start(&load(), Prompt::Chat(turns), greedy(8))).0, continued);
}

#[test]
fn an_answer_can_be_cancelled_between_tokens() {
    let model = load();
    let cancel = Cancel::new();
    let request =
        GenerateRequest { prompt: Prompt::Raw("Once upon a time".into()), sampling: greedy(900), constraint: None };
    let stream = model.generate(request, cancel.clone()).unwrap();
    let mut text = String::new();
    let mut end = None;
    for event in stream {
        match event {
            GenerateEvent::Text(piece) => {
                text.push_str(&piece);
                cancel.cancel();
            }
            GenerateEvent::Finished(stats) => end = Some(stats),
            GenerateEvent::Prefill { .. } => {}
            GenerateEvent::Failed { error, .. } => panic!("{error}"),
        }
    }
    let end = end.expect("the stream ends with its end");
    assert_eq!(end.finish, FinishReason::Cancelled);
    assert!(end.answer_tokens < 10 && !text.is_empty());
}

#[test]
fn a_dropped_stream_frees_the_worker() {
    let model = load();
    let first = start(&model, Prompt::Raw("Once upon a time".into()), greedy(1000));
    assert!(matches!(first.recv().unwrap(), GenerateEvent::Prefill { .. }));
    drop(first);
    let (text, stats) = finish(start(&model, Prompt::Raw("Once upon a time".into()), greedy(3)));
    assert_eq!(stats.answer_tokens, 3);
    assert!(!text.is_empty());
}

#[test]
fn the_last_handle_ends_a_running_answer() {
    let model = load();
    let stream = start(&model, Prompt::Raw("Once upon a time".into()), greedy(1000));
    assert!(matches!(stream.recv().unwrap(), GenerateEvent::Prefill { .. }));
    drop(model);
    assert_eq!(finish(stream).1.finish, FinishReason::Cancelled);
}

#[test]
fn stop_texts_end_the_answer_before_them() {
    let model = load();
    let prompt = || Prompt::Raw("The three largest planets of the solar system are".into());
    let whole = finish(start(&model, prompt(), greedy(12))).0;
    let sampling = SamplingParams { stop: vec![", and".into()], ..greedy(12) };
    let (text, stats) = finish(start(&model, prompt(), sampling));
    assert_eq!(stats.finish, FinishReason::StopText);
    assert_eq!(text, whole.split(", and").next().unwrap());
}

#[test]
fn prompts_that_do_not_fit_are_refused_and_full_contexts_end_answers() {
    let model = LanguageModel::load(&model_path(), LoadOptions { threads: 2, max_context: 24 }).unwrap();
    let events: Vec<_> = start(&model, Prompt::Tokens(vec![504; 25]), greedy(4)).iter().collect();
    let [GenerateEvent::Failed { error: Error::PromptTooLong { prompt: 25, context: 24 }, .. }] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    let (_, stats) = finish(start(&model, Prompt::Tokens(vec![504; 20]), greedy(100)));
    assert_eq!((stats.finish, stats.answer_tokens), (FinishReason::ContextFull, 5));
}

#[test]
fn a_model_without_use_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.gguf");
    let whole = std::fs::read(model_path()).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = LanguageModel::load(&path, LoadOptions { threads: 1, max_context: 0 }).err().unwrap();
    assert!(matches!(&error, Error::Malformed { reason, .. } if reason.contains("cut off")), "{error}");
}
