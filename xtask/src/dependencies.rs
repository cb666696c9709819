//! `cargo xtask deps`: which crate may depend on which, and which module may use what.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::process;

/// Each crate of ours with those of ours that it may depend on. A new crate gets a line here.
const ARROWS: [(&str, &[&str]); 9] = [
    ("rspa", &["rspa-core"]),
    ("rspa-core", &["rspa-ml", "rspa-fetch", "rspa-readers", "rspa-syntax", "rspa-vectors"]),
    ("rspa-ml", &[]),
    ("rspa-fetch", &[]),
    ("rspa-readers", &["rspa-ml", "rspa-syntax"]),
    ("rspa-syntax", &["rspa-ml"]),
    ("rspa-vectors", &["rspa-ml"]),
    ("rspa-tests", &["rspa-core"]),
    ("xtask", &["rspa-fetch"]),
];

/// Outside libraries that only these crates of ours may name in their Cargo.toml.
const OWNED_LIBRARIES: [(&str, &[&str]); 6] = [
    ("redb", &["rspa-core"]),
    ("tantivy", &["rspa-core"]),
    ("ureq", &["rspa-fetch"]),
    ("egui", &["rspa", "rspa-tests"]),
    ("eframe", &["rspa"]),
    ("candle-core", &["rspa-ml"]),
];

/// A name that source files may use only below these paths.
struct Rule {
    name: &'static str,
    /// Where the rule looks.
    within: &'static [&'static str],
    allowed: &'static [&'static str],
    reason: &'static str,
}

const RULES: [Rule; 9] = [
    Rule { name: "redb", within: ALL, allowed: &["core/src/storage"], reason: "only storage opens databases" },
    Rule { name: "ureq", within: ALL, allowed: &["core/fetch"], reason: "the HTTP client is built in one place" },
    Rule {
        name: "rspa_fetch",
        within: ALL,
        allowed: &["core/src/trust/egress", "xtask"],
        reason: "every outgoing byte passes the egress door",
    },
    Rule {
        name: "TcpStream",
        within: PRODUCT,
        allowed: &["core/fetch", "core/src/trust/egress"],
        reason: "every outgoing byte passes the egress door",
    },
    Rule {
        name: "UdpSocket",
        within: PRODUCT,
        allowed: &["core/src/trust/egress"],
        reason: "every outgoing byte passes the egress door",
    },
    Rule { name: "egui", within: &["core", "ml"], allowed: &[], reason: "core and ml know no user interface" },
    Rule { name: "eframe", within: &["core", "ml"], allowed: &[], reason: "core and ml know no user interface" },
    Rule {
        name: "rspa_core",
        within: &["ml", "core/fetch", "core/readers", "core/syntax", "core/vectors"],
        allowed: &[],
        reason: "arrows point from app to core to ml",
    },
    Rule { name: "rspa_ml", within: &["app"], allowed: &[], reason: "the window reaches models through core::api" },
];
const ALL: &[&str] = &["app", "core", "ml", "tests", "xtask"];
const PRODUCT: &[&str] = &["app", "core", "ml"];

/// What no view may name: views are functions of state and return commands.
const VIEWS: &str = "app/src/views";
const FORBIDDEN_IN_VIEWS: [&str; 3] = ["storage", "redb", "rusqlite"];

pub fn run() -> Result<()> {
    let mut violations = crate_violations(&process::metadata()?);
    violations.extend(source_violations(&process::root()));
    if !violations.is_empty() {
        bail!("dependencies in the wrong direction:\n  {}", violations.join("\n  "));
    }
    println!("dependencies: every arrow points the right way");
    Ok(())
}

fn crate_violations(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let ours: Vec<String> = packages.iter().map(name).collect();
    let mut violations = Vec::new();
    for package in packages {
        let from = name(package);
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == from) else {
            violations.push(format!("{from} is a new crate: say in xtask/src/dependencies.rs what it may depend on"));
            continue;
        };
        for to in package["dependencies"].as_array().into_iter().flatten().map(name) {
            if ours.contains(&to) && !allowed.contains(&to.as_str()) {
                violations.push(format!("{from} depends on {to}"));
            }
            if let Some((_, owners)) = OWNED_LIBRARIES.iter().find(|(library, _)| *library == to)
                && !owners.contains(&from.as_str())
            {
                violations.push(format!("{from} depends on {to}, which belongs to {}", owners.join(", ")));
            }
        }
    }
    violations
}

fn source_violations(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for folder in ALL {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let views = view_names(root);
    let mut violations = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let path = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        // This file names what it forbids.
        if path == "xtask/src/dependencies.rs" {
            continue;
        }
        for (number, line) in code_lines(&text) {
            let words: Vec<&str> = words(line).collect();
            for rule in &RULES {
                let applies = below(&path, rule.within) && !below(&path, rule.allowed);
                if applies && words.contains(&rule.name) {
                    violations.push(format!("{path}:{number}: '{}': {}", rule.name, rule.reason));
                }
            }
            if let Some(view) = path.strip_prefix(VIEWS).and_then(|rest| rest.strip_prefix('/')).map(view_of) {
                violations
                    .extend(view_violation(view, line, &words, &views).map(|what| format!("{path}:{number}: {what}")));
            }
        }
    }
    violations
}

/// A view that names another view, or storage, in a path.
fn view_violation(view: &str, line: &str, words: &[&str], views: &[String]) -> Option<String> {
    if let Some(name) = words.iter().find(|word| FORBIDDEN_IN_VIEWS.contains(word)) {
        return Some(format!("a view uses '{name}'; it asks through core::api"));
    }
    // An import may name it in braces, `views::{own, other}`; elsewhere it stands right behind the path.
    let imports = line.contains("use ") && words.iter().any(|word| matches!(*word, "super" | "views"));
    let named = |name: &str| {
        let behind_path = ["super", "views"].iter().any(|path| line.contains(&format!("{path}::{name}")));
        words.contains(&name) && (imports || behind_path)
    };
    let other = views.iter().find(|name| *name != view && named(name))?;
    Some(format!("the view '{view}' uses the view '{other}'"))
}

fn view_names(root: &Path) -> Vec<String> {
    let items = fs::read_dir(root.join(VIEWS)).into_iter().flatten().flatten();
    items.map(|item| view_of(&item.file_name().to_string_lossy()).to_owned()).collect()
}

/// `chat` for `chat.rs` and for `chat/list.rs`.
fn view_of(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn below(path: &str, folders: &[&str]) -> bool {
    folders.iter().any(|folder| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with(['/', '.']) || (folder.ends_with("egress") && !rest.is_empty()))
    })
}

/// Lines that hold code, numbered from 1, without comments and texts. Everything after `#[cfg(test)]` at the start of
/// a line is test code and may use what it needs.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
    code.enumerate()
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or(line)))
        .filter(|(_, line)| !line.trim_start().starts_with('"'))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    // Every second piece lies between quotation marks.
    line.split('"')
        .step_by(2)
        .flat_map(|piece| piece.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = item.path();
        if item.file_type().is_ok_and(|kind| kind.is_dir()) {
            if item.file_name() != "target" {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(source_violations(root.path()), expected);
    }

    #[test]
    fn only_storage_opens_databases() {
        check(&[("core/src/storage/db.rs", "use redb::Database;"), ("core/src/storage.rs", "use redb::Error;")], &[]);
        check(
            &[("core/src/knowledge/index.rs", "use redb::Database;")],
            &["core/src/knowledge/index.rs:1: 'redb': only storage opens databases"],
        );
    }

    #[test]
    fn only_the_door_reaches_the_network() {
        check(
            &[
                ("core/src/trust/egress.rs", "rspa_fetch::fetch()"),
                ("core/src/trust/egress_ledger.rs", "rspa_fetch::x"),
            ],
            &[],
        );
        check(
            &[("core/src/models.rs", "let x = std::net::TcpStream::connect(a);\nrspa_fetch::fetch();")],
            &[
                "core/src/models.rs:1: 'TcpStream': every outgoing byte passes the egress door",
                "core/src/models.rs:2: 'rspa_fetch': every outgoing byte passes the egress door",
            ],
        );
    }

    #[test]
    fn core_and_ml_know_no_window_and_ml_knows_no_core() {
        check(
            &[("ml/src/a.rs", "use rspa_core::api;\nuse egui::Ui;")],
            &[
                "ml/src/a.rs:1: 'rspa_core': arrows point from app to core to ml",
                "ml/src/a.rs:2: 'egui': core and ml know no user interface",
            ],
        );
    }

    #[test]
    fn views_do_not_use_one_another() {
        let others = ("app/src/views/models.rs", "fn draw() {}");
        check(
            &[others, ("app/src/views/chat/list.rs", "use super::Item;\nlet models = super::inside(models.len());")],
            &[],
        );
        check(
            &[others, ("app/src/views/chat/list.rs", "use crate::views::models::draw;\nuse crate::storage::Db;")],
            &[
                "app/src/views/chat/list.rs:1: the view 'chat' uses the view 'models'",
                "app/src/views/chat/list.rs:2: a view uses 'storage'; it asks through core::api",
            ],
        );
    }

    #[test]
    fn comments_texts_and_tests_do_not_count() {
        check(
            &[("core/src/a.rs", "// redb is elsewhere\nlet a = \"redb\";\n#[cfg(test)]\nmod tests { use redb::x; }")],
            &[],
        );
    }

    #[test]
    fn crates_depend_only_along_the_arrows() {
        let metadata = serde_json::json!({"packages": [
            {"name": "rspa-ml", "dependencies": [{"name": "rspa-core"}, {"name": "serde"}, {"name": "redb"}]},
            {"name": "rspa-core", "dependencies": [{"name": "rspa-ml"}, {"name": "redb"}]},
            {"name": "surprise", "dependencies": []},
        ]});
        let violations = crate_violations(&metadata);
        assert_eq!(violations.len(), 3, "{violations:?}");
        assert_eq!(violations[0], "rspa-ml depends on rspa-core");
    }
}
