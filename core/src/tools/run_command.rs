//! The tool that runs a command of the shell: confined to the agent's folders, within limits, after the person saw it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, refused, short, wrong};
use super::folders::find;
use super::{Proposal, RuleScope, Scope, Tool, ToolSpec, schema};
use crate::api::{ApiError, ErrorCategory};
use crate::confine::{Changes, Confinement, Ended, Outcome, Request, Runner, visible};
use crate::model::{AllowedFolder, CommandLimits, Permission, ProposedAction, ToolEffect, ToolOutput};

const NAME: &str = "run_command";

/// Longer commands are refused, in bytes: nobody would read them before allowing them.
const MOST_COMMAND: usize = 8 << 10;

/// Of the output, what the model reads: the beginning, and the end, where errors stand. In bytes.
const FIRST: usize = 2 << 10;
const LAST: usize = 5 << 10;

pub struct RunCommand;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    command: String,
    #[serde(default)]
    folder: Option<String>,
    #[serde(default)]
    seconds: Option<u32>,
    #[serde(default)]
    network: bool,
}

impl Tool for RunCommand {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: NAME.into(),
            title: "Run a command".into(),
            description: "Runs a command with `sh -c` in an allowed folder. It sees only the agent's folders and the \
                          system's programs, and is stopped at its limits."
                .into(),
            effect: ToolEffect::Executes,
            default: Permission::Ask,
            repeatable: false,
            parameters: schema::object(
                &[
                    ("command", schema::long_text("For `sh -c`; it must not ask for input.")),
                    ("folder", schema::path("Where it starts; the first allowed folder when not given")),
                    ("seconds", schema::integer(1, 86_400, "Time limit; never more than the settings allow.")),
                    ("network", schema::flag("It needs the network; refused unless the person has opened it.")),
                ],
                &["command"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        propose(&request(arguments, scope)?, Runner::this_program().confinement())
    }

    fn run(&self, arguments: &Value, proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let request = request(arguments, scope)?;
        let runner = Runner::this_program();
        if propose(&request, runner.confinement())?.action != proposal.action {
            return Err(wrong("what this command may do was changed since it was proposed, so it was not run"));
        }
        Ok(report(&request, &runner.run(&request, &scope.cancel)?))
    }
}

fn request(arguments: &Value, scope: &Scope) -> Result<Request, ApiError> {
    let given: Arguments = parse(arguments)?;
    if given.command.trim().is_empty() {
        return Err(wrong("`command` is empty"));
    }
    if given.command.len() > MOST_COMMAND {
        return Err(wrong(format!("`command` is longer than {MOST_COMMAND} bytes; write a script and run that")));
    }
    if given.command.contains('\0') {
        return Err(wrong("`command` holds a character that ends texts"));
    }
    let place = find(scope, given.folder.as_deref().unwrap_or("."))?;
    place.open_folder()?;
    if given.network {
        check_network(scope)?;
    }
    let limits = scope.host.command_limits();
    let seconds = given.seconds.unwrap_or(limits.seconds).clamp(1, limits.seconds.max(1));
    let folders = scope.agent.settings.folders.iter();
    // What is not there now cannot be shown to the command.
    let folders =
        folders.filter_map(|folder| Some(AllowedFolder { path: folder.path.canonicalize().ok()?, ..folder.clone() }));
    Ok(Request {
        command: given.command,
        folder: real(place.path())?,
        folders: folders.collect(),
        private: scope.host.private_folders(),
        limits: CommandLimits { seconds, ..limits },
        network: given.network,
        unconfined: scope.host.unconfined_commands() && !Runner::this_program().confinement().confines(),
    })
}

fn real(path: &Path) -> Result<PathBuf, ApiError> {
    path.canonicalize().map_err(|error| wrong(format!("{} cannot be used: {error}", path.display())))
}

/// Both the person, on the agent's page, and the profile's policy must have opened it: what a command sends does not
/// pass the program's own door.
fn check_network(scope: &Scope) -> Result<(), ApiError> {
    let rule = scope.agent.settings.tools.get(NAME);
    if rule.and_then(|rule| rule.settings.get("network")) != Some(&Value::Bool(true)) {
        return Err(refused(
            "this agent's commands may not use the network",
            "Run it without, or set `network` for this tool on the agent's page.",
        ));
    }
    if !scope.host.network_open() {
        return Err(refused(
            "commands use the network only where the profile's policy lets everything pass, because they do not ask it",
            "Run it without the network, or use the tool for requests.",
        ));
    }
    Ok(())
}

fn propose(request: &Request, confinement: &Confinement) -> Result<Proposal, ApiError> {
    if !confinement.confines() && !request.unconfined {
        return Err(ApiError::new(
            ErrorCategory::System,
            format!("this computer cannot confine commands, so none is run: {}", confinement.missing()),
            "The setting security.unconfined_commands lets them run with limits only.",
        ));
    }
    let shown = visible(&request.command);
    let folder = request.folder.display();
    let mut how = if request.network { " with network" } else { "" }.to_owned();
    if !confinement.confines() {
        // What was allowed confined is not allowed so.
        how += " unconfined";
    }
    Ok(Proposal {
        title: format!("Run {}", short(&shown, 60)),
        action: ProposedAction::RunCommand {
            command: shown.clone(),
            folder: request.folder.clone(),
            network: request.network,
            limits: request.limits,
            confinement: confinement.sentence(&request.limits, request.network),
        },
        always: Some(RuleScope {
            scope: format!("command:{} in {folder}{how}", request.command),
            words: format!("running exactly {shown} in {folder}{how}"),
        }),
        harmless: false,
    })
}

fn report(request: &Request, outcome: &Outcome) -> ToolOutput {
    let output = visible(&String::from_utf8_lossy(&outcome.output));
    let mut text = outcome.words(&request.limits);
    match output.trim_end() {
        "" => text.push_str("\nIt printed nothing."),
        output => {
            write!(text, "\nOutput:\n{}", middle_left_out(output)).ok();
        }
    }
    let (exit_code, signal, limit) = match outcome.ended {
        Ended::Exited(code) => (Some(code), None, None),
        Ended::Signalled(signal) => (None, Some(signal), None),
        Ended::Limit(limit) => (None, None, Some(limit)),
        Ended::Cancelled => (None, None, None),
    };
    let data = json!({
        "exit_code": exit_code,
        "signal": signal,
        "limit": limit,
        "duration_ms": u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX),
        "output": output,
        "output_cut": outcome.cut,
        "changes": outcome.changes,
        "confinement": outcome.confinement,
    });
    ToolOutput { text, data: Some(data), chart: None, changed: changed(request, outcome) }
}

/// In words; the first names of what was changed, where they are known.
fn changed(request: &Request, outcome: &Outcome) -> String {
    const NAMED: usize = 5;
    let mut words = format!("ran {} in {}", short(&visible(&request.command), 80), request.folder.display());
    let list = |paths: &[String]| {
        let named: Vec<String> = paths.iter().take(NAMED).map(|path| visible(path)).collect();
        named.join(", ")
    };
    match &outcome.changes {
        Changes::Kept { count: 0, .. } => words += ": no file was changed",
        Changes::Kept { written, removed, count, .. } => {
            write!(words, ": {count} changes").ok();
            if !written.is_empty() {
                write!(words, "; wrote {}", list(written)).ok();
            }
            if !removed.is_empty() {
                write!(words, "; removed {}", list(removed)).ok();
            }
        }
        Changes::AsItWent => words += ": which files it changed is not known",
        Changes::Discarded => words += ": nothing that it wrote was kept",
        Changes::Failed(why) => {
            write!(words, ": not all that it wrote was kept: {why}").ok();
        }
    }
    words
}

fn middle_left_out(output: &str) -> String {
    if output.len() <= FIRST + LAST {
        return output.to_owned();
    }
    let first = &output[..output.floor_char_boundary(FIRST)];
    let last = &output[output.ceil_char_boundary(output.len() - LAST)..];
    let left_out = output.len() - first.len() - last.len();
    format!("{first}\n[{left_out} bytes in the middle were left out]\n{last}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::World;
    use super::*;
    use crate::confine::{Layer, Limit};

    fn confined() -> Confinement {
        let layer = |name: &str| Layer { name: name.to_owned(), on: true, detail: String::new() };
        Confinement { layers: ["namespaces", "landlock", "seccomp", "disk"].map(layer).to_vec() }
    }

    fn proposed(world: &World, arguments: Value) -> Result<Proposal, ApiError> {
        propose(&request(&arguments, &world.scope)?, &confined())
    }

    #[test]
    fn the_person_sees_exactly_what_would_run_and_how() {
        let world = World::new();
        world.put("sub/x", "");
        let arguments = json!({"command": "echo a\u{202e}b\u{1b}[2J\nls", "folder": "sub", "seconds": 5});
        let proposal = proposed(&world, arguments).unwrap();
        let ProposedAction::RunCommand { command, folder, network, limits, confinement } = &proposal.action else {
            panic!()
        };
        assert_eq!(command, "echo a\\u{202e}b\\u{1b}[2J\nls");
        assert_eq!(*folder, world.folder().join("sub").canonicalize().unwrap());
        assert!(!network && limits.seconds == 5 && !proposal.harmless);
        assert_eq!(
            confinement,
            "Confined: the agent's folders only, no network, 5 s, 1 GB memory, 256 MB written, 64 processes."
        );
        let always = proposal.always.unwrap();
        assert_eq!(always.scope, format!("command:echo a\u{202e}b\u{1b}[2J\nls in {}", folder.display()));
        assert!(!always.words.contains('\u{202e}'));
        assert!(!RunCommand.spec().repeatable);
    }

    #[test]
    fn what_makes_no_sense_or_reaches_too_far_is_refused() {
        let world = World::new();
        let long = "x".repeat(MOST_COMMAND + 1);
        for (arguments, why) in [
            (json!({"command": " "}), "empty"),
            (json!({"command": long}), "longer"),
            (json!({"command": "a\u{0}b"}), "ends texts"),
            (json!({"command": "ls", "folder": "../private"}), "not inside"),
            (json!({"command": "ls", "folder": "/etc"}), "not inside"),
            (json!({"command": "ls", "folder": "missing"}), ""),
            (json!({"command": "ls", "network": true}), "may not use the network"),
            (json!({"command": "ls", "user": "root"}), "unknown field"),
        ] {
            let error = proposed(&world, arguments).unwrap_err();
            assert!(error.message.contains(why), "{why}: {error}");
        }
        let proposal = proposed(&world, json!({"command": "ls", "seconds": 9_999})).unwrap();
        let ProposedAction::RunCommand { limits, .. } = proposal.action else { panic!() };
        assert_eq!(limits.seconds, CommandLimits::default().seconds);
    }

    #[test]
    fn the_network_needs_the_agent_and_the_policy() {
        let mut world = World::new();
        world.set(NAME, "network", json!(true));
        let refused = proposed(&world, json!({"command": "ls", "network": true})).unwrap_err();
        assert!(refused.message.contains("policy"), "{refused}");
        *world.host.network_open.lock().unwrap() = true;
        let proposal = proposed(&world, json!({"command": "ls", "network": true})).unwrap();
        assert!(proposal.always.unwrap().scope.ends_with(" with network"));
        let ProposedAction::RunCommand { network: true, confinement, .. } = proposal.action else { panic!() };
        assert!(confinement.contains("the whole network"), "{confinement}");
    }

    #[test]
    fn where_nothing_confines_it_is_refused_unless_the_settings_allow_it() {
        // The executable of these tests is no launcher: it confines nothing.
        let world = World::new();
        let error = world.propose(NAME, json!({"command": "ls"})).unwrap_err();
        assert!(error.message.contains("cannot confine"), "{error}");
        assert!(error.advice.contains("security.unconfined_commands"), "{error:?}");
        *world.host.unconfined.lock().unwrap() = true;
        let ProposedAction::RunCommand { confinement, .. } =
            world.propose(NAME, json!({"command": "ls"})).unwrap().action
        else {
            panic!()
        };
        assert!(confinement.starts_with("NOT confined"), "{confinement}");
    }

    #[test]
    fn results_say_how_it_ended_and_show_both_ends_of_the_output() {
        let world = World::new();
        let request = request(&json!({"command": "make"}), &world.scope).unwrap();
        let mut outcome = Outcome {
            ended: Ended::Limit(Limit::Output),
            output: [b"first\xff\x1b".as_slice(), &[b'x'; 20_000], b"last"].concat(),
            cut: true,
            duration: Duration::from_millis(20),
            confinement: confined(),
            changes: Changes::Discarded,
        };
        let said = report(&request, &outcome);
        assert!(
            said.text.starts_with("The command was stopped: it wrote more than 256 KB of output."),
            "{}",
            said.text
        );
        assert!(said.text.contains("first\u{fffd}\\u{1b}") && said.text.ends_with("last"), "{}", said.text);
        assert!(said.text.len() < 8 << 10 && said.text.contains("left out"));
        assert_eq!(said.data.unwrap()["limit"], "output");
        outcome.ended = Ended::Exited(0);
        outcome.changes =
            Changes::Kept { written: vec!["/a/b".to_owned()], removed: vec!["/a/c".to_owned()], count: 2, skipped: 0 };
        let said = report(&request, &outcome);
        assert!(said.changed.ends_with(": 2 changes; wrote /a/b; removed /a/c"), "{}", said.changed);
        assert_eq!(said.data.unwrap()["exit_code"], 0);
    }
}
