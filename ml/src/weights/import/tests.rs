//! Imports of good, hostile, cut, cancelled and repeated sources.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::PathBuf;

use safetensors::tensor::{Dtype, TensorView};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::embed::Embedder;

const CONFIG: &str = r#"{"vocab_size": 6, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 16, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "max_position_embeddings": 16,
    "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0, "model_type": "bert"}"#;
const TOKENIZER: &str = r#"{"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
    "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1, "b": 2, "c": 3, "d": 4, "e": 5}}}"#;

/// Weights of a BERT with one layer, all of one value.
fn weights(value: f32) -> Vec<u8> {
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![6, 8]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![16, 8]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, 8]),
    ];
    for norm in ["embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"] {
        shapes.push((format!("{norm}.LayerNorm.weight"), vec![8]));
        shapes.push((format!("{norm}.LayerNorm.bias"), vec![8]));
    }
    let linears = [
        ("attention.self.query", 8, 8),
        ("attention.self.key", 8, 8),
        ("attention.self.value", 8, 8),
        ("attention.output.dense", 8, 8),
        ("intermediate.dense", 16, 8),
        ("output.dense", 8, 16),
    ];
    for (name, rows, columns) in linears {
        shapes.push((format!("encoder.layer.0.{name}.weight"), vec![rows, columns]));
        shapes.push((format!("encoder.layer.0.{name}.bias"), vec![rows]));
    }
    let bytes: Vec<u8> = (0..128).flat_map(|_| value.to_le_bytes()).collect();
    let tensors: HashMap<String, TensorView> = shapes
        .into_iter()
        .map(|(name, shape)| {
            let size = shape.iter().product::<usize>() * 4;
            (name, TensorView::new(Dtype::F32, shape, &bytes[..size]).unwrap())
        })
        .collect();
    safetensors::serialize(tensors, None).unwrap()
}

fn files(value: f32) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("config.json", CONFIG.into()),
        ("tokenizer.json", TOKENIZER.into()),
        ("model.safetensors", weights(value)),
        ("README.md", b"# maker/tiny-encoder\nText.".to_vec()),
        ("run_me.sh", b"echo no".to_vec()),
    ]
}

fn encoder_folder(name: &str, value: f32) -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join(name);
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in files(value) {
        fs::write(folder.join(name), bytes).unwrap();
    }
    (parent, folder)
}

fn archive(write: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some_package-1.0-py3-none-any.whl");
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    write(&mut writer);
    fs::write(&path, writer.finish().unwrap().into_inner()).unwrap();
    (folder, path)
}

fn put(writer: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, bytes: &[u8]) {
    writer.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)).unwrap();
    writer.write_all(bytes).unwrap();
}

fn run(path: &Path, models: &Path) -> Result<Vec<ModelInfo>> {
    import(path, models, &mut |_, _| {}, &Cancel::new())
}

/// Names in the model folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[track_caller]
fn refused(path: &Path, words: &str) {
    let models = tempfile::tempdir().unwrap();
    let error = run(path, models.path()).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
    assert_eq!(names(models.path()), Vec::<String>::new());
}

#[test]
fn a_folder_becomes_an_encoder_that_embeds() {
    let (_parent, folder) = encoder_folder("Tiny-Encoder", 0.5);
    let models = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let imported = import(&folder, models.path(), &mut |done, total| seen.push((done, total)), &Cancel::new()).unwrap();
    assert_eq!(names(models.path()), ["Tiny-Encoder"]);
    assert_eq!(imported[0].path, models.path().join("Tiny-Encoder"));
    assert_eq!(imported[0].id, "tiny-encoder");
    assert!(!imported[0].path.join("run_me.sh").exists());
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{seen:?}");
    assert_eq!(seen.last().map(|last| last.0), seen.last().map(|last| last.1));
    let vectors = Encoder::load(&imported[0].path).unwrap().embed(&["a b"], &Cancel::new()).unwrap();
    assert_eq!(vectors[0].len(), 8);
}

#[test]
fn a_wheel_gives_every_model_in_it_and_a_nameless_folder_takes_its_title() {
    let (_folder, path) = archive(|writer| {
        for (name, bytes) in files(0.5) {
            put(writer, &format!("package/model/{name}"), &bytes);
            put(writer, &format!("package/other/{name}"), &bytes);
        }
        put(writer, "package/__init__.py", b"pass");
    });
    let models = tempfile::tempdir().unwrap();
    let ids: Vec<String> = run(&path, models.path()).unwrap().into_iter().map(|info| info.id).collect();
    assert_eq!(ids, ["tiny-encoder", "other"]);
    assert_eq!(names(models.path()), ["other", "tiny-encoder"]);
}

#[test]
fn a_gguf_file_and_one_in_a_folder_are_imported() {
    let file = crate::embed::fixture::model("SmolLM2-135M-Instruct.Q4_1.gguf");
    let models = tempfile::tempdir().unwrap();
    let imported = run(&file, models.path()).unwrap();
    assert_eq!(imported[0].id, "smollm2-135m-instruct.q4_1");
    assert_eq!(imported[0].kind, ModelKind::Chat);
    assert_eq!(fs::metadata(&imported[0].path).unwrap().len(), fs::metadata(&file).unwrap().len());

    let cache = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&file, cache.path().join("linked.gguf")).unwrap();
    std::os::unix::fs::symlink(cache.path(), cache.path().join("loop")).unwrap();
    run(cache.path(), models.path()).unwrap();
    assert_eq!(names(models.path()), ["SmolLM2-135M-Instruct.Q4_1.gguf", "linked.gguf"]);
}

#[test]
fn importing_again_replaces_under_the_same_id() {
    let models = tempfile::tempdir().unwrap();
    let (_first_parent, first) = encoder_folder("Tiny", 0.5);
    let (_second_parent, second) = encoder_folder("tiny", 0.25);
    let old = run(&first, models.path()).unwrap();
    let old_weights = fs::read(old[0].path.join("model.safetensors")).unwrap();
    let new = run(&second, models.path()).unwrap();
    assert_eq!((&old[0].id, &old[0].path), (&new[0].id, &new[0].path));
    assert_ne!(fs::read(new[0].path.join("model.safetensors")).unwrap(), old_weights);
    assert_eq!(names(models.path()), ["Tiny"]);
}

#[test]
fn a_model_that_fails_its_check_leaves_the_old_one() {
    let models = tempfile::tempdir().unwrap();
    let (_parent, folder) = encoder_folder("tiny", 0.5);
    let good = run(&folder, models.path()).unwrap();
    let weights = fs::read(folder.join("model.safetensors")).unwrap();
    fs::write(folder.join("model.safetensors"), &weights[..weights.len() / 2]).unwrap();
    assert!(matches!(run(&folder, models.path()), Err(Error::Malformed { .. })));
    assert_eq!(fs::read(good[0].path.join("model.safetensors")).unwrap(), weights);
    assert_eq!(names(models.path()), ["tiny"]);
}

#[test]
fn a_cancelled_import_leaves_nothing() {
    let (_parent, folder) = encoder_folder("tiny", 0.5);
    let models = tempfile::tempdir().unwrap();
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let result = import(&folder, models.path(), &mut |_, _| stop.cancel(), &cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
    assert_eq!(names(models.path()), Vec::<String>::new());
}

#[test]
fn a_full_disk_is_said_in_words() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (_parent, folder) = encoder_folder("tiny", 0.5);
    let mut source = Source::open(&folder).unwrap();
    let models = find::models(&folder, &mut source).unwrap();
    let member = &models[0].members[0];
    let mut copy = Copy { done: 0, total: 1, progress: &mut |_, _| {}, cancel: &Cancel::new() };
    let mut reader = source.read(member).unwrap();
    let error = copy.member(&mut reader, member, &mut Full, Path::new("/models/x")).unwrap_err().to_string();
    assert!(error.contains("the disk is full"), "{error}");
}

#[test]
fn an_archive_that_points_outside_is_refused() {
    let (_folder, path) = archive(|writer| {
        put(writer, "../../escape.gguf", b"GGUF");
        for (name, bytes) in files(0.5) {
            put(writer, &format!("model/{name}"), &bytes);
        }
    });
    refused(&path, "points outside");
}

#[test]
fn an_archive_that_explodes_is_refused_before_anything_is_written() {
    let (_folder, path) = archive(|writer| {
        put(writer, "bomb.gguf", &vec![0; 80 << 20]);
    });
    refused(&path, "would grow");
}

#[test]
fn an_archive_that_lies_about_sizes_is_refused() {
    let (_folder, path) = archive(|writer| {
        for (name, bytes) in files(0.5) {
            put(writer, &format!("model/{name}"), &bytes);
        }
    });
    let mut bytes = fs::read(&path).unwrap();
    // The uncompressed size in the central directory's record of config.json.
    let record = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes[record + 24..record + 28].copy_from_slice(&10_u32.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let models = tempfile::tempdir().unwrap();
    assert!(run(&path, models.path()).is_err());
    assert_eq!(names(models.path()), Vec::<String>::new());
}

#[test]
fn a_cut_archive_is_refused() {
    let (_folder, path) = archive(|writer| put(writer, "a.gguf", &[b'G'; 5000]));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    refused(&path, "not a usable model file");
}

#[test]
fn links_in_an_archive_are_no_models() {
    let (_folder, path) = archive(|writer| {
        writer.add_symlink("evil.gguf", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    });
    refused(&path, "no model was found");
}

#[test]
fn other_files_are_no_models() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "text").unwrap();
    refused(&folder.path().join("notes.txt"), "no model was found");
    refused(folder.path(), "no model was found");
    fs::write(folder.path().join("fake.gguf"), "no header").unwrap();
    refused(folder.path(), "does not begin as a GGUF file does");
    refused(&folder.path().join("missing"), "missing");
}

#[test]
fn one_part_of_a_split_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("big-00001-of-00002.gguf"), "GGUF").unwrap();
    refused(folder.path(), "split into several files");
}
