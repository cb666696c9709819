//! The real window, read and driven over egui's inspection protocol by accessible names.
#![expect(clippy::disallowed_types, reason = "the inspection door of a test build is a loopback socket")]

use std::io::BufWriter;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use egui::accesskit::{Node, NodeId, Role, TreeUpdate};
use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_inspection::protocol::{Request, Response, read_handshake, read_message, write_message};

use crate::display::Display;
use crate::process::Running;
use crate::wait;
use crate::world::World;

/// The longest that something in the window is waited for; a small machine may compute a long prompt meanwhile.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Each look at the window makes it draw, which takes the processor from the model.
const PAUSE: Duration = Duration::from_millis(200);

pub struct Window {
    stream: TcpStream,
    process: Running,
    _display: Display,
}

/// One element of the accessibility tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    pub name: String,
    pub value: String,
    pub role: Role,
    pub enabled: bool,
    /// In logical points; none for what is not drawn.
    pub centre: Option<Pos2>,
}

impl Window {
    /// Starts the executable without a verb on a fresh display.
    ///
    /// # Panics
    /// When no window can be inspected.
    pub fn open(world: &World) -> Self {
        let display = Display::start();
        let address = free_address();
        let log = std::fs::File::create(world.path().join("window.log")).expect("a log can be written");
        let mut command = world.command();
        command
            .env("DISPLAY", display.name())
            .env("EGUI_INSPECTION", &address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut process = Running::start(&mut command);
        let stream =
            wait::until("the window's inspection door (was it built with --features inspection?)", PATIENCE, || {
                if process.has_ended() {
                    let log = std::fs::read_to_string(world.path().join("window.log")).unwrap_or_default();
                    panic!("the window ended: {log}");
                }
                TcpStream::connect(&address).ok()
            });
        stream.set_nodelay(true).expect("a socket takes options");
        read_handshake(&stream).expect("the window speaks the inspection protocol");
        Self { stream, process, _display: display }
    }

    fn ask(&mut self, request: &Request) -> Response {
        write_message(BufWriter::new(&self.stream), request).expect("the window takes requests");
        match read_message(&self.stream).expect("the window replies") {
            Response::Error { message } => panic!("the window could not do it: {message}"),
            response => response,
        }
    }

    /// Everything that a screen reader would find now.
    pub fn elements(&mut self) -> Vec<Element> {
        match self.ask(&Request::GetTree) {
            Response::Tree { accesskit: Some(tree), .. } => elements(&tree),
            Response::Tree { .. } => Vec::new(),
            other => panic!("asked for a tree, got {other:?}"),
        }
    }

    /// The first element that fits and stands still, waited for.
    ///
    /// # Panics
    /// When none comes, with all names that are there.
    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&Element) -> bool) -> Element {
        // What has just appeared may still move: only what is twice in the same place can be clicked.
        let mut last = None;
        let found = wait::paced(PATIENCE, PAUSE, || {
            let now = self.elements().into_iter().find(&fits);
            let still = now.clone().filter(|_| now == last);
            last = now;
            still
        });
        found.unwrap_or_else(|| {
            self.screenshot(&picture("failed.png"));
            let seen: Vec<String> =
                self.elements().iter().map(|e| format!("{:?} {:?} {:?}", e.role, e.name, e.value)).collect();
            panic!("waited {PATIENCE:?} in vain for {what}; the window shows:\n{}", seen.join("\n"));
        })
    }

    /// The first element with this name that is drawn and can be used.
    pub fn named(&mut self, name: &str) -> Element {
        self.wait_for(&format!("'{name}'"), |element| {
            element.name == name && element.centre.is_some() && element.enabled
        })
    }

    pub fn click(&mut self, name: &str) {
        let element = self.named(name);
        self.click_element(&element);
    }

    /// Presses and releases where the element is drawn, as a person's pointer would.
    pub fn click_element(&mut self, element: &Element) {
        let pos = element.centre.unwrap_or_else(|| panic!("'{}' is not drawn", element.name));
        let button =
            |pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
        self.apply(vec![Event::PointerMoved(pos)]);
        // In one frame: on a busy machine the next one may come so late that this was a long press, and no click.
        self.apply(vec![button(true), button(false)]);
    }

    /// Types into what has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.apply(vec![Event::Text(text.to_owned())]);
    }

    pub fn press(&mut self, key: Key, modifiers: Modifiers) {
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        self.apply(vec![event(true)]);
        self.apply(vec![event(false)]);
    }

    fn apply(&mut self, events: Vec<Event>) {
        match self.ask(&Request::ApplyEvents { events }) {
            Response::Done => {}
            other => panic!("sent events, got {other:?}"),
        }
    }

    /// Saves what the window shows.
    pub fn screenshot(&mut self, path: &Path) {
        let Response::Screenshot(image) = self.ask(&Request::GetScreenshot { pixels_per_point: None }) else {
            panic!("asked for a screenshot and got something else");
        };
        assert!(image.size[0] > 100 && image.size[1] > 100, "the window is {:?} pixels", image.size);
        let folder = path.parent().expect("a picture lies in a folder");
        std::fs::create_dir_all(folder).expect("folders can be made");
        std::fs::write(path, image.bytes).expect("a picture can be written");
    }

    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }
}

/// Where pictures of the window are kept for people to look at: `target/e2e`.
pub fn picture(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its executable");
    let folder = test.ancestors().find(|folder| folder.ends_with("deps")).and_then(|deps| deps.ancestors().nth(2));
    folder.unwrap_or(&std::env::temp_dir()).join("e2e").join(name)
}

/// An address that nobody listens on at this moment.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a listener has an address").to_string()
}

fn elements(tree: &TreeUpdate) -> Vec<Element> {
    let by_id: std::collections::HashMap<NodeId, &Node> = tree.nodes.iter().map(|(id, node)| (*id, node)).collect();
    tree.nodes
        .iter()
        .map(|(_, node)| Element {
            name: name_of(node, &by_id),
            value: node.value().unwrap_or_default().to_owned(),
            role: node.role(),
            enabled: !node.is_disabled(),
            centre: node
                .bounds()
                .map(|rect| Pos2::new(((rect.x0 + rect.x1) / 2.0) as f32, ((rect.y0 + rect.y1) / 2.0) as f32)),
        })
        .collect()
}

/// The accessible name: the label, else what it is labelled by, else the text of a label.
fn name_of(node: &Node, by_id: &std::collections::HashMap<NodeId, &Node>) -> String {
    if let Some(label) = node.label() {
        return label.to_owned();
    }
    let labels: Vec<&str> = node
        .labelled_by()
        .iter()
        .filter_map(|id| by_id.get(id))
        .filter_map(|label| label.value().or(label.label()))
        .collect();
    if !labels.is_empty() {
        return labels.join(" ");
    }
    if node.role() == Role::Label { node.value().unwrap_or_default().to_owned() } else { String::new() }
}
