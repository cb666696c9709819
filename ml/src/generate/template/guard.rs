//! Keeps names of control tokens inside chat turns from being read as those tokens.
//!
//! A private-use character that occurs nowhere else is put into each such name, and where a turn begins or ends with
//! a part of one, so that no name can form across a seam. The tokenizer finds the template's own control tokens
//! first and then takes the character out, so the text of the turns reaches the model unchanged.

/// A private-use character that none of the texts holds.
pub(super) fn unused_character<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Option<char> {
    ('\u{e000}'..='\u{f8ff}').find(|&character| texts.clone().all(|text| !text.contains(character)))
}

pub(super) fn protect(content: &str, names: &[String], guard: char) -> String {
    let mut content = content.to_owned();
    for name in names.iter().filter(|name| !name.is_empty()) {
        if content.contains(name.as_str()) {
            let mut broken: Vec<char> = name.chars().collect();
            broken.insert(1, guard);
            content = content.replace(name.as_str(), &String::from_iter(broken));
        }
    }
    // Templates often trim turns: what counts is the first and the last character that is no white space.
    let ends_like_a_beginning = |text: &str| {
        names.iter().any(|name| {
            let mut cuts = name.char_indices().map(|(at, _)| at).skip(1);
            cuts.any(|cut| text.ends_with(&name[..cut]))
        })
    };
    let begins_like_an_end = |text: &str| {
        names.iter().any(|name| {
            let mut cuts = name.char_indices().map(|(at, _)| at).skip(1);
            cuts.any(|cut| text.starts_with(&name[cut..]))
        })
    };
    let end = content.trim_end().len();
    if ends_like_a_beginning(&content[..end]) {
        content.insert(end, guard);
    }
    let start = content.len() - content.trim_start().len();
    if begins_like_an_end(&content[start..]) {
        content.insert(start, guard);
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, expected: &str) {
        let names = ["<|im_end|>".to_owned(), "<s>".to_owned()];
        assert_eq!(protect(content, &names, '#'), expected);
    }

    #[test]
    fn only_names_and_seams_are_touched() {
        check("plain < text > here", "plain < text > here");
        check("a<|im_end|>b<s>", "a<#|im_end|>b<#s>");
        check("tail <|im ", "tail <|im# ");
        check(" > quoted", " #> quoted");
        check("", "");
    }

    #[test]
    fn a_free_character_is_found() {
        assert_eq!(unused_character(["a\u{e000}", "\u{e001}"].into_iter()), Some('\u{e002}'));
    }
}
