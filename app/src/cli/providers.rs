//! `rspa providers`: servers that models run on, which model answers what, and the stored answers.

mod given;
mod routes;
mod show;

use clap::{Args, Subcommand};
use rspa_core::api::request::providers::{
    AddProvider, CheckProvider, ClearCache, DeleteProviderModel, EmbedTexts, GetCacheStats, GetProviderModel,
    ListProviderModels, ListProviders, PullModel, RemoveProvider, UpdateProvider,
};
use rspa_core::api::request::system::ListJobs;
use rspa_core::model::{ModelId, ProviderDraft, ProviderId, ProviderState};
use serde_json::json;

use super::Context;
use super::failure::Failure;
use super::job;
use super::output::{Output, one_line};
use super::session::Session;
use super::typed;
use given::DraftArguments;
use routes::RoutesVerb;

#[derive(Args)]
pub struct ProvidersArguments {
    #[command(subcommand)]
    verb: Option<ProvidersVerb>,
}

#[derive(Subcommand)]
enum ProvidersVerb {
    /// List the providers and how they do
    List,
    /// Set up a server: ollama, anthropic, openai (and whatever speaks its API), gemini
    Add {
        #[arg(value_enum)]
        kind: given::Kind,
        /// Its id, which models are named with: ID/MODEL
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        draft: DraftArguments,
        /// Confirm without asking
        #[arg(long)]
        yes: bool,
    },
    /// Change a server
    Edit {
        id: String,
        #[command(flatten)]
        draft: DraftArguments,
        /// Confirm without asking
        #[arg(long)]
        yes: bool,
    },
    /// Remove a server; its key stays in the vault
    Remove {
        id: String,
        /// Confirm without asking
        #[arg(long)]
        yes: bool,
    },
    /// Ask a server how it is: one small request; without an id all that are switched on
    Check { id: Option<String> },
    /// List the models of a server, or of all that can be used
    Models {
        id: Option<String>,
        /// Ask the server, whatever is remembered
        #[arg(long)]
        fresh: bool,
    },
    /// What a server says about one model
    Info { model: String },
    /// Have Ollama fetch a model
    Pull {
        model: String,
        /// Confirm without asking
        #[arg(long)]
        yes: bool,
    },
    /// Have Ollama delete a model
    DeleteModel {
        model: String,
        /// Confirm without asking
        #[arg(long)]
        yes: bool,
    },
    /// Turn texts into vectors
    Embed {
        model: String,
        /// The texts; - reads one from standard input
        #[arg(required = true, value_name = "TEXT")]
        texts: Vec<String>,
    },
    /// Which model answers what, and what is tried when one fails
    Routes {
        #[command(subcommand)]
        verb: Option<RoutesVerb>,
    },
    /// The stored answers
    Cache {
        #[command(subcommand)]
        verb: Option<CacheVerb>,
    },
}

#[derive(Subcommand)]
enum CacheVerb {
    /// How many there are, how often they helped, and how fast
    Stats,
    /// Forget those of this profile
    Clear,
}

pub fn run(context: &Context, arguments: ProvidersArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or(ProvidersVerb::List) {
        ProvidersVerb::List => show::list(output, &session.call(ListProviders {})?),
        ProvidersVerb::Add { kind, id, draft, yes } => {
            let draft = draft.apply(given::new(kind, id))?;
            let add = AddProvider { draft };
            let status = if yes { session.call_confirmed(add) } else { session.call(add) }?;
            show::one(output, &status)
        }
        ProvidersVerb::Edit { id, draft, yes } => {
            let before = known(&session, &id)?;
            let update = UpdateProvider { id: ProviderId(id), draft: draft.apply(before)? };
            let status = if yes { session.call_confirmed(update) } else { session.call(update) }?;
            show::one(output, &status)
        }
        ProvidersVerb::Remove { id, yes } => {
            let remove = RemoveProvider { id: ProviderId(id.clone()) };
            if yes { session.call_confirmed(remove) } else { session.call(remove) }?;
            done(output, json!({ "removed": id }), &format!("removed: {}", one_line(&id)))
        }
        ProvidersVerb::Check { id } => check(&session, output, id),
        ProvidersVerb::Models { id, fresh } => {
            let models = session.call(ListProviderModels { id: id.map(ProviderId), fresh })?;
            show::models(output, &models)
        }
        ProvidersVerb::Info { model } => {
            let model = session.call(GetProviderModel { id: ModelId(model) })?;
            show::model(output, &model)
        }
        ProvidersVerb::Pull { model, yes } => pull(&session, output, model, yes),
        ProvidersVerb::DeleteModel { model, yes } => {
            let delete = DeleteProviderModel { id: ModelId(model.clone()) };
            if yes { session.call_confirmed(delete) } else { session.call(delete) }?;
            done(output, json!({ "deleted": model }), &format!("deleted: {}", one_line(&model)))
        }
        ProvidersVerb::Embed { model, texts } => embed(&session, output, model, texts),
        ProvidersVerb::Routes { verb } => routes::run(&session, output, verb.unwrap_or(RoutesVerb::Show)),
        ProvidersVerb::Cache { verb } => {
            let stats = match verb.unwrap_or(CacheVerb::Stats) {
                CacheVerb::Stats => session.call(GetCacheStats {})?,
                CacheVerb::Clear => session.call(ClearCache {})?,
            };
            show::cache(output, &stats)
        }
    }
}

fn done(output: Output, value: serde_json::Value, words: &str) -> Result<(), Failure> {
    if output.json { output.json_line(&value) } else { output.line(words) }
}

fn known(session: &Session, id: &str) -> Result<ProviderDraft, Failure> {
    let all = session.call(ListProviders {})?;
    all.into_iter().find(|status| status.id.0 == id).map(|status| status.settings).ok_or_else(|| {
        Failure::validation(format!("there is no provider '{}'", one_line(id)), "Run rspa providers list to see all.")
    })
}

/// Fails when one of them is not ready.
fn check(session: &Session, output: Output, id: Option<String>) -> Result<(), Failure> {
    let ids: Vec<ProviderId> = match id {
        Some(id) => vec![ProviderId(id)],
        None => {
            let all = session.call(ListProviders {})?;
            all.into_iter().filter(|status| status.settings.enabled).map(|status| status.id).collect()
        }
    };
    let mut all = Vec::new();
    for id in ids {
        all.push(session.call(CheckProvider { id })?);
    }
    show::list(output, &all)?;
    let well = all.iter().all(|status| status.state == ProviderState::Ready);
    if well { Ok(()) } else { Err(Failure::Reported) }
}

fn pull(session: &Session, output: Output, model: String, yes: bool) -> Result<(), Failure> {
    let mut events = session.events()?;
    let pull = PullModel { id: ModelId(model.clone()) };
    let id = if yes { session.call_confirmed(pull) } else { session.call(pull) }?;
    let started = session.call(ListJobs {})?.into_iter().find(|job| job.id == id);
    let started = started.ok_or_else(|| Failure::system("the job is not known any more", "Try again."))?;
    job::follow(session, &mut events, started)?;
    done(output, json!({ "fetched": model }), &format!("fetched: {}", one_line(&model)))
}

fn embed(session: &Session, output: Output, model: String, texts: Vec<String>) -> Result<(), Failure> {
    let texts = if texts.iter().any(|text| text == "-") { vec![typed::text_of(&texts, "text")?] } else { texts };
    let vectors = session.call(EmbedTexts { model: ModelId(model), texts })?;
    if output.json {
        return output.json_line(&json!({ "vectors": vectors }));
    }
    for vector in &vectors {
        let first: Vec<String> = vector.iter().take(6).map(|value| format!("{value:.4}")).collect();
        output.line(&format!("{} values: {} …", vector.len(), first.join(" ")))?;
    }
    Ok(())
}
