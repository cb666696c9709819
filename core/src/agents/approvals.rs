//! Who may do what: the stricter word of agent and profile, then the rules that the person made, then the person.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::answering::Publish;
use crate::api::{ApiError, ErrorCategory, Event};
use crate::clock::{Clock, Ids};
use crate::model::{
    Agent, Approval, ApprovalAnswer, ApprovalId, ApprovalRule, ApprovalRuleId, ApprovalState, Happening, PageRequest,
    Permission, ProfileId, ProposedAction, RunId, RunStep, StepKind, Task, TaskId, ToolCall, ToolEffect, Verdict,
};
use crate::storage::audit::{self, AuditEntry};
use crate::storage::{Db, StorageError, approvals as stored};
use crate::tools::{Proposal, RuleScope, ToolSpec};

/// Characters of an answer or a reason.
const LONGEST_REPLY: usize = 16_000;
/// Sources that an approval names.
const MOST_SOURCES: usize = 20;
const LONGEST_SOURCE: usize = 200;
const PERSON: &str = "the person";

/// What is decided before the person is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// By agent and profile, or by a rule.
    Go(Verdict),
    /// Never.
    No(Verdict),
    Ask,
}

/// The stricter word of agent and profile; a tool that the agent does not have is none of its own.
pub fn permission(agent: &Agent, profile: Option<Permission>, tool: &str) -> Result<Permission, Verdict> {
    let Some(rule) = agent.settings.tools.get(tool) else {
        let why = format!("{} has no tool named \"{tool}\".", agent.settings.name);
        return Err(Verdict::Refused { why });
    };
    if profile == Some(Permission::Deny) {
        return Err(Verdict::Denied { why: format!("this profile allows no agent the tool {tool}.") });
    }
    if rule.permission == Permission::Deny {
        return Err(Verdict::Denied { why: format!("{} may not use the tool {tool}.", agent.settings.name) });
    }
    Ok(rule.permission.max(profile.unwrap_or(Permission::Allow)))
}

/// Questions to the person, their answers, and the rules made from these. Clones are the same.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    main: Db,
    profile: ProfileId,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    publish: Publish,
    happened: Arc<dyn Fn(Happening) + Send + Sync>,
    runtime: Handle,
    /// Rises with each answer.
    answers: watch::Sender<u64>,
}

/// What the desk works with.
pub struct DeskParts {
    pub main: Db,
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub publish: Publish,
    pub happened: Arc<dyn Fn(Happening) + Send + Sync>,
    pub runtime: Handle,
}

/// What the person is asked about.
pub struct Question<'a> {
    pub id: ApprovalId,
    pub agent: &'a Agent,
    pub task: Option<&'a Task>,
    pub run: RunId,
    pub call: &'a ToolCall,
    pub proposal: &'a Proposal,
    pub influenced_by: Vec<String>,
}

impl Desk {
    pub fn new(parts: DeskParts) -> Self {
        let DeskParts { main, profile, clock, ids, publish, happened, runtime } = parts;
        let answers = watch::Sender::new(0);
        Self(Arc::new(Inner { main, profile, clock, ids, publish, happened, runtime, answers }))
    }

    fn entry(&self, who: &str, kind: &str, tool: &str, detail: &str) -> AuditEntry {
        AuditEntry {
            at: self.0.clock.now(),
            who: who.to_owned(),
            kind: kind.to_owned(),
            subject: tool.to_owned(),
            detail: detail.chars().take(500).collect(),
        }
    }

    /// Decides what settings and rules decide. `harmless` calls of tools that are allowed need no row in the audit log.
    ///
    /// # Errors
    /// When rules or audit log cannot be read or written.
    pub fn decide(
        &self,
        agent: &Agent,
        permission: Permission,
        call: &ToolCall,
        proposal: &Proposal,
    ) -> Result<Decision, ApiError> {
        let question = matches!(proposal.action, ProposedAction::Question { .. });
        if permission == Permission::Allow && !question {
            if !proposal.harmless {
                self.note(agent, "approval.not_needed", &call.tool, &proposal.title)?;
            }
            return Ok(Decision::Go(Verdict::Allowed));
        }
        if let Some(RuleScope { scope, .. }) = proposal.always.as_ref().filter(|_| !question)
            && let Some(rule) = stored::rule_for(&self.0.main, self.0.profile, agent.id, &call.tool, scope)?
        {
            let detail = format!("{}, by the rule: {}", proposal.title, rule.words);
            self.note(agent, "approval.by_rule", &call.tool, &detail)?;
            return Ok(Decision::Go(Verdict::Rule));
        }
        Ok(Decision::Ask)
    }

    /// Keeps that a call was denied.
    ///
    /// # Errors
    /// When the audit log cannot be written.
    pub fn denied(&self, agent: &Agent, tool: &str, why: &str) -> Result<(), ApiError> {
        self.note(agent, "approval.denied", tool, why)
    }

    fn note(&self, agent: &Agent, kind: &str, tool: &str, detail: &str) -> Result<(), ApiError> {
        let name = &agent.settings.name;
        audit::add(&self.0.main, self.entry(name, kind, tool, detail))?;
        let mut happening = Happening::new(kind, format!("{tool}: {detail}")).with("tool", tool);
        happening.agent = Some(name.clone());
        (self.0.happened)(happening);
        Ok(())
    }

    /// Keeps the question and tells it to everybody.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn ask(&self, question: Question<'_>) -> Result<Approval, ApiError> {
        let Question { id, agent, task, run, call, proposal, influenced_by } = question;
        let approval = Approval {
            id,
            at: self.0.clock.now(),
            agent: agent.id,
            agent_name: agent.settings.name.clone(),
            task: task.map(|task| task.id),
            task_title: task.map(|task| task.title.clone()).unwrap_or_default(),
            run,
            tool: call.tool.clone(),
            title: proposal.title.clone(),
            action: proposal.action.clone(),
            always: proposal.always.as_ref().map(|always| always.words.clone()),
            influenced_by,
            state: ApprovalState::Waiting,
            answered: None,
        };
        let scope = proposal.always.as_ref().map(|always| always.scope.clone());
        stored::ask(&self.0.main, self.0.profile, approval.clone(), scope)?;
        self.happened("approval.asked", &approval, "");
        (self.0.publish)(Event::ApprovalAsked { approval: Box::new(approval.clone()) });
        Ok(approval)
    }

    fn happened(&self, kind: &str, approval: &Approval, words: &str) {
        let mut happening = Happening::new(kind, &approval.title)
            .describe(words)
            .with("approval", approval.id)
            .with("tool", &approval.tool);
        if let Some(task) = approval.task {
            happening = happening.with("task", task);
        }
        happening.agent = Some(approval.agent_name.clone());
        (self.0.happened)(happening);
    }

    /// Takes the person's answer.
    ///
    /// # Errors
    /// Category validation for an answer that does not fit, or when there is nothing to answer any more.
    pub fn answer(&self, id: ApprovalId, answer: ApprovalAnswer) -> Result<Approval, ApiError> {
        let approval = stored::get(&self.0.main, self.0.profile, id)?;
        let question = matches!(approval.action, ProposedAction::Question { .. });
        let long = |text: &str| text.chars().count() > LONGEST_REPLY;
        let (state, kind) = match answer {
            ApprovalAnswer::Once | ApprovalAnswer::Always if question => {
                return Err(ApiError::validation("this is a question", "Answer it in words, or deny it."));
            }
            ApprovalAnswer::Reply { .. } if !question => {
                return Err(ApiError::validation("this is no question", "Allow it or deny it."));
            }
            ApprovalAnswer::Reply { text } if text.trim().is_empty() => {
                return Err(ApiError::validation("the answer is empty", "Type an answer, or deny the question."));
            }
            ApprovalAnswer::Reply { text } | ApprovalAnswer::Deny { reason: text } if long(&text) => {
                return Err(ApiError::validation(
                    format!("the answer has more than {LONGEST_REPLY} characters"),
                    "Shorten it.",
                ));
            }
            ApprovalAnswer::Once => (ApprovalState::Allowed, "approval.allowed"),
            ApprovalAnswer::Always => (ApprovalState::AllowedAlways, "approval.allowed_always"),
            ApprovalAnswer::Deny { reason } => (ApprovalState::Denied { reason }, "approval.denied"),
            ApprovalAnswer::Reply { text } => (ApprovalState::Replied { text }, "approval.replied"),
        };
        self.end(&approval, state, PERSON, kind)
    }

    fn end(&self, approval: &Approval, state: ApprovalState, who: &str, kind: &str) -> Result<Approval, ApiError> {
        let mut detail = format!("{} ({})", approval.title, approval.agent_name);
        if let (ApprovalState::AllowedAlways, Some(words)) = (&state, &approval.always) {
            detail = format!("{detail}; from now on: {words}");
        }
        let entry = self.entry(who, kind, &approval.tool, &detail);
        let rule = ApprovalRuleId(self.0.ids.next());
        let now = self.0.clock.now();
        let answered = stored::answer(&self.0.main, self.0.profile, approval.id, state, now, rule, entry)?;
        self.ended(&answered.approval, kind);
        Ok(answered.approval)
    }

    /// Tells that approvals have ended which somebody else ended in the store.
    pub fn tell_ended(&self, approvals: &[Approval]) {
        for approval in approvals {
            self.ended(approval, "approval.withdrawn");
        }
    }

    fn ended(&self, approval: &Approval, kind: &str) {
        self.happened(kind, approval, approval.always.as_deref().unwrap_or_default());
        self.0.answers.send_modify(|count| *count += 1);
        (self.0.publish)(Event::ApprovalEnded { approval: Box::new(approval.clone()) });
    }

    /// Nobody needs the answer any more. One that was answered stays as it is.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn withdraw(&self, id: ApprovalId) -> Result<(), ApiError> {
        let approval = match stored::get(&self.0.main, self.0.profile, id) {
            Ok(approval) => approval,
            Err(StorageError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if approval.state != ApprovalState::Waiting {
            return Ok(());
        }
        match self.end(&approval, ApprovalState::Withdrawn, "rspa", "approval.withdrawn") {
            // The person was faster.
            Err(error) if error.category == ErrorCategory::Validation => Ok(()),
            result => result.map(drop),
        }
    }

    /// Withdraws what waits for a task that is cancelled while nothing of it runs.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn withdraw_task(&self, task: TaskId) -> Result<(), ApiError> {
        let (profile, now) = (self.0.profile, self.0.clock.now());
        let page = PageRequest { offset: 0, limit: 1 };
        if stored::list(&self.0.main, profile, true, Some(task), page)?.total == 0 {
            return Ok(());
        }
        let withdrawn = self.0.main.write(move |txn| stored::withdraw_task(txn, profile, task, now))?;
        self.tell_ended(&withdrawn);
        Ok(())
    }

    /// None when there is no such approval.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn get(&self, id: ApprovalId) -> Result<Option<Approval>, ApiError> {
        match stored::get(&self.0.main, self.0.profile, id) {
            Ok(approval) => Ok(Some(approval)),
            Err(StorageError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until it is answered; none when `cancel` came first. Blocks: for threads of their own.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn wait(&self, id: ApprovalId, cancel: &CancellationToken) -> Result<Option<Approval>, ApiError> {
        let mut answers = self.0.answers.subscribe();
        loop {
            answers.mark_unchanged();
            let approval = stored::get(&self.0.main, self.0.profile, id)?;
            if approval.state != ApprovalState::Waiting {
                return Ok(Some(approval));
            }
            let answered = self.0.runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => false,
                    changed = answers.changed() => changed.is_ok(),
                }
            });
            if !answered {
                return Ok(None);
            }
        }
    }

    /// # Errors
    /// When they cannot be read.
    pub fn rules(&self) -> Result<Vec<ApprovalRule>, ApiError> {
        Ok(stored::rules(&self.0.main, self.0.profile)?)
    }

    /// Takes a rule back.
    ///
    /// # Errors
    /// When there is no such rule.
    pub fn forget(&self, id: ApprovalRuleId) -> Result<(), ApiError> {
        let rules = self.rules()?;
        let rule = rules.into_iter().find(|rule| rule.id == id);
        let detail = rule.as_ref().map(|rule| format!("{}: {}", rule.agent_name, rule.words)).unwrap_or_default();
        let tool = rule.map(|rule| rule.tool).unwrap_or_default();
        let entry = self.entry(PERSON, "approval.rule_removed", &tool, &detail);
        stored::remove_rule(&self.0.main, self.0.profile, id, entry)?;
        (self.0.happened)(Happening::new("approval.rule_removed", detail).with("tool", tool));
        Ok(())
    }
}

/// What of the run so far was written by others, in words: it may have led to the next call.
pub fn influences(
    task: Option<&Task>,
    before: &[String],
    steps: &[RunStep],
    effect: impl Fn(&str) -> Option<ToolEffect>,
) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |words: String| {
        let words: String = words.chars().take(LONGEST_SOURCE).collect();
        if !words.trim().is_empty() && !found.contains(&words) && found.len() < MOST_SOURCES {
            found.push(words);
        }
    };
    if task.is_some_and(|task| task.schedule.is_some() && !task.input.is_null()) {
        add("what started the task".to_owned());
    }
    for title in before {
        add(format!("the result of \"{title}\""));
    }
    for step in steps {
        let StepKind::Tool { call, action, output: Some(_), .. } = &step.kind else { continue };
        match action {
            ProposedAction::Look { what } => match effect(&call.tool) {
                Some(ToolEffect::Computes | ToolEffect::Organises) => {}
                _ => add(what.clone()),
            },
            ProposedAction::RunCommand { command, .. } => add(format!("the output of {command}")),
            ProposedAction::HttpRequest { url, .. } => add(url.clone()),
            ProposedAction::Other { tool, .. } => {
                if let Some(ToolEffect::Reads | ToolEffect::Network | ToolEffect::Executes) = effect(tool) {
                    add(format!("what {tool} gave"));
                }
            }
            ProposedAction::WriteFile { .. }
            | ProposedAction::Question { .. }
            | ProposedAction::CreateTask { .. }
            | ProposedAction::CreateSchedule { .. } => {}
        }
    }
    found
}

/// What an effect is called where the person is asked whether it may be done again.
pub fn in_words(spec: &ToolSpec, proposal: &Proposal) -> String {
    if proposal.title.is_empty() { spec.title.clone().into_owned() } else { proposal.title.clone() }
}
