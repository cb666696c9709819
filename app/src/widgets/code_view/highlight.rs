//! Colours for code, line by line: words, strings, comments and numbers, told apart by language. No grammar.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Token {
    Plain,
    Keyword,
    Type,
    Function,
    Text,
    Number,
    Comment,
}

/// What is still open at the end of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carry {
    #[default]
    None,
    BlockComment,
    /// A string that may span lines, with what closes it.
    Text(&'static str),
}

#[derive(Debug, PartialEq)]
pub struct Language {
    line_comments: &'static [&'static str],
    block_comment: Option<(&'static str, &'static str)>,
    /// Strings that may span lines, such as `"""`.
    long_texts: &'static [&'static str],
    quotes: &'static [char],
    keywords: &'static [&'static str],
    /// Upper-case names are types.
    types: bool,
    case_sensitive: bool,
}

const NONE: Language = Language {
    line_comments: &[],
    block_comment: None,
    long_texts: &[],
    quotes: &[],
    keywords: &[],
    types: false,
    case_sensitive: true,
};
const C_LIKE: Language = Language {
    line_comments: &["//"],
    block_comment: Some(("/*", "*/")),
    quotes: &['"', '\''],
    types: true,
    keywords: &[
        "auto",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "const",
        "constexpr",
        "continue",
        "default",
        "delete",
        "do",
        "double",
        "else",
        "enum",
        "extends",
        "extern",
        "false",
        "final",
        "float",
        "for",
        "foreach",
        "if",
        "implements",
        "import",
        "in",
        "inline",
        "int",
        "interface",
        "internal",
        "long",
        "namespace",
        "new",
        "null",
        "nullptr",
        "operator",
        "override",
        "package",
        "private",
        "protected",
        "public",
        "readonly",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "super",
        "switch",
        "template",
        "this",
        "throw",
        "throws",
        "true",
        "try",
        "typedef",
        "typename",
        "union",
        "unsigned",
        "using",
        "var",
        "virtual",
        "void",
        "volatile",
        "while",
    ],
    ..NONE
};
const RUST: Language = Language {
    quotes: &['"'],
    keywords: &[
        "as", "async", "await", "bool", "break", "char", "const", "continue", "crate", "dyn", "else", "enum", "extern",
        "f32", "f64", "false", "fn", "for", "i128", "i16", "i32", "i64", "i8", "if", "impl", "in", "isize", "let",
        "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "static", "str", "struct", "super",
        "trait", "true", "type", "u128", "u16", "u32", "u64", "u8", "union", "unsafe", "use", "usize", "where",
        "while", "yield",
    ],
    ..C_LIKE
};
const SCRIPT: Language = Language {
    long_texts: &["`"],
    keywords: &[
        "any",
        "as",
        "async",
        "await",
        "boolean",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "from",
        "function",
        "if",
        "implements",
        "import",
        "in",
        "instanceof",
        "interface",
        "let",
        "new",
        "null",
        "number",
        "of",
        "private",
        "public",
        "readonly",
        "return",
        "static",
        "string",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "type",
        "typeof",
        "undefined",
        "var",
        "void",
        "while",
        "yield",
    ],
    ..C_LIKE
};
const GO: Language = Language {
    long_texts: &["`"],
    keywords: &[
        "bool",
        "break",
        "byte",
        "case",
        "chan",
        "const",
        "continue",
        "default",
        "defer",
        "else",
        "error",
        "fallthrough",
        "false",
        "for",
        "func",
        "go",
        "goto",
        "if",
        "import",
        "int",
        "int64",
        "interface",
        "map",
        "nil",
        "package",
        "range",
        "return",
        "select",
        "string",
        "struct",
        "switch",
        "true",
        "type",
        "var",
    ],
    ..C_LIKE
};
const PYTHON: Language = Language {
    line_comments: &["#"],
    block_comment: None,
    long_texts: &["\"\"\"", "'''"],
    keywords: &[
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "match",
        "nonlocal", "not", "or", "pass", "raise", "return", "self", "try", "while", "with", "yield",
    ],
    ..C_LIKE
};
const SHELL: Language = Language {
    types: false,
    long_texts: &[],
    keywords: &[
        "alias", "begin", "case", "class", "def", "do", "done", "echo", "elif", "else", "elsif", "end", "esac", "exit",
        "export", "false", "fi", "for", "function", "if", "in", "local", "module", "nil", "readonly", "require",
        "return", "self", "set", "source", "then", "true", "unless", "unset", "until", "while", "yield",
    ],
    ..PYTHON
};
const SQL: Language = Language {
    line_comments: &["--"],
    types: false,
    case_sensitive: false,
    keywords: &[
        "add",
        "all",
        "alter",
        "and",
        "as",
        "asc",
        "begin",
        "between",
        "by",
        "case",
        "commit",
        "create",
        "default",
        "delete",
        "desc",
        "distinct",
        "drop",
        "else",
        "end",
        "exists",
        "foreign",
        "from",
        "group",
        "having",
        "if",
        "in",
        "index",
        "inner",
        "insert",
        "into",
        "is",
        "join",
        "key",
        "left",
        "like",
        "limit",
        "not",
        "null",
        "on",
        "or",
        "order",
        "outer",
        "primary",
        "references",
        "right",
        "rollback",
        "select",
        "set",
        "table",
        "then",
        "union",
        "unique",
        "update",
        "values",
        "view",
        "when",
        "where",
        "with",
    ],
    ..C_LIKE
};
const DATA: Language = Language {
    line_comments: &["#"],
    quotes: &['"', '\''],
    keywords: &["false", "no", "null", "off", "on", "true", "yes"],
    ..NONE
};
const MARKUP: Language = Language { block_comment: Some(("<!--", "-->")), quotes: &['"'], ..NONE };
const STYLES: Language =
    Language { block_comment: Some(("/*", "*/")), quotes: &['"', '\''], keywords: &["important"], ..NONE };

/// The language by the name after a fence or by a file's extension; none is known for what is not code.
pub fn language(name: &str) -> &'static Language {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "rust" | "rs" => &RUST,
        "python" | "py" | "python3" | "pyi" => &PYTHON,
        "javascript" | "js" | "jsx" | "mjs" | "cjs" | "typescript" | "ts" | "tsx" => &SCRIPT,
        "go" | "golang" => &GO,
        "c" | "h" | "cpp" | "c++" | "cc" | "cxx" | "hpp" | "hh" | "java" | "cs" | "csharp" | "c#" | "kotlin" | "kt"
        | "swift" | "scala" | "php" | "dart" | "zig" => &C_LIKE,
        "sh" | "bash" | "zsh" | "shell" | "console" | "fish" | "ruby" | "rb" | "make" | "makefile" | "dockerfile" => {
            &SHELL
        }
        "sql" => &SQL,
        "json" | "jsonc" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "env" => &DATA,
        "html" | "xml" | "svg" | "xhtml" | "vue" => &MARKUP,
        "css" | "scss" | "less" => &STYLES,
        _ => &NONE,
    }
}

/// Cuts a line into coloured pieces that cover it without gaps, and says what stays open.
pub fn line(language: &Language, text: &str, carry: Carry) -> (Vec<(Range<usize>, Token)>, Carry) {
    let mut scan = Scan { language, text, pieces: Vec::new() };
    let carry = scan.run(carry);
    (scan.pieces, carry)
}

struct Scan<'a> {
    language: &'a Language,
    text: &'a str,
    pieces: Vec<(Range<usize>, Token)>,
}

impl Scan<'_> {
    fn run(&mut self, mut carry: Carry) -> Carry {
        let mut at = 0;
        while at < self.text.len() {
            let rest = &self.text[at..];
            match carry {
                Carry::BlockComment => {
                    let close = self.language.block_comment.map_or("", |(_, close)| close);
                    let (length, open) = until(rest, close);
                    at = self.piece(at, length, Token::Comment);
                    carry = if open { carry } else { Carry::None };
                    continue;
                }
                Carry::Text(close) => {
                    let (length, open) = until(rest, close);
                    at = self.piece(at, length, Token::Text);
                    carry = if open { carry } else { Carry::None };
                    continue;
                }
                Carry::None => {}
            }
            if self.language.line_comments.iter().any(|start| rest.starts_with(start)) {
                at = self.piece(at, rest.len(), Token::Comment);
            } else if let Some((open, _)) = self.language.block_comment
                && rest.starts_with(open)
            {
                at = self.piece(at, open.len(), Token::Comment);
                carry = Carry::BlockComment;
            } else if let Some(quote) = self.language.long_texts.iter().find(|quote| rest.starts_with(**quote)) {
                at = self.piece(at, quote.len(), Token::Text);
                carry = Carry::Text(quote);
            } else {
                at = self.word(at, rest);
            }
        }
        carry
    }

    fn word(&mut self, at: usize, rest: &str) -> usize {
        let first = rest.chars().next().unwrap_or(' ');
        if self.language.quotes.contains(&first) {
            return self.piece(at, quoted(rest, first), Token::Text);
        }
        if first.is_ascii_digit() && *self.language != NONE {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
            return self.piece(at, length, Token::Number);
        }
        if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let token = self.name(&rest[..length], &rest[length..]);
            return self.piece(at, length, token);
        }
        self.piece(at, first.len_utf8(), Token::Plain)
    }

    fn name(&self, word: &str, after: &str) -> Token {
        let known = if self.language.case_sensitive {
            self.language.keywords.contains(&word)
        } else {
            self.language.keywords.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
        };
        if known {
            Token::Keyword
        } else if self.language.types && word.starts_with(|c: char| c.is_uppercase()) {
            Token::Type
        } else if *self.language != NONE && (after.starts_with('(') || after.starts_with("!(")) {
            Token::Function
        } else {
            Token::Plain
        }
    }

    fn piece(&mut self, at: usize, length: usize, token: Token) -> usize {
        let end = at + length;
        match self.pieces.last_mut() {
            Some((range, last)) if *last == token => range.end = end,
            _ => self.pieces.push((at..end, token)),
        }
        end
    }
}

/// Bytes up to and with `close`, and whether it is missing.
fn until(rest: &str, close: &str) -> (usize, bool) {
    rest.find(close).map_or((rest.len(), true), |at| ((at + close.len()).max(1).min(rest.len()), false))
}

/// Bytes of a string that ends at its quote or at the line's end.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, text: &str) -> String {
        let mut carry = Carry::None;
        let mut out = String::new();
        for text in text.lines() {
            let (pieces, next) = line(language(name), text, carry);
            carry = next;
            for (range, token) in pieces {
                let letter = match token {
                    Token::Plain => continue,
                    Token::Keyword => 'k',
                    Token::Type => 't',
                    Token::Function => 'f',
                    Token::Text => 's',
                    Token::Number => 'n',
                    Token::Comment => 'c',
                };
                out.push_str(&format!("{letter}:{} ", &text[range]));
            }
        }
        out
    }

    #[test]
    fn rust_code_is_told_apart() {
        assert_eq!(
            shown("rust", "let key = Argon2::new(1, \"a\\\"b\"); // end"),
            "k:let t:Argon2 f:new n:1 s:\"a\\\"b\" c:// end "
        );
    }

    #[test]
    fn a_block_comment_and_a_long_text_go_over_lines() {
        assert_eq!(shown("c", "int a; /* one\ntwo */ b();"), "k:int c:/* one c:two */ f:b ");
        assert_eq!(shown("py", "x = \"\"\"one\ntwo\"\"\" + f(1)"), "s:\"\"\"one s:two\"\"\" f:f n:1 ");
    }

    #[test]
    fn plain_text_has_no_colours() {
        assert_eq!(shown("", "let it be (2) \"quoted\""), "");
    }

    proptest::proptest! {
        #[test]
        fn pieces_cover_every_line(text in "[ -~äß漢/*\"'`#\\\\]{0,80}", name in "rust|py|js|sql|html|sh|") {
            let (pieces, _) = line(language(&name), &text, Carry::None);
            let joined: String = pieces.iter().map(|(range, _)| &text[range.clone()]).collect();
            proptest::prop_assert_eq!(joined, text);
        }
    }
}
