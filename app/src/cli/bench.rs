//! `rspa bench`: one subject a file; measures this computer, and compares it with others.

mod cache;
mod embed;
mod index;
mod llm;
mod logs;
mod perplexity;
mod retrieval;
mod search;
mod tasks;
mod ui;
mod vectors;
mod window;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rspa_core::api::{CoreOptions, Role};
use rspa_core::workspace::places::Places;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Context;
use super::failure::Failure;
use super::output::{one_line, path_text};
use super::session::{self, Session};

#[derive(Args)]
pub struct BenchArguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// Tokens per second that a language model reads and writes
    Llm(llm::LlmArguments),
    /// How well a language model predicts a text
    Perplexity(perplexity::PerplexityArguments),
    /// Texts that an embedder turns into vectors, per second
    Embed(embed::EmbedArguments),
    /// Files that become searchable, per second
    Index(index::IndexArguments),
    /// Milliseconds of hybrid searches over a generated collection, as somebody types
    Search(search::SearchArguments),
    /// How often search finds the function that a removed doc comment spoke of, stage by stage
    Retrieval(retrieval::RetrievalArguments),
    /// Build and query an index of vectors: recall and queries per second
    Vectors(vectors::VectorsArguments),
    /// Milliseconds from a change of the log's filter to the first screen
    Logs(logs::LogsArguments),
    /// Tasks that are stored, run and completed per second, and what many schedules cost while nothing is due
    Tasks(tasks::TasksArguments),
    /// Microseconds that a stored answer of a model takes, from memory and from the file
    Cache(cache::CacheArguments),
    /// Processor time of a page's frames, without a graphics card: layout and tessellation
    Ui(ui::UiArguments),
    /// Milliseconds from the start of the process to the first frame of a real window
    Start,
    /// Repaints and processor time of a real window in which nothing happens
    Idle(window::IdleArguments),
}

pub fn run(context: &Context, arguments: BenchArguments) -> Result<(), Failure> {
    match arguments.subject {
        Subject::Llm(arguments) => llm::run(context, &arguments),
        Subject::Perplexity(arguments) => perplexity::run(context, &arguments),
        Subject::Embed(arguments) => embed::run(context, &arguments),
        Subject::Index(arguments) => index::run(context, &arguments),
        Subject::Search(arguments) => search::run(context, &arguments),
        Subject::Retrieval(arguments) => retrieval::run(context, &arguments),
        Subject::Vectors(arguments) => vectors::run(context, &arguments),
        Subject::Logs(arguments) => logs::run(context, &arguments),
        Subject::Tasks(arguments) => tasks::run(context, &arguments),
        Subject::Cache(arguments) => cache::run(context, &arguments),
        Subject::Ui(arguments) => ui::run(context, &arguments),
        Subject::Start => window::start(context),
        Subject::Idle(arguments) => window::idle(context, &arguments),
    }
}

/// Prints one measurement, with what it was measured on.
fn print(context: &Context, threads: usize, mut figures: Value) -> Result<(), Failure> {
    let fields = figures.as_object_mut().expect("a measurement is an object");
    fields.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    fields.insert("git".to_owned(), json!(env!("RSPA_GIT_REVISION")));
    fields.insert("threads".to_owned(), json!(threads));
    fields.insert("cpu".to_owned(), json!(cpu_model()));
    if context.output.json {
        return context.output.json_line(&figures);
    }
    let text: Vec<String> = fields
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name} {}", one_line(text)),
            Value::Number(number) if number.is_f64() => {
                format!("{name} {:.2}", number.as_f64().unwrap_or_default())
            }
            other => format!("{name} {other}"),
        })
        .collect();
    context.output.line(&text.join("  "))
}

/// All threads that this process may use.
fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What `--threads` means: 0 is all.
fn threads(asked: usize) -> usize {
    if asked == 0 { all_threads() } else { asked }
}

/// The text of a file; bytes that are none are replaced.
fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::validation(format!("cannot read {}: {error}", path_text(path)), "Name a text file.")
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// As the processor names itself.
fn cpu_model() -> String {
    rspa_core::ml::device::detect().cpu
}

/// A model by the name of its file or folder: in `RSPA_MODELS_PATH`, or in the data folder.
fn find_model(context: &Context, name: &str) -> Result<PathBuf, Failure> {
    let listed = std::env::var_os("RSPA_MODELS_PATH").unwrap_or_default();
    let executable = std::env::current_exe().ok();
    let places = Places::find(&session::environment(), context.global.data_dir.as_deref(), executable.as_deref());
    let own = places.ok().map(|places| places.models());
    std::env::split_paths(&listed)
        .chain(own)
        .flat_map(|folder| [folder.join(name), folder.join(name.to_lowercase())])
        .find(|path| path.exists())
        .ok_or_else(|| {
            Failure::validation(
                format!("{name} was not found"),
                "Name its folder, or set RSPA_MODELS_PATH (in a checkout: cargo xtask models).",
            )
        })
}

/// A core on a data folder of its own that is deleted afterwards.
struct Throwaway {
    session: Session,
    /// Dropped after the session, which has its files open.
    folder: TempDir,
}

impl Throwaway {
    fn start(context: &Context) -> Result<Self, Failure> {
        Self::start_after(context, |_data| Ok(()))
    }

    /// `prepare` may put files into the data folder before the core starts.
    fn start_after(context: &Context, prepare: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("rspa-bench-").tempdir()?;
        let mut options: CoreOptions = session::options(&context.global, Role::Command);
        let data = folder.path().join("data");
        prepare(&data)?;
        options.data_folder = Some(data);
        let session = Session::with_options(context, options)?;
        Ok(Self { session, folder })
    }
}

/// The value below which this share of the measurements lies; they must be sorted.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_taken_from_the_sorted_measurements() {
        let sorted: Vec<f64> = (1..=101).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.5), 51.0);
        assert_eq!(percentile(&sorted, 0.95), 96.0);
        assert_eq!(percentile(&[7.0], 0.99), 7.0);
    }
}
