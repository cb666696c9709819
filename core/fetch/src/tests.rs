//! Downloads from a local server that drops, stalls, lies and sends wrong bytes.

#![allow(clippy::disallowed_types, reason = "the server of these tests speaks plain TCP")]

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

/// What the server does with one connection.
enum Reply {
    /// The whole file with status 200, or the asked range with 206 when `ranges` is set.
    File { body: Vec<u8>, ranges: bool, etag: &'static str },
    /// These bytes as they are, then the connection ends.
    Raw(Vec<u8>),
    /// These bytes, then silence until the test ends.
    Silence(Vec<u8>),
}

/// Answers one connection after the other with the given replies and remembers the requests.
struct Server {
    url: String,
    requests: Receiver<String>,
    /// Dropping it ends the silences.
    _release: Sender<()>,
    _thread: JoinHandle<()>,
}

fn serve(replies: Vec<Reply>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/files/model.bin", listener.local_addr().unwrap());
    let (said, requests) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        for reply in replies {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let request = read_request(&stream);
            answer(&mut stream, &request, &reply);
            if said.send(request).is_err() {
                return;
            }
            if matches!(reply, Reply::Silence(_)) && released.recv().is_err() {
                return;
            }
        }
    });
    Server { url, requests, _release: release, _thread: thread }
}

fn read_request(stream: &TcpStream) -> String {
    let mut request = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut request).is_ok_and(|count| count > 2) {}
    request.to_lowercase()
}

fn answer(stream: &mut TcpStream, request: &str, reply: &Reply) {
    let bytes = match reply {
        Reply::Raw(bytes) | Reply::Silence(bytes) => bytes.clone(),
        Reply::File { body, ranges, etag } => {
            let start = request
                .lines()
                .find_map(|line| line.strip_prefix("range: bytes="))
                .and_then(|range| range.trim().trim_end_matches('-').parse::<usize>().ok())
                .filter(|_| *ranges);
            let same = !request.contains("if-range:") || request.contains(&format!("if-range: {etag}"));
            match start {
                Some(start) if start >= body.len() => b"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
                Some(start) if same => {
                    let rest = &body[start..];
                    let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
                    let head = format!(
                        "HTTP/1.1 206 Partial\r\nContent-Length: {}\r\nContent-Range: {range}\r\nETag: {etag}\r\n\r\n",
                        rest.len()
                    );
                    [head.as_bytes(), rest].concat()
                }
                _ => full(body, etag),
            }
        }
    };
    // A client that has had enough closes first; that is its right.
    drop(stream.write_all(&bytes));
    drop(stream.flush());
}

fn full(body: &[u8], etag: &str) -> Vec<u8> {
    cut(body, etag, body.len())
}

/// An answer that promises the whole body but ends after `sent` bytes of it.
fn cut(body: &[u8], etag: &str, sent: usize) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: {etag}\r\n\r\n", body.len());
    [head.as_bytes(), &body[..sent]].concat()
}

fn body() -> Vec<u8> {
    (0..300_000_u32).map(|number| (number % 251) as u8).collect()
}

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("models/model.bin")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("models/model.bin.part")
    }

    fn fetch(&self, url: &str, size: Option<u64>, sha256: Option<&str>) -> Result<(), FetchError> {
        let timeouts = Timeouts { connect: Duration::from_secs(5), idle: Duration::from_millis(300) };
        let target = self.target();
        let download = Download { url, target: &target, expected_size: size, sha256, ask: &|_, _| true };
        fetch_with(download, timeouts, &mut |_, _| {}, &|| false)
    }

    /// Names in the target's folder.
    fn names(&self) -> Vec<String> {
        let folder = self.folder.path().join("models");
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_whole_file_arrives_checked_and_alone() {
    let body = body();
    let server = serve(vec![Reply::File { body: body.clone(), ranges: true, etag: "\"1\"" }]);
    let place = Place::new();
    place.fetch(&server.url, Some(body.len() as u64), Some(&sha(&body))).unwrap();
    assert_eq!(fs::read(place.target()).unwrap(), body);
    assert_eq!(place.names(), ["model.bin"]);
}

#[test]
fn a_cut_connection_is_continued_with_a_range() {
    let body = body();
    let server = serve(vec![
        Reply::Raw(cut(&body, "\"1\"", 100_000)),
        Reply::File { body: body.clone(), ranges: true, etag: "\"1\"" },
    ]);
    let place = Place::new();
    place.fetch(&server.url, None, Some(&sha(&body))).unwrap();
    assert_eq!(fs::read(place.target()).unwrap(), body);
    assert!(!server.requests.recv().unwrap().contains("range:"));
    assert!(server.requests.recv().unwrap().contains("range: bytes=100000-"));
}

#[test]
fn a_server_without_ranges_starts_again_from_the_beginning() {
    let body = body();
    let server = serve(vec![
        Reply::Raw(cut(&body, "\"1\"", 1000)),
        Reply::File { body: body.clone(), ranges: false, etag: "\"1\"" },
    ]);
    let place = Place::new();
    place.fetch(&server.url, None, Some(&sha(&body))).unwrap();
    assert_eq!(fs::read(place.target()).unwrap(), body);
}

#[test]
fn what_stays_after_a_cut_is_used_by_the_next_call() {
    let body = body();
    let empty = b"HTTP/1.1 200 OK\r\n".to_vec();
    let server = serve(vec![
        Reply::Raw(cut(&body, "\"1\"", 100_000)),
        Reply::Raw(empty),
        Reply::File { body: body.clone(), ranges: true, etag: "\"1\"" },
    ]);
    let place = Place::new();
    let error = place.fetch(&server.url, None, Some(&sha(&body))).unwrap_err();
    assert!(error.is_worth_retrying(), "{error}");
    assert!(!place.target().exists());
    assert_eq!(fs::metadata(place.part()).unwrap().len(), 100_000);
    place.fetch(&server.url, None, Some(&sha(&body))).unwrap();
    assert_eq!(fs::read(place.target()).unwrap(), body);
}

#[test]
fn a_file_that_changed_meanwhile_is_not_mixed() {
    let (old, new) = (vec![b'o'; 50_000], vec![b'n'; 50_000]);
    let server = serve(vec![
        Reply::Raw(cut(&old, "\"old\"", 10_000)),
        Reply::File { body: new.clone(), ranges: true, etag: "\"new\"" },
    ]);
    let place = Place::new();
    place.fetch(&server.url, Some(50_000), None).unwrap();
    assert_eq!(fs::read(place.target()).unwrap(), new);
}

#[test]
fn a_part_of_another_address_is_not_continued() {
    let body = body();
    let place = Place::new();
    fs::create_dir_all(place.target().parent().unwrap()).unwrap();
    fs::write(place.part(), b"something else").unwrap();
    fs::write(place.folder.path().join("models/model.bin.part.origin"), "https://example.org/x\n\"1\"\n").unwrap();
    let server = serve(vec![Reply::File { body: body.clone(), ranges: true, etag: "\"1\"" }]);
    place.fetch(&server.url, None, Some(&sha(&body))).unwrap();
    assert_eq!(fs::read(place.target()).unwrap(), body);
}

#[test]
fn a_silent_server_is_given_up_and_the_part_kept() {
    let body = body();
    let mut replies = vec![Reply::Silence(cut(&body, "\"1\"", 5_000))];
    replies.push(Reply::File { body: body.clone(), ranges: true, etag: "\"1\"" });
    let server = serve(replies);
    let place = Place::new();
    let error = place.fetch(&server.url, None, Some(&sha(&body))).unwrap_err();
    assert!(matches!(error, FetchError::Stalled { .. } | FetchError::Unreachable { .. }), "{error}");
    assert!(!place.target().exists());
    assert_eq!(fs::metadata(place.part()).unwrap().len(), 5_000);
}

#[test]
fn wrong_bytes_are_deleted_and_named() {
    let body = body();
    let mut wrong = body.clone();
    wrong[7] ^= 1;
    let server = serve(vec![Reply::File { body: wrong.clone(), ranges: true, etag: "\"1\"" }]);
    let place = Place::new();
    let error = place.fetch(&server.url, Some(body.len() as u64), Some(&sha(&body))).unwrap_err();
    assert!(matches!(&error, FetchError::WrongChecksum { found, .. } if *found == sha(&wrong)), "{error}");
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn another_size_than_expected_is_refused() {
    let body = body();
    let server = serve(vec![Reply::File { body, ranges: true, etag: "\"1\"" }]);
    let place = Place::new();
    let error = place.fetch(&server.url, Some(10), None).unwrap_err();
    assert!(matches!(error, FetchError::WrongSize { expected: 10, .. }), "{error}");
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_body_without_a_size_may_not_be_longer_than_expected() {
    let server =
        serve(vec![Reply::Raw([b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(), &[1; 5000]].concat())]);
    let place = Place::new();
    let error = place.fetch(&server.url, Some(1000), None).unwrap_err();
    assert!(matches!(error, FetchError::WrongSize { .. }), "{error}");
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn errors_of_the_server_are_said_with_their_status() {
    let server = serve(vec![Reply::Raw(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec())]);
    let place = Place::new();
    let error = place.fetch(&server.url, None, None).unwrap_err();
    assert!(matches!(error, FetchError::Status { status: 404, .. }), "{error}");
    assert!(!place.target().exists());
}

#[test]
fn redirects_are_followed_a_few_times() {
    let body = body();
    let to = |place: &str| format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    let server = serve(vec![
        Reply::Raw(to("/elsewhere")),
        Reply::Raw(to("here")),
        Reply::File { body: body.clone(), ranges: true, etag: "\"1\"" },
    ]);
    let place = Place::new();
    place.fetch(&server.url, None, Some(&sha(&body))).unwrap();
    assert!(server.requests.recv().unwrap().starts_with("get /files/model.bin "));
    assert!(server.requests.recv().unwrap().starts_with("get /elsewhere "));
    assert!(server.requests.recv().unwrap().starts_with("get /here "));

    let server = serve((0..10).map(|_| Reply::Raw(to("/round"))).collect());
    let error = Place::new().fetch(&server.url, None, None).unwrap_err();
    assert!(error.to_string().contains("redirects too many times"), "{error}");
}

#[test]
fn a_cancelled_download_keeps_its_part() {
    let body = body();
    let server = serve(vec![Reply::File { body: body.clone(), ranges: true, etag: "\"1\"" }]);
    let place = Place::new();
    let received = Cell::new(0);
    let target = place.target();
    let result =
        fetch(&server.url, &target, None, Some(&sha(&body)), &mut |done, _| received.set(done), &|| received.get() > 0);
    assert!(matches!(result, Err(FetchError::Cancelled)));
    assert!(!place.target().exists());
    assert_eq!(fs::metadata(place.part()).unwrap().len(), received.get());
}

#[test]
fn two_downloads_of_one_file_do_not_meet() {
    let place = Place::new();
    let url = "http://127.0.0.1:9/never";
    let _first = Part::open(&place.target(), url).unwrap();
    assert!(matches!(place.fetch(url, None, None), Err(FetchError::Busy(_))));
}

#[test]
fn a_complete_part_needs_no_network() {
    let body = body();
    let place = Place::new();
    let url = "http://127.0.0.1:9/never";
    let mut part = Part::open(&place.target(), url).unwrap();
    part.append(&body).unwrap();
    drop(part);
    place.fetch(url, Some(body.len() as u64), Some(&sha(&body))).unwrap();
    assert_eq!(fs::read(place.target()).unwrap(), body);
}

#[test]
fn no_server_is_said_in_words() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Place::new().fetch(&format!("http://127.0.0.1:{port}/x"), None, None).unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_in_words() {
    let error = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap_err();
    let error = FetchError::io(std::path::Path::new("/models/x.part"), error);
    assert!(matches!(error, FetchError::DiskFull { .. }));
    assert!(error.to_string().contains("the disk is full"), "{error}");
}
