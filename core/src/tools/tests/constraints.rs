//! What models are held to compiles: the arguments of every tool, and a step of an agent with every tool at once.

use std::path::PathBuf;
use std::sync::Arc;

use rspa_ml::generate::{Constrainer, Constraint};
use rspa_ml::tokenize::Tokenizer;
use rspa_ml::weights::gguf::Gguf;

use super::super::{ToolSpec, all};
use crate::agents::protocol::{self, Offer};

fn constrainer() -> Constrainer {
    let folder = match std::env::var_os("RSPA_MODELS_PATH") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/rspa-models"),
    };
    let path = folder.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(path.is_file(), "{} is missing: run `cargo xtask models`", path.display());
    let tokenizer = Arc::new(Tokenizer::from_gguf(&Gguf::open(&path).unwrap()).unwrap());
    Constrainer::new(&tokenizer).unwrap()
}

#[test]
fn every_tool_and_every_step_can_be_asked_of_a_model() {
    let constrainer = constrainer();
    let mut specs: Vec<ToolSpec> = Vec::new();
    let mut wrong = Vec::new();
    let mut check = |what: &str, schema: serde_json::Value| {
        if let Err(error) = constrainer.check(&Constraint::JsonSchema(schema)) {
            wrong.push(format!("{what}: {error}"));
        }
    };
    for tool in all() {
        let spec = tool.spec();
        check(&spec.name, spec.parameters.clone());
        specs.push(spec);
    }
    let offered = || specs.iter().map(|spec| (&*spec.name, &spec.parameters));
    for (plan, tools, answer, small) in
        [(true, true, true, false), (false, true, true, true), (false, true, false, true), (false, false, true, false)]
    {
        for tokens in [1, 512, 100_000] {
            let offer = Offer { plan, tools, answer, small, tokens };
            check(&format!("{offer:?}"), protocol::schema(offered(), offer));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
