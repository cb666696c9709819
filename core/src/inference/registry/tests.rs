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
