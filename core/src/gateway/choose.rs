//! The router's choice: which models are tried for what is wanted, in which order, and why.

use crate::inference::Wanted;
use crate::model::{ModelId, RouteRule, Routing, TriedModel};

/// A model that is to be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// None is the default model inside this program.
    pub id: Option<ModelId>,
    /// One sentence.
    pub reason: String,
}

/// In order; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub candidates: Vec<Candidate>,
    /// What was passed over already.
    pub tried: Vec<TriedModel>,
}

fn tried(id: &ModelId, why: impl Into<String>) -> TriedModel {
    TriedModel { model: id.0.clone(), why: why.into() }
}

/// An explicit model, else that of the first rule that fits and whose model can be used (`unusable` says why not), else
/// the default one inside this program; behind it those to fall back on, and the default one again.
///
/// One inside this program that was named stands alone: another one in its place would be a surprise.
pub fn plan(wanted: &Wanted, routing: &Routing, unusable: &dyn Fn(&ModelId) -> Option<String>) -> Plan {
    const OFFLINE: &str = "only models inside this program were wanted";
    let mut plan = Plan { candidates: Vec::new(), tried: Vec::new() };
    let may = |id: &ModelId| !wanted.offline || id.split().0.is_embedded();
    if let Some(id) = &wanted.model {
        let reason = match &wanted.agent {
            Some((_, name)) => format!("chosen for the agent \"{name}\""),
            None => "chosen by the person".to_owned(),
        };
        if may(id) {
            plan.candidates.push(Candidate { id: Some(id.clone()), reason });
            if id.split().0.is_embedded() {
                return plan;
            }
        } else {
            plan.tried.push(tried(id, OFFLINE));
        }
    } else {
        for rule in routing.rules.iter().filter(|rule| fits(rule, wanted)) {
            let why = if may(&rule.model) { unusable(&rule.model) } else { Some(OFFLINE.to_owned()) };
            match why {
                Some(why) => plan.tried.push(tried(&rule.model, why)),
                None => {
                    let reason = format!("rule \"{}\"", rule.name);
                    plan.candidates.push(Candidate { id: Some(rule.model.clone()), reason });
                    break;
                }
            }
        }
    }
    let chosen = !plan.candidates.is_empty();
    if !chosen {
        plan.candidates.push(Candidate { id: None, reason: "the default model".to_owned() });
    }
    for (number, id) in routing.fallback.iter().enumerate().filter(|(_, id)| may(id)) {
        if plan.candidates.iter().all(|known| known.id.as_ref() != Some(id)) {
            let reason = format!("number {} of those to fall back on", number + 1);
            plan.candidates.push(Candidate { id: Some(id.clone()), reason });
        }
    }
    if chosen {
        let reason = "the default model, where nothing else answers".to_owned();
        plan.candidates.push(Candidate { id: None, reason });
    }
    plan
}

fn fits(rule: &RouteRule, wanted: &Wanted) -> bool {
    let work = rule.work.is_empty() || rule.work.contains(&wanted.work);
    let agent = wanted.agent.as_ref().map(|(id, _)| *id);
    let agents = rule.agents.is_empty() || agent.is_some_and(|agent| rule.agents.contains(&agent));
    rule.enabled && work && agents
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::model::{AgentId, WorkKind};

    fn id(text: &str) -> ModelId {
        ModelId(text.to_owned())
    }

    fn rule(name: &str, work: &[WorkKind], agents: &[u128], model: &str) -> RouteRule {
        RouteRule {
            name: name.to_owned(),
            enabled: true,
            work: work.to_vec(),
            agents: agents.iter().map(|agent| AgentId(Uuid::from_u128(*agent))).collect(),
            model: id(model),
        }
    }

    fn ids(plan: &Plan) -> Vec<&str> {
        plan.candidates.iter().map(|c| c.id.as_ref().map_or("default", |id| id.0.as_str())).collect()
    }

    fn none(_: &ModelId) -> Option<String> {
        None
    }

    #[test]
    fn the_first_rule_that_fits_and_can_be_used_decides() {
        let mut off = rule("off", &[], &[], "x/never");
        off.enabled = false;
        let routing = Routing {
            rules: vec![
                off,
                rule("tasks of one", &[WorkKind::Task], &[7], "a/task"),
                rule("down", &[], &[], "down/m"),
                rule("chats", &[WorkKind::Chat], &[], "b/chat"),
            ],
            fallback: vec![id("c/one"), id("b/chat"), id("local")],
        };
        let unusable = |id: &ModelId| (id.0 == "down/m").then(|| "it does not answer".to_owned());
        let chat = plan(&Wanted::default(), &routing, &unusable);
        assert_eq!(ids(&chat), ["b/chat", "c/one", "local", "default"]);
        assert_eq!(chat.candidates[0].reason, "rule \"chats\"");
        assert_eq!(chat.tried, vec![tried(&id("down/m"), "it does not answer")]);
        let agent = Some((AgentId(Uuid::from_u128(7)), "Reviewer".to_owned()));
        let task = Wanted { work: WorkKind::Task, agent: agent.clone(), ..Wanted::default() };
        assert_eq!(ids(&plan(&task, &routing, &unusable))[0], "a/task");
        let crew = Wanted { work: WorkKind::Crew, ..Wanted::default() };
        let crew = plan(&crew, &routing, &unusable);
        assert_eq!(ids(&crew), ["default", "c/one", "b/chat", "local"]);
        assert_eq!(crew.candidates[0].reason, "the default model");
        let named = Wanted { model: Some(id("z/own")), agent, ..Wanted::default() };
        let named = plan(&named, &routing, &unusable);
        assert_eq!(ids(&named), ["z/own", "c/one", "b/chat", "local", "default"]);
        assert_eq!(named.candidates[0].reason, "chosen for the agent \"Reviewer\"");
    }

    #[test]
    fn one_inside_this_program_that_was_named_stands_alone_and_offline_leaves_servers_out() {
        let routing = Routing { rules: vec![rule("all", &[], &[], "a/m")], fallback: vec![id("b/m"), id("local")] };
        let named = Wanted { model: Some(id("tiny")), ..Wanted::default() };
        assert_eq!(ids(&plan(&named, &routing, &none)), ["tiny"]);
        let offline = Wanted { offline: true, ..Wanted::default() };
        let offline_plan = plan(&offline, &routing, &none);
        assert_eq!(ids(&offline_plan), ["default", "local"]);
        assert_eq!(offline_plan.tried[0].model, "a/m");
        let both = Wanted { model: Some(id("a/m")), ..offline };
        assert_eq!(ids(&plan(&both, &routing, &none)), ["default", "local"]);
    }

    proptest! {
        #[test]
        fn there_is_always_one_and_none_twice_and_none_outside_when_offline(
            model in proptest::option::of("[a-c](/[a-c])?"),
            rules in proptest::collection::vec("[a-c](/[a-c])?", 0..4),
            fallback in proptest::collection::vec("[a-c](/[a-c])?", 0..4),
            offline: bool,
        ) {
            let mut fallback: Vec<ModelId> = fallback.iter().map(|text| id(text)).collect();
            fallback.sort();
            fallback.dedup();
            let routing = Routing { rules: rules.iter().map(|model| rule("r", &[], &[], model)).collect(), fallback };
            let wanted = Wanted { model: model.map(ModelId), offline, ..Wanted::default() };
            let plan = plan(&wanted, &routing, &|id| id.0.contains("/b").then(String::new));
            prop_assert!(!plan.candidates.is_empty());
            let mut seen = ids(&plan);
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), all);
            prop_assert!(!offline || seen.iter().all(|id| !id.contains('/')));
        }
    }
}
