//! `rspa ask`: one question, one answer with its sources.

use clap::Args;
use rspa_core::api::request::chats::CreateChat;

use super::Context;
use super::answer::{self, AnswerArguments, How};
use super::failure::Failure;
use super::session::Session;
use super::typed;

#[derive(Args)]
pub struct AskArguments {
    /// The question; - reads it from standard input
    #[arg(required = true, value_name = "QUESTION")]
    question: Vec<String>,
    #[command(flatten)]
    answer: AnswerArguments,
}

pub fn run(context: &Context, arguments: AskArguments) -> Result<(), Failure> {
    let question = typed::text_of(&arguments.question, "question")?;
    let session = Session::start(context)?;
    let how = How::new(&session, &arguments.answer)?;
    let mut events = session.events()?;
    let chat = session.call(CreateChat { title: String::new() })?;
    answer::ask(&session, &mut events, chat.id, &how, question)
}
