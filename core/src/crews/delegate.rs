//! Crews with a manager: what it is asked, how its plan is read, and the steps that come of it.

use serde_json::{Value, json};

use crate::model::{AgentId, CrewProcess, CrewRunStep, StepState};
use crate::storage::crews::{KeptRun, Member};

const PLAN: &str = "plan";
/// The manager is asked once more.
const AGAIN: &str = "plan-again";
const PART: &str = "part-";
const DECIDE: &str = "decide";
/// Parts that a manager may give out.
const MOST_PARTS: usize = 12;
const LONGEST_TITLE: usize = 100;
const LONGEST_INSTRUCTIONS: usize = 4_000;

/// Part of the work, as the manager gives it out.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    agent: AgentId,
    name: String,
    title: String,
    instructions: String,
}

/// Whether a step of a hierarchical run is one in which the manager plans.
pub fn is_plan(key: &str) -> bool {
    key == PLAN || key == AGAIN
}

/// What a plan must look like.
pub fn schema(members: &[Member]) -> Value {
    let names: Vec<&str> = members.iter().map(|member| role(&member.name)).collect();
    json!({
        "type": "object",
        "properties": { "delegate": {
            "type": "array", "minItems": 1, "maxItems": members.len().clamp(1, MOST_PARTS),
            "items": {
                "type": "object",
                "properties": {
                    "member": { "enum": names },
                    "title": { "type": "string", "minLength": 1, "maxLength": 60 },
                    "instructions": { "type": "string", "minLength": 1, "maxLength": 600 },
                },
                "required": ["member", "title", "instructions"], "additionalProperties": false,
            },
        } },
        "required": ["delegate"], "additionalProperties": false,
    })
}

/// The name within its crew: what stands after the last "·".
fn role(name: &str) -> &str {
    name.rsplit('·').next().unwrap_or(name).trim()
}

fn step(key: &str, title: &str, instructions: String, agent: AgentId, name: &str, on: Vec<String>) -> CrewRunStep {
    CrewRunStep {
        key: key.to_owned(),
        title: title.to_owned(),
        instructions,
        agent: Some(agent),
        agent_name: name.to_owned(),
        depends_on: on,
        at: None,
        state: StepState::Waiting,
        task: None,
        output: None,
        error: None,
        started: None,
        ended: None,
    }
}

/// The first step of a run: the manager plans. `abouts` says of each member what it is for.
pub fn plan(manager: (AgentId, &str), goal: &str, members: &[Member], abouts: &[String]) -> CrewRunStep {
    let who: Vec<String> = members
        .iter()
        .zip(abouts)
        .map(|(member, about)| {
            format!("- {}: {}", role(&member.name), about.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect();
    let mut text =
        "You lead a crew. Split the work among its members, so that each gets a part that it can do alone.\n"
            .to_owned();
    text.push_str(&format!("Members:\n{}\n", who.join("\n")));
    if !goal.trim().is_empty() {
        text.push_str(&format!("What the crew is for: {}\n", goal.trim()));
    }
    text.push_str(
        "Answer with {\"delegate\": [{\"member\": \"its name\", \"title\": \"a few words\", \"instructions\": \"what it \
         is to do\"}]}. Use the names of the members as they stand above.",
    );
    step(PLAN, "Plan and delegate", text, manager.0, manager.1, Vec::new())
}

/// Once the manager has planned, its plan becomes steps.
pub fn expand(kept: &mut KeptRun) {
    let run = &kept.run;
    if run.process != CrewProcess::Hierarchical || run.steps.iter().any(|step| step.key == DECIDE) {
        return;
    }
    let Some(last) = run.steps.iter().rfind(|step| is_plan(&step.key)).filter(|step| step.state.is_done()) else {
        return;
    };
    let Some(manager) = last.agent else { return };
    let text = last.output.as_ref().map(|output| output.text.as_str()).unwrap_or_default();
    let (name, on) = (last.agent_name.clone(), vec![last.key.clone()]);
    let parts = match read(text, &kept.members) {
        Ok(parts) => parts,
        Err(why) if last.key == PLAN && last.state == StepState::Completed => {
            let text = format!(
                "Your plan cannot be used: {why}. Plan again. {}",
                kept.run.steps.iter().find(|step| step.key == PLAN).map_or("", |step| step.instructions.as_str())
            );
            kept.run.steps.push(step(AGAIN, "Plan again", text, manager, &name, on));
            return;
        }
        Err(_) => one_each(&kept.members),
    };
    let mut keys = Vec::new();
    for (number, part) in parts.into_iter().enumerate() {
        let key = format!("{PART}{}", number + 1);
        kept.run.steps.push(step(&key, &part.title, part.instructions, part.agent, &part.name, on.clone()));
        keys.push(key);
    }
    let text =
        "The members of your crew have done their parts; what each gave stands below. Judge it, and write the final \
                result of the work as a whole."
            .to_owned();
    kept.run.steps.push(step(DECIDE, "Collect and decide", text, manager, &name, keys));
}

/// Everybody works on the whole.
fn one_each(members: &[Member]) -> Vec<Part> {
    let part = |member: &Member| Part {
        agent: member.agent,
        name: member.name.clone(),
        title: format!("Part of {}", role(&member.name)),
        instructions: "Do your part of the work that the crew was given, as your role says.".to_owned(),
    };
    members.iter().map(part).collect()
}

/// The parts that a plan gives out.
///
/// # Errors
/// Why the plan cannot be used, for the manager.
fn read(text: &str, members: &[Member]) -> Result<Vec<Part>, String> {
    let plan = first_value(text).ok_or("there is no JSON in it")?;
    let list = match &plan {
        Value::Array(list) => list,
        Value::Object(object) => {
            object.get("delegate").and_then(Value::as_array).ok_or("it has no list \"delegate\"")?
        }
        _ => return Err("there is no JSON object in it".to_owned()),
    };
    if list.is_empty() || list.len() > MOST_PARTS {
        return Err(format!("it gives out {} parts; there are 1 to {MOST_PARTS}", list.len()));
    }
    let mut parts = Vec::new();
    for entry in list {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let wanted = text("member").to_lowercase();
        let is_named = |member: &&Member| {
            let name = member.name.to_lowercase();
            name == wanted || role(&name) == wanted
        };
        let Some(member) = members.iter().find(is_named) else {
            let shown: String = wanted.chars().take(60).collect();
            return Err(format!("there is no member {shown:?}"));
        };
        let instructions = text("instructions");
        if instructions.is_empty() {
            return Err(format!("{} gets no instructions", role(&member.name)));
        }
        let title = text("title").split_whitespace().collect::<Vec<_>>().join(" ");
        let title: String = title.chars().take(LONGEST_TITLE).collect();
        parts.push(Part {
            agent: member.agent,
            name: member.name.clone(),
            title: if title.is_empty() { format!("Part of {}", role(&member.name)) } else { title },
            instructions: instructions.chars().take(LONGEST_INSTRUCTIONS).collect(),
        });
    }
    Ok(parts)
}

/// The first JSON object or list in a text.
fn first_value(text: &str) -> Option<Value> {
    let start = text.find(['{', '['])?;
    serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>().next()?.ok()
}

#[cfg(test)]
mod tests;
