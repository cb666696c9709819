//! Constrained answers of a real model: random schemas, expressions and grammars; cancelling, budgets, speed.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::PathBuf;

use rspa_ml::generate::{
    ChatTurn, Constraint, FinishReason, GenerateEvent, GenerateRequest, GenerateStats, Prompt, Role, SamplingParams,
};
use rspa_ml::runtime::{LanguageModel, LoadOptions};
use rspa_ml::{Cancel, Error};
use serde_json::{Map, Value, json};

fn load() -> LanguageModel {
    let folder = std::env::var_os("RSPA_MODELS_PATH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/rspa-models"));
    let path = folder.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(path.is_file(), "{} is missing: run `cargo xtask models`", path.display());
    LanguageModel::load(&path, LoadOptions { threads: 2, max_context: 1024 }).unwrap()
}

fn greedy(max_tokens: usize) -> SamplingParams {
    SamplingParams { temperature: 0.0, repeat_penalty: 1.0, max_tokens, ..Default::default() }
}

fn ask(content: &str) -> Prompt {
    Prompt::Chat(vec![ChatTurn { role: Role::User, content: content.to_owned() }])
}

/// All text, and the end of the stream.
fn answer(
    model: &LanguageModel,
    prompt: Prompt,
    sampling: SamplingParams,
    constraint: Option<Constraint>,
) -> (String, Result<GenerateStats, Error>) {
    let mut text = String::new();
    let request = GenerateRequest { prompt, sampling, constraint };
    for event in model.generate(request, Cancel::new()).unwrap() {
        match event {
            GenerateEvent::Prefill { .. } => {}
            GenerateEvent::Text(piece) => text.push_str(&piece),
            GenerateEvent::Finished(stats) => return (text, Ok(stats)),
            GenerateEvent::Failed { error, partial } => {
                assert_eq!(partial, text);
                return (text, Err(error));
            }
        }
    }
    panic!("the stream ended without an end");
}

/// Numbers that follow from a seed (`SplitMix64`; Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const NAMES: [&str; 10] =
    ["name", "größe", "n", "mit leer", "quo\"te", "back\\slash", "日本", "list", "ok?", "a.b/c-d"];
const WORDS: [&str; 9] = ["red", "grün", "日本語", "", "a \"b\"", "line\nend", "😀", "<|im_end|>", "x\\y"];
const PATTERNS: [&str; 6] =
    ["^[a-z]{2,6}$", "^\\d{4}-\\d{2}$", "^(ja|nein|вероятно)$", "^[A-Z][a-z]+( [A-Z][a-z]+)?$", "[0-9]", "^ü+$"];

fn schema(chance: &mut Chance, depth: usize) -> Value {
    match chance.below(if depth == 0 { 8 } else { 11 }) {
        0 => json!({ "enum": [chance.one(&WORDS), chance.one(&WORDS), chance.below(50), null, [true], 1.5] }),
        1 => json!({ "const": [chance.one(&WORDS), { chance.one(&NAMES): chance.below(9) }] }),
        2 => {
            let least = chance.below(2000) as i64 - 1000;
            json!({ "type": "integer", "minimum": least, "maximum": least + chance.below(300) as i64 })
        }
        3 => {
            let least = chance.below(400) as f64 / 8.0 - 20.0;
            let most = least + 1.0 + chance.below(90) as f64;
            match chance.below(3) {
                0 => json!({ "type": "number", "exclusiveMinimum": least, "maximum": most }),
                1 => json!({ "type": "number", "minimum": least }),
                _ => json!({ "type": "number" }),
            }
        }
        4 => {
            let least = chance.below(6);
            json!({ "type": "string", "minLength": least, "maxLength": least + chance.below(20) })
        }
        5 => json!({ "type": "string", "pattern": chance.one(&PATTERNS), "maxLength": 30 }),
        6 => json!({ "type": ["boolean", "null"] }),
        7 => json!({ "type": "string", "format": chance.one(&["date", "uuid", "ipv4", "time"]) }),
        8 => {
            let least = chance.below(3);
            json!({ "type": "array", "items": schema(chance, depth - 1), "minItems": least,
                "maxItems": least + chance.below(3) })
        }
        9 => json!({ "anyOf": [schema(chance, depth - 1), schema(chance, depth - 1), { "type": "null" }] }),
        _ => object(chance, depth),
    }
}

fn object(chance: &mut Chance, depth: usize) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for _ in 0..1 + chance.below(4) {
        let name = chance.one(&NAMES);
        properties.insert(name.to_owned(), schema(chance, depth - 1));
        if chance.below(3) > 0 && !required.contains(&name) {
            required.push(name);
        }
    }
    let additional = match chance.below(4) {
        0 => json!({ "type": "integer", "minimum": 0, "maximum": 9 }),
        _ => json!(false),
    };
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": additional })
}

fn sampling(chance: &mut Chance) -> SamplingParams {
    let temperature = [0.0, 0.7, 1.0, 2.0][chance.below(4)];
    let repeat_penalty = [1.0, 1.1, 1.5][chance.below(3)];
    let (top_k, top_p) = ([0, 1, 40][chance.below(3)], [0.0, 0.9, 1.0][chance.below(3)]);
    SamplingParams {
        temperature,
        repeat_penalty,
        top_k,
        top_p,
        seed: chance.next(),
        max_tokens: 300,
        ..Default::default()
    }
}

/// 15 in every run; 1,000 with `RSPA_SOAK=1`, or as many as `RSPA_COUNT` says. `RSPA_SEED` gives the seed.
#[test]
fn answers_to_random_schemas_are_valid() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a whole number"));
    let soak = std::env::var("RSPA_SOAK").as_deref() == Ok("1");
    let count = number("RSPA_COUNT").unwrap_or(if soak { 1000 } else { 15 });
    let seed = number("RSPA_SEED").unwrap_or(4);
    let model = load();
    let prompts =
        ["Reply in JSON.", "Tell me everything about rivers, at length.", "", "{\"", "Zähle bis hundert! 数えて"];
    let (mut valid, mut cut, mut tokens) = (0, 0, 0);
    for at in 0..count {
        let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(at));
        let schema = if chance.below(3) == 0 { schema(&mut chance, 2) } else { object(&mut chance, 2) };
        let prompt = Prompt::Raw(format!("{}\n", prompts[chance.below(prompts.len())]));
        let sampling = sampling(&mut chance);
        let case = format!("number {at} of seed {seed}: {schema} with {sampling:?}");
        let (text, end) = answer(&model, prompt, sampling, Some(Constraint::JsonSchema(schema.clone())));
        match end {
            Ok(stats) => {
                let value: Value =
                    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text} {case}"));
                let error = jsonschema::validate(&schema, &value).err().map(|error| error.to_string());
                assert_eq!(error, None, "{text} {case}");
                valid += 1;
                tokens += stats.answer_tokens;
            }
            // Honest, but never more than a few.
            Err(Error::Unfinished) => {
                cut += 1;
                println!("over budget: {text} {case}");
            }
            Err(error) => panic!("{error} after {text} {case}"),
        }
        if (at + 1) % 50 == 0 {
            println!("{} of {count}: {valid} valid, {cut} over budget, {tokens} tokens", at + 1);
        }
    }
    assert!(cut * 50 <= count.max(50), "{cut} of {count} answers did not end within their budget");
    println!("soak: constrained answers {valid} seed {seed}");
}

#[test]
fn a_budget_too_small_fails_with_what_there_is() {
    let model = load();
    let schema = json!({ "type": "object", "required": ["a", "b"], "additionalProperties": false, "properties": {
        "a": { "type": "string", "minLength": 60, "maxLength": 80 }, "b": { "type": "integer" } } });
    let constraint = || Some(Constraint::JsonSchema(schema.clone()));
    let (text, end) = answer(&model, ask("Tell me of the sea."), greedy(8), constraint());
    let error = end.unwrap_err();
    assert!(matches!(error, Error::Unfinished), "{error}");
    assert!(text.starts_with("{\"a\": \"") && error.advice().contains("more tokens"), "{text}");
    // The same where the context ends first; and the model answers on afterwards.
    let long = Prompt::Tokens([504, 1296, 3995, 28].repeat(254));
    assert!(matches!(answer(&model, long, greedy(400), constraint()).1, Err(Error::Unfinished)));
    let (text, end) = answer(&model, ask("Tell me of the sea."), greedy(200), constraint());
    assert_eq!(end.unwrap().finish, FinishReason::EndOfText);
    assert!(jsonschema::is_valid(&schema, &serde_json::from_str(&text).unwrap()), "{text}");
}

#[test]
fn expressions_grammars_and_stop_texts() {
    let model = load();
    let expression = Constraint::Regex("(north|south|east|west)( by (north|south))?".into());
    let (text, end) = answer(&model, ask("Where does the sun rise?"), greedy(20), Some(expression));
    assert!(end.is_ok() && ["north", "south", "east", "west"].iter().any(|word| text.starts_with(word)), "{text}");
    let lark = "start: \"add(\" number \", \" number \")\"\nnumber: /[1-9][0-9]{0,3}/";
    let (text, end) = answer(&model, ask("Add 12 and 30."), greedy(30), Some(Constraint::Grammar(lark.into())));
    assert!(end.is_ok() && text.starts_with("add(") && text.ends_with(')') && text.contains(", "), "{text}");
    // The constraint says where the answer ends.
    let stop = SamplingParams { stop: vec!["\"".into()], ..greedy(40) };
    let schema = Constraint::JsonSchema(json!({ "type": "object", "properties": { "ok": { "type": "boolean" } },
        "required": ["ok"], "additionalProperties": false }));
    let (text, end) = answer(&model, ask("Is ice cold?"), stop, Some(schema));
    assert!(end.is_ok() && serde_json::from_str::<Value>(&text).unwrap()["ok"].is_boolean(), "{text}");
}

#[test]
fn what_cannot_be_a_constraint_fails_before_any_text() {
    let model = load();
    for constraint in [
        Constraint::JsonSchema(json!({ "$ref": "https://example.com/a.json" })),
        Constraint::Regex("(".into()),
        Constraint::Grammar("start: nothing".into()),
    ] {
        let (text, end) = answer(&model, ask("Hi"), greedy(4), Some(constraint));
        assert!(text.is_empty() && matches!(end, Err(Error::Constraint(_))));
    }
    assert!(answer(&model, ask("Hi"), greedy(4), None).1.is_ok());
}

#[test]
fn a_constrained_answer_can_be_cancelled() {
    let model = load();
    let cancel = Cancel::new();
    let constraint = Some(Constraint::Regex("[a-z ]{800,900}".into()));
    let request = GenerateRequest { prompt: ask("Tell a story."), sampling: greedy(900), constraint };
    let mut end = None;
    for event in model.generate(request, cancel.clone()).unwrap() {
        match event {
            GenerateEvent::Text(_) => cancel.cancel(),
            GenerateEvent::Finished(stats) => end = Some(stats),
            GenerateEvent::Prefill { .. } => {}
            GenerateEvent::Failed { error, .. } => panic!("{error}"),
        }
    }
    assert_eq!(end.unwrap().finish, FinishReason::Cancelled);
}

/// Prints tokens per second without and with a constraint.
#[test]
#[ignore = "a measurement"]
fn speed_with_and_without() {
    let model = load();
    let story = json!({ "type": "string", "minLength": 380, "maxLength": 400 });
    let schema =
        Constraint::JsonSchema(json!({ "type": "object", "required": ["story"], "additionalProperties": false,
        "properties": { "story": story } }));
    let expression = Constraint::Regex("(?s:.){400}".into());
    for constraint in [None, Some(schema), Some(expression), None] {
        let name = format!("{constraint:?}");
        let budget = if constraint.is_some() { 400 } else { 90 };
        let (_, end) = answer(&model, ask("Tell a long story of the sea."), greedy(budget), constraint);
        let stats = end.unwrap();
        println!(
            "{:.1} tok/s over {} tokens, first after {:.2} s: {name}",
            stats.answer_tokens as f64 / stats.decode_seconds,
            stats.answer_tokens,
            stats.time_to_first_token_seconds
        );
    }
}
