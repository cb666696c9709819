//! Fields of agents: what is refused, in which words, and what may stay.

use std::path::Path;

use super::*;
use crate::agents::types;
use crate::model::{Permission, ToolRule};

fn draft() -> AgentDraft {
    let mut draft = types::built_in("analytical").unwrap().defaults;
    draft.name = "Ada".to_owned();
    draft.tools.clear();
    draft
}

fn fields(draft: &AgentDraft) -> Vec<&'static str> {
    faults(draft, &Ground::default()).into_iter().map(|fault| fault.field).collect()
}

#[test]
fn each_field_has_its_bounds() {
    assert!(fields(&draft()).is_empty());
    let with = |change: &dyn Fn(&mut AgentDraft)| {
        let mut changed = draft();
        change(&mut changed);
        fields(&changed)
    };
    assert_eq!(with(&|d| d.name = "  ".to_owned()), ["name"]);
    assert_eq!(with(&|d| d.name = "x".repeat(81)), ["name"]);
    assert_eq!(with(&|d| d.name = "ä".repeat(80)), [""; 0]);
    assert_eq!(with(&|d| d.name = "a\u{7}b".to_owned()), ["name"]);
    for temperature in [-0.1, 2.1, f64::NAN, f64::INFINITY] {
        assert_eq!(with(&|d| d.temperature = temperature), ["temperature"]);
    }
    assert_eq!(with(&|d| d.max_tokens = 0), ["max_tokens"]);
    assert_eq!(with(&|d| d.max_tokens = 65_537), ["max_tokens"]);
    assert_eq!(with(&|d| d.system_prompt = "x".repeat(LARGEST_PROMPT + 1)), ["prompt"]);
    assert_eq!(with(&|d| d.tags = vec!["t".repeat(41)]), ["tags"]);
    assert_eq!(with(&|d| d.tags = vec!["t".to_owned(); 21]), ["tags"]);
    assert_eq!(with(&|d| d.budget.steps = 0), ["budget.steps"]);
    assert_eq!(with(&|d| d.budget.seconds = 86_401), ["budget.seconds"]);
    assert_eq!(with(&|d| d.avatar = "../x".to_owned()), ["avatar"]);
}

#[test]
fn a_provider_has_an_id_and_its_model_is_named() {
    let mut other = draft();
    other.model = None;
    other.provider = "ollama".to_owned();
    let words = checked(other.clone(), None, &Ground::default()).unwrap_err().message;
    assert!(words.starts_with("provider: ") && words.contains("choose one of the models"), "{words}");
    other.model = Some(ModelId("llama3.2".to_owned()));
    checked(other.clone(), None, &Ground::default()).unwrap();
    assert_eq!(model_of(&other), Some(ModelId("ollama/llama3.2".to_owned())));
    other.model = Some(ModelId("ollama/llama3.2".to_owned()));
    assert_eq!(model_of(&other), other.model);
    other.provider = "Ollama!".to_owned();
    let words = checked(other.clone(), None, &Ground::default()).unwrap_err().message;
    assert!(words.contains("no id of a provider"), "{words}");
    other.provider = EMBEDDED.to_owned();
    assert_eq!(model_of(&other), other.model, "the model says where it runs");
}

#[test]
fn tools_and_types_must_exist_unless_the_agent_had_them() {
    let ground = Ground {
        tools: Some(BTreeSet::from(["read_file".to_owned()])),
        types: Some(BTreeSet::from(["analytical".to_owned()])),
        ..Ground::default()
    };
    let mut with = draft();
    let rule = ToolRule { permission: Permission::Ask, settings: Default::default() };
    with.tools.insert("mind_reading".to_owned(), rule);
    let refused = checked(with.clone(), None, &ground).unwrap_err();
    assert_eq!(refused.message, "tools: there is no tool \"mind_reading\"");
    checked(with.clone(), Some(&with), &ground).unwrap();
    let mut of = draft();
    of.kind = "gone".to_owned();
    assert!(checked(of.clone(), None, &ground).unwrap_err().message.starts_with("type: "));
    checked(of.clone(), Some(&of), &ground).unwrap();
}

#[test]
fn folders_are_real_and_never_the_programs_own() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().canonicalize().unwrap();
    let (data, home, own) = (root.join("home/.rspa"), root.join("home"), root.join("home/q4"));
    for folder in [&data, &own] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(root.join("file"), "x").unwrap();
    let ground = Ground { data: Some(data.clone()), home: Some(home.clone()), ..Ground::default() };
    let check = |path: &Path, write| {
        let mut with = draft();
        with.folders = vec![AllowedFolder { path: path.to_owned(), write }];
        checked(with, None, &ground)
    };
    check(&own, true).unwrap();
    check(&home, true).unwrap();
    for path in
        [Path::new("q4"), Path::new("/"), &data, &data.join("agents"), &root, &root.join("file"), &root.join("no")]
    {
        assert!(check(path, false).unwrap_err().message.starts_with("folders: "), "{}", path.display());
    }
    assert!(check(&own.join("../.rspa"), false).is_err());
    #[cfg(unix)]
    {
        let link = root.join("link");
        std::os::unix::fs::symlink(&data, &link).unwrap();
        assert!(check(&link, false).is_err());
    }
    let mut with = draft();
    with.folders = vec![AllowedFolder { path: home, write: true }];
    let warned = faults(&with, &ground);
    assert!(warned.len() == 1 && warned[0].warning, "{warned:?}");
}

#[test]
fn texts_are_tidied() {
    let mut messy = draft();
    messy.name = "  Ada ".to_owned();
    messy.tags = ["a", " A ", "", "b"].map(str::to_owned).to_vec();
    let tidied = tidy(messy);
    assert_eq!((tidied.name.as_str(), tidied.tags.len()), ("Ada", 2));
}
