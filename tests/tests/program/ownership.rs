//! One data folder, several processes: shared, handed over, survived, and no approval without a person.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{ChildStderr, Stdio};

use egui::accesskit::Role;
use rspa_tests::documents::source_tree;
use rspa_tests::process::Running;
use rspa_tests::terminal::Terminal;
use rspa_tests::wait;
use rspa_tests::window::{Element, Window, picture};
use rspa_tests::world::{LIMIT, World};

/// Sources that every profile has by itself.
const BUILT_IN: usize = 3;

/// A command that has the data folder and waits for its next line.
struct Chat {
    process: Running,
    said: BufReader<ChildStderr>,
}

impl Chat {
    fn open(world: &World) -> Self {
        let mut command = world.command();
        command.args(["chat", "--json"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Running::start(&mut command);
        let said = BufReader::new(process.child().stderr.take().unwrap());
        let mut chat = Self { process, said };
        chat.ask();
        chat
    }

    /// Without a model each message is answered with an error: from then on the folder is surely taken.
    fn ask(&mut self) {
        self.process.child().stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
        let mut line = String::new();
        // Between them it may log what strangers do.
        while !line.contains("\"error\"") {
            line.clear();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "it ended");
        }
    }

    fn end(mut self) {
        drop(self.process.child().stdin.take());
        self.process.ended_within(LIMIT);
    }
}

fn socket(world: &World) -> PathBuf {
    let folder = world.path().join("run/rspa");
    let mut entries = fs::read_dir(&folder).unwrap();
    entries.next().expect("an owner has a socket").unwrap().path()
}

/// A source in the list of the Knowledge page.
fn listed(name: &'static str) -> impl Fn(&Element) -> bool {
    move |element| element.role == Role::ListItem && element.name.starts_with(name) && element.centre.is_some()
}

#[test]
fn two_commands_share_the_data_folder() {
    let world = World::empty();
    world.write("notes/clock.md", "The quartz clock stands in the hall.\n");
    let mut first = Chat::open(&world);
    world.json(["index", "add", "--wait", "notes"]);
    let found = world.json(["search", "quartz clock"]);
    assert!(found["hits"][0]["path"].as_str().unwrap_or_default().ends_with("/clock.md"), "{found}");
    let refused = world.error(3, ["settings", "list", "--set", "ui.theme=dark"]);
    assert!(refused.message.contains("--set"), "{refused:?}");
    let mut command = world.command();
    command.args(["settings", "get", "ui.theme", "--json"]).env("RSPA_UI_THEME", "dark");
    let outcome = rspa_tests::process::run(&mut command, b"", LIMIT).ok();
    assert!(outcome.stderr.contains("RSPA_UI_THEME does not apply"), "{outcome:?}");
    // What needs the person is refused where nobody can be asked.
    let refused = world.error(5, ["settings", "set", "network.policy", "all"]);
    assert_eq!(refused.category, "authorisation");
    first.ask();
    first.end();
    assert_eq!(world.json(["index", "list"]).as_array().map(Vec::len), Some(1 + BUILT_IN));
}

#[test]
fn an_owner_that_is_killed_stops_nobody() {
    let world = World::empty();
    let mut first = Chat::open(&world);
    let mut second = Chat::open(&world);
    let left = socket(&world);
    first.process.kill();
    assert!(left.exists());
    // The client takes the folder over and goes on.
    second.ask();
    world.json(["index", "list"]);
    second.process.kill();
    world.json(["index", "list"]);
    assert!(!left.exists());
}

#[test]
fn a_command_uses_the_window_that_has_the_folder_and_a_second_start_raises_it() {
    let world = World::empty();
    world.write("old papers/a.md", "The brass lamp hangs over the table.\n");
    world.write("quay notes/b.md", "The quay is paved with granite.\n");
    world.json(["index", "add", "--wait", "old papers"]);
    let mut window = Window::open(&world);
    window.click("Knowledge");
    window.wait_for("the first source", listed("old papers"));
    world.json(["index", "add", "--wait", "quay notes"]);
    window.wait_for("what the command added", listed("quay notes"));
    let found = world.json(["search", "granite"]);
    assert!(found["hits"][0]["path"].as_str().unwrap_or_default().ends_with("/b.md"), "{found}");

    let second = world.run([""; 0]).ok();
    assert!(second.stdout.contains("comes to the front"), "{second:?}");

    window.process().kill();
    assert_eq!(world.json(["index", "list"]).as_array().map(Vec::len), Some(2 + BUILT_IN));
}

#[test]
fn a_window_takes_over_from_a_command_that_indexes_and_both_finish() {
    let world = World::empty();
    source_tree(&world.files().join("tree"), 0..3_000);
    let before = world.knowledge_state();
    let mut command = world.command();
    command.args(["index", "add", "--wait", "tree", "--json"]).stdin(Stdio::null());
    let mut command = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    wait::until("the first files to be indexed", LIMIT, || (world.knowledge_state() != before).then_some(()));
    assert!(!command.has_ended());
    let mut window = Window::open(&world);
    window.click("Knowledge");
    window.wait_for("the source", listed("tree"));
    let status = command.ended_within(LIMIT);
    let (mut said, mut printed) = (String::new(), String::new());
    command.child().stderr.take().unwrap().read_to_string(&mut said).unwrap();
    command.child().stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert!(status.success(), "{status} {said}");
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["documents"], 3_000, "{printed}");
    assert_eq!(world.json(["index", "list"])[0]["documents"], 3_000);
}

#[test]
fn only_the_person_in_the_window_opens_the_network() {
    let world = World::empty();
    world.write("notes/a.md", "A note.\n");
    world.json(["index", "add", "--wait", "notes"]);
    let mut window = Window::open(&world);
    window.named("Knowledge");
    for (button, code) in [("Refuse", 5), ("Allow", 0)] {
        let mut command = world.command();
        command.args(["settings", "set", "network.policy", "all"]).stdin(Stdio::null());
        let mut command = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
        window.named("Another program asks");
        window.wait_for("what will happen", |element| element.name.contains("network.policy"));
        if code == 5 {
            window.screenshot(&picture("consent.png"));
        }
        window.click(button);
        assert_eq!(command.ended_within(LIMIT).code(), Some(code), "{button}");
        let policy = world.json(["settings", "get", "network.policy"])["value"].clone();
        assert_eq!(policy.to_string().contains("all"), code == 0, "{policy}");
    }
}

#[test]
fn without_a_window_the_person_confirms_at_the_terminal() {
    let world = World::empty();
    let refused = world.error(5, ["settings", "set", "network.policy", "all"]);
    assert_eq!(refused.category, "authorisation");
    // What comes through a pipe is nobody.
    let piped = world.run_with_input(["settings", "set", "network.policy", "all"], b"y\n");
    assert_eq!(piped.code(), Some(5), "{piped:?}");
    for (typed, code, value) in [("n", 5, "nothing"), ("", 5, "nothing"), ("y", 0, "all")] {
        let mut terminal = Terminal::start(world.command().args(["settings", "set", "network.policy", "all"]));
        terminal.shows("[y/N]");
        terminal.types(typed);
        assert_eq!(terminal.process().ended_within(LIMIT).code(), Some(code), "{typed}");
        let policy = world.json(["settings", "get", "network.policy"])["value"].clone();
        assert!(policy.to_string().contains(value), "{policy}");
    }
}

/// MessagePack of a map of texts and small numbers.
enum Pack<'a> {
    Text(&'a str),
    Number(u8),
    Map(Vec<(&'a str, Pack<'a>)>),
}

impl Pack<'_> {
    fn write(&self, into: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                into.push(0xa0 | u8::try_from(text.len()).unwrap());
                into.extend_from_slice(text.as_bytes());
            }
            Self::Number(number) => into.push(*number),
            Self::Map(fields) => {
                into.push(0x80 | u8::try_from(fields.len()).unwrap());
                for (name, value) in fields {
                    Pack::Text(name).write(into);
                    value.write(into);
                }
            }
        }
    }

    /// With its length in front.
    fn frame(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        let mut frame = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
        frame.extend(bytes);
        frame
    }
}

#[test]
fn strangers_and_other_versions_at_the_socket() {
    let world = World::empty();
    let mut owner = Chat::open(&world);
    let path = socket(&world);
    for noise in [&b"\x00\x00\x00\x00"[..], b"GET / HTTP/1.1\r\n\r\n", &[0xff; 4_096]] {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(noise).ok();
        stream.shutdown(std::net::Shutdown::Write).ok();
        stream.read_to_end(&mut Vec::new()).ok();
    }
    let mut newer = UnixStream::connect(&path).unwrap();
    let hello = Pack::Map(vec![("magic", Pack::Text("rspa-local")), ("protocol", Pack::Number(99))]);
    newer.write_all(&hello.frame()).unwrap();
    let mut answer = Vec::new();
    newer.read_to_end(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("client_too_new"), "{answer:?}");
    owner.ask();
    world.json(["index", "list"]);

    // An owner of a newer version, in the place of the real one.
    fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    let newer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let refused = Pack::Map(vec![
            ("protocol", Pack::Number(99)),
            ("version", Pack::Text("9.9.9")),
            ("why", Pack::Text("client_too_old")),
        ]);
        stream.write_all(&Pack::Map(vec![("refused", refused)]).frame()).unwrap();
        stream.read_to_end(&mut Vec::new()).ok();
    });
    let refused = world.error(4, ["index", "list"]);
    assert!(refused.message.contains("newer") && refused.message.contains("9.9.9"), "{refused:?}");
    assert!(refused.advice.contains("Update this rspa"), "{refused:?}");
    newer.join().unwrap();
    owner.end();
}
