//! Settings in YAML: read with limits and places, changed line by line so that comments stay.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Options, Spanned};

use super::Setting;
use super::sources::{Layer, short};
use crate::api::ApiError;
use crate::model::{SettingOrigin, SettingValue};
use crate::settings::{parse, sources, write};

/// A settings file is two mappings deep, with lists in the inner one.
const DEEPEST: usize = 8;

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(sources::LARGEST_FILE as usize),
            flow_nesting_limit: DEEPEST,
            max_depth: DEEPEST,
            max_events: 50_000,
            max_nodes: 25_000,
            max_aliases: 32,
            max_anchors: 32,
            max_documents: 1,
            max_merge_keys: 32,
            max_total_scalar_bytes: sources::LARGEST_FILE as usize,
        },
        with_snippet: false,
        strict_booleans: true,
    }
}

/// One value as YAML has it.
enum Plain {
    Value(SettingValue),
    /// A mapping, nothing, or a list of something else than texts.
    Other,
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value or a list of texts")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Plain, E> {
        Ok(Plain::Value(SettingValue::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Plain, E> {
        Ok(Plain::Value(SettingValue::Integer(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Plain, E> {
        Ok(i64::try_from(value).map_or(Plain::Other, |value| Plain::Value(SettingValue::Integer(value))))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Plain, E> {
        Ok(Plain::Value(SettingValue::Number(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Plain, E> {
        Ok(Plain::Value(SettingValue::Text(value.to_owned())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Plain, E> {
        Ok(Plain::Other)
    }

    fn visit_none<E: de::Error>(self) -> Result<Plain, E> {
        Ok(Plain::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Plain, A::Error> {
        let (mut texts, mut plain) = (Vec::new(), true);
        while let Some(entry) = list.next_element::<Plain>()? {
            match entry {
                Plain::Value(SettingValue::Text(text)) => texts.push(text),
                _ => plain = false,
            }
        }
        Ok(if plain { Plain::Value(SettingValue::List(texts)) } else { Plain::Other })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Plain, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Plain::Other)
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

/// The keys of a mapping in their order, each with the line of its value.
struct Table<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Table<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableVisitor<V>(std::marker::PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for TableVisitor<V> {
            type Value = Table<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Table<V>, E> {
                Ok(Table(Vec::new()))
            }

            fn visit_none<E: de::Error>(self) -> Result<Table<V>, E> {
                Ok(Table(Vec::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    entries.push((key, map.next_value()?));
                }
                Ok(Table(entries))
            }
        }

        deserializer.deserialize_map(TableVisitor(std::marker::PhantomData))
    }
}

/// What a YAML text says. `name` stands in places.
pub(super) fn parse(name: &str, text: &str) -> Result<Layer, String> {
    let mut layer = Layer::new(SettingOrigin::File);
    // Nothing but spaces and comments is no document at all.
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(layer);
    }
    type Root = Table<Table<Spanned<Plain>>>;
    let root: Root = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line().max(1));
        let words: String = error.without_snippet().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{name}:{line} cannot be read: {}", words.chars().take(200).collect::<String>())
    })?;
    for (group, table) in root.0 {
        for (key, found) in table.0 {
            let place = format!("{name}:{}", found.referenced.line().max(1));
            let full = format!("{group}.{key}");
            if full.len() > 200 {
                layer.unknown.push(format!("{place}: there is no setting {}", short(&full)));
                continue;
            }
            let value = match found.value {
                Plain::Value(value) => Ok(value),
                Plain::Other => Err("it is neither a plain value nor a list of texts".to_owned()),
            };
            layer.add(&full, place, |setting| parse::check(setting, value?));
        }
    }
    Ok(layer)
}

/// The text with some values changed. Comments stay where the lines can be changed one by one; else the file is written
/// anew from its values.
pub(super) fn changed(text: &str, changes: &[write::Change<'_>]) -> Result<String, ApiError> {
    let before = parse("the file", text).map_err(|why| write::cannot_change(&why))?;
    let mut wanted: Vec<(String, SettingValue)> = Vec::new();
    for found in before.values.iter().filter(|found| !changes.iter().any(|change| change.touches(&found.key))) {
        if let Ok(value) = &found.value {
            wanted.retain(|(key, _)| *key != found.key);
            wanted.push((found.key.clone(), value.clone()));
        }
    }
    for change in changes {
        if let Some(value) = &change.value {
            wanted.push((change.setting.key.clone(), value.clone()));
        }
    }
    let edited = changes.iter().fold(text.to_owned(), |text, change| {
        let text = change.names().fold(text, |text, key| without(&text, key));
        change.value.iter().fold(text, |text, value| with(&text, change.setting, value))
    });
    let same = parse("the file", &edited).is_ok_and(|after| {
        let after: Vec<_> =
            after.values.iter().filter_map(|found| Some((found.key.clone(), found.value.clone().ok()?))).collect();
        after.len() == wanted.len() && wanted.iter().all(|entry| after.contains(entry))
    });
    Ok(if same { edited } else { whole(&wanted) })
}

/// A file of nothing but these values.
pub(super) fn whole(values: &[(String, SettingValue)]) -> String {
    let mut groups: Vec<(&str, String)> = Vec::new();
    for (key, value) in values {
        let (group, name) = key.split_once('.').unwrap_or(("", key));
        let line = format!("  {name}: {}\n", flow(value));
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, lines)) => lines.push_str(&line),
            None => groups.push((group, line)),
        }
    }
    groups.into_iter().map(|(group, lines)| format!("{group}:\n{lines}")).collect()
}

/// JSON is YAML too, and leaves nothing open.
fn flow(value: &SettingValue) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_key(line: &str, key: &str) -> bool {
    line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// The lines of a group in block style: those after its own, until one that stands as far left.
fn group_lines(lines: &[&str], group: &str) -> Option<std::ops::Range<usize>> {
    let start = lines.iter().position(|line| indent(line) == 0 && is_key(line, group))? + 1;
    let length = lines[start..].iter().position(|line| !line.trim().is_empty() && indent(line) == 0);
    Some(start..length.map_or(lines.len(), |length| start + length))
}

fn without(text: &str, key: &str) -> String {
    let (group, name) = key.split_once('.').unwrap_or(("", key));
    let lines: Vec<&str> = text.lines().collect();
    let Some(inside) = group_lines(&lines, group) else { return text.to_owned() };
    let Some(at) = inside.clone().find(|at| is_key(lines[*at], name)) else { return text.to_owned() };
    let deeper =
        |line: &&&str| line.trim().is_empty() || indent(line) > indent(lines[at]) || line.trim().starts_with("- ");
    let more = lines[at + 1..inside.end].iter().take_while(deeper).filter(|line| !line.trim().is_empty()).count();
    let kept = lines.iter().enumerate().filter(|(index, _)| !(at..=at + more).contains(index)).map(|(_, line)| *line);
    kept.map(|line| format!("{line}\n")).collect()
}

fn with(text: &str, setting: &Setting, value: &SettingValue) -> String {
    let name = setting.key.split_once('.').map_or("", |(_, name)| name);
    let lines: Vec<&str> = text.lines().collect();
    let (at, fresh) = match group_lines(&lines, setting.group) {
        Some(inside) => {
            let depth =
                lines[inside.clone()].iter().find(|line| !line.trim().is_empty()).map_or(2, |line| indent(line));
            (inside.start, format!("{}{name}: {}", " ".repeat(depth.max(1)), flow(value)))
        }
        None => (lines.len(), format!("{}:\n  {name}: {}", setting.group, flow(value))),
    };
    let mut out: Vec<&str> = lines;
    out.insert(at, &fresh);
    out.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::groups;

    fn set(text: &str, key: &str, value: Option<SettingValue>) -> String {
        changed(text, &[write::Change { setting: groups::find(key).unwrap(), value }]).unwrap()
    }

    #[test]
    fn comments_stay_when_a_value_changes() {
        let text = "# mine\nui:\n  # at night\n  theme: dark\n  zoom: 2\nmodels:\n  folders:\n    - /one\n    - /two\n";
        let text = set(text, "ui.theme", Some(SettingValue::Text("light".to_owned())));
        assert!(text.starts_with("# mine\nui:\n  theme: \"light\"\n  # at night\n  zoom: 2\n"), "{text}");
        let text = set(&text, "models.folders", None);
        assert!(!text.contains("/two"), "{text}");
        let text = set(&text, "network.hosts", Some(SettingValue::List(vec!["a.org".to_owned()])));
        assert!(text.ends_with("network:\n  hosts: [\"a.org\"]\n"), "{text}");
        // In flow style no line can be changed alone.
        let text = set("ui: {theme: dark, zoom: 2}", "ui.zoom", None);
        assert_eq!(text, "ui:\n  theme: \"dark\"\n");
    }

    #[test]
    fn limits_hold() {
        let deep = format!("ui: {}", "[".repeat(5_000));
        let aliases = format!("a: &a [x]\nui:\n{}", (0..200).map(|n| format!("  k{n}: *a\n")).collect::<String>());
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: [*d, *d, *d, *d, *d, *d]\n";
        for text in [&deep, &aliases, bomb, "ui: {theme: dark", "- 1\n- 2\n", "ui: 3\n", "--- \nui: {}\n--- \nui: {}\n"]
        {
            let error = parse("settings.yaml", text).err().unwrap_or_else(|| panic!("{}", &text[..20]));
            assert!(error.starts_with("settings.yaml:"), "{error}");
        }
    }
}
