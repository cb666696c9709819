//! Questions to the real model: the shape of an answer, and what it cites.

use rspa_tests::process;
use rspa_tests::world::{LIMIT, World};
use serde_json::Value;

const HARBOUR: &str = "# Port Ellery\n\nThe harbour master of Port Ellery is Ingrid Solberg.\n\n\
                       # Fees\n\nA night at the pier costs twelve crowns.\n";

fn world() -> World {
    let world = World::with_models();
    world.write("harbour.md", HARBOUR);
    world.write("garden.md", "# Roses\n\nPrune roses in early spring, before the buds open.\n");
    world.json(["index", "add", "--wait", "."]);
    world
}

#[test]
fn an_answer_cites_the_lines_that_support_it() {
    let world = world();
    let answer = world.json(["ask", "Who is the harbour master of Port Ellery?"]);
    for (name, is) in [
        ("answer", Value::is_string as fn(&Value) -> bool),
        ("model", Value::is_string),
        ("citations", Value::is_array),
        ("prompt_tokens", Value::is_u64),
        ("answer_tokens", Value::is_u64),
        ("ttft_ms", Value::is_number),
        ("tok_s", Value::is_number),
    ] {
        assert!(answer.get(name).is_some_and(is), "'{name}' in {answer}");
    }
    assert!(answer["answer"].as_str().unwrap().contains("Solberg"), "{answer}");
    let citations = answer["citations"].as_array().unwrap();
    assert!(!citations.is_empty(), "{answer}");
    let lines: Vec<&str> = HARBOUR.lines().collect();
    for citation in citations {
        let path = citation["path"].as_str().unwrap();
        assert!(path.starts_with('/') && path.ends_with("harbour.md"), "{citation}");
        let first = citation["start_line"].as_u64().unwrap() as usize;
        let last = citation["end_line"].as_u64().unwrap() as usize;
        assert!(1 <= first && first <= last && last <= lines.len(), "{citation}");
        let quoted = lines[first - 1..last].join("\n");
        let quote = citation["quote"].as_str().unwrap();
        assert!(
            !quote.is_empty() && quoted.contains(quote.trim()),
            "'{quote}' is not in lines {first}-{last}: {quoted}"
        );
    }
}

#[test]
fn an_answer_streams_as_text_and_ends_with_numbered_sources() {
    let world = world();
    let outcome = world.run(["ask", "Who is the harbour master of Port Ellery?"]).ok();
    assert!(outcome.stdout.contains("Solberg"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("\nSources:\n[1] /"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("/harbour.md:") && outcome.stdout.contains("    | "), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "", "nothing but the answer where nobody watches");
}

#[test]
fn without_knowledge_nothing_is_cited() {
    let world = world();
    let answer = world.json(["ask", "--no-knowledge", "Say hello."]);
    assert_eq!(answer["citations"], Value::Array(Vec::new()));
    assert_eq!(answer["passages"], 0);
    assert!(answer["answer_tokens"].as_u64().unwrap() > 0, "{answer}");
}

#[test]
fn a_chat_goes_on_where_it_was() {
    let world = world();
    let lines = "Who is the harbour master of Port Ellery?\n\nWhat does a night at the pier cost?\n";
    let outcome = process::run(world.command().args(["chat", "--json"]), lines.as_bytes(), LIMIT).ok();
    let answers: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 2, "{}", outcome.stdout);
    assert_eq!(answers[0]["chat"], answers[1]["chat"]);
    let chat = answers[0]["chat"].as_str().unwrap();
    let more = world.json(["chat", "--chat", chat, "--message", "Say thanks."]);
    assert_eq!(more["chat"], chat);
    let listed = world.json(["chat", "--list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed[0]["messages"], 6, "three questions and three answers: {listed}");
}

#[test]
fn without_a_model_the_advice_says_how_to_get_one() {
    let world = World::empty();
    let outcome = world.run(["ask", "Hello?", "--json"]);
    assert!(matches!(outcome.code(), Some(3 | 6)), "{outcome:?}");
    let error: Value = serde_json::from_str(outcome.stderr.lines().last().unwrap()).unwrap();
    let advice = error["error"]["advice"].as_str().unwrap().to_lowercase();
    assert!(advice.contains("model"), "{error}");
    let unknown = World::with_models().error(3, ["ask", "Hello?", "--model", "no-such-model"]);
    assert!(unknown.message.contains("no-such-model"), "{unknown:?}");
}

#[test]
fn a_model_is_imported_listed_made_default_and_removed() {
    let world = World::empty();
    let file = rspa_tests::program::models().join("SmolLM2-135M-Instruct.Q4_1.gguf");
    let imported = world.json(["models".as_ref(), "import".as_ref(), file.as_os_str()]);
    let id = imported["imported"][0]["id"].as_str().unwrap_or_else(|| panic!("{imported}")).to_owned();
    let listed = world.json(["models", "list"]);
    assert_eq!(listed[0]["default"], true, "the first chat model becomes the default: {listed}");
    assert_eq!(listed[0]["size_bytes"], std::fs::metadata(&file).unwrap().len());
    assert!(listed[0]["path"].as_str().unwrap().starts_with(world.data().to_str().unwrap()), "{listed}");
    assert!(world.json(["ask", "--no-knowledge", "Say hello."])["answer_tokens"].as_u64().unwrap() > 0);
    world.json(["models", "default", &id]);
    world.json(["models", "remove", &id]);
    assert_eq!(world.json(["models", "list"]), Value::Array(Vec::new()));
    assert!(file.exists(), "the original stays");
}
