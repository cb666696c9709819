//! A host, an agent and its folder for tests of tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::model::{AgentDraft, AgentMemory, AgentStatus, AllowedFolder, Budget, Priority, TaskStatus};

/// 2026-03-02 09:30:00 UTC, a Monday.
pub const NOW: i64 = 1_772_443_800_000;

#[derive(Default)]
pub struct FakeHost {
    pub tasks: Mutex<Vec<Task>>,
    pub changes: Mutex<Vec<(UpdateTask, Option<BoardColumn>)>>,
    pub schedules: Mutex<Vec<ScheduleDraft>>,
    pub data: Mutex<BTreeMap<String, Value>>,
    pub activities: Mutex<Vec<Activity>>,
    pub asked: Mutex<Vec<egress::Request>>,
    pub answer: Mutex<Option<egress::Answer>>,
    pub found: Mutex<Option<SearchResults>>,
    pub document: Mutex<Option<DocumentText>>,
    pub agents: Mutex<Vec<Agent>>,
    pub reply: Mutex<Option<String>>,
    pub unconfined: Mutex<bool>,
    pub network_open: Mutex<bool>,
}

fn nothing(what: &str) -> ApiError {
    ApiError::validation(format!("there is no {what}"), "Name another one.")
}

impl Host for FakeHost {
    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }

    fn search(&self, query: SearchQuery) -> Result<SearchResults, ApiError> {
        self.found
            .lock()
            .unwrap()
            .clone()
            .map(|found| SearchResults { query: query.text, ..found })
            .ok_or_else(|| nothing("index"))
    }

    fn read_document(&self, path: &Path, start_line: u32, _end_line: u32) -> Result<DocumentText, ApiError> {
        let document = self.document.lock().unwrap().clone();
        document
            .filter(|document| document.path == path)
            .map(|document| DocumentText { first_line: start_line, ..document })
            .ok_or_else(|| nothing("such document"))
    }

    fn request(&self, request: &egress::Request) -> Result<egress::Answer, ApiError> {
        self.asked.lock().unwrap().push(request.clone());
        self.answer.lock().unwrap().clone().ok_or_else(|| args::refused("the policy allows nothing", "Change it."))
    }

    fn command_limits(&self) -> CommandLimits {
        CommandLimits::default()
    }

    fn unconfined_commands(&self) -> bool {
        *self.unconfined.lock().unwrap()
    }

    fn private_folders(&self) -> Vec<PathBuf> {
        vec![PathBuf::from("/nowhere/data")]
    }

    fn network_open(&self) -> bool {
        *self.network_open.lock().unwrap()
    }

    fn create_task(&self, draft: TaskDraft, parent: Option<TaskId>) -> Result<Task, ApiError> {
        let mut tasks = self.tasks.lock().unwrap();
        let task = task(tasks.len() as u64 + 1, draft, parent);
        tasks.push(task.clone());
        Ok(task)
    }

    fn list_tasks(&self, filter: TaskFilter, page: PageRequest) -> Result<Vec<Task>, ApiError> {
        let number = filter.text.strip_prefix('#').and_then(|digits| digits.parse::<u64>().ok());
        let tasks = self.tasks.lock().unwrap();
        let fits = |task: &&Task| {
            number.map_or_else(|| task.title.contains(&filter.text), |number| task.number == number)
                && (filter.status.is_empty() || filter.status.contains(&task.status))
                && filter.agent.is_none_or(|agent| task.agent == Some(agent))
        };
        Ok(tasks.iter().filter(fits).take(page.limit as usize).cloned().collect())
    }

    fn update_task(&self, change: UpdateTask, column: Option<BoardColumn>) -> Result<Task, ApiError> {
        let tasks = self.tasks.lock().unwrap();
        let task = tasks.iter().find(|task| Some(task.id) == change.id).cloned().ok_or_else(|| nothing("such task"))?;
        self.changes.lock().unwrap().push((change, column));
        Ok(task)
    }

    fn create_schedule(&self, draft: ScheduleDraft) -> Result<Schedule, ApiError> {
        self.schedules.lock().unwrap().push(draft.clone());
        Ok(Schedule {
            id: crate::model::ScheduleId(Uuid::from_u128(7)),
            settings: draft,
            agent_name: String::new(),
            words: "every day".to_owned(),
            last_run: None,
            last_outcome: None,
            next_run: Some(Timestamp(NOW + 60_000)),
            runs: 0,
            problem: None,
            background: None,
            created: Timestamp(NOW),
            updated: Timestamp(NOW),
            sample: false,
        })
    }

    fn activities(&self, filter: ActivityFilter, page: PageRequest) -> Result<Vec<Activity>, ApiError> {
        let all = self.activities.lock().unwrap();
        let fits = |activity: &&Activity| {
            filter.from.is_none_or(|from| activity.at >= from)
                && activity.kind.starts_with(&filter.kind)
                && activity.title.contains(&filter.text)
        };
        Ok(all.iter().filter(fits).take(page.limit as usize).cloned().collect())
    }

    fn agent_named(&self, name: &str) -> Result<Agent, ApiError> {
        let agents = self.agents.lock().unwrap();
        agents
            .iter()
            .find(|agent| agent.settings.name.eq_ignore_ascii_case(name))
            .cloned()
            .ok_or_else(|| nothing("such agent"))
    }

    fn agent_data(&self, _agent: AgentId) -> Result<Vec<AgentDatum>, ApiError> {
        let data = self.data.lock().unwrap();
        let datum = |(key, value): (&String, &Value)| AgentDatum {
            key: key.clone(),
            value: value.clone(),
            updated: Timestamp(NOW),
        };
        Ok(data.iter().map(datum).collect())
    }

    fn put_agent_datum(&self, _agent: AgentId, key: &str, value: Option<Value>) -> Result<(), ApiError> {
        let mut data = self.data.lock().unwrap();
        match value {
            Some(value) => data.insert(key.to_owned(), value),
            None => data.remove(key),
        };
        Ok(())
    }

    fn reply(&self, _run: RunId) -> Option<String> {
        self.reply.lock().unwrap().clone()
    }

    fn snapshot_session(&self) -> Result<String, ApiError> {
        Ok("Monday morning".to_owned())
    }

    fn last_session(&self) -> Option<Timestamp> {
        Some(Timestamp(NOW - 3_600_000))
    }
}

fn task(number: u64, draft: TaskDraft, parent: Option<TaskId>) -> Task {
    Task {
        id: TaskId(Uuid::from_u128(u128::from(number))),
        number,
        agent: draft.agent,
        agent_name: String::new(),
        title: draft.title,
        description: draft.description,
        status: TaskStatus::Pending,
        column: BoardColumn::Queued,
        position: 0,
        priority: draft.priority,
        input: draft.input,
        output: None,
        error: None,
        retries: 0,
        max_retries: 3,
        time_limit_s: 60,
        execution_ms: 0,
        not_before: draft.not_before,
        due: draft.due,
        labels: draft.labels,
        depends_on: draft.depends_on,
        schedule: None,
        parent,
        waits: None,
        progress: None,
        created: Timestamp(NOW),
        started: None,
        completed: None,
        updated: Timestamp(NOW),
        sample: false,
    }
}

pub fn agent(name: &str, folders: Vec<AllowedFolder>) -> Agent {
    Agent {
        id: AgentId(Uuid::from_u128(name.len() as u128)),
        status: AgentStatus::Active,
        status_detail: String::new(),
        settings: AgentDraft {
            name: name.to_owned(),
            description: String::new(),
            kind: "analytical".to_owned(),
            provider: "embedded".to_owned(),
            model: None,
            temperature: 0.0,
            max_tokens: 256,
            system_prompt: String::new(),
            tags: Vec::new(),
            avatar: String::new(),
            tools: BTreeMap::new(),
            folders,
            budget: Budget::default(),
            memory: AgentMemory::default(),
            cache: true,
        },
        completed: 0,
        failed: 0,
        worked_ms: 0,
        last_active: None,
        created: Timestamp(0),
        updated: Timestamp(0),
        sample: false,
    }
}

/// A folder that may be written, beside one that may not be touched.
pub struct World {
    outer: TempDir,
    pub host: Arc<FakeHost>,
    pub scope: Scope,
}

impl World {
    pub fn new() -> Self {
        Self::with(true)
    }

    pub fn with(write: bool) -> Self {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("work");
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(outer.path().join("private")).unwrap();
        std::fs::write(outer.path().join("private/secret.txt"), "canary").unwrap();
        let host = Arc::new(FakeHost::default());
        let scope = Scope {
            agent: Arc::new(agent("Ada", vec![AllowedFolder { path: folder, write }])),
            task: Some(TaskId(Uuid::from_u128(1))),
            run: RunId(Uuid::from_u128(2)),
            cancel: CancellationToken::new(),
            host: host.clone(),
        };
        Self { outer, host, scope }
    }

    pub fn outer(&self) -> &Path {
        self.outer.path()
    }

    pub fn folder(&self) -> PathBuf {
        self.outer.path().join("work")
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    pub fn set(&mut self, tool: &str, name: &str, value: Value) {
        let agent = Arc::make_mut(&mut self.scope.agent);
        let rule = agent
            .settings
            .tools
            .entry(tool.to_owned())
            .or_insert_with(|| crate::model::ToolRule { permission: Permission::Allow, settings: BTreeMap::new() });
        rule.settings.insert(name.to_owned(), value);
    }

    pub fn propose(&self, tool: &str, arguments: Value) -> Result<Proposal, ApiError> {
        find(tool).unwrap().propose(&arguments, &self.scope)
    }

    /// Proposes and does it.
    pub fn call(&self, tool: &str, arguments: Value) -> Result<ToolOutput, ApiError> {
        let tool = find(tool).unwrap();
        let proposal = tool.propose(&arguments, &self.scope)?;
        tool.run(&arguments, &proposal, &self.scope)
    }

    pub fn said(&self, tool: &str, arguments: Value) -> String {
        self.call(tool, arguments).unwrap().text
    }

    pub fn refused(&self, tool: &str, arguments: Value) -> String {
        self.call(tool, arguments).unwrap_err().message
    }

    /// The person's own task of this title.
    pub fn task(&self, title: &str) -> Task {
        let draft = TaskDraft { priority: Priority::Medium, ..TaskDraft::new(None, title) };
        self.host.create_task(draft, None).unwrap()
    }
}
