//! Splits Markdown into sentences with byte ranges, and says which of them claim something.

use std::ops::Range;

use super::words;

/// A sentence of a text. The range excludes list markers, quote marks and surrounding white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub range: Range<usize>,
    /// Code, fenced or indented, with its fences.
    pub code: bool,
    /// False for greetings, questions, headings, code, filler, and "the passages do not say".
    pub claims: bool,
}

/// Sentences in order; ranges do not overlap and lie on character boundaries.
pub fn split(text: &str) -> Vec<Sentence> {
    let mut blocks = Blocks { text, sentences: Vec::new(), paragraph: None, in_list: false };
    blocks.run();
    blocks.sentences
}

struct Blocks<'a> {
    text: &'a str,
    sentences: Vec<Sentence>,
    /// The running text that is being gathered.
    paragraph: Option<Range<usize>>,
    in_list: bool,
}

impl Blocks<'_> {
    fn run(&mut self) {
        let text = self.text;
        let lines = lines(text);
        let mut fence: Option<(char, usize, usize)> = None;
        let mut index = 0;
        while index < lines.len() {
            let line = lines[index].clone();
            let content = &text[line.clone()];
            let trimmed = content.trim();
            let indent = content.len() - content.trim_start().len();
            let start = line.start + indent;
            let end = start + trimmed.len();
            index += 1;
            if let Some((mark, length, from)) = fence {
                if fence_of(trimmed).is_some_and(|(m, l, rest)| m == mark && l >= length && rest.is_empty()) {
                    self.push_code(from..end);
                    fence = None;
                }
                continue;
            }
            if trimmed.is_empty() {
                self.flush();
            } else if let Some((mark, length, _)) = fence_of(trimmed) {
                self.flush();
                fence = Some((mark, length, start));
            } else if let Some(skip) = heading(trimmed) {
                self.flush();
                self.in_list = false;
                self.push_block(start + skip..end, false);
            } else if is_rule(trimmed) {
                // A row of '=' or '-' below a paragraph makes that a heading.
                let setext = trimmed.starts_with('=') || trimmed.starts_with('-');
                match self.paragraph.take() {
                    Some(paragraph) if setext => self.push_block(paragraph, false),
                    other => self.paragraph = other,
                }
                self.flush();
            } else if trimmed.starts_with('|') {
                self.flush();
                let header = lines.get(index).is_some_and(|next| is_table_rule(text[next.clone()].trim()));
                if !is_table_rule(trimmed) {
                    self.push_block(start..end, !header);
                }
            } else if let Some(skip) = list_marker(trimmed) {
                self.flush();
                self.in_list = true;
                self.paragraph = Some(start + skip..end);
            } else if self.paragraph.is_none() && !self.in_list && (indent >= 4 || content.starts_with('\t')) {
                self.push_code(start..end);
            } else if let Some(paragraph) = &mut self.paragraph {
                paragraph.end = end;
            } else {
                self.in_list = self.in_list && indent > 0;
                let quote = trimmed.len() - trimmed.trim_start_matches(['>', ' ']).len();
                self.paragraph = Some(start + quote..end);
            }
        }
        self.flush();
        if let Some((_, _, from)) = fence {
            let end = from + text[from..].trim_end().len();
            self.push_code(from..end);
        }
    }

    fn push_code(&mut self, range: Range<usize>) {
        self.sentences.push(Sentence { range, code: true, claims: false });
    }

    fn push_block(&mut self, range: Range<usize>, may_claim: bool) {
        let range = trim(self.text, range);
        if !range.is_empty() {
            let claims = may_claim && claims(&self.text[range.clone()]);
            self.sentences.push(Sentence { range, code: false, claims });
        }
    }

    fn flush(&mut self) {
        let Some(paragraph) = self.paragraph.take() else { return };
        let mut start = paragraph.start;
        for end in sentence_ends(&self.text[paragraph.clone()]) {
            self.push_block(start..paragraph.start + end, true);
            start = paragraph.start + end;
        }
        self.push_block(start..paragraph.end, true);
    }
}

/// Byte ranges of lines without their line breaks.
pub(super) fn lines(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let length = line.trim_end_matches(['\n', '\r']).len();
        out.push(start..start + length);
        start += line.len();
    }
    out
}

fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let content = &text[range.clone()];
    let start = range.start + (content.len() - content.trim_start().len());
    let end = range.start + content.trim_end().len();
    start..end.max(start)
}

fn fence_of(line: &str) -> Option<(char, usize, &str)> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    (length >= 3 && !rest.contains('`')).then_some((mark, length, rest))
}

fn heading(line: &str) -> Option<usize> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    ((1..=6).contains(&level) && (rest.is_empty() || rest.starts_with(' '))).then_some(level)
}

fn is_rule(line: &str) -> bool {
    let Some(mark) = line.chars().next() else { return false };
    matches!(mark, '-' | '=' | '*' | '_')
        && line.chars().all(|c| c == mark || c == ' ')
        && line.chars().filter(|c| *c == mark).count() >= 3
}

fn is_table_rule(line: &str) -> bool {
    line.starts_with('|') && line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

/// Length of a list marker with the space after it: `- `, `12. `, `- [x] `.
fn list_marker(line: &str) -> Option<usize> {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mark = match line.as_bytes().get(digits) {
        Some(b'-' | b'*' | b'+') if digits == 0 => 1,
        Some(b'.' | b')') if (1..=9).contains(&digits) => digits + 1,
        _ if line.starts_with('•') => '•'.len_utf8(),
        _ => return None,
    };
    let rest = &line[mark..];
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    let mut skip = mark + (rest.len() - rest.trim_start().len());
    for task in ["[ ] ", "[x] ", "[X] "] {
        if line[skip..].starts_with(task) {
            skip += task.len();
        }
    }
    Some(skip)
}

const CLOSERS: &[char] = &['"', '\'', '”', '’', '»', ')', ']', '」', '』', '*', '_', '`'];

/// Words before a full stop that do not end a sentence.
const ABBREVIATIONS: &[&str] = &[
    "e.g", "i.e", "eg", "ie", "cf", "vs", "viz", "dr", "mr", "mrs", "ms", "prof", "st", "sr", "jr", "fig", "figs",
    "eq", "no", "nos", "vol", "pp", "p", "ch", "sec", "art", "approx", "ca", "est", "incl", "excl", "max", "min",
    "dept", "gen", "col", "sgt", "rev", "hon", "al", "z.b", "d.h", "u.a", "bzw", "nr", "ggf", "usw", "jan", "feb",
    "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
];

/// Abbreviations that end a sentence when a capital letter follows.
const OPEN_ABBREVIATIONS: &[&str] =
    &["etc", "inc", "ltd", "co", "corp", "a.m", "p.m", "u.s", "u.k", "e.u", "no", "min", "max", "sec", "art", "p"];

/// Byte offsets behind each sentence that ends inside this running text; the end of the text is not among them.
fn sentence_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let code = code_spans(text);
    let mut chars = text.char_indices().peekable();
    while let Some((at, mark)) = chars.next() {
        let wide = matches!(mark, '。' | '！' | '？' | '｡');
        if !wide && !matches!(mark, '.' | '!' | '?' | '…') {
            continue;
        }
        if code.iter().any(|span| span.contains(&at)) {
            continue;
        }
        let mut end = at + mark.len_utf8();
        // Several marks and closing quotes belong to the same sentence.
        while let Some(&(next, c)) = chars.peek() {
            if matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？') || CLOSERS.contains(&c) {
                // An opening mark directly after a wide stop belongs to the next sentence only in pairs; keep it simple.
                end = next + c.len_utf8();
                chars.next();
            } else {
                break;
            }
        }
        let rest = &text[end..];
        if rest.trim().is_empty() {
            break;
        }
        if wide || (rest.starts_with(char::is_whitespace) && ends_here(&text[..at], mark, rest.trim_start())) {
            ends.push(end);
        }
    }
    ends
}

/// Byte ranges of inline code; an unpaired back-tick opens none.
fn code_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut open = None;
    for (at, _) in text.match_indices('`') {
        match open.take() {
            None => open = Some(at),
            Some(start) => spans.push(start..at + 1),
        }
    }
    spans
}

fn ends_here(before: &str, mark: char, rest: &str) -> bool {
    let next = rest.chars().find(|c| c.is_alphanumeric());
    if rest.starts_with(|c: char| c.is_lowercase()) {
        return false;
    }
    if mark != '.' {
        return true;
    }
    let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“')).next().unwrap_or("");
    let lower = word.to_lowercase();
    let capital_next = next.is_some_and(char::is_uppercase);
    if OPEN_ABBREVIATIONS.contains(&lower.as_str()) {
        return capital_next;
    }
    if ABBREVIATIONS.contains(&lower.as_str()) {
        return false;
    }
    // An initial, as in "J. Smith"; the pronoun "I" ends sentences.
    let mut letters = word.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        return !(letter.is_uppercase() && letter != 'I' && capital_next);
    }
    true
}

const FILLER_STARTS: &[&str] = &[
    "sure",
    "of course",
    "certainly",
    "absolutely",
    "great question",
    "good question",
    "thank you",
    "thanks",
    "hello",
    "hi there",
    "hi",
    "hey",
    "welcome",
    "you're welcome",
    "okay",
    "ok",
    "yes",
    "no",
    "well",
    "sorry",
    "i'm sorry",
    "i apologize",
    "good morning",
    "good evening",
    "hallo",
    "guten tag",
    "gerne",
    "natürlich",
    "bonjour",
    "bien sûr",
];

const EMPTY_STARTS: &[&str] = &[
    "here is",
    "here are",
    "here's",
    "below is",
    "below are",
    "let me know",
    "let me ",
    "feel free",
    "i hope",
    "hope this",
    "hope that",
    "i can help",
    "i'd be happy",
    "i would be happy",
    "i'll ",
    "i will ",
    "if you have any",
    "if you need",
    "if you'd like",
    "please let",
    "please feel",
    "please provide",
    "please note that i",
    "happy to help",
    "how can i",
    "as an ai",
    "i am an ai",
    "i'm an ai",
    "i am a language model",
    "i'm a language model",
    "i'm here to",
    "i am here to",
    "hier ist",
    "hier sind",
    "voici",
    "nice to meet",
    "glad to",
];

const UNKNOWN: &[&str] = &[
    "i don't know",
    "i do not know",
    "i'm not sure",
    "i am not sure",
    "i cannot answer",
    "i can't answer",
    "i could not find",
    "i couldn't find",
    "i cannot find",
    "i can't find",
    "i don't have",
    "i do not have",
    "cannot be determined",
    "can't be determined",
    "nothing in your sources",
    "not enough information",
    "no information",
    "ich weiß nicht",
    "je ne sais pas",
];

const SOURCE_NOUNS: &[&str] =
    &["passage", "passages", "source", "sources", "document", "documents", "text", "context", "notes", "files"];

const ABSENCES: &[&str] = &[
    "do not say",
    "don't say",
    "does not say",
    "doesn't say",
    "not mention",
    "n't mention",
    "not specif",
    "n't specif",
    "not contain",
    "n't contain",
    "not provide",
    "n't provide",
    "not state",
    "n't state",
    "not include",
    "n't include",
    "not given",
    "not answer",
    "n't answer",
    "is not in",
    "are not in",
    "no mention",
    "not explicitly",
    "not describe",
    "n't describe",
    "nothing about",
];

/// Whether a sentence states something that a passage could support.
pub fn claims(sentence: &str) -> bool {
    let plain: String = sentence.chars().filter(|c| !matches!(c, '*' | '`' | '_' | '#' | '>')).collect();
    let lower = plain.trim().to_lowercase().replace('’', "'");
    let bare = lower.trim_end_matches(|c: char| CLOSERS.contains(&c) || c.is_whitespace());
    if bare.ends_with(['?', '？', ':', '：']) {
        return false;
    }
    // A line that is bold as a whole and ends without a stop is a heading in all but name.
    let trimmed = sentence.trim();
    if trimmed.len() > 4 && trimmed.starts_with("**") && trimmed.ends_with("**") && !bare.ends_with(['.', '!']) {
        return false;
    }
    let rest = without_filler(bare);
    if EMPTY_STARTS.iter().any(|start| rest.starts_with(start)) || UNKNOWN.iter().any(|text| bare.contains(text)) {
        return false;
    }
    if ABSENCES.iter().any(|text| bare.contains(text))
        && bare.split(|c: char| !c.is_alphanumeric()).any(|word| SOURCE_NOUNS.contains(&word))
    {
        return false;
    }
    words::tokens(rest).iter().any(words::Token::is_content)
}

/// Drops "Sure, ", "Yes. ", "Of course! " from the front, as long as there are any.
fn without_filler(mut text: &str) -> &str {
    loop {
        let dropped = FILLER_STARTS.iter().find_map(|start| {
            let rest = text.strip_prefix(start)?;
            let next = rest.trim_start_matches([',', '.', '!', ';', ' ', '-', '–', '—']);
            // "no" is filler in "No, …" but not in "no backups are kept".
            (rest.is_empty() || rest.starts_with([',', '.', '!', ';'])).then_some(next)
        });
        match dropped {
            Some(rest) => text = rest,
            None => return text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = split(text).into_iter().map(|s| &text[s.range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn running_text_splits_at_full_stops_only() {
        check("Backups run nightly. They are kept 30 days.", &["Backups run nightly.", "They are kept 30 days."]);
        check(
            "It needs version 1.2.3 of rspa.toml. Pi is 3.14 here.",
            &["It needs version 1.2.3 of rspa.toml.", "Pi is 3.14 here."],
        );
        check(
            "Dr. Smith met J. Doe at 5 p.m. in Rome. E.g. there.",
            &["Dr. Smith met J. Doe at 5 p.m. in Rome.", "E.g. there."],
        );
        check("See files, logs, etc. Then stop. approx. 5 km.", &["See files, logs, etc.", "Then stop. approx. 5 km."]);
        check("\"Stop!\" he said. \"Why?\" She left…  Then", &["\"Stop!\" he said.", "\"Why?\"", "She left…", "Then"]);
        check("Use `a. B` now. Done!", &["Use `a. B` now.", "Done!"]);
        check("A line\nthat wraps. Next\none.", &["A line\nthat wraps.", "Next\none."]);
    }

    #[test]
    fn wide_full_stops_need_no_space() {
        check("备份保留30天。它们已加密！对吗？是", &["备份保留30天。", "它们已加密！", "对吗？", "是"]);
    }

    #[test]
    fn blocks_are_kept_apart() {
        let text = "# Title here\nIntro:\n\n- first item. More\n  wrapped\n- second\n1. third\n\n```rust\nlet a = 1. ;\n\nlet b;\n```\nAfter.\n\n| A | B |\n|---|---|\n| x | 5 |\n\n> quoted one. Two.\n";
        check(
            text,
            &[
                "Title here",
                "Intro:",
                "first item.",
                "More\n  wrapped",
                "second",
                "third",
                "```rust\nlet a = 1. ;\n\nlet b;\n```",
                "After.",
                "| A | B |",
                "| x | 5 |",
                "quoted one.",
                "Two.",
            ],
        );
        let claiming: Vec<&str> = split(text).into_iter().filter(|s| s.claims).map(|s| &text[s.range]).collect();
        assert!(!claiming.contains(&"Title here") && !claiming.contains(&"| A | B |"));
        assert!(claiming.contains(&"| x | 5 |"));
    }

    #[test]
    fn an_open_fence_runs_to_the_end() {
        check("Text.\n```\ncode. More\n", &["Text.", "```\ncode. More"]);
    }

    #[test]
    fn greetings_questions_and_admissions_claim_nothing() {
        for text in [
            "Hello!",
            "Sure, here is the answer.",
            "Sure!",
            "What else would you like?",
            "Here are the steps:",
            "Yes.",
            "I don't know.",
            "The passages do not say how long backups are kept.",
            "Let me know if you need more.",
            "The document doesn't mention a port.",
            "**Backups**",
            "There is no information about this in the sources.",
            "I hope this helps!",
            "---",
            "As an AI language model, I have no opinion.",
        ] {
            assert!(!claims(text), "{text}");
        }
        for text in [
            "Backups are kept for 30 days.",
            "Yes, backups are encrypted.",
            "30 days.",
            "No backups are kept on site.",
            "Sure, the port is 8080.",
            "The server does not support TLS 1.0.",
            "备份保留30天。",
            "**Backups** run nightly.",
            "According to the passages, it rains.",
        ] {
            assert!(claims(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_ordered_and_on_character_boundaries(text in "([a-zA-Z0-9 .!?\"'`*_#>|:~\\-\n\t。！？é日…]|\\PC){0,200}") {
            let mut last = 0;
            for sentence in split(&text) {
                prop_assert!(sentence.range.start >= last && sentence.range.end <= text.len());
                prop_assert!(!sentence.range.is_empty());
                prop_assert!(text.get(sentence.range.clone()).is_some());
                last = sentence.range.end;
            }
        }

        #[test]
        fn no_word_is_lost(text in "[a-z]{1,8}([.!?]? [A-Z]?[a-z]{1,8}){0,30}") {
            let joined: Vec<String> = split(&text).into_iter()
                .flat_map(|s| text[s.range].split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
            let all: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            prop_assert_eq!(joined, all);
        }
    }
}
