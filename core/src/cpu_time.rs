//! Processor time of one thread or of this process: what work costs, however busy the computer is otherwise.

use std::time::Duration;

/// User and system time of the calling thread since it began; none where the system does not tell.
pub fn of_this_thread() -> Option<Duration> {
    #[cfg(unix)]
    {
        read(libc::CLOCK_THREAD_CPUTIME_ID)
    }
    #[cfg(not(unix))]
    None
}

/// User and system time of all threads of this process since it began; none where the system does not tell.
pub fn of_this_process() -> Option<Duration> {
    #[cfg(unix)]
    {
        read(libc::CLOCK_PROCESS_CPUTIME_ID)
    }
    #[cfg(not(unix))]
    None
}

#[cfg(unix)]
fn read(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for one timespec, which is all that the call writes to.
    let done = unsafe { libc::clock_gettime(clock, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanoseconds = u32::try_from(time.tv_nsec).ok()?;
    (done == 0).then(|| Duration::new(seconds, nanoseconds))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn work_costs_time() {
        let before = of_this_thread().unwrap();
        let mut sum = 0_u64;
        while of_this_thread().unwrap() == before {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(of_this_thread().unwrap() > before);
        assert!(of_this_process().unwrap() >= of_this_thread().unwrap());
    }
}
