//! Commands of agents: what one must not be able to do, tried by the real executable as a user without rights.

mod ends;
mod limits;
mod reach;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rspa_core::confine::{Ended, Outcome, Request, Runner};
use rspa_core::model::{AllowedFolder, CommandLimits};
use rspa_tests::nobody::as_nobody;
use rspa_tests::world::World;
use tokio_util::sync::CancellationToken;

/// A computer with a person's files, and one folder that an agent may use.
struct Shut {
    world: World,
    runner: Runner,
    name: &'static str,
}

impl Shut {
    /// With all that this computer has.
    fn new() -> Self {
        let world = World::unprivileged();
        let runner = Runner::of(PathBuf::from(world.executable()));
        Self::with(world, runner, "as it is")
    }

    /// As a computer that keeps namespaces from its users; none where that cannot be had here.
    fn without_namespaces() -> Option<Self> {
        let world = World::unprivileged();
        let launcher = world.path().join("launcher");
        let script = format!(
            "#!/bin/sh\nexec unshare --user --map-root-user sh -c \
             'echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"' {} \"$@\"\n",
            world.executable().display()
        );
        fs::write(&launcher, script).unwrap();
        fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).unwrap();
        let works = as_nobody(|| Command::new("unshare").args(["--user", "--map-root-user", "true"]).status());
        if !works.is_ok_and(|status| status.success()) {
            println!("NOT TESTED: a computer without namespaces, because this one has none to begin with");
            return None;
        }
        Some(Self::with(world, Runner::of(launcher), "without namespaces"))
    }

    /// Where the folder of the agent cannot carry another layer, because it is two layers itself.
    fn on_layers() -> Option<Self> {
        let world = World::unprivileged();
        let (launcher, files) = (world.path().join("launcher"), world.files());
        let layer = |number: u8| {
            let (upper, work) = (format!("/mnt/upper{number}"), format!("/mnt/work{number}"));
            format!(
                "mkdir {upper} {work} && chmod 777 {upper} && mount -t overlay \
                 -o lowerdir={0},upperdir={upper},workdir={work},userxattr none {0} && ",
                files.display()
            )
        };
        let script = format!(
            "#!/bin/sh\nexec unshare --user --map-root-user --mount sh -c \
             'mount -t tmpfs none /mnt && {}{}exec \"$0\" \"$@\"' {} \"$@\"\n",
            layer(1),
            layer(2),
            world.executable().display()
        );
        fs::write(&launcher, script).unwrap();
        fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).unwrap();
        let shut = Self::with(world, Runner::of(launcher), "on layers");
        let namespaces = shut.has("namespaces");
        if !namespaces {
            println!("NOT TESTED: a folder that carries no layer, because: {}", shut.confinement().missing());
        }
        namespaces.then_some(shut)
    }

    fn with(world: World, runner: Runner, name: &'static str) -> Self {
        let shut = Self { world, runner, name };
        shut.put("home/.ssh/id_ed25519", "the key");
        shut.put("home/notes.txt", "the notes");
        shut
    }

    /// A file of the person's, below the world's folder.
    fn put(&self, name: &str, content: &str) {
        let path = self.world.path().join(name);
        let mut made = self.world.path().to_owned();
        for part in Path::new(name).parent().unwrap() {
            made.push(part);
            fs::create_dir_all(&made).unwrap();
            self.world.give_away(&made);
        }
        fs::write(&path, content).unwrap();
        self.world.give_away(&path);
    }

    fn home(&self, name: &str) -> String {
        self.world.home().join(name).display().to_string()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.world.files().join(name)
    }

    fn has(&self, layer: &str) -> bool {
        self.confinement().layers.iter().any(|one| one.name == layer && one.on)
    }

    fn confinement(&self) -> &rspa_core::confine::Confinement {
        as_nobody(|| self.runner.confinement())
    }

    fn request(&self, command: &str) -> Request {
        let folder = self.world.files();
        Request {
            command: command.to_owned(),
            folder: folder.clone(),
            folders: vec![AllowedFolder { path: folder, write: true }],
            private: vec![self.world.data()],
            limits: CommandLimits { seconds: 30, ..CommandLimits::default() },
            network: false,
            unconfined: false,
        }
    }

    fn run(&self, command: &str) -> Outcome {
        self.start(&self.request(command))
    }

    fn start(&self, request: &Request) -> Outcome {
        self.start_with(request, &CancellationToken::new())
    }

    fn start_with(&self, request: &Request, cancel: &CancellationToken) -> Outcome {
        as_nobody(|| self.runner.run(request, cancel)).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Runs it, and it must print exactly this line at its end.
    #[track_caller]
    fn says(&self, command: &str, last: &str) {
        let outcome = self.run(command);
        let said = said(&outcome);
        assert_eq!(said.lines().last(), Some(last), "{}: {command}: {:?}: {said}", self.name, outcome.ended);
    }

    /// Runs what works as the same user without confinement, and must fail with it.
    #[track_caller]
    fn fails_only_here(&self, command: &str, canary: &str) {
        let mut free = Command::new("sh");
        free.args(["-c", command]).current_dir(self.world.files());
        let outcome = as_nobody(|| free.output()).unwrap();
        let said = String::from_utf8_lossy(&outcome.stdout).into_owned() + &String::from_utf8_lossy(&outcome.stderr);
        assert!(outcome.status.success() && said.contains(canary), "{command} works without confinement: {said}");
        self.fails(command, if canary.is_empty() { "nothing" } else { canary });
    }

    /// Runs what must fail, and must not print `canary`.
    #[track_caller]
    fn fails(&self, command: &str, canary: &str) {
        let outcome = self.run(command);
        let said = said(&outcome);
        assert!(!said.contains(canary), "{}: {command}: {said}", self.name);
        let failed = !matches!(outcome.ended, Ended::Exited(0));
        assert!(failed, "{}: {command} succeeded: {said}", self.name);
    }
}

/// Each computer that can be had here.
fn everywhere(test: impl Fn(&Shut)) {
    for shut in [Some(Shut::new()), Shut::without_namespaces()].into_iter().flatten() {
        let confinement = shut.confinement().clone();
        if confinement.confines() {
            test(&shut);
        } else {
            println!("NOT TESTED {}: nothing confines a command here: {}", shut.name, confinement.missing());
        }
    }
}

fn said(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.output).into_owned()
}

/// Scripts are in Perl, which makes system calls that no program of the shell makes.
fn perl(script: &str) -> String {
    let names = "my ($s, $u, $p, $q); my $x = \"x\" x 4096;";
    format!("perl -MSocket -e '{names} {}' 2>&1", script.replace('\'', "'\\''"))
}

#[test]
fn a_command_works_in_its_folder_and_reads_no_secret() {
    everywhere(|shut| {
        let outcome = shut.run("echo hello; pwd; echo made > made.txt; exit 3");
        assert_eq!(outcome.ended, Ended::Exited(3), "{outcome:?}");
        assert_eq!(said(&outcome), format!("hello\n{}\n", shut.world.files().display()));
        assert_eq!(fs::read_to_string(shut.file("made.txt")).unwrap(), "made\n");
        let secret = shut.home(".ssh/id_ed25519");
        assert_eq!(as_nobody(|| fs::read_to_string(&secret)).unwrap(), "the key", "the same user may read it");
        shut.fails(&format!("cat {secret}"), "the key");
        println!("{}: {:#?}", shut.name, outcome.confinement);
    });
}

#[test]
fn a_confined_command_costs_little_time() {
    everywhere(|shut| {
        shut.run("true");
        let mut times: Vec<_> = (0..20)
            .map(|_| {
                let begun = Instant::now();
                assert_eq!(shut.run("true").ended, Ended::Exited(0));
                begun.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("{}: a confined `true` takes {:?} (median of 20; longest {:?})", shut.name, times[10], times[19]);
        assert!(times[10].as_millis() < 1_000, "{times:?}");
    });
}
