//! The packed forward pass against candle's, on tiny random weights.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};

use super::*;

fn config(hidden: usize, heads: usize, inner: usize, layers: usize) -> Config {
    Config {
        vocab_size: 40,
        hidden_size: hidden,
        num_hidden_layers: layers,
        num_attention_heads: heads,
        intermediate_size: inner,
        max_position_embeddings: 70,
        ..Config::default()
    }
}

/// Every tensor that the model needs, under `prefix`.
fn weights(config: &Config, prefix: &str, seed: u64) -> HashMap<String, Tensor> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = HashMap::new();
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let mut add = |name: String, shape: &[usize], centre: f32, spread: f32| {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| centre + (random.random::<f32>() * 2.0 - 1.0) * spread).collect();
        tensors.insert(format!("{prefix}{name}"), Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    };
    for (name, rows) in [
        ("word", config.vocab_size),
        ("position", config.max_position_embeddings),
        ("token_type", config.type_vocab_size),
    ] {
        add(format!("embeddings.{name}_embeddings.weight"), &[rows, hidden], 0.0, 1.0);
    }
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..config.num_hidden_layers {
        let at = format!("encoder.layer.{layer}");
        for (name, outputs, inputs) in [
            ("attention.self.query", hidden, hidden),
            ("attention.self.key", hidden, hidden),
            ("attention.self.value", hidden, hidden),
            ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", inner, hidden),
            ("output.dense", hidden, inner),
        ] {
            add(format!("{at}.{name}.weight"), &[outputs, inputs], 0.0, 1.5 / (inputs as f32).sqrt());
            add(format!("{at}.{name}.bias"), &[outputs], 0.0, 0.3);
        }
        norms.extend([format!("{at}.attention.output.LayerNorm"), format!("{at}.output.LayerNorm")]);
    }
    for norm in norms {
        add(format!("{norm}.weight"), &[hidden], 1.0, 0.3);
        add(format!("{norm}.bias"), &[hidden], 0.0, 0.3);
    }
    tensors
}

fn texts(lengths: &[usize], seed: u64) -> Vec<Vec<u32>> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    lengths.iter().map(|&length| (0..length).map(|_| random.random_range(0..40)).collect()).collect()
}

fn run(bert: &Bert, texts: &[Vec<u32>]) -> Result<Vec<f32>> {
    let texts: Vec<Sequence<'_>> = texts.iter().map(|ids| Sequence::one(ids)).collect();
    bert.forward(&texts, &Cancel::new(), |states| Ok(states.to_vec()))
}

fn reference(path: &Path, config: &Config, texts: &[Vec<u32>]) -> Vec<f32> {
    let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    let model = BertModel::load(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu), config).unwrap();
    let states = texts.iter().map(|ids| {
        let ids = Tensor::new(ids.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let states = model.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap();
        states.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    });
    states.flatten().collect()
}

fn saved(tensors: &HashMap<String, Tensor>) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    candle_core::safetensors::save(tensors, file.path()).unwrap();
    file
}

#[test]
fn the_second_text_of_a_pair_has_a_type_of_its_own() {
    let config = config(24, 3, 40, 2);
    let mut tensors = weights(&config, "bert.", 8);
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for (name, shape) in [
        ("bert.pooler.dense.weight", vec![24, 24]),
        ("bert.pooler.dense.bias", vec![24]),
        ("classifier.weight", vec![1, 24]),
        ("classifier.bias", vec![1]),
    ] {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| random.random::<f32>() - 0.5).collect();
        tensors.insert(name.to_owned(), Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    }
    let file = saved(&tensors);
    let ids = texts(&[31], 4).remove(0);
    let (bert, head) =
        (Bert::load(file.path(), &config, Kernel::best_f32()).unwrap(), Head::load(file.path(), 24).unwrap());
    let pair = Sequence { ids: &ids, first: 12 };
    let states = bert.forward(&[pair], &Cancel::new(), |states| Ok(states.to_vec())).unwrap();

    let builder = VarBuilder::from_tensors(tensors.clone(), DType::F32, &Device::Cpu);
    let model = BertModel::load(builder.pp("bert"), &config).unwrap();
    let types: Vec<u32> = (0..31).map(|at| u32::from(at >= 12)).collect();
    let row = |values: &[u32]| Tensor::new(values, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let expected = model.forward(&row(&ids), &row(&types), None).unwrap();
    let expected_states = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(states.iter().zip(&expected_states).all(|(a, b)| (a - b).abs() < 1e-3));
    let first = expected.narrow(1, 0, 1).unwrap().squeeze(0).unwrap();
    let linear = |input: &Tensor, name: &str| {
        let product = input.matmul(&tensors[&format!("{name}.weight")].t().unwrap()).unwrap();
        product.broadcast_add(&tensors[&format!("{name}.bias")]).unwrap()
    };
    let pooled = linear(&first, "bert.pooler.dense").tanh().unwrap();
    let logit = linear(&pooled, "classifier").flatten_all().unwrap().to_vec1::<f32>().unwrap()[0];
    assert!((head.score(&states[..24]) - logit).abs() < 1e-3, "{logit}");
    let alone = bert.forward(&[Sequence::one(&ids)], &Cancel::new(), |states| Ok(states.to_vec())).unwrap();
    assert!((head.score(&alone[..24]) - logit).abs() > 1e-4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn states_are_those_of_candle(
        heads in 1usize..5, width in 1usize..20, inner in 1usize..120, layers in 1usize..4,
        lengths in proptest::collection::vec(1usize..70, 1..5), seed in 0u64..1000, prefixed: bool,
    ) {
        let config = config(heads * width, heads, inner, layers);
        let file = saved(&weights(&config, if prefixed { "bert." } else { "" }, seed));
        let texts = texts(&lengths, seed);
        let expected = reference(file.path(), &config, &texts);
        for kernel in Kernel::available() {
            let bert = Bert::load(file.path(), &config, kernel).unwrap();
            let states = run(&bert, &texts).unwrap();
            prop_assert_eq!(states.len(), expected.len());
            for (row, (got, expected)) in states.chunks(heads * width).zip(expected.chunks(heads * width)).enumerate() {
                let difference: f32 = got.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                let length: f32 = expected.iter().map(|value| value * value).sum::<f32>().sqrt();
                let most = if kernel.pairs() { 0.08 } else { 2e-4 };
                prop_assert!(difference <= most * length.max(0.3), "{:?}, row {}: {} of {}", kernel, row, difference, length);
            }
            // Alone, in company, and with buffers that others have used: the same bits.
            let mut first = 0;
            for text in &texts {
                let alone = run(&bert, std::slice::from_ref(text)).unwrap();
                prop_assert_eq!(&states[first..first + alone.len()], &alone);
                first += alone.len();
            }
        }
    }
}

#[test]
fn half_precision_and_old_names_are_read() {
    let config = config(24, 3, 40, 2);
    let exact = weights(&config, "", 5);
    let texts = texts(&[9, 30], 5);
    let kernel = Kernel::best_f32();
    let file = saved(&exact);
    let expected = run(&Bert::load(file.path(), &config, kernel).unwrap(), &texts).unwrap();
    for (dtype, most) in [(DType::F16, 0.01), (DType::BF16, 0.1), (DType::F32, 1e-9)] {
        let renamed = |name: &str| match name.strip_suffix("LayerNorm.weight") {
            Some(start) => format!("{start}LayerNorm.gamma"),
            None => name.replace("LayerNorm.bias", "LayerNorm.beta"),
        };
        let tensors = exact.iter().map(|(name, tensor)| (renamed(name), tensor.to_dtype(dtype).unwrap())).collect();
        let file = saved(&tensors);
        let states = run(&Bert::load(file.path(), &config, kernel).unwrap(), &texts).unwrap();
        let worst = states.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= most, "{dtype:?}: {worst}");
    }
}

#[test]
fn tensors_that_are_missing_or_of_another_shape_or_type_are_named() {
    let config = config(8, 2, 12, 1);
    let good = weights(&config, "", 1);
    let load = |tensors: &HashMap<String, Tensor>| match Bert::load(saved(tensors).path(), &config, Kernel::best()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    assert_eq!(load(&good), "");
    for name in good.keys() {
        let mut tensors = good.clone();
        let tensor = tensors.remove(name).unwrap();
        assert!(load(&tensors).contains(name.as_str()), "{name} is missing");
        tensors.insert(name.clone(), tensor.unsqueeze(0).unwrap());
        assert!(load(&tensors).contains("shape"), "{name} has another shape");
        tensors.insert(name.clone(), tensor.to_dtype(DType::U8).unwrap());
        assert!(load(&tensors).contains("no float"), "{name} has another type");
    }
}

#[test]
fn ids_outside_the_vocabulary_and_texts_beyond_the_positions_are_refused() {
    let config = config(8, 2, 12, 1);
    let bert = Bert::load(saved(&weights(&config, "", 1)).path(), &config, Kernel::best()).unwrap();
    assert!(matches!(run(&bert, &[vec![39]]), Ok(states) if states.len() == 8));
    assert!(matches!(run(&bert, &[vec![40]]), Err(Error::Tokenizer(_))));
    assert!(matches!(run(&bert, &[vec![u32::MAX]]), Err(Error::Tokenizer(_))));
    assert!(matches!(run(&bert, &[vec![1; 71]]), Err(Error::Tokenizer(_))));
}
