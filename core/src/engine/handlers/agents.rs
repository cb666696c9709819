//! The family of agents: requests to their store, their types and their tools.

mod changes;
mod sample;
mod words;

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use crate::agents::validate::Ground;
use crate::agents::{portable, select, types};
use crate::api::request::agents::{AgentsRequest as Request, AgentsResponse as Response};
use crate::api::{ApiError, Event};
use crate::engine::handlers::chats::days_until;
use crate::engine::handlers::mcp::find_tool;
use crate::engine::{Context, Service};
use crate::model::{AgentDraft, AgentTypeList, ToolInfo};
use crate::storage::agents;
use crate::tools::{self, Found};

/// Agents and their loop.
pub struct Agents {}

impl Service for Agents {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self {})
    }
}

/// Days of metrics that are given at most.
const MOST_DAYS: u32 = 400;

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads or writes the database.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

pub(super) fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let (main, profile) = (ctx.databases.main(), ctx.profile);
    Ok(match request {
        Request::ListAgents(list) => Response::ListAgents(select::select(agents::list(main, profile)?, &list.filter)),
        Request::GetAgent(get) => Response::GetAgent(agents::get(main, profile, get.id)?),
        Request::CreateAgent(create) => Response::CreateAgent(changes::create(ctx, create.draft)?),
        Request::UpdateAgent(update) => Response::UpdateAgent(changes::update(ctx, update.id, update.draft)?),
        Request::SetAgentStatus(set) => Response::SetAgentStatus(changes::set_status(ctx, set.id, set.status, "")?),
        Request::DuplicateAgent(duplicate) => Response::DuplicateAgent(changes::duplicate(ctx, duplicate.id)?),
        Request::DeleteAgent(delete) => Response::DeleteAgent(changes::delete(ctx, delete.id)?),
        Request::ExportAgent(export) => {
            let agent = agents::get(main, profile, export.id)?;
            Response::ExportAgent(portable::text_of(&agent.settings)?)
        }
        Request::ImportAgent(import) => Response::ImportAgent(changes::import(ctx, &import.text)?),
        Request::ListAgentTypes(_) => Response::ListAgentTypes(agent_types(ctx)),
        Request::ListTools(_) => Response::ListTools(all_tools(ctx)?),
        Request::SetToolPolicy(set) => {
            let known = set.tool.as_str();
            let is_set = agents::policies(main, profile)?.contains_key(known);
            if find_tool(ctx, known, false).is_none() && !is_set {
                return Err(ApiError::validation(
                    format!("there is no tool {:?}", known.chars().take(60).collect::<String>()),
                    "`rspa agents tools` shows all that there are.",
                ));
            }
            agents::set_policy(main, profile, known, set.permission, ctx.clock.now())?;
            ctx.happened("tool.policy", &words::policy(known, set.permission));
            ctx.publish(Event::AgentsChanged);
            Response::SetToolPolicy(all_tools(ctx)?)
        }
        Request::GetAgentMetrics(get) => {
            let days = days_until(ctx.clock.now(), get.days.clamp(1, MOST_DAYS) as usize);
            Response::GetAgentMetrics(agents::metrics(main, profile, get.id, &days, ctx.clock.now())?)
        }
        Request::ListAgentData(list) => Response::ListAgentData(agents::data(main, profile, list.id)?),
        Request::PutAgentDatum(put) => {
            agents::put_datum(main, profile, put.id, &put.key, put.value.as_ref(), ctx.clock.now())?;
            ctx.publish(Event::AgentsChanged);
            Response::PutAgentDatum(agents::data(main, profile, put.id)?)
        }
        Request::AddSampleData(_) => Response::AddSampleData(sample::add(ctx)?),
        Request::RemoveSampleData(_) => Response::RemoveSampleData(sample::remove(ctx)?),
    })
}

/// All types as they are on the disk now.
pub(in crate::engine) fn agent_types(ctx: &Context) -> AgentTypeList {
    types::list(ctx.places.data())
}

/// All tools, with what the profile says of each.
pub(in crate::engine) fn all_tools(ctx: &Context) -> Result<Vec<ToolInfo>, ApiError> {
    let policies = agents::policies(ctx.databases.main(), ctx.profile)?;
    let own = tools::all().iter().map(|tool| Found::Own(*tool));
    let known = own.chain(ctx.mcp()?.servers().tools()).map(|tool| {
        let spec = tool.spec();
        ToolInfo {
            profile: policies.get(&*spec.name).copied(),
            name: spec.name.into_owned(),
            title: spec.title.into_owned(),
            description: spec.description.into_owned(),
            effect: spec.effect,
            parameters: spec.parameters,
            default: spec.default,
            unavailable: tool.unavailable(),
        }
    });
    Ok(known.collect())
}

/// What a draft is checked against: what there is here now. Tools that its type names may be missing.
fn ground(ctx: &Context, draft: &AgentDraft) -> Ground {
    let known = agent_types(ctx).types;
    let mut names: BTreeSet<String> = tools::all().iter().map(|tool| tool.spec().name.into_owned()).collect();
    // Those of servers that are there, whether they run or not; what such a server does not have stays unavailable.
    let servers = ctx.mcp().and_then(|service| service.servers().list()).unwrap_or_default();
    let of_server = |name: &&String| {
        servers.iter().any(|server| name.starts_with(&format!("{}{}_", crate::mcp::PREFIX, server.settings.name)))
    };
    names.extend(draft.tools.keys().filter(of_server).cloned());
    let own = known.iter().find(|kind| kind.id == draft.kind);
    names.extend(own.into_iter().flat_map(|kind| kind.defaults.tools.keys().cloned()));
    Ground {
        tools: Some(names),
        types: Some(known.into_iter().map(|kind| kind.id).collect()),
        data: Some(ctx.places.data().to_owned()),
        home: ctx.places.home().map(ToOwned::to_owned),
    }
}
