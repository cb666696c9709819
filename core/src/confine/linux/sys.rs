//! The system calls that the launcher needs and the standard library does not have, each with its errors as `io::Error`.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::time::Duration;

pub type Pid = libc::pid_t;

pub fn path(path: impl AsRef<Path>) -> io::Result<CString> {
    Ok(CString::new(path.as_ref().as_os_str().as_bytes())?)
}

fn done(result: i64) -> io::Result<i64> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// None in the child. Only for a process with one thread: in the child of another one, locks may be held for ever.
pub fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: the launcher has one thread (it checks that first), so the child may use all of the library.
    let pid = unsafe { libc::fork() };
    Ok(match done(pid.into())? {
        0 => None,
        _ => Some(pid),
    })
}

/// Ends this process at once, without its exit handlers.
pub fn exit(code: i32) -> ! {
    // SAFETY: _exit takes a number and does not return.
    unsafe { libc::_exit(code) }
}

pub fn prctl(option: i32, value: u64) -> io::Result<()> {
    // SAFETY: the options used here take plain numbers; unused arguments must be 0.
    done(unsafe { libc::prctl(option, value, 0u64, 0u64, 0u64) }.into()).map(|_| ())
}

pub fn setsid() {
    // SAFETY: setsid has no arguments. It fails only in a process that leads its group, which then has a session anyway.
    unsafe { libc::setsid() };
}

pub fn unshare(flags: i32) -> io::Result<()> {
    // SAFETY: unshare takes a number; this process has one thread, and keeps no assumption on its namespaces.
    done(unsafe { libc::unshare(flags) }.into()).map(|_| ())
}

/// The user and group of this process.
pub fn ids() -> (u32, u32) {
    // SAFETY: both have no arguments and cannot fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

pub fn pid() -> Pid {
    // SAFETY: getpid has no arguments and cannot fail.
    unsafe { libc::getpid() }
}

pub fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: u64, data: &CStr) -> io::Result<()> {
    let data = if data.is_empty() { ptr::null() } else { data.as_ptr().cast() };
    // SAFETY: all pointers are to texts that end with 0 and live through the call; the kernel copies them.
    done(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data) }.into()).map(|_| ())
}

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    namespace: u64,
}

pub const MOUNT_READ_ONLY: u64 = 0x1;
pub const MOUNT_NO_SETUID: u64 = 0x2;
pub const MOUNT_NO_DEVICES: u64 = 0x4;

/// Sets attributes of a mount, and of all below it when asked to.
pub fn set_mount(target: &CStr, attributes: u64, below: bool) -> io::Result<()> {
    const RECURSIVE: i32 = 0x8000;
    let attributes = MountAttributes { set: attributes, clear: 0, propagation: 0, namespace: 0 };
    let flags = if below { RECURSIVE } else { 0 };
    // SAFETY: the structure is laid out as the kernel's, its size is given, and it lives through the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            target.as_ptr(),
            flags,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    };
    done(result).map(|_| ())
}

/// Makes the current folder, which must be a mount, the root; the old one is gone.
pub fn pivot_here() -> io::Result<()> {
    // SAFETY: both paths are constant texts; with "." twice the old root is stacked on the new one (pivot_root(2), notes).
    done(unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) })?;
    // SAFETY: a constant text and a flag.
    done(unsafe { libc::umount2(c".".as_ptr(), libc::MNT_DETACH) }.into())?;
    std::env::set_current_dir("/")
}

/// Gives up all capabilities, for this process and what it starts.
pub fn drop_capabilities() -> io::Result<()> {
    for capability in 0..64 {
        // Those that the kernel does not know, and all without CAP_SETPCAP, are refused; the set below is what counts.
        prctl(libc::PR_CAPBSET_DROP, capability).ok();
    }
    /// `struct __user_cap_header_struct` of capset(2).
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [[0u32; 3]; 2];
    // SAFETY: version 3 takes two sets of three words each; both structures live through the call.
    done(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) }).map(|_| ())
}

pub fn limit(resource: libc::__rlimit_resource_t, value: u64) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure lives through the call.
    done(unsafe { libc::getrlimit(resource, &raw mut now) }.into())?;
    let value = value.min(now.rlim_max);
    let wanted = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: as above.
    done(unsafe { libc::setrlimit(resource, &raw const wanted) }.into()).map(|_| ())
}

pub fn nice(value: i32) {
    // SAFETY: takes numbers. A lower priority is always allowed; when it is not, nothing is lost.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value) };
}

pub fn kill(pid: Pid, signal: i32) {
    // SAFETY: takes numbers. A process that is gone already is what was wanted.
    unsafe { libc::kill(pid, signal) };
}

/// How a child ended, if one did; `None` when all still run.
///
/// # Errors
/// When there is no child any more.
pub fn reap() -> io::Result<Option<(Pid, i32)>> {
    let mut status = 0;
    // SAFETY: status lives through the call.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    Ok((done(pid.into())? != 0).then_some((pid, status)))
}

/// Waits for the end of one child.
pub fn wait(pid: Pid) -> io::Result<i32> {
    let mut status = 0;
    loop {
        // SAFETY: status lives through the call.
        match done(unsafe { libc::waitpid(pid, &raw mut status, 0) }.into()) {
            Ok(_) => return Ok(status),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Becomes readable when the process has ended.
pub fn open_pid(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers.
    owned(done(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?)
}

fn owned(fd: i64) -> io::Result<OwnedFd> {
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the system call before this made the descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Waits until one of them can be read or is closed by the other side, at most this long. Whether each can.
pub fn readable<const N: usize>(sources: [BorrowedFd<'_>; N], limit: Duration) -> [bool; N] {
    let mut polled = sources.map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the list lives through the call and its length is given.
    let count = unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, limit) };
    polled.map(|one| count > 0 && one.revents != 0)
}

/// All signals do what they do by default, and none is held back.
pub fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: the default action is set; numbers that are no signal, and those that cannot be changed, are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: a set of plain data is filled by sigemptyset before it is used, and lives through both calls.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

/// Makes `to` another name of `from`; what `to` was is closed.
pub fn duplicate(from: BorrowedFd<'_>, to: RawFd) -> io::Result<()> {
    // SAFETY: takes numbers. Only 0, 1 and 2 are given as `to`, which nobody in the launcher owns as a value.
    done(unsafe { libc::dup2(from.as_raw_fd(), to) }.into()).map(|_| ())
}

/// A new descriptor of the same, at 3 or above, that is closed when another program is run.
pub fn above_standard(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers.
    owned(done(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 3) }.into())?)
}

/// Closes all descriptors from this one on, now, or when another program is run.
pub fn close_from(first: u32, at_exec: bool) -> io::Result<()> {
    let flags = if at_exec { libc::CLOSE_RANGE_CLOEXEC } else { 0 };
    // SAFETY: called before the launcher owns any of these, or only marks them.
    done(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flags) }).map(|_| ())
}

/// Opens a name in a folder; never follows a link at its end.
pub fn open_at(folder: BorrowedFd<'_>, name: &OsStr, flags: i32, mode: u32) -> io::Result<OwnedFd> {
    let name = path(name)?;
    // SAFETY: the name lives through the call.
    let fd =
        unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags | libc::O_NOFOLLOW | libc::O_CLOEXEC, mode) };
    owned(done(fd.into())?)
}

pub fn make_folder_at(folder: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<()> {
    let name = path(name)?;
    // SAFETY: the name lives through the call.
    done(unsafe { libc::mkdirat(folder.as_raw_fd(), name.as_ptr(), mode) }.into()).map(|_| ())
}

pub fn remove_at(folder: BorrowedFd<'_>, name: &OsStr, is_folder: bool) -> io::Result<()> {
    let name = path(name)?;
    let flags = if is_folder { libc::AT_REMOVEDIR } else { 0 };
    // SAFETY: the name lives through the call.
    done(unsafe { libc::unlinkat(folder.as_raw_fd(), name.as_ptr(), flags) }.into()).map(|_| ())
}

pub fn rename_at(folder: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
    let (from, to) = (path(from)?, path(to)?);
    let folder = folder.as_raw_fd();
    // SAFETY: the names live through the call.
    done(unsafe { libc::renameat(folder, from.as_ptr(), folder, to.as_ptr()) }.into()).map(|_| ())
}

pub fn link_text_at(folder: BorrowedFd<'_>, name: &OsStr, text: &Path) -> io::Result<()> {
    let (name, text) = (path(name)?, path(text)?);
    // SAFETY: the texts live through the call.
    done(unsafe { libc::symlinkat(text.as_ptr(), folder.as_raw_fd(), name.as_ptr()) }.into()).map(|_| ())
}

/// What the name is, itself and not what it links to.
pub fn stat_at(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<libc::stat> {
    let name = path(name)?;
    // SAFETY: stat is plain data that the call fills; the name lives through it.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        done(libc::fstatat(folder.as_raw_fd(), name.as_ptr(), &raw mut stat, libc::AT_SYMLINK_NOFOLLOW).into())?;
        Ok(stat)
    }
}

/// An extended attribute of what is open, if it has it and it is short.
pub fn attribute(fd: BorrowedFd<'_>, name: &CStr) -> Option<Vec<u8>> {
    let mut value = [0u8; 16];
    // SAFETY: the buffer's length is given and both live through the call.
    let length = unsafe { libc::fgetxattr(fd.as_raw_fd(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    usize::try_from(length).ok().map(|length| value[..length].to_vec())
}

/// The next offset from here on that holds data (or a hole); none behind the last one.
pub fn seek(fd: BorrowedFd<'_>, offset: i64, data: bool) -> Option<i64> {
    let whence = if data { libc::SEEK_DATA } else { libc::SEEK_HOLE };
    // SAFETY: takes numbers.
    done(unsafe { libc::lseek(fd.as_raw_fd(), offset, whence) }).ok()
}

/// What is free on the file system of this: bytes and files.
pub fn free(fd: BorrowedFd<'_>) -> io::Result<(u64, u64)> {
    // SAFETY: statvfs is plain data that the call fills.
    unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        done(libc::fstatvfs(fd.as_raw_fd(), &raw mut stat).into())?;
        Ok((stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_ffree))
    }
}
