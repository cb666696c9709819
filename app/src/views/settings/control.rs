//! The control of a setting, by its kind. Texts and numbers are committed by Enter or by leaving the field.

use std::collections::HashMap;

use egui::{Key, Ui};
use rspa_core::model::{ModelKind, SettingEntry, SettingKind, SettingOrigin, SettingValue};

use crate::commands::{CommandQueue, PickPurpose, UiCommand};
use crate::design::Icon;
use crate::state::AppState;
use crate::text::{tr, tr_known, tr_with};
use crate::widgets::{IconButton, TextField, select, toggle};

const WIDTH: f32 = 240.0;
/// Of a field for a number.
const NUMBER: f32 = 110.0;

/// What is wrong with the text that is being typed.
pub fn draft_problem(entry: &SettingEntry, drafts: &HashMap<String, String>) -> Option<String> {
    parse(&entry.kind, drafts.get(&entry.key)?).err()
}

/// The models that can be chosen where a setting names one: what is written and how it is called.
pub fn models(state: &AppState, key: &str) -> Option<Vec<(String, String)>> {
    let kind = match key {
        "models.default_chat" => ModelKind::Chat,
        "models.default_encoder" => ModelKind::Encoder,
        "models.default_reranker" => ModelKind::Reranker,
        _ => return None,
    };
    let known = state.models.list.get()?.models.iter().filter(|model| model.info.kind == kind);
    let first = (String::new(), tr("settings.first_model").to_owned());
    Some(std::iter::once(first).chain(known.map(|model| (model.id.0.clone(), model.info.name.clone()))).collect())
}

/// `offers` stands in the place of a text that is typed.
pub fn ui(
    ui: &mut Ui,
    entry: &SettingEntry,
    offers: Option<Vec<(String, String)>>,
    drafts: &mut HashMap<String, String>,
    commands: &mut CommandQueue,
) {
    let fixed = entry.origin > SettingOrigin::File;
    let mut chosen = None;
    let mut set = |value: SettingValue| chosen = Some(UiCommand::SetSetting { key: entry.key.clone(), value });
    ui.add_enabled_ui(!fixed, |ui| match &entry.kind {
        SettingKind::Text if offers.is_some() => {
            let mut offers = offers.unwrap_or_default();
            let now = show(&entry.value);
            let chosen = offers.iter().position(|(value, _)| *value == now).unwrap_or_else(|| {
                // Written by hand, and not there now.
                offers.push((now.clone(), now));
                offers.len() - 1
            });
            let (values, names): (Vec<String>, Vec<String>) = offers.into_iter().unzip();
            if let Some(picked) = select(ui, &entry.label, &names, chosen, WIDTH) {
                set(SettingValue::Text(values[picked].clone()));
            }
        }
        SettingKind::Bool => {
            let mut on = entry.value == SettingValue::Bool(true);
            if toggle(ui, &mut on, &entry.label).changed() {
                set(SettingValue::Bool(on));
            }
        }
        SettingKind::Choice(options) => {
            let now = show(&entry.value);
            let chosen = options.iter().position(|option| *option == now).unwrap_or_default();
            let names: Vec<String> = options.iter().map(|option| option_words(&entry.key, option)).collect();
            if let Some(picked) = select(ui, &entry.label, &names, chosen, 160.0) {
                set(SettingValue::Text(options[picked].clone()));
            }
        }
        SettingKind::Path => {
            let name = tr_with("settings.pick", &[("label", &entry.label)]);
            let pick = ui.add(IconButton::new(Icon::FolderOpen, name).small());
            text(ui, entry, drafts, &mut set);
            if pick.clicked() {
                drafts.remove(&entry.key);
                commands.push(UiCommand::Pick(PickPurpose::SettingFolder(entry.key.clone())));
            }
        }
        _ => text(ui, entry, drafts, &mut set),
    })
    .response
    .on_disabled_hover_text(tr("settings.overridden"));
    if let Some(command) = chosen {
        commands.push(command);
    }
}

/// The value of this setting as people read it.
pub fn words_of(entry: &SettingEntry, value: &SettingValue) -> String {
    option_words(&entry.key, &words(value))
}

/// An option as people read it; one that the catalogue does not know as it is.
fn option_words(key: &str, option: &str) -> String {
    tr_known(&format!("settings.options.{key}.{option}")).unwrap_or(option).to_owned()
}

/// A value as people read it; nothing has a word too.
pub fn words(value: &SettingValue) -> String {
    let shown = show(value);
    if shown.is_empty() { tr("settings.empty").to_owned() } else { shown }
}

fn text(ui: &mut Ui, entry: &SettingEntry, drafts: &mut HashMap<String, String>, set: &mut dyn FnMut(SettingValue)) {
    let now = show(&entry.value);
    let mut draft = drafts.get(&entry.key).cloned().unwrap_or_else(|| now.clone());
    let parsed = parse(&entry.kind, &draft);
    let hint = words(&entry.default);
    let width = match entry.kind {
        SettingKind::Integer { .. } | SettingKind::Number { .. } => NUMBER,
        _ => WIDTH.min(ui.available_width()),
    };
    let field = TextField::new(&mut draft, &entry.label).hint(&hint).width(width).problem(parsed.is_err());
    let response = field.show(ui);
    let escaped = ui.input(|i| i.key_pressed(Key::Escape));
    if response.changed() {
        drafts.insert(entry.key.clone(), draft.clone());
    }
    if response.lost_focus() {
        match parse(&entry.kind, &draft) {
            _ if escaped => {
                drafts.remove(&entry.key);
            }
            Ok(value) => {
                drafts.remove(&entry.key);
                if draft != now {
                    set(value);
                }
            }
            // What cannot be used stays to be seen, with its reason under it.
            Err(_) => {}
        }
    }
}

/// A value as it stands in a field; lists with commas.
fn show(value: &SettingValue) -> String {
    match value {
        SettingValue::Bool(on) => on.to_string(),
        SettingValue::Integer(n) => n.to_string(),
        SettingValue::Number(n) => n.to_string(),
        SettingValue::Text(text) => text.clone(),
        SettingValue::List(items) => items.join(", "),
    }
}

/// Reads a typed text as a value of this kind, or says why it cannot be one.
fn parse(kind: &SettingKind, text: &str) -> Result<SettingValue, String> {
    let text = text.trim();
    match kind {
        SettingKind::Integer { min, max } => match text.replace(',', "").parse() {
            Ok(n) if (*min..=*max).contains(&n) => Ok(SettingValue::Integer(n)),
            _ => Err(tr_with("settings.integer", &[("min", min), ("max", max)])),
        },
        SettingKind::Number { min, max } => match text.parse::<f64>() {
            Ok(n) if n >= *min && n <= *max => Ok(SettingValue::Number(n)),
            _ => Err(tr_with("settings.number", &[("min", min), ("max", max)])),
        },
        SettingKind::Bool => {
            text.parse().map(SettingValue::Bool).map_err(|error: std::str::ParseBoolError| error.to_string())
        }
        SettingKind::List => Ok(SettingValue::List(
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
        )),
        SettingKind::Text | SettingKind::Path | SettingKind::Choice(_) => Ok(SettingValue::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read_by_its_kind_or_refused_in_words() {
        let kind = SettingKind::Integer { min: 1, max: 2000 };
        assert_eq!(parse(&kind, " 1,024 "), Ok(SettingValue::Integer(1024)));
        assert!(parse(&kind, "2001").unwrap_err().contains("2000"));
        assert!(parse(&SettingKind::Number { min: 0.0, max: 1.0 }, "NaN").is_err());
        assert_eq!(parse(&SettingKind::List, "a, b,,"), Ok(SettingValue::List(vec!["a".into(), "b".into()])));
    }
}
