//! Reading what servers send: by path, bounded, never trusting.

use serde_json::Value;

/// Text at a path such as `/delta/text`.
pub fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

pub fn number(value: &Value, path: &str) -> Option<u64> {
    let found = value.pointer(path)?;
    // Some servers write whole numbers with a point.
    found.as_u64().or_else(|| found.as_f64().filter(|float| (0.0..9e15).contains(float)).map(|float| float as u64))
}

pub fn small(value: &Value, path: &str) -> Option<u32> {
    number(value, path).and_then(|number| u32::try_from(number).ok())
}

pub fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// One vector; none where it is no list of finite numbers, empty, or longer than any model's.
pub fn vector(value: &Value) -> Option<Vec<f32>> {
    const MOST: usize = 1 << 16;
    let numbers = value.as_array().filter(|numbers| !numbers.is_empty() && numbers.len() <= MOST)?;
    numbers
        .iter()
        .map(|number| number.as_f64().map(|number| number as f32).filter(|number| number.is_finite()))
        .collect()
}

/// The number of weights in `7.6B` or `134.52M`.
pub fn weights(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, factor) = match text.chars().last()?.to_ascii_uppercase() {
        'T' => (&text[..text.len() - 1], 1e12),
        'B' => (&text[..text.len() - 1], 1e9),
        'M' => (&text[..text.len() - 1], 1e6),
        'K' => (&text[..text.len() - 1], 1e3),
        _ => (text, 1.0),
    };
    let number = digits.parse::<f64>().ok()? * factor;
    (1.0..1e15).contains(&number).then_some(number.round() as u64)
}

/// As one segment of a path or a value of a query (RFC 3986, section 2.3).
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn weights_are_read_from_words() {
        assert_eq!(weights("7.6B"), Some(7_600_000_000));
        assert_eq!(weights("134.52M"), Some(134_520_000));
        assert_eq!(weights("12"), Some(12));
        for odd in ["", "B", "-1B", "NaN", "1e400", "many", "π"] {
            assert_eq!(weights(odd), None, "{odd}");
        }
    }

    #[test]
    fn vectors_are_finite_and_bounded() {
        assert_eq!(vector(&json!([1, -0.5])), Some(vec![1.0, -0.5]));
        for odd in [json!([]), json!([1e300]), json!(["1"]), json!({"0": 1}), json!(null)] {
            assert_eq!(vector(&odd), None, "{odd}");
        }
    }

    #[test]
    fn names_cannot_leave_their_place_in_an_address() {
        assert_eq!(escaped("../v1?key=a#b c/é"), "..%2Fv1%3Fkey%3Da%23b%20c%2F%C3%A9");
    }
}
