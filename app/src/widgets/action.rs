//! What a tool call would do: in a few lines for a card, and exactly, for whoever decides on it.

use std::collections::HashMap;

use egui::{Id, Label, Ui};
use rspa_core::model::{Approval, CommandLimits, ProposedAction, harmless, one_line};

use super::exact::{ExactView, Shown};
use super::{Tone, fact, states};
use crate::design::{Icon, Type, UiExt};
use crate::text::{number, path, tr, tr_count, tr_with};

/// Letters of one line of a summary, of a short text in full.
const LINE: usize = 160;
const WORDS: usize = 20_000;
/// Lines of a change that a card shows.
const HEAD: usize = 3;

/// The exact views of one action, kept between frames.
#[derive(Default)]
pub struct ActionView {
    parts: HashMap<&'static str, ExactView>,
}

impl ActionView {
    /// All of it, below each other. `most` is the height in points that one long part may take before it scrolls by itself.
    pub fn show(&mut self, ui: &mut Ui, id: Id, action: &ProposedAction, most: f32) {
        match action {
            ProposedAction::Look { what } => text(ui, Type::Body, what),
            ProposedAction::WriteFile { path, exists, diff, added, removed, before, after } => {
                self.write(ui, id, path, *exists, diff, (*added, *removed), (before, after), most);
            }
            ProposedAction::RunCommand { command, folder, network, limits, confinement } => {
                self.exact(ui, id, "command", tr("approvals.action.command"), command, Shown::Plain, most);
                fact(ui, tr("approvals.action.folder"), |ui| text(ui, Type::Code, &path(folder)));
                let words = if *network { "approvals.action.network_yes" } else { "approvals.action.network_no" };
                let tone = if *network { Tone::Warn } else { Tone::Ok };
                fact(ui, tr("approvals.action.network"), |ui| toned(ui, tone, tr(words)));
                fact(ui, tr("approvals.action.confined"), |ui| text(ui, Type::Body, confinement));
                fact(ui, tr("approvals.action.limits"), |ui| text(ui, Type::Body, &limit_words(limits)));
            }
            ProposedAction::HttpRequest { method, url, headers, body } => {
                self.exact(
                    ui,
                    id,
                    "request",
                    tr("approvals.action.request"),
                    &format!("{method} {url}"),
                    Shown::Plain,
                    most,
                );
                if !headers.is_empty() {
                    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                    self.exact(
                        ui,
                        id,
                        "headers",
                        tr("approvals.action.headers"),
                        &lines.join("\n"),
                        Shown::Plain,
                        most,
                    );
                }
                if body.is_empty() {
                    fact(ui, tr("approvals.action.body"), |ui| text(ui, Type::Body, tr("approvals.action.no_body")));
                } else {
                    self.exact(ui, id, "body", tr("approvals.action.body"), body, Shown::Plain, most);
                }
            }
            ProposedAction::Question { question, .. } => text(ui, Type::Body, question),
            ProposedAction::CreateTask { agent, title, description } => {
                fact(ui, tr("approvals.action.for"), |ui| text(ui, Type::Body, agent));
                fact(ui, tr("approvals.action.task"), |ui| text(ui, Type::Strong, title));
                if !description.is_empty() {
                    self.exact(
                        ui,
                        id,
                        "description",
                        tr("approvals.action.description"),
                        description,
                        Shown::Plain,
                        most,
                    );
                }
            }
            ProposedAction::CreateSchedule { name, timing, task } => {
                fact(ui, tr("approvals.action.schedule"), |ui| text(ui, Type::Strong, name));
                fact(ui, tr("approvals.action.timing"), |ui| text(ui, Type::Body, timing));
                fact(ui, tr("approvals.action.task"), |ui| text(ui, Type::Body, task));
            }
            ProposedAction::Other { tool, arguments } => {
                fact(ui, tr("approvals.action.tool"), |ui| text(ui, Type::Code, tool));
                let pretty = serde_json::to_string_pretty(arguments).unwrap_or_default();
                self.exact(ui, id, "arguments", tr("approvals.action.arguments"), &pretty, Shown::Plain, most);
            }
        }
        if self.parts.values().any(ExactView::has_hidden) {
            states::banner(ui, Tone::Warn, Icon::Warning, tr("approvals.hidden"));
        }
        if self.is_cut() {
            states::banner(ui, Tone::Bad, Icon::WarningCircle, tr("approvals.cut"));
        }
    }

    /// Not all of it can be shown: nobody can know what it would do.
    pub fn is_cut(&self) -> bool {
        self.parts.values().any(ExactView::is_cut)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one write")]
    fn write(
        &mut self,
        ui: &mut Ui,
        id: Id,
        file: &std::path::Path,
        exists: bool,
        diff: &str,
        (added, removed): (u32, u32),
        (before, after): (&str, &str),
        most: f32,
    ) {
        fact(ui, tr("approvals.action.file"), |ui| text(ui, Type::Code, &path(file)));
        let words = if exists { tr("approvals.action.changes") } else { tr("approvals.action.new_file") };
        let lines = format!("{words} · {}", change_words(added, removed));
        fact(ui, tr("approvals.action.change"), |ui| text(ui, Type::Body, &lines));
        self.exact(ui, id, "diff", tr("approvals.action.diff"), diff, Shown::Diff, most);
        let start = |digest: &str| digest.chars().take(12).collect::<String>();
        let checked = match exists {
            true => tr_with("approvals.action.checked", &[("before", &start(before)), ("after", &start(after))]),
            false => tr_with("approvals.action.checked_new", &[("after", &start(after))]),
        };
        ui.add(Label::new(ui.tokens().rich(Type::Label, one_line(&checked))).wrap());
    }

    #[expect(clippy::too_many_arguments, reason = "one named part")]
    fn exact(&mut self, ui: &mut Ui, id: Id, key: &'static str, name: &str, content: &str, shown: Shown, most: f32) {
        let tokens = ui.tokens();
        ui.add_space(tokens.space.xs);
        ui.label(tokens.rich(Type::Label, name));
        let view = self.parts.entry(key).or_default();
        view.show(ui, id.with(key), name, content, shown, most);
        ui.add_space(tokens.space.xs);
    }
}

/// Words of others: wrapped, bounded, harmless.
pub fn text(ui: &mut Ui, kind: Type, words: &str) {
    let tokens = ui.tokens();
    let end = words.char_indices().nth(WORDS).map_or(words.len(), |(end, _)| end);
    let mut shown = harmless(&words[..end]);
    if end < words.len() {
        shown.push_str(&format!("… {}", tr_count("approvals.more_letters", words[end..].chars().count() as u64)));
    }
    ui.add(Label::new(tokens.rich(kind, shown)).wrap().selectable(true));
}

fn toned(ui: &mut Ui, tone: Tone, words: &str) {
    let tokens = ui.tokens();
    ui.add(Label::new(tokens.rich(Type::Body, words).color(tone.ink(tokens))).wrap());
}

/// "+48 lines, −2 lines"
pub fn change_words(added: u32, removed: u32) -> String {
    let added = (added > 0).then(|| format!("+{}", tr_count("approvals.lines", u64::from(added))));
    let removed = (removed > 0).then(|| format!("−{}", tr_count("approvals.lines", u64::from(removed))));
    match (added, removed) {
        (Some(added), Some(removed)) => format!("{added}, {removed}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => tr("approvals.no_lines").to_owned(),
    }
}

fn limit_words(limits: &CommandLimits) -> String {
    tr_with(
        "approvals.action.limit_words",
        &[
            ("seconds", &number(u64::from(limits.seconds))),
            ("memory", &number(u64::from(limits.memory_mb))),
            ("output", &number(u64::from(limits.output_kb))),
            ("disk", &number(u64::from(limits.disk_mb))),
            ("processes", &number(u64::from(limits.processes))),
        ],
    )
}

/// A few lines of it for a card, each with its tone: at most five.
pub fn summary(action: &ProposedAction) -> Vec<(Tone, String)> {
    let short = |text: &str| {
        let end = text.char_indices().nth(LINE).map_or(text.len(), |(end, _)| end);
        one_line(&text[..end]).into_owned()
    };
    let plain = |text: &str| (Tone::Neutral, short(text));
    match action {
        ProposedAction::Look { what } => vec![plain(what)],
        ProposedAction::WriteFile { path: file, diff, added, removed, .. } => {
            let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let mut lines = vec![(Tone::Ok, format!("{} {}", change_words(*added, *removed), short(&name)))];
            let changed =
                diff.lines().take(400).skip_while(|line| !line.starts_with("@@")).filter_map(|line| {
                    match line.as_bytes().first() {
                        Some(b'+') => Some((Tone::Ok, short(line))),
                        Some(b'-') => Some((Tone::Bad, short(line))),
                        _ => None,
                    }
                });
            lines.extend(changed.take(HEAD));
            if let Some(folder) = file.parent() {
                lines.push((Tone::Neutral, short(&tr_with("approvals.in_folder", &[("folder", &path(folder))]))));
            }
            lines
        }
        ProposedAction::RunCommand { command, folder, .. } => vec![
            (Tone::Accent, format!("$ {}", short(command))),
            (Tone::Neutral, short(&tr_with("approvals.in_folder", &[("folder", &path(folder))]))),
        ],
        ProposedAction::HttpRequest { method, url, body, .. } => {
            let mut lines = vec![(Tone::Accent, format!("{} {}", short(method), short(url)))];
            if !body.is_empty() {
                lines.push((Tone::Neutral, crate::text::bytes(body.len() as u64)));
            }
            lines
        }
        ProposedAction::Question { question, .. } => vec![plain(question)],
        ProposedAction::CreateTask { agent, title, .. } => vec![plain(title), plain(agent)],
        ProposedAction::CreateSchedule { name, timing, .. } => vec![plain(name), plain(timing)],
        ProposedAction::Other { tool, .. } => vec![plain(tool)],
    }
}

/// Whether it can be allowed where only the summary is seen. All else is looked at whole first.
pub fn can_be_judged_short(approval: &Approval) -> bool {
    if !approval.influenced_by.is_empty() {
        return false;
    }
    match &approval.action {
        ProposedAction::WriteFile { diff, .. } => {
            diff.len() < 64 * 1024 && !matches!(one_line(&diff.replace(['\n', '\t'], " ")), std::borrow::Cow::Owned(_))
        }
        ProposedAction::RunCommand { command, .. } => {
            command.len() <= 32 && !matches!(one_line(command), std::borrow::Cow::Owned(_))
        }
        _ => false,
    }
}
