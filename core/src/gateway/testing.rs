//! A clock that waiting moves, and a server that does as a script says: for tests of what stands around providers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rspa_ml::Cancel;
use rspa_ml::generate::FinishReason;

use super::pace::Pace;
use super::server::{Server, ServerParts};
use crate::clock::{Clock, ManualClock};
use crate::inference::provider::{
    ChatCall, ChatEnd, ChatPiece, Embeddings, FaultKind, Provider, ProviderFault, PullProgress, ToolUse,
};
use crate::model::{Happening, ModelId, ProviderDraft, ProviderKind, ProviderLimits, ProviderModel, Timestamp};

/// Waiting takes no time and moves the clock.
pub struct ManualPace {
    pub clock: Arc<ManualClock>,
    pub waits: Mutex<Vec<Duration>>,
    pub chance: f64,
}

impl ManualPace {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        Self { clock, waits: Mutex::default(), chance: 1.0 }
    }

    pub fn waited(&self) -> Vec<u64> {
        self.waits.lock().unwrap().drain(..).map(|wait| u64::try_from(wait.as_millis()).unwrap()).collect()
    }
}

impl Pace for ManualPace {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn random(&self) -> f64 {
        self.chance
    }

    fn wait(&self, time: Duration, cancel: &Cancel) -> bool {
        if cancel.is_cancelled() {
            return false;
        }
        self.waits.lock().unwrap().push(time);
        self.clock.advance_ms(i64::try_from(time.as_millis()).unwrap());
        true
    }
}

/// What the fake server does next.
#[derive(Clone, Debug)]
pub enum Act {
    /// Says these pieces.
    Say(Vec<&'static str>),
    /// Says these pieces, cut by the token budget.
    Cut(&'static str),
    /// Calls this tool, with this text before it.
    Call(&'static str, &'static str),
    Fail(FaultKind),
    /// Says something, then fails.
    Break(&'static str, FaultKind),
}

/// What it was asked, and what it answers; its info is always well unless `down`.
#[derive(Default)]
pub struct Script {
    pub acts: Mutex<VecDeque<Act>>,
    pub calls: Mutex<Vec<ChatCall>>,
    pub asked: AtomicU32,
    pub down: Mutex<Option<FaultKind>>,
    pub tools: Mutex<Option<bool>>,
}

impl Script {
    pub fn then(&self, act: Act) {
        self.acts.lock().unwrap().push_back(act);
    }

    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn up(&self) -> Result<(), ProviderFault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.down.lock().unwrap().clone().map_or(Ok(()), |kind| Err(fault(kind)))
    }
}

pub fn fault(kind: FaultKind) -> ProviderFault {
    ProviderFault::new(kind.clone(), format!("it went wrong: {kind:?}"))
}

pub struct Fake(pub Arc<Script>);

impl Provider for Fake {
    fn kind(&self) -> ProviderKind {
        ProviderKind::OpenAi
    }

    fn list_models(&self, _cancel: &Cancel) -> Result<Vec<ProviderModel>, ProviderFault> {
        self.0.up().map(|()| vec![model("m", None)])
    }

    fn model_info(&self, name: &str, _cancel: &Cancel) -> Result<ProviderModel, ProviderFault> {
        self.0.up().map(|()| model(name, *self.0.tools.lock().unwrap()))
    }

    fn chat(
        &self,
        call: &ChatCall,
        _cancel: &Cancel,
        tell: &mut dyn FnMut(ChatPiece),
    ) -> Result<ChatEnd, ProviderFault> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        self.0.calls.lock().unwrap().push(call.clone());
        let end = |finish, tool_calls| ChatEnd { prompt_tokens: Some(40), answer_tokens: Some(6), finish, tool_calls };
        match self.0.acts.lock().unwrap().pop_front().unwrap_or(Act::Say(vec!["I am ", "the server."])) {
            Act::Say(pieces) => {
                pieces.iter().for_each(|piece| tell(ChatPiece::Text((*piece).to_owned())));
                Ok(end(FinishReason::EndOfText, Vec::new()))
            }
            Act::Cut(text) => {
                tell(ChatPiece::Text(text.to_owned()));
                Ok(end(FinishReason::MaxTokens, Vec::new()))
            }
            Act::Call(text, name) => {
                let arguments = serde_json::json!({ "path": "/x" });
                let call = ToolUse { id: "1".to_owned(), name: name.to_owned(), arguments };
                tell(ChatPiece::Text(text.to_owned()));
                tell(ChatPiece::ToolCall(call.clone()));
                Ok(end(FinishReason::EndOfText, vec![call]))
            }
            Act::Fail(kind) => Err(fault(kind)),
            Act::Break(text, kind) => {
                tell(ChatPiece::Text(text.to_owned()));
                Err(fault(kind).after_start(true))
            }
        }
    }

    fn embed(&self, _model: &str, texts: &[String], _cancel: &Cancel) -> Result<Embeddings, ProviderFault> {
        self.0.up()?;
        Ok(Embeddings { vectors: texts.iter().map(|text| vec![text.len() as f32]).collect(), prompt_tokens: None })
    }

    fn health(&self, _cancel: &Cancel) -> Result<(), ProviderFault> {
        self.0.up()
    }

    fn pull(&self, _: &str, _: &Cancel, progress: &mut dyn FnMut(PullProgress)) -> Result<(), ProviderFault> {
        self.0.up()?;
        progress(PullProgress { status: "reading".to_owned(), done: Some(1), total: Some(2) });
        Ok(())
    }
}

pub fn model(name: &str, tools: Option<bool>) -> ProviderModel {
    ProviderModel {
        id: ModelId(format!("fake/{name}")),
        name: name.to_owned(),
        context_length: Some(32_000),
        max_answer_tokens: None,
        tools,
        embeds: None,
        family: String::new(),
        quantisation: String::new(),
        parameters: None,
        size_bytes: None,
    }
}

pub fn draft(id: &str) -> ProviderDraft {
    ProviderDraft {
        id: id.to_owned(),
        name: id.to_uppercase(),
        kind: ProviderKind::OpenAi,
        base_url: "http://127.0.0.1:9".to_owned(),
        enabled: true,
        credential: None,
        limits: ProviderLimits { retries: 2, breaker_failures: 3, ..ProviderLimits::default() },
        extra_models: Vec::new(),
    }
}

/// What happened and how often another state was told.
#[derive(Default)]
pub struct Told {
    pub happenings: Mutex<Vec<String>>,
    pub changes: AtomicU32,
}

impl Told {
    pub fn kinds(&self) -> Vec<String> {
        self.happenings.lock().unwrap().clone()
    }
}

pub fn parts(pace: &Arc<ManualPace>, script: &Arc<Script>, told: &Arc<Told>) -> Arc<ServerParts> {
    let (script, told, other) = (script.clone(), told.clone(), told.clone());
    Arc::new(ServerParts {
        pace: pace.clone(),
        open: Box::new(move |_draft| Ok(Box::new(Fake(script.clone())))),
        has_key: Box::new(|_draft| true),
        changed: Box::new(move || {
            told.changes.fetch_add(1, Ordering::SeqCst);
        }),
        happened: Box::new(move |happening: Happening| other.happenings.lock().unwrap().push(happening.kind)),
    })
}

/// A server over a script.
pub struct World {
    pub pace: Arc<ManualPace>,
    pub script: Arc<Script>,
    pub told: Arc<Told>,
    pub server: Arc<Server>,
}

pub fn world(draft: ProviderDraft) -> World {
    let (pace, script, told) = (Arc::new(ManualPace::new()), Arc::new(Script::default()), Arc::new(Told::default()));
    let server = Arc::new(Server::new(draft, parts(&pace, &script, &told)));
    World { pace, script, told, server }
}
