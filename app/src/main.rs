//! The program.

fn main() -> anyhow::Result<()> {
    rspa_app::run_window(rspa_app::WindowOptions::default())
}
