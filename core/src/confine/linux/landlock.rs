//! Access to files by Landlock: the system's programs and the agent's folders, nothing else, whatever path leads there.

use std::path::Path;

use ::landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::super::policy::{Policy, Way};
use super::system;

/// The newest that this program knows; the kernel takes as much of it as it can.
const NEWEST: ABI = ABI::V9;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub on: bool,
    pub detail: String,
    /// Signals reach no process outside.
    pub signals: bool,
    /// Nothing is cut short that may not be written.
    pub lengths: bool,
}

/// Restricts this process for good.
pub fn apply(policy: &Policy) -> Result<Held, RulesetError> {
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(NEWEST))?.scope(Scope::from_all(NEWEST))?;
    if !policy.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let read = AccessFs::from_read(NEWEST);
    let all = AccessFs::from_all(NEWEST);
    let mut rules = ruleset.create()?;
    match policy.way {
        // The root holds only what was put there.
        Way::Apart | Way::Within => {
            rules = allow(rules, Path::new("/"), read)?;
            for folder in ["/tmp", "/var/tmp", "/dev/shm"] {
                rules = allow(rules, Path::new(folder), all)?;
            }
        }
        Way::Plain => {
            for path in system::programs().chain(system::configuration(policy.network)).chain(system::facts()) {
                rules = allow(rules, &path, read)?;
            }
            // Its own, and not that of what it starts: a folder of another process is another one.
            rules = allow(rules, Path::new("/proc/self"), read)?;
            rules = allow(rules, &policy.temporary, all)?;
        }
    }
    for device in system::DEVICES {
        rules = allow(rules, Path::new(device), AccessFs::ReadFile | AccessFs::WriteFile)?;
    }
    for folder in &policy.folders {
        rules = allow(rules, &folder.path, if folder.write { all } else { read })?;
    }
    let status = rules.restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, LandlockStatus::NotEnabled) => off("the kernel has it switched off"),
        (RulesetStatus::NotEnforced, _) => off("the kernel does not have it"),
        (_, LandlockStatus::Available { effective_abi, .. }) => Held {
            on: true,
            detail: format!("ABI {}", effective_abi as i32),
            signals: effective_abi >= ABI::V6,
            lengths: effective_abi >= ABI::V3,
        },
        _ => off("the kernel does not say"),
    })
}

fn off(detail: &str) -> Held {
    Held { on: false, detail: detail.to_owned(), signals: false, lengths: false }
}

/// What is not there needs no rule.
fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    let Ok(fd) = PathFd::new(path) else { return Ok(rules) };
    // Rights that only folders know are refused for a file.
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
    rules.add_rule(PathBeneath::new(fd, access))
}
