//! Small requests to a local server that answers rightly, wrongly, late, without end, or elsewhere.

#![allow(clippy::disallowed_types, reason = "the server of these tests speaks plain TCP")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::*;

/// Answers one connection with these bytes, then keeps it open until the test ends when `silent`.
fn serve(answer: Vec<u8>, silent: bool) -> (String, Receiver<String>, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/models", listener.local_addr().unwrap());
    let (said, requests) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut request = String::new();
        let mut reader = BufReader::new(&stream);
        while reader.read_line(&mut request).is_ok_and(|count| count > 2) {}
        let length =
            request.to_lowercase().split("content-length: ").nth(1).map(|rest| rest.lines().next().unwrap().parse());
        let mut body = vec![0; length.map_or(0, Result::unwrap)];
        reader.read_exact(&mut body).unwrap();
        request.push_str(&String::from_utf8(body).unwrap());
        // A client that has had enough closes first; that is its right.
        drop(said.send(request));
        drop(stream.write_all(&answer));
        if silent {
            // The test drops its end when it has seen enough.
            released.recv().ok();
        }
    });
    (url, requests, release)
}

fn ask(url: &str) -> Result<Answer, FetchError> {
    let headers = [("authorization", "Bearer sk-canary"), ("accept", "application/json")];
    send(url, Method::Get, b"", &headers, 2)
}

fn send(url: &str, method: Method, body: &[u8], headers: &[(&str, &str)], seconds: u64) -> Result<Answer, FetchError> {
    call(&Call { method, url, headers, body, limit: Duration::from_secs(seconds) })
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

#[test]
fn headers_go_out_and_every_status_comes_back() {
    for status in [200, 401, 403, 429, 500] {
        let (url, requests, _open) = serve(answer(&format!("{status} X"), b"{}"), false);
        let answer = ask(&url).unwrap();
        assert_eq!((answer.status, answer.body.as_slice(), answer.complete), (status, b"{}".as_slice(), true));
        let request = requests.recv().unwrap();
        assert!(request.starts_with("GET /v1/models HTTP/1.1"), "{request}");
        assert!(request.to_lowercase().contains("authorization: bearer sk-canary\r\n"), "{request}");
        assert!(!format!("{answer:?}").contains("{}"));
    }
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let (other, seen, _open) = serve(answer("200 OK", b"{}"), false);
    let (url, _requests, _release) =
        serve(format!("HTTP/1.1 302 X\r\nLocation: {other}\r\nContent-Length: 0\r\n\r\n").into(), false);
    let answer = ask(&url).unwrap();
    assert_eq!((answer.status, answer.location.as_deref()), (302, Some(other.as_str())));
    assert!(seen.try_recv().is_err());
}

#[test]
fn what_is_silent_cut_garbage_or_endless_ends() {
    for (bytes, silent) in [
        (Vec::new(), true),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec(), true),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec(), false),
        (b"\x00\x01 sk-canary what?\r\n\r\n".to_vec(), false),
        (Vec::new(), false),
    ] {
        let (url, _requests, _open) = serve(bytes.clone(), silent);
        let begun = std::time::Instant::now();
        let error = ask(&url).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(4));
        assert!(!format!("{error} {error:?}").contains("sk-canary"), "{error:?}");
    }
    let (url, _requests, _open) = serve(answer("200 OK", &vec![b' '; LARGEST_ANSWER + 10]), false);
    let answer = ask(&url).unwrap();
    assert_eq!((answer.complete, answer.body.len()), (false, LARGEST_ANSWER));
}

#[test]
fn a_header_with_a_line_end_is_refused_without_its_value() {
    let headers = [("authorization", "Bearer sk-canary\r\nx: y")];
    let error = send("http://127.0.0.1:1/", Method::Get, b"", &headers, 1).unwrap_err();
    assert!(matches!(error, FetchError::NotAllowed { .. }) && !format!("{error:?}").contains("canary"), "{error:?}");
    let error = send("http://host.example/", Method::Get, b"", &[], 1).unwrap_err();
    assert!(matches!(error, FetchError::NotAllowed { .. }));
}

#[test]
fn each_method_goes_out_with_the_body_that_it_may_have() {
    for method in [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let (url, requests, _open) = serve(b"HTTP/1.1 204 X\r\n\r\n".to_vec(), false);
        let answer = send(&url, method, b"{\"a\":1}", &[("content-type", "application/json")], 2).unwrap();
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        let request = requests.recv().unwrap();
        assert!(request.starts_with(&format!("{} /v1/models HTTP/1.1", method.name())), "{request}");
        assert_eq!(request.ends_with("{\"a\":1}"), method.has_body(), "{request}");
    }
}
