//! Faults inside: a handler that panics, workers that fail, work that does not end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::api::Heard;
use crate::clock::ManualClock;
use crate::model::Timestamp;

fn engine(folder: &std::path::Path) -> Engine {
    engine_with(folder, Arc::new(ManualClock::at(Timestamp(1_760_000_000_000))), None)
}

pub(super) fn engine_with(
    folder: &std::path::Path,
    clock: Arc<dyn crate::clock::Clock>,
    faults: Option<Arc<dyn crate::faults::Faults>>,
) -> Engine {
    Engine::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(folder.to_owned()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::new(),
        console_level: Some("error".to_owned()),
        chat_model: None,
        clock,
        faults,
    })
    .unwrap()
}

fn health(listener: &mut Listener) -> (String, bool, String) {
    loop {
        match listener.next() {
            Heard::Event(envelope) => {
                if let Event::Health { part, healthy, detail } = envelope.event {
                    return (part, healthy, detail);
                }
            }
            other => panic!("{other:?} before news of health"),
        }
    }
}

#[test]
fn a_worker_that_panics_is_started_again_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let mut listener = engine.context().events.listen();
    let tries = Arc::new(AtomicU32::new(0));
    let count = tries.clone();
    engine.context().spawn_worker("test", move |_ctx, _cancel| {
        let count = count.clone();
        async move {
            assert!(count.fetch_add(1, Ordering::SeqCst) > 0, "the first try fails");
            Ok(())
        }
    });
    let (part, healthy, detail) = health(&mut listener);
    assert_eq!((part.as_str(), healthy), ("test", false));
    assert!(detail.contains("restarted"), "{detail}");
    assert_eq!(engine.context().degraded.list().len(), 1);
    assert_eq!(health(&mut listener), ("test".to_owned(), true, "works again".to_owned()));
    assert!(engine.context().degraded.list().is_empty());
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

#[test]
fn background_and_blocking_work_that_panics_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let ctx = engine.context().clone();
    let (sender, replies) = mpsc::channel();
    engine.context().spawn(async move {
        let one = ctx.background("digging", || -> Result<(), ApiError> { panic!("a fault") }).await;
        let two = ctx.blocking(|| -> Result<(), ApiError> { panic!("a fault") }).await;
        let three = ctx.background("adding", || Ok(2 + 2)).await;
        sender.send((one, two, three)).unwrap();
    });
    let (one, two, three) = replies.recv().unwrap();
    assert!(one.unwrap_err().message.contains("digging stopped"));
    assert_eq!(two.unwrap_err().category, ErrorCategory::System);
    assert_eq!(three, Ok(4));
}

#[test]
fn shutdown_cancels_what_runs_and_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let ended = Arc::new(AtomicU32::new(0));
    let (ctx, count) = (engine.context().clone(), ended.clone());
    engine.context().spawn(async move {
        ctx.shutdown.cancelled().await;
        ctx.databases.main().write_async(|_txn| Ok(())).await.unwrap();
        count.fetch_add(1, Ordering::SeqCst);
    });
    engine.shutdown();
    assert_eq!(ended.load(Ordering::SeqCst), 1);
    assert!(engine.context().databases.main().read().is_err());
    let count = ended.clone();
    engine.context().spawn(async move {
        count.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(ended.load(Ordering::SeqCst), 1);
}

#[test]
fn what_happened_is_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let mut listener = engine.context().events.listen();
    engine.context().happened("source.indexed", "papers");
    let Heard::Event(envelope) = listener.next() else { panic!("an event") };
    assert!(matches!(envelope.event, Event::ActivityCreated { activity } if activity.title == "papers"));
    assert_eq!(envelope.profile, Some(engine.context().profile));
    drop(engine);
    let again = self::engine(folder.path());
    let ctx = again.context();
    let kept = crate::storage::activities::kinds(ctx.databases.main(), ctx.profile).unwrap();
    assert_eq!(kept, [("source.indexed".to_owned(), 1)]);
}
