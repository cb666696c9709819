//! Work with the rights of `nobody` in a process of root, for what must hold without any rights.

use std::thread;

use crate::program;

/// The user and group `nobody`.
pub const NOBODY: u32 = 65_534;

/// Does the work in a thread that has given up root for good; all that it starts has, too. Where this process is not
/// root, it is done as who it is.
///
/// # Panics
/// When the work does, or root cannot be given up.
pub fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if program::is_root() {
                give_up_root();
            }
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Of the calling thread alone: the library's functions would change all threads, the system calls do not.
fn give_up_root() {
    let none: *const libc::gid_t = std::ptr::null();
    // SAFETY: an empty list of groups and plain numbers.
    let results = unsafe {
        [
            libc::syscall(libc::SYS_setgroups, 0, none),
            libc::syscall(libc::SYS_setresgid, NOBODY, NOBODY, NOBODY),
            libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY),
        ]
    };
    assert_eq!(results, [0, 0, 0], "root can give itself up");
}
