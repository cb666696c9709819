//! Settings that decide what may leave this computer and how secrets are kept: a file that is changed while the program
//! runs makes them stricter at once, but looser only with the person's word.
//!
//! The settings file belongs to the person, and so does every process that an agent starts: such a process could write
//! it. What it could win is held back until somebody who sits before the window says yes, or starts the program again.

use crate::model::SettingValue;

pub(super) fn is_guarded(key: &str) -> bool {
    key.starts_with("network.") || key.starts_with("security.")
}

/// Whether the change gives anybody more than before. A change that is not known to be harmless does.
pub(super) fn allows_more(key: &str, before: &SettingValue, after: &SettingValue) -> bool {
    use SettingValue as V;
    if before == after {
        return false;
    }
    match (key, before, after) {
        ("network.policy", V::Text(before), V::Text(after)) => freedom(after) > freedom(before),
        ("network.hosts", V::List(before), V::List(after)) => after.iter().any(|host| !before.contains(host)),
        ("security.unconfined_commands", V::Bool(_), V::Bool(after)) => *after,
        ("security.max_failed_attempts", V::Integer(before), V::Integer(after)) => after > before,
        ("security.lockout_minutes", V::Integer(before), V::Integer(after)) => after < before,
        // 0 is never.
        ("security.lock_after_minutes" | "security.key_rotation_days", V::Integer(before), V::Integer(after)) => {
            *after == 0 || (*before != 0 && after > before)
        }
        _ => true,
    }
}

fn freedom(policy: &str) -> u8 {
    match policy {
        "nothing" => 0,
        "listed" => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stricter_is_taken_and_looser_is_not() {
        let text = |text: &str| SettingValue::Text(text.to_owned());
        let hosts = |hosts: &[&str]| SettingValue::List(hosts.iter().map(|host| (*host).to_owned()).collect());
        for (key, strict, loose) in [
            ("network.policy", text("nothing"), text("listed")),
            ("network.policy", text("listed"), text("all")),
            ("network.hosts", hosts(&["a.org"]), hosts(&["a.org", "b.org"])),
            ("security.max_failed_attempts", SettingValue::Integer(5), SettingValue::Integer(6)),
            ("security.lockout_minutes", SettingValue::Integer(15), SettingValue::Integer(1)),
            ("security.lock_after_minutes", SettingValue::Integer(5), SettingValue::Integer(0)),
            ("security.key_rotation_days", SettingValue::Integer(5), SettingValue::Integer(6)),
        ] {
            assert!(allows_more(key, &strict, &loose), "{key}");
            assert!(!allows_more(key, &loose, &strict), "{key}");
            assert!(!allows_more(key, &strict, &strict), "{key}");
        }
        assert!(allows_more("network.hosts", &hosts(&["a.org"]), &hosts(&["b.org"])));
        assert!(allows_more("security.vault", &text("keychain"), &text("files")));
    }
}
