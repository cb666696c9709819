use proptest::prelude::*;

use super::*;
use crate::model::AgentId;

fn step(key: &str, on: &[&str]) -> CrewStep {
    CrewStep {
        key: key.to_owned(),
        title: format!(" Title of  {key} "),
        instructions: String::new(),
        agent: None,
        depends_on: on.iter().map(|on| (*on).to_owned()).collect(),
        at: None,
    }
}

fn crew(steps: Vec<CrewStep>) -> CrewDraft {
    CrewDraft { name: " Review ".to_owned(), steps, ..CrewDraft::default() }
}

#[test]
fn a_crew_is_tidied_and_ordered() {
    let draft = checked(crew(vec![step("b", &["a", "a"]), step("a", &[]), step("c", &["a", "b"])])).unwrap();
    assert_eq!((draft.name.as_str(), draft.steps[0].title.as_str()), ("Review", "Title of b"));
    assert_eq!(draft.steps[0].depends_on, ["a"]);
    assert_eq!(order(&edges(&draft.steps)).unwrap(), [1, 0, 2]);
    assert_eq!(layers(&edges(&draft.steps)), [1, 0, 2]);
}

#[test]
fn what_cannot_be_is_refused_in_words_that_name_the_step() {
    let long = "x".repeat(LARGEST_INSTRUCTIONS + 1);
    for (steps, part) in [
        (vec![], "1 to 50"),
        (vec![step("A b", &[])], "\"A b\" is no key"),
        (vec![step("a", &[]), step("a", &[])], "two with the key a"),
        (vec![step("a", &["z"])], "depends on \"z\""),
        (vec![step("a", &["a"])], "a → a"),
        (vec![step("x", &[]), step("a", &["c", "x"]), step("b", &["a"]), step("c", &["b"])], "a → b → c → a"),
        (vec![CrewStep { title: " ".to_owned(), ..step("a", &[]) }], "a: its title"),
        (vec![CrewStep { instructions: long, ..step("a", &[]) }], "a: its instructions"),
    ] {
        let error = checked(crew(steps)).unwrap_err();
        assert!(error.message.contains(part), "{error} has no {part}");
    }
    assert!(checked(CrewDraft { name: "a\nb".to_owned(), ..crew(vec![step("a", &[])]) }).is_err());
    let variables = vec!["ok".to_owned(), "No".to_owned()];
    assert!(checked(CrewDraft { variables, ..crew(vec![step("a", &[])]) }).unwrap_err().message.contains("\"No\""));
    let alone = CrewDraft { process: CrewProcess::Hierarchical, ..crew(vec![]) };
    assert!(checked(alone.clone()).unwrap_err().message.contains("members"));
    let own = AgentId(uuid::Uuid::from_u128(1));
    let both = CrewDraft { members: vec![own, own], manager: Some(own), ..alone };
    assert!(checked(both).unwrap_err().message.contains("manager"));
}

#[test]
fn what_follows_from_a_step_is_found() {
    let steps = [step("a", &[]), step("b", &["a"]), step("c", &[]), step("d", &["b", "c"])];
    assert_eq!(downstream(&edges(&steps), &|key| key == "b"), [false, false, false, true]);
    assert_eq!(downstream(&edges(&steps), &|key| key == "a"), [false, true, false, true]);
}

proptest! {
    /// An order has each step after its needs, or the circle that is named is one.
    #[test]
    fn orders_hold_and_circles_are_circles(wires in proptest::collection::vec((0..10_usize, 0..10_usize), 0..25)) {
        let keys: Vec<String> = (0..10).map(|n| format!("s{n}")).collect();
        let mut on: Vec<Vec<String>> = vec![Vec::new(); 10];
        for (from, to) in wires {
            on[from].push(keys[to].clone());
        }
        let steps: Vec<(&str, &[String])> = keys.iter().map(String::as_str).zip(on.iter().map(Vec::as_slice)).collect();
        match order(&steps) {
            Ok(order) => {
                prop_assert_eq!(order.len(), 10);
                let place = |key: &str| order.iter().position(|at| keys[*at] == key).unwrap();
                let layers = layers(&steps);
                for (at, needs) in on.iter().enumerate() {
                    for need in needs {
                        prop_assert!(place(need) < place(&keys[at]));
                        let need = keys.iter().position(|key| key == need).unwrap();
                        prop_assert!(layers[need] < layers[at]);
                    }
                }
            }
            Err(circle) => {
                prop_assert!(circle.len() > 1 && circle.first() == circle.last());
                for pair in circle.windows(2) {
                    let later = keys.iter().position(|key| *key == pair[1]).unwrap();
                    prop_assert!(on[later].contains(&pair[0]), "{:?}", circle);
                }
            }
        }
    }
}
