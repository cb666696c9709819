//! No verb: the window.

use std::sync::Arc;
use std::time::Instant;

use rspa_core::api::{Core, Role};
use rspa_core::clock::SystemClock;

use super::arguments::Global;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::output::Output;
use super::session;
use crate::{Measure, WindowOptions, run_window};

pub fn open(global: &Global, output: Output, started: Instant, exit_at_once: fn(i32) -> !) -> Result<(), Failure> {
    if Core::raise_window(&session::options(global, Role::Window)) {
        return output.line("The window is open already; it comes to the front.");
    }
    check_display()?;
    let interrupt = Interrupt::listen(exit_at_once)?;
    let waiter = tokio::runtime::Builder::new_current_thread().build()?;
    let asked = Box::new(move || drop(waiter.block_on(interrupt.wait())));
    run(WindowOptions { asked_to_close: Some(asked), ..options(global, started, None) })
}

/// The window with what the global arguments say.
pub fn options(global: &Global, process_start: Instant, measure: Option<Measure>) -> WindowOptions {
    WindowOptions {
        process_start,
        data_folder: global.data_dir.clone(),
        overrides: global.overrides(),
        environment: session::environment(),
        console_level: global.console_level(),
        chat_model: None,
        clock: Arc::new(SystemClock),
        measure,
        asked_to_close: None,
    }
}

/// Opens the window and waits until it is closed.
pub fn run(options: WindowOptions) -> Result<(), Failure> {
    run_window(options).map_err(|error| {
        Failure::system(
            format!("the window cannot be opened: {error:#}"),
            "Check the display and its graphics driver, or use a verb instead (rspa --help).",
        )
    })
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
