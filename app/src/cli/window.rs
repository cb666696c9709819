//! No verb: the window.

use std::time::Instant;

use super::arguments::Global;
use super::failure::Failure;

pub fn open(global: &Global, started: Instant) -> Result<(), Failure> {
    check_display()?;
    let _ = (global, started);
    Err(Failure::system("this build has no window", "Use a verb: rspa help."))
}

/// Without a display there is nothing to open a window on: say so before anything starts.
pub fn check_display() -> Result<(), Failure> {
    let needs_variable = cfg!(all(unix, not(target_os = "macos")));
    let named = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if needs_variable && !named {
        return Err(Failure::system(
            "there is no display to open a window on (neither WAYLAND_DISPLAY nor DISPLAY is set)",
            "Use a verb instead: ask, chat, index, search, models, settings, doctor, bench (rspa --help).",
        ));
    }
    Ok(())
}
