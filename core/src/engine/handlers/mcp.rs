//! The family of mcp: requests to the servers of tools, and what these get from the program.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::mcp::{McpRequest as Request, McpResponse as Response};
use crate::clock::Ids;
use crate::confine::Runner;
use crate::engine::host::{command_limits, network_open};
use crate::engine::{Context, Service};
use crate::mcp::http::Reach;
use crate::mcp::service::{KEEPER, pause};
use crate::mcp::stdio::Start;
use crate::mcp::{Connect, Line, Log, Parts, Patience, Servers, http, stdio};
use crate::model::{Consumer, DoctorCheck, McpSecret, McpServer, McpServerDraft, McpState, McpTransport, SecretText};
use crate::tools::Found;

/// A server that worked for so long and then ends has not failed in a row.
const STEADY: Duration = Duration::from_secs(60);

/// The servers of tools of one profile.
pub struct Mcp {
    servers: Servers,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Mcp {
    pub fn servers(&self) -> &Servers {
        &self.servers
    }
}

/// The tool of this name: of the program's own, or of a server, which is started where the tool is asked for.
pub(in crate::engine) fn find_tool(ctx: &Context, name: &str, start: bool) -> Option<Found> {
    if let Some(own) = crate::tools::find(name) {
        return Some(Found::Own(own));
    }
    if !name.starts_with(crate::mcp::PREFIX) {
        return None;
    }
    match ctx.mcp() {
        Ok(service) => service.servers.tool(name, start),
        Err(error) => {
            tracing::warn!(%error, "the tool servers cannot be asked");
            None
        }
    }
}

impl Service for Mcp {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let (publisher, keeper, turns) = (ctx.clone(), ctx.clone(), ctx.clone());
        let servers = Servers::new(Parts {
            main: ctx.databases.main().clone(),
            profile: ctx.profile,
            clock: ctx.clock.clone(),
            ids: Arc::new(Ids::new(ctx.clock.clone())),
            publish: Arc::new(move |event| publisher.publish(event)),
            happened: Arc::new(move |happening| keeper.activity(happening)),
            turn: Arc::new(move |name| turns.begin_turn(name)),
            runtime: ctx.runtime.clone(),
            connect: Arc::new(EngineConnect(ctx.clone())),
            patience: Patience::default(),
            pause,
            steady: STEADY,
        });
        Ok(Self { servers, keeper: Mutex::default() })
    }

    fn start(&self, ctx: &Context) {
        let (supervisor, servers) = (ctx.clone(), self.servers.clone());
        let work = move || supervisor.supervise("tool servers", || servers.run());
        match std::thread::Builder::new().name(KEEPER.to_owned()).spawn(work) {
            Ok(thread) => *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread),
            Err(error) => ctx.health(KEEPER, false, &format!("tool servers that end are not started again: {error}")),
        }
    }

    fn doctor(&self, _ctx: &Context) -> Vec<DoctorCheck> {
        let (ok, detail) = match self.servers.list() {
            Err(error) => (false, error.to_string()),
            Ok(all) => {
                let failed = all.iter().find_map(|one| match &one.state {
                    McpState::Failed { why, .. } => Some(format!("\"{}\": {why}", one.settings.name)),
                    _ => None,
                });
                match failed {
                    Some(failed) => (false, failed),
                    None => (true, format!("{} servers of tools", all.len())),
                }
            }
        };
        vec![DoctorCheck { name: "tool servers".to_owned(), ok, detail }]
    }

    fn stop(&self) {
        self.servers.close();
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if keeper.is_some_and(|keeper| keeper.join().is_err()) {
            tracing::error!("the thread that keeps tool servers ended with a panic");
        }
    }
}

/// As whom a server gets secrets.
fn consumer(server: &str) -> Consumer {
    Consumer::Tool(format!("{}{server}", crate::mcp::PREFIX))
}

/// The person named these credentials for this server, in a request that only they may make.
fn grant(ctx: &Context, server: &McpServer) -> Result<(), ApiError> {
    let values = match &server.settings.transport {
        McpTransport::Stdio { env, .. } => env.values(),
        McpTransport::Http { headers, .. } => headers.values(),
    };
    let services = values.filter_map(|value| match value {
        McpSecret::Credential(service) => Some(service),
        McpSecret::Plain(_) => None,
    });
    let credentials = ctx.credentials()?;
    for service in services {
        credentials.keeper().grant(ctx.profile, service, consumer(&server.settings.name))?;
        credentials.changed();
    }
    Ok(())
}

/// Starts programs and opens doors, with this profile's policy and secrets.
struct EngineConnect(Context);

impl EngineConnect {
    /// What a value is, from the vault where it lies there.
    fn filled(&self, server: &str, value: &McpSecret) -> Result<SecretText, ApiError> {
        match value {
            McpSecret::Plain(text) => Ok(SecretText::new(text.clone())),
            McpSecret::Credential(service) => Ok(self.0.credentials()?.secret_for(service, &consumer(server))?),
        }
    }
}

impl Connect for EngineConnect {
    fn connect(&self, settings: &McpServerDraft, log: &Arc<Log>) -> Result<Line, ApiError> {
        let ctx = &self.0;
        let name = settings.name.clone();
        match &settings.transport {
            McpTransport::Stdio { command, args, env, folder, folders, network } => {
                if *network && !network_open(ctx) {
                    return Err(crate::api::ApiError::new(
                        crate::api::ErrorCategory::Authorisation,
                        format!(
                            "\"{name}\" is set to use the network, and a program may do that only where the profile's \
                             policy lets everything pass, because it does not ask it"
                        ),
                        "Take the network from the server, or change the policy under Profiles & network.",
                    ));
                }
                let mut filled = Vec::new();
                for (variable, value) in env {
                    filled.push((variable.clone(), self.filled(&name, value)?.reveal().to_owned()));
                }
                let start = Start {
                    name,
                    command: command.clone(),
                    args: args.clone(),
                    env: filled,
                    folder: folder.clone(),
                    folders: folders.clone(),
                    network: *network,
                    private: vec![ctx.places.data().to_owned()],
                    limits: command_limits(ctx),
                    unconfined: ctx.settings.current().security.unconfined_commands,
                };
                stdio::start(Runner::this_program(), start, log, &ctx.runtime)
            }
            McpTransport::Http { url, headers } => {
                let mut filled = Vec::new();
                for (header, value) in headers {
                    filled.push((header.clone(), self.filled(&name, value)?));
                }
                let call = Duration::from_secs(settings.call_seconds.into());
                Ok(http::open(Reach { name, url: url.clone(), headers: filled, call, egress: ctx.egress.clone() }))
            }
        }
    }
}

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let service = ctx.mcp()?;
    let (servers, service_ctx) = (service.servers().clone(), ctx.clone());
    Ok(match request {
        Request::ListMcpServers(_) => Response::ListMcpServers(ctx.blocking(move || servers.list()).await?),
        Request::AddMcpServer(add) => {
            let ctx = ctx.clone();
            let add = move || {
                let server = servers.add(add.draft)?;
                grant(&ctx, &server)?;
                Ok(server)
            };
            Response::AddMcpServer(service_ctx.blocking(add).await?)
        }
        Request::UpdateMcpServer(update) => {
            let server = servers.update(update.id, update.draft).await?;
            let (ctx, changed) = (ctx.clone(), server.clone());
            service_ctx.blocking(move || grant(&ctx, &changed)).await?;
            Response::UpdateMcpServer(server)
        }
        Request::RemoveMcpServer(remove) => {
            servers.remove(remove.id).await?;
            Response::RemoveMcpServer(())
        }
        Request::StartMcpServer(start) => Response::StartMcpServer(servers.start(start.id).await?),
        Request::StopMcpServer(stop) => Response::StopMcpServer(servers.stop(stop.id).await?),
        Request::GetMcpOffer(get) => Response::GetMcpOffer(servers.offer(get.id).await?),
        Request::CallMcpTool(call) => {
            Response::CallMcpTool(servers.call(call.id, &call.tool, &call.arguments, &cancel).await?)
        }
        Request::ReadMcpResource(read) => Response::ReadMcpResource(servers.read(read.id, &read.uri, &cancel).await?),
        Request::GetMcpPrompt(get) => {
            Response::GetMcpPrompt(servers.prompt(get.id, &get.name, get.arguments, &cancel).await?)
        }
    })
}
