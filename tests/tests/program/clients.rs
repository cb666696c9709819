//! The stand-ins are accepted by their vendors' own clients; after that our providers are judged by the same stand-ins,
//! and one real server that speaks OpenAI's API is asked as well.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rspa_core::inference::provider::{ChatCall, Provider, Turn};
use rspa_core::ml::Cancel;
use rspa_core::model::ProviderKind;
use rspa_tests::standins::{KEY, PIECES, Server, Vendor, anthropic, gemini, ollama, openai};
use serde_json::{Value, json};

use super::providers_wire::{Door, open};

/// The Python of the clients' folder.
fn python() -> PathBuf {
    let folder = std::env::var_os("RSPA_CLIENTS_PATH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/rspa-clients"));
    let python = folder.join("python/bin/python");
    assert!(
        python.is_file(),
        "the vendors' clients are not in {}: `cargo xtask clients` installs them",
        folder.display()
    );
    python
}

/// What the vendor's own client understood.
fn client(script: &str, server: &Server) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients").join(script);
    let output = Command::new(python()).arg(&script).args([&server.url(), KEY]).env("NO_PROXY", "*").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} does not accept its stand-in:\n{said}", script.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn accepted(script: &str, vendor: impl Vendor, usage: u64, reason: &str) -> (Server, Value) {
    let server = Server::start(vendor);
    let found = client(script, &server);
    for way in ["chat", "stream"] {
        assert_eq!(found[way], PIECES.concat(), "{found}");
    }
    assert_eq!(found["usage"], json!([true, usage]), "{found}");
    assert_eq!(found["tool"], json!(["weather", {"city": "Zürich"}, reason]), "{found}");
    assert_eq!(found["after"], "The tool said: rain", "{found}");
    server.take_seen();
    (server, found)
}

/// Ours against the same server.
fn ours(kind: ProviderKind, server: &Server, model: &str, models: &[&str]) -> (Door, Box<dyn Provider>) {
    let door = Door::new();
    let provider = open(&door, kind, &server.url(), Some(KEY));
    super::providers_wire::understands(&*provider, model, models);
    (door, provider)
}

#[test]
fn anthropic() {
    let (server, found) = accepted("anthropic_client.py", anthropic::Anthropic, 4, "tool_use");
    let models = ["claude-standin-4", "claude-standin-3", "claude-standin-2"];
    assert_eq!((&found["models"], &found["info"], &found["refused"]), (&json!(models), &json!(200_000), &json!(401)));
    ours(ProviderKind::Anthropic, &server, "claude-standin-4", &models);
}

#[test]
fn openai() {
    let (server, found) = accepted("openai_client.py", openai::OpenAi::default(), 4, "tool_calls");
    let models = ["gpt-standin", "org/gpt-standin-small", "standin-embedding"];
    assert_eq!((&found["models"], &found["refused"]), (&json!(models), &json!(401)));
    assert_eq!(found["embeddings"][1][0], 2.0, "{found}");
    ours(ProviderKind::OpenAi, &server, "gpt-standin", &models);
}

#[test]
fn gemini() {
    let (server, found) = accepted("gemini_client.py", gemini::Gemini, 4, "STOP");
    let models = ["models/gemini-standin", "models/gemini-standin-lite", "models/standin-embedding"];
    assert_eq!((&found["models"], &found["info"], &found["refused"]), (&json!(models), &json!(1_048_576), &json!(400)));
    assert_eq!(found["embeddings"][1][0], 2.0, "{found}");
    let models = models.map(|name| name.trim_start_matches("models/"));
    ours(ProviderKind::Gemini, &server, "gemini-standin", &models);
}

#[test]
fn ollama() {
    let (server, found) = accepted("ollama_client.py", ollama::Ollama, 4, "stop");
    let models = ["standin:135m", "standin-embed:latest"];
    assert_eq!((&found["models"], &found["refused"], &found["pull"]), (&json!(models), &json!(404), &json!("success")));
    assert_eq!(found["info"], json!([8_192, ["completion", "tools"]]), "{found}");
    assert_eq!(found["embeddings"][1][0], 2.0, "{found}");
    ours(ProviderKind::Ollama, &server, "standin:135m", &models);
}

/// The server of llama-cpp-python, killed at the end.
struct Llama(Child);

impl Drop for Llama {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_real_server_that_speaks_openai_s_api() {
    let models = std::env::var_os("RSPA_MODELS_PATH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/rspa-models"));
    let model = models.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(model.is_file(), "{} is missing: `cargo xtask models` fetches it", model.display());
    // It cannot take a port of its own choice: one that was free a moment ago is.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(python());
    command.args(["-m", "llama_cpp.server", "--host", "127.0.0.1", "--n_ctx", "1024", "--n_threads", "2", "--port"]);
    command.arg(port.to_string()).arg("--model").arg(&model).args(["--model_alias", "smollm2"]);
    let mut server = Llama(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut said = String::new();
    let mut lines = BufReader::new(server.0.stderr.take().unwrap());
    while !said.contains("Uvicorn running on") {
        assert!(lines.read_line(&mut said).unwrap() > 0, "it ended before it was ready:\n{said}");
    }
    // It goes on talking; a full pipe would stop it.
    let talking = std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));

    let door = Door::new();
    let provider = open(&door, ProviderKind::OpenAi, &format!("http://127.0.0.1:{port}/v1"), None);
    let cancel = Cancel::new();
    provider.health(&cancel).unwrap();
    let listed = provider.list_models(&cancel).unwrap();
    assert_eq!(listed.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["smollm2"]);
    let mut call = ChatCall {
        model: "smollm2".to_owned(),
        turns: vec![Turn::User("What is the capital of France?".to_owned())],
        max_tokens: Some(24),
        ..ChatCall::default()
    };
    call.sampling.temperature = Some(0.0);
    call.sampling.seed = Some(7);
    let (text, end) = super::providers_wire::chat(&*provider, &call).unwrap();
    assert!(text.contains("Paris"), "{text:?} {end:?}");
    // Its streams do not count tokens: then ours say nothing rather than a guess.
    assert_eq!(end.prompt_tokens.is_some(), end.answer_tokens.is_some(), "{end:?}");
    call.schema = Some(json!({"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"], "additionalProperties": false}));
    call.max_tokens = Some(60);
    let (text, _) = super::providers_wire::chat(&*provider, &call).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(value["city"].is_string(), "{value}");
    drop(server);
    drop(talking.join());
}
