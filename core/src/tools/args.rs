//! Arguments of calls: taken apart strictly, with errors that tell the model what to write instead.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::{ApiError, ErrorCategory};

/// Longer arguments are refused before they are looked at, in bytes of all their texts.
const MOST_BYTES: usize = 6 << 20;
/// Values inside each other.
const MOST_DEPTH: usize = 32;

/// The arguments as the type that the tool wants.
///
/// # Errors
/// Category validation; the message names the field.
pub fn parse<T: DeserializeOwned>(arguments: &Value) -> Result<T, ApiError> {
    if bytes_of(arguments, MOST_DEPTH).is_none_or(|bytes| bytes > MOST_BYTES) {
        return Err(wrong("the arguments are too long or too deep"));
    }
    T::deserialize(arguments).map_err(|error| wrong(error.to_string()))
}

/// Bytes of texts and names; none when it is deeper than `depth`.
pub fn bytes_of(value: &Value, depth: usize) -> Option<usize> {
    let below = |mut values: Box<dyn Iterator<Item = &Value> + '_>| {
        let depth = depth.checked_sub(1)?;
        values.try_fold(8_usize, |sum, value| Some(sum.saturating_add(bytes_of(value, depth)?)))
    };
    match value {
        Value::String(text) => Some(text.len()),
        Value::Array(items) => below(Box::new(items.iter())),
        Value::Object(fields) => {
            let names: usize = fields.keys().map(String::len).sum();
            Some(below(Box::new(fields.values()))?.saturating_add(names))
        }
        _ => Some(8),
    }
}

/// The arguments make no sense, and why.
pub fn wrong(why: impl Into<String>) -> ApiError {
    ApiError::validation(why, "Call the tool again with arguments that fit its description.")
}

/// It may not be done, and why.
pub fn refused(why: impl Into<String>, advice: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCategory::Authorisation, why, advice)
}

/// A text that must not be empty nor longer than so many characters.
pub fn text<'a>(name: &str, text: &'a str, most: usize) -> Result<&'a str, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(wrong(format!("`{name}` is empty")));
    }
    if text.chars().count() > most {
        return Err(wrong(format!("`{name}` is longer than {most} characters")));
    }
    Ok(text)
}

/// The first words of a text on one line, for titles.
pub fn short(text: &str, most: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{cut}…")
}
