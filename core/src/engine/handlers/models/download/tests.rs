//! Downloads from a server on this computer.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rspa_ml::weights::catalogue::CatalogueFile;

use super::*;
use crate::api::{CoreOptions, Event, Heard, Role};
use crate::clock::SystemClock;
use crate::engine::Engine;
use crate::model::JobState;

/// Serves these bytes to whoever asks, whatever they ask for.
fn serve(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = Vec::new();
            let mut block = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let count = connection.read(&mut block).unwrap();
                if count == 0 {
                    break;
                }
                request.extend_from_slice(&block[..count]);
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            // The client may hang up early.
            drop(connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&bytes)));
        }
    });
    format!("http://{address}/model.gguf")
}

fn engine(folder: &Path) -> Engine {
    Engine::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(folder.to_owned()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), folder.display().to_string())]),
        console_level: None,
        chat_model: None,
        clock: Arc::new(SystemClock),
        faults: None,
    })
    .unwrap()
}

fn model(url: String, size: usize, sha256: &str) -> CatalogueModel {
    let mut model = catalogue::built_in().into_iter().find(|model| model.demonstration).unwrap();
    model.files =
        vec![CatalogueFile { name: "tiny.gguf".to_owned(), url, size_bytes: size as u64, sha256: sha256.to_owned() }];
    model
}

fn finished(engine: &Engine, model: CatalogueModel) -> JobState {
    let mut listener = engine.context().events.listen();
    let job = start_model(engine.context(), model, "127.0.0.1").unwrap();
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        match envelope.event {
            Event::JobChanged { job: now } if now.id == job.id && now.state != JobState::Running => return now.state,
            _ => {}
        }
    }
}

fn smallest_model() -> (Vec<u8>, String) {
    let folder = std::env::var("RSPA_MODELS_PATH")
        .unwrap_or_else(|_unset| format!("{}/.cache/rspa-models", std::env::var("HOME").unwrap_or_default()));
    let path = Path::new(&folder).join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(path.is_file(), "{} is missing: run `cargo xtask models`", path.display());
    let wanted = catalogue::built_in().into_iter().find(|model| model.demonstration).unwrap();
    (std::fs::read(path).unwrap(), wanted.files[0].sha256.clone())
}

#[test]
fn a_downloaded_model_is_installed_and_becomes_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let (bytes, sum) = smallest_model();
    let size = bytes.len();
    assert_eq!(finished(&engine, model(serve(bytes), size, &sum)), JobState::Done);
    let list = engine.context().models().unwrap().registry().list().unwrap();
    let [installed] = &list.models[..] else { panic!("{list:?}") };
    assert!(installed.owned && installed.is_default && list.unusable.is_empty());
    let ledger = engine.context().egress.status().unwrap();
    assert_eq!((ledger.requests_allowed, ledger.bytes_received), (1, size as u64));
}

#[test]
fn a_wrong_checksum_leaves_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let state = finished(&engine, model(serve(b"GGUF something else".to_vec()), 19, &"0".repeat(64)));
    assert!(matches!(&state, JobState::Failed(error) if !error.advice.is_empty()), "{state:?}");
    let list = engine.context().models().unwrap().registry().list().unwrap();
    assert!(list.models.is_empty() && list.unusable.is_empty());
}

#[test]
fn a_file_that_is_no_model_replaces_none() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let (bytes, sum) = smallest_model();
    let size = bytes.len();
    assert_eq!(finished(&engine, model(serve(bytes), size, &sum)), JobState::Done);
    let broken = b"GGUF something else".to_vec();
    assert!(matches!(finished(&engine, model(serve(broken.clone()), broken.len(), "")), JobState::Failed(_)));
    let models = engine.context().models().unwrap();
    let registry = models.registry();
    let list = registry.list().unwrap();
    assert!(list.models.len() == 1 && list.unusable.is_empty(), "{list:?}");
    // What did not become a model is gone too.
    let names = std::fs::read_dir(registry.own_folder()).unwrap().map(|item| item.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().starts_with(".download-")));
}
