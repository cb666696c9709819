//! A view of the system of the command's own: few files, no other process, no network.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::super::policy::{Policy, Way};
use super::super::report::Changes;
use super::changes::{self, Apart};
use super::launcher::Refusal;
use super::{sys, system};

/// Where the new file system is put together; hidden from all but this process.
const BASE: &str = "/tmp";

/// Files and folders beside one for each block of the limit.
const SPARE_FILES: u64 = 4_096;

const QUIET: u64 = sys::MOUNT_NO_SETUID | sys::MOUNT_NO_DEVICES;

/// Leaves the namespaces that this process shares with the rest of the system; its children are in the new ones.
pub fn unshare(network: bool) -> Result<(), Refusal> {
    let (user, group) = sys::ids();
    let mut flags = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    if !network {
        flags |= libc::CLONE_NEWNET;
    }
    sys::unshare(flags).map_err(Refusal::of("making namespaces"))?;
    let map = |name: &str, text: String| {
        fs::write(Path::new("/proc/self").join(name), text).map_err(Refusal::of(format!("writing {name}")))
    };
    map("setgroups", "deny".to_owned())?;
    map("uid_map", format!("{user} {user} 1"))?;
    map("gid_map", format!("{group} {group} 1"))
}

/// The file system that the command sees.
pub struct Stage {
    store: OwnedFd,
    apart: Vec<Apart>,
}

impl Stage {
    /// Puts it together and enters it. As the first process of its namespaces.
    pub fn set(policy: &Policy) -> Result<Self, Refusal> {
        let step = |what: &str, path: &Path| Refusal::of(format!("{what} {}", path.display()));
        mount(c"none", Path::new("/"), c"", libc::MS_REC | libc::MS_PRIVATE, c"")
            .map_err(Refusal::of("parting mounts"))?;
        // Before anything covers them.
        let mut folders = Vec::new();
        for folder in &policy.folders {
            folders.push((folder, open_folder(&folder.path).map_err(step("opening", &folder.path))?));
        }
        let devices: Vec<(&str, OwnedFd)> =
            system::DEVICES.iter().filter_map(|path| Some((*path, open(Path::new(path)).ok()?))).collect();
        let base = Path::new(BASE);
        let megabytes = u64::from(policy.limits.disk_mb);
        let size = format!("mode=0700,size={megabytes}m,nr_inodes={}\0", megabytes * 256 + SPARE_FILES);
        let size = CStr::from_bytes_with_nul(size.as_bytes()).expect("digits and one 0 at the end");
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        mount(c"tmpfs", base, c"tmpfs", flags, size).map_err(Refusal::of("making a file system in memory"))?;
        let root = base.join("root");
        make(&root).map_err(step("making", &root))?;
        bind(&root, &root, None).map_err(step("mounting", &root))?;
        for path in system::programs().chain(system::configuration(policy.network)) {
            show(&path, &root).map_err(step("showing", &path))?;
        }
        let proc = root.join("proc");
        make(&proc).map_err(step("making", &proc))?;
        mount(c"proc", &proc, c"proc", flags | libc::MS_NOEXEC, c"").map_err(Refusal::of("showing processes"))?;
        // Kernels before 6.14 have one number for all namespaces, which is not ours to change.
        fs::write(proc.join("sys/kernel/pid_max"), (policy.limits.processes.max(301) + 64).to_string()).ok();
        attribute(&proc, QUIET | sys::MOUNT_READ_ONLY, false).map_err(step("protecting", &proc))?;
        set_devices(&root, devices).map_err(Refusal::of("showing devices"))?;
        for (index, name) in ["tmp", "var/tmp", "dev/shm"].into_iter().enumerate() {
            let (own, target) = (base.join(format!("temporary-{index}")), root.join(name));
            let made = make(&own).and_then(|()| fs::set_permissions(&own, fs::Permissions::from_mode(0o1777)));
            made.and_then(|()| make(&target))
                .and_then(|()| bind(&own, &target, None))
                .map_err(step("making", &target))?;
        }
        let mut apart = Vec::new();
        for (index, (folder, handle)) in folders.into_iter().enumerate() {
            let target = beneath(&root, &folder.path);
            if !target.is_dir() {
                make(&target).map_err(step("making", &target))?;
            }
            let source = link(handle.as_fd());
            if folder.write && policy.way == Way::Apart {
                let (upper, work) = (base.join(format!("upper-{index}")), base.join(format!("work-{index}")));
                make(&upper).and_then(|()| make(&work)).map_err(step("making", &upper))?;
                fs::set_permissions(&upper, handle_mode(&handle)).map_err(step("making", &upper))?;
                let data = format!(
                    "lowerdir={},upperdir={},workdir={},userxattr\0",
                    source.display(),
                    upper.display(),
                    work.display()
                );
                let data = CStr::from_bytes_with_nul(data.as_bytes()).expect("names of ours and one 0 at the end");
                mount(c"overlay", &target, c"overlay", flags, data).map_err(step("laying over", &folder.path))?;
                let upper = open_folder(&upper).map_err(step("opening", &upper))?;
                apart.push(Apart { path: folder.path.clone(), upper, lower: handle });
            } else {
                let attributes = if folder.write { QUIET } else { QUIET | sys::MOUNT_READ_ONLY };
                bind(&source, &target, Some(attributes)).map_err(step("showing", &folder.path))?;
            }
        }
        attribute(&root, QUIET | sys::MOUNT_READ_ONLY, false).map_err(Refusal::of("protecting the root"))?;
        let store = open_folder(base).map_err(step("opening", base))?;
        std::env::set_current_dir(&root)
            .and_then(|()| sys::pivot_here())
            .map_err(Refusal::of("entering the new root"))?;
        Ok(Self { store, apart })
    }

    /// Where all that is written goes, which has the size of the limit.
    pub fn store(&self) -> BorrowedFd<'_> {
        self.store.as_fd()
    }

    /// Takes over what was written apart; none when it is too much. All that could change it meanwhile has ended.
    pub fn keep(&self, limit: u64) -> Option<Changes> {
        changes::keep(&self.apart, limit)
    }
}

fn mount(source: &CStr, target: &Path, kind: &CStr, flags: u64, data: &CStr) -> io::Result<()> {
    let target = sys::path(target)?;
    sys::mount(source, &target, kind, flags, data)
}

fn attribute(target: &Path, attributes: u64, below: bool) -> io::Result<()> {
    let target = sys::path(target)?;
    sys::set_mount(&target, attributes, below)
}

/// With all mounts below.
fn bind(source: &Path, target: &Path, attributes: Option<u64>) -> io::Result<()> {
    let path = sys::path(source)?;
    mount(&path, target, c"", libc::MS_BIND | libc::MS_REC, c"")?;
    attributes.map_or(Ok(()), |attributes| attribute(target, attributes, true))
}

/// A path of the system below the new root.
fn beneath(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The same path in the new root, not to be written: a link as the link, all else as it is.
fn show(path: &Path, root: &Path) -> io::Result<()> {
    let target = beneath(root, path);
    let parent = target.parent().unwrap_or(root);
    make(parent)?;
    if path.parent() == Some(Path::new("/")) && path.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(path)?, &target);
    }
    let source = open(path)?;
    match path.is_dir() {
        true => make(&target)?,
        false => drop(File::create(&target)?),
    }
    bind(&link(source.as_fd()), &target, Some(QUIET | sys::MOUNT_READ_ONLY))
}

fn set_devices(root: &Path, devices: Vec<(&str, OwnedFd)>) -> io::Result<()> {
    make(&root.join("dev"))?;
    for (path, device) in devices {
        let target = beneath(root, Path::new(path));
        File::create(&target)?;
        bind(&link(device.as_fd()), &target, Some(sys::MOUNT_NO_SETUID))?;
    }
    for (name, text) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        std::os::unix::fs::symlink(text, root.join("dev").join(name))?;
    }
    Ok(())
}

fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// What it is, not to be read through this.
fn open(path: &Path) -> io::Result<OwnedFd> {
    Ok(File::options().read(true).custom_flags(libc::O_PATH).open(path)?.into())
}

/// A folder itself: no link in its place.
fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    Ok(File::options().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path)?.into())
}

/// A name for what is open, whatever its own name holds.
fn link(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn handle_mode(handle: &OwnedFd) -> fs::Permissions {
    let mode =
        handle.try_clone().and_then(|fd| File::from(fd).metadata()).map_or(0o700, |data| data.permissions().mode());
    fs::Permissions::from_mode(mode & 0o777)
}
