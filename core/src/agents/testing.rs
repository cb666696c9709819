//! A small world for tests of the loop: an agent, a task, tools that count their calls, a queue that writes down.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rspa_ml::Cancel;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::approvals::{Desk, DeskParts};
use super::executor::Worker;
use super::{Directory, Parts};
use crate::answering::ChatModels;
use crate::api::request::tasks::UpdateTask;
use crate::api::{ApiError, Event};
use crate::clock::{Ids, ManualClock};
use crate::inference::scripted::ScriptedModel;
use crate::inference::{ChatModel, Wanted};
use crate::model::{
    Activity, ActivityFilter, Agent, AgentDatum, AgentDraft, AgentId, AgentStatus, AgentType, BoardColumn, Budget,
    CommandLimits, DocumentText, PageRequest, Permission, Priority, ProfileId, ProposedAction, RunId, Schedule,
    ScheduleDraft, SearchQuery, SearchResults, Task, TaskDraft, TaskFilter, TaskId, TaskOutput, TaskProgress,
    TaskStatus, Timestamp, ToolEffect, ToolOutput, ToolRule, Wait,
};
use crate::storage::{Db, DbOptions, tables};
use crate::tasks::{Attempt, Executor, Failure, Progress};
use crate::tools::{Found, Host, Proposal, RuleScope, Scope, Tool, ToolSpec};
use crate::trust::egress;

pub fn task() -> Task {
    Task {
        id: TaskId(Uuid::from_u128(7)),
        number: 1,
        agent: Some(AgentId(Uuid::from_u128(1))),
        agent_name: "Ada".to_owned(),
        title: "Count the things".to_owned(),
        description: String::new(),
        status: TaskStatus::Running,
        column: BoardColumn::Running,
        position: 0,
        priority: Priority::Medium,
        input: Value::Null,
        output: None,
        error: None,
        retries: 0,
        max_retries: 0,
        time_limit_s: 600,
        execution_ms: 0,
        not_before: None,
        due: None,
        labels: Vec::new(),
        depends_on: Vec::new(),
        schedule: None,
        parent: None,
        waits: None,
        progress: None,
        created: Timestamp(1),
        started: None,
        completed: None,
        updated: Timestamp(1),
        sample: false,
    }
}

pub fn agent(tools: &[(&str, Permission)]) -> Agent {
    Agent {
        id: AgentId(Uuid::from_u128(1)),
        status: AgentStatus::Active,
        status_detail: String::new(),
        settings: AgentDraft {
            name: "Ada".to_owned(),
            description: String::new(),
            kind: "basic".to_owned(),
            provider: "embedded".to_owned(),
            model: None,
            temperature: 0.0,
            max_tokens: 400,
            system_prompt: "You are exact.".to_owned(),
            tags: Vec::new(),
            avatar: String::new(),
            tools: tools
                .iter()
                .map(|(name, permission)| {
                    ((*name).to_owned(), ToolRule { permission: *permission, settings: BTreeMap::new() })
                })
                .collect(),
            folders: Vec::new(),
            budget: Budget::default(),
            memory: crate::model::AgentMemory::default(),
            cache: true,
        },
        completed: 0,
        failed: 0,
        worked_ms: 0,
        last_active: None,
        created: Timestamp(1),
        updated: Timestamp(1),
        sample: false,
    }
}

/// `look` reads and is harmless, `write` changes something and may be done once, `question` asks.
pub struct TestTool {
    name: &'static str,
    pub calls: AtomicUsize,
    /// What `propose` says of the world; a test changes it.
    pub world: Mutex<String>,
    /// Runs wait until they are cancelled.
    pub endless: std::sync::atomic::AtomicBool,
    pub panics: std::sync::atomic::AtomicBool,
}

impl TestTool {
    fn leaked(name: &'static str) -> &'static Self {
        Box::leak(Box::new(Self {
            name,
            calls: AtomicUsize::new(0),
            world: Mutex::new(String::new()),
            endless: false.into(),
            panics: false.into(),
        }))
    }

    pub fn count(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Tool for TestTool {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.into(),
            title: self.name.into(),
            description: "For tests.".into(),
            effect: if self.name == "write" { ToolEffect::Writes } else { ToolEffect::Reads },
            default: Permission::Allow,
            repeatable: self.name != "write",
            parameters: json!({ "type": "object", "properties": { "path": { "type": "string" } } }),
        }
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let path = arguments["path"].as_str().ok_or_else(|| ApiError::validation("there is no path", "Name one."))?;
        let world = self.world.lock().unwrap().clone();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let action = match self.name {
            "write" => ProposedAction::WriteFile {
                path: path.into(),
                exists: false,
                diff: format!("+{path}{world}"),
                added: 1,
                removed: 0,
                before: String::new(),
                after: String::new(),
            },
            "question" => ProposedAction::Question { question: path.to_owned(), choices: Vec::new() },
            _ => ProposedAction::Look { what: path.to_owned() },
        };
        let always = (self.name == "write")
            .then(|| RuleScope { scope: format!("folder:{folder}"), words: format!("writes in {folder}") });
        Ok(Proposal { title: format!("{} {path}", self.name), action, always, harmless: self.name == "look" })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics.load(Ordering::SeqCst), "as the test wants it");
        while self.endless.load(Ordering::SeqCst) {
            if scope.cancel.is_cancelled() {
                return Err(ApiError::cancelled());
            }
            std::thread::yield_now();
        }
        let path = arguments["path"].as_str().unwrap_or_default();
        let (text, changed) = match self.name {
            "write" => (format!("wrote {path}"), format!("wrote {path}")),
            "question" => (scope.host.reply(scope.run).unwrap_or_default(), String::new()),
            _ => (format!("{path} holds 42 things"), String::new()),
        };
        Ok(ToolOutput { text, changed, ..ToolOutput::default() })
    }
}

/// Writes down what a run tells the queue.
#[derive(Default)]
pub struct TestQueue {
    pub told: Mutex<Vec<String>>,
    pub run: Mutex<Option<RunId>>,
}

impl TestQueue {
    fn tell(&self, words: String) {
        self.told.lock().unwrap().push(words);
    }
}

impl Progress for TestQueue {
    fn progress(&self, _progress: TaskProgress) {}

    fn runs(&self, run: RunId) -> Result<(), ApiError> {
        *self.run.lock().unwrap() = Some(run);
        Ok(())
    }

    fn waits(&self, wait: Option<Wait>) -> Result<(), ApiError> {
        self.tell(if wait.is_some() { "waits".to_owned() } else { "goes on".to_owned() });
        Ok(())
    }

    fn effect_begins(&self, words: &str) -> Result<(), ApiError> {
        self.tell(format!("begins: {words}"));
        Ok(())
    }

    fn effect_ended(&self) -> Result<(), ApiError> {
        self.tell("ended".to_owned());
        Ok(())
    }
}

struct TestModels(Arc<Mutex<Arc<dyn ChatModel>>>);

impl ChatModels for TestModels {
    fn chat_model(&self, wanted: &Wanted, _cancel: &Cancel) -> Result<Arc<dyn ChatModel>, ApiError> {
        match &wanted.model {
            Some(id) => Err(ApiError::validation(format!("there is no model '{id}'"), "Choose one.")),
            None => Ok(self.0.lock().unwrap().clone()),
        }
    }

    fn measured(&self, _id: &str, _tok_s: f64, _at: Timestamp) {}
}

pub struct TestDirectory {
    pub agent: Mutex<Agent>,
    pub kind: Mutex<Option<AgentType>>,
    pub policy: Mutex<Option<Permission>>,
    pub crew: Mutex<Option<crate::crews::StepWork>>,
}

impl Directory for TestDirectory {
    fn crew_step(&self, _task: &Task) -> Result<Option<crate::crews::StepWork>, ApiError> {
        Ok(self.crew.lock().unwrap().clone())
    }

    fn agent(&self, _id: AgentId) -> Result<Agent, ApiError> {
        Ok(self.agent.lock().unwrap().clone())
    }

    fn kind(&self, _id: &str) -> Result<Option<AgentType>, ApiError> {
        Ok(self.kind.lock().unwrap().clone())
    }

    fn policy(&self, tool: &str) -> Result<Option<Permission>, ApiError> {
        Ok(self.policy.lock().unwrap().filter(|_| tool == "write"))
    }

    fn task(&self, id: TaskId) -> Result<Task, ApiError> {
        let output = TaskOutput { text: "It was 41.".to_owned(), ..TaskOutput::default() };
        Ok(Task { id, title: "Count before".to_owned(), output: Some(output), ..task() })
    }

    fn outcomes(&self, _agent: AgentId, _most: u32) -> Result<Vec<String>, ApiError> {
        Ok(vec!["Count yesterday: 40.".to_owned()])
    }
}

struct TestHost {
    main: Db,
    profile: ProfileId,
}

fn none<T>() -> Result<T, ApiError> {
    Err(ApiError::validation("not in this test", "Do without."))
}

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
    fn search(&self, _query: SearchQuery) -> Result<SearchResults, ApiError> {
        none()
    }
    fn read_document(&self, _path: &std::path::Path, _start: u32, _end: u32) -> Result<DocumentText, ApiError> {
        none()
    }
    fn update_task(&self, _change: UpdateTask, _column: Option<BoardColumn>) -> Result<Task, ApiError> {
        none()
    }
    fn request(&self, _request: &egress::Request) -> Result<egress::Answer, ApiError> {
        none()
    }
    fn command_limits(&self) -> CommandLimits {
        CommandLimits::default()
    }
    fn unconfined_commands(&self) -> bool {
        false
    }
    fn private_folders(&self) -> Vec<std::path::PathBuf> {
        Vec::new()
    }
    fn network_open(&self) -> bool {
        false
    }
    fn create_task(&self, _draft: TaskDraft, _parent: Option<TaskId>) -> Result<Task, ApiError> {
        none()
    }
    fn list_tasks(&self, _filter: TaskFilter, _page: PageRequest) -> Result<Vec<Task>, ApiError> {
        none()
    }
    fn create_schedule(&self, _draft: ScheduleDraft) -> Result<Schedule, ApiError> {
        none()
    }
    fn activities(&self, _filter: ActivityFilter, _page: PageRequest) -> Result<Vec<Activity>, ApiError> {
        none()
    }
    fn agent_named(&self, _name: &str) -> Result<Agent, ApiError> {
        none()
    }
    fn agent_data(&self, _agent: AgentId) -> Result<Vec<AgentDatum>, ApiError> {
        none()
    }
    fn put_agent_datum(&self, _agent: AgentId, _key: &str, _value: Option<Value>) -> Result<(), ApiError> {
        none()
    }
    fn reply(&self, run: RunId) -> Option<String> {
        crate::storage::approvals::last_reply(&self.main, self.profile, run).unwrap()
    }
    fn snapshot_session(&self) -> Result<String, ApiError> {
        none()
    }
    fn last_session(&self) -> Option<Timestamp> {
        None
    }
}

/// All of it. Dropping it removes the folder.
pub struct World {
    pub worker: Worker,
    pub main: Db,
    pub profile: ProfileId,
    pub directory: Arc<TestDirectory>,
    pub queue: TestQueue,
    pub clock: Arc<ManualClock>,
    pub ending: CancellationToken,
    pub cancel: CancellationToken,
    pub events: Arc<Mutex<std::sync::mpsc::Receiver<Event>>>,
    pub look: &'static TestTool,
    pub write: &'static TestTool,
    model: Arc<Mutex<Arc<dyn ChatModel>>>,
    _runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl World {
    pub fn new(model: ScriptedModel, tools: &[(&str, Permission)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let profile = ProfileId(Uuid::from_u128(9));
        let clock = Arc::new(ManualClock::at(Timestamp(1_000)));
        let ids = Arc::new(Ids::seeded(clock.clone(), 5));
        let (sender, events) = std::sync::mpsc::channel();
        let publish: crate::answering::Publish = Arc::new(move |event| drop(sender.send(event)));
        let happened: Arc<dyn Fn(crate::model::Happening) + Send + Sync> = Arc::new(|_happening| {});
        let desk = Desk::new(DeskParts {
            main: main.clone(),
            profile,
            clock: clock.clone(),
            ids: ids.clone(),
            publish: publish.clone(),
            happened: happened.clone(),
            runtime: runtime.handle().clone(),
        });
        let directory = Arc::new(TestDirectory {
            agent: Mutex::new(agent(tools)),
            kind: Mutex::default(),
            policy: Mutex::default(),
            crew: Mutex::default(),
        });
        let model: Arc<Mutex<Arc<dyn ChatModel>>> = Arc::new(Mutex::new(Arc::new(model)));
        let (look, write, question) =
            (TestTool::leaked("look"), TestTool::leaked("write"), TestTool::leaked("question"));
        let ending = CancellationToken::new();
        let host_main = main.clone();
        let parts = Parts {
            main: main.clone(),
            profile,
            clock: clock.clone(),
            ids,
            publish,
            happened,
            models: Arc::new(TestModels(model.clone())),
            directory: directory.clone(),
            tools: Arc::new(move |name| {
                [look, write, question].into_iter().find(|tool| tool.name == name).map(|tool| Found::Own(tool))
            }),
            host: Arc::new(move |_agent, _run| Arc::new(TestHost { main: host_main.clone(), profile })),
            runtime: runtime.handle().clone(),
            ending: ending.clone(),
        };
        Self {
            worker: Worker::new(parts, desk),
            main,
            profile,
            directory,
            queue: TestQueue::default(),
            clock,
            cancel: ending.child_token(),
            ending,
            events: Arc::new(Mutex::new(events)),
            look,
            write,
            model,
            _runtime: runtime,
            _folder: folder,
        }
    }

    pub fn set_model(&self, model: ScriptedModel) {
        *self.model.lock().unwrap() = Arc::new(model);
    }

    pub fn set_budget(&self, budget: Budget) {
        self.directory.agent.lock().unwrap().settings.budget = budget;
    }

    /// As after the next start of the program.
    pub fn restart(&mut self) {
        self.ending = CancellationToken::new();
        self.cancel = self.ending.child_token();
        self.worker = self.worker.with_ending(self.ending.clone());
        crate::storage::runs::close_unfinished(&self.main, self.profile, Timestamp(0)).unwrap();
    }

    /// Removes the steps of a run.
    pub fn forget_steps(&self, run: RunId) {
        let (profile, stored) = (self.profile, crate::storage::runs::get(&self.main, self.profile, run).unwrap());
        let task = stored.task.unwrap();
        self.main.write(move |txn| crate::storage::runs::remove_task(txn, profile, task)).unwrap();
        crate::storage::runs::put(&self.main, profile, stored, None).unwrap();
    }

    pub fn run(&self) -> Result<TaskOutput, Failure> {
        self.attempt(task(), None, false)
    }

    pub fn attempt(&self, task: Task, resumes: Option<RunId>, may_repeat: bool) -> Result<TaskOutput, Failure> {
        let attempt = Attempt { task, number: 1, resumes, may_repeat, cancel: self.cancel.clone(), queue: &self.queue };
        self.worker.execute(&attempt)
    }

    pub fn run_id(&self) -> RunId {
        self.queue.run.lock().unwrap().unwrap()
    }

    pub fn steps(&self) -> Vec<crate::model::RunStep> {
        crate::storage::runs::all_steps(&self.main, self.profile, self.run_id()).unwrap()
    }

    pub fn told(&self) -> Vec<String> {
        self.queue.told.lock().unwrap().clone()
    }

    /// Waits for the next approval that is asked.
    pub fn asked(&self) -> crate::model::Approval {
        let events = self.events.lock().unwrap();
        loop {
            if let Event::ApprovalAsked { approval } = events.recv().unwrap() {
                return *approval;
            }
        }
    }
}

/// What the model says to call a tool.
pub fn call(tool: &str, path: &str) -> String {
    json!({ "thought": format!("I need {path}"), "tool": tool, "arguments": { "path": path } }).to_string()
}

pub fn answer(text: &str) -> String {
    json!({ "thought": "done", "answer": text }).to_string()
}
