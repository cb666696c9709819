//! The family of chats: requests to the answering service, and what that service gets from its neighbours.

use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::static_embedder::StaticEmbedder;
use rspa_ml::generate::SamplingParams;
use tokio_util::sync::CancellationToken;

use crate::answering::{self, AnswerSettings, Answering, ChatModels, FindPassages, Found, Parts, relevant};
use crate::api::request::chats::{ChatsRequest as Request, ChatsResponse as Response};
use crate::api::request::knowledge::{KnowledgeRequest, KnowledgeResponse, Search};
use crate::api::{ApiError, Event};
use crate::clock::Ids;
use crate::engine::{Context, Service, handlers};
use crate::inference::{ChatModel, Wanted};
use crate::knowledge::stale;
use crate::model::{ChatFormat, DOCUMENTS, Message, Overview, SearchMode, SearchQuery, SourceId, Timestamp};
use crate::storage::chats::{self, folders};
use crate::storage::knowledge::KnowledgeStore;

/// The answering service.
pub struct Chats {
    answering: Answering,
}

impl Chats {
    pub(in crate::engine) fn is_answering(&self) -> bool {
        self.answering.is_busy()
    }
}

impl Service for Chats {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let publisher = ctx.clone();
        let (settings, keeper, turns, documents) = (ctx.clone(), ctx.clone(), ctx.clone(), ctx.clone());
        let answering = Answering::new(Parts {
            main: ctx.databases.main().clone(),
            profile: ctx.profile,
            clock: ctx.clock.clone(),
            ids: Arc::new(Ids::new(ctx.clock.clone())),
            publish: Arc::new(move |event| publisher.publish(event)),
            happened: Arc::new(move |happening| keeper.activity(happening)),
            turn: Arc::new(move || turns.faults.at("answer")),
            find: Arc::new(Finder(ctx.clone())),
            models: Arc::new(Loader(ctx.clone())),
            embedder: Arc::new(built_in_embedder),
            settings: Arc::new(move || answer_settings(&settings)),
            documents: Arc::new(move || Ok(KnowledgeStore::new(documents.databases.knowledge(documents.profile)?))),
            data: ctx.places.data().to_owned(),
            home: ctx.places.home().map(Into::into),
        })?;
        Ok(Self { answering })
    }

    fn overview(&self, ctx: &Context, overview: &mut Overview) -> Result<(), ApiError> {
        let main = ctx.databases.main();
        (overview.chats, overview.questions) = chats::totals(main, ctx.profile)?;
        let days = overview.questions_per_day.len().max(overview.model_seconds_per_day.len());
        let boundaries = days_until(ctx.clock.now(), days);
        let activity = chats::activity(main, ctx.profile, &boundaries)?;
        overview.questions_per_day = activity.iter().map(|day| day.questions).collect();
        overview.model_seconds_per_day = activity.iter().map(|day| day.model_seconds).collect();
        Ok(())
    }

    fn stop(&self) {
        self.answering.shutdown();
    }
}

pub async fn handle(ctx: &Context, token: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let inner = ctx.clone();
    let cancel = Cancel::new();
    // Every one of them reads or writes the database.
    let work = {
        let cancel = cancel.clone();
        ctx.blocking(move || answer(&inner, request, &cancel))
    };
    tokio::pin!(work);
    tokio::select! {
        reply = &mut work => reply,
        () = token.cancelled() => {
            cancel.cancel();
            work.await
        }
    }
}

/// Lists of chats look different now.
fn told(ctx: &Context) {
    ctx.publish(Event::ChatsChanged);
}

fn answer(ctx: &Context, request: Request, cancel: &Cancel) -> Result<Response, ApiError> {
    let service = ctx.chats()?;
    let answering = &service.answering;
    let main = ctx.databases.main();
    Ok(match request {
        Request::CreateChat(create) => Response::CreateChat(answering.create_chat(&create.title)?),
        Request::ListChats(_) => Response::ListChats(chats::list(main, ctx.profile)?),
        Request::GetMessages(get) => {
            let mut messages = chats::messages(main, ctx.profile, get.chat)?;
            let cites = |message: &Message| !message.citations.is_empty();
            if messages.iter().any(|message| cites(message) || message.versions.beside.iter().any(cites)) {
                let store = KnowledgeStore::new(ctx.databases.knowledge(ctx.profile)?);
                stale::mark(&store, &handlers::knowledge::sources(ctx)?, &mut messages)?;
            }
            Response::GetMessages(messages)
        }
        Request::RenameChat(rename) => Response::RenameChat(answering.rename_chat(rename.chat, &rename.title)?),
        Request::DeleteChat(delete) => {
            Response::DeleteChat(answering.delete_chat(delete.chat, handlers::trash::deletion(ctx))?)
        }
        Request::SendQuestion(send) => Response::SendQuestion(answering.send(send.chat, send.question)?),
        Request::RetryAnswer(retry) => {
            Response::RetryAnswer(answering.retry(retry.chat, retry.message, retry.model)?)
        }
        Request::EditQuestion(edit) => {
            Response::EditQuestion(answering.edit(edit.chat, edit.message, edit.question)?)
        }
        Request::ContinueAnswer(more) => Response::ContinueAnswer(answering.continue_answer(more.chat, more.message)?),
        Request::ChooseVersion(choose) => Response::ChooseVersion(answering.choose(choose.chat, choose.message)?),
        Request::BranchChat(branch) => Response::BranchChat(answering.branch(branch.chat, branch.message)?),
        Request::ListChatFolders(_) => Response::ListChatFolders(folders::list(main, ctx.profile)?),
        Request::CreateChatFolder(create) => {
            folders::create(main, ctx.profile, &create.name)?;
            told(ctx);
            Response::CreateChatFolder(())
        }
        Request::RenameChatFolder(rename) => {
            folders::rename(main, ctx.profile, &rename.name, &rename.to)?;
            told(ctx);
            Response::RenameChatFolder(())
        }
        Request::DeleteChatFolder(delete) => {
            folders::remove(main, ctx.profile, &delete.name)?;
            told(ctx);
            Response::DeleteChatFolder(())
        }
        Request::MoveChat(shift) => {
            let chat = folders::move_chat(main, ctx.profile, shift.chat, &shift.folder)?;
            told(ctx);
            Response::MoveChat(chat)
        }
        Request::PinChat(pin) => {
            let chat = folders::pin(main, ctx.profile, pin.chat, pin.pinned)?;
            told(ctx);
            Response::PinChat(chat)
        }
        Request::SearchChats(search) => {
            Response::SearchChats(chats::search(main, ctx.profile, &search.text, search.limit)?)
        }
        Request::ExportChat(export) => {
            let chat = chats::get(main, ctx.profile, export.chat)?;
            Response::ExportChat(match export.format {
                ChatFormat::Markdown => answering::markdown(&chat, &chats::messages(main, ctx.profile, chat.id)?),
                ChatFormat::Json => answering::json(&chat, &chats::all_versions(main, ctx.profile, chat.id)?),
            })
        }
        Request::FindMentions(find) => Response::FindMentions(answering.mentions(&find.text, find.limit)?),
        Request::PreviewContext(preview) => {
            Response::PreviewContext(answering.preview(preview.chat, preview.question, cancel)?)
        }
        Request::StopAnswer(stop) => {
            answering.stop(stop.message);
            Response::StopAnswer(())
        }
    })
}

/// What the passages of an answer are worth comparing closely, in milliseconds: a model reads them for seconds.
const COMPARE_MS: u32 = 400;

/// Searches through the family of knowledge. Runs on threads of answers, never on the engine's own.
struct Finder(Context);

impl FindPassages for Finder {
    fn find(&self, question: &str, sources: &[SourceId], limit: u32, cancel: &Cancel) -> Result<Found, ApiError> {
        let query = SearchQuery {
            after: None,
            before: None,
            compare_ms: COMPARE_MS,
            text: question.to_owned(),
            mode: SearchMode::Hybrid,
            limit: limit.max(1),
            sources: sources.to_vec(),
            // Records of the program answer only where the person chose them.
            kinds: if sources.is_empty() { DOCUMENTS.to_vec() } else { Vec::new() },
        };
        let request = KnowledgeRequest::Search(Search { query });
        let token = self.0.shutdown.child_token();
        let reply = self.0.runtime.block_on(handlers::knowledge::handle(&self.0, token, request))?;
        if cancel.is_cancelled() {
            return Err(ApiError::cancelled());
        }
        let KnowledgeResponse::Search(results) = reply else { return Err(ApiError::cancelled()) };
        let searched = match sources.is_empty() {
            true => self.0.knowledge()?.passages_of_documents()?,
            false => results.searched,
        };
        Ok(Found { passages: relevant::passages(question, results.hits), searched })
    }
}

/// Gives the model that the router chooses; one inside this program is loaded as a job that the person sees.
pub(in crate::engine) struct Loader(pub Context);

impl ChatModels for Loader {
    fn chat_model(&self, wanted: &Wanted, cancel: &Cancel) -> Result<Arc<dyn ChatModel>, ApiError> {
        self.0.providers()?.router().model(wanted, cancel)
    }

    fn measured(&self, id: &str, tok_s: f64, at: Timestamp) {
        // A stored answer has no speed, and that of a server says nothing about this computer.
        if id.contains('/') || tok_s <= 0.0 {
            return;
        }
        let stored = self.0.models().and_then(|models| models.registry().set_measured(id, tok_s, at));
        if let Err(error) = stored {
            tracing::warn!(%error, "the measured speed of a model was not stored");
        }
    }
}

fn built_in_embedder() -> Option<Arc<dyn Embedder>> {
    match StaticEmbedder::built_in() {
        Ok(embedder) => Some(Arc::new(embedder)),
        Err(error) => {
            tracing::warn!(%error, "the embedder inside the executable cannot be used");
            None
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the schema bounds these values")]
fn answer_settings(ctx: &Context) -> AnswerSettings {
    let current = ctx.settings.current();
    let (models, knowledge) = (&current.models, &current.knowledge);
    let defaults = SamplingParams::default();
    AnswerSettings {
        sampling: SamplingParams {
            temperature: models.temperature as f32,
            top_p: models.top_p as f32,
            top_k: usize::try_from(models.top_k).unwrap_or(defaults.top_k),
            min_p: models.min_p as f32,
            repeat_penalty: models.repeat_penalty as f32,
            // -1: a new one each time.
            seed: u64::try_from(models.seed).unwrap_or_else(|_negative| ctx.ids.next().as_u64_pair().1),
            ..defaults
        },
        max_tokens: usize::try_from(models.max_tokens).unwrap_or(512),
        passages: u32::try_from(knowledge.passages_per_answer).unwrap_or(6),
        citation_threshold: knowledge.citation_threshold as f32,
    }
}

/// Starts of the last `days` local days, today's included, and the start of tomorrow.
pub(in crate::engine) fn days_until(now: Timestamp, days: usize) -> Vec<Timestamp> {
    let zone = jiff::tz::TimeZone::system();
    let Ok(now) = jiff::Timestamp::from_millisecond(now.0) else { return Vec::new() };
    let today = now.to_zoned(zone.clone()).date();
    let start = |back: i64| -> Option<Timestamp> {
        let day = today.checked_sub(jiff::Span::new().try_days(back).ok()?).ok()?;
        Some(Timestamp(day.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond()))
    };
    let days = i64::try_from(days).unwrap_or(0);
    (0..=days).rev().filter_map(|back| start(back - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_with_tomorrow_and_lie_a_day_apart() {
        let now = Timestamp(1_700_000_000_000);
        let days = days_until(now, 7);
        assert_eq!(days.len(), 8);
        assert!(days[7] > now && days[6] <= now);
        for pair in days.windows(2) {
            let hours = (pair[1].0 - pair[0].0) / 3_600_000;
            assert!((23..=25).contains(&hours), "{hours}");
        }
    }
}
