//! `rspa providers routes`: rules that choose a model, and those to fall back on.

use clap::Subcommand;
use rspa_core::api::request::agents::ListAgents;
use rspa_core::api::request::providers::{GetRouting, SetRouting};
use rspa_core::model::{AgentFilter, AgentId, ModelId, RouteRule, Routing, WorkKind};

use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line};
use crate::cli::session::Session;

#[derive(Subcommand)]
pub enum RoutesVerb {
    /// Print them
    Show,
    /// Replace all rules, or all to fall back on, by those that are given, in their order
    Set {
        /// `NAME: [work=chat|task|crew|summary[,…]] [agent=NAME[,…]] [off] MODEL`
        #[arg(long = "rule", value_name = "RULE")]
        rules: Vec<String>,
        /// A model to fall back on
        #[arg(long = "fallback", value_name = "MODEL")]
        fallback: Vec<String>,
        /// Take all rules away
        #[arg(long, conflicts_with = "rules")]
        no_rules: bool,
        /// Fall back on the default model alone
        #[arg(long, conflicts_with = "fallback")]
        no_fallback: bool,
        /// Confirm without asking
        #[arg(long)]
        yes: bool,
    },
}

pub fn run(session: &Session, output: Output, verb: RoutesVerb) -> Result<(), Failure> {
    let routing = match verb {
        RoutesVerb::Show => session.call(GetRouting {})?,
        RoutesVerb::Set { rules, fallback, no_rules, no_fallback, yes } => {
            let mut routing = session.call(GetRouting {})?;
            if no_rules || !rules.is_empty() {
                let names = agents(session, &rules)?;
                routing.rules = rules.iter().map(|rule| parse(rule, &names)).collect::<Result<_, _>>()?;
            }
            if no_fallback || !fallback.is_empty() {
                routing.fallback = fallback.into_iter().map(ModelId).collect();
            }
            let set = SetRouting { routing };
            if yes { session.call_confirmed(set) } else { session.call(set) }?
        }
    };
    show(session, output, &routing)
}

fn agents(session: &Session, rules: &[String]) -> Result<Vec<(String, AgentId)>, Failure> {
    if !rules.iter().any(|rule| rule.contains("agent=")) {
        return Ok(Vec::new());
    }
    let all = session.call(ListAgents { filter: AgentFilter::default() })?;
    Ok(all.into_iter().map(|agent| (agent.settings.name, agent.id)).collect())
}

fn parse(text: &str, agents: &[(String, AgentId)]) -> Result<RouteRule, Failure> {
    let wrong = |why: String| {
        Failure::validation(
            format!("the rule '{}' cannot be read: {why}", one_line(text)),
            "Write it as in \"Reviews: work=task,crew agent=Reviewer openai/gpt-4.1\".",
        )
    };
    let (name, rest) = text.split_once(':').ok_or_else(|| wrong("it has no name and colon".to_owned()))?;
    let mut rule = RouteRule {
        name: name.trim().to_owned(),
        enabled: true,
        work: Vec::new(),
        agents: Vec::new(),
        model: ModelId(String::new()),
    };
    // Names of agents have spaces: what follows agent= reaches to the next condition, or to the model, which is last.
    let (conditions, model) = rest.trim().rsplit_once(char::is_whitespace).unwrap_or(("", rest.trim()));
    rule.model = ModelId(model.to_owned());
    let mut words: Vec<String> = Vec::new();
    for word in conditions.split_whitespace() {
        let begins = word == "off" || word.starts_with("work=") || word.starts_with("agent=");
        match words.last_mut().filter(|_| !begins) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => words.push(word.to_owned()),
        }
    }
    for word in &words {
        if word == "off" {
            rule.enabled = false;
        } else if let Some(kinds) = word.strip_prefix("work=") {
            for kind in kinds.split(',') {
                let kind = kind.trim();
                let known = WorkKind::ALL.into_iter().find(|known| known.name() == kind);
                rule.work.push(known.ok_or_else(|| wrong(format!("there is no work \"{}\"", one_line(kind))))?);
            }
        } else if let Some(names) = word.strip_prefix("agent=") {
            for name in names.split(',') {
                let wanted = name.trim().to_lowercase();
                let known = agents.iter().find(|(name, id)| name.to_lowercase() == wanted || id.to_string() == wanted);
                let known = known.ok_or_else(|| wrong(format!("there is no agent \"{}\"", one_line(name))))?;
                rule.agents.push(known.1);
            }
        } else {
            return Err(wrong(format!("\"{}\" is no condition", one_line(word))));
        }
    }
    Ok(rule)
}

fn show(session: &Session, output: Output, routing: &Routing) -> Result<(), Failure> {
    if output.json {
        return output.json_line(routing);
    }
    let names = match routing.rules.iter().any(|rule| !rule.agents.is_empty()) {
        true => agents(session, &["agent=".to_owned()])?,
        false => Vec::new(),
    };
    for rule in &routing.rules {
        let mut words = vec![format!("{}:", rule.name)];
        if !rule.work.is_empty() {
            let work: Vec<&str> = rule.work.iter().map(|work| work.name()).collect();
            words.push(format!("work={}", work.join(",")));
        }
        if !rule.agents.is_empty() {
            let name = |id: &AgentId| {
                names.iter().find(|(_, known)| known == id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
            };
            words.push(format!("agent={}", rule.agents.iter().map(name).collect::<Vec<_>>().join(",")));
        }
        if !rule.enabled {
            words.push("off".to_owned());
        }
        words.push(rule.model.0.clone());
        output.line(&one_line(&words.join(" ")))?;
    }
    for model in &routing.fallback {
        output.line(&one_line(&format!("fallback {model}")))?;
    }
    output.line("fallback the default model")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_shown() {
        let ada = AgentId(rspa_core::model::ProfileId(Default::default()).0);
        let agents = [("Ada of York".to_owned(), ada)];
        let rule = parse("Reviews: work=task,crew agent=ada of york off openai/gpt-4.1", &agents).ok().expect("reads");
        assert_eq!((rule.name.as_str(), rule.enabled, rule.model.0.as_str()), ("Reviews", false, "openai/gpt-4.1"));
        assert_eq!((rule.work, rule.agents), (vec![WorkKind::Task, WorkKind::Crew], vec![ada]));
        let plain = parse("All: tiny", &[]).ok().expect("reads");
        assert_eq!((plain.model.0.as_str(), plain.work.len()), ("tiny", 0));
        for wrong in ["tiny", "A: work=play tiny", "A: agent=nobody tiny", "A: maybe tiny"] {
            assert!(parse(wrong, &agents).is_err(), "{wrong}");
        }
    }
}
