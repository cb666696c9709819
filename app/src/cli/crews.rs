//! `rspa crews`: agents that work on one thing together: made, drawn, run, resumed, replayed.

mod change;
mod show;
mod work;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rspa_core::api::request::crews::{
    CancelCrewRun, CreateCrewFromTemplate, DeleteCrew, ExportCrew, GetCrewRun, ImportCrew, ListCrewRuns,
    ListCrewTemplates, ListCrews, ReplayCrewRun, ResumeCrewRun, RunCrew,
};
use rspa_core::model::{Crew, CrewProcess, CrewRun, CrewRunDraft, ModelId, PageRequest, ReplayDraft};

use super::Context;
use super::agents::draft::{absolute, text_of_file};
use super::agents::more::export;
use super::failure::Failure;
use super::output::one_line;
use super::session::Session;

/// Runs that are looked through for a number.
const PAGE: u32 = 200;

#[derive(Args)]
pub struct CrewsArguments {
    #[command(subcommand)]
    verb: Option<CrewsVerb>,
}

#[derive(Subcommand)]
enum CrewsVerb {
    /// List crews
    List,
    /// List templates that a crew can be made from
    Templates,
    /// Make a crew and its agents, from a template or a file
    Create(CreateArguments),
    /// Show a crew with its graph, layer by layer
    Show { crew: String },
    /// Change a crew; what is not named stays as it is
    Edit(change::EditArguments),
    /// Add, change or remove one step of a crew
    Step {
        #[command(subcommand)]
        verb: change::StepVerb,
    },
    /// Run a crew
    Run(RunArguments),
    /// List runs, newest first
    Runs {
        /// Only those of this crew
        crew: Option<String>,
        #[arg(long, default_value_t = 20)]
        count: u32,
    },
    /// Show how a run stands, by its number (#3) or id; `last` is the newest
    Status { run: String },
    /// Print what a run gave, or one of its steps
    Output {
        run: String,
        #[arg(long, value_name = "KEY")]
        step: Option<String>,
    },
    /// Wait until a run has ended; it goes on here meanwhile
    Wait { run: String },
    /// Cancel a run; what runs is told to stop
    Cancel { run: String },
    /// Try the steps again that failed or were cancelled; completed ones stay
    Resume {
        run: String,
        /// Wait until it has ended
        #[arg(long)]
        wait: bool,
    },
    /// Run once more without a network, with the output of a step edited; what does not follow from it is taken over
    Replay {
        run: String,
        /// The new output: a text, or @FILE
        #[arg(long = "edit", value_name = "STEP=TEXT", required = true)]
        edits: Vec<String>,
        /// Wait until it has ended
        #[arg(long)]
        wait: bool,
    },
    /// Write a crew to a file (TOML) with what its agents are made of
    Export {
        crew: String,
        /// A file that is not there yet; standard output when not given
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Make a crew from a file (- is standard input); what its agents would be allowed is asked
    Import { file: PathBuf },
    /// Put a crew into the trash; its runs stay
    Delete { crew: String },
}

#[derive(Args)]
struct CreateArguments {
    /// One of those that `rspa crews templates` shows
    #[arg(long, required_unless_present = "file", conflicts_with = "file")]
    template: Option<String>,
    /// A file as `rspa crews export` writes it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// That of the template when not given
    #[arg(long, requires = "template")]
    name: Option<String>,
    /// A folder that its agents may read
    #[arg(long, value_name = "FOLDER", requires = "template")]
    folder: Option<PathBuf>,
    /// Of its agents
    #[arg(long, value_name = "MODEL", requires = "template")]
    model: Option<String>,
    /// With a manager who delegates, in place of fixed steps
    #[arg(long, value_enum, requires = "template")]
    process: Option<Process>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Process {
    Sequential,
    Hierarchical,
}

impl From<Process> for CrewProcess {
    fn from(process: Process) -> Self {
        match process {
            Process::Sequential => Self::Sequential,
            Process::Hierarchical => Self::Hierarchical,
        }
    }
}

#[derive(Args)]
struct RunArguments {
    crew: String,
    /// What it works on
    #[arg(long, default_value = "", conflicts_with = "input_file")]
    input: String,
    /// A file with what it works on (- is standard input)
    #[arg(long, value_name = "FILE")]
    input_file: Option<PathBuf>,
    /// A value for one of its variables
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// A folder that its agents may read in this run
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Only embedded models, and no tool that reaches the network
    #[arg(long)]
    offline: bool,
    /// Wait until it has ended, and show what happens
    #[arg(long)]
    wait: bool,
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a name and a value stand around =: NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

pub fn run(context: &Context, arguments: CrewsArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or(CrewsVerb::List) {
        CrewsVerb::List => {
            let all = session.call(ListCrews {})?;
            if output.json {
                return output.json_line(&all);
            }
            if all.is_empty() {
                output.note("There are no crews. `rspa crews create --template code-review` makes one.");
            }
            all.iter().try_for_each(|crew| show::line(output, crew))
        }
        CrewsVerb::Templates => show::templates(output, &session.call(ListCrewTemplates {})?),
        CrewsVerb::Create(arguments) => create(&session, arguments),
        CrewsVerb::Show { crew } => show::crew(&session, &named(&session, &crew)?),
        CrewsVerb::Edit(arguments) => change::edit(&session, arguments),
        CrewsVerb::Step { verb } => change::step(&session, verb),
        CrewsVerb::Run(arguments) => begin(&session, arguments),
        CrewsVerb::Runs { crew, count } => {
            let crew = crew.map(|name| named(&session, &name)).transpose()?.map(|crew| crew.id);
            let page = session.call(ListCrewRuns { crew, page: PageRequest { offset: 0, limit: count } })?;
            if output.json {
                return output.json_line(&page);
            }
            if page.items.is_empty() {
                output.note("There are no runs.");
            }
            page.items.iter().try_for_each(|run| show::run_line(output, run))
        }
        CrewsVerb::Status { run } => show::run(output, &run_named(&session, &run)?),
        CrewsVerb::Output { run, step } => show::output(output, &run_named(&session, &run)?, step.as_deref()),
        CrewsVerb::Wait { run } => {
            let run = run_named(&session, &run)?;
            work::wait(&session, run)
        }
        CrewsVerb::Cancel { run } => {
            let run = run_named(&session, &run)?;
            show::run(output, &session.call(CancelCrewRun { id: run.id })?)
        }
        CrewsVerb::Resume { run, wait } => {
            let run = run_named(&session, &run)?;
            let run = session.call(ResumeCrewRun { id: run.id })?;
            if wait { work::wait(&session, run) } else { show::run(output, &run) }
        }
        CrewsVerb::Replay { run, edits, wait } => {
            let run = run_named(&session, &run)?;
            let mut draft = ReplayDraft { run: run.id, edited: std::collections::BTreeMap::new() };
            for edit in edits {
                let (step, text) = pair(&edit).map_err(|why| Failure::validation(why, "Give --edit STEP=TEXT."))?;
                let text = match text.strip_prefix('@') {
                    Some(file) => text_of_file(&PathBuf::from(file), "output")?,
                    None => text,
                };
                draft.edited.insert(step, text);
            }
            let run = session.call(ReplayCrewRun { draft })?;
            if wait { work::wait(&session, run) } else { show::run(output, &run) }
        }
        CrewsVerb::Export { crew, to } => {
            let text = session.call(ExportCrew { id: named(&session, &crew)?.id })?;
            export(output, &text, to.as_deref())
        }
        CrewsVerb::Import { file } => import(&session, &file),
        CrewsVerb::Delete { crew } => {
            let item = session.call(DeleteCrew { id: named(&session, &crew)?.id })?;
            if output.json {
                return output.json_line(&item);
            }
            output.line(&format!(
                "In the trash: {}  (`rspa trash restore {}` brings it back)",
                one_line(&item.title),
                item.id
            ))
        }
    }
}

fn import(session: &Session, file: &std::path::Path) -> Result<(), Failure> {
    let text = text_of_file(file, "crew")?;
    show::crew(session, &session.call(ImportCrew { text })?)
}

fn create(session: &Session, wanted: CreateArguments) -> Result<(), Failure> {
    if let Some(file) = wanted.file {
        return import(session, &file);
    }
    let crew = session.call(CreateCrewFromTemplate {
        template: wanted.template.unwrap_or_default(),
        name: wanted.name,
        process: wanted.process.map(CrewProcess::from),
        folder: wanted.folder.as_deref().map(absolute),
        model: wanted.model.map(ModelId),
    })?;
    show::crew(session, &crew)
}

fn begin(session: &Session, wanted: RunArguments) -> Result<(), Failure> {
    let crew = named(session, &wanted.crew)?;
    let input = match &wanted.input_file {
        Some(file) => text_of_file(file, "input")?,
        None => wanted.input,
    };
    let draft = CrewRunDraft {
        input,
        variables: wanted.variables.into_iter().collect(),
        folder: wanted.folder.as_deref().map(absolute),
        offline: wanted.offline,
    };
    let run = session.call(RunCrew { id: crew.id, draft })?;
    if wanted.wait {
        return work::wait(session, run);
    }
    show::run(session.output, &run)?;
    if !session.asks_in_window() {
        session.output.note(&format!("`rspa crews wait {}` lets it go on at this terminal.", run.number));
    }
    Ok(())
}

/// By name, whatever the case, or by id.
fn named(session: &Session, name: &str) -> Result<Crew, Failure> {
    let wanted = name.trim().to_lowercase();
    let all = session.call(ListCrews {})?;
    let found = all.into_iter().find(|one| one.settings.name.to_lowercase() == wanted || one.id.to_string() == wanted);
    found.ok_or_else(|| {
        let shown = one_line(name);
        Failure::validation(format!("there is no crew '{shown}'"), "Run rspa crews list to see all.")
    })
}

/// By number, by id, or the last one.
fn run_named(session: &Session, name: &str) -> Result<CrewRun, Failure> {
    let wanted = name.trim().trim_start_matches('#').to_lowercase();
    let fits = |run: &CrewRun| match wanted.parse::<u64>() {
        Ok(number) => run.number == number,
        Err(_no_number) => wanted == "last" || run.id.to_string() == wanted,
    };
    let mut offset = 0;
    loop {
        let page = session.call(ListCrewRuns { crew: None, page: PageRequest { offset, limit: PAGE } })?;
        let got = page.items.len();
        if let Some(run) = page.items.into_iter().find(fits) {
            return session.call(GetCrewRun { id: run.id });
        }
        offset += got as u64;
        if got < PAGE as usize {
            let shown = one_line(name);
            return Err(Failure::validation(
                format!("there is no run '{shown}' of a crew"),
                "Run rspa crews runs to see all.",
            ));
        }
    }
}
