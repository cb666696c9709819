//! Checks a value against its setting, and reads values from text, as variables and the command line give them.

use std::path::Path;

use super::Setting;
use crate::model::{SettingKind, SettingValue};

const LONGEST_TEXT: usize = 4_096;
const LONGEST_LIST: usize = 1_000;

/// The value in the setting's own type (a whole number may stand for a number), or why it is not allowed.
pub(super) fn check(setting: &Setting, value: SettingValue) -> Result<SettingValue, String> {
    use SettingKind as K;
    use SettingValue as V;
    match (&setting.kind, value) {
        (K::Bool, value @ V::Bool(_)) => Ok(value),
        (K::Integer { min, max }, V::Integer(value)) => {
            if (min..=max).contains(&&value) {
                Ok(V::Integer(value))
            } else {
                Err(format!("{value} is not between {min} and {max}"))
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "ranges of numbers are small")]
        (K::Number { .. }, V::Integer(value)) => check(setting, V::Number(value as f64)),
        (K::Number { min, max }, V::Number(value)) => {
            if (min..=max).contains(&&value) {
                Ok(V::Number(value))
            } else {
                Err(format!("{value} is not between {min} and {max}"))
            }
        }
        (K::Text, V::Text(text)) => plain(&text).map(|()| V::Text(text)),
        (K::Path, V::Text(text)) => {
            plain(&text)?;
            if !text.is_empty() && !Path::new(&text).has_root() {
                return Err(format!("{} is no whole path", shown(&text)));
            }
            Ok(V::Text(text))
        }
        (K::Choice(choices), V::Text(text)) => {
            if choices.contains(&text) {
                Ok(V::Text(text))
            } else {
                Err(format!("{} is none of: {}", shown(&text), choices.join(", ")))
            }
        }
        (K::List, V::List(list)) => {
            if list.len() > LONGEST_LIST {
                return Err(format!("{} entries are more than {LONGEST_LIST}", list.len()));
            }
            list.iter().try_for_each(|text| plain(text))?;
            // A relative folder would be another one wherever the program is started.
            let relative = list.iter().find(|folder| setting.key == "models.folders" && !Path::new(folder).has_root());
            if let Some(folder) = relative {
                return Err(format!("{} is no whole path of a folder", shown(folder)));
            }
            let wrong = list.iter().find(|host| setting.key == "network.hosts" && !is_host(host));
            if let Some(host) = wrong {
                return Err(format!("{} is no host, such as example.org", shown(host)));
            }
            if setting.key == "usage.prices" {
                list.iter().try_for_each(|line| crate::usage::prices::parse(line).map(drop))?;
            }
            Ok(V::List(list))
        }
        (kind, value) => Err(format!("{} is not {}", describe(&value), expected(kind))),
    }
}

/// The name of a host or an address: no scheme, no port, no path.
pub(crate) fn is_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.' | '_');
            !host.is_empty() && host.len() <= 253 && host.chars().all(allowed) && !host.starts_with(['.', '-'])
        }
    }
}

/// Reads a value from text, as the setting's kind wants it.
pub(super) fn from_text(setting: &Setting, text: &str) -> Result<SettingValue, String> {
    let trimmed = text.trim();
    let not = || format!("{} is not {}", shown(trimmed), expected(&setting.kind));
    let value = match &setting.kind {
        SettingKind::Bool => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => SettingValue::Bool(true),
            "false" | "no" | "off" | "0" => SettingValue::Bool(false),
            _ => return Err(not()),
        },
        SettingKind::Integer { .. } => SettingValue::Integer(trimmed.parse().map_err(|_not_a_number| not())?),
        SettingKind::Number { .. } => SettingValue::Number(trimmed.parse().map_err(|_not_a_number| not())?),
        SettingKind::Text | SettingKind::Path | SettingKind::Choice(_) => SettingValue::Text(trimmed.to_owned()),
        SettingKind::List if trimmed.starts_with('[') => {
            SettingValue::List(serde_json::from_str(trimmed).map_err(|error| format!("{}: {error}", not()))?)
        }
        SettingKind::List => {
            let parts = trimmed.split(',').map(str::trim).filter(|part| !part.is_empty());
            SettingValue::List(parts.map(str::to_owned).collect())
        }
    };
    check(setting, value)
}

fn plain(text: &str) -> Result<(), String> {
    if text.len() > LONGEST_TEXT {
        return Err(format!("{} bytes are more than {LONGEST_TEXT}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err("it holds control characters".to_owned());
    }
    Ok(())
}

fn expected(kind: &SettingKind) -> String {
    match kind {
        SettingKind::Bool => "true or false".to_owned(),
        SettingKind::Integer { min, max } => format!("a whole number between {min} and {max}"),
        SettingKind::Number { min, max } => format!("a number between {min} and {max}"),
        SettingKind::Text => "a text".to_owned(),
        SettingKind::Path => "a path".to_owned(),
        SettingKind::Choice(choices) => format!("one of: {}", choices.join(", ")),
        SettingKind::List => "a list of texts".to_owned(),
    }
}

pub(super) fn describe(value: &SettingValue) -> String {
    match value {
        SettingValue::Bool(value) => value.to_string(),
        SettingValue::Integer(value) => value.to_string(),
        SettingValue::Number(value) => value.to_string(),
        SettingValue::Text(text) => shown(text),
        SettingValue::List(list) if list.len() > 8 => format!("a list of {}", list.len()),
        SettingValue::List(list) => format!("[{}]", list.iter().map(|text| shown(text)).collect::<Vec<_>>().join(", ")),
    }
}

/// Hostile text in a message stays short and on one line.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("{short:?}")
}
