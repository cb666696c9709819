//! Types inside the executable and in folders, good, broken and hostile.

use super::*;
use crate::model::Permission;

/// The tools that built-in types may name.
const TOOLS: &[&str] = &[
    "list_folder",
    "read_file",
    "write_file",
    "search_files",
    "run_command",
    "http_request",
    "read_page",
    "web_search",
    "search_knowledge",
    "read_passage",
    "explore_table",
    "table_query",
    "statistics",
    "regression",
    "json_query",
    "draw_chart",
    "create_task",
    "list_tasks",
    "update_task",
    "create_schedule",
    "ask_user",
    "hand_over",
    "store_get",
    "store_put",
    "list_activities",
    "watch_report",
    "snapshot_session",
];

struct Dropped(tempfile::TempDir);

impl Dropped {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, path: &str, text: &str) {
        let path = folder(self.0.path()).join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn own(&self) -> Vec<AgentType> {
        list(self.0.path()).types.split_off(built_ins().len())
    }

    fn problem(&self) -> String {
        let mut list = list(self.0.path());
        assert_eq!(list.types.len(), built_ins().len(), "it is no type");
        assert_eq!(list.problems.len(), 1, "{:?}", list.problems);
        list.problems.remove(0).why
    }
}

#[test]
fn every_built_in_type_is_whole() {
    let temperature = |id: &str| built_in(id).unwrap().defaults.temperature;
    assert_eq!(
        [temperature("conversational"), temperature("analytical"), temperature("creative"), temperature("automation")],
        [0.8, 0.3, 0.9, 0.2]
    );
    for kind in built_ins() {
        assert!(!kind.name.is_empty() && !kind.description.is_empty() && !kind.icon.is_empty(), "{}", kind.id);
        assert!(!kind.uses_model || !kind.defaults.system_prompt.is_empty(), "{}", kind.id);
        let called = kind.routine.iter().map(|call| call.tool.as_str());
        for name in kind.defaults.tools.keys().map(String::as_str).chain(called) {
            assert!(TOOLS.contains(&name), "{} names the tool {name}", kind.id);
        }
        for call in &kind.routine {
            assert!(kind.defaults.tools.contains_key(&call.tool), "{} may not call {}", kind.id, call.tool);
        }
        for (name, rule) in &kind.defaults.tools {
            let grave =
                ["write_file", "run_command", "http_request", "read_page", "web_search"].contains(&name.as_str());
            assert!(!grave || rule.permission >= Permission::Ask, "{} does not ask before {name}", kind.id);
        }
    }
}

#[test]
fn a_dropped_folder_appears_and_never_grants_by_itself() {
    let dropped = Dropped::new();
    dropped.put(
        "invoice-checker/agent.toml",
        "name = \"Invoice checker\"\ndescription = \"Looks at invoices\"\ntemperature = 0.1\n\n[tools]\nread_file = \
         \"allow\"\nrun_command = \"deny\"\n",
    );
    dropped.put("invoice-checker/prompt.md", "You check invoices.\n");
    dropped.put("tidy/agent.yaml", "name: Tidy\nprompt_file: rules.txt\ntools:\n  list_folder: allow\n");
    dropped.put("tidy/rules.txt", "\u{feff}Keep order.");
    dropped.put("README.md", "not a type");
    let own = dropped.own();
    assert_eq!(own.iter().map(|kind| kind.id.as_str()).collect::<Vec<_>>(), ["invoice-checker", "tidy"]);
    assert_eq!(own[0].defaults.system_prompt, "You check invoices.");
    assert_eq!(own[1].defaults.system_prompt, "Keep order.");
    assert_eq!(own[0].defaults.tools["read_file"].permission, Permission::Ask);
    assert_eq!(own[0].defaults.tools["run_command"].permission, Permission::Deny);
    assert_eq!(find(dropped.0.path(), "tidy").unwrap().name, "Tidy");
    assert_eq!(find(dropped.0.path(), "../tidy"), None);
    assert_eq!(list(dropped.0.path()).problems, []);
}

#[test]
fn broken_definitions_are_told_with_line_and_column() {
    let dropped = Dropped::new();
    dropped.put("a/agent.toml", "name = \"A\"\ntemperature = \"warm\"\n");
    assert!(dropped.problem().starts_with("line 2, column 15: "), "{}", dropped.problem());
    let dropped = Dropped::new();
    dropped.put("a/agent.yaml", "name: A\nmax_tokens: many\n");
    assert!(dropped.problem().starts_with("line 2, column "), "{}", dropped.problem());
    for (text, expected) in [
        ("name = \"A\"\ntemperature = 3.0\n", "temperature: "),
        ("name = \"A\"\nkind = \"analytical\"\n", "kind: "),
        ("name = \"A\"\nuses_model = false\n", "routine: "),
        ("name = \"A\"\nprompt = \"x\"\nprompt_file = \"y\"\n", "both prompt and prompt_file"),
        ("name = \"A\"\nprovider = \"acme\"\n", "provider: "),
        ("name = \"A\"\n[[routine]]\ntool = \"rm -rf\"\n", "routine: "),
    ] {
        let dropped = Dropped::new();
        dropped.put("a/agent.toml", text);
        assert!(dropped.problem().contains(expected), "{text}: {}", dropped.problem());
    }
}

#[test]
fn hostile_folders_are_refused_in_words() {
    let dropped = Dropped::new();
    dropped.put("analytical/agent.toml", "name = \"Mine\"");
    assert!(dropped.problem().contains("built-in"));
    let dropped = Dropped::new();
    dropped.put("Odd Name/agent.toml", "name = \"x\"");
    assert!(dropped.problem().contains("small letters"));
    let dropped = Dropped::new();
    dropped.put("empty/other.txt", "");
    assert!(dropped.problem().contains("no agent.toml"));
    let dropped = Dropped::new();
    dropped.put("two/agent.toml", "name = \"x\"");
    dropped.put("two/agent.yaml", "name: x");
    assert!(dropped.problem().contains("more than one"));
    let dropped = Dropped::new();
    dropped.put("huge/agent.toml", &format!("name = \"{}\"", "x".repeat(300 << 10)));
    assert!(dropped.problem().contains("more than"));
    for name in ["../../secret", "/etc/passwd", "a/b", "..", "a\\\\b"] {
        let dropped = Dropped::new();
        dropped.put("a/agent.toml", &format!("name = \"x\"\nprompt_file = \"{name}\""));
        assert!(dropped.problem().contains("prompt_file"), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_not_followed() {
    use std::os::unix::fs::symlink;

    let dropped = Dropped::new();
    let elsewhere = dropped.0.path().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("agent.toml"), "name = \"x\"").unwrap();
    std::fs::create_dir_all(folder(dropped.0.path())).unwrap();
    symlink(&elsewhere, folder(dropped.0.path()).join("linked")).unwrap();
    assert!(dropped.problem().contains("link"));
    assert_eq!(find(dropped.0.path(), "linked"), None);
    let dropped = Dropped::new();
    dropped.put("a/prompt.md", "x");
    symlink("/etc/hostname", folder(dropped.0.path()).join("a/agent.toml")).unwrap();
    assert!(dropped.problem().contains("no plain file"));
    let dropped = Dropped::new();
    dropped.put("a/agent.toml", "name = \"x\"");
    symlink("/etc/hostname", folder(dropped.0.path()).join("a/prompt.md")).unwrap();
    assert!(dropped.problem().contains("no plain file"));
}
