//! What makes two questions the same: the model, how it is asked, and every word of what is asked.

use rspa_ml::generate::{Constraint, GenerateRequest, Prompt};
use sha2::{Digest, Sha256};

use crate::inference::ToolOffer;
use crate::model::ProfileId;
use crate::storage::responses::Key;

/// One question as the cache tells it from others.
pub struct Asked<'a> {
    pub profile: ProfileId,
    /// As the model is called here.
    pub model: &'a str,
    /// Where it runs: another server of the same name gives other answers.
    pub place: &'a str,
    pub request: &'a GenerateRequest,
    pub tools: &'a [ToolOffer],
    /// The person fixed the seed: another one is another question then.
    pub seed: Option<u64>,
}

/// SHA-256 over all of it, each part with its length before it, so that no two questions run into each other.
pub fn key(asked: &Asked<'_>) -> Key {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(b"rspa response 1");
    part(asked.profile.0.as_bytes());
    part(asked.model.as_bytes());
    part(asked.place.as_bytes());
    let sampling = &asked.request.sampling;
    for value in [sampling.temperature, sampling.top_p, sampling.min_p, sampling.repeat_penalty] {
        part(&value.to_bits().to_le_bytes());
    }
    for value in [sampling.top_k, sampling.repeat_last_n, sampling.max_tokens, sampling.stop.len()] {
        part(&(value as u64).to_le_bytes());
    }
    sampling.stop.iter().for_each(|stop| part(stop.as_bytes()));
    part(&asked.seed.map_or_else(Vec::new, |seed| seed.to_le_bytes().to_vec()));
    match &asked.request.prompt {
        Prompt::Chat(turns) => {
            part(b"chat");
            part(&(turns.len() as u64).to_le_bytes());
            for turn in turns {
                part(turn.role.name().as_bytes());
                part(turn.content.as_bytes());
            }
        }
        Prompt::Raw(text) => {
            part(b"raw");
            part(text.as_bytes());
        }
        Prompt::Tokens(tokens) => {
            part(b"tokens");
            part(&tokens.iter().flat_map(|token| token.to_le_bytes()).collect::<Vec<u8>>());
        }
    }
    match &asked.request.constraint {
        None => part(b"free"),
        Some(Constraint::JsonSchema(schema)) => {
            part(b"schema");
            part(schema.to_string().as_bytes());
        }
        Some(Constraint::Regex(regex)) => {
            part(b"regex");
            part(regex.as_bytes());
        }
        Some(Constraint::Grammar(grammar)) => {
            part(b"grammar");
            part(grammar.as_bytes());
        }
    }
    for tool in asked.tools {
        part(tool.name.as_bytes());
        part(tool.description.as_bytes());
        part(tool.parameters.to_string().as_bytes());
    }
    hash.finalize().into()
}
