use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::{CrewId, CrewRun, CrewRunId, CrewRunState, TaskOutput, Timestamp};

fn members() -> Vec<Member> {
    ["Ship · Writer", "Ship · Critic"]
        .into_iter()
        .enumerate()
        .map(|(n, name)| Member { agent: AgentId(Uuid::from_u128(n as u128 + 1)), name: name.to_owned() })
        .collect()
}

fn planned(said: &[&str]) -> KeptRun {
    let manager = AgentId(Uuid::from_u128(9));
    let members = members();
    let abouts = ["writes".to_owned(), "doubts".to_owned()];
    let run = CrewRun {
        id: CrewRunId(Uuid::from_u128(7)),
        number: 1,
        crew: CrewId(Uuid::from_u128(8)),
        crew_name: "Ship".to_owned(),
        process: CrewProcess::Hierarchical,
        state: CrewRunState::Running,
        input: "tides".to_owned(),
        variables: BTreeMap::new(),
        folder: None,
        steps: vec![plan((manager, "Ship · Manager"), "", &members, &abouts)],
        replay_of: None,
        offline: false,
        output: None,
        error: None,
        created: Timestamp(1),
        ended: None,
    };
    let mut kept = KeptRun { run, members, cancelling: false, revision: 0 };
    for text in said {
        let last = kept.run.steps.last_mut().unwrap();
        last.state = StepState::Completed;
        last.output = Some(TaskOutput { text: (*text).to_owned(), ..TaskOutput::default() });
        expand(&mut kept);
    }
    kept
}

fn keys(kept: &KeptRun) -> Vec<&str> {
    kept.run.steps.iter().map(|step| step.key.as_str()).collect()
}

#[test]
fn a_plan_becomes_parts_and_a_decision() {
    let text = r#"Sure. {"delegate":[{"member":"writer","title":"Draft","instructions":"Write."},
        {"member":"Ship · Critic","title":" ","instructions":"Doubt."}]}"#;
    let kept = planned(&[text]);
    assert_eq!(keys(&kept), ["plan", "part-1", "part-2", "decide"]);
    let steps = &kept.run.steps;
    assert_eq!((steps[1].agent, steps[1].title.as_str()), (Some(members()[0].agent), "Draft"));
    assert_eq!((steps[2].agent, steps[2].title.as_str()), (Some(members()[1].agent), "Part of Critic"));
    assert_eq!(steps[1].depends_on, ["plan"]);
    assert_eq!(steps[3].depends_on, ["part-1", "part-2"]);
    let mut again = kept.clone();
    expand(&mut again);
    assert_eq!(again, kept, "once only");
}

#[test]
fn a_plan_that_cannot_be_used_is_asked_for_once_more_and_then_all_work() {
    for bad in ["no idea", "{}", r#"{"delegate":[]}"#, r#"{"delegate":[{"member":"Bob","instructions":"x"}]}"#] {
        let kept = planned(&[bad]);
        assert_eq!(keys(&kept), ["plan", "plan-again"], "{bad}");
        assert!(kept.run.steps[1].instructions.contains("cannot be used"));
        let kept = planned(&[bad, bad]);
        assert_eq!(keys(&kept), ["plan", "plan-again", "part-1", "part-2", "decide"]);
        assert_eq!(kept.run.steps[2].depends_on, ["plan-again"]);
    }
    let kept = planned(&["no", r#"[{"member":"critic","title":"t","instructions":"i"}]"#]);
    assert_eq!(keys(&kept), ["plan", "plan-again", "part-1", "decide"]);
}

#[test]
fn the_schema_names_the_members_alone() {
    let schema = schema(&members());
    let names = &schema["properties"]["delegate"]["items"]["properties"]["member"]["enum"];
    assert_eq!(*names, json!(["Writer", "Critic"]));
}

proptest! {
    /// Whatever a model says becomes steps or is asked for again.
    #[test]
    fn any_plan_is_read_or_refused(text in r#"[\[\]{}":,a-z ]{0,80}"#) {
        let kept = planned(&[&text]);
        prop_assert!(kept.run.steps.len() >= 2);
    }
}
