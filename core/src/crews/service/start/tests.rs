use uuid::Uuid;

use super::*;
use crate::model::Timestamp;

fn step(key: &str, on: &[&str], state: StepState) -> CrewRunStep {
    CrewRunStep {
        key: key.to_owned(),
        title: key.to_owned(),
        instructions: String::new(),
        agent: Some(AgentId(Uuid::from_u128(1))),
        agent_name: String::new(),
        depends_on: on.iter().map(|on| (*on).to_owned()).collect(),
        at: None,
        state,
        task: Some(crate::model::TaskId(Uuid::from_u128(2))),
        output: state.is_done().then(|| TaskOutput { text: format!("old {key}"), ..TaskOutput::default() }),
        error: None,
        started: Some(Timestamp(1)),
        ended: Some(Timestamp(2)),
    }
}

fn run(process: CrewProcess, steps: Vec<CrewRunStep>) -> CrewRun {
    CrewRun {
        id: CrewRunId(Uuid::from_u128(7)),
        number: 1,
        crew: CrewId(Uuid::from_u128(8)),
        crew_name: "Review".to_owned(),
        process,
        state: CrewRunState::Completed,
        input: String::new(),
        variables: BTreeMap::new(),
        folder: None,
        steps,
        replay_of: None,
        offline: false,
        output: None,
        error: None,
        created: Timestamp(1),
        ended: None,
    }
}

fn edited(key: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), "new".to_owned())])
}

fn states(steps: &[CrewRunStep]) -> Vec<(&str, StepState)> {
    steps.iter().map(|step| (step.key.as_str(), step.state)).collect()
}

#[test]
fn what_does_not_follow_from_an_edit_is_taken_over() {
    use StepState::{Completed, Edited, Failed, Recorded, Waiting};
    let all = vec![
        step("a", &[], Completed),
        step("b", &["a"], Completed),
        step("x", &[], Failed),
        step("c", &["b"], Completed),
    ];
    let run = run(CrewProcess::Sequential, all);
    let steps = replayed(&run, &edited("b")).unwrap();
    assert_eq!(states(&steps), [("a", Recorded), ("b", Edited), ("x", Waiting), ("c", Waiting)]);
    assert!(steps.iter().all(|step| step.task.is_none() && step.started.is_none()));
    let text = |place: usize| steps[place].output.as_ref().map(|output| output.text.as_str());
    assert_eq!((text(0), text(1), text(3)), (Some("old a"), Some("new"), None));
    assert!(replayed(&run, &edited("z")).unwrap_err().advice.contains("a, b, x, c"));
}

#[test]
fn another_plan_makes_other_parts() {
    use StepState::{Completed, Edited, Recorded, Waiting};
    let all = vec![
        step("plan", &[], Completed),
        step("plan-again", &["plan"], Completed),
        step("part-1", &["plan-again"], Completed),
        step("decide", &["part-1"], Completed),
    ];
    let run = run(CrewProcess::Hierarchical, all);
    assert_eq!(states(&replayed(&run, &edited("plan")).unwrap()), [("plan", Edited)]);
    let steps = replayed(&run, &edited("part-1")).unwrap();
    let expected = [("plan", Recorded), ("plan-again", Recorded), ("part-1", Edited), ("decide", Waiting)];
    assert_eq!(states(&steps), expected);
}
