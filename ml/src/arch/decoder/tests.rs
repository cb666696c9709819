//! The decoder against candle's reference models on tiny random weights.

use std::fs::File;
use std::path::Path;

use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use candle_transformers::models::{quantized_llama, quantized_qwen2, quantized_qwen3};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Error;
use crate::arch::{LanguageWeights, Logits, load};
use crate::weights::gguf::Gguf;

const VOCABULARY: usize = 96;
const HIDDEN: usize = 64;
const HEADS: usize = 4;
const KEY_VALUE_HEADS: usize = 2;
const HEAD: usize = HIDDEN / HEADS;
const FEED_FORWARD: usize = 128;
const LAYERS: usize = 2;
const CONTEXT: usize = 64;
/// Share of the largest logit by which f32 results may differ: sums in another order, angles of another precision.
const TOLERANCE: f32 = 1e-5;
/// Where activations are quantised to 8 bits, ours must not be further from the exact result than so many times what
/// candle's are.
const ERROR_RATIO: f32 = 1.15;

/// A model whose weights are of this type; `exact` ones are the same weights, written as f32.
fn write_model(path: &Path, family: &str, dtype: GgmlDType, own_output: bool, exact: bool, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut tensors: Vec<(String, QTensor)> = Vec::new();
    let mut tensor = |name: &str, shape: &[usize], dtype, centre: f32, spread: f32| {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| centre + spread * (random.random::<f32>() - 0.5)).collect();
        let values = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        let mut tensor = QTensor::quantize(&values, dtype).unwrap();
        if exact {
            tensor = QTensor::quantize(&tensor.dequantize(&Device::Cpu).unwrap(), GgmlDType::F32).unwrap();
        }
        tensors.push((name.to_owned(), tensor));
    };
    tensor("token_embd.weight", &[VOCABULARY, HIDDEN], dtype, 0.0, 2.0);
    tensor("output_norm.weight", &[HIDDEN], GgmlDType::F32, 1.0, 0.5);
    if own_output {
        tensor("output.weight", &[VOCABULARY, HIDDEN], dtype, 0.0, 1.0);
    }
    for layer in 0..LAYERS {
        let name = |part: &str| format!("blk.{layer}.{part}");
        for part in ["attn_norm.weight", "ffn_norm.weight"] {
            tensor(&name(part), &[HIDDEN], GgmlDType::F32, 1.0, 0.5);
        }
        let width = KEY_VALUE_HEADS * HEAD;
        for (part, outputs, inputs) in [
            ("attn_q", HIDDEN, HIDDEN),
            ("attn_k", width, HIDDEN),
            ("attn_v", width, HIDDEN),
            ("attn_output", HIDDEN, HIDDEN),
            ("ffn_gate", FEED_FORWARD, HIDDEN),
            ("ffn_up", FEED_FORWARD, HIDDEN),
            ("ffn_down", HIDDEN, FEED_FORWARD),
        ] {
            tensor(&name(&format!("{part}.weight")), &[outputs, inputs], dtype, 0.0, 0.6);
        }
        if family == "qwen2" {
            for (part, outputs) in [("attn_q", HIDDEN), ("attn_k", width), ("attn_v", width)] {
                tensor(&name(&format!("{part}.bias")), &[outputs], GgmlDType::F32, 0.0, 0.5);
            }
        }
        if family == "qwen3" {
            for part in ["attn_q_norm.weight", "attn_k_norm.weight"] {
                tensor(&name(part), &[HEAD], GgmlDType::F32, 1.0, 0.5);
            }
        }
    }
    let count = |value: usize| Value::U32(value as u32);
    let metadata = [
        ("block_count", count(LAYERS)),
        ("embedding_length", count(HIDDEN)),
        ("feed_forward_length", count(FEED_FORWARD)),
        ("attention.head_count", count(HEADS)),
        ("attention.head_count_kv", count(KEY_VALUE_HEADS)),
        ("attention.key_length", count(HEAD)),
        ("attention.value_length", count(HEAD)),
        ("rope.dimension_count", count(HEAD)),
        ("context_length", count(CONTEXT)),
        ("attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        ("rope.freq_base", Value::F32(10_000.0)),
    ];
    let mut metadata: Vec<(String, Value)> =
        metadata.into_iter().map(|(key, value)| (format!("{family}.{key}"), value)).collect();
    // Without it the reference for qwen3 computes in f16.
    metadata.push(("general.dtype".into(), Value::U32(0)));
    metadata.push(("general.architecture".into(), Value::String(family.into())));
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

/// Logits of the last token, given new tokens and how many came before.
type Reference = dyn FnMut(&[u32], usize) -> Vec<f32>;

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new(family: &str, dtype: GgmlDType, own_output: bool, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_model(&folder.path().join("model.gguf"), family, dtype, own_output, false, seed);
        write_model(&folder.path().join("exact.gguf"), family, dtype, own_output, true, seed);
        Self { folder }
    }

    fn weights(&self) -> Box<dyn LanguageWeights> {
        self.open("model.gguf")
    }

    fn open(&self, name: &str) -> Box<dyn LanguageWeights> {
        load(&Gguf::open(&self.folder.path().join(name)).unwrap(), 0, &Device::Cpu).unwrap()
    }

    fn reference(&self, family: &str) -> Box<Reference> {
        let mut file = File::open(self.folder.path().join("model.gguf")).unwrap();
        let content = Content::read(&mut file).unwrap();
        let input = |tokens: &[u32]| Tensor::new(tokens, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let values = |logits: Tensor| logits.flatten_all().unwrap().to_vec1().unwrap();
        match family {
            "llama" => {
                let mut model = quantized_llama::ModelWeights::from_gguf(content, &mut file, &Device::Cpu).unwrap();
                Box::new(move |tokens, at| values(model.forward(&input(tokens), at).unwrap()))
            }
            "qwen2" => {
                let mut model = quantized_qwen2::ModelWeights::from_gguf(content, &mut file, &Device::Cpu).unwrap();
                Box::new(move |tokens, at| values(model.forward(&input(tokens), at).unwrap()))
            }
            _ => {
                let mut model = quantized_qwen3::ModelWeights::from_gguf(content, &mut file, &Device::Cpu).unwrap();
                Box::new(move |tokens, at| values(model.forward(&input(tokens), at).unwrap()))
            }
        }
    }
}

fn rows(logits: Option<Tensor>) -> Vec<Vec<f32>> {
    logits.unwrap().to_vec2().unwrap()
}

/// The logits of a prompt's last token and of three tokens after it.
fn steps(mut next: impl FnMut(&[u32], usize) -> Vec<f32>) -> Vec<f32> {
    let prompt: Vec<u32> = (0..21).map(|at| (at * 37 + 5) % VOCABULARY as u32).collect();
    let mut logits = next(&prompt, 0);
    for (at, token) in [3u32, 77, 41].into_iter().enumerate() {
        logits.extend(next(&[token], prompt.len() + at));
    }
    logits
}

fn square_distance(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(a, b)| (a - b).powi(2)).sum()
}

fn check_against_reference(family: &str, dtype: GgmlDType, own_output: bool) {
    // Errors of 8 bits are noise: they are compared over several models.
    let (mut our_error, mut reference_error) = (0.0, 0.0);
    for seed in 1..=8 {
        let fixture = Fixture::new(family, dtype, own_output, seed);
        let run = |weights: Box<dyn LanguageWeights>| {
            let mut session = weights.new_session();
            steps(|tokens, _| rows(weights.forward(&mut session, tokens, Logits::Last).unwrap()).remove(0))
        };
        let ours = run(fixture.weights());
        let reference = steps(fixture.reference(family));
        assert_eq!(ours.len(), reference.len());
        if dtype == GgmlDType::F32 {
            let scale = reference.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
            let worst = ours.iter().zip(&reference).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= TOLERANCE * scale, "logits differ by {worst} of {scale}");
        } else {
            let exact = run(fixture.open("exact.gguf"));
            our_error += square_distance(&ours, &exact);
            reference_error += square_distance(&reference, &exact);
        }
    }
    let ratio = (our_error / reference_error).sqrt();
    assert!(dtype == GgmlDType::F32 || ratio <= ERROR_RATIO, "{family} {dtype:?}: {ratio} times candle's error");
}

#[test]
fn llama_equals_the_reference() {
    for dtype in [GgmlDType::F32, GgmlDType::Q8_0, GgmlDType::Q4_0, GgmlDType::Q4_1] {
        check_against_reference("llama", dtype, true);
    }
    check_against_reference("llama", GgmlDType::Q8_0, false);
}

#[test]
fn qwen2_equals_the_reference() {
    check_against_reference("qwen2", GgmlDType::Q8_0, true);
}

#[test]
fn qwen3_equals_the_reference() {
    check_against_reference("qwen3", GgmlDType::Q8_0, true);
}

#[test]
fn blocks_forks_and_truncation_change_nothing() {
    let fixture = Fixture::new("llama", GgmlDType::Q8_0, true, 7);
    let weights = fixture.weights();
    let tokens: Vec<u32> = (0..40).map(|at| (at * 29 + 1) % VOCABULARY as u32).collect();
    let mut whole = weights.new_session();
    let expected = rows(weights.forward(&mut whole, &tokens, Logits::All).unwrap());

    let mut blocks = weights.new_session();
    weights.forward(&mut blocks, &tokens[..7], Logits::None).unwrap();
    let mut fork = blocks.fork().unwrap();
    let mut got = rows(weights.forward(&mut blocks, &tokens[7..30], Logits::All).unwrap());
    got.extend(rows(weights.forward(&mut blocks, &tokens[30..], Logits::All).unwrap()));
    for (got, expected) in got.iter().zip(&expected[7..]) {
        assert_eq!(got, expected);
    }

    // The fork goes on alone; then it goes back and takes the other way.
    weights.forward(&mut fork, &[9, 9, 9], Logits::None).unwrap();
    assert_eq!(fork.common_prefix(&tokens), 7);
    fork.truncate(7);
    let last = rows(weights.forward(&mut fork, &tokens[7..], Logits::Last).unwrap());
    assert_eq!(last[0], expected[39]);
}

#[test]
fn the_context_and_the_vocabulary_are_limits() {
    let fixture = Fixture::new("llama", GgmlDType::Q8_0, true, 7);
    let weights = fixture.weights();
    let mut session = weights.new_session();
    weights.forward(&mut session, &[1; CONTEXT], Logits::None).unwrap();
    let error = weights.forward(&mut session, &[1], Logits::Last).err();
    assert!(matches!(error, Some(Error::PromptTooLong { prompt: 65, context: 64 })));
    session.truncate(0);
    assert!(weights.forward(&mut session, &[VOCABULARY as u32], Logits::Last).is_err());
}

#[test]
fn other_families_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    write_model(&path, "mamba", GgmlDType::F32, true, false, 7);
    let error = load(&Gguf::open(&path).unwrap(), 0, &Device::Cpu).err().unwrap();
    assert!(matches!(error, Error::UnknownFamily(name) if name == "mamba"));
}
