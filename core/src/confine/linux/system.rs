//! The parts of the system that a command needs in order to run programs, and no more.

use std::fs;
use std::path::{Path, PathBuf};

/// Programs and libraries.
pub fn programs() -> impl Iterator<Item = PathBuf> {
    let fixed = ["/usr", "/bin", "/sbin", "/opt", "/nix/store", "/gnu/store"].into_iter().map(PathBuf::from);
    let libraries = fs::read_dir("/").into_iter().flatten().flatten().map(|entry| entry.path());
    let libraries = libraries.filter(|path| path.to_str().is_some_and(|path| path.starts_with("/lib")));
    fixed.chain(libraries).filter(|path| path.exists())
}

/// Settings of the system that programs look up; none that names secrets or other people's rights.
pub fn configuration(network: bool) -> impl Iterator<Item = PathBuf> {
    const ALWAYS: &[&str] = &[
        "alternatives",
        "bash.bashrc",
        "bash_completion.d",
        "ca-certificates",
        "debian_version",
        "fonts",
        "gitconfig",
        "group",
        "inputrc",
        "java",
        "ld.so.cache",
        "ld.so.conf",
        "ld.so.conf.d",
        "locale.alias",
        "locale.conf",
        "localtime",
        "login.defs",
        "magic",
        "mime.types",
        "nsswitch.conf",
        "os-release",
        "passwd",
        "perl",
        "pki",
        "profile",
        "protocols",
        "python3",
        "services",
        "shells",
        "ssl/certs",
        "ssl/openssl.cnf",
        "terminfo",
        "timezone",
        "xattr.conf",
    ];
    const NETWORK: &[&str] = &["gai.conf", "host.conf", "hosts", "resolv.conf"];
    let names = ALWAYS.iter().chain(if network { NETWORK } else { &[] });
    names.map(|name| Path::new("/etc").join(name)).filter(|path| path.exists())
}

/// What the kernel tells of the computer: no process.
pub fn facts() -> impl Iterator<Item = PathBuf> {
    ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "version", "filesystems"]
        .into_iter()
        .map(|name| Path::new("/proc").join(name))
}

/// Devices that hold nothing.
pub const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
