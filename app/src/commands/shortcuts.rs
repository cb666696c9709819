//! Which keys run which action: data, not code (`assets/shortcuts.toml`).

use std::collections::BTreeMap;

use egui::{Context, Key, KeyboardShortcut, Modifiers};

use super::Action;

/// Actions with their keys, in the order of the table: the first keys of an action are shown.
pub struct Shortcuts(Vec<(Action, KeyboardShortcut)>);

impl Default for Shortcuts {
    fn default() -> Self {
        let table: BTreeMap<String, Vec<String>> = toml::from_str(include_str!("../../../assets/shortcuts.toml"))
            .expect("the embedded shortcuts are well formed");
        let mut all = Vec::new();
        for action in Action::ALL {
            for keys in table.get(action.key()).into_iter().flatten() {
                all.push((*action, parse(keys).expect("the embedded shortcuts name keys that exist")));
            }
        }
        Self(all)
    }
}

impl Shortcuts {
    /// The keys of an action as they are written on a button: "Ctrl K".
    pub fn label(&self, ctx: &Context, action: Action) -> Option<String> {
        let (_, keys) = self.0.iter().find(|(known, _)| *known == action)?;
        Some(ctx.format_shortcut(keys).replace('+', " ").replace("Comma", ","))
    }

    /// Takes the keys that were pressed in this frame out of the input and names their actions.
    pub fn pressed(&self, ctx: &Context) -> Vec<Action> {
        let typing = ctx.text_edit_focused();
        let mut pressed = Vec::new();
        // Keys with more modifiers come first, so that Ctrl+Shift+P is not taken for Ctrl+P.
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(_, keys)| {
            let m = keys.modifiers;
            std::cmp::Reverse(u8::from(m.shift) + u8::from(m.alt) + u8::from(m.command || m.ctrl))
        });
        ctx.input_mut(|input| {
            for (action, keys) in all {
                // A bare key belongs to the text that is being typed.
                let bare = keys.modifiers.is_none() && !matches!(keys.logical_key, Key::F1 | Key::F5 | Key::F6);
                if !(typing && bare) && input.consume_shortcut(keys) {
                    pressed.push(*action);
                }
            }
        });
        pressed
    }
}

/// Reads "mod+shift+P": `mod` is Ctrl, on a Mac Cmd.
fn parse(text: &str) -> Option<KeyboardShortcut> {
    let mut modifiers = Modifiers::NONE;
    let mut key = None;
    for part in text.split('+') {
        match part {
            "mod" => modifiers |= Modifiers::COMMAND,
            "shift" => modifiers |= Modifiers::SHIFT,
            "alt" => modifiers |= Modifiers::ALT,
            name => key = Some(Key::from_name(name)?),
        }
    }
    Some(KeyboardShortcut::new(modifiers, key?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcuts_are_read_and_no_two_actions_share_keys() {
        let shortcuts = Shortcuts::default();
        for (i, (action, keys)) in shortcuts.0.iter().enumerate() {
            for (other, others) in &shortcuts.0[i + 1..] {
                assert!(keys != others, "{action:?} and {other:?}");
            }
        }
        let label = shortcuts.label(&Context::default(), Action::Palette).unwrap();
        assert!(label.ends_with('K'), "{label}");
    }
}
