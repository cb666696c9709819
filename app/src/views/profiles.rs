//! Separate worlds, and what may leave this computer from each.

mod dialogs;
mod hosts;
mod ledger;
mod network;
#[cfg(test)]
mod tests;

use egui::{Ui, vec2};
use rspa_core::model::{Profile, ProfileId, ProfileList};

use super::{Cx, View};
use crate::commands::UiCommand;
use crate::commands::pages::profiles::ProfilesCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::profiles::Part;
use crate::text::{day, tr, tr_count, tr_with};
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, Chip, Tone, TwoLineRow, column_header, page_body, page_header, states};

#[derive(Default)]
pub struct ProfilesView {
    /// Whose network is shown; none is the active one.
    chosen: Option<ProfileId>,
    dialog: Option<dialogs::Dialog>,
    /// The host that is being typed.
    host: String,
    ledger: ledger::LedgerView,
}

impl View for ProfilesView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let state = cx.state;
        let Some(list) = state.pages.profiles.list.get() else {
            page_header(ui, tr("page.profiles"), |_| {});
            match state.pages.profiles.list.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::Profiles(ProfilesCommand::Refresh));
                    }
                }
                None => states::loading(ui, tr("profiles.loading")),
            }
            return;
        };
        if state.pages.profiles.part == Part::Ledger {
            column(ui, "network ledger", ui.max_rect(), false, |ui| {
                page_header(ui, tr("page.profiles"), |ui| parts(ui, cx));
                self.ledger.ui(ui, cx);
            });
            return;
        }
        let columns = Columns::new(ui.available_rect_before_wrap(), ui.tokens(), true, false);
        if let Some(rect) = columns.list {
            column(ui, "profiles", rect, true, |ui| self.list(ui, list));
        }
        let narrow = columns.list.is_none();
        column(ui, "profile", columns.centre, false, |ui| self.centre(ui, cx, list, narrow));
        if let Some(dialog) = &mut self.dialog
            && !dialog.ui(ui.ctx(), list, cx.commands)
        {
            self.dialog = None;
        }
    }
}

impl ProfilesView {
    fn chosen<'a>(&self, list: &'a ProfileList) -> Option<&'a Profile> {
        let of = |id| list.profiles.iter().find(|profile| profile.id == id);
        self.chosen.and_then(of).or_else(|| of(list.active))
    }

    fn list(&mut self, ui: &mut Ui, list: &ProfileList) {
        column_header(ui, tr("profiles.title"), |_| {});
        let chosen = self.chosen(list).map(|profile| profile.id);
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            for (index, profile) in list.profiles.iter().enumerate() {
                let right = if profile.id == list.active { tr("profiles.active") } else { "" };
                let icon = if profile.network.forbid_cloud { Icon::ShieldCheck } else { Icon::User };
                let row = TwoLineRow::new(profile.name.as_str(), counts(list, index)).icon(icon).right(right);
                let row = row.selected(chosen == Some(profile.id));
                if ui.push_id(profile.id, |ui| ui.add(row)).inner.clicked() {
                    self.chosen = Some(profile.id);
                }
            }
        });
    }

    fn centre(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, list: &ProfileList, narrow: bool) {
        let tokens = ui.tokens();
        let Some(profile) = self.chosen(list).cloned() else { return };
        page_header(ui, tr("page.profiles"), |ui| {
            let new = Button::new(tr("profiles.new")).icon(Icon::Plus).primary();
            if ui.add(new).clicked() {
                self.dialog = Some(dialogs::Dialog::create());
            }
            ui.add_space(tokens.space.s);
            parts(ui, cx);
            if narrow {
                let names: Vec<String> = list.profiles.iter().map(|profile| profile.name.clone()).collect();
                let now = list.profiles.iter().position(|known| known.id == profile.id).unwrap_or_default();
                if let Some(picked) = crate::widgets::select(ui, tr("profiles.title"), &names, now, 140.0) {
                    self.chosen = list.profiles.get(picked).map(|profile| profile.id);
                }
            }
        });
        page_body(ui, 1000.0, |ui| {
            self.head(ui, cx, list, &profile);
            ui.add_space(tokens.space.l);
            network::ui(ui, cx, list, &profile, &mut self.host);
        });
    }

    /// Name and counts at the left, what can be done with the profile at the right.
    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, list: &ProfileList, profile: &Profile) {
        let tokens = ui.tokens();
        let active = profile.id == list.active;
        let index = list.profiles.iter().position(|known| known.id == profile.id).unwrap_or_default();
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                ui.horizontal(|ui| {
                    let name = ui.label(tokens.rich(Type::Heading, &profile.name));
                    crate::widgets::speak_as(ui, &name, egui::Role::Heading, &profile.name);
                    if active {
                        ui.add(Chip::new(tr("profiles.active")).tone(Tone::Accent));
                    }
                });
                let made = tr_with("profiles.made", &[("when", &day(profile.created))]);
                ui.label(tokens.rich(Type::Secondary, format!("{} · {made}", counts(list, index))));
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing = vec2(tokens.space.s, 0.0);
                let why = match (active, list.profiles.len()) {
                    (_, 1) => tr("profiles.delete_last"),
                    (true, _) => tr("profiles.delete_active"),
                    (false, _) => "",
                };
                let delete = Button::new(tr("profiles.delete")).icon(Icon::Trash).quiet().enabled(why.is_empty());
                let delete = ui.add(delete);
                if delete.clicked() {
                    self.dialog = Some(dialogs::Dialog::delete(profile, counts(list, index)));
                }
                if !why.is_empty() {
                    delete.on_disabled_hover_text(why);
                }
                if ui.add(Button::new(tr("profiles.rename")).icon(Icon::PencilSimple).quiet()).clicked() {
                    self.dialog = Some(dialogs::Dialog::rename(profile));
                }
                if !active && ui.add(Button::new(tr("profiles.switch")).icon(Icon::ArrowRight)).clicked() {
                    cx.commands.push(UiCommand::Profiles(ProfilesCommand::Switch(profile.id)));
                }
            });
        });
    }
}

/// What the page shows, chosen at its head; drawn from the right.
fn parts(ui: &mut Ui, cx: &mut Cx<'_>) {
    ui.spacing_mut().item_spacing.x = ui.tokens().space.xs;
    let now = cx.state.pages.profiles.part;
    for (part, key) in [(Part::Ledger, "profiles.ledger"), (Part::Profiles, "profiles.policies")] {
        if ui.add(Button::new(tr(key)).quiet().selected(now == part)).clicked() {
            cx.commands.push(UiCommand::Profiles(ProfilesCommand::ShowPart(part)));
        }
    }
}

fn counts(list: &ProfileList, index: usize) -> String {
    let counts = list.counts.get(index).copied().unwrap_or_default();
    let (sources, chats) = (tr_count("profiles.sources", counts.sources), tr_count("profiles.chats", counts.chats));
    tr_with("profiles.counts", &[("sources", &sources), ("chats", &chats)])
}
