//! Answers that come in pieces: late, silent, cut, lying about their length, without end, stopped.

#![allow(clippy::disallowed_types, reason = "the server of these tests speaks plain TCP")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;

/// One connection, given to the test after the head of its request and its body were read.
fn serve(answer: impl FnOnce(TcpStream, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/chat", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let Ok((stream, _)) = listener.accept() else { return };
        let mut request = String::new();
        let mut reader = BufReader::new(&stream);
        while reader.read_line(&mut request).is_ok_and(|count| count > 2) {}
        let length =
            request.to_lowercase().split("content-length: ").nth(1).map(|rest| rest.lines().next().unwrap().parse());
        let mut body = vec![0; length.map_or(0, Result::unwrap)];
        reader.read_exact(&mut body).unwrap();
        request.push_str(&String::from_utf8(body).unwrap());
        drop(reader);
        answer(stream, request);
    });
    url
}

fn ask(url: &str, most_bytes: u64, stop: Stop) -> Result<Stream, FetchError> {
    open(StreamCall {
        method: Method::Post,
        url,
        headers: &[("authorization", "Bearer sk-canary"), ("content-type", "application/json")],
        body: b"{\"stream\":true}".to_vec(),
        first_byte: Duration::from_millis(400),
        idle: Duration::from_millis(200),
        most_bytes,
        stop,
    })
}

fn never() -> Stop {
    Arc::new(|| false)
}

fn read(mut stream: Stream) -> (String, Option<FetchError>) {
    let (mut text, mut block) = (Vec::new(), [0; 64]);
    loop {
        match stream.read(&mut block) {
            Ok(0) => return (String::from_utf8(text).unwrap(), None),
            Ok(count) => text.extend_from_slice(&block[..count]),
            Err(error) => {
                let inner = error.into_inner().unwrap().downcast::<FetchError>().unwrap();
                return (String::from_utf8(text).unwrap(), Some(*inner));
            }
        }
    }
}

#[test]
fn pieces_come_as_they_are_sent() {
    let (go, wait) = mpsc::channel::<()>();
    let (said, heard) = mpsc::channel();
    let url = serve(move |mut stream, request| {
        said.send(request).unwrap();
        stream
            .write_all(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            .unwrap();
        wait.recv().unwrap();
        stream.write_all(b"2\r\nde\r\n0\r\n\r\n").unwrap();
    });
    let mut stream = ask(&url, 100, never()).unwrap();
    assert_eq!(stream.status, 429);
    assert!(stream.headers.contains(&("retry-after".to_owned(), "7".to_owned())), "{:?}", stream.headers);
    let mut first = [0; 3];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"abc");
    go.send(()).unwrap();
    assert_eq!(read(stream).0, "de");
    let request = heard.recv().unwrap().to_lowercase();
    assert!(request.starts_with("post /v1/chat http/1.1\r\n") && request.ends_with("\r\n\r\n{\"stream\":true}"));
    assert!(request.contains("authorization: bearer sk-canary\r\n"), "{request}");
    assert!(request.contains("content-length: 15\r\n"), "{request}");
}

#[test]
fn every_way_to_fail_has_its_name() {
    type Check = fn(&FetchError) -> bool;
    let cases: [(&str, &[u8], &str, Check); 5] = [
        ("silent before its body", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "", |e| {
            matches!(e, FetchError::Silent { .. })
        }),
        ("silent in its body", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "abc", |e| {
            matches!(e, FetchError::Stalled { received: 3, .. })
        }),
        ("shorter than it said", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc!", "abc", |e| {
            matches!(e, FetchError::Cut { received: 3, .. })
        }),
        ("cut in its chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n!", "abc", |e| {
            matches!(e, FetchError::Cut { received: 3, .. })
        }),
        ("longer than we read", b"HTTP/1.1 200 OK\r\n\r\n0123456789!", "", |e| {
            matches!(e, FetchError::TooLarge { most: 5 })
        }),
    ];
    for (name, answer, expected, check) in cases {
        // An exclamation mark at the end closes the connection; without it the server waits for us to go.
        let close = answer.ends_with(b"!");
        let answer = answer.strip_suffix(b"!").unwrap_or(answer);
        let url = serve(move |mut stream, _| {
            stream.write_all(answer).unwrap();
            if !close {
                stream.read_to_end(&mut Vec::new()).ok();
            }
        });
        let (text, error) = read(ask(&url, 5, never()).unwrap());
        let error = error.unwrap_or_else(|| panic!("{name}: it ended well"));
        assert!(check(&error) && text == expected, "{name}: {text:?}, {error:?}");
    }
}

#[test]
fn what_comes_after_the_named_length_is_not_read() {
    let url = serve(|mut stream, _| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef").unwrap());
    let (text, error) = read(ask(&url, 100, never()).unwrap());
    assert!(text == "abc" && error.is_none(), "{text:?} {error:?}");
}

#[test]
fn a_server_that_says_nothing_is_given_up_and_one_that_is_not_there_named() {
    let url = serve(|mut stream, _| drop(stream.read_to_end(&mut Vec::new())));
    assert!(matches!(ask(&url, 5, never()), Err(FetchError::Silent { .. })));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(ask(&format!("http://{free}/"), 5, never()), Err(FetchError::Unreachable { .. })));
    let url = serve(|mut stream, _| stream.write_all(b"no web server at all sk-canary\r\n\r\n").unwrap());
    let error = ask(&url, 5, never()).unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let url = serve(|mut stream, _| {
        stream.write_all(b"HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    assert_eq!(ask(&url, 5, never()).unwrap().status, 302);
}

#[test]
fn a_stop_is_answered_at_once_whatever_is_waited_for() {
    // Before the head, and in the middle of the body.
    for head in [b"".as_slice(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"] {
        let (there, arrived) = mpsc::channel();
        let url = serve(move |mut stream, _| {
            stream.write_all(head).unwrap();
            there.send(()).unwrap();
            stream.read_to_end(&mut Vec::new()).ok();
        });
        let flag = Arc::new(AtomicBool::new(false));
        let seen = flag.clone();
        let stop: Stop = Arc::new(move || seen.load(Ordering::SeqCst));
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            let call = StreamCall {
                method: Method::Get,
                url: &url,
                headers: &[],
                body: Vec::new(),
                first_byte: Duration::from_secs(60),
                idle: Duration::from_secs(60),
                most_bytes: 100,
                stop,
            };
            ended.send(open(call).map_or_else(Some, |stream| read(stream).1)).unwrap();
        });
        arrived.recv().unwrap();
        let asked = Instant::now();
        flag.store(true, Ordering::SeqCst);
        assert!(matches!(end.recv().unwrap(), Some(FetchError::Cancelled)));
        // 50 ms where nothing else runs; test machines are loaded.
        assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    }
}
