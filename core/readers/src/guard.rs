//! Runs a reader where it can do no harm: a thread of its own, a large stack, a time limit, panics caught.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;

use super::{Extracted, Limits, ReadError, Reader};

/// Address space, not memory: only what is touched is used.
const STACK_BYTES: usize = 64 << 20;
/// Readers that ran over their time and could not be stopped. They end with the process, so they are counted.
const MOST_RUNAWAYS: usize = 2;
static RUNAWAYS: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// A panic becomes an error in words.
pub fn catch<T>(work: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(ReadError::Crashed))
}

/// Reads on a thread that is left behind when it takes too long.
pub fn read(
    reader: &'static dyn Reader,
    bytes: Arc<Vec<u8>>,
    limits: Limits,
    cancel: &Cancel,
) -> Result<Extracted, ReadError> {
    if RUNAWAYS.load(Ordering::Acquire) >= MOST_RUNAWAYS {
        return Err(ReadError::Io(
            "other documents keep its reader busy; it is tried again at the next start".to_owned(),
        ));
    }
    let stop = Cancel::new();
    let inner = stop.clone();
    let (sender, receiver) = sync_channel(1);
    let late = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let was_late = Arc::clone(&late);
    let spawned = thread::Builder::new().name("reader".to_owned()).stack_size(STACK_BYTES).spawn(move || {
        rspa_ml::priority::lower();
        let result = catch(|| reader.read(&bytes, &limits, &inner));
        // Nobody listens any more when the time was over.
        drop(sender.send(result));
        if was_late.swap(false, Ordering::AcqRel) {
            RUNAWAYS.fetch_sub(1, Ordering::AcqRel);
        }
    });
    spawned.map_err(|error| ReadError::Io(error.to_string()))?;

    let deadline = Instant::now() + Duration::from_secs(limits.seconds);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let give_up = match receiver.recv_timeout(left.min(Duration::from_millis(100))) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => return Err(ReadError::Crashed),
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => ReadError::Cancelled,
            Err(RecvTimeoutError::Timeout) if left.is_zero() => ReadError::TimedOut(limits.seconds),
            Err(RecvTimeoutError::Timeout) => continue,
        };
        stop.cancel();
        RUNAWAYS.fetch_add(1, Ordering::AcqRel);
        late.store(true, Ordering::Release);
        // It may have ended between the last wait and the mark.
        if receiver.try_recv().is_ok() && late.swap(false, Ordering::AcqRel) {
            RUNAWAYS.fetch_sub(1, Ordering::AcqRel);
        }
        return Err(give_up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DocumentKind;

    struct Panics;
    impl Reader for Panics {
        fn read(&self, _: &[u8], _: &Limits, _: &Cancel) -> Result<Extracted, ReadError> {
            panic!("a broken parser")
        }
    }

    struct Endless;
    impl Reader for Endless {
        fn read(&self, _: &[u8], _: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
            while !cancel.is_cancelled() {
                thread::yield_now();
            }
            Ok(Extracted::plain(DocumentKind::Text, super::super::Lines::new(String::new())))
        }
    }

    #[test]
    fn a_panicking_reader_is_an_error_in_words() {
        let error = read(&Panics, Arc::default(), Limits::default(), &Cancel::new()).unwrap_err();
        assert!(matches!(error, ReadError::Crashed));
    }

    #[test]
    fn an_endless_reader_is_left_behind() {
        let limits = Limits { seconds: 0, ..Limits::default() };
        let error = read(&Endless, Arc::default(), limits, &Cancel::new()).unwrap_err();
        assert!(matches!(error, ReadError::TimedOut(0)), "{error}");
    }
}
