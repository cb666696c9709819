//! Paths into JSON: members, indexes, slices, wildcards and descendants, without filters.

use serde_json::Value;

const MOST_STEPS: usize = 32;
/// Values that a search looks at, so that `$..*..*` ends.
const MOST_VISITS: usize = 2_000_000;

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Member(String),
    /// Negative counts from the end.
    Index(i64),
    Slice {
        from: Option<i64>,
        to: Option<i64>,
    },
    All,
    /// What stands next, at any depth.
    Descend,
    /// Of a pointer: a member, or an index in an array.
    Either(String),
}

/// A path that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Path(Vec<Step>);

impl Path {
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        if text.starts_with('/') {
            for part in text.split('/').skip(1) {
                steps.push(match part {
                    "*" => Step::All,
                    part => Step::Either(part.replace("~1", "/").replace("~0", "~")),
                });
            }
        } else {
            let mut rest = text.strip_prefix('$').unwrap_or(text);
            if !text.starts_with('$') && !rest.starts_with('[') {
                // `a.b` for `$.a.b`.
                rest = member(rest, &mut steps)?;
            }
            while !rest.is_empty() {
                rest = if let Some(after) = rest.strip_prefix("..") {
                    steps.push(Step::Descend);
                    if after.starts_with('[') { after } else { member(after, &mut steps)? }
                } else if let Some(after) = rest.strip_prefix('.') {
                    member(after, &mut steps)?
                } else if let Some(after) = rest.strip_prefix('[') {
                    bracket(after, &mut steps)?
                } else {
                    return Err(format!("the path is not understood at {rest:?}"));
                };
            }
        }
        if steps.len() > MOST_STEPS {
            return Err(format!("the path has more than {MOST_STEPS} steps"));
        }
        Ok(Self(steps))
    }

    /// The values in the order of the document, each with its place; true when there are more than `most`.
    pub fn find<'a>(&self, root: &'a Value, most: usize) -> (Vec<(String, &'a Value)>, bool) {
        let (mut found, mut visits) = (Vec::new(), 0);
        let complete = walk(&self.0, root, "$".to_owned(), most, &mut found, &mut visits);
        (found, !complete)
    }
}

fn member<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match name {
        "" => return Err("a name is missing in the path".to_owned()),
        "*" => steps.push(Step::All),
        name => steps.push(Step::Member(name.to_owned())),
    }
    Ok(rest)
}

fn bracket<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote) {
            let (name, rest) = inner.split_once(quote).ok_or("a quote is not closed in the path")?;
            steps.push(Step::Member(name.to_owned()));
            return rest.strip_prefix(']').ok_or_else(|| "a bracket is not closed in the path".to_owned());
        }
    }
    let (inner, rest) = text.split_once(']').ok_or("a bracket is not closed in the path")?;
    let number = |text: &str| -> Result<Option<i64>, String> {
        match text.trim() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_odd| format!("{text:?} in the path is no index; filters are not supported")),
        }
    };
    steps.push(match inner.split_once(':') {
        _ if inner.trim() == "*" => Step::All,
        Some((from, to)) => Step::Slice { from: number(from)?, to: number(to)? },
        None => Step::Index(number(inner)?.ok_or("an index is missing in the path")?),
    });
    Ok(rest)
}

/// The place of an index that may count from the end.
fn place(index: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if index < 0 { index.saturating_add(length).max(0) } else { index.min(length) }).unwrap_or(0)
}

/// False when it stopped early.
fn walk<'a>(
    steps: &[Step],
    value: &'a Value,
    at: String,
    most: usize,
    found: &mut Vec<(String, &'a Value)>,
    visits: &mut usize,
) -> bool {
    *visits += 1;
    if *visits > MOST_VISITS {
        return false;
    }
    let Some((step, rest)) = steps.split_first() else {
        if found.len() == most {
            return false;
        }
        found.push((at, value));
        return true;
    };
    let mut go = |steps: &[Step], value: &'a Value, at: String| walk(steps, value, at, most, found, visits);
    let index_at = |index: usize| format!("{at}[{index}]");
    let name_at = |name: &str| format!("{at}.{name}");
    match (step, value) {
        (Step::Member(name) | Step::Either(name), Value::Object(fields)) => {
            fields.get(name).is_none_or(|value| go(rest, value, name_at(name)))
        }
        (Step::Either(index), Value::Array(items)) => match index.parse::<usize>() {
            Ok(index) => items.get(index).is_none_or(|value| go(rest, value, index_at(index))),
            Err(_) => true,
        },
        (Step::Index(index), Value::Array(items)) => {
            if *index < 0 && index.unsigned_abs() > items.len() as u64 {
                return true;
            }
            let index = place(*index, items.len());
            items.get(index).is_none_or(|value| go(rest, value, index_at(index)))
        }
        (Step::Slice { from, to }, Value::Array(items)) => {
            let from = from.map_or(0, |from| place(from, items.len()));
            let to = to.map_or(items.len(), |to| place(to, items.len()));
            (from..to).all(|index| go(rest, &items[index], index_at(index)))
        }
        (Step::All, Value::Array(items)) => {
            items.iter().enumerate().all(|(index, value)| go(rest, value, index_at(index)))
        }
        (Step::All, Value::Object(fields)) => fields.iter().all(|(name, value)| go(rest, value, name_at(name))),
        (Step::Descend, value) => {
            if !go(rest, value, at.clone()) {
                return false;
            }
            match value {
                Value::Array(items) => items.iter().enumerate().all(|(index, value)| go(steps, value, index_at(index))),
                Value::Object(fields) => fields.iter().all(|(name, value)| go(steps, value, name_at(name))),
                _ => true,
            }
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_and_pointers_find_what_they_name() {
        let root = json!({"store": {"book": [{"t": "A", "p": 8}, {"t": "B", "p": 12}, {"t": "C"}], "a b": {"t": "D"}}, "x/y": 1});
        for (path, expected) in [
            ("$.store.book[0].t", json!(["A"])),
            ("store.book[-1].t", json!(["C"])),
            ("$.store.book[*].p", json!([8, 12])),
            ("$..t", json!(["D", "A", "B", "C"])),
            ("$.store.book[0:2].t", json!(["A", "B"])),
            ("$.store.book[-2:].t", json!(["B", "C"])),
            ("$.store['a b'].t", json!(["D"])),
            ("$.store.book[9]", json!([])),
            ("$.store.book[-9]", json!([])),
            ("/store/book/1/p", json!([12])),
            ("/store/book/*/t", json!(["A", "B", "C"])),
            ("/x~1y", json!([1])),
            ("$.nothing", json!([])),
        ] {
            let (found, more) = Path::parse(path).unwrap().find(&root, 100);
            let mut values: Vec<_> = found.into_iter().map(|(_, value)| value.clone()).collect();
            if path == "$..t" {
                values.sort_by_key(|value| value != "D");
            }
            assert_eq!((json!(values), more), (expected, false), "{path}");
        }
        assert_eq!(Path::parse("$").unwrap().find(&root, 1).0[0].1, &root);
        assert!(Path::parse("$..t").unwrap().find(&root, 2).1, "there are more");
        for path in ["$.", "$[", "$['a]", "$[?(@.p>1)]", "$x", "$.a..", "$[]"] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }
}
