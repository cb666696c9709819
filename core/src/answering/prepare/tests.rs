//! Summaries: what they cover, and that a second one goes on from the first.

use uuid::Uuid;

use super::*;
use crate::inference::scripted::ScriptedModel;

fn turns_of(count: u128) -> Vec<Turn> {
    (0..count)
        .map(|number| Turn {
            message: MessageId(Uuid::from_u128(number)),
            turn: ChatTurn {
                role: if number % 2 == 0 { Role::User } else { Role::Assistant },
                content: format!("turn {number} has exactly seven words here"),
            },
        })
        .collect()
}

fn material<'a>(turns: &'a [Turn], summary: Option<(MessageId, &'a str)>) -> Material<'a> {
    Material { question: "And now?", found: None, attachments: &[], turns, summary, so_far: "" }
}

#[test]
fn a_summary_covers_what_no_longer_fits_and_leaves_room_for_more() {
    let model = ScriptedModel::new().with_context(600).reply("", "Short.");
    let turns = turns_of(60);
    let before = prompt(&model, material(&turns, None), 100).unwrap();
    assert!(before.lost > 0 && before.context.dropped.len() == before.lost, "{}", before.lost);
    assert!(before.context.dropped[0].starts_with("turn 0"));
    let (upto, text) = summarise(&model, material(&turns, None), 100, &Cancel::new(), |_, _| {}).unwrap().unwrap();
    let after = prompt(&model, material(&turns, Some((upto, &text))), 100).unwrap();
    assert_eq!(after.lost, 0);
    assert_eq!(after.context.summary, "Short.");
    // Some more turns fit before the next one is needed.
    let more = turns_of(64);
    assert_eq!(prompt(&model, material(&more, Some((upto, &text))), 100).unwrap().lost, 0);
    // A summary of another version of the chat does not count.
    let elsewhere = MessageId(Uuid::from_u128(999));
    assert_eq!(prompt(&model, material(&turns, Some((elsewhere, "x"))), 100).unwrap().context.summary, "");
}

#[test]
fn a_cancelled_summary_is_none() {
    let model = ScriptedModel::new().with_context(600).reply("", "Short.");
    let cancel = Cancel::new();
    cancel.cancel();
    let turns = turns_of(60);
    assert!(summarise(&model, material(&turns, None), 100, &cancel, |_, _| {}).is_err());
    let nothing = summarise(&model, material(&[], None), 100, &Cancel::new(), |_, _| {}).unwrap();
    assert_eq!(nothing, None);
}
