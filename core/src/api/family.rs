//! Families of requests: each family is one enum and one handler module, never one giant dispatcher.

use serde::{Deserialize, Serialize};

use super::ApiError;
use super::request::{
    activities::{ActivitiesRequest, ActivitiesResponse},
    agents::{AgentsRequest, AgentsResponse},
    approvals::{ApprovalsRequest, ApprovalsResponse},
    backups::{BackupsRequest, BackupsResponse},
    chats::{ChatsRequest, ChatsResponse},
    consents::{ConsentsRequest, ConsentsResponse},
    credentials::{CredentialsRequest, CredentialsResponse},
    crews::{CrewsRequest, CrewsResponse},
    dashboard::{DashboardRequest, DashboardResponse},
    knowledge::{KnowledgeRequest, KnowledgeResponse},
    logs::{LogsRequest, LogsResponse},
    mcp::{McpRequest, McpResponse},
    models::{ModelsRequest, ModelsResponse},
    notifications::{NotificationsRequest, NotificationsResponse},
    profiles::{ProfilesRequest, ProfilesResponse},
    providers::{ProvidersRequest, ProvidersResponse},
    runs::{RunsRequest, RunsResponse},
    schedules::{SchedulesRequest, SchedulesResponse},
    settings::{SettingsRequest, SettingsResponse},
    system::{SystemRequest, SystemResponse},
    tasks::{TasksRequest, TasksResponse},
    trash::{TrashRequest, TrashResponse},
    usage::{UsageRequest, UsageResponse},
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "family", content = "request", rename_all = "snake_case")]
pub enum Request {
    Activities(ActivitiesRequest),
    Agents(AgentsRequest),
    Approvals(ApprovalsRequest),
    Backups(BackupsRequest),
    Chats(ChatsRequest),
    Consents(ConsentsRequest),
    Credentials(CredentialsRequest),
    Dashboard(DashboardRequest),
    Knowledge(KnowledgeRequest),
    Logs(LogsRequest),
    Models(ModelsRequest),
    Notifications(NotificationsRequest),
    Profiles(ProfilesRequest),
    Runs(RunsRequest),
    Schedules(SchedulesRequest),
    Settings(SettingsRequest),
    System(SystemRequest),
    Tasks(TasksRequest),
    Crews(CrewsRequest),
    Mcp(McpRequest),
    Providers(ProvidersRequest),
    Usage(UsageRequest),
    Trash(TrashRequest),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "family", content = "response", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "made once per request and moved, not kept")]
pub enum Response {
    Activities(ActivitiesResponse),
    Agents(AgentsResponse),
    Approvals(ApprovalsResponse),
    Backups(BackupsResponse),
    Chats(ChatsResponse),
    Consents(ConsentsResponse),
    Credentials(CredentialsResponse),
    Dashboard(DashboardResponse),
    Knowledge(KnowledgeResponse),
    Logs(LogsResponse),
    Models(ModelsResponse),
    Notifications(NotificationsResponse),
    Profiles(ProfilesResponse),
    Runs(RunsResponse),
    Schedules(SchedulesResponse),
    Settings(SettingsResponse),
    System(SystemResponse),
    Tasks(TasksResponse),
    Crews(CrewsResponse),
    Mcp(McpResponse),
    Providers(ProvidersResponse),
    Usage(UsageResponse),
    Trash(TrashResponse),
}

/// A request struct that knows the type of its reply.
pub trait Call: Send + 'static {
    type Reply: Send + 'static;

    fn into_request(self) -> Request;

    /// Takes the reply out of the response to this request; an error if the response belongs to another one.
    fn reply(response: Response) -> Result<Self::Reply, ApiError>;
}

/// Declares a family: `Name => Reply` pairs of request structs make the request and the response enum and tie them.
macro_rules! family {
    ($family:ident, $request:ident, $response:ident { $($name:ident => $reply:ty),* $(,)? }) => {
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "name", content = "arguments", rename_all = "snake_case")]
        pub enum $request { $($name($name)),* }

        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "name", content = "reply", rename_all = "snake_case")]
        #[allow(clippy::large_enum_variant, reason = "made once per request and moved, not kept")]
        pub enum $response { $($name($reply)),* }

        $(impl $crate::api::Call for $name {
            type Reply = $reply;

            fn into_request(self) -> $crate::api::Request {
                $crate::api::Request::$family($request::$name(self))
            }

            fn reply(response: $crate::api::Response) -> Result<$reply, $crate::api::ApiError> {
                match response {
                    $crate::api::Response::$family($response::$name(reply)) => Ok(reply),
                    _ => Err($crate::api::ApiError::new(
                        $crate::api::ErrorCategory::System,
                        concat!("the reply to ", stringify!($name), " was of another kind"),
                        "Restart the program; if it repeats, report it.",
                    )),
                }
            }
        })*
    };
}
pub(crate) use family;
