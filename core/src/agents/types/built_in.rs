//! The types inside the executable: definitions like those of the person, in assets/agents.

use std::sync::LazyLock;

use super::type_of;
use crate::agents::definition;
use crate::model::{AgentType, TypeOrigin};

macro_rules! types {
    ($($id:literal),* $(,)?) => {
        &[$((
            $id,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/agents/", $id, "/agent.toml")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/agents/", $id, "/prompt.md")),
        )),*]
    };
}

const TEXTS: &[(&str, &str, &str)] = types![
    "conversational",
    "analytical",
    "creative",
    "automation",
    "research",
    "digest",
    "task-manager",
    "mail-scan",
    "reimbursement",
    "pipeline-monitor",
    "session-snapshots",
];

static TYPES: LazyLock<Vec<AgentType>> = LazyLock::new(|| {
    let types = TEXTS.iter().map(|(id, text, prompt)| {
        let definition = definition::toml(text).expect("a test reads every built-in definition");
        type_of(id, definition, prompt.trim().to_owned(), TypeOrigin::BuiltIn)
            .expect("a test checks every built-in definition")
    });
    types.collect()
});

/// The four general ones first.
pub fn built_ins() -> &'static [AgentType] {
    &TYPES
}

/// The built-in type of this id.
pub fn built_in(id: &str) -> Option<AgentType> {
    TYPES.iter().find(|kind| kind.id == id).cloned()
}
