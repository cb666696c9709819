//! A service on this computer that answers one request.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};

pub struct StandIn {
    address: String,
    requests: Receiver<String>,
}

impl StandIn {
    pub fn answering(status: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let (said, requests) = mpsc::channel();
        std::thread::spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut request = String::new();
            let mut reader = BufReader::new(&stream);
            while reader.read_line(&mut request).is_ok_and(|count| count > 2) {}
            stream.write_all(answer.as_bytes()).unwrap_or_default();
            said.send(request).unwrap_or_default();
        });
        Self { address, requests }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What was asked.
    pub fn request(&self) -> String {
        self.requests.recv().unwrap()
    }

    pub fn nobody_came(&self) {
        assert!(self.requests.try_recv().is_err(), "a request came");
    }
}
