//! Whose turn it is: answers of one model are made one after the other, first come, first served.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use rspa_ml::Cancel;

#[derive(Default)]
pub struct Turns {
    waiting: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    next: u64,
    tickets: VecDeque<u64>,
}

/// Holds the turn until it is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    ticket: u64,
}

impl Turns {
    /// Takes a place in the queue at once; [`Turn::wait`] waits for it.
    pub fn queue(&self) -> Turn<'_> {
        let mut queue = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = queue.next;
        queue.next += 1;
        queue.tickets.push_back(ticket);
        Turn { turns: self, ticket }
    }

    /// Wakes everybody who waits, so that a cancelled one notices.
    pub fn wake(&self) {
        // Whoever has looked at its flag but does not wait yet holds the lock: without it, the call would be missed.
        let _queue = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
    }
}

impl Turn<'_> {
    /// False when it was cancelled before its turn came. `waits` is called once if somebody else is first.
    pub fn wait(&self, cancel: &Cancel, waits: impl FnOnce()) -> bool {
        let mut queue = self.turns.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.tickets.front() != Some(&self.ticket) {
            drop(queue);
            waits();
            queue = self.turns.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        }
        while queue.tickets.front() != Some(&self.ticket) && !cancel.is_cancelled() {
            queue = self.turns.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        !cancel.is_cancelled()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.waiting.lock().unwrap_or_else(PoisonError::into_inner).tickets.retain(|t| *t != self.ticket);
        self.turns.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn turns_come_in_order_and_can_be_given_up() {
        let turns = Arc::new(Turns::default());
        let first = turns.queue();
        assert!(first.wait(&Cancel::new(), || panic!("nobody is before it")));
        let (told, heard) = std::sync::mpsc::channel();
        let cancel = Cancel::new();
        let (given_up, stays) = (turns.clone(), turns.clone());
        let second = std::thread::spawn({
            let (cancel, told) = (cancel.clone(), told.clone());
            move || given_up.queue().wait(&cancel, || told.send(2).unwrap())
        });
        assert_eq!(heard.recv().unwrap(), 2);
        let third = std::thread::spawn(move || stays.queue().wait(&Cancel::new(), || told.send(3).unwrap()));
        assert_eq!(heard.recv().unwrap(), 3);
        cancel.cancel();
        turns.wake();
        assert!(!second.join().unwrap());
        drop(first);
        assert!(third.join().unwrap());
    }
}
