//! A tool of a server in the hands of an agent: listed, asked about, called after a yes; over streamable HTTP with the
//! public reference server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rspa_core::api::request::agents::{CreateAgent, ListTools};
use rspa_core::api::request::approvals::AnswerApproval;
use rspa_core::api::request::mcp::{
    AddMcpServer, CallMcpTool, GetMcpOffer, GetMcpPrompt, ListMcpServers, ReadMcpResource, RemoveMcpServer,
    StartMcpServer,
};
use rspa_core::api::request::runs::GetRunSteps;
use rspa_core::api::request::system::ListLedger;
use rspa_core::api::request::tasks::{CreateTasks, GetTask, RunQueue, WaitForTask};
use rspa_core::api::{Core, CoreOptions, Event, Heard, Role, Subscription};
use rspa_core::clock::SystemClock;
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{
    Agent, AgentDraft, AgentMemory, Approval, ApprovalAnswer, Budget, McpServerDraft, McpState, McpTransport,
    PageRequest, Permission, ProposedAction, RunStep, StepKind, Task, TaskDraft, TaskStatus, ToolEffect, ToolRule,
    Verdict,
};
use serde_json::{Value, json};

/// The reference server on a port of its own, which is gone with the value.
struct Everything {
    child: Child,
    port: u16,
}

fn clients() -> PathBuf {
    let given = std::env::var_os("RSPA_CLIENTS_PATH").map(PathBuf::from);
    given.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/rspa-clients"))
}

impl Everything {
    fn start() -> Self {
        let script = clients().join("node/node_modules/@modelcontextprotocol/server-everything/dist/index.js");
        assert!(script.is_file(), "{} is missing: run `cargo xtask clients`", script.display());
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut child = Command::new("node")
            .arg(script)
            .arg("streamableHttp")
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let listens = lines.by_ref().map_while(Result::ok).any(|line| line.contains("listening"));
        assert!(listens, "the server did not begin");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }

    fn draft(&self) -> McpServerDraft {
        McpServerDraft {
            name: "everything".to_owned(),
            transport: McpTransport::Http {
                url: format!("http://127.0.0.1:{}/mcp", self.port),
                headers: BTreeMap::new(),
            },
            enabled: true,
            call_seconds: 20,
            default: Permission::Ask,
        }
    }
}

impl Drop for Everything {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn core(data: &Path, texts: &[String]) -> Core {
    let model = ScriptedModel::new().sequence("The task of the test", texts.iter().map(String::as_str));
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: Some(Arc::new(model)),
        clock: Arc::new(SystemClock),
        faults: None,
    })
    .unwrap()
}

fn call(tool: &str, arguments: &Value) -> String {
    json!({ "thought": format!("I use {tool}"), "tool": tool, "arguments": arguments }).to_string()
}

fn answer(text: &str) -> String {
    json!({ "thought": "done", "answer": text }).to_string()
}

fn agent(core: &Core, tools: &[(&str, Permission)]) -> Agent {
    let rule = |permission| ToolRule { permission, settings: BTreeMap::new() };
    let draft = AgentDraft {
        name: "Ada".to_owned(),
        description: String::new(),
        kind: "conversational".to_owned(),
        provider: "embedded".to_owned(),
        model: None,
        temperature: 0.0,
        max_tokens: 300,
        system_prompt: String::new(),
        tags: Vec::new(),
        avatar: String::new(),
        tools: tools.iter().map(|(name, permission)| ((*name).to_owned(), rule(*permission))).collect(),
        folders: Vec::new(),
        budget: Budget::default(),
        memory: AgentMemory::default(),
        cache: true,
    };
    core.call(CreateAgent { draft }).wait().unwrap()
}

fn task(core: &Core, agent: &Agent) -> Task {
    let draft = TaskDraft { max_retries: Some(0), ..TaskDraft::new(Some(agent.id), "The task of the test") };
    let task = core.call(CreateTasks { drafts: vec![draft] }).wait().unwrap().remove(0);
    core.call(RunQueue {}).wait().unwrap();
    task
}

fn asked(listener: &mut Subscription) -> Approval {
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if let Event::ApprovalAsked { approval } = envelope.event {
            return *approval;
        }
    }
}

fn steps(core: &Core, task: &Task) -> Vec<RunStep> {
    let runs = core.call(GetTask { id: task.id }).wait().unwrap().runs;
    let run = runs.last().unwrap().id;
    core.call(GetRunSteps { id: run, page: PageRequest::default() }).wait().unwrap().items
}

#[test]
fn an_agent_calls_a_tool_of_a_server_after_a_yes() {
    let server = Everything::start();
    let data = tempfile::tempdir().unwrap();
    let echo = call("mcp_everything_echo", &json!({ "message": "a narwhal" }));
    let core = core(data.path(), &[echo, answer("It echoed.")]);
    core.call(AddMcpServer { draft: server.draft() }).wait().unwrap();
    let id = core.call(ListMcpServers {}).wait().unwrap()[0].id;
    let offer = core.call(GetMcpOffer { id }).wait().unwrap();
    assert!(offer.tools.iter().any(|tool| tool.tool == "mcp_everything_echo"), "{:?}", offer.tools);
    let known = core.call(ListTools {}).wait().unwrap();
    let listed = known.iter().find(|tool| tool.name == "mcp_everything_echo").unwrap();
    assert_eq!((listed.effect, listed.default, &listed.unavailable), (ToolEffect::Network, Permission::Ask, &None));
    let mut listener = core.subscribe();
    let ada = agent(&core, &[("mcp_everything_echo", Permission::Ask)]);
    let work = task(&core, &ada);
    let approval = asked(&mut listener);
    assert_eq!(approval.title, "Call echo of the tool server everything");
    let arguments = json!({ "message": "a narwhal" });
    assert_eq!(approval.action, ProposedAction::Other { tool: "mcp_everything_echo".to_owned(), arguments });
    assert!(approval.always.as_ref().unwrap().contains("everything"));
    core.call(AnswerApproval { id: approval.id, answer: ApprovalAnswer::Once }).wait().unwrap();
    let ended = core.call(WaitForTask { id: work.id }).wait().unwrap();
    assert_eq!(ended.status, TaskStatus::Completed, "{:?}", ended.error);
    let gave = steps(&core, &work).into_iter().find_map(|step| match step.kind {
        StepKind::Tool { output: Some(output), .. } => Some(output),
        _ => None,
    });
    let gave = gave.unwrap();
    assert!(gave.text.contains("a narwhal") && gave.changed.contains("called echo"), "{gave:?}");
    // Everything that left stands in the ledger, also that this computer itself was asked under the policy "nothing".
    let ledger = core.call(ListLedger { page: PageRequest::default() }).wait().unwrap();
    assert!(ledger.items.iter().any(|row| row.who == "mcp" && row.allowed), "{:?}", ledger.items);
    core.shutdown();
}

#[test]
fn resources_prompts_and_the_persons_own_calls_work_and_a_dead_server_says_so() {
    let mut server = Everything::start();
    let data = tempfile::tempdir().unwrap();
    let core = core(data.path(), &[call("mcp_everything_echo", &json!({ "message": "x" })), answer("No.")]);
    let id = core.call(AddMcpServer { draft: server.draft() }).wait().unwrap().id;
    let started = core.call(StartMcpServer { id }).wait().unwrap();
    assert!(matches!(started.state, McpState::Ready { .. }), "{:?}", started.state);
    assert!(started.tools > 3 && started.prompts > 1, "{started:?}");
    let arguments = json!({ "a": 2, "b": 40 });
    let sum = core.call(CallMcpTool { id, tool: "get-sum".to_owned(), arguments }).wait().unwrap();
    assert!(sum.text.contains("42") && !sum.failed, "{sum:?}");
    let image = CallMcpTool { id, tool: "get-tiny-image".to_owned(), arguments: json!({}) };
    let image = core.call(image).wait().unwrap();
    assert!(image.other.iter().any(|part| part.starts_with("image/png")), "{image:?}");
    let offer = core.call(GetMcpOffer { id }).wait().unwrap();
    let uri = offer.resources[0].uri.clone();
    let read = core.call(ReadMcpResource { id, uri }).wait().unwrap();
    assert!(!read.text.is_empty() || !read.other.is_empty());
    let name = offer.prompts.iter().find(|prompt| prompt.arguments.is_empty()).unwrap().name.clone();
    let prompt = core.call(GetMcpPrompt { id, name, arguments: BTreeMap::new() }).wait().unwrap();
    assert!(prompt.text.starts_with("user:"), "{prompt:?}");
    let wrong = CallMcpTool { id, tool: "get-sum".to_owned(), arguments: json!({ "a": "x" }) };
    let wrong = core.call(wrong).wait();
    assert!(wrong.as_ref().map_or(true, |given| given.failed), "{wrong:?}");

    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let ada = agent(&core, &[("mcp_everything_echo", Permission::Allow)]);
    let work = task(&core, &ada);
    core.call(WaitForTask { id: work.id }).wait().unwrap();
    let failed = steps(&core, &work).into_iter().any(|step| match step.kind {
        StepKind::Tool { error, verdict, .. } => error.is_some() || matches!(verdict, Verdict::Refused { .. }),
        _ => false,
    });
    assert!(failed, "the call of a dead server succeeded");
    core.call(RemoveMcpServer { id }).wait().unwrap();
    assert!(core.call(ListMcpServers {}).wait().unwrap().is_empty());
    core.shutdown();
}
