//! Background agents: what each needs, what switching makes, and that a second time makes nothing new.

use super::*;
use crate::schedules::testing::World;

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn each_is_off_at_first_and_says_what_it_needs() {
    let world = World::new("2026-11-20T07:00:00Z");
    let all = world.scheduler.background().unwrap();
    let kinds: Vec<&str> = all.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["research", "pipeline-monitor", "digest", "session-snapshots"]);
    assert!(all.iter().all(|one| !one.on && one.agent.is_none()));
    let switch = |kind: &str, pairs: &[(&str, &str)]| world.scheduler.switch_background(kind, true, &values(pairs));
    assert!(switch("research", &[]).unwrap_err().message.contains("Question"));
    assert!(switch("pipeline-monitor", &[]).unwrap_err().message.contains("Log or report file"));
    assert!(switch("digest", &[("x", "y")]).is_err());
    assert!(switch("nothing", &[]).is_err());
    assert!(switch("research", &[("question", "q"), ("cron", "nonsense")]).is_err());
    assert!(world.scheduler.list("").unwrap().is_empty());
}

#[test]
fn switching_makes_agent_and_schedules_once() {
    let world = World::new("2026-11-20T07:00:00Z");
    let scheduler = &world.scheduler;
    let on = scheduler.switch_background("session-snapshots", true, &BTreeMap::new()).unwrap();
    let schedule = scheduler.get(on.schedule.unwrap()).unwrap();
    assert!(on.on && on.agent.is_some() && on.needs.is_empty());
    assert_eq!((schedule.words.as_str(), schedule.agent_name.as_str()), ("Every 5 minutes", "session-snapshots"));
    assert!(!scheduler.switch_background("session-snapshots", false, &BTreeMap::new()).unwrap().on);
    let again = scheduler.switch_background("session-snapshots", true, &BTreeMap::new()).unwrap();
    assert_eq!((again.agent, again.schedule), (on.agent, on.schedule));
    let log = [("log", "/var/log/app.log"), ("process", "cargo")];
    scheduler.switch_background("pipeline-monitor", true, &values(&log)).unwrap();
    let own = |all: Vec<Schedule>| all.into_iter().filter(|one| one.background.as_deref() == Some("pipeline-monitor"));
    assert_eq!(own(scheduler.list("").unwrap()).count(), 2);
    // Only the log from now on.
    scheduler.switch_background("pipeline-monitor", true, &values(&log[..1])).unwrap();
    let on: Vec<String> =
        own(scheduler.list("").unwrap()).filter(|one| one.settings.enabled).map(|one| one.settings.name).collect();
    assert_eq!(on, ["Pipeline monitor: log"]);
}
