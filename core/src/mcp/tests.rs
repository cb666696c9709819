//! Servers of tools against one that is written for it: used, crashed, hung, flooded, and still there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::scripted::{Manner, Scripted};
use super::*;
use crate::api::Event;
use crate::clock::{Ids, SystemClock};
use crate::model::{
    AllowedFolder, McpContent, McpServer, McpServerId, McpState, McpTransport, Permission, ProfileId, ToolEffect,
};
use crate::storage::{Db, DbOptions, tables};

struct World {
    servers: Servers,
    script: Arc<Scripted>,
    events: mpsc::Receiver<Event>,
    id: McpServerId,
    runtime: tokio::runtime::Runtime,
    keeper: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

fn draft(name: &str) -> crate::model::McpServerDraft {
    crate::model::McpServerDraft {
        name: name.to_owned(),
        transport: McpTransport::Stdio {
            command: "scripted".to_owned(),
            args: Vec::new(),
            env: Default::default(),
            folder: None,
            folders: vec![AllowedFolder { path: std::env::temp_dir(), write: false }],
            network: false,
        },
        enabled: true,
        call_seconds: 1,
        default: Permission::Ask,
    }
}

impl World {
    fn new(manner: Manner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let script = Arc::new(Scripted::new(manner, runtime.handle()));
        let (sender, events) = mpsc::channel();
        let sender = Mutex::new(sender);
        let clock = Arc::new(SystemClock);
        let servers = Servers::new(Parts {
            main,
            profile: ProfileId(Uuid::from_u128(9)),
            clock: clock.clone(),
            ids: Arc::new(Ids::seeded(clock, 5)),
            publish: Arc::new(move |event| drop(sender.lock().unwrap().send(event))),
            happened: Arc::new(|_happening| {}),
            turn: Arc::new(|_name| {}),
            runtime: runtime.handle().clone(),
            connect: script.clone(),
            patience: Patience {
                hello: Duration::from_millis(500),
                list: Duration::from_secs(20),
                ping: Duration::from_millis(300),
            },
            pause: |number| Duration::from_millis(20) * number,
            steady: Duration::from_secs(3_600),
        });
        let id = servers.add(draft("all")).unwrap().id;
        let keep = servers.clone();
        let keeper = Some(std::thread::spawn(move || keep.run()));
        Self { servers, script, events, id, runtime, keeper, _folder: folder }
    }

    fn call(&self, tool: &str) -> Result<McpContent, ApiError> {
        let arguments = json!({ "path": "a.txt" });
        self.runtime.block_on(self.servers.call(self.id, tool, &arguments, &CancellationToken::new()))
    }

    fn server(&self) -> McpServer {
        self.servers.get(self.id).unwrap()
    }

    /// Waits until the server is as it should be.
    fn until(&self, what: &str, fits: impl Fn(&McpServer) -> bool) -> McpServer {
        let last = Instant::now() + Duration::from_secs(30);
        loop {
            let server = self.server();
            if fits(&server) {
                return server;
            }
            let left = last.saturating_duration_since(Instant::now());
            self.events.recv_timeout(left).unwrap_or_else(|_| panic!("it is never {what}: {:?}", self.server().state));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.servers.close();
        if let Some(keeper) = self.keeper.take() {
            keeper.join().unwrap();
        }
        for life in self.script.lives.lock().unwrap().iter() {
            assert!(life.ended.load(Ordering::SeqCst), "a server outlives its profile");
        }
    }
}

fn is_ready(server: &McpServer) -> bool {
    matches!(server.state, McpState::Ready { .. })
}

#[test]
fn a_server_is_started_when_it_is_needed_and_used() {
    let world = World::new(Manner::Good);
    assert_eq!((world.server().state, world.script.starts.load(Ordering::SeqCst)), (McpState::Stopped, 0));
    let offer = world.runtime.block_on(world.servers.offer(world.id)).unwrap();
    assert_eq!(offer.instructions, "Be \\u{202e}kind.");
    let names: Vec<(&str, &str)> = offer.tools.iter().map(|tool| (&*tool.name, &*tool.tool)).collect();
    assert_eq!(names, [("echo", "mcp_all_echo"), ("read-all", "mcp_all_read_all")]);
    assert_eq!(offer.tools[0].description, "Does \\u{1b}[31mthings");
    assert_eq!((offer.resources[0].uri.as_str(), offer.prompts[0].arguments.len()), ("demo://one", 1));
    let given = world.call("echo").unwrap();
    assert_eq!(given.text, "echo {\"path\":\"a.txt\"}");
    assert_eq!((given.other, given.data), (vec!["image/png, 12 KB".to_owned()], Some(json!({ "path": "a.txt" }))));
    let server = world.server();
    assert_eq!((server.tools, server.resources, server.prompts, server.restarts), (2, 1, 1, 0));
    assert!(is_ready(&server) && server.confinement == "Confined for tests.");
    assert_eq!(server.log, "a scripted server \\u{1b}[1mbegins\n");
    let none = CancellationToken::new();
    let read = world.runtime.block_on(world.servers.read(world.id, "demo://one", &none)).unwrap();
    assert_eq!((read.text.as_str(), read.other.as_slice()), ("abc", ["image/png, 3 KB".to_owned()].as_slice()));
    let arguments = [("who".to_owned(), "Ada".to_owned())].into();
    let prompt = world.runtime.block_on(world.servers.prompt(world.id, "greet", arguments, &none)).unwrap();
    assert_eq!(prompt.text, "user:\nHello, Ada");
    let (missing, list) = (json!({ "path": "missing" }), json!([1]));
    let failed = world.servers.call(world.id, "echo", &missing, &none);
    assert!(world.runtime.block_on(failed).unwrap().failed);
    let wrong = world.servers.call(world.id, "echo", &list, &none);
    assert!(world.runtime.block_on(wrong).unwrap_err().message.contains("no JSON object"));
    assert!(world.call("unknown").unwrap_err().message.contains("no tool"));
    assert_eq!(world.script.starts.load(Ordering::SeqCst), 1);
    world.runtime.block_on(world.servers.stop(world.id)).unwrap();
    assert_eq!(world.server().state, McpState::Stopped);
    world.call("echo").unwrap();
    assert_eq!(world.script.starts.load(Ordering::SeqCst), 2);
}

#[test]
fn what_does_not_say_hello_is_failed_in_words_and_not_tried_again_at_once() {
    for (manner, words) in [
        (Manner::Mute, "did not say hello"),
        (Manner::EndsAtOnce, "could not be used"),
        (Manner::Babbles, "could not be used"),
    ] {
        let world = World::new(manner);
        let error = world.call("echo").unwrap_err();
        assert!(error.message.contains(words), "{manner:?}: {error}");
        assert!(error.message.contains("it wrote: a scripted server \\u{1b}[1mbegins"), "{error}");
        let again = world.call("echo").unwrap_err();
        assert!(again.message.contains("tried again in"), "{again}");
        assert_eq!(world.script.starts.load(Ordering::SeqCst), 1);
        *world.script.manner.lock().unwrap() = Manner::Good;
        // The person need not wait.
        world.runtime.block_on(world.servers.start(world.id)).unwrap();
        world.call("echo").unwrap();
    }
}

#[test]
fn a_crash_fails_the_call_once_and_the_server_is_started_again_three_times() {
    let world = World::new(Manner::Crashes);
    for round in 1..=3 {
        let error = world.call("echo").unwrap_err();
        assert!(error.message.contains("nobody knows whether it was done"), "{error}");
        assert_eq!(world.script.calls.load(Ordering::SeqCst), round, "the call is not repeated");
        world.until("ready again", |server| is_ready(server) && server.restarts as usize == round);
    }
    world.call("echo").unwrap_err();
    let given_up = world.until(
        "given up",
        |server| matches!(&server.state, McpState::Failed { why, .. } if why.contains("4 times in a row")),
    );
    assert_eq!(given_up.restarts, 3);
    assert!(world.call("echo").unwrap_err().message.contains("does not work"));
    assert_eq!(world.script.starts.load(Ordering::SeqCst), 4);
    *world.script.manner.lock().unwrap() = Manner::Good;
    world.runtime.block_on(world.servers.start(world.id)).unwrap();
    world.call("echo").unwrap();
}

#[test]
fn a_server_that_is_killed_while_nothing_is_asked_comes_back_by_itself() {
    let world = World::new(Manner::Good);
    world.call("echo").unwrap();
    world.script.kill();
    world.until("back", |server| is_ready(server) && server.restarts == 1);
    world.call("echo").unwrap();
}

#[test]
fn a_slow_call_ends_and_is_cancelled_and_the_server_stays() {
    let world = World::new(Manner::Slow);
    let error = world.call("echo").unwrap_err();
    assert!(error.message.contains("within 1 s"), "{error}");
    assert!(is_ready(&world.server()));
    let cancel = CancellationToken::new();
    let stopped = cancel.clone();
    let arguments = json!({});
    let call = world.servers.call(world.id, "echo", &arguments, &cancel);
    let stop = async {
        while world.script.calls.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        stopped.cancel();
    };
    let (given, ()) = world.runtime.block_on(async { tokio::join!(call, stop) });
    assert_eq!(given.unwrap_err(), ApiError::cancelled());
    world.runtime.block_on(world.servers.stop(world.id)).unwrap();
    let told = world.script.told.lock().unwrap();
    let cancelled = told.iter().filter(|method| *method == "notifications/cancelled").count();
    assert_eq!(cancelled, 2, "{told:?}");
}

#[test]
fn a_server_that_hangs_is_ended_and_started_again() {
    let world = World::new(Manner::Hangs);
    let error = world.call("echo").unwrap_err();
    assert!(error.message.contains("so it was ended"), "{error}");
    let back = world.until("back", |server| is_ready(server) && server.restarts == 1);
    assert_eq!(back.restarts, 1);
    assert_eq!(world.script.calls.load(Ordering::SeqCst), 1);
    assert!(world.script.lives.lock().unwrap()[0].ended.load(Ordering::SeqCst));
}

#[test]
fn noise_and_floods_are_survived() {
    for manner in [Manner::Noisy, Manner::Floods] {
        let world = World::new(manner);
        let call = world.servers.update(world.id, crate::model::McpServerDraft { call_seconds: 60, ..draft("all") });
        world.runtime.block_on(call).unwrap();
        for _ in 0..2 {
            let given = world.call("echo").unwrap_or_else(|error| panic!("{manner:?}: {error}"));
            assert_eq!(given.text, "echo {\"path\":\"a.txt\"}");
        }
        assert!(is_ready(&world.server()));
    }
}

#[test]
fn a_message_that_is_too_large_is_not_kept() {
    let world = World::new(Manner::Giant);
    // Dropped as it comes; the answer after it is the answer.
    let update = world.servers.update(world.id, crate::model::McpServerDraft { call_seconds: 60, ..draft("all") });
    world.runtime.block_on(update).unwrap();
    assert_eq!(world.call("echo").unwrap().text, "echo {\"path\":\"a.txt\"}");
}

#[test]
fn what_a_server_asks_is_declined_but_for_its_folders() {
    let world = World::new(Manner::Asks);
    let given = world.call("echo").unwrap();
    let answers: serde_json::Value = serde_json::from_str(&given.text).unwrap();
    assert!(answers[0]["error"]["code"].is_number(), "sampling: {answers}");
    let declined = answers[1]["result"]["action"] == "decline" || answers[1]["error"]["code"].is_number();
    assert!(declined, "elicitation: {answers}");
    let root = answers[2]["result"]["roots"][0]["uri"].as_str().unwrap();
    assert!(root.starts_with("file:///"), "{root}");
}

#[test]
fn a_server_that_asks_without_end_is_cut_off() {
    let world = World::new(Manner::AsksForEver);
    let error = world.call("echo").unwrap_err();
    assert!(error.message.contains("nobody knows"), "{error}");
    world.until("cut off and back", |server| server.restarts >= 1);
}

#[test]
fn lists_end_and_odd_names_are_left_out() {
    let world = World::new(Manner::Endless);
    let offer = world.runtime.block_on(world.servers.offer(world.id)).unwrap();
    assert!(offer.tools.len() > 400 && offer.tools.len() <= 500, "{}", offer.tools.len());
    assert_eq!(offer.tools.iter().filter(|tool| tool.name == "same").count(), 1);
    assert!(offer.tools.iter().all(|tool| tool.name.len() < 200 && tool.tool.len() <= 64));
}

#[test]
fn another_offer_is_listed_anew() {
    let world = World::new(Manner::Changes);
    world.call("echo").unwrap();
    world.until("listed anew", |server| server.tools == 3);
    let tools = world.servers.tools();
    assert!(tools.iter().any(|tool| tool.spec().name == "mcp_all_new0"));
}

#[test]
fn an_answer_of_another_kind_is_an_error() {
    let world = World::new(Manner::Odd);
    let error = world.call("echo").unwrap_err();
    assert!(error.message.contains("something else"), "{error}");
    assert!(is_ready(&world.server()));
}

#[test]
fn tools_of_a_server_stay_known_and_say_why_they_cannot_be_used() {
    let world = World::new(Manner::Good);
    let tool = |name: &str, start| world.servers.tool(name, start).unwrap();
    assert!(tool("mcp_all_echo", false).unavailable().unwrap().contains("does not offer"), "never reached");
    // An agent that has it starts it.
    let echo = tool("mcp_all_echo", true);
    assert_eq!(echo.unavailable(), None);
    let spec = echo.spec();
    assert_eq!((spec.effect, spec.default, spec.repeatable), (ToolEffect::Executes, Permission::Ask, false));
    assert!(spec.description.starts_with("Of the server all, which says of it: Does"), "{}", spec.description);
    assert!(tool("mcp_all_nothing", false).unavailable().unwrap().contains("does not offer"));
    assert!(world.servers.tool("read_file", false).is_none());
    world.runtime.block_on(world.servers.stop(world.id)).unwrap();
    assert_eq!(tool("mcp_all_echo", false).unavailable(), None, "it is started when it is called");
    let off = crate::model::McpServerDraft { enabled: false, ..draft("all") };
    world.runtime.block_on(world.servers.update(world.id, off)).unwrap();
    assert!(tool("mcp_all_echo", true).unavailable().unwrap().contains("switched off"));
    world.runtime.block_on(world.servers.remove(world.id)).unwrap();
    assert!(tool("mcp_all_echo", true).unavailable().unwrap().contains("removed"));
    assert!(world.servers.tools().is_empty());
}

#[test]
fn what_was_offered_is_known_before_the_server_is_started_again() {
    let world = World::new(Manner::Good);
    world.call("echo").unwrap();
    let parts = world.servers.clone_parts();
    let next = Servers::new(parts);
    let names: Vec<String> = next.tools().iter().map(|tool| tool.spec().name.into_owned()).collect();
    assert_eq!(names, ["mcp_all_echo", "mcp_all_read_all"]);
    assert_eq!(world.script.starts.load(Ordering::SeqCst), 1);
}

#[test]
fn several_callers_share_one_start() {
    let world = World::new(Manner::Good);
    let done = AtomicUsize::new(0);
    let (servers, id, runtime) = (&world.servers, world.id, world.runtime.handle());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (arguments, none) = (json!({}), CancellationToken::new());
                runtime.block_on(servers.call(id, "echo", &arguments, &none)).unwrap();
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    assert_eq!((done.load(Ordering::SeqCst), world.script.starts.load(Ordering::SeqCst)), (8, 1));
}
