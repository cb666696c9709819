//! What the launcher is told: the command, its folders and limits, and the environment that it gets.

use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
use serde::{Deserialize, Serialize};

use super::{Error, Request};
#[cfg(target_os = "linux")]
use crate::model::{AllowedFolder, CommandLimits};

/// How the launcher shuts a command in; the strongest that works here is taken.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    /// In namespaces of its own; what it writes is kept apart until it ended.
    Apart,
    /// In namespaces of its own; it writes into the folders, and their growth is watched.
    Within,
    /// In no namespace: kernel rules, limits, and the supervisor's hand on all descendants.
    Plain,
}

#[cfg(target_os = "linux")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Policy {
    pub way: Way,
    pub command: String,
    /// A program with its arguments in place of the command: it runs until it is stopped, and reads from its output,
    /// which is one end of a pair of sockets.
    #[serde(default)]
    pub program: Vec<String>,
    #[serde(with = "crate::model::exact_path")]
    pub folder: PathBuf,
    /// No folder lies in another one that gives as much; outer ones come first.
    pub folders: Vec<AllowedFolder>,
    /// For temporary files where there is no namespace.
    #[serde(with = "crate::model::exact_path")]
    pub temporary: PathBuf,
    pub limits: CommandLimits,
    pub network: bool,
    /// Also without Landlock and seccomp.
    pub unconfined: bool,
    pub environment: Vec<(String, String)>,
}

#[cfg(target_os = "linux")]
impl Policy {
    /// It is a program that is talked to for as long as it is needed.
    pub fn serves(&self) -> bool {
        !self.program.is_empty()
    }
}

/// Refuses folders that would give a command the system or what is private.
pub(super) fn check(request: &Request) -> Result<(), Error> {
    check_folders(request.folders.iter().map(|folder| &folder.path).chain([&request.folder]), &request.private)?;
    if !request.folders.iter().any(|allowed| request.folder.starts_with(&allowed.path)) {
        let why = "it lies outside of the agent's folders";
        return Err(Error::Folder { folder: request.folder.clone(), why });
    }
    Ok(())
}

/// As [`check`], of the folders alone.
pub(super) fn check_folders<'a>(
    folders: impl IntoIterator<Item = &'a PathBuf>,
    private: &[PathBuf],
) -> Result<(), Error> {
    // The folders are real paths; what is private is compared as it is named, and as it really is.
    let private = private.iter().flat_map(|path| [Some(path.clone()), path.canonicalize().ok()]).flatten();
    let private: Vec<PathBuf> = private.collect();
    let refuse = |folder: &Path, why| Err(Error::Folder { folder: folder.to_owned(), why });
    for folder in folders {
        let plain = folder.is_absolute()
            && folder.components().all(|part| {
                matches!(
                    part,
                    std::path::Component::Normal(_) | std::path::Component::RootDir | std::path::Component::Prefix(_)
                )
            });
        if !plain {
            return refuse(folder, "it is not a whole path");
        }
        if folder.parent().is_none() {
            return refuse(folder, "it is the whole file system");
        }
        if SYSTEM.iter().any(|system| folder.starts_with(system)) {
            return refuse(folder, "it belongs to the system");
        }
        // Samples lie in the data folder, and are made to be worked with.
        let holds = |private: &Path| folder.starts_with(private) && !folder.starts_with(private.join("samples"));
        if private.iter().any(|private| private.starts_with(folder) || holds(private)) {
            return refuse(folder, "it holds data of this program");
        }
        if KEYS.iter().any(|name| folder.join(name).is_dir()) {
            return refuse(folder, "keys or passwords lie in it");
        }
    }
    Ok(())
}

/// What no agent's folder may lie in.
const SYSTEM: &[&str] =
    &["/proc", "/sys", "/dev", "/run/user", "/boot", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64"];

/// Folders of keys and passwords: what holds one is a home, not a workplace.
const KEYS: &[&str] = &[".ssh", ".gnupg", ".aws", ".azure", ".kube", ".password-store", ".mozilla", ".thunderbird"];

/// Outer folders first, and none twice.
#[cfg(target_os = "linux")]
pub(super) fn ordered(folders: &[AllowedFolder]) -> Vec<AllowedFolder> {
    let mut sorted = folders.to_vec();
    sorted.sort_by_key(|folder| (folder.path.components().count(), !folder.write));
    let mut kept: Vec<AllowedFolder> = Vec::new();
    for folder in sorted {
        let covered = kept.iter().any(|outer| folder.path.starts_with(&outer.path) && (outer.write || !folder.write));
        if !covered {
            kept.push(folder);
        }
    }
    kept
}

/// All that a command finds in its environment: nothing of the person's but language and time zone.
#[cfg(target_os = "linux")]
pub(super) fn environment(home: &Path, of_this_process: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let home = home.to_string_lossy().into_owned();
    let mut environment: Vec<(String, String)> = [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("SHELL", "/bin/sh"),
        ("TERM", "dumb"),
        ("HOME", &home),
        ("TMPDIR", &home),
        ("XDG_CACHE_HOME", &format!("{home}/.cache")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    for name in ["LANG", "LC_ALL", "TZ"] {
        let harmless = |value: &String| {
            value.len() < 64 && value.chars().all(|c| c.is_ascii_alphanumeric() || "._-+/@:".contains(c))
        };
        if let Some(value) = of_this_process(name).filter(harmless) {
            environment.push((name.to_owned(), value));
        }
    }
    environment
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn folder(path: &str, write: bool) -> AllowedFolder {
        AllowedFolder { path: PathBuf::from(path), write }
    }

    fn request(at: &str, folders: Vec<AllowedFolder>) -> Request {
        Request {
            command: "true".to_owned(),
            folder: PathBuf::from(at),
            folders,
            private: vec![PathBuf::from("/home/a/.local/share/rspa")],
            limits: CommandLimits::default(),
            network: false,
            unconfined: false,
        }
    }

    #[test]
    fn folders_that_give_too_much_are_refused() {
        check(&request("/home/a/work/x", vec![folder("/home/a/work", true)])).unwrap();
        let samples = "/home/a/.local/share/rspa/samples/letters";
        check(&request(samples, vec![folder(samples, true)])).unwrap();
        for (at, given, why) in [
            ("/home/a/work", "/home/a/other", "outside"),
            ("/home/a/workshop", "/home/a/work", "outside"),
            ("/", "/", "whole file system"),
            ("/home/a", "/home/a", "data of this program"),
            ("/home/a/.local/share/rspa/x", "/home/a/.local/share/rspa/x", "data of this program"),
            ("/etc/ssh", "/etc", "belongs to the system"),
            ("/home/a/work/../.ssh", "/home/a/work", "whole path"),
            ("work", "work", "whole path"),
        ] {
            let error = check(&request(at, vec![folder(given, true)])).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_home_with_keys_is_no_workplace() {
        let home = tempfile::tempdir().unwrap();
        let at = home.path().to_str().unwrap();
        check(&request(at, vec![folder(at, true)])).unwrap();
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        let error = check(&request(at, vec![folder(at, true)])).unwrap_err();
        assert!(error.to_string().contains("keys or passwords"), "{error}");
    }

    #[test]
    fn a_folder_in_another_counts_only_when_it_gives_more() {
        let given = [
            folder("/a/b/c", true),
            folder("/a", false),
            folder("/a/b", false),
            folder("/a/b/c/d", false),
            folder("/a", false),
        ];
        assert_eq!(ordered(&given), [folder("/a", false), folder("/a/b/c", true)]);
    }

    #[test]
    fn the_environment_holds_nothing_of_the_persons() {
        let person = |name: &str| match name {
            "LANG" => Some("de_DE.UTF-8".to_owned()),
            "TZ" => Some("$(rm -rf)".to_owned()),
            _ => Some("secret".to_owned()),
        };
        let environment = environment(Path::new("/tmp"), person);
        let names: Vec<&str> = environment.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["PATH", "SHELL", "TERM", "HOME", "TMPDIR", "XDG_CACHE_HOME", "LANG", "LC_ALL"]);
        assert!(
            names.iter().all(|name| *name == "LC_ALL" || environment.iter().all(|(n, v)| n != name || v != "secret"))
        );
    }

    #[test]
    fn a_policy_survives_the_way_with_any_path() {
        use std::os::unix::ffi::OsStrExt;
        let odd = PathBuf::from(std::ffi::OsStr::from_bytes(b"/a/\xff\n\"x"));
        let policy = Policy {
            way: Way::Apart,
            command: "echo \u{0}\n".to_owned(),
            program: Vec::new(),
            folder: odd.clone(),
            folders: vec![AllowedFolder { path: odd, write: true }],
            temporary: PathBuf::from("/tmp"),
            limits: CommandLimits::default(),
            network: false,
            unconfined: false,
            environment: Vec::new(),
        };
        let line = serde_json::to_string(&policy).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Policy>(&line).unwrap(), policy);
    }
}
