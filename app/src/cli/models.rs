//! `rspa models`: what is installed, import, download after asking, removal.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use rspa_core::api::request::models::{
    DownloadModel, ImportModel, ListCatalogue, ListModels, Recommend, RemoveModel, SetDefaultModel,
};
use rspa_core::api::{ApiError, ErrorCategory};
use rspa_core::ml::weights::catalogue::CatalogueModel;
use rspa_core::model::{InstalledModel, ModelId, ModelList, file_servers};
use serde_json::{Value, json};

use super::Context;
use super::confirm::{self, Reply};
use super::failure::Failure;
use super::job;
use super::output::{Output, one_line, path_text, size, with_path};
use super::session::Session;

#[derive(Args)]
pub struct ModelsArguments {
    #[command(subcommand)]
    verb: ModelsVerb,
}

#[derive(Subcommand)]
enum ModelsVerb {
    /// List the installed models
    List,
    /// Copy a model into the program's folder: a .gguf, a folder, a zip or a wheel
    Import { path: PathBuf },
    /// Delete a model from the program's folder
    Remove { id: String },
    /// Make a model the default of its kind
    Default { id: String },
    /// Say what this computer is, and which model would suit it
    Recommend,
    /// List the models that can be downloaded
    Catalogue,
    /// Download a model of the catalogue, after asking
    Download {
        id: String,
        /// Confirm without asking: the host that the files come from
        #[arg(long, value_name = "HOST")]
        yes: Option<String>,
    },
}

pub fn run(context: &Context, arguments: ModelsArguments) -> Result<(), Failure> {
    let output = context.output;
    match arguments.verb {
        ModelsVerb::Import { path } => import(context, path),
        ModelsVerb::Download { id, yes } => download(context, &id, yes),
        ModelsVerb::List => {
            let session = Session::start(context)?;
            list(output, &session.call(ListModels {})?)
        }
        ModelsVerb::Remove { id } => {
            let session = Session::start(context)?;
            session.call(RemoveModel { id: ModelId(id.clone()) })?;
            done(output, "removed", &id)
        }
        ModelsVerb::Default { id } => {
            let session = Session::start(context)?;
            session.call(SetDefaultModel { id: ModelId(id.clone()) })?;
            done(output, "default", &id)
        }
        ModelsVerb::Recommend => {
            let session = Session::start(context)?;
            let recommendation = session.call(Recommend {})?;
            if output.json {
                return output.json_line(&recommendation);
            }
            let hardware = &recommendation.hardware;
            output.line(&format!(
                "{}, {} cores, {} memory ({} free); {}",
                hardware.cpu,
                hardware.cores,
                size(hardware.memory_bytes),
                size(hardware.memory_available_bytes),
                hardware.vector_instructions.join(", ")
            ))?;
            if let Some(model) = &recommendation.model {
                output.line(&catalogue_line(model))?;
            }
            output.line(&recommendation.reason)
        }
        ModelsVerb::Catalogue => {
            let session = Session::start(context)?;
            let models = session.call(ListCatalogue {})?;
            if output.json {
                return output.json_line(&models);
            }
            models.iter().try_for_each(|model| output.line(&catalogue_line(model)))
        }
    }
}

fn done(output: Output, what: &str, id: &str) -> Result<(), Failure> {
    if output.json { output.json_line(&json!({ what: id })) } else { output.line(&format!("{what}: {}", one_line(id))) }
}

fn list(output: Output, list: &ModelList) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&list.models.iter().map(model_json).collect::<Vec<_>>());
    }
    list.models.iter().try_for_each(|model| output.line(&model_line(model)))?;
    if list.models.is_empty() {
        let folders: Vec<String> = list.folders.iter().map(|folder| one_line(folder)).collect();
        output.note(&format!("No models were found in {}.", folders.join(", ")));
        output.note("Import one: rspa models import FILE.gguf — or look for one: rspa models catalogue");
    }
    for (path, reason) in &list.unusable {
        output.note(&format!("not usable: {}: {reason}", one_line(path)));
    }
    Ok(())
}

fn model_json(model: &InstalledModel) -> Value {
    let info = &model.info;
    with_path(
        &info.path,
        json!({
            "id": model.id,
            "family": info.family,
            "size_bytes": info.size_bytes,
            "context_length": info.context_length,
            "kind": info.kind,
            "name": info.name,
            "quantisation": info.quantisation,
            "parameters": info.parameters,
            "license": info.license,
            "default": model.is_default,
            "demonstration": model.demonstration,
            "owned": model.owned,
            "measured_tok_s": model.measured_tok_s,
        }),
    )
}

fn model_line(model: &InstalledModel) -> String {
    let info = &model.info;
    let mut notes = vec![format!("{:?}", info.kind).to_lowercase()];
    if model.is_default {
        notes.push("default".to_owned());
    }
    if model.demonstration {
        notes.push("demonstration: shows that it works, not what a model can do".to_owned());
    }
    format!(
        "{}  {} {}, {}, context {}  [{}]  {}",
        model.id,
        one_line(&info.family),
        one_line(&info.quantisation),
        size(info.size_bytes),
        info.context_length,
        notes.join(", "),
        path_text(&info.path)
    )
}

fn catalogue_line(model: &CatalogueModel) -> String {
    format!(
        "{}  {} {}, {} to fetch, {} memory, {}  {}",
        model.id,
        model.family,
        model.quantisation,
        size(bytes_of(model)),
        size(model.memory_bytes),
        model.license,
        model.summary
    )
}

fn bytes_of(model: &CatalogueModel) -> u64 {
    model.files.iter().map(|file| file.size_bytes).sum()
}

fn import(context: &Context, path: PathBuf) -> Result<(), Failure> {
    let path = path.canonicalize().map_err(|error| {
        Failure::validation(
            format!("cannot use {}: {error}", path_text(&path)),
            "Name a .gguf file, a folder, a zip or a wheel that exists.",
        )
    })?;
    let session = Session::start(context)?;
    let before: BTreeSet<ModelId> = owned(&session)?.into_iter().map(|model| model.id).collect();
    let mut events = session.events()?;
    let started = session.call(ImportModel { path })?;
    job::follow(&session, &mut events, started)?;
    let after = owned(&session)?;
    let fresh = after.iter().any(|model| !before.contains(&model.id));
    let shown = after.iter().filter(|model| !fresh || !before.contains(&model.id));
    if context.output.json {
        let imported: Vec<Value> = shown.map(model_json).collect();
        return context.output.json_line(&json!({ "imported": imported }));
    }
    shown.into_iter().try_for_each(|model| context.output.line(&model_line(model)))
}

fn owned(session: &Session) -> Result<Vec<InstalledModel>, Failure> {
    Ok(session.call(ListModels {})?.models.into_iter().filter(|model| model.owned).collect())
}

fn download(context: &Context, id: &str, yes: Option<String>) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let catalogue = session.call(ListCatalogue {})?;
    let model = catalogue.iter().find(|model| model.id == id).ok_or_else(|| {
        Failure::validation(
            format!("there is no model {} in the catalogue", one_line(id)),
            "Run rspa models catalogue to see what there is.",
        )
    })?;
    let hosts: BTreeSet<&str> = model.files.iter().map(|file| host_of(&file.url)).collect();
    let host = match (hosts.len(), hosts.first()) {
        (1, Some(host)) => (*host).to_owned(),
        _ => return Err(Failure::validation("the files of this model lie on several hosts", "Choose another model.")),
    };
    confirm(&session, model, &host, yes.as_deref())?;
    let mut events = session.events()?;
    let started = session.call_confirmed(DownloadModel { catalogue_id: model.id.clone(), confirmed_host: host })?;
    job::follow(&session, &mut events, started)?;
    done(context.output, "downloaded", id)
}

/// A person at a terminal says yes, or `--yes` names exactly the host; anything else is a no. Where a window has the data
/// folder, that asks.
fn confirm(session: &Session, model: &CatalogueModel, host: &str, yes: Option<&str>) -> Result<(), Failure> {
    let places = places(host);
    let question = format!("Download {} ({}) from {places}?", model.name, size(bytes_of(model)));
    if let Some(named) = yes {
        if named == host {
            return Ok(());
        }
        return Err(refused(format!("{} would come from {places}, not from {}", model.name, one_line(named)), host));
    }
    if session.asks_in_window() {
        return Ok(());
    }
    match confirm::ask(session, &format!("{question} Nothing else will be sent or fetched."))? {
        Reply::Yes => Ok(()),
        Reply::No => Err(refused("not confirmed; nothing was fetched".to_owned(), host)),
        Reply::Nobody => Err(refused(format!("nobody is here to confirm: {question}"), host)),
    }
}

/// Every host that the yes covers.
fn places(host: &str) -> String {
    match file_servers(host) {
        [] => host.to_owned(),
        servers => format!("{host} and its file servers {}", servers.join(", ")),
    }
}

fn refused(message: String, host: &str) -> Failure {
    Failure::Api(ApiError::new(
        ErrorCategory::Network,
        message,
        format!("Confirm at a terminal, or give --yes {host} if you want it."),
    ))
}

/// The host of an address, with the port if one is named.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_that_a_yes_covers_is_named() {
        assert_eq!(places("hub.example"), "hub.example");
        let named = places("huggingface.co");
        assert!(file_servers("huggingface.co").iter().all(|server| named.contains(server)), "{named}");
    }

    #[test]
    fn the_host_that_is_confirmed_is_the_one_that_is_asked() {
        assert_eq!(host_of("https://hub.example/a/b?c"), "hub.example");
        assert_eq!(host_of("http://127.0.0.1:8080/x"), "127.0.0.1:8080");
        assert_eq!(host_of("https://good.example@evil.example/x"), "evil.example");
        assert_eq!(host_of("https://evil.example?@good.example/"), "evil.example");
    }
}
