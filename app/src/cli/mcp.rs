//! `rspa mcp`: servers of tools (model context protocol): add, look at, call.

mod given;

use clap::{Args, Subcommand};
use rspa_core::api::request::mcp::{
    AddMcpServer, CallMcpTool, GetMcpOffer, GetMcpPrompt, ListMcpServers, ReadMcpResource, RemoveMcpServer,
    StartMcpServer, StopMcpServer, UpdateMcpServer,
};
use rspa_core::model::{McpContent, McpOffer, McpServer, McpState};
use serde_json::{Value, json};

use self::given::{ServerArguments, pair};
use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::session::Session;

#[derive(Args)]
pub struct McpArguments {
    #[command(subcommand)]
    verb: Option<McpVerb>,
}

#[derive(Subcommand)]
enum McpVerb {
    /// List servers with how they are doing
    List,
    /// Add a server: a program that is started confined, or an address
    Add {
        /// Small letters, digits and underscores: its tools are called mcp_NAME_TOOL
        name: String,
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Change a server; what is not named stays as it is
    Edit {
        name: String,
        /// Give it another name
        #[arg(long, value_name = "NEW NAME")]
        name_it: Option<String>,
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Remove a server
    Remove { name: String },
    /// Start a server, or reach it, and say how that went
    Start { name: String },
    /// End a server; it is started again when it is needed
    Stop { name: String },
    /// What it offers: tools with what they take, resources, prompts
    Show { name: String },
    /// Call a tool; asks you first
    Call {
        name: String,
        /// As the server calls it, or as agents do
        tool: String,
        /// A JSON object
        #[arg(long, value_name = "JSON", default_value = "{}")]
        arguments: String,
    },
    /// Read a resource
    Read { name: String, uri: String },
    /// Get a prompt
    Prompt {
        name: String,
        prompt: String,
        /// What it takes, as NAME=VALUE
        #[arg(value_name = "NAME=VALUE", value_parser = pair)]
        arguments: Vec<(String, String)>,
    },
    /// The end of what a server wrote to standard error
    Log { name: String },
}

pub fn run(context: &Context, arguments: McpArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or(McpVerb::List) {
        McpVerb::List => {
            let all = session.call(ListMcpServers {})?;
            if output.json {
                return output.json_line(&all);
            }
            if all.is_empty() {
                output.note("There are no servers of tools. `rspa mcp add` makes one.");
            }
            all.iter().try_for_each(|one| line(output, one))
        }
        McpVerb::Add { name, server } => {
            let draft = server.draft(name)?;
            done(output, &session.call(AddMcpServer { draft })?)
        }
        McpVerb::Edit { name, name_it, server } => {
            let before = named(&session, &name)?;
            let mut draft = before.settings;
            if let Some(name) = name_it {
                draft.name = name;
            }
            server.change(&mut draft)?;
            done(output, &session.call(UpdateMcpServer { id: before.id, draft })?)
        }
        McpVerb::Remove { name } => {
            let server = named(&session, &name)?;
            session.call(RemoveMcpServer { id: server.id })?;
            if output.json {
                return output.json_line(&json!({ "removed": server.settings.name }));
            }
            output.line(&format!("removed: {}", server.settings.name))
        }
        McpVerb::Start { name } => done(output, &session.call(StartMcpServer { id: named(&session, &name)?.id })?),
        McpVerb::Stop { name } => done(output, &session.call(StopMcpServer { id: named(&session, &name)?.id })?),
        McpVerb::Show { name } => {
            let id = named(&session, &name)?.id;
            let offer = session.call(GetMcpOffer { id })?;
            let server = named(&session, &name)?;
            if output.json {
                return output.json_line(&json!({ "server": server, "offer": offer }));
            }
            line(output, &server)?;
            if !server.confinement.is_empty() {
                output.line(&format!("  {}", one_line(&server.confinement)))?;
            }
            show(output, &offer)
        }
        McpVerb::Call { name, tool, arguments } => {
            let arguments: Value = serde_json::from_str(&arguments).map_err(|error| {
                Failure::validation(
                    format!("the arguments are no JSON: {error}"),
                    "Give an object: '{\"path\": \".\"}'.",
                )
            })?;
            let id = named(&session, &name)?.id;
            let offer = session.call(GetMcpOffer { id })?;
            let found = offer.tools.into_iter().find(|known| known.name == tool || known.tool == tool);
            let tool = found.map_or(tool, |known| known.name);
            content(output, &session.call(CallMcpTool { id, tool, arguments })?)
        }
        McpVerb::Read { name, uri } => {
            let id = named(&session, &name)?.id;
            content(output, &session.call(ReadMcpResource { id, uri })?)
        }
        McpVerb::Prompt { name, prompt, arguments } => {
            let id = named(&session, &name)?.id;
            let arguments = arguments.into_iter().collect();
            content(output, &session.call(GetMcpPrompt { id, name: prompt, arguments })?)
        }
        McpVerb::Log { name } => {
            let server = named(&session, &name)?;
            if output.json {
                return output.json_line(&json!({ "log": server.log }));
            }
            if server.log.is_empty() {
                output.note("It has written nothing since this program was started.");
            }
            output.text(&server.log)
        }
    }
}

/// By name, or by id.
fn named(session: &Session, name: &str) -> Result<McpServer, Failure> {
    let wanted = name.trim().to_lowercase();
    let all = session.call(ListMcpServers {})?;
    all.into_iter().find(|one| one.settings.name == wanted || one.id.to_string() == wanted).ok_or_else(|| {
        let shown = one_line(name);
        Failure::validation(format!("there is no tool server '{shown}'"), "Run rspa mcp list to see all.")
    })
}

fn state(one: &McpServer) -> String {
    match &one.state {
        _ if !one.settings.enabled => "off".to_owned(),
        McpState::Stopped => "not started".to_owned(),
        McpState::Starting => "starts".to_owned(),
        McpState::Ready { server, version, protocol } => {
            format!("ready: {} {}, protocol {}", one_line(server), one_line(version), one_line(protocol))
        }
        McpState::Failed { why, .. } => format!("failed: {}", one_line(why)),
    }
}

fn line(output: Output, one: &McpServer) -> Result<(), Failure> {
    output.line(&format!(
        "{}  {}  {} tools, {} resources, {} prompts",
        one_line(&one.settings.words()),
        state(one),
        one.tools,
        one.resources,
        one.prompts
    ))
}

fn done(output: Output, one: &McpServer) -> Result<(), Failure> {
    if output.json {
        return output.json_line(one);
    }
    line(output, one)?;
    if one.confinement.is_empty() { Ok(()) } else { output.line(&format!("  {}", one_line(&one.confinement))) }
}

fn show(output: Output, offer: &McpOffer) -> Result<(), Failure> {
    if !offer.instructions.is_empty() {
        output.line(&format!("It says of itself: {}", one_line(&offer.instructions)))?;
    }
    for tool in &offer.tools {
        output.line(&format!("{}  ({})  {}", one_line(&tool.name), tool.tool, one_line(&tool.description)))?;
        output.line(&format!("  takes {}", one_line(&tool.parameters.to_string())))?;
    }
    for resource in &offer.resources {
        output.line(&format!(
            "{}  {}  {}",
            one_line(&resource.uri),
            one_line(&resource.name),
            one_line(&resource.mime)
        ))?;
    }
    for prompt in &offer.prompts {
        let arguments: Vec<String> = prompt
            .arguments
            .iter()
            .map(|(name, _, required)| if *required { one_line(name) } else { format!("[{}]", one_line(name)) })
            .collect();
        output.line(&format!(
            "prompt {}  {}  {}",
            one_line(&prompt.name),
            arguments.join(" "),
            one_line(&prompt.description)
        ))?;
    }
    Ok(())
}

fn content(output: Output, given: &McpContent) -> Result<(), Failure> {
    if output.json {
        output.json_line(given)?;
    } else {
        output.line(&given.text)?;
        for part in &given.other {
            output.line(&format!("[not shown: {}]", one_line(part)))?;
        }
    }
    match given.failed {
        true if output.json => Err(Failure::Reported),
        true => {
            output.note("The server says that the call failed.");
            Err(Failure::Reported)
        }
        false => Ok(()),
    }
}
