//! The graph of a crew: whether it can be, an order in which each step stands after those it depends on, and layers.

use std::collections::{BTreeSet, HashMap};

use crate::api::ApiError;
use crate::model::{CrewDraft, CrewProcess, CrewStep};

const LONGEST_NAME: usize = 60;
const LONGEST_DESCRIPTION: usize = 2_000;
const MOST_STEPS: usize = 50;
const LONGEST_KEY: usize = 40;
const LONGEST_TITLE: usize = 120;
/// In bytes.
const LARGEST_INSTRUCTIONS: usize = 16 << 10;
const MOST_VARIABLES: usize = 20;
const LONGEST_VARIABLE: usize = 40;
const MOST_MEMBERS: usize = 12;

/// The draft with its texts trimmed, if it can be.
///
/// # Errors
/// Category validation; the message names the step.
pub fn checked(mut draft: CrewDraft) -> Result<CrewDraft, ApiError> {
    draft.name = draft.name.trim().to_owned();
    draft.description = draft.description.trim().to_owned();
    let bad_name = draft.name.is_empty() || draft.name.chars().count() > LONGEST_NAME;
    if bad_name || draft.name.chars().any(char::is_control) {
        return Err(wrong(format!("name: it has 1 to {LONGEST_NAME} characters on one line")));
    }
    if draft.description.chars().count() > LONGEST_DESCRIPTION {
        return Err(wrong(format!("description: it has at most {LONGEST_DESCRIPTION} characters")));
    }
    variables(&draft.variables)?;
    match draft.process {
        CrewProcess::Sequential => {
            draft.manager = None;
            draft.members.clear();
            steps(&mut draft.steps)?;
        }
        CrewProcess::Hierarchical => {
            draft.steps.clear();
            let mut seen = BTreeSet::new();
            draft.members.retain(|member| seen.insert(*member));
            if draft.members.is_empty() || draft.members.len() > MOST_MEMBERS {
                return Err(wrong(format!("members: a crew with a manager has 1 to {MOST_MEMBERS} members")));
            }
            if draft.manager.is_some_and(|manager| draft.members.contains(&manager)) {
                return Err(wrong("manager: it is one of the members; a manager only delegates".to_owned()));
            }
        }
    }
    Ok(draft)
}

fn wrong(message: String) -> ApiError {
    ApiError::validation(message, "Change it and try again.")
}

fn variables(names: &[String]) -> Result<(), ApiError> {
    if names.len() > MOST_VARIABLES {
        return Err(wrong(format!("variables: there are at most {MOST_VARIABLES}")));
    }
    let mut seen = BTreeSet::new();
    for name in names {
        let letters = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if name.is_empty() || name.len() > LONGEST_VARIABLE || !letters {
            let shown: String = name.chars().take(60).collect();
            return Err(wrong(format!("variables: {shown:?} is no name; small letters, digits and _ make one")));
        }
        if !seen.insert(name) {
            return Err(wrong(format!("variables: {name} stands there twice")));
        }
    }
    Ok(())
}

fn steps(steps: &mut [CrewStep]) -> Result<(), ApiError> {
    if steps.is_empty() || steps.len() > MOST_STEPS {
        return Err(wrong(format!("steps: a crew has 1 to {MOST_STEPS} of them")));
    }
    let mut keys = BTreeSet::new();
    for step in steps.iter_mut() {
        let letters = step.key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if step.key.is_empty() || step.key.len() > LONGEST_KEY || !letters {
            let shown: String = step.key.chars().take(60).collect();
            return Err(wrong(format!("steps: {shown:?} is no key; small letters, digits and hyphens make one")));
        }
        let key = step.key.clone();
        if !keys.insert(key.clone()) {
            return Err(wrong(format!("steps: there are two with the key {key}")));
        }
        step.title = step.title.split_whitespace().collect::<Vec<_>>().join(" ");
        if step.title.is_empty() || step.title.chars().count() > LONGEST_TITLE {
            return Err(wrong(format!("{key}: its title has 1 to {LONGEST_TITLE} characters")));
        }
        if step.instructions.len() > LARGEST_INSTRUCTIONS {
            return Err(wrong(format!("{key}: its instructions have more than {} KB", LARGEST_INSTRUCTIONS >> 10)));
        }
        let mut seen = BTreeSet::new();
        step.depends_on.retain(|on| seen.insert(on.clone()));
        step.at = step.at.filter(|(x, y)| x.is_finite() && y.is_finite());
    }
    for step in steps.iter() {
        if let Some(on) = step.depends_on.iter().find(|on| !keys.contains(*on)) {
            let shown: String = on.chars().take(60).collect();
            return Err(wrong(format!("{}: it depends on {shown:?}, and there is no such step", step.key)));
        }
    }
    match order(&edges(steps)) {
        Ok(_) => Ok(()),
        Err(cycle) => Err(ApiError::validation(
            format!("the steps {} depend on each other in a circle, so none of them could begin", cycle.join(" → ")),
            "Take one of these dependencies away.",
        )),
    }
}

/// Keys with what they depend on.
pub fn edges(steps: &[CrewStep]) -> Vec<(&str, &[String])> {
    steps.iter().map(|step| (step.key.as_str(), step.depends_on.as_slice())).collect()
}

/// Places of the steps in an order in which each stands after those it depends on; as given where that is free.
///
/// # Errors
/// The keys of a circle, its first one again at its end.
pub fn order(steps: &[(&str, &[String])]) -> Result<Vec<usize>, Vec<String>> {
    let places: HashMap<&str, usize> = steps.iter().enumerate().map(|(place, (key, _))| (*key, place)).collect();
    let needs = |place: usize| steps[place].1.iter().filter_map(|on| places.get(on.as_str()).copied());
    let mut done = vec![false; steps.len()];
    let mut order = Vec::with_capacity(steps.len());
    while let Some(next) = (0..steps.len()).find(|place| !done[*place] && needs(*place).all(|on| done[on])) {
        done[next] = true;
        order.push(next);
    }
    let Some(first) = done.iter().position(|done| !done) else { return Ok(order) };
    // Each of the rest depends on another one of the rest: walking back comes round.
    let mut path = vec![first];
    loop {
        let last = path[path.len() - 1];
        let Some(back) = needs(last).find(|on| !done[*on]) else { return Ok(order) };
        if let Some(begin) = path.iter().position(|place| *place == back) {
            let mut circle: Vec<String> = path[begin..].iter().map(|place| steps[*place].0.to_owned()).collect();
            circle.push(steps[back].0.to_owned());
            circle.reverse();
            return Err(circle);
        }
        path.push(back);
    }
}

/// For each step how many stand before it on the longest way to it: steps of one layer can run at the same time. Steps of a
/// circle stand in layer 0.
pub fn layers(steps: &[(&str, &[String])]) -> Vec<usize> {
    let mut layers = vec![0; steps.len()];
    let places: HashMap<&str, usize> = steps.iter().enumerate().map(|(place, (key, _))| (*key, place)).collect();
    for place in order(steps).unwrap_or_default() {
        let needs = steps[place].1.iter().filter_map(|on| places.get(on.as_str()));
        layers[place] = needs.map(|on| layers[*on] + 1).max().unwrap_or(0);
    }
    layers
}

/// Which steps follow from one of these, directly or not; those themselves are not among them unless they follow from
/// another one.
pub fn downstream(steps: &[(&str, &[String])], of: &dyn Fn(&str) -> bool) -> Vec<bool> {
    let places: HashMap<&str, usize> = steps.iter().enumerate().map(|(place, (key, _))| (*key, place)).collect();
    let mut follows = vec![false; steps.len()];
    for place in order(steps).unwrap_or_default() {
        follows[place] =
            steps[place].1.iter().any(|on| of(on) || places.get(on.as_str()).is_some_and(|on| follows[*on]));
    }
    follows
}

#[cfg(test)]
mod tests;
