//! The registry on real model files.

use uuid::Uuid;

use super::*;
use crate::storage::{DbOptions, tables};

fn cache() -> PathBuf {
    let folder = match std::env::var_os("RSPA_MODELS_PATH") {
        Some(list) => std::env::split_paths(&list).next().unwrap_or_default(),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/rspa-models"),
    };
    assert!(folder.join("all-MiniLM-L6-v2").is_dir(), "no models in {}: run `cargo xtask models`", folder.display());
    folder
}

fn registry(folder: &Path, folders: Vec<PathBuf>) -> Registry {
    let main = Db::open(&folder.join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
    let options = RegistryOptions { own_folder: folder.join("models"), folders, ..RegistryOptions::default() };
    Registry::new(main, ProfileId(Uuid::from_u128(1)), options, None)
}

#[test]
fn the_first_model_of_each_kind_is_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(folder.path(), vec![cache()]);
    let list = registry.list().unwrap();
    for kind in [ModelKind::Chat, ModelKind::Encoder] {
        let defaults: Vec<_> = list.models.iter().filter(|m| m.info.kind == kind && m.is_default).collect();
        assert_eq!(defaults.len(), 1, "{list:?}");
        assert!(!defaults[0].owned && !defaults[0].loaded);
    }
    let smol = list.models.iter().find(|m| m.id.0.contains("smollm2-135m")).unwrap();
    assert!(smol.demonstration);
    let refused = registry.remove(&smol.id).unwrap_err();
    assert!(refused.message.contains("does not own"), "{refused}");
}

#[test]
fn without_any_model_the_error_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(folder.path(), Vec::new());
    assert!(registry.list().unwrap().models.is_empty());
    let error = registry.chat_model(None, &Cancel::new()).err().unwrap();
    assert!(error.advice.contains("import"), "{error:?}");
    assert!(registry.encoder().is_none());
}

#[test]
fn files_that_only_look_like_models_are_listed_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("models")).unwrap();
    std::fs::write(folder.path().join("models/broken.gguf"), b"GGUF but no more").unwrap();
    let list = registry(folder.path(), Vec::new()).list().unwrap();
    let [(path, reason)] = &list.unusable[..] else { panic!("{list:?}") };
    assert!(path.ends_with("broken.gguf") && !reason.is_empty());
}

#[test]
fn an_own_model_is_removed_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("models");
    std::fs::create_dir_all(own.join("mini")).unwrap();
    for entry in std::fs::read_dir(cache().join("all-MiniLM-L6-v2")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), own.join("mini").join(entry.file_name())).unwrap();
        }
    }
    let registry = registry(folder.path(), Vec::new());
    let id = registry.list().unwrap().models[0].id.clone();
    assert!(registry.encoder().is_some());
    assert!(registry.list().unwrap().models[0].loaded);
    registry.remove(&id).unwrap();
    assert!(registry.list().unwrap().models.is_empty());
    assert!(!own.join("mini").exists() && registry.encoder().is_none());
}

/// MiniLM with a made-up head: no cross-encoder is in the model cache.
fn cross_encoder(folder: &Path) {
    let model = cache().join("all-MiniLM-L6-v2");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::copy(model.join("tokenizer.json"), folder.join("tokenizer.json")).unwrap();
    let config = std::fs::read_to_string(model.join("config.json")).unwrap();
    let named = config.replacen("BertModel", "BertForSequenceClassification", 1);
    assert_ne!(named, config);
    std::fs::write(folder.join("config.json"), named).unwrap();
    let bytes = std::fs::read(model.join("model.safetensors")).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(header).unwrap();
    let tensors = header.into_iter().filter(|(name, _)| name != "__metadata__");
    let mut header: serde_json::Map<_, _> = tensors.map(|(name, tensor)| (format!("bert.{name}"), tensor)).collect();
    let mut data = data.to_vec();
    // The encoder came with a pooler.
    for (name, shape) in [("classifier.weight", vec![1, 384]), ("classifier.bias", vec![1])] {
        let from = data.len();
        let count: usize = shape.iter().product();
        data.extend((0..count).flat_map(|at| ((at as f32 * 0.37).sin() * 0.2).to_le_bytes()));
        let tensor = serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [from, data.len()] });
        header.insert(name.to_owned(), tensor);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    std::fs::write(folder.join("model.safetensors"), file).unwrap();
}

#[test]
fn a_cross_encoder_is_a_kind_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    cross_encoder(&folder.path().join("models/judge"));
    let registry = registry(folder.path(), vec![cache()]);
    assert!(registry.encoder().is_some_and(|encoder| encoder.id().starts_with("all-minilm")));
    let reranker = registry.reranker().unwrap();
    let scores = reranker.score("a question", &["one passage", "another passage"], &Cancel::new()).unwrap();
    assert!(scores.len() == 2 && scores.iter().all(|score| score.is_finite()));
    let list = registry.list().unwrap();
    let judge = list.models.iter().find(|model| model.info.kind == ModelKind::Reranker).unwrap();
    assert!(judge.is_default && judge.loaded && judge.id.0 == "judge");
    let error = registry.chat_model(Some(&judge.id), &Cancel::new()).err().unwrap();
    assert!(error.message.contains("reranker"), "{error}");
    registry.remove(&judge.id.clone()).unwrap();
    assert!(registry.reranker().is_none());
}

#[test]
fn a_cross_encoder_that_cannot_be_read_is_no_reranker() {
    let folder = tempfile::tempdir().unwrap();
    let judge = folder.path().join("models/judge");
    cross_encoder(&judge);
    let weights = std::fs::read(judge.join("model.safetensors")).unwrap();
    let registry = registry(folder.path(), Vec::new());
    assert!(registry.reranker().is_some());
    registry.state().reranker = None;
    // As long as before, so that its header still fits: the tensors of the head have lost their names.
    let text = String::from_utf8_lossy(&weights[..64 << 10]).into_owned();
    let at = text.find("classifier.weight").unwrap();
    let mut renamed = weights;
    renamed[at..at + 10].copy_from_slice(b"classified");
    std::fs::write(judge.join("model.safetensors"), renamed).unwrap();
    assert!(registry.reranker().is_none());
    assert!(registry.list().unwrap().models.iter().all(|model| !model.loaded));
}
