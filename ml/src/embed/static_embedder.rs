//! Static token embeddings: the mean of one vector per token. Small and fast enough to live in the executable.

use std::cell::RefCell;
use std::sync::OnceLock;

use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors};

use super::bpe::{Bpe, Scratch};
use super::{Embedder, TokenVectors};
use crate::{Cancel, Error, Result};

const DIMENSIONS: usize = 256;
/// Texts per parallel piece of work; cancellation is looked at between them.
const TEXTS_PER_JOB: usize = 32;
/// Ends in the first bytes of the table's SHA-256; a constant, so that naming the space does not read 16 MB.
const ID: &str = "wordllama-l2-supercat-256-64b47a2d";

static WEIGHTS: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/embedder/l2_supercat_256.safetensors"));
static TOKENIZER: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/embedder/l2_supercat_tokenizer_config.json"));

thread_local!(static SCRATCH: RefCell<Scratch> = RefCell::default());

/// What the embedder needs, made at its first use: the start of the program does not pay for it.
struct Parts {
    bpe: Bpe,
    /// Rows of [`DIMENSIONS`] little-endian f16, in the executable's own pages.
    table: &'static [u8],
}

pub struct StaticEmbedder {}

impl StaticEmbedder {
    /// The embedder inside the executable (WordLlama l2_supercat, 256 dimensions, MIT).
    pub fn built_in() -> Result<Self> {
        Ok(Self {})
    }
}

impl Embedder for StaticEmbedder {
    fn id(&self) -> &str {
        ID
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        in_parallel(texts, cancel, embed_one)
    }

    fn embed_on_this_thread(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        let parts = parts()?;
        let jobs = texts.chunks(TEXTS_PER_JOB).map(|texts| job(parts, texts, cancel, &embed_one));
        Ok(jobs.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn embed_tokens(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<TokenVectors>> {
        in_parallel(texts, cancel, tokens_of)
    }
}

fn in_parallel<T: Send>(texts: &[&str], cancel: &Cancel, of: impl Fn(&Parts, &str) -> T + Sync) -> Result<Vec<T>> {
    let parts = parts()?;
    if texts.len() <= TEXTS_PER_JOB {
        return job(parts, texts, cancel, &of);
    }
    let jobs =
        texts.par_chunks(TEXTS_PER_JOB).map(|texts| job(parts, texts, cancel, &of)).collect::<Result<Vec<_>>>()?;
    Ok(jobs.into_iter().flatten().collect())
}

fn job<T>(parts: &Parts, texts: &[&str], cancel: &Cancel, of: &impl Fn(&Parts, &str) -> T) -> Result<Vec<T>> {
    if cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    Ok(texts.iter().map(|text| of(parts, text)).collect())
}

fn parts() -> Result<&'static Parts> {
    static PARTS: OnceLock<Result<Parts, String>> = OnceLock::new();
    PARTS.get_or_init(load).as_ref().map_err(|reason| Error::Tokenizer(reason.clone()))
}

fn load() -> Result<Parts, String> {
    let weights = SafeTensors::deserialize(WEIGHTS).map_err(|error| error.to_string())?;
    let table = weights.tensor("embedding.weight").map_err(|error| error.to_string())?;
    if table.dtype() != Dtype::F16 || table.shape() != [32000, DIMENSIONS] {
        return Err("the embedding table has another shape".to_owned());
    }
    Ok(Parts { bpe: Bpe::from_json(TOKENIZER)?, table: table.data() })
}

/// The mean's length cancels out in the normalisation, so the plain sum is normalised.
fn embed_one(parts: &Parts, text: &str) -> Vec<f32> {
    let mut sum = vec![0.0_f32; DIMENSIONS];
    SCRATCH.with_borrow_mut(|scratch| {
        parts.bpe.encode(text, scratch, &mut |ids| {
            for &id in ids {
                add_row(&mut sum, parts.table, usize::from(id));
            }
        });
    });
    super::normalise(&mut sum);
    sum
}

/// Each token's row of the table; its length, which is its share of the sum, becomes its weight.
fn tokens_of(parts: &Parts, text: &str) -> TokenVectors {
    let mut ids = Vec::new();
    SCRATCH.with_borrow_mut(|scratch| parts.bpe.encode(text, scratch, &mut |more| ids.extend_from_slice(more)));
    let mut vectors = vec![0.0; ids.len() * DIMENSIONS];
    let row = |(&id, row): (&u16, &mut [f32])| {
        add_row(row, parts.table, usize::from(id));
        super::normalise(row)
    };
    let weights = ids.iter().zip(vectors.chunks_exact_mut(DIMENSIONS)).map(row).collect();
    TokenVectors { dimensions: DIMENSIONS, vectors, weights, spans: Vec::new() }
}

fn add_row(sum: &mut [f32], table: &[u8], id: usize) {
    let row = &table[id * DIMENSIONS * 2..(id + 1) * DIMENSIONS * 2];
    for (sum, bytes) in sum.iter_mut().zip(row.as_chunks::<2>().0) {
        *sum += widen(u16::from_le_bytes(*bytes));
    }
}

/// A finite f16 as f32, without a branch and without a processor feature, so that the loop above becomes vector code
/// on every machine.
fn widen(half: u16) -> f32 {
    /// Difference of the two formats' exponent biases, in the place of an f32's exponent.
    const REBIAS: u32 = (127 - 15) << 23;
    /// The exponent of the smallest normal f16, as f32.
    const SMALLEST: u32 = REBIAS + (1 << 23);
    let magnitude = u32::from(half & 0x7fff) << 13;
    let normal = magnitude + REBIAS;
    // A subnormal f16 has no hidden bit: it is added with the exponent and subtracted again.
    let subnormal = (f32::from_bits(magnitude + SMALLEST) - f32::from_bits(SMALLEST)).to_bits();
    let bits = if magnitude < 1 << 23 { subnormal } else { normal };
    f32::from_bits(bits | u32::from(half & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::fixture;
    use sha2::{Digest, Sha256};

    fn embed(texts: &[&str]) -> Vec<Vec<f32>> {
        StaticEmbedder::built_in().unwrap().embed(texts, &Cancel::new()).unwrap()
    }

    #[test]
    fn vectors_equal_wordllama() {
        let rows = fixture::rows();
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        for (row, vector) in rows.iter().zip(embed(&texts)) {
            let cosine = fixture::dot(&vector, &row.static_vector());
            assert!(cosine >= 0.9999, "{cosine} for {:?}", row.text);
        }
    }

    #[test]
    fn ids_equal_wordllama() {
        let parts = parts().unwrap();
        for row in fixture::rows() {
            let mut ids = Vec::new();
            parts.bpe.encode(&row.text, &mut Scratch::default(), &mut |more| ids.extend_from_slice(more));
            assert_eq!(ids, row.static_ids, "{:?}", row.text);
        }
    }

    #[test]
    fn many_texts_give_the_same_vectors_as_one_by_one() {
        let texts: Vec<String> = (0..200).map(|i| format!("text number {i} about {}", i % 7)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let all = embed(&texts);
        for (text, vector) in texts.iter().zip(all) {
            assert_eq!(embed(&[text])[0], vector);
        }
    }

    #[test]
    fn an_empty_text_gives_zeros_and_the_rest_unit_length() {
        let vectors = embed(&["", "something"]);
        assert!(vectors[0].iter().all(|&value| value == 0.0));
        assert!((fixture::dot(&vectors[1], &vectors[1]) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn weighted_tokens_add_up_to_the_vector_of_the_text() {
        let text = "Vectors of tokens, each by its weight, give the vector of the text.";
        let tokens = &StaticEmbedder::built_in().unwrap().embed_tokens(&[text, ""], &Cancel::new()).unwrap();
        assert!(tokens[1].is_empty());
        let mut sum = vec![0.0; DIMENSIONS];
        for at in 0..tokens[0].len() {
            let vector = tokens[0].vector(at);
            assert!((fixture::dot(vector, vector) - 1.0).abs() < 1e-5);
            sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value * tokens[0].weights[at]);
        }
        crate::embed::normalise(&mut sum);
        assert!(fixture::dot(&sum, &embed(&[text])[0]) > 0.9999);
    }

    #[test]
    fn one_thread_gives_the_vectors_of_many() {
        let texts: Vec<String> = (0..100).map(|i| format!("text number {i} about {}", i % 7)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let alone = StaticEmbedder::built_in().unwrap().embed_on_this_thread(&texts, &Cancel::new()).unwrap();
        assert_eq!(alone, embed(&texts));
    }

    #[test]
    fn every_finite_half_is_widened_exactly() {
        for half in (0..=u16::MAX).map(half::f16::from_bits).filter(|half| half.is_finite()) {
            assert_eq!(widen(half.to_bits()).to_bits(), half.to_f32().to_bits(), "{half}");
        }
        assert!(
            parts().unwrap().table.as_chunks::<2>().0.iter().all(|bytes| half::f16::from_le_bytes(*bytes).is_finite())
        );
    }

    #[test]
    fn the_id_carries_the_fingerprint_of_the_table() {
        let digest = Sha256::digest(WEIGHTS);
        let hex: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(ID.ends_with(&hex), "{hex}");
    }

    #[test]
    fn cancelled_work_says_so() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(matches!(StaticEmbedder::built_in().unwrap().embed(&["a"], &cancel), Err(Error::Cancelled)));
    }
}
