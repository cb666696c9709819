//! Agents as files: exported as TOML without secrets and folders, imported with nothing allowed that the person has not
//! allowed here.

use super::definition::{self, Definition};
use crate::api::{ApiError, ErrorCategory};
use crate::model::{AgentDraft, AgentType};

const HEAD: &str =
    "# An agent of RS Personal Agent. `rspa agents import FILE` makes it again; what it would allow is asked.\n";

/// The text of a file that [`draft_of`] reads.
///
/// # Errors
/// When a setting of a tool has no form in TOML.
pub fn text_of(draft: &AgentDraft) -> Result<String, ApiError> {
    let mut definition = Definition::of(draft);
    for word in definition.tools.values_mut() {
        // TOML has no null: nothing is said instead.
        word.0.settings.retain(|_, value| !value.is_null());
    }
    let text = toml::to_string_pretty(&definition).map_err(|error| {
        ApiError::new(
            ErrorCategory::Processing,
            format!("{} cannot be written as TOML: {error}", draft.name),
            "Look at the settings of its tools.",
        )
    })?;
    Ok(format!("{HEAD}{text}"))
}

/// The agent that a text describes: tools at most asked, no folders. What the text leaves out is as its type, where
/// `find` knows it, says.
///
/// # Errors
/// Category validation, with line and column where the text is no agent.
pub fn draft_of(text: &str, find: impl Fn(&str) -> Option<AgentType>) -> Result<AgentDraft, ApiError> {
    let mut definition = definition::any(text).map_err(|wrong| {
        ApiError::validation(
            format!("this is no agent: {wrong}"),
            "Give a file that was exported, or a definition in TOML, YAML or JSON.",
        )
    })?;
    definition.ask_at_most();
    let kind = definition.kind.take().unwrap_or_else(|| "conversational".to_owned());
    let known = find(&kind);
    let prompt = match (definition.prompt.take(), &known) {
        (Some(prompt), _) => prompt,
        (None, Some(known)) => known.defaults.system_prompt.clone(),
        (None, None) => String::new(),
    };
    // A type that this computer does not have would leave the agent without its routine; its settings stand alone well.
    let kind = if known.is_some() { kind } else { "conversational".to_owned() };
    Ok(definition.into_draft(&kind, prompt))
}

/// A name near to this one that nobody has: "Ada", "Ada 2", "Ada 3".
pub fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let name = name.trim();
    if !is_taken(name) {
        return name.to_owned();
    }
    let cut: String = name.chars().take(super::validate::LONGEST_NAME - 6).collect();
    let numbered = (2..10_000).map(|number| format!("{} {number}", cut.trim_end()));
    numbered.into_iter().find(|name| !is_taken(name)).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::agents::types;
    use crate::model::{AllowedFolder, Permission, ToolRule};

    fn draft() -> AgentDraft {
        let mut draft = types::built_in("analytical").unwrap().defaults;
        draft.name = "Quarterly \"analyst\"".to_owned();
        draft.system_prompt = "Line one\nLine 'two' \"\"\" \\ end".to_owned();
        draft.tools = BTreeMap::from([(
            "http_request".to_owned(),
            ToolRule {
                permission: Permission::Allow,
                settings: BTreeMap::from([("hosts".to_owned(), json!(["a.org"])), ("none".to_owned(), json!(null))]),
            },
        )]);
        draft.folders = vec![AllowedFolder { path: "/home/ada/q4".into(), write: true }];
        draft
    }

    #[test]
    fn what_goes_out_comes_in_but_grants_nothing() {
        let text = text_of(&draft()).unwrap();
        assert!(!text.contains("/home/ada"), "{text}");
        let mut expected = draft();
        expected.folders.clear();
        let rule = expected.tools.get_mut("http_request").unwrap();
        rule.permission = Permission::Ask;
        rule.settings.remove("none");
        assert_eq!(draft_of(&text, types::built_in).unwrap(), expected);
    }

    #[test]
    fn an_unknown_type_and_unknown_tools_do_not_stop_an_import() {
        let read =
            draft_of("name: Far\nkind: from-elsewhere\ntools: {mind_reading: allow}\n", types::built_in).unwrap();
        assert_eq!((read.kind.as_str(), read.tools["mind_reading"].permission), ("conversational", Permission::Ask));
        let wrong = draft_of("name = \"x\"\nfolders = [\"/\"]\n", types::built_in).unwrap_err();
        assert!(wrong.message.contains("line 2, column 1") && wrong.message.contains("folders"), "{wrong}");
    }

    #[test]
    fn names_are_numbered_until_one_is_free() {
        let taken = ["ada", "ada 2"];
        let is_taken = |name: &str| taken.contains(&name.to_lowercase().as_str());
        assert_eq!(free_name(" Ada ", is_taken), "Ada 3");
        assert_eq!(free_name("Bob", is_taken), "Bob");
        let long = "x".repeat(80);
        assert_eq!(free_name(&long, |name| name.len() == 80).chars().count(), 76);
    }
}
