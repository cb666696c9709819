//! Ready-made crews inside the executable: definitions in assets/crews.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::{CrewProcess, CrewTemplate, TemplateStep};

macro_rules! templates {
    ($($id:literal),* $(,)?) => {
        &[$(($id, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/crews/", $id, ".toml")))),*]
    };
}

const TEXTS: &[(&str, &str)] =
    templates!["code-review", "content-pipeline", "customer-support", "data-analysis", "report"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    description: String,
    icon: String,
    #[serde(default)]
    process: CrewProcess,
    #[serde(default)]
    variables: Vec<String>,
    steps: Vec<WrittenStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    key: String,
    title: String,
    instructions: String,
    #[serde(default)]
    depends_on: Vec<String>,
    role: String,
    agent_type: String,
    system_prompt: String,
    #[serde(default)]
    tools: Vec<String>,
}

static TEMPLATES: LazyLock<Vec<CrewTemplate>> = LazyLock::new(|| {
    let read = |(id, text): &(&str, &str)| {
        let written: Written = toml::from_str(text).expect("a test reads every template");
        let steps = written.steps.into_iter().map(|step| TemplateStep {
            key: step.key,
            title: step.title,
            instructions: step.instructions.trim().to_owned(),
            depends_on: step.depends_on,
            role: step.role,
            agent_type: step.agent_type,
            system_prompt: step.system_prompt.trim().to_owned(),
            tools: step.tools,
        });
        CrewTemplate {
            id: (*id).to_owned(),
            name: written.name,
            description: written.description,
            icon: written.icon,
            process: written.process,
            variables: written.variables,
            steps: steps.collect(),
        }
    };
    TEXTS.iter().map(read).collect()
});

pub fn all() -> &'static [CrewTemplate] {
    &TEMPLATES
}

/// The template of this id.
pub fn find(id: &str) -> Option<&'static CrewTemplate> {
    TEMPLATES.iter().find(|template| template.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::types;
    use crate::crews::{fill, graph};
    use crate::model::{CrewDraft, CrewStep, Permission, ToolEffect};
    use crate::tools;

    #[test]
    fn every_template_is_a_crew_of_agents_and_tools_that_exist() {
        assert_eq!(all().len(), TEXTS.len());
        for template in all() {
            let steps = template.steps.iter().map(|step| CrewStep {
                key: step.key.clone(),
                title: step.title.clone(),
                instructions: step.instructions.clone(),
                agent: None,
                depends_on: step.depends_on.clone(),
                at: None,
            });
            let draft = CrewDraft {
                name: template.name.clone(),
                description: template.description.clone(),
                steps: steps.collect(),
                variables: template.variables.clone(),
                ..CrewDraft::default()
            };
            let checked = graph::checked(draft.clone()).unwrap_or_else(|error| panic!("{}: {error}", template.id));
            assert_eq!(checked, draft, "{}", template.id);
            assert!((3..=4).contains(&template.steps.len()), "{}", template.id);
            let given = template.variables.iter().map(|name| (name.clone(), "x".to_owned())).collect();
            let values = fill::values(&template.variables, &given, "tides").unwrap();
            for step in &template.steps {
                let filled = fill::fill(&step.instructions, &values).unwrap();
                assert!(!filled.contains(['{', '}']), "{} {}: {filled}", template.id, step.key);
                assert!(types::built_in(&step.agent_type).is_some(), "{} {}", template.id, step.key);
                assert!(!step.system_prompt.is_empty() && !step.role.is_empty());
                for tool in &step.tools {
                    let spec =
                        tools::find(tool).unwrap_or_else(|| panic!("{} {}: {tool}", template.id, step.key)).spec();
                    let harmless = spec.effect <= ToolEffect::Organises;
                    assert!(harmless || spec.default == Permission::Ask, "{tool} would change things unasked");
                }
            }
        }
        let review = find("code-review").unwrap();
        let edges: Vec<(&str, &[String])> =
            review.steps.iter().map(|step| (step.key.as_str(), step.depends_on.as_slice())).collect();
        assert_eq!(graph::layers(&edges), [0, 0, 0, 1], "three reviewers at once, then the one who writes it down");
    }
}
