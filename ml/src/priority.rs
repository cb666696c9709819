//! Lowers the priority of background threads, so that indexing, logging and imports yield to what the person is doing.

/// Makes this thread yield to all others. Where the system offers no such thing, nothing happens.
pub fn lower() {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: plain system calls without pointers; id 0 of PRIO_PROCESS means the calling thread on Linux.
        let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
        if result != 0 {
            tracing::debug!("the priority of a background thread could not be lowered");
        }
    }
}
