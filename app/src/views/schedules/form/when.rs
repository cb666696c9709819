//! The part of the form that says when: by the clock, or upon what.

use std::path::PathBuf;

use egui::Ui;
use rspa_core::model::{Timestamp, Timing, Trigger};

use super::{field, time_text};
use crate::design::UiExt;
use crate::text::tr;
use crate::widgets::{Chip, select};

/// Kinds of timings, in the order of the choice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cron,
    Every,
    Once,
    File,
    Commit,
    Log,
    ProcessEnds,
    ProcessBegins,
    Session,
}

const KINDS: [(Kind, &str); 9] = [
    (Kind::Cron, "schedules.kind_cron"),
    (Kind::Every, "schedules.kind_every"),
    (Kind::Once, "schedules.kind_once"),
    (Kind::File, "schedules.kind_file"),
    (Kind::Commit, "schedules.kind_commit"),
    (Kind::Log, "schedules.kind_log"),
    (Kind::ProcessEnds, "schedules.kind_ends"),
    (Kind::ProcessBegins, "schedules.kind_begins"),
    (Kind::Session, "schedules.kind_session"),
];

/// Expressions that are wanted most.
const COMMON: [(&str, &str); 4] = [
    ("schedules.common_morning", "0 7 * * *"),
    ("schedules.common_workdays", "0 7 * * 1-5"),
    ("schedules.common_hour", "0 * * * *"),
    ("schedules.common_month", "0 7 1 * *"),
];

/// What is typed.
pub struct When {
    kind: Kind,
    cron: String,
    zone: String,
    minutes: String,
    at: String,
    path: String,
    /// A glob, a regular expression, a branch or the name of a process.
    what: String,
}

impl When {
    pub fn of(timing: &Timing) -> Self {
        let mut when = Self {
            kind: Kind::Cron,
            cron: "0 7 * * 1-5".to_owned(),
            zone: String::new(),
            minutes: "30".to_owned(),
            at: String::new(),
            path: String::new(),
            what: String::new(),
        };
        match timing {
            Timing::Cron { expression, zone } => (when.cron, when.zone) = (expression.clone(), zone.clone()),
            Timing::Every { minutes, .. } => (when.kind, when.minutes) = (Kind::Every, minutes.to_string()),
            Timing::Once { at } => (when.kind, when.at) = (Kind::Once, time_text(*at)),
            Timing::When { trigger } => {
                let (kind, path, what) = match trigger {
                    Trigger::File { path, pattern } => (Kind::File, path.display().to_string(), pattern.clone()),
                    Trigger::Commit { repository, branch } => {
                        (Kind::Commit, repository.display().to_string(), branch.clone())
                    }
                    Trigger::Log { path, pattern } => (Kind::Log, path.display().to_string(), pattern.clone()),
                    Trigger::Process { name, begins: true } => (Kind::ProcessBegins, String::new(), name.clone()),
                    Trigger::Process { name, begins: false } => (Kind::ProcessEnds, String::new(), name.clone()),
                    Trigger::SessionStart => (Kind::Session, String::new(), String::new()),
                };
                (when.kind, when.path, when.what) = (kind, path, what);
            }
        }
        when
    }

    pub fn is_trigger(&self) -> bool {
        !matches!(self.kind, Kind::Cron | Kind::Every | Kind::Once)
    }

    /// Names that a template may use.
    pub fn names(&self) -> &'static str {
        match self.kind {
            Kind::File => "{date} {time} {last_run} {path}",
            Kind::Commit => "{date} {time} {last_run} {path} {commit} {branch} {message}",
            Kind::Log => "{date} {time} {last_run} {path} {line}",
            Kind::ProcessEnds | Kind::ProcessBegins => "{date} {time} {last_run} {process}",
            _ => "{date} {time} {planned} {last_run}",
        }
    }

    /// The timing that is typed, or why there is none yet. An interval that stays goes on from where it began.
    pub fn timing(&self, before: &Timing, now: Timestamp) -> Result<Timing, &'static str> {
        let path = || match self.path.trim() {
            "" => Err(tr("schedules.no_path")),
            path => Ok(PathBuf::from(path)),
        };
        let what = self.what.trim().to_owned();
        let named = || if what.is_empty() { Err(tr("schedules.no_name")) } else { Ok(what.clone()) };
        let trigger = match self.kind {
            Kind::Cron => {
                return match self.cron.trim() {
                    "" => Err(tr("schedules.no_cron")),
                    cron => Ok(Timing::Cron { expression: cron.to_owned(), zone: self.zone.trim().to_owned() }),
                };
            }
            Kind::Every => {
                let minutes: u32 = self.minutes.trim().parse().map_err(|_unreadable| tr("schedules.no_minutes"))?;
                return Ok(match before {
                    Timing::Every { minutes: old, from } if *old == minutes => Timing::Every { minutes, from: *from },
                    // A whole minute, so that it stays the same while the form is drawn again.
                    _ => Timing::Every { minutes, from: Timestamp(now.0 - now.0.rem_euclid(60_000)) },
                });
            }
            Kind::Once => {
                let civil = self.at.trim().parse::<jiff::civil::DateTime>().ok();
                let zoned = civil.and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::system()).ok());
                let at = zoned.ok_or(tr("schedules.no_time"))?.timestamp().as_millisecond();
                return Ok(Timing::Once { at: Timestamp(at) });
            }
            Kind::File => Trigger::File { path: path()?, pattern: what },
            Kind::Commit => Trigger::Commit { repository: path()?, branch: what },
            Kind::Log => Trigger::Log { path: path()?, pattern: named()? },
            Kind::ProcessEnds => Trigger::Process { name: named()?, begins: false },
            Kind::ProcessBegins => Trigger::Process { name: named()?, begins: true },
            Kind::Session => Trigger::SessionStart,
        };
        Ok(Timing::When { trigger })
    }

    pub fn ui(&mut self, ui: &mut Ui) {
        let tokens = ui.tokens();
        let words = KINDS.map(|(_, key)| tr(key).to_owned());
        let now = KINDS.iter().position(|(kind, _)| *kind == self.kind).unwrap_or(0);
        let width = ui.available_width();
        if let Some(picked) = select(ui, tr("schedules.when"), &words, now, width) {
            self.kind = KINDS[picked].0;
        }
        ui.add_space(tokens.space.xs);
        match self.kind {
            Kind::Cron => {
                ui.horizontal_wrapped(|ui| {
                    for (key, expression) in COMMON {
                        if ui.add(Chip::new(tr(key)).selectable(self.cron.trim() == expression)).clicked() {
                            expression.clone_into(&mut self.cron);
                        }
                    }
                });
                ui.add_space(tokens.space.xs);
                field(ui, tr("schedules.cron"), tr("schedules.cron_hint"), &mut self.cron);
                field(ui, tr("schedules.zone"), tr("schedules.zone_hint"), &mut self.zone);
            }
            Kind::Every => field(ui, tr("schedules.minutes"), "30", &mut self.minutes),
            Kind::Once => field(ui, tr("schedules.at"), tr("schedules.at_hint"), &mut self.at),
            Kind::File => {
                field(ui, tr("schedules.path"), tr("schedules.path_hint"), &mut self.path);
                field(ui, tr("schedules.glob"), "*.csv", &mut self.what);
            }
            Kind::Commit => {
                field(ui, tr("schedules.repository"), tr("schedules.path_hint"), &mut self.path);
                field(ui, tr("schedules.branch"), tr("schedules.branch_hint"), &mut self.what);
            }
            Kind::Log => {
                field(ui, tr("schedules.log"), tr("schedules.path_hint"), &mut self.path);
                field(ui, tr("schedules.regex"), "ERROR|panic", &mut self.what);
            }
            Kind::ProcessEnds | Kind::ProcessBegins => {
                field(ui, tr("schedules.process"), "cargo", &mut self.what);
            }
            Kind::Session => {}
        }
    }
}
