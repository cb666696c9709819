//! A value that is asked for: keeps the old one while a newer is on its way; a newer question replaces an older.

use rspa_core::api::{ApiError, Pending};

/// What is known of something that core was asked for.
pub struct Slot<T> {
    value: Option<T>,
    error: Option<ApiError>,
    pending: Option<Pending<T>>,
    /// Ask again once the present question is answered.
    stale: bool,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { value: None, error: None, pending: None, stale: false }
    }
}

impl<T> Slot<T> {
    /// A slot that already has its value: for tests and the gallery.
    pub fn with(value: T) -> Self {
        Self { value: Some(value), ..Self::default() }
    }

    /// A slot whose question failed: for tests and the gallery.
    pub fn failed(error: ApiError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    /// As after a question that failed: for tests.
    #[cfg(test)]
    pub(crate) fn fail(&mut self, error: ApiError) {
        self.error = Some(error);
    }

    /// The latest value, also while a newer one is on its way.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// Why the latest question failed.
    pub fn error(&self) -> Option<&ApiError> {
        self.error.as_ref()
    }

    /// A question is on its way.
    pub fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Nothing was ever asked or given.
    pub fn is_untouched(&self) -> bool {
        self.value.is_none() && self.error.is_none() && self.pending.is_none()
    }

    pub fn set(&mut self, value: T) {
        self.value = Some(value);
        self.error = None;
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Waits for this reply from now on; an older question is dropped, which cancels its work.
    pub(crate) fn ask(&mut self, pending: Pending<T>) {
        self.pending = Some(pending);
        self.stale = false;
    }

    /// Asks unless a question is already on its way; then asks once more after it, so that nothing newer is missed.
    pub(crate) fn refresh(&mut self, ask: impl FnOnce() -> Pending<T>) {
        if self.pending.is_some() {
            self.stale = true;
        } else {
            self.ask(ask());
        }
    }

    /// Takes a reply if it is there. True if something changed.
    pub(crate) fn poll(&mut self) -> bool {
        let Some(reply) = self.pending.as_mut().and_then(Pending::poll_now) else { return false };
        self.pending = None;
        match reply {
            Ok(value) => self.set(value),
            Err(error) => self.error = Some(error),
        }
        true
    }

    /// True once after `refresh` came while a question was on its way and that question is answered.
    pub(crate) fn take_stale(&mut self) -> bool {
        self.pending.is_none() && std::mem::take(&mut self.stale)
    }
}

#[cfg(test)]
mod tests {
    use rspa_core::api::Pending;
    use tokio::sync::oneshot;
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[test]
    fn a_newer_question_cancels_the_older_and_keeps_the_value() {
        let (first, second) = (CancellationToken::new(), CancellationToken::new());
        let (_send_first, receive_first) = oneshot::channel();
        let (send_second, receive_second) = oneshot::channel();
        let mut slot = Slot::with(1);
        slot.ask(Pending::new(receive_first, first.clone()));
        slot.ask(Pending::new(receive_second, second.clone()));
        assert!(first.is_cancelled() && !second.is_cancelled());
        assert!(!slot.poll());
        assert_eq!(slot.get(), Some(&1));
        send_second.send(Ok(2)).unwrap();
        assert!(slot.poll());
        assert_eq!(slot.get(), Some(&2));
    }
}
