//! `rspa agents`: make, change, list and remove agents; their types, tools, data and figures.

pub(super) mod draft;
pub(super) mod more;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rspa_core::api::request::agents::{
    CreateAgent, DeleteAgent, DuplicateAgent, ExportAgent, GetAgent, ImportAgent, ListAgents, SetAgentStatus,
    UpdateAgent,
};
use rspa_core::model::{Agent, AgentFilter, AgentSort, AgentStatus};

use super::Context;
use super::failure::Failure;
use super::output::one_line;
use super::session::Session;

#[derive(Args)]
pub struct AgentsArguments {
    #[command(subcommand)]
    verb: Option<AgentsVerb>,
}

#[derive(Subcommand)]
enum AgentsVerb {
    /// List agents
    List(ListArguments),
    /// Show all of one agent
    Show { agent: String },
    /// Make an agent from a type
    Create {
        name: String,
        /// The id of a type; `rspa agents types` shows all
        #[arg(long = "type", value_name = "TYPE", default_value = "conversational")]
        kind: String,
        #[command(flatten)]
        draft: draft::DraftArguments,
    },
    /// Change what is named; all else stays
    Edit {
        agent: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        #[command(flatten)]
        draft: draft::DraftArguments,
    },
    /// Set the status; only an active agent takes new tasks
    Status { agent: String, status: Status },
    /// Make an inactive copy under another name
    Duplicate { agent: String },
    /// Put an agent into the trash
    Delete { agent: String },
    /// Write an agent as TOML, without folders and secrets
    Export {
        agent: String,
        /// A file that is not there yet; standard output when not given
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Make an agent from a file (TOML, YAML or JSON; - is standard input); what it would allow is asked
    Import { file: PathBuf },
    /// List types, and folders with a definition that cannot be used
    Types,
    /// List tools, or set what this profile says of one
    Tools {
        /// The stricter of this and the agent's own word counts; "agents" leaves it to them
        #[arg(long, value_name = "TOOL=allow|ask|deny|agents")]
        policy: Option<String>,
    },
    /// Show an agent's own data, or change an entry
    Data {
        agent: String,
        key: Option<String>,
        /// JSON, or plain text
        #[arg(long, value_name = "VALUE", requires = "key", conflicts_with = "remove")]
        value: Option<String>,
        #[arg(long, requires = "key")]
        remove: bool,
    },
    /// Show how an agent did, day by day
    Metrics {
        agent: String,
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=400))]
        days: u32,
    },
    /// Add or remove sample data
    Sample { what: SampleVerb },
}

#[derive(Args)]
struct ListArguments {
    /// In name, description or tags
    #[arg(long, default_value = "")]
    text: String,
    #[arg(long)]
    status: Option<Status>,
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    #[arg(long)]
    tag: Option<String>,
    #[arg(long, default_value = "name")]
    sort: Sort,
}

#[derive(Clone, Copy, ValueEnum)]
enum Status {
    Active,
    Inactive,
    Training,
    Error,
    Paused,
}

#[derive(Clone, Copy, ValueEnum)]
enum Sort {
    Name,
    LastActive,
    Completed,
    SuccessRate,
    Created,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum SampleVerb {
    Add,
    Remove,
}

impl From<Status> for AgentStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Inactive => Self::Inactive,
            Status::Training => Self::Training,
            Status::Error => Self::Error,
            Status::Paused => Self::Paused,
        }
    }
}

impl From<Sort> for AgentSort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Name => Self::Name,
            Sort::LastActive => Self::LastActive,
            Sort::Completed => Self::Completed,
            Sort::SuccessRate => Self::SuccessRate,
            Sort::Created => Self::Created,
        }
    }
}

impl Default for ListArguments {
    fn default() -> Self {
        Self { text: String::new(), status: None, kind: None, tag: None, sort: Sort::Name }
    }
}

pub fn run(context: &Context, arguments: AgentsArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or_else(|| AgentsVerb::List(ListArguments::default())) {
        AgentsVerb::List(list) => {
            let filter = AgentFilter {
                text: list.text,
                status: list.status.map(AgentStatus::from),
                kind: list.kind,
                tag: list.tag,
                sort: list.sort.into(),
            };
            show::list(output, &session.call(ListAgents { filter })?)
        }
        AgentsVerb::Show { agent } => show::one(output, &find(&session, &agent)?),
        AgentsVerb::Create { name, kind, draft } => {
            let draft = draft.apply(draft::of_type(&session, &kind, name)?)?;
            show::done(output, &session.call(CreateAgent { draft })?, "made")
        }
        AgentsVerb::Edit { agent, name, kind, draft } => {
            let known = find(&session, &agent)?;
            let mut settings = known.settings;
            settings.name = name.unwrap_or(settings.name);
            settings.kind = kind.unwrap_or(settings.kind);
            let draft = draft.apply(settings)?;
            show::done(output, &session.call(UpdateAgent { id: known.id, draft })?, "changed")
        }
        AgentsVerb::Status { agent, status } => {
            let id = find(&session, &agent)?.id;
            let agent = session.call(SetAgentStatus { id, status: status.into() })?;
            show::done(output, &agent, show::status(agent.status))
        }
        AgentsVerb::Duplicate { agent } => {
            let id = find(&session, &agent)?.id;
            show::done(output, &session.call(DuplicateAgent { id })?, "made")
        }
        AgentsVerb::Delete { agent } => {
            let id = find(&session, &agent)?.id;
            let item = session.call(DeleteAgent { id })?;
            if output.json {
                return output.json_line(&item);
            }
            output.line(&format!("in the trash: {}", one_line(&item.title)))?;
            output.note(&format!("Bring it back with: rspa trash restore {}", item.id));
            Ok(())
        }
        AgentsVerb::Export { agent, to } => {
            let id = find(&session, &agent)?.id;
            more::export(output, &session.call(ExportAgent { id })?, to.as_deref())
        }
        AgentsVerb::Import { file } => {
            let text = draft::text_of_file(&file, "definition")?;
            show::done(output, &session.call(ImportAgent { text })?, "imported")
        }
        AgentsVerb::Types => more::types(&session),
        AgentsVerb::Tools { policy } => more::tools(&session, policy.as_deref()),
        AgentsVerb::Data { agent, key, value, remove } => {
            more::data(&session, &find(&session, &agent)?, key, value, remove)
        }
        AgentsVerb::Metrics { agent, days } => more::metrics(&session, &find(&session, &agent)?, days),
        AgentsVerb::Sample { what } => more::sample(&session, what),
    }
}

/// An agent by id, or by name whatever the case.
fn find(session: &Session, given: &str) -> Result<Agent, Failure> {
    if let Ok(id) = given.parse() {
        return session.call(GetAgent { id });
    }
    let wanted = given.trim().to_lowercase();
    let all = session.call(ListAgents { filter: AgentFilter::default() })?;
    all.into_iter().find(|agent| agent.settings.name.to_lowercase() == wanted).ok_or_else(|| {
        Failure::validation(format!("there is no agent '{}'", one_line(given)), "Run rspa agents list to see all.")
    })
}
