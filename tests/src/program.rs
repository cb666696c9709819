//! Where the executable under test lies, and the models that it answers with.

use std::path::{Path, PathBuf};

/// The executable: `RSPA_TEST_EXE`, or the one that was built beside this test.
///
/// # Panics
/// When there is none, with how to build it.
pub fn executable() -> PathBuf {
    if let Some(given) = std::env::var_os("RSPA_TEST_EXE") {
        let path = PathBuf::from(given);
        assert!(path.is_file(), "RSPA_TEST_EXE names {}, which is no file", path.display());
        return path;
    }
    let test = std::env::current_exe().expect("a process knows its executable");
    // target/debug/deps/program-… lies two levels below target/debug/rspa.
    let folder = test.parent().and_then(Path::parent).expect("tests lie in target/*/deps");
    let path = folder.join(format!("rspa{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is missing; build it with: cargo build -p rspa --features inspection", path.display());
    path
}

/// The folder with SmolLM2 and MiniLM.
///
/// # Panics
/// When they are missing, with how to fetch them.
pub fn models() -> PathBuf {
    let folder = std::env::var_os("RSPA_MODELS_PATH")
        .map(PathBuf::from)
        .unwrap_or_else(|| std::env::home_dir().expect("there is a home folder").join(".cache/rspa-models"));
    for part in ["SmolLM2-135M-Instruct.Q4_1.gguf", "all-MiniLM-L6-v2"] {
        let path = folder.join(part);
        assert!(path.exists(), "{} is missing; fetch it with: cargo xtask models", path.display());
    }
    folder
}

/// This process may do everything: mount, switch users.
pub fn is_root() -> bool {
    // SAFETY: geteuid has no arguments and cannot fail.
    unsafe { libc::geteuid() == 0 }
}
