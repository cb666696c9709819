//! Where listeners find the events of whoever works now; a listener goes on when another engine takes over.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Heard, Waker};
use crate::engine::{Events, Listener};

#[derive(Default)]
pub(super) struct Outlets {
    state: Mutex<State>,
    changed: Condvar,
    notify: Notify,
}

#[derive(Default)]
struct State {
    /// Rises with each change of `events`.
    generation: u64,
    /// None while nobody works.
    events: Option<Events>,
    closed: bool,
    waker: Option<Waker>,
}

impl Outlets {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.notify_all();
        self.notify.notify_waiters();
        self.wake();
    }

    /// From now on these are told.
    pub fn replace(&self, events: Events) {
        {
            let mut state = self.state();
            state.generation += 1;
            if let Some(waker) = &state.waker {
                events.set_waker(waker.clone());
            }
            state.events = Some(events);
        }
        self.tell();
    }

    /// Nobody works for a while; listeners wait.
    pub fn pause(&self) {
        self.state().events = None;
    }

    /// Nothing more comes.
    pub fn close(&self) {
        {
            let mut state = self.state();
            state.closed = true;
            state.events = None;
        }
        self.tell();
        // A waker may hold what holds the core.
        self.state().waker = None;
    }

    pub fn set_waker(&self, waker: Waker) {
        let mut state = self.state();
        if state.closed {
            return;
        }
        if let Some(events) = &state.events {
            events.set_waker(waker.clone());
        }
        state.waker = Some(waker);
    }

    pub fn wake(&self) {
        let waker = self.state().waker.clone();
        if let Some(waker) = waker {
            waker();
        }
    }
}

/// One listener's place in the stream of events.
pub struct Subscription {
    outlets: Arc<Outlets>,
    generation: u64,
    /// None until somebody works.
    listener: Option<Listener>,
}

impl Subscription {
    pub(super) fn new(outlets: Arc<Outlets>) -> Self {
        let (generation, listener) = {
            let state = outlets.state();
            (state.generation, state.events.as_ref().map(Events::listen))
        };
        Self { outlets, generation, listener }
    }

    /// The next event if there is one now.
    pub fn try_next(&mut self) -> Option<Heard> {
        match self.listener.as_mut().map_or(Some(Heard::Closed), Listener::try_next) {
            Some(Heard::Closed) => self.follow(),
            heard => heard,
        }
    }

    /// Blocks this thread until the next event.
    #[expect(clippy::should_implement_trait, reason = "it never ends with None; it says Closed")]
    pub fn next(&mut self) -> Heard {
        match self.listener.as_mut().map_or(Heard::Closed, Listener::next) {
            Heard::Closed => {}
            heard => return heard,
        }
        loop {
            if let Some(heard) = self.follow() {
                return heard;
            }
            let outlets = self.outlets.clone();
            let state = outlets.state();
            if !state.closed && !self.is_behind(&state) {
                drop(outlets.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Waits for the next event.
    pub async fn recv(&mut self) -> Heard {
        if let Some(listener) = &mut self.listener {
            match listener.recv().await {
                Heard::Closed => {}
                heard => return heard,
            }
        }
        loop {
            let outlets = self.outlets.clone();
            let changed = outlets.notify.notified();
            tokio::pin!(changed);
            // From here on a change is noticed, also one before it is waited for.
            changed.as_mut().enable();
            if let Some(heard) = self.follow() {
                return heard;
            }
            changed.await;
        }
    }

    fn is_behind(&self, state: &State) -> bool {
        state.events.is_some() && (state.generation != self.generation || self.listener.is_none())
    }

    /// After the end of one stream: the next one begins with a gap.
    fn follow(&mut self) -> Option<Heard> {
        let outlets = self.outlets.clone();
        let state = outlets.state();
        if state.closed {
            return Some(Heard::Closed);
        }
        if !self.is_behind(&state) {
            return None;
        }
        self.generation = state.generation;
        self.listener = state.events.as_ref().map(Events::listen);
        Some(Heard::Gap(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Event;
    use crate::clock::ManualClock;
    use crate::model::Timestamp;

    fn events() -> Events {
        Events::new(Arc::new(ManualClock::at(Timestamp(0))))
    }

    #[test]
    fn a_listener_goes_on_with_a_gap_when_another_engine_takes_over() {
        let outlets = Arc::new(Outlets::default());
        let mut early = Subscription::new(outlets.clone());
        assert!(early.try_next().is_none());
        let first = events();
        outlets.replace(first.clone());
        assert!(matches!(early.try_next(), Some(Heard::Gap(0))));
        first.publish(None, Event::ChatsChanged);
        outlets.pause();
        first.close();
        assert!(matches!(early.next(), Heard::Event(_)));
        assert!(early.try_next().is_none());

        let waiting = std::thread::spawn(move || (matches!(early.next(), Heard::Gap(0)), early));
        let second = events();
        outlets.replace(second.clone());
        let (gap, mut early) = waiting.join().unwrap();
        assert!(gap);
        second.publish(None, Event::ModelsChanged);
        assert!(matches!(early.next(), Heard::Event(told) if told.event == Event::ModelsChanged));
        second.close();
        outlets.close();
        assert!(matches!(early.next(), Heard::Closed));
    }
}
