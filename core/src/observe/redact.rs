//! Takes out of log texts what looks like a secret: keys, tokens, passwords in addresses.

use std::sync::LazyLock;

/// What stands in a secret's place.
pub(super) const HIDDEN: &str = "[hidden]";

/// Beginnings of keys and tokens of well-known services, as they name them in their documentation.
const PREFIXES: &[&str] = &[
    "sk-",
    "pk-",
    "rk-",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "hf_",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "eyJ",
    "npm_",
    "pypi-",
    "dop_v1_",
];
/// Shorter words with such a beginning are words.
const SHORTEST_KEY: usize = 16;

static NAMES: LazyLock<[&str; 10]> = LazyLock::new(|| {
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "api_key",
        "apikey",
        "api-key",
        "access_key",
        "authorization",
        "token",
    ]
});

/// A field or parameter of this name holds a secret.
pub(super) fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // Counts of tokens are no secrets.
    NAMES.iter().any(|secret| name.ends_with(secret)) || name.ends_with("_key")
}

/// The text with secrets replaced.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut hide_next = false;
    for piece in text.split_inclusive(|letter: char| {
        letter.is_whitespace()
            || matches!(letter, ',' | ';' | '"' | '\'' | '(' | ')' | '<' | '>' | '{' | '}' | '[' | ']')
    }) {
        let word = piece.trim_end_matches(|letter: char| !is_inner(letter));
        let end = &piece[word.len()..];
        if word.is_empty() {
            out.push_str(piece);
            continue;
        }
        if hide_next {
            // `Authorization: Bearer abc` names the scheme before the secret.
            if matches!(word.to_ascii_lowercase().as_str(), "bearer" | "basic" | "=" | ":") {
                out.push_str(piece);
                continue;
            }
            out.push_str(HIDDEN);
            hide_next = false;
        } else if matches!(word.to_ascii_lowercase().as_str(), "bearer" | "basic") {
            out.push_str(word);
            hide_next = true;
        } else {
            hide_next = redact_word(word, &mut out);
        }
        out.push_str(end);
    }
    out
}

fn is_inner(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(
            letter,
            '_' | '-' | '.' | '/' | '+' | '=' | ':' | '@' | '&' | '?' | '%' | '~' | '#' | '$' | '!' | '*'
        )
}

/// Appends the word without its secret; true when the secret is the next word (`password: …`).
fn redact_word(word: &str, out: &mut String) -> bool {
    let mut names_next = false;
    for (index, part) in word.split('&').enumerate() {
        if index > 0 {
            out.push('&');
        }
        names_next = redact_part(part, out);
    }
    names_next
}

fn redact_part(part: &str, out: &mut String) -> bool {
    if let Some((scheme, rest)) = part.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((_, host)) = authority.rsplit_once('@') {
            out.push_str(&format!("{scheme}://{HIDDEN}@{host}"));
            return redact_part(&rest[authority.len()..], out);
        }
    }
    if let Some((name, value)) = part.split_once(['=', ':'])
        && names_a_secret(name.rsplit(['?', '/', '.']).next().unwrap_or(name))
    {
        let separator = &part[name.len()..=name.len()];
        out.push_str(name);
        out.push_str(separator);
        if value.is_empty() {
            return true;
        }
        out.push_str(HIDDEN);
        return false;
    }
    let start = part.rfind(['=', ':', '/']).map_or(0, |position| position + 1);
    let value = &part[start..];
    if value.len() >= SHORTEST_KEY && PREFIXES.iter().any(|prefix| value.starts_with(prefix)) {
        out.push_str(&part[..start]);
        out.push_str(HIDDEN);
    } else {
        out.push_str(part);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_the_rest_stays() {
        for (text, expected) in [
            ("Authorization: Bearer abc.def-123", "Authorization: Bearer [hidden]"),
            ("password=hunter2 for ada", "password=[hidden] for ada"),
            ("token: s3cr3t, next", "token: [hidden], next"),
            ("key sk-1234567890abcdef1234", "key [hidden]"),
            ("\"hf_abcdefghijklmnopqrst\"", "\"[hidden]\""),
            ("https://ada:pw@example.org/x?a=1&api_key=zzz", "https://[hidden]@example.org/x?a=1&api_key=[hidden]"),
            ("512 tokens, 20 tok/s, src/main.rs:12", "512 tokens, 20 tok/s, src/main.rs:12"),
            ("the sk-learn package", "the sk-learn package"),
            ("", ""),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
        assert!(names_a_secret("api_key") && names_a_secret("Token") && !names_a_secret("prompt_tokens"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_passes(text: String) {
            redact(&text);
        }
    }
}
