//! Which language a file is written in: by its name, its first line, and for C headers by what is in them.

use std::path::Path;
use std::sync::LazyLock;

use crate::languages::{self, Row};
use crate::table::{Act, Rule};

/// A language with a grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    Rust,
    Python,
    JavaScript,
    TypeScript,
    Tsx,
    Go,
    C,
    Cpp,
    Java,
    CSharp,
    Ruby,
    Php,
    Bash,
    Json,
    Yaml,
    Toml,
    Html,
    Css,
}

/// How much of a header is looked at to tell C++ from C, in bytes.
const HEADER_LOOK: usize = 64 << 10;
const CPP_SIGNS: &[&str] =
    &["\nnamespace ", "\nclass ", "template <", "template<", "public:", "private:", "std::", "\nusing "];

impl Language {
    pub const ALL: [Self; 18] = [
        Self::Rust,
        Self::Python,
        Self::JavaScript,
        Self::TypeScript,
        Self::Tsx,
        Self::Go,
        Self::C,
        Self::Cpp,
        Self::Java,
        Self::CSharp,
        Self::Ruby,
        Self::Php,
        Self::Bash,
        Self::Json,
        Self::Yaml,
        Self::Toml,
        Self::Html,
        Self::Css,
    ];

    /// By the file's name alone; a `.h` file is taken for C.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| {
            let row = language.row();
            row.extensions.contains(&extension.as_str()) || row.names.contains(&name.as_str())
        })
    }

    /// By the interpreter in a script's first line: `#!/usr/bin/env python3`.
    pub fn of_shebang(first_line: &str) -> Option<Self> {
        let command = first_line.strip_prefix("#!")?;
        let mut words = command.split_whitespace();
        let mut program = words.next()?.rsplit('/').next()?;
        if program == "env" {
            program = words.find(|word| !word.starts_with('-') && !word.contains('='))?.rsplit('/').next()?;
        }
        // `python3.12`
        let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        Self::ALL.into_iter().find(|language| language.row().interpreters.contains(&program))
    }

    /// By name, then by the first line; what a header holds tells C++ from C.
    pub fn of(path: Option<&Path>, source: &str) -> Option<Self> {
        let by_name = path.and_then(Self::of_path);
        if by_name == Some(Self::C) && path.and_then(Path::extension).is_some_and(|extension| extension == "h") {
            let mut end = source.len().min(HEADER_LOOK);
            while !source.is_char_boundary(end) {
                end -= 1;
            }
            let head = &source[..end];
            return Some(if CPP_SIGNS.iter().any(|sign| head.contains(sign)) { Self::Cpp } else { Self::C });
        }
        by_name.or_else(|| Self::of_shebang(source.lines().next().unwrap_or("")))
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub(crate) fn row(self) -> &'static Row {
        match self {
            Self::Rust => &languages::rust::ROW,
            Self::Python => &languages::python::ROW,
            Self::JavaScript => &languages::ecma::JAVASCRIPT,
            Self::TypeScript => &languages::ecma::TYPESCRIPT,
            Self::Tsx => &languages::ecma::TSX,
            Self::Go => &languages::go::ROW,
            Self::C => &languages::c::C,
            Self::Cpp => &languages::c::CPP,
            Self::Java => &languages::java::JAVA,
            Self::CSharp => &languages::java::CSHARP,
            Self::Ruby => &languages::script::RUBY,
            Self::Php => &languages::script::PHP,
            Self::Bash => &languages::script::BASH,
            Self::Json => &languages::data::JSON,
            Self::Yaml => &languages::YAML,
            Self::Toml => &languages::data::TOML,
            Self::Html => &languages::web::HTML,
            Self::Css => &languages::web::CSS,
        }
    }

    /// None where lines alone tell the structure.
    pub(crate) fn grammar(self) -> Option<&'static Grammar> {
        static ALL: [LazyLock<Option<Grammar>>; 18] = {
            macro_rules! grammars {
                ($($language:ident)*) => { [$(LazyLock::new(|| Grammar::new(Language::$language.row()))),*] };
            }
            grammars!(Rust Python JavaScript TypeScript Tsx Go C Cpp Java CSharp Ruby Php Bash Json Yaml Toml Html Css)
        };
        ALL[self as usize].as_ref()
    }
}

/// A grammar with the rules found by node kind.
pub(crate) struct Grammar {
    pub language: tree_sitter::Language,
    /// By kind id.
    rules: Vec<Option<Act>>,
}

impl Grammar {
    fn new(row: &Row) -> Option<Self> {
        let language = (row.grammar?)();
        let find = |name: &str| -> Option<Act> {
            let of = |rules: &'static [Rule]| rules.iter().find(|rule| rule.node == name).map(|rule| rule.act);
            row.rules.iter().find_map(|rules| of(rules))
        };
        let rules = (0..language.node_kind_count())
            .map(|id| {
                let id = u16::try_from(id).ok()?;
                if language.node_kind_is_named(id) { find(language.node_kind_for_id(id)?) } else { None }
            })
            .collect();
        Some(Self { language, rules })
    }

    pub fn act(&self, kind_id: u16) -> Option<Act> {
        self.rules.get(usize::from(kind_id)).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_first_lines_tell_the_language() {
        let check = |path: &str, source: &str, expected: Option<Language>| {
            assert_eq!(Language::of(Some(Path::new(path)), source), expected, "{path}");
        };
        check("a/b.rs", "", Some(Language::Rust));
        check("x.TSX", "", Some(Language::Tsx));
        check("x.h", "struct a { int b; };\n", Some(Language::C));
        check("x.h", "#pragma once\nnamespace a {\n}\n", Some(Language::Cpp));
        check("run", "#!/usr/bin/env -S python3.12 -u\n", Some(Language::Python));
        check("run", "#!/bin/sh\n", Some(Language::Bash));
        check("run", "#!/usr/bin/env node\n", Some(Language::JavaScript));
        check("Gemfile", "", Some(Language::Ruby));
        check("Cargo.lock", "", Some(Language::Toml));
        check("x.lua", "", None);
    }

    /// A rule for a node kind that the grammar does not have can never apply: a spelling mistake.
    #[test]
    fn every_rule_names_a_node_kind_of_its_grammar() {
        for language in Language::ALL {
            let Some(grammar) = language.grammar() else { continue };
            for rule in language.row().rules.iter().flat_map(|rules| rules.iter()) {
                let known = grammar.language.id_for_node_kind(rule.node, true) != 0;
                assert!(known, "{language:?}: {}", rule.node);
            }
        }
    }
}
