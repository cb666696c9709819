//! The tool that asks the person and waits for the answer.

use serde::Deserialize;
use serde_json::Value;

use super::args::{parse, short, text, wrong};
use super::{Proposal, Scope, Tool, ToolSpec, output, schema};
use crate::api::{ApiError, ErrorCategory};
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

pub struct AskUser;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    question: String,
    #[serde(default)]
    choices: Vec<String>,
}

impl Tool for AskUser {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "ask_user".into(),
            title: "Ask the person".into(),
            description: "Asks the person one question and waits for the answer. Only for what cannot be found out."
                .into(),
            effect: ToolEffect::Organises,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("question", schema::text(1_000, "The question.")),
                    ("choices", schema::list(schema::text(200, "Answer."), 8, "Answers to choose from, if any.")),
                ],
                &["question"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        let question = text("question", &given.question, 1_000)?.to_owned();
        if given.choices.len() > 8 {
            return Err(wrong("`choices` takes 8 at most"));
        }
        let choices = given.choices.iter().map(|choice| text("choices", choice, 200).map(str::to_owned));
        Ok(Proposal {
            title: format!("Ask: {}", short(&question, 80)),
            action: ProposedAction::Question { question, choices: choices.collect::<Result<_, _>>()? },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, _arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        match scope.host.reply(scope.run) {
            Some(reply) => Ok(output::text(format!("The person answered: {reply}"))),
            None => Err(ApiError::new(
                ErrorCategory::Processing,
                "the person has not answered",
                "Go on without the answer, or ask again later.",
            )),
        }
    }
}
