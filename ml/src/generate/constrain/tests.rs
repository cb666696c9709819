//! Constraints over a real vocabulary, without a model: what they allow, and what is refused in words.

use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::weights::gguf::Gguf;

static CONSTRAINER: LazyLock<(Arc<Tokenizer>, Constrainer)> = LazyLock::new(|| {
    let folder = std::env::var_os("RSPA_MODELS_PATH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/rspa-models"));
    let path = folder.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(path.is_file(), "{} is missing: run `cargo xtask models`", path.display());
    let tokenizer = Arc::new(Tokenizer::from_gguf(&Gguf::open(&path).unwrap()).unwrap());
    let constrainer = Constrainer::new(&tokenizer).unwrap();
    (tokenizer, constrainer)
});

/// The answer of a model that likes some tokens by their id, within a budget; and whether it is complete.
fn answer(constraint: &Constraint, budget: usize, liking: impl Fn(u32, &[u8]) -> f32) -> (String, bool) {
    let (tokenizer, constrainer) = &*CONSTRAINER;
    let mut rules = constrainer.rules(constraint).unwrap();
    let mut tokens = rules.forced(budget).unwrap();
    while tokens.len() < budget && !rules.is_complete() {
        let mut logits: Vec<f32> =
            (0..tokenizer.vocabulary().len() as u32).map(|id| liking(id, tokenizer.piece(id))).collect();
        if !rules.mask(&mut logits, budget - tokens.len(), budget).unwrap() {
            break;
        }
        let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap() as u32;
        if tokenizer.vocabulary().is_end(best) {
            break;
        }
        assert!(!tokenizer.piece(best).is_empty(), "token {best} stands for no text");
        rules.consume(best).unwrap();
        tokens.push(best);
        tokens.extend(rules.forced(budget - tokens.len()).unwrap());
    }
    (tokenizer.decode(&tokens), rules.may_end().unwrap())
}

fn refused(constraint: &Constraint) -> String {
    let Err(error) = CONSTRAINER.1.rules(constraint) else { panic!("{constraint:?} was taken") };
    assert!(matches!(error, Error::Constraint(_)), "{error}");
    error.to_string()
}

fn schema(value: Value) -> Constraint {
    Constraint::JsonSchema(value)
}

/// Likes what makes answers long, and hates to end them.
fn endless(id: u32, bytes: &[u8]) -> f32 {
    match bytes.first() {
        None => -90.0,
        Some(b'"' | b'}' | b']') => -80.0,
        Some(_) => bytes.len() as f32 - (id % 7) as f32 * 0.1,
    }
}

#[test]
fn what_has_no_bound_comes_to_an_end() {
    for value in [
        json!({ "type": "string" }),
        json!({ "type": "array", "items": { "type": "integer" } }),
        json!({ "type": "object" }),
        json!({ "type": "number" }),
        json!({}),
        json!(true),
        json!({ "$defs": { "node": { "type": "object", "properties": { "child": { "$ref": "#/$defs/node" },
            "name": { "type": "string", "maxLength": 5 } }, "required": ["name"], "additionalProperties": false } },
            "$ref": "#/$defs/node" }),
        json!({ "type": "array", "items": { "$ref": "#" } }),
        json!({ "$ref": "#/definitions/list", "definitions": {
            "list": { "anyOf": [{ "$ref": "#/definitions/pair" }, { "type": "null" }] },
            "pair": { "type": "object", "required": ["head", "tail"], "properties": {
                "head": { "type": "integer" }, "tail": { "$ref": "#/definitions/list" } } } } }),
    ] {
        let (text, complete) = answer(&schema(value.clone()), 400, endless);
        assert!(complete, "{value}: {text}");
        let parsed: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{value}: {error} in {text}"));
        assert!(jsonschema::is_valid(&value, &parsed), "{value}: {text}");
    }
}

#[test]
fn texts_end_at_their_bound_long_before_the_budget() {
    let (text, complete) = answer(&schema(json!({ "type": "string" })), 5000, endless);
    assert!(complete);
    assert!((2000..2100).contains(&text.chars().count()), "{}", text.chars().count());
    let (text, complete) = answer(&schema(json!({ "type": "number" })), 5000, |id, bytes| {
        if matches!(bytes, b"e" | b"E") { 100.0 } else { endless(id, bytes) }
    });
    assert!(complete && text.len() <= 20 && text.parse::<f64>().is_ok(), "{text}");
}

#[test]
fn a_number_above_a_bound_is_so_for_programs_too() {
    let value = json!({ "type": "number", "exclusiveMinimum": 21.25, "maximum": 24.25 });
    let zeros = |_: u32, bytes: &[u8]| match bytes {
        b"2" => 5.0,
        b"0" => 9.0,
        _ => -(bytes.len() as f32) - f32::from(bytes.first().copied().unwrap_or(0)) / 1000.0,
    };
    let (text, complete) = answer(&schema(value.clone()), 60, zeros);
    assert!(complete && jsonschema::is_valid(&value, &serde_json::from_str(&text).unwrap()), "{text}");
}

#[test]
fn expressions_and_grammars_are_kept_to() {
    let (text, complete) = answer(&Constraint::Regex(r"(red|gr\/n|blaü)-\d{2}/x".into()), 40, endless);
    assert!(complete);
    assert!(["red-", "gr/n-", "blaü-"].iter().any(|begin| text.starts_with(begin)) && text.ends_with("/x"), "{text}");
    let lark = "start: verb \" \" noun\nverb: \"take\" | \"drop\"\nnoun: /[a-z]{3,6}/";
    let (text, complete) = answer(&Constraint::Grammar(lark.into()), 40, endless);
    assert!(complete);
    assert!(text.starts_with("take ") || text.starts_with("drop "), "{text}");
    // Not complete within three tokens, and says so.
    assert!(!answer(&Constraint::Regex("[a-z]{60}".into()), 3, |_, bytes| -(bytes.len() as f32)).1);
}

#[test]
fn special_tokens_are_never_part_of_an_answer() {
    let specials = |id: u32, bytes: &[u8]| if bytes.is_empty() { 100.0 } else { -(id as f32) };
    let (text, complete) = answer(&Constraint::Regex("(?s:.){5,9}".into()), 40, specials);
    assert!(complete && (5..=9).contains(&text.chars().count()), "{text:?}");
    let (text, complete) = answer(&schema(json!({ "type": "string", "minLength": 4, "maxLength": 9 })), 40, specials);
    assert!(complete && serde_json::from_str::<String>(&text).is_ok(), "{text:?}");
    // A grammar cannot ask for one either, by name or by number.
    refused(&Constraint::Grammar("start: \"a\" <|im_end|> \"b\"".into()));
    let numbered = CONSTRAINER.1.rules(&Constraint::Grammar("start: \"a\" <[0-5]> \"b\"".into()));
    if let Ok(mut rules) = numbered {
        let count = CONSTRAINER.0.vocabulary().len();
        assert!(rules.forced(9).unwrap().iter().all(|&token| !CONSTRAINER.0.piece(token).is_empty()));
        assert!(matches!(rules.mask(&mut vec![0.0; count], 9, 9), Err(Error::Constraint(_))));
    }
}

#[test]
fn what_cannot_be_used_is_refused_in_words() {
    let deep = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({ "items": inner }));
    let chain = |length: usize| {
        let definitions: serde_json::Map<String, Value> = (0..length)
            .map(|at| (format!("d{at}"), json!({ "$ref": format!("#/$defs/d{}", at + 1), "title": "x" })))
            .chain([(format!("d{length}"), json!({ "type": "null" }))])
            .collect();
        json!({ "$ref": "#/$defs/d0", "$defs": definitions })
    };
    for (constraint, word) in [
        (schema(json!([1])), "must be an object"),
        (schema(json!(false)), ""),
        (schema(json!({ "type": "strung" })), "strung"),
        (schema(json!({ "$ref": "https://example.com/x.json" })), "not part of it"),
        (schema(json!({ "properties": { "a": { "$ref": "other.json#/a" } } })), "not part of it"),
        (schema(json!({ "$ref": "#/$defs/none" })), ""),
        (schema(json!({ "not": { "type": "null" } })), "not"),
        (schema(json!({ "type": "string", "minLength": 1e12 })), "minLength"),
        (schema(json!({ "type": "string", "minLength": 9, "maxLength": 3 })), ""),
        (schema(json!({ "type": "string", "pattern": "(" })), ""),
        (schema(json!({ "enum": [] })), ""),
        (schema(json!({ "type": "ü".repeat(300) })), ""),
        (schema(json!({ "minimum": "ü".repeat(99) })), ""),
        // No value of it is finite.
        (schema(json!({ "type": "array", "items": { "$ref": "#" }, "minItems": 1 })), ""),
        (schema(json!({ "$ref": "#" })), ""),
        (schema(deep(60)), "deeper"),
        (schema(deep(2_000)), "deeper"),
        (schema(json!({ "enum": vec!["x"; 30_000] })), "too large"),
        (schema(json!({ "const": "x".repeat(300_000) })), "too large"),
        (Constraint::Regex("(".into()), ""),
        (Constraint::Regex(" ".into()), "empty"),
        (Constraint::Regex("a".repeat(100_000)), "at most"),
        (Constraint::Grammar("start: start".into()), ""),
        (Constraint::Grammar("hello".into()), ""),
        (Constraint::Grammar("start: %json { \"type\": 3 }".into()), ""),
    ] {
        let error = refused(&constraint);
        assert!(error.contains(word), "{word:?} is not in {error:?}");
        assert!(error.chars().count() < 600, "{error}");
    }
    // A billion letters: begun, or refused by what a lexer may cost.
    let billion = Constraint::Regex("((a{1000}){1000}){1000}".into());
    match CONSTRAINER.1.rules(&billion).and_then(|mut rules| rules.forced(5)) {
        Ok(tokens) => assert!(CONSTRAINER.0.decode(&tokens).bytes().all(|letter| letter == b'a')),
        Err(error) => assert!(matches!(&error, Error::Constraint(words) if words.len() < 600), "{error}"),
    }
    // Long chains and wide schemas are either taken or refused, in time.
    for value in [
        chain(900),
        deep(40),
        json!({ "enum": (0..9000).collect::<Vec<_>>() }),
        json!({ "type": "array", "maxItems": 1e300 }),
        json!({ "type": "string", "maxLength": u64::MAX }),
    ] {
        if let Err(error) = CONSTRAINER.1.rules(&schema(value)) {
            assert!(matches!(error, Error::Constraint(_)), "{error}");
        }
    }
}
