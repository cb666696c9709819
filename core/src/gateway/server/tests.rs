//! Tests of one server: retries, limits, the breaker, and the states that they lead to.

use super::*;
use crate::gateway::testing::{Act, World, draft, fault, world};
use crate::inference::provider::ChatCall;
use crate::model::ProviderLimits;

fn ask(world: &World) -> Result<String, ProviderFault> {
    let mut text = String::new();
    let retries = world.server.draft().limits.retries;
    world.server.call(100, retries, &Cancel::new(), &mut |provider| {
        provider.chat(&ChatCall::default(), &Cancel::new(), &mut |piece| {
            if let crate::inference::provider::ChatPiece::Text(piece) = piece {
                text.push_str(&piece);
            }
        })
    })?;
    Ok(text)
}

fn limited(change: fn(&mut ProviderLimits)) -> World {
    let mut draft = draft("fake");
    change(&mut draft.limits);
    world(draft)
}

#[test]
fn what_is_worth_it_is_tried_again_with_longer_pauses() {
    let world = world(draft("fake"));
    world.script.then(Act::Fail(FaultKind::Server(503)));
    world.script.then(Act::Fail(FaultKind::Timeout));
    assert_eq!(ask(&world).unwrap(), "I am the server.");
    assert_eq!(world.pace.waited(), [500, 1_000]);
    let status = world.server.status();
    assert_eq!((status.requests, status.failures, status.retries), (3, 2, 2));
    assert_eq!(status.state, ProviderState::Ready);
    assert!(world.told.changes.load(std::sync::atomic::Ordering::SeqCst) >= 2);
}

#[test]
fn what_is_not_worth_it_or_was_begun_is_not_tried_again() {
    for kind in [FaultKind::Unauthorised, FaultKind::NotFound, FaultKind::Refused, FaultKind::Server(501)] {
        let world = world(draft("fake"));
        world.script.then(Act::Fail(kind.clone()));
        assert_eq!(ask(&world).unwrap_err().kind, kind);
        assert_eq!(world.script.asked(), 1, "{kind:?}");
    }
    let world = world(draft("fake"));
    world.script.then(Act::Break("half an ans", FaultKind::Timeout));
    assert!(ask(&world).unwrap_err().started);
    assert_eq!(world.script.asked(), 1);
}

#[test]
fn retries_end_and_a_server_that_asks_for_patience_gets_it() {
    let world = limited(|limits| limits.breaker_failures = 100);
    for _ in 0..3 {
        world.script.then(Act::Fail(FaultKind::Unreachable));
    }
    assert_eq!(ask(&world).unwrap_err().kind, FaultKind::Unreachable);
    assert_eq!(world.pace.waited(), [500, 1_000]);
    assert!(matches!(world.server.state(), ProviderState::Unreachable { .. }));
    let patience = |seconds| FaultKind::Limited { retry_after: Some(Duration::from_secs(seconds)) };
    world.script.then(Act::Fail(patience(7)));
    ask(&world).unwrap();
    assert_eq!(world.pace.waited(), [7_500]);
    // More than anybody waits for: it is left alone until then.
    world.script.then(Act::Fail(patience(300)));
    assert_eq!(ask(&world).unwrap_err().kind, patience(300));
    let ProviderState::Limited { until, .. } = world.server.state() else { panic!("{:?}", world.server.state()) };
    assert_eq!(until.0 - world.pace.now().0, 300_000);
    let before = world.script.asked();
    let refused = ask(&world).unwrap_err();
    assert!(matches!(refused.kind, FaultKind::Limited { .. }) && world.script.asked() == before, "{refused}");
    world.pace.clock.advance_ms(300_000);
    ask(&world).unwrap();
}

#[test]
fn the_breaker_leaves_it_alone_then_tries_once() {
    let world = limited(|limits| limits.retries = 0);
    for _ in 0..3 {
        world.script.then(Act::Fail(FaultKind::Unreachable));
        ask(&world).unwrap_err();
    }
    let ProviderState::Resting { until, .. } = world.server.state() else { panic!("{:?}", world.server.state()) };
    assert_eq!(until.0 - world.pace.now().0, 30_000);
    assert!(world.server.unusable().unwrap().contains("left alone"));
    let refused = ask(&world).unwrap_err();
    assert!(refused.message.contains("left alone for"), "{refused}");
    assert_eq!(world.script.asked(), 3);
    world.pace.clock.advance_ms(30_000);
    world.script.then(Act::Fail(FaultKind::Timeout));
    ask(&world).unwrap_err();
    assert!(matches!(world.server.state(), ProviderState::Resting { .. }), "the trial failed");
    world.pace.clock.advance_ms(30_000);
    ask(&world).unwrap();
    assert_eq!(world.server.state(), ProviderState::Ready);
    let kinds = world.told.kinds();
    assert_eq!(kinds, ["provider.resting", "provider.resting", "provider.recovered"]);
}

#[test]
fn a_trial_that_is_stopped_is_given_to_the_next() {
    let world = limited(|limits| (limits.retries, limits.breaker_failures) = (0, 1));
    world.script.then(Act::Fail(FaultKind::Unreachable));
    ask(&world).unwrap_err();
    world.pace.clock.advance_ms(30_000);
    world.script.then(Act::Fail(FaultKind::Cancelled));
    assert_eq!(ask(&world).unwrap_err().kind, FaultKind::Cancelled);
    ask(&world).unwrap();
}

#[test]
fn when_it_opens_in_the_middle_of_a_call_the_fault_is_told_and_not_the_rest() {
    let world = limited(|limits| limits.breaker_failures = 2);
    for _ in 0..3 {
        world.script.then(Act::Fail(FaultKind::Timeout));
    }
    assert_eq!(ask(&world).unwrap_err(), fault(FaultKind::Timeout));
    assert_eq!(world.script.asked(), 2);
}

#[test]
fn our_own_limits_are_waited_for_a_little_and_told_beyond() {
    let world = limited(|limits| limits.requests_per_minute = 10);
    for _ in 0..10 {
        ask(&world).unwrap();
    }
    assert!(world.pace.waited().is_empty());
    ask(&world).unwrap();
    assert_eq!(world.pace.waited(), [6_000]);
    let slow = limited(|limits| limits.requests_per_minute = 2);
    ask(&slow).unwrap();
    ask(&slow).unwrap();
    let refused = ask(&slow).unwrap_err();
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(30)));
    assert!(matches!(slow.server.state(), ProviderState::Limited { .. }));
    assert_eq!(slow.script.asked(), 2, "nothing went out");
    slow.pace.clock.advance_ms(30_000);
    ask(&slow).unwrap();
}

#[test]
fn tokens_are_limited_by_what_was_used_in_the_end() {
    let world = limited(|limits| limits.tokens_per_minute = 200);
    // Each asks for 100; what was used is put right.
    ask(&world).unwrap();
    world.server.settle(100, 10);
    ask(&world).unwrap();
    world.server.settle(100, 10);
    ask(&world).unwrap();
    assert!(world.pace.waited().is_empty());
    world.server.settle(100, 280);
    assert!(matches!(ask(&world).unwrap_err().kind, FaultKind::Limited { .. }));
}

#[test]
fn a_check_asks_whatever_is_known_and_a_switched_off_one_is_never_asked() {
    let world = limited(|limits| (limits.retries, limits.breaker_failures) = (0, 1));
    world.script.then(Act::Fail(FaultKind::Unreachable));
    ask(&world).unwrap_err();
    assert!(matches!(world.server.state(), ProviderState::Resting { .. }));
    let status = world.server.check(&Cancel::new());
    assert_eq!((status.state, status.latency_ms.is_some()), (ProviderState::Ready, true));
    *world.script.down.lock().unwrap() = Some(FaultKind::Unauthorised);
    assert!(matches!(world.server.check(&Cancel::new()).state, ProviderState::Unauthorised { .. }));
    assert!(world.server.unusable().is_some());
    world.pace.clock.advance_ms(60_000);
    assert!(world.server.unusable().is_none(), "what a check found counts for its time");
    let off = super::Server::new(ProviderDraft { enabled: false, ..draft("off") }, world.server.parts.clone());
    let before = world.script.asked();
    assert_eq!(off.check(&Cancel::new()).state, ProviderState::Disabled);
    let refused = off.models(true, &Cancel::new()).unwrap_err();
    assert!(refused.message.contains("switched off") && world.script.asked() == before);
}

#[test]
fn lists_and_descriptions_are_remembered_for_a_while() {
    let world = world(draft("fake"));
    let cancel = Cancel::new();
    world.server.models(false, &cancel).unwrap();
    world.server.models(false, &cancel).unwrap();
    assert_eq!((world.script.asked(), world.server.status().models), (1, 1));
    world.server.models(true, &cancel).unwrap();
    assert_eq!(world.script.asked(), 2);
    world.server.info("m", false, &cancel).unwrap();
    world.server.info("m", false, &cancel).unwrap();
    assert_eq!(world.script.asked(), 3);
    world.pace.clock.advance_ms(61_000);
    world.server.info("m", false, &cancel).unwrap();
    assert_eq!(world.script.asked(), 4, "nobody knows any more whether it is well");
    world.server.forget_models();
    world.server.info("m", false, &cancel).unwrap();
    assert_eq!(world.script.asked(), 5);
}

#[test]
fn what_our_own_policy_forbids_is_asked_each_time_and_breaks_nothing() {
    let world = world(draft("fake"));
    for _ in 0..6 {
        world.script.then(Act::Fail(FaultKind::Forbidden));
        assert_eq!(ask(&world).unwrap_err().kind, FaultKind::Forbidden);
        assert!(matches!(world.server.state(), ProviderState::Forbidden { .. }));
        assert!(world.server.unusable().is_none(), "the policy may be another one by now");
    }
    assert_eq!(world.script.asked(), 6);
}
