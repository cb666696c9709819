//! A server in this process for tests: peaceful, or hostile in one of many ways.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio_util::sync::CancellationToken;

use super::{Connect, Life, Line, Log, Wire};
use crate::api::ApiError;
use crate::model::McpServerDraft;

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// It says nothing at all.
    Mute,
    /// It ends at the first message.
    EndsAtOnce,
    /// It answers hello with something else.
    Babbles,
    /// Calls end it.
    Crashes,
    /// Calls get no answer; a ping gets one.
    Slow,
    /// After hello and the lists nothing gets an answer, and nothing is read.
    Hangs,
    /// Before each answer but that to hello: lines that are no JSON, answers to nobody, unknown methods, other shapes.
    Noisy,
    /// A message that is larger than any may be.
    Giant,
    /// Thousands of notifications before each answer.
    Floods,
    /// It asks for everything, and tells what it was given.
    Asks,
    /// It asks without end and reads nothing.
    AsksForEver,
    /// Its lists never end, its tools are many and odd.
    Endless,
    /// Each call changes what it offers.
    Changes,
    /// It answers calls with another kind of result.
    Odd,
}

/// Starts such servers.
pub struct Scripted {
    pub manner: Mutex<Manner>,
    pub starts: AtomicUsize,
    /// Calls that reached a server.
    pub calls: Arc<AtomicUsize>,
    /// Methods of what came without an id.
    pub told: Arc<Mutex<Vec<String>>>,
    pub lives: Mutex<Vec<Arc<ScriptedLife>>>,
    runtime: tokio::runtime::Handle,
}

#[derive(Default)]
pub struct ScriptedLife {
    pub over: CancellationToken,
    pub ended: AtomicBool,
}

impl Life for ScriptedLife {
    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.over.cancel();
    }

    fn fate(&self) -> String {
        String::new()
    }
}

impl Scripted {
    pub fn new(manner: Manner, runtime: &tokio::runtime::Handle) -> Self {
        Self {
            manner: Mutex::new(manner),
            starts: AtomicUsize::new(0),
            calls: Arc::default(),
            told: Arc::default(),
            lives: Mutex::default(),
            runtime: runtime.clone(),
        }
    }

    /// The last one ends, as if it had been killed.
    pub fn kill(&self) {
        self.lives.lock().unwrap().last().unwrap().over.cancel();
    }
}

impl Connect for Scripted {
    fn connect(&self, _settings: &McpServerDraft, log: &Arc<Log>) -> Result<Line, ApiError> {
        self.starts.fetch_add(1, Ordering::SeqCst);
        log.add(b"a scripted server \x1b[1mbegins\n");
        let (wire, far) = Wire::pipe();
        let life = Arc::new(ScriptedLife::default());
        self.lives.lock().unwrap().push(life.clone());
        let server = Server {
            manner: *self.manner.lock().unwrap(),
            calls: self.calls.clone(),
            told: self.told.clone(),
            changes: 0,
            roots: Value::Null,
        };
        let over = life.over.clone();
        self.runtime.spawn(async move {
            tokio::select! {
                () = server.serve(far) => {}
                () = over.cancelled() => {}
            }
        });
        Ok(Line { wire, confinement: "Confined for tests.".to_owned(), life, hint: String::new() })
    }
}

struct Server {
    manner: Manner,
    calls: Arc<AtomicUsize>,
    told: Arc<Mutex<Vec<String>>>,
    changes: usize,
    roots: Value,
}

type Out = WriteHalf<DuplexStream>;

async fn say(out: &mut Out, message: &Value) {
    let mut line = message.to_string();
    line.push('\n');
    drop(out.write_all(line.as_bytes()).await);
}

async fn answer(out: &mut Out, id: &Value, result: Value) {
    say(out, &json!({ "jsonrpc": "2.0", "id": id, "result": result })).await;
}

impl Server {
    async fn serve(mut self, far: DuplexStream) {
        let (read, mut out) = tokio::io::split(far);
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let message: Value = serde_json::from_str(&line).unwrap();
            let Some(method) = message["method"].as_str() else { continue };
            let Some(id) = message.get("id") else {
                self.told.lock().unwrap().push(method.to_owned());
                continue;
            };
            match self.manner {
                Manner::Mute => continue,
                Manner::EndsAtOnce => return,
                Manner::Babbles => {
                    answer(&mut out, id, json!({ "tools": [] })).await;
                    continue;
                }
                _ => {}
            }
            if self.manner == Manner::Noisy && method != "initialize" {
                noise(&mut out).await;
            }
            let params = &message["params"];
            match method {
                "initialize" => {
                    let can = json!({ "tools": { "listChanged": true }, "resources": {}, "prompts": {} });
                    let hello = json!({
                        "protocolVersion": params["protocolVersion"],
                        "capabilities": can,
                        "serverInfo": { "name": "scripted", "version": "1.0" },
                        "instructions": "Be \u{202e}kind.",
                    });
                    answer(&mut out, id, hello).await;
                }
                "tools/list" => answer(&mut out, id, self.tools(params)).await,
                "resources/list" => {
                    let one = json!({ "uri": "demo://one", "name": "One", "mimeType": "text/plain", "size": 3 });
                    answer(&mut out, id, json!({ "resources": [one] })).await;
                }
                "prompts/list" => {
                    let who = json!({ "name": "who", "required": true });
                    let one = json!({ "name": "greet", "description": "Greets", "arguments": [who] });
                    answer(&mut out, id, json!({ "prompts": [one] })).await;
                }
                "resources/read" => {
                    let one = json!({ "uri": params["uri"], "mimeType": "text/plain", "text": "abc" });
                    let two = json!({ "uri": params["uri"], "mimeType": "image/png", "blob": "A".repeat(4_096) });
                    answer(&mut out, id, json!({ "contents": [one, two] })).await;
                }
                "prompts/get" => {
                    let text = format!("Hello, {}", params["arguments"]["who"].as_str().unwrap_or("nobody"));
                    let said = json!({ "role": "user", "content": { "type": "text", "text": text } });
                    answer(&mut out, id, json!({ "messages": [said] })).await;
                }
                "ping" if self.manner != Manner::Hangs => answer(&mut out, id, json!({})).await,
                "tools/call" => {
                    self.calls.fetch_add(1, Ordering::SeqCst);
                    if !self.call(&mut out, &mut lines, id, params).await {
                        return;
                    }
                }
                _ => {
                    let error = json!({ "code": -32601, "message": format!("no method {method}") });
                    say(&mut out, &json!({ "jsonrpc": "2.0", "id": id, "error": error })).await;
                }
            }
        }
    }

    fn tools(&self, params: &Value) -> Value {
        let tool = |name: &str| {
            let path = json!({ "type": "string" });
            json!({
                "name": name,
                "title": "A tool",
                "description": "Does \u{1b}[31mthings",
                "inputSchema": { "type": "object", "properties": { "path": path } },
                "annotations": { "readOnlyHint": true },
            })
        };
        if self.manner == Manner::Endless {
            let number: usize = params["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
            let odd = ["same", "", "\u{1b}[2J", &"x".repeat(10_000)].map(tool);
            let many = (0..20).map(|index| tool(&format!("tool-{number}-{index}")));
            let all: Vec<Value> = odd.into_iter().chain(many).collect();
            return json!({ "tools": all, "nextCursor": (number + 1).to_string() });
        }
        let mut all = vec![tool("echo"), tool("read-all")];
        all.extend((0..self.changes).map(|number| tool(&format!("new{number}"))));
        json!({ "tools": all })
    }

    /// False ends the server.
    async fn call(
        &mut self,
        out: &mut Out,
        lines: &mut tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
        id: &Value,
        params: &Value,
    ) -> bool {
        match self.manner {
            Manner::Crashes => return false,
            Manner::Slow => return true,
            Manner::Hangs => std::future::pending().await,
            Manner::Giant => {
                let piece = vec![b'x'; 1 << 20];
                out.write_all(b"{\"jsonrpc\": \"2.0\", \"result\": \"").await.unwrap();
                for _ in 0..40 {
                    if out.write_all(&piece).await.is_err() {
                        return false;
                    }
                }
                out.write_all(b"\"}\n").await.unwrap();
            }
            Manner::Floods => {
                for number in 0..8_000 {
                    let level = json!({ "level": "info", "data": number });
                    say(out, &json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": level })).await;
                }
            }
            Manner::Asks => {
                let ask = |number: usize, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": format!("q{number}"), "method": method, "params": params });
                let text = json!({ "type": "text", "text": "Say a secret" });
                let sampling = json!({ "messages": [{ "role": "user", "content": text }], "maxTokens": 9 });
                let schema = json!({ "type": "object", "properties": { "key": { "type": "string" } } });
                let elicit = json!({ "message": "Your key?", "requestedSchema": schema });
                say(out, &ask(1, "sampling/createMessage", sampling)).await;
                say(out, &ask(2, "elicitation/create", elicit)).await;
                say(out, &ask(3, "roots/list", json!({}))).await;
                let mut answers = Vec::new();
                while answers.len() < 3 {
                    let line = lines.next_line().await.unwrap().unwrap();
                    answers.push(serde_json::from_str::<Value>(&line).unwrap());
                }
                answers.sort_by_key(|answer| answer["id"].to_string());
                self.roots = json!(answers);
            }
            Manner::AsksForEver => {
                for number in 0.. {
                    let mut line = json!({ "jsonrpc": "2.0", "id": number, "method": "roots/list" }).to_string();
                    line.push('\n');
                    if out.write_all(line.as_bytes()).await.is_err() {
                        return false;
                    }
                }
            }
            Manner::Changes => {
                self.changes += 1;
                let changed = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
                for _ in 0..100 {
                    say(out, &changed).await;
                }
            }
            Manner::Odd => {
                answer(out, id, json!({ "prompts": [] })).await;
                return true;
            }
            _ => {}
        }
        let arguments = &params["arguments"];
        let failed = arguments["path"] == "missing";
        let text = match &self.roots {
            Value::Null => format!("echo {arguments}"),
            roots => roots.to_string(),
        };
        let content = json!([
            { "type": "text", "text": text },
            { "type": "image", "data": "A".repeat(16 << 10), "mimeType": "image/png" },
        ]);
        let data = json!({ "path": arguments["path"] });
        answer(out, id, json!({ "content": content, "structuredContent": data, "isError": failed })).await;
        true
    }
}

async fn noise(out: &mut Out) {
    for line in [
        "this is no JSON",
        "{\"jsonrpc\": \"2.0\", \"id\": 987654, \"result\": {\"content\": []}}",
        "{\"jsonrpc\": \"2.0\", \"id\": \"x\", \"error\": {\"code\": -1, \"message\": \"to nobody\"}}",
        "{\"jsonrpc\": \"2.0\", \"method\": \"notifications/unknown\", \"params\": {\"a\": [1, 2]}}",
        "{\"jsonrpc\": \"2.0\", \"id\": 5, \"method\": \"no/such/method\"}",
        "[]",
        "{\"a\": 1}",
        "\u{0}\u{1}\u{2}",
        "",
    ] {
        out.write_all(line.as_bytes()).await.unwrap();
        out.write_all(b"\n").await.unwrap();
    }
}
