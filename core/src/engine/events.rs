//! Numbered events to everybody who listens: bounded, never waiting for a slow listener.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::api::{Event, EventEnvelope, Heard, Waker};
use crate::clock::Clock;
use crate::model::ProfileId;

/// Events that a listener may lie behind before it gets a gap.
const CAPACITY: usize = 4096;

#[derive(Clone)]
pub struct Events(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    outlet: Mutex<Outlet>,
    waker: RwLock<Option<Waker>>,
}

struct Outlet {
    last: u64,
    /// None once closed.
    sender: Option<broadcast::Sender<Arc<Heard>>>,
}

impl Events {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let outlet = Outlet { last: 0, sender: Some(broadcast::Sender::new(CAPACITY)) };
        Self(Arc::new(Shared { clock, outlet: Mutex::new(outlet), waker: RwLock::new(None) }))
    }

    /// `profile` none for what concerns the whole program.
    pub fn publish(&self, profile: Option<ProfileId>, event: Event) {
        {
            // Numbering and sending under one lock, so that numbers arrive in order.
            let mut outlet = self.0.outlet.lock().unwrap_or_else(PoisonError::into_inner);
            outlet.last += 1;
            if !matches!(event, Event::AnswerDelta { .. } | Event::RunText { .. }) {
                tracing::trace!(number = outlet.last, event = event.name(), "told");
            }
            let envelope = EventEnvelope { number: outlet.last, at: self.0.clock.now(), profile, event };
            if let Some(sender) = &outlet.sender {
                // An error only says that nobody listens.
                drop(sender.send(Arc::new(Heard::Event(envelope))));
            }
        }
        self.wake();
    }

    /// Passes on what another engine told, with its numbers.
    pub(crate) fn relay(&self, heard: Heard) {
        {
            let outlet = self.0.outlet.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(sender) = &outlet.sender {
                drop(sender.send(Arc::new(heard)));
            }
        }
        self.wake();
    }

    pub(crate) fn wake(&self) {
        let waker = self.0.waker.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker();
        }
    }

    pub(crate) fn set_waker(&self, waker: Waker) {
        *self.0.waker.write().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    pub(crate) fn listen(&self) -> Listener {
        let outlet = self.0.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        Listener(outlet.sender.as_ref().map(broadcast::Sender::subscribe))
    }

    pub(crate) fn close(&self) {
        self.0.outlet.lock().unwrap_or_else(PoisonError::into_inner).sender = None;
        self.wake();
        // A waker may hold what holds the core.
        *self.0.waker.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// One listener's end; none when it began to listen after the end.
pub(crate) struct Listener(Option<broadcast::Receiver<Arc<Heard>>>);

impl Listener {
    pub(crate) fn try_next(&mut self) -> Option<Heard> {
        let Some(receiver) = &mut self.0 else { return Some(Heard::Closed) };
        match receiver.try_recv() {
            Ok(heard) => Some(Arc::unwrap_or_clone(heard)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Lagged(lost)) => Some(Heard::Gap(lost)),
            Err(TryRecvError::Closed) => Some(Heard::Closed),
        }
    }

    pub(crate) fn next(&mut self) -> Heard {
        let Some(receiver) = &mut self.0 else { return Heard::Closed };
        match receiver.blocking_recv() {
            Ok(heard) => Arc::unwrap_or_clone(heard),
            Err(RecvError::Lagged(lost)) => Heard::Gap(lost),
            Err(RecvError::Closed) => Heard::Closed,
        }
    }

    pub(crate) async fn recv(&mut self) -> Heard {
        let Some(receiver) = &mut self.0 else { return Heard::Closed };
        match receiver.recv().await {
            Ok(heard) => Arc::unwrap_or_clone(heard),
            Err(RecvError::Lagged(lost)) => Heard::Gap(lost),
            Err(RecvError::Closed) => Heard::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::model::Timestamp;

    #[test]
    fn a_slow_listener_gets_a_gap_and_then_the_newest() {
        let events = Events::new(Arc::new(ManualClock::at(Timestamp(0))));
        let mut slow = events.listen();
        for _ in 0..CAPACITY + 10 {
            events.publish(None, Event::ChatsChanged);
        }
        assert!(matches!(slow.try_next(), Some(Heard::Gap(10))));
        let Some(Heard::Event(first)) = slow.try_next() else { panic!("an event after the gap") };
        assert_eq!(first.number, 11);
        events.close();
        for number in 12..=u64::try_from(CAPACITY).unwrap() + 10 {
            let Heard::Event(envelope) = slow.next() else { panic!("event {number}") };
            assert_eq!(envelope.number, number);
        }
        assert!(matches!(slow.next(), Heard::Closed));
        assert!(matches!(events.listen().try_next(), Some(Heard::Closed)));
    }
}
