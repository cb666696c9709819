//! A tiny HTTP/1.1 server with full control of its bytes, one request a connection.

#![allow(clippy::disallowed_types, reason = "this is the other end of the connection")]

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// How the next answer fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The head comes this late.
    SlowFirstByte(Duration),
    /// Nothing comes until the client goes away.
    Silent,
    /// The head and the first piece come, then nothing until the client goes away.
    Stall,
    /// The head and half of the pieces come, then the connection is closed.
    Cut,
    /// The named length is longer than what comes.
    SaysMore,
    /// The named length is shorter than what comes.
    SaysLess,
    /// With a body as the vendor words it.
    Status(u16),
    /// Status 429 with this Retry-After.
    Limited(&'static str),
    /// Half of the pieces, then one that is no JSON.
    BrokenJson,
    /// Half of the pieces, then the vendor's error inside a stream.
    ErrorEvent,
    /// Pieces without end.
    Endless,
    /// A line that does not end.
    HugeLine,
    /// Status 302 to there.
    Redirect(String),
    /// An answer that is no HTTP.
    Garbage,
    /// The vendor's error repeats the key it was sent.
    EchoKey,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Null where it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The value of `name` in the query, as it stands there.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    /// Sent one after the other, in chunks where there is more than one.
    pub pieces: Vec<Vec<u8>>,
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Self {
        Self { status, content_type: "application/json", pieces: vec![value.to_string().into_bytes()] }
    }

    pub fn events(pieces: Vec<Vec<u8>>) -> Self {
        Self { status: 200, content_type: "text/event-stream; charset=utf-8", pieces }
    }

    pub fn lines(pieces: Vec<Vec<u8>>) -> Self {
        Self { status: 200, content_type: "application/x-ndjson", pieces }
    }
}

/// A wire format.
pub trait Vendor: Send + Sync + 'static {
    fn answer(&self, asked: &Asked) -> Reply;

    /// The body of an error.
    fn error(&self, status: u16, message: &str) -> Value;

    /// An error in the middle of a stream.
    fn error_piece(&self) -> Vec<u8>;

    /// A piece that is no JSON.
    fn broken_piece(&self) -> Vec<u8>;

    /// A piece that may be repeated without end.
    fn endless_piece(&self) -> Vec<u8>;

    /// How a line begins that never ends.
    fn line_start(&self) -> &'static [u8];
}

struct Shared {
    vendor: Box<dyn Vendor>,
    faults: Mutex<VecDeque<Fault>>,
    seen: Mutex<Vec<Asked>>,
    stopping: AtomicBool,
    /// Those who wait look here again when the server stops.
    stopped: (Mutex<()>, Condvar),
}

/// Serves until it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    pub fn start(vendor: impl Vendor) -> Self {
        Self::start_at("127.0.0.1:0", vendor).expect("a free port on this computer")
    }

    pub fn start_at(address: &str, vendor: impl Vendor) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let shared = Arc::new(Shared {
            vendor: Box::new(vendor),
            faults: Mutex::default(),
            seen: Mutex::default(),
            stopping: AtomicBool::new(false),
            stopped: (Mutex::new(()), Condvar::new()),
        });
        let server = Self { address: listener.local_addr()?, shared: shared.clone() };
        std::thread::Builder::new().name("stand-in".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let shared = shared.clone();
                // A client that goes away in the middle is its right.
                std::thread::spawn(move || drop(serve(&shared, stream)));
            }
        })?;
        Ok(server)
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request fails so; more of them are a queue.
    pub fn fail(&self, fault: Fault) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// All requests since the last call.
    pub fn take_seen(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.stopped.1.notify_all();
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(shared: &Shared, mut stream: TcpStream) -> io::Result<()> {
    let mut asked = read_request(&stream)?;
    if let Some((path, query)) = asked.path.clone().split_once('?') {
        (asked.path, asked.query) = (path.to_owned(), query.to_owned());
    }
    shared.seen.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
    let fault = shared.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let Some(fault) = fault else { return send(&mut stream, &shared.vendor.answer(&asked), "") };
    fail(shared, &mut stream, &asked, fault)
}

fn fail(shared: &Shared, stream: &mut TcpStream, asked: &Asked, fault: Fault) -> io::Result<()> {
    let vendor = &shared.vendor;
    let error = |status: u16| Reply::json(status, &vendor.error(status, "the stand-in was told to fail"));
    let reply = |asked: &Asked| vendor.answer(asked);
    match fault {
        Fault::SlowFirstByte(late) => {
            let guard = shared.stopped.0.lock().unwrap_or_else(PoisonError::into_inner);
            let stopping = |(): &mut ()| !shared.stopping.load(Ordering::SeqCst);
            drop(shared.stopped.1.wait_timeout_while(guard, late, stopping));
            send(stream, &reply(asked), "")
        }
        Fault::Silent => until_gone(stream),
        Fault::Stall => {
            let reply = reply(asked);
            head(stream, &reply, "Transfer-Encoding: chunked\r\n")?;
            chunk(stream, &reply.pieces[0])?;
            until_gone(stream)
        }
        Fault::Cut => {
            let reply = reply(asked);
            head(stream, &reply, "Transfer-Encoding: chunked\r\n")?;
            half(&reply).iter().try_for_each(|piece| chunk(stream, piece))
        }
        Fault::SaysMore | Fault::SaysLess => {
            let reply = reply(asked);
            let body = reply.pieces.concat();
            let said = if fault == Fault::SaysMore { body.len() + 100 } else { body.len() * 2 / 3 };
            head(stream, &reply, &format!("Content-Length: {said}\r\n"))?;
            stream.write_all(&body)
        }
        Fault::Status(status) => send(stream, &error(status), ""),
        Fault::Limited(after) => send(stream, &error(429), &format!("Retry-After: {after}\r\n")),
        Fault::BrokenJson | Fault::ErrorEvent => {
            let mut reply = reply(asked);
            let last = if fault == Fault::BrokenJson { vendor.broken_piece() } else { vendor.error_piece() };
            reply.pieces = half(&reply).to_vec();
            reply.pieces.push(last);
            send(stream, &reply, "")
        }
        Fault::Endless => {
            let reply = reply(asked);
            head(stream, &reply, "Transfer-Encoding: chunked\r\n")?;
            reply.pieces[..1].iter().try_for_each(|piece| chunk(stream, piece))?;
            let many = vendor.endless_piece().repeat(200);
            while !shared.stopping.load(Ordering::SeqCst) {
                chunk(stream, &many)?;
            }
            Ok(())
        }
        Fault::HugeLine => {
            let reply = reply(asked);
            head(stream, &reply, "Transfer-Encoding: chunked\r\n")?;
            chunk(stream, vendor.line_start())?;
            let many = vec![b'x'; 64 << 10];
            while !shared.stopping.load(Ordering::SeqCst) {
                chunk(stream, &many)?;
            }
            Ok(())
        }
        Fault::Redirect(to) => {
            let reply = Reply { status: 302, content_type: "text/plain", pieces: vec![Vec::new()] };
            send(stream, &reply, &format!("Location: {to}\r\n"))
        }
        Fault::Garbage => stream.write_all(b"220 mail.example ESMTP\r\n\r\n"),
        Fault::EchoKey => {
            let key = ["authorization", "x-api-key", "x-goog-api-key"].iter().find_map(|name| asked.header(name));
            let message = format!("the key {} is not right\u{1b}[31m", key.unwrap_or_default());
            send(stream, &Reply::json(401, &vendor.error(401, &message)), "")
        }
    }
}

fn half(reply: &Reply) -> &[Vec<u8>] {
    &reply.pieces[..reply.pieces.len().div_ceil(2)]
}

/// Waits until the client closes its end.
fn until_gone(stream: &mut TcpStream) -> io::Result<()> {
    let mut byte = [0];
    while stream.read(&mut byte)? > 0 {}
    Ok(())
}

fn send(stream: &mut TcpStream, reply: &Reply, headers: &str) -> io::Result<()> {
    if let [whole] = reply.pieces.as_slice() {
        head(stream, reply, &format!("{headers}Content-Length: {}\r\n", whole.len()))?;
        return stream.write_all(whole);
    }
    head(stream, reply, &format!("{headers}Transfer-Encoding: chunked\r\n"))?;
    reply.pieces.iter().try_for_each(|piece| chunk(stream, piece))?;
    stream.write_all(b"0\r\n\r\n")
}

fn head(stream: &mut TcpStream, reply: &Reply, headers: &str) -> io::Result<()> {
    let Reply { status, content_type, .. } = reply;
    let head =
        format!("HTTP/1.1 {status} Standin\r\nContent-Type: {content_type}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes())
}

/// One chunk in two writes, so that pieces do not arrive as they were made.
fn chunk(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    if piece.is_empty() {
        return Ok(());
    }
    stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
    let (first, second) = piece.split_at(piece.len() / 2);
    stream.write_all(first)?;
    stream.flush()?;
    stream.write_all(second)?;
    stream.write_all(b"\r\n")
}

fn read_request(stream: &TcpStream) -> io::Result<Asked> {
    const MOST_BODY: usize = 16 << 20;
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "this is no request");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) = words.next().zip(words.next()).ok_or_else(odd)?;
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let length: usize = length.parse().ok().filter(|length| *length <= MOST_BODY).ok_or_else(odd)?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Asked { method, path, query: String::new(), headers, body })
}
