//! A home, a data folder and an environment for one test, with nothing of the person's in it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::process::{self, Outcome};
use crate::program;
use crate::terminal::Terminal;

/// No single run of the executable in these tests takes longer, also on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(300);

/// The user and group `nobody`, to run without the rights of root.
const NOBODY: u32 = 65_534;

pub struct World {
    folder: TempDir,
    executable: PathBuf,
    models: Option<PathBuf>,
    unprivileged: bool,
}

impl World {
    /// Without any model.
    pub fn empty() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// In memory where the system has a place for that: for tests that start the program hundreds of times, and whose
    /// faults do not need a real disk.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::empty() }
    }

    fn below(place: &Path) -> Self {
        let folder =
            tempfile::Builder::new().prefix("rspa-test-").tempdir_in(place).expect("a temporary folder can be made");
        for name in ["home", "files", "run"] {
            fs::create_dir(folder.path().join(name)).expect("an empty folder takes another");
        }
        fs::set_permissions(folder.path().join("run"), fs::Permissions::from_mode(0o700)).expect("it is ours");
        Self { folder, executable: program::executable(), models: None, unprivileged: false }
    }

    /// With SmolLM2 and MiniLM to be found.
    pub fn with_models() -> Self {
        Self { models: Some(program::models()), ..Self::empty() }
    }

    /// Runs as `nobody` where this process is root, so that missing permissions count.
    pub fn unprivileged() -> Self {
        let mut world = Self::empty();
        if program::is_root() {
            // The build folder may lie below a home that others may not enter.
            let executable = world.folder.path().join("rspa");
            fs::hard_link(&world.executable, &executable)
                .or_else(|_| fs::copy(&world.executable, &executable).map(|_| ()))
                .expect("the executable can be linked or copied");
            world.executable = executable;
            world.unprivileged = true;
            fs::set_permissions(world.folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
            for name in ["home", "files", "run"] {
                world.give_away(&world.folder.path().join(name));
            }
        }
        world
    }

    /// Makes `nobody` the owner, where the program runs as nobody.
    pub fn give_away(&self, path: &Path) {
        if self.unprivileged {
            std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).expect("root may give away");
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// For the documents of the test.
    pub fn files(&self) -> PathBuf {
        self.path().join("files")
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// The executable with the data folder of this world.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.arg("--data-dir").arg(self.data_folder());
        self.prepare(&mut command);
        command
    }

    /// Another program (such as strace) that gets the executable as an argument.
    pub fn wrapped(&self, wrapper: &[&str]) -> Command {
        let (program, arguments) = wrapper.split_first().expect("a wrapper has a name");
        let mut command = Command::new(program);
        command.args(arguments).arg(&self.executable).arg("--data-dir").arg(self.data_folder());
        self.prepare(&mut command);
        command
    }

    /// As a person's shell would start it: no `--data-dir`, only this environment.
    pub fn prepare(&self, command: &mut Command) {
        command.env_clear().current_dir(self.files());
        for name in ["PATH", "LANG", "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "LIBGL_ALWAYS_SOFTWARE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", self.home()).env("XDG_RUNTIME_DIR", self.path().join("run"));
        command.env("RSPA_MODELS_PATH", self.models.as_deref().unwrap_or(&self.home()));
        if self.unprivileged {
            command.uid(NOBODY).gid(NOBODY);
        }
    }

    /// Made here, because nobody may not make it in a folder of root.
    fn data_folder(&self) -> PathBuf {
        let data = self.data();
        if !data.exists() {
            // Several commands may begin at once.
            fs::create_dir_all(&data).expect("the data folder can be made");
            self.give_away(&data);
        }
        data
    }

    /// Runs one verb to its end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        self.run_with_input(arguments, b"")
    }

    pub fn run_with_input<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, input: &[u8]) -> Outcome {
        process::run(self.command().args(arguments), input, LIMIT)
    }

    /// Runs one verb with `--json` and gives what it printed.
    ///
    /// # Panics
    /// When it fails or prints no JSON.
    #[track_caller]
    pub fn json<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> serde_json::Value {
        process::run(self.command().args(arguments).arg("--json"), b"", LIMIT).ok().json()
    }

    /// Runs one verb with `--json` that must fail with this code, and gives the error.
    ///
    /// # Panics
    /// When it ends in another way, or its error does not have the promised shape.
    #[track_caller]
    pub fn error<A: AsRef<OsStr>>(&self, code: i32, arguments: impl IntoIterator<Item = A>) -> Fault {
        Fault::of(&process::run(self.command().args(arguments).arg("--json"), b"", LIMIT), code)
    }

    /// Runs one verb with `--json` at a terminal of its own, at which the person is asked and says yes.
    ///
    /// # Panics
    /// When it does not ask.
    #[track_caller]
    pub fn in_person<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        let mut terminal = Terminal::start(self.command().args(arguments).arg("--json"));
        terminal.shows("[y/N]");
        terminal.types("y");
        terminal.outcome(LIMIT)
    }

    /// Writes a file below [`World::files`], with the folders that it needs.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.files().join(name);
        let folder = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(folder).expect("folders can be made");
        fs::write(&path, content).expect("a file can be written");
        path
    }

    /// Changes whenever something is written to a knowledge database.
    pub fn knowledge_state(&self) -> Vec<(SystemTime, u64)> {
        let Ok(profiles) = fs::read_dir(self.data().join("profiles")) else { return Vec::new() };
        profiles
            .flatten()
            .filter_map(|profile| fs::metadata(profile.path().join("knowledge.redb")).ok())
            .filter_map(|file| Some((file.modified().ok()?, file.len())))
            .collect()
    }

    /// Documents of the source, as `index documents` lists them.
    pub fn documents(&self, source: &Path) -> Vec<serde_json::Value> {
        let listed = self.json(["index".as_ref(), "documents".as_ref(), source.as_os_str()]);
        listed.as_array().expect("documents are a list").clone()
    }
}

/// An error as `--json` writes it.
#[derive(Debug)]
pub struct Fault {
    pub category: String,
    pub message: String,
    pub advice: String,
}

impl Fault {
    /// # Panics
    /// When the outcome is no failure with this code and a whole error on standard error.
    #[track_caller]
    pub fn of(outcome: &Outcome, code: i32) -> Self {
        assert_eq!(outcome.code(), Some(code), "stdout: {}\nstderr: {}", outcome.stdout, outcome.stderr);
        let line = outcome.stderr.lines().last().unwrap_or_default();
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in standard error: {}", outcome.stderr));
        let field = |name: &str| {
            let text = value["error"][name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"));
            assert!(!text.is_empty(), "{name} is empty in {value}");
            text.to_owned()
        };
        Self { category: field("category"), message: field("message"), advice: field("advice") }
    }
}
