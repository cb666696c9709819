//! Stand-ins for the servers of model vendors: each speaks its vendor's wire format as the vendor's own client takes it,
//! judges what is asked of it, and fails on demand in every way a server can.

pub mod anthropic;
pub mod gemini;
pub mod ollama;
pub mod openai;
pub mod server;

pub use server::{Asked, Fault, Reply, Server, Vendor};

use serde_json::Value;

/// The key that all of them take.
pub const KEY: &str = "sk-standin-0123456789";
/// What all of them say where no tool and no schema is in play, in these pieces.
pub const PIECES: [&str; 4] = ["Grüße ", "from the ", "stand-in", ".\n😀"];
/// What they answer under a schema, in these pieces.
pub const JSON_PIECES: [&str; 3] = ["{\"city\":", "\"Zürich\",", "\"degrees\":21}"];
/// What they call an offered tool with.
pub const ARGUMENTS: &str = "{\"city\":\"Zürich\"}";

/// What the stand-in says to a conversation.
pub enum Said {
    Pieces(Vec<String>),
    Call { name: String },
}

/// A tool is called until its result is there; then the result is repeated.
pub fn say(tool: Option<&str>, results: &[String], schema: bool) -> Said {
    match (tool, results.last()) {
        (Some(name), None) => Said::Call { name: name.to_owned() },
        (_, Some(result)) => Said::Pieces(vec!["The tool said: ".to_owned(), result.clone()]),
        _ if schema => Said::Pieces(JSON_PIECES.map(str::to_owned).to_vec()),
        _ => Said::Pieces(PIECES.map(str::to_owned).to_vec()),
    }
}

/// Three small vectors that differ with their text.
pub fn vector(text: &str) -> Vec<f32> {
    let sum: u32 = text.bytes().map(u32::from).sum();
    vec![text.len() as f32, sum as f32 / 1024.0, 0.5]
}

/// A field that is not known, if there is one: vendors refuse such requests.
pub fn unknown<'a>(body: &'a Value, known: &[&str]) -> Option<&'a str> {
    body.as_object()?.keys().map(String::as_str).find(|field| !known.contains(field))
}

/// `data: …` of one event.
pub fn data(value: &Value) -> Vec<u8> {
    format!("data: {value}\n\n").into_bytes()
}
