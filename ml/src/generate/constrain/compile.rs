//! From a constraint to a matcher, with limits on what a grammar may cost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use llguidance::api::{ParserLimits, TopLevelGrammar};
use llguidance::earley::SlicedBiasComputer;
use llguidance::toktrie::InferenceCapabilities;
use llguidance::{JsonCompileOptions, Matcher, ParserFactory};
use serde_json::Value;

use super::check;
use super::shape::Shape;
use super::table::{self, TokenTable};
use crate::generate::Constraint;
use crate::tokenize::Tokenizer;
use crate::{Error, Result};

/// Schemas are compiled by recursion, 2.5 kB a level; only what is touched of this takes memory.
const STACK_BYTES: usize = 64 << 20;
/// Longest regular expression or grammar, in bytes.
const MAX_TEXT: usize = 64 << 10;
/// Characters of an error that are kept.
const MAX_ERROR: usize = 400;

pub(super) fn factory(tokenizer: &Arc<Tokenizer>, table: &Arc<TokenTable>) -> Result<ParserFactory> {
    let environment = table::environment(tokenizer, table);
    let abilities = InferenceCapabilities { ff_tokens: true, ..InferenceCapabilities::default() };
    let slices = SlicedBiasComputer::general_slices();
    let mut factory = ParserFactory::new(&environment, abilities, &slices)
        .map_err(|error| Error::Constraint(in_words(&error.to_string())))?;
    factory.quiet();
    // About 1.5 kB for each state; the other limits are a tenth of a second each.
    *factory.limits_mut() = ParserLimits {
        max_lexer_states: 40_000,
        max_grammar_size: 200_000,
        verbose_errors: false,
        ..ParserLimits::default()
    };
    Ok(factory)
}

pub(super) fn matcher(factory: &ParserFactory, constraint: &Constraint) -> Result<(Matcher, Option<Shape>)> {
    let (grammar, shape) = match constraint {
        Constraint::JsonSchema(schema) => {
            let checked = check::schema(schema)?;
            (TopLevelGrammar::from_json_schema(with_options(checked.schema)), Some(Shape::new(checked.limits)))
        }
        Constraint::Regex(pattern) => (TopLevelGrammar::from_regex(short_enough("expression", pattern)?), None),
        Constraint::Grammar(text) => (TopLevelGrammar::from_lark(short_enough("grammar", text)?.to_owned()), None),
    };
    let build = || {
        catch_unwind(AssertUnwindSafe(|| {
            let parser = factory.create_parser(grammar).map_err(|error| in_words(&format!("{error:#}")))?;
            Ok(Matcher::new(Ok(parser)))
        }))
        .unwrap_or_else(|_| Err("it holds something that cannot be read".to_owned()))
    };
    let built = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("grammar".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, build).map_err(|error| error.to_string())?;
        thread.join().unwrap_or_else(|_| Err("it holds something that cannot be read".to_owned()))
    });
    let mut matcher = built.map_err(Error::Constraint)?;
    match matcher.get_error() {
        Some(error) => Err(Error::Constraint(in_words(&error))),
        // A first look: a grammar that allows nothing at all is refused before the prompt is read.
        None => match matcher.compute_mask_or_eos() {
            Ok(mask) if mask.is_zero() => Err(Error::Constraint("no text matches it".to_owned())),
            Ok(_) => Ok((matcher, shape)),
            Err(error) => Err(Error::Constraint(in_words(&error.to_string()))),
        },
    }
}

/// One space after commas and colons as models have read it most, and no other space.
fn with_options(mut schema: Value) -> Value {
    if let Value::Bool(any) = schema {
        schema = if any { serde_json::json!({}) } else { serde_json::json!({ "enum": [] }) };
    }
    let options = JsonCompileOptions {
        item_separator: ", ".to_owned(),
        key_separator: ": ".to_owned(),
        whitespace_flexible: false,
        ..JsonCompileOptions::default()
    };
    options.apply_to(&mut schema);
    schema
}

fn short_enough<'a>(what: &str, text: &'a str) -> Result<&'a str> {
    if text.trim().is_empty() {
        return Err(Error::Constraint(format!("the {what} is empty")));
    }
    if text.len() > MAX_TEXT {
        return Err(Error::Constraint(format!("the {what} has {} bytes; at most {MAX_TEXT} can be used", text.len())));
    }
    Ok(text)
}

/// What a person needs of an error: its first lines, without traces of the program.
pub(super) fn in_words(error: &str) -> String {
    let lines = error.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.take_while(|line| !line.starts_with('<')).take(3).collect();
    let text = lines.join("; ");
    if text.starts_with("panic:") || text.is_empty() {
        return "it holds something that cannot be read".to_owned();
    }
    match text.char_indices().nth(MAX_ERROR) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
