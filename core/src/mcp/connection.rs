//! One connection to one server: begun, listed, called with patience that ends, and over when its line is.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CancelledNotificationParam, ClientCapabilities, ClientConfig,
    ClientRequest, GetPromptRequest, GetPromptRequestParams, Implementation, JsonObject, ListPromptsRequest,
    ListResourcesRequest, ListToolsRequest, PaginatedRequestParams, PingRequest, ReadResourceRequest,
    ReadResourceRequestParams, ServerResult,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RequestContext, serve_client_with_ct};
use rmcp::{ErrorData, Peer, RoleClient, ServiceError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::offer;
use super::wire::Why;
use super::words::{clean, failed, line, wrong};
use super::{Life, Line};
use crate::api::ApiError;
use crate::model::{McpContent, McpOffer, McpServerDraft, McpTransport};

/// How long a server is waited for, beside its calls.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until it has said hello.
    pub hello: Duration,
    /// Until it has listed what it offers.
    pub list: Duration,
    /// For one that let a call pass without an answer to say that it still lives.
    pub ping: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { hello: Duration::from_secs(30), list: Duration::from_secs(30), ping: Duration::from_secs(5) }
    }
}

/// For a message to be taken by a server that reads nothing.
const SEND: Duration = Duration::from_secs(2);

/// What the server calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub server: String,
    pub version: String,
    pub protocol: String,
}

pub struct Connection {
    name: String,
    peer: Peer<RoleClient>,
    pub hello: Hello,
    instructions: String,
    has_tools: bool,
    has_resources: bool,
    has_prompts: bool,
    call: Duration,
    patience: Patience,
    /// Ends the protocol.
    over: CancellationToken,
    ended: watch::Receiver<bool>,
    why: Arc<Why>,
    life: Arc<dyn Life>,
    runtime: Handle,
}

impl Connection {
    /// Says hello. `changed` hears when the server offers something else, `gone` when the line is over, with why.
    ///
    /// # Errors
    /// Why there is no connection; the server is gone then.
    pub async fn begin(
        line: Line,
        settings: &McpServerDraft,
        runtime: &Handle,
        patience: Patience,
        changed: mpsc::Sender<()>,
        gone: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, ApiError> {
        let Line { wire, life, hint, .. } = line;
        let (why, over) = (wire.why(), CancellationToken::new());
        let handler = Handler { roots: roots(settings), changed };
        let hello = tokio::time::timeout(patience.hello, serve_client_with_ct(handler, wire, over.clone())).await;
        let refused = match hello {
            Ok(Ok(running)) => Ok(running),
            Ok(Err(error)) => Err(line_of(&error.to_string())),
            Err(_elapsed) => Err(format!("it did not say hello within {} s", patience.hello.as_secs())),
        };
        let running = match refused {
            Ok(running) => running,
            Err(error) => {
                let (ending, said) = (life.clone(), why.get());
                let fate = runtime.spawn_blocking(move || {
                    let fate = ending.fate();
                    ending.end();
                    fate
                });
                let fate = fate.await.unwrap_or_default();
                let mut words = [fate, said, error].into_iter().find(|words| !words.is_empty()).unwrap_or_default();
                if !hint.is_empty() {
                    words = format!("{words} ({hint})");
                }
                return Err(wrong(
                    format!("the tool server \"{}\" could not be used: {words}", settings.name),
                    "Look at its log, and at what it is started with.",
                ));
            }
        };
        let peer = running.peer().clone();
        let info = peer.peer_info();
        let own = info.as_ref().and_then(|info| info.server_info.clone());
        let hello = Hello {
            server: own.as_ref().map(|own| line_of(&own.name)).unwrap_or_default(),
            version: own.as_ref().map(|own| line_of(&own.version)).unwrap_or_default(),
            protocol: info.as_ref().map(|info| line_of(info.protocol_version.as_str())).unwrap_or_default(),
        };
        let can = info.as_ref().map(|info| info.capabilities.clone()).unwrap_or_default();
        let instructions = info.as_ref().and_then(|info| info.instructions.clone()).unwrap_or_default();
        let (done, ended) = watch::channel(false);
        let (ending, said, pool) = (life.clone(), why.clone(), runtime.clone());
        runtime.spawn(async move {
            drop(running.waiting().await);
            let fate = pool.spawn_blocking(move || {
                let fate = ending.fate();
                ending.end();
                fate
            });
            let fate = fate.await.unwrap_or_default();
            let words = [said.get(), fate].into_iter().find(|words| !words.is_empty());
            gone(words.unwrap_or_else(|| "it closed the line".to_owned()));
            done.send(true).ok();
        });
        Ok(Self {
            name: settings.name.clone(),
            peer,
            hello,
            instructions: clean(&instructions, offer::LONGEST_INSTRUCTIONS),
            has_tools: can.tools.is_some(),
            has_resources: can.resources.is_some(),
            has_prompts: can.prompts.is_some(),
            call: Duration::from_secs(settings.call_seconds.into()),
            patience,
            over,
            ended,
            why,
            life,
            runtime: runtime.clone(),
        })
    }

    /// Nothing can be asked of it any more.
    pub fn is_over(&self) -> bool {
        self.over.is_cancelled() || *self.ended.borrow() || self.peer.is_transport_closed()
    }

    /// Ends it, and waits until the server is gone.
    pub async fn end(&self) {
        self.over.cancel();
        let mut ended = self.ended.clone();
        // What the server still wants to say is not waited for.
        drop(tokio::time::timeout(SEND, ended.wait_for(|ended| *ended)).await);
        let life = self.life.clone();
        drop(self.runtime.spawn_blocking(move || life.end()).await);
    }

    /// Everything that it offers.
    ///
    /// # Errors
    /// When it does not list it in time.
    pub async fn offer(&self) -> Result<McpOffer, ApiError> {
        let listed = tokio::time::timeout(self.patience.list, self.list()).await;
        listed.unwrap_or_else(|_elapsed| {
            Err(wrong(
                format!(
                    "the tool server \"{}\" did not list what it offers within {} s",
                    self.name,
                    self.patience.list.as_secs()
                ),
                "Look at its log.",
            ))
        })
    }

    async fn list(&self) -> Result<McpOffer, ApiError> {
        let (mut tools, mut resources, mut prompts) = (Vec::new(), Vec::new(), Vec::new());
        if self.has_tools {
            let mut page = Pages::default();
            while let Some(params) = page.next() {
                let request = ListToolsRequest { params: Some(params), ..ListToolsRequest::default() };
                let listed = self.ask(ClientRequest::ListToolsRequest(request), "the list of its tools").await?;
                let ServerResult::ListToolsResult(listed) = listed else {
                    return Err(self.odd("the list of its tools"));
                };
                tools.extend(listed.tools);
                page.turn(listed.next_cursor, tools.len());
            }
        }
        if self.has_resources {
            let mut page = Pages::default();
            while let Some(params) = page.next() {
                let request = ListResourcesRequest { params: Some(params), ..ListResourcesRequest::default() };
                let listed =
                    self.ask(ClientRequest::ListResourcesRequest(request), "the list of its resources").await?;
                let ServerResult::ListResourcesResult(listed) = listed else {
                    return Err(self.odd("the list of its resources"));
                };
                resources.extend(listed.resources);
                page.turn(listed.next_cursor, resources.len());
            }
        }
        if self.has_prompts {
            let mut page = Pages::default();
            while let Some(params) = page.next() {
                let request = ListPromptsRequest { params: Some(params), ..ListPromptsRequest::default() };
                let listed = self.ask(ClientRequest::ListPromptsRequest(request), "the list of its prompts").await?;
                let ServerResult::ListPromptsResult(listed) = listed else {
                    return Err(self.odd("the list of its prompts"));
                };
                prompts.extend(listed.prompts);
                page.turn(listed.next_cursor, prompts.len());
            }
        }
        Ok(McpOffer {
            instructions: self.instructions.clone(),
            tools: offer::tools(&self.name, tools),
            resources: offer::resources(resources),
            prompts: offer::prompts(prompts),
        })
    }

    /// # Errors
    /// When there is no answer. A call that the server says has failed is an answer.
    pub async fn call(
        &self,
        tool: &str,
        arguments: JsonObject,
        cancel: &CancellationToken,
    ) -> Result<McpContent, ApiError> {
        let what = format!("the call of {}", line(tool, 100));
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        match self.patiently(request, &what, cancel).await? {
            ServerResult::CallToolResult(result) => Ok(offer::of_call(result)),
            ServerResult::InputRequiredResult(_) | ServerResult::CreateTaskResult(_) => Err(wrong(
                format!("{} wants more than arguments for {what}, which this program does not give", self.name),
                "Use another tool.",
            )),
            ServerResult::EmptyResult(_) => Ok(McpContent::default()),
            _ => Err(self.odd(&what)),
        }
    }

    /// # Errors
    /// When there is no answer.
    pub async fn read(&self, uri: &str, cancel: &CancellationToken) -> Result<McpContent, ApiError> {
        let what = format!("the resource {}", line(uri, 100));
        let request = ReadResourceRequest::new(ReadResourceRequestParams::new(uri));
        match self.patiently(ClientRequest::ReadResourceRequest(request), &what, cancel).await? {
            ServerResult::ReadResourceResult(result) => Ok(offer::of_resource(result)),
            _ => Err(self.odd(&what)),
        }
    }

    /// # Errors
    /// When there is no answer.
    pub async fn prompt(
        &self,
        name: &str,
        arguments: JsonObject,
        cancel: &CancellationToken,
    ) -> Result<McpContent, ApiError> {
        let what = format!("the prompt {}", line(name, 100));
        let request = GetPromptRequest::new(GetPromptRequestParams::new(name).with_arguments(arguments));
        match self.patiently(ClientRequest::GetPromptRequest(request), &what, cancel).await? {
            ServerResult::GetPromptResult(result) => Ok(offer::of_prompt(result)),
            _ => Err(self.odd(&what)),
        }
    }

    fn odd(&self, what: &str) -> ApiError {
        failed(&self.name, what, &ServiceError::UnexpectedResponse, 0)
    }

    async fn ask(&self, request: ClientRequest, what: &str) -> Result<ServerResult, ApiError> {
        self.patiently(request, what, &CancellationToken::new()).await
    }

    /// Waits for so long as the settings say. A server that then does not even answer a ping is ended.
    async fn patiently(
        &self,
        request: ClientRequest,
        what: &str,
        cancel: &CancellationToken,
    ) -> Result<ServerResult, ApiError> {
        let seconds = self.call.as_secs();
        let options = PeerRequestOptions::with_timeout(self.call);
        let handle = self.peer.send_request_with_option(request, options).await;
        let handle = handle.map_err(|error| self.failed(what, &error))?;
        let id = handle.id.clone();
        let answer = tokio::select! {
            answer = tokio::time::timeout(self.call + SEND, handle.await_response()) => answer,
            () = cancel.cancelled() => {
                let stop = CancelledNotificationParam::new(Some(id), Some("nobody waits for it any more".to_owned()));
                drop(tokio::time::timeout(SEND, self.peer.notify_cancelled(stop)).await);
                return Err(ApiError::cancelled());
            }
        };
        match answer {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(error)) if !matches!(error, ServiceError::Timeout { .. }) => return Err(self.failed(what, &error)),
            Ok(Err(_)) | Err(_) => {}
        }
        if self.answers_ping().await {
            return Err(failed(&self.name, what, &ServiceError::Timeout { timeout: self.call }, seconds));
        }
        self.why.set("it answered nothing any more, not even a ping, and was ended");
        self.end().await;
        Err(wrong(
            format!(
                "{} did not answer {what} within {seconds} s, and nothing else after that, so it was ended: nobody \
                 knows whether the call was done",
                self.name
            ),
            "Look at the server's log, and whether it was done, before you go on.",
        ))
    }

    fn failed(&self, what: &str, error: &ServiceError) -> ApiError {
        let closed = matches!(error, ServiceError::TransportClosed | ServiceError::TransportSend(_));
        match self.why.get() {
            why if closed && !why.is_empty() => wrong(
                format!("{} ended during {what} ({why}): nobody knows whether it was done", self.name),
                "Look at the server's log, and whether it was done, before you go on.",
            ),
            _ => failed(&self.name, what, error, self.call.as_secs()),
        }
    }

    async fn answers_ping(&self) -> bool {
        let ping = ClientRequest::PingRequest(PingRequest::default());
        let ping = async {
            let options = PeerRequestOptions::with_timeout(self.patience.ping);
            let handle = self.peer.send_request_with_option(ping, options).await.ok()?;
            match handle.await_response().await {
                // An error is an answer too.
                Ok(_) | Err(ServiceError::McpError(_) | ServiceError::UnexpectedResponse) => Some(()),
                Err(_) => None,
            }
        };
        tokio::time::timeout(self.patience.ping + SEND, ping).await.is_ok_and(|answer| answer.is_some())
    }
}

fn line_of(text: &str) -> String {
    line(text, 200)
}

/// Asks for page after page, and stops where a server turns in circles.
#[derive(Default)]
struct Pages {
    cursor: Option<String>,
    turned: usize,
    done: bool,
}

impl Pages {
    fn next(&self) -> Option<PaginatedRequestParams> {
        (!self.done).then(|| PaginatedRequestParams::default().with_cursor(self.cursor.clone()))
    }

    fn turn(&mut self, next: Option<String>, found: usize) {
        self.turned += 1;
        self.done = next.is_none() || next == self.cursor || self.turned >= offer::MOST_PAGES || found >= offer::MOST;
        self.cursor = next;
    }
}

/// What a server may ask of us: which folders it has. All else is declined.
struct Handler {
    roots: Vec<String>,
    changed: mpsc::Sender<()>,
}

#[expect(deprecated, reason = "servers of today ask for roots")]
impl ClientHandler for Handler {
    async fn list_roots(
        &self,
        _context: RequestContext<RoleClient>,
    ) -> Result<rmcp::model::ListRootsResult, ErrorData> {
        let roots = self.roots.iter().map(|uri| rmcp::model::Root::new(uri.clone()));
        Ok(rmcp::model::ListRootsResult::new(roots.collect()))
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.tell();
    }

    async fn on_resource_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.tell();
    }

    async fn on_prompt_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.tell();
    }

    fn get_info(&self) -> ClientConfig {
        let mut can = ClientCapabilities::default();
        can.roots = Some(rmcp::model::RootsCapabilities::default());
        ClientConfig::new(can, Implementation::new("rspa", env!("CARGO_PKG_VERSION")))
    }
}

impl Handler {
    /// Many changes at once are one.
    fn tell(&self) {
        self.changed.try_send(()).ok();
    }
}

/// The server's folders as addresses.
fn roots(settings: &McpServerDraft) -> Vec<String> {
    match &settings.transport {
        McpTransport::Stdio { folders, .. } => folders.iter().map(|folder| address(&folder.path)).collect(),
        McpTransport::Http { .. } => Vec::new(),
    }
}

fn address(path: &Path) -> String {
    let mut address = "file://".to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                address.push(char::from(byte))
            }
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    address
}
