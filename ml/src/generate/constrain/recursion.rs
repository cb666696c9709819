//! Schemas that refer to themselves, made finite: each definition that contains itself is copied for some levels, and
//! the last copies leave out what would go on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::check::{DATA, MAX_VALUES};

/// Levels of a definition in itself, where they are not too large.
const LEVELS: usize = 6;

/// Replaces references in circles; true when there were any.
pub(super) fn unroll(schema: &mut Value) -> bool {
    let definitions = definitions(schema);
    let circular: BTreeSet<&str> =
        definitions.keys().map(String::as_str).filter(|target| reaches(target, target, &definitions)).collect();
    if circular.is_empty() {
        return false;
    }
    let size: usize = circular.iter().map(|target| count(&definitions[*target])).sum();
    let levels = (MAX_VALUES / 2 / size.max(1)).clamp(1, LEVELS);
    // How many levels below it each definition needs at least for a finite value; none: there is no such value.
    let mut possible: Vec<BTreeSet<&str>> = vec![BTreeSet::new()];
    for level in 0..levels {
        let deeper = |target: &str| !circular.contains(target) || possible[level].contains(target);
        let now = circular.iter().copied().filter(|target| has_value(&definitions[*target], &deeper)).collect();
        possible.push(now);
    }
    let mut copies = Map::new();
    for (number, target) in circular.iter().enumerate() {
        for level in 1..=levels {
            if !possible[level].contains(target) {
                continue;
            }
            let mut copy = definitions[*target].clone();
            rename(&mut copy, &|wanted| {
                let number = circular.iter().position(|target| *target == wanted)?;
                Some(possible[level - 1].contains(wanted).then(|| reference(number, level - 1)))
            });
            copies.insert(name(number, level), copy);
        }
    }
    let top = &possible[levels];
    rename(schema, &|wanted| {
        let number = circular.iter().position(|target| *target == wanted)?;
        Some(top.contains(wanted).then(|| reference(number, levels)))
    });
    if let Some(members) = schema.as_object_mut() {
        let own = members.entry("$defs").or_insert_with(|| Value::Object(Map::new()));
        if let Some(own) = own.as_object_mut() {
            own.extend(copies);
        }
    }
    true
}

fn name(number: usize, level: usize) -> String {
    format!("rspa.level.{level}.{number}")
}

fn reference(number: usize, level: usize) -> String {
    format!("#/$defs/{}", name(number, level))
}

/// What is referred to by its place in the schema.
fn definitions(schema: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut open = references(schema);
    while let Some(target) = open.pop() {
        if found.contains_key(&target) {
            continue;
        }
        let Some(value) = place(schema, &target) else { continue };
        let mut value = value.clone();
        if let Some(members) = value.as_object_mut()
            && target.len() <= 2
        {
            // A copy of the whole needs no definitions of its own.
            members.remove("$defs");
            members.remove("definitions");
            members.remove("$id");
        }
        open.extend(references(&value));
        found.insert(target, value);
    }
    found
}

fn place<'a>(schema: &'a Value, target: &str) -> Option<&'a Value> {
    match target {
        "#" | "#/" => Some(schema),
        _ => schema.pointer(target.strip_prefix('#')?),
    }
}

fn references(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    each_schema(value, &mut |members| {
        if let Some(Value::String(target)) = members.get("$ref") {
            found.push(target.clone());
        }
    });
    found
}

fn each_schema(value: &Value, visit: &mut dyn FnMut(&Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_schema(item, visit)),
        Value::Object(members) => {
            visit(members);
            let inner = members.iter().filter(|(name, _)| !DATA.contains(&name.as_str()));
            inner.for_each(|(_, value)| each_schema(value, visit));
        }
        _ => {}
    }
}

fn reaches(from: &str, wanted: &str, definitions: &BTreeMap<String, Value>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = definitions.get(from).map(references).unwrap_or_default();
    while let Some(target) = open.pop() {
        if target == wanted {
            return true;
        }
        if let Some(definition) = definitions.get(&target)
            && seen.insert(target)
        {
            open.extend(references(definition));
        }
    }
    false
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Gives references other names; where there is none, nothing fits.
fn rename(value: &mut Value, new: &dyn Fn(&str) -> Option<Option<String>>) {
    let target = value.get("$ref").and_then(Value::as_str).and_then(new);
    match (target, &mut *value) {
        (Some(None), _) => *value = Value::Bool(false),
        (Some(Some(target)), Value::Object(members)) => drop(members.insert("$ref".to_owned(), target.into())),
        _ => {}
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, new)),
        Value::Object(members) => {
            let inner = members.iter_mut().filter(|(name, _)| !DATA.contains(&name.as_str()));
            inner.for_each(|(_, value)| rename(value, new));
        }
        _ => {}
    }
}

/// Whether something fits a schema when only these references may be followed; true where that is not known.
fn has_value(schema: &Value, possible: &dyn Fn(&str) -> bool) -> bool {
    let members = match schema {
        Value::Bool(any) => return *any,
        Value::Object(members) => members,
        _ => return true,
    };
    let list = |name: &str| members.get(name).and_then(Value::as_array);
    let one_of = |name: &str| list(name).is_none_or(|all| all.iter().any(|one| has_value(one, possible)));
    if members.get("$ref").and_then(Value::as_str).is_some_and(|target| !possible(target))
        || !one_of("anyOf")
        || !one_of("oneOf")
        || list("allOf").is_some_and(|all| !all.iter().all(|one| has_value(one, possible)))
    {
        return false;
    }
    let only = |kind: &str| match members.get("type") {
        Some(Value::String(name)) => name == kind,
        _ => false,
    };
    let properties = members.get("properties").and_then(Value::as_object);
    let demanded = list("required").into_iter().flatten().filter_map(Value::as_str);
    let objects = demanded
        .filter_map(|name| properties.and_then(|properties| properties.get(name)))
        .all(|property| has_value(property, possible));
    let least = members.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    let prefix = list("prefixItems").map_or(&[][..], Vec::as_slice);
    let lists = prefix.iter().take(least as usize).all(|item| has_value(item, possible))
        && (least <= prefix.len() as u64 || members.get("items").is_none_or(|items| has_value(items, possible)));
    (objects || !only("object")) && (lists || !only("array"))
}
