//! The list of hosts of a profile: shown as chips, one added by typing, each removed by its cross.

use egui::{Key, Ui};

use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::widgets::{Button, IconButton, TextField};

/// The list as the person changed it, if it was changed.
pub fn ui(ui: &mut Ui, hosts: &[String], draft: &mut String) -> Option<Vec<String>> {
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
    changed
}

/// A first look; core says the last word.
fn is_host(text: &str) -> bool {
    let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.' | '_' | '[' | ']');
    let colons = text.starts_with('[');
    !text.is_empty()
        && text.chars().all(|letter| allowed(letter) || (colons && letter == ':'))
        && !text.starts_with('.')
}
