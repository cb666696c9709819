//! Tasks from templates: variables in title, description and input are filled in.
//!
//! What a trigger saw (names of files, lines of logs, messages of commits) was written by anybody. It goes into the
//! task's input, under `trigger`, marked as not to be trusted; in title and description it stands as one short quotation.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::api::ApiError;
use crate::model::{ScheduleDraft, TaskDraft, TaskTemplate, Timestamp, Timing, Trigger};

/// In characters.
const LONGEST_TITLE: usize = 200;
const LONGEST_TEXT: usize = 20_000;
const LONGEST_VALUE: usize = 2_000;
/// Of a trigger's value in title and description.
const LONGEST_QUOTE: usize = 120;
const MOST_VARIABLES: usize = 64;
const LONGEST_NAME: usize = 60;
/// Of the input, as JSON.
const LARGEST_INPUT: usize = 64 * 1024;
/// Names that are filled in, in all.
const MOST_PLACES: usize = 100;
/// Of what a trigger saw, in bytes.
const LARGEST_SEEN: usize = 256 * 1024;

/// Names that every schedule fills in.
const ALWAYS: [&str; 4] = ["date", "time", "planned", "last_run"];

/// Names that a timing's trigger fills in.
fn seen_by(timing: &Timing) -> &'static [&'static str] {
    match timing {
        Timing::When { trigger: Trigger::File { .. } } => &["path"],
        Timing::When { trigger: Trigger::Commit { .. } } => &["path", "commit", "branch", "message"],
        Timing::When { trigger: Trigger::Log { .. } } => &["path", "line"],
        Timing::When { trigger: Trigger::Process { .. } } => &["process"],
        _ => &[],
    }
}

/// What set a schedule off, as its trigger tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// One for each thing that happened, oldest first; each by the trigger's names.
    pub items: Vec<BTreeMap<&'static str, String>>,
    /// Things that happened and are not in `items`.
    pub more: u64,
}

impl Seen {
    pub fn one(values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { items: vec![values.into_iter().collect()], more: 0 }
    }

    /// Adds what happened later, up to `most` things.
    pub fn join(&mut self, later: Self, most: usize) {
        self.more += later.more;
        for item in later.items {
            if self.items.contains(&item) {
                continue;
            }
            if self.items.len() < most {
                self.items.push(item);
            } else {
                self.more += 1;
            }
        }
    }
}

/// The moments that a run knows.
pub struct Moments<'a> {
    pub planned: Timestamp,
    pub last_run: Option<Timestamp>,
    pub zone: &'a TimeZone,
}

/// Checks a draft's name, template and variables.
///
/// # Errors
/// What is wrong, in words.
pub fn check(draft: &ScheduleDraft) -> Result<(), ApiError> {
    let refused = |what: String, advice: &str| Err(ApiError::validation(what, advice));
    let length = draft.name.trim().chars().count();
    if length == 0 || length > LONGEST_NAME || draft.name.chars().any(char::is_control) {
        return refused(
            format!("the name of a schedule has 1 to {LONGEST_NAME} characters, all of them printable"),
            "Give it a short name.",
        );
    }
    let template = &draft.template;
    if template.title.trim().is_empty() || template.title.chars().count() > LONGEST_TITLE {
        return refused(
            format!("the title of the task has 1 to {LONGEST_TITLE} characters"),
            "Say in a few words what is to be done.",
        );
    }
    if template.description.chars().count() > LONGEST_TEXT {
        return refused(format!("the description has more than {LONGEST_TEXT} characters"), "Make it shorter.");
    }
    if serde_json::to_string(&template.input).map_or(usize::MAX, |text| text.len()) > LARGEST_INPUT {
        return refused(format!("the input is larger than {} KB", LARGEST_INPUT / 1024), "Put it into a file.");
    }
    if draft.variables.len() > MOST_VARIABLES {
        return refused(format!("a schedule has at most {MOST_VARIABLES} variables"), "Put them into a file.");
    }
    for (name, value) in &draft.variables {
        if !is_name(name) || ALWAYS.contains(&name.as_str()) || seen_by(&draft.timing).contains(&name.as_str()) {
            return refused(
                format!("\"{name}\" cannot be the name of a variable"),
                "Use small letters, digits and _, and none of the names that are filled in by themselves.",
            );
        }
        if value.chars().count() > LONGEST_VALUE {
            return refused(
                format!("the variable {name} has more than {LONGEST_VALUE} characters"),
                "Make it shorter.",
            );
        }
    }
    let known = |name: &str| {
        ALWAYS.contains(&name) || seen_by(&draft.timing).contains(&name) || draft.variables.contains_key(name)
    };
    let (mut unknown, mut places) = (None, 0);
    let mut look = |text: &str| {
        for name in names(text) {
            places += 1;
            if !known(name) && unknown.is_none() {
                unknown = Some(name.to_owned());
            }
        }
    };
    look(&template.title);
    look(&template.description);
    each_text(&template.input, &mut look);
    if places > MOST_PLACES {
        return refused(format!("more than {MOST_PLACES} places are filled in"), "Put a long text into a file.");
    }
    if let Some(name) = unknown {
        let mut all: Vec<&str> = ALWAYS.to_vec();
        all.extend(seen_by(&draft.timing));
        all.extend(draft.variables.keys().map(String::as_str));
        return refused(
            format!("nothing fills in {{{name}}} here"),
            &format!("Define it as a variable, or use one of: {}.", all.join(", ")),
        );
    }
    Ok(())
}

/// The task that a run makes.
pub fn task(draft: &ScheduleDraft, moments: &Moments<'_>, seen: &Seen) -> TaskDraft {
    let mut own: BTreeMap<&str, String> =
        draft.variables.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let say = |at: Timestamp, format: &str| {
        let at = jiff::Timestamp::from_millisecond(at.0).ok()?.to_zoned(moments.zone.clone());
        Some(at.strftime(format).to_string())
    };
    own.insert("date", say(moments.planned, "%Y-%m-%d").unwrap_or_default());
    own.insert("time", say(moments.planned, "%H:%M").unwrap_or_default());
    own.insert("planned", say(moments.planned, "%Y-%m-%d %H:%M").unwrap_or_default());
    own.insert(
        "last_run",
        moments.last_run.and_then(|at| say(at, "%Y-%m-%d %H:%M")).unwrap_or_else(|| "never".to_owned()),
    );
    let mut quoted = own.clone();
    let mut plain = own;
    for name in seen_by(&draft.timing) {
        let values = seen.items.iter().filter_map(|item| item.get(name));
        let first = values.clone().next().map(String::as_str).unwrap_or_default();
        let others = values.count().saturating_sub(1) as u64 + seen.more;
        let more = if others > 0 { format!(" and {others} more") } else { String::new() };
        quoted.insert(name, format!("{}{more}", quote(first)));
        plain.insert(name, cut(first, LONGEST_VALUE));
    }
    let TaskTemplate { agent, title, description, priority, input, labels, max_retries, time_limit_s } =
        &draft.template;
    let title: String = fill(title, &quoted).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    TaskDraft {
        description: fill(description, &quoted),
        priority: *priority,
        input: with_seen(fill_value(input, &plain), seen),
        labels: labels.clone(),
        max_retries: *max_retries,
        time_limit_s: *time_limit_s,
        ..TaskDraft::new(*agent, cut(title.trim(), LONGEST_TITLE - 1))
    }
}

/// Puts what the trigger saw beside the input, marked.
fn with_seen(input: Value, seen: &Seen) -> Value {
    if seen.items.is_empty() {
        return input;
    }
    let (mut items, mut room) = (Vec::new(), LARGEST_SEEN);
    for item in &seen.items {
        let values = item.iter().map(|(name, value)| ((*name).to_owned(), Value::from(cut(value, LONGEST_VALUE))));
        let item = Value::Object(values.collect::<Map<_, _>>());
        let size = item.to_string().len();
        if size > room {
            break;
        }
        room -= size;
        items.push(item);
    }
    let more = seen.more + (seen.items.len() - items.len()) as u64;
    let trigger = json!({ "untrusted": true, "seen": items, "more": more });
    let mut whole = match input {
        Value::Object(fields) => fields,
        Value::Null => Map::new(),
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    whole.insert("trigger".to_owned(), trigger);
    Value::Object(whole)
}

/// One line between quotation marks that it cannot end.
fn quote(value: &str) -> String {
    let line: String = value
        .chars()
        .map(|c| match c {
            '“' | '”' | '"' => '\'',
            c if c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c) => {
                ' '
            }
            c => c,
        })
        .collect();
    format!("“{}”", cut(line.trim(), LONGEST_QUOTE))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && name.len() <= 40
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The names between braces; braces around anything else are text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|after| after.split_once('}').map(|(name, _)| name)).filter(|name| is_name(name))
}

fn fill(text: &str, values: &BTreeMap<&str, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let named = after.split_once('}').and_then(|(name, tail)| Some((values.get(name)?, tail)));
        if let Some((value, tail)) = named {
            filled.push_str(value);
            rest = tail;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// Fills in texts where they stand: no value can change the structure around it.
fn fill_value(input: &Value, values: &BTreeMap<&str, String>) -> Value {
    match input {
        Value::String(text) => Value::String(fill(text, values)),
        Value::Array(items) => items.iter().map(|item| fill_value(item, values)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), fill_value(value, values))).collect())
        }
        other => other.clone(),
    }
}

fn each_text(input: &Value, look: &mut impl FnMut(&str)) {
    match input {
        Value::String(text) => look(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, look)),
        Value::Object(fields) => fields.values().for_each(|value| each_text(value, look)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
