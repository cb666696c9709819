//! The list of hosts of a profile with what each was asked: one added by typing or from those that were refused, each
//! removed by its cross.

use egui::{Align, Key, Layout, Ui};

use super::ledger::{HostSum, host_words};
use crate::commands::UiCommand;
use crate::commands::pages::profiles::ProfilesCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{short, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, IconButton, TextField};

/// Refused hosts that are offered.
const OFFERED: usize = 5;

/// The list as the person changed it, if it was changed. `sums`: what was asked from this profile.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, hosts: &[String], sums: &[HostSum], draft: &mut String) -> Option<Vec<String>> {
    let tokens = ui.tokens();
    let mut changed = None;
    ui.label(tokens.rich(Type::Strong, tr("profiles.hosts")));
    if hosts.is_empty() {
        ui.label(tokens.rich(Type::Secondary, tr("profiles.hosts_none")));
    }
    for host in hosts {
        ui.push_id(host, |ui| {
            ui.horizontal(|ui| {
                ui.label(Icon::Globe.rich(tokens.size.icon).color(tokens.color.text_2));
                ui.label(tokens.rich(Type::Body, host));
                if let Some(sum) = sums.iter().find(|sum| sum.host == *host) {
                    ledger_link(ui, cx, sum);
                }
                let name = tr_with("profiles.host_remove", &[("host", host)]);
                if ui.add(IconButton::new(Icon::X, name).small()).clicked() {
                    changed = Some(hosts.iter().filter(|known| *known != host).cloned().collect());
                }
            });
        });
    }
    let typed = draft.trim().to_lowercase();
    let usable = is_host(&typed);
    ui.add_space(tokens.space.xs);
    ui.horizontal(|ui| {
        let field = TextField::new(draft, tr("profiles.host_name")).hint(tr("profiles.host_hint")).width(240.0);
        let field = field.problem(!typed.is_empty() && !usable).show(ui);
        let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let add = ui.add(Button::new(tr("profiles.host_add")).icon(Icon::Plus).enabled(usable)).clicked();
        if usable && (entered || add) {
            let mut all = hosts.to_vec();
            if !all.contains(&typed) {
                all.push(typed.clone());
            }
            changed = Some(all);
            draft.clear();
        }
    });
    if !typed.is_empty() && !usable {
        ui.label(tokens.rich(Type::Secondary, tr("profiles.host_wrong")).color(tokens.color.bad));
    }
    let refused: Vec<&HostSum> = sums.iter().filter(|sum| sum.blocked > 0 && !hosts.contains(&sum.host)).collect();
    if !refused.is_empty() {
        ui.add_space(tokens.space.m);
        ui.label(tokens.rich(Type::Strong, tr("profiles.refused_hosts")));
        for sum in refused.into_iter().take(OFFERED) {
            ui.push_id(&sum.host, |ui| {
                ui.horizontal(|ui| {
                    ui.label(Icon::GlobeX.rich(tokens.size.icon).color(tokens.color.bad));
                    ui.label(tokens.rich(Type::Body, short(&sum.host, 80)));
                    ledger_link(ui, cx, sum);
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let button = Button::new(tr("profiles.list_host")).icon(Icon::Plus).small();
                        let title = tr_with("profiles.list_one", &[("host", &short(&sum.host, 80))]);
                        if is_host(&sum.host) && ui.add(button).on_hover_text(title).clicked() {
                            let mut all = hosts.to_vec();
                            all.push(sum.host.clone());
                            changed = Some(all);
                        }
                    });
                });
            });
        }
    }
    changed
}

/// What a host was asked; a press shows its rows.
fn ledger_link(ui: &mut Ui, cx: &mut Cx<'_>, sum: &HostSum) {
    let words = host_words(sum);
    if ui.add(Button::new(words).quiet().small().tooltip(tr("profiles.show_rows"))).clicked() {
        cx.commands.push(UiCommand::Profiles(ProfilesCommand::ShowLedger(sum.host.clone())));
    }
}

/// A first look; core says the last word.
fn is_host(text: &str) -> bool {
    let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.' | '_' | '[' | ']');
    let colons = text.starts_with('[');
    !text.is_empty()
        && text.chars().all(|letter| allowed(letter) || (colons && letter == ':'))
        && !text.starts_with('.')
}
