//! The dialogs of the page: make, rename, delete with the typed name.

use egui::{Context, Id, Key, Ui};
use rspa_core::model::{Profile, ProfileId, ProfileList, ProfileNetwork};

use crate::commands::pages::profiles::ProfilesCommand;
use crate::commands::{CommandQueue, UiCommand};
use crate::design::{Type, UiExt};
use crate::text::{tr, tr_with};
use crate::widgets::{Button, TextField, dialog, speak_as, toggle};

/// In characters.
const LONGEST: usize = 60;

/// A dialog while it is open.
pub struct Dialog {
    kind: Kind,
    /// What is typed.
    text: String,
}

enum Kind {
    Create { forbid_cloud: bool },
    Rename { id: ProfileId, name: String },
    Delete { id: ProfileId, name: String, counts: String },
}

impl Dialog {
    pub fn create() -> Self {
        Self { kind: Kind::Create { forbid_cloud: false }, text: String::new() }
    }

    pub fn rename(profile: &Profile) -> Self {
        let kind = Kind::Rename { id: profile.id, name: profile.name.clone() };
        Self { kind, text: profile.name.clone() }
    }

    pub fn delete(profile: &Profile, counts: String) -> Self {
        Self { kind: Kind::Delete { id: profile.id, name: profile.name.clone(), counts }, text: String::new() }
    }

    /// Draws it; false when it is done or left.
    pub fn ui(&mut self, ctx: &Context, list: &ProfileList, commands: &mut CommandQueue) -> bool {
        let tokens = ctx.tokens();
        let mut stay = true;
        let problem = self.problem(list);
        let ready = problem.is_none() && !self.text.trim().is_empty() && self.is_whole();
        let (_, left) = dialog::modal(ctx, Id::unique("profile-dialog"), tokens.size.dialog, |ui| {
            egui::Frame::new().inner_margin(tokens.space.xl as i8).show(ui, |ui| {
                let title = self.title();
                let heading = ui.label(tokens.rich(Type::Heading, &title));
                speak_as(ui, &heading, egui::Role::Heading, &title);
                ui.add_space(tokens.space.s);
                self.body(ui, problem.as_deref());
                ui.add_space(tokens.space.l);
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let (verb, danger) = match self.kind {
                        Kind::Create { .. } => (tr("profiles.make"), false),
                        Kind::Rename { .. } => (tr("profiles.rename"), false),
                        Kind::Delete { .. } => (tr("profiles.delete"), true),
                    };
                    let button = Button::new(verb).enabled(ready);
                    let yes = ui.add(if danger { button.danger() } else { button.primary() });
                    let enter = ready && ui.input(|i| i.key_pressed(Key::Enter));
                    if yes.clicked() || enter {
                        commands.push(UiCommand::Profiles(self.command()));
                        stay = false;
                    }
                    if ui.add(Button::new(tr("common.cancel"))).clicked() {
                        stay = false;
                    }
                });
            });
        });
        stay && !left && !ctx.input(|i| i.key_pressed(Key::Escape))
    }

    fn title(&self) -> String {
        match &self.kind {
            Kind::Create { .. } => tr("profiles.new_title").to_owned(),
            Kind::Rename { name, .. } => tr_with("profiles.rename_title", &[("name", name)]),
            Kind::Delete { name, .. } => tr_with("profiles.delete_title", &[("name", name)]),
        }
    }

    fn body(&mut self, ui: &mut Ui, problem: Option<&str>) {
        let tokens = ui.tokens();
        let words = match &self.kind {
            Kind::Create { .. } => tr("profiles.new_text").to_owned(),
            Kind::Rename { .. } => String::new(),
            Kind::Delete { counts, name, .. } => {
                let (sources, chats) = counts.split_once(" · ").unwrap_or((counts, ""));
                let lost = tr_with("profiles.delete_text", &[("sources", &sources), ("chats", &chats)]);
                format!("{lost}\n\n{}", tr_with("profiles.delete_type", &[("name", name)]))
            }
        };
        if !words.is_empty() {
            ui.add(egui::Label::new(tokens.rich(Type::Body, words).color(tokens.color.text_2)).wrap());
            ui.add_space(tokens.space.m);
        }
        let id = Id::unique("profile-name");
        let hint = match &self.kind {
            Kind::Create { .. } => tr("profiles.name_hint"),
            Kind::Rename { .. } => "",
            Kind::Delete { name, .. } => name,
        };
        let field = TextField::new(&mut self.text, tr("profiles.name")).hint(hint).id(id);
        let field = field.problem(problem.is_some()).show(ui);
        if ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        if let Some(problem) = problem {
            ui.label(tokens.rich(Type::Secondary, problem).color(tokens.color.bad));
        }
        if let Kind::Create { forbid_cloud } = &mut self.kind {
            ui.add_space(tokens.space.m);
            ui.horizontal(|ui| {
                toggle(ui, forbid_cloud, tr("profiles.forbid"));
                ui.label(tokens.rich(Type::Body, tr("profiles.forbid")));
            });
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("profiles.forbid_text"))).wrap());
        }
    }

    /// What is wrong with the typed text, once something is typed.
    fn problem(&self, list: &ProfileList) -> Option<String> {
        let typed = self.text.trim();
        if typed.is_empty() {
            return None;
        }
        let own = match &self.kind {
            // It says itself what is to be typed.
            Kind::Delete { name, .. } => {
                return (!name.starts_with(typed)).then(|| tr_with("profiles.delete_type", &[("name", name)]));
            }
            Kind::Rename { id, .. } => Some(*id),
            Kind::Create { .. } => None,
        };
        if typed.chars().count() > LONGEST {
            return Some(tr("profiles.name_long").to_owned());
        }
        let folded = typed.to_lowercase();
        let taken = |known: &&Profile| Some(known.id) != own && known.name.to_lowercase() == folded;
        list.profiles.iter().find(taken).map(|_| tr("profiles.name_taken").to_owned())
    }

    /// To delete, the whole name must stand there.
    fn is_whole(&self) -> bool {
        match &self.kind {
            Kind::Delete { name, .. } => self.text.trim() == name,
            _ => true,
        }
    }

    fn command(&self) -> ProfilesCommand {
        let text = self.text.trim().to_owned();
        match &self.kind {
            Kind::Create { forbid_cloud } => {
                let network = ProfileNetwork { forbid_cloud: *forbid_cloud, ..ProfileNetwork::default() };
                ProfilesCommand::Create { name: text, network }
            }
            Kind::Rename { id, .. } => ProfilesCommand::Rename { id: *id, name: text },
            Kind::Delete { id, .. } => ProfilesCommand::Delete { id: *id, typed: text },
        }
    }
}
