//! The door with a transport that only notes what reaches it, and with the real one against a server on this computer.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;

use super::*;
use crate::api::Heard;
use crate::clock::ManualClock;
use crate::model::{ProfileNetwork, SettingValue, Timestamp};
use crate::storage::{DbOptions, tables};
use crate::workspace::places::Places;

/// Notes addresses; pretends to receive ten bytes.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<String>>>);

impl Transport for Noting {
    fn download(
        &self,
        transfer: &Transfer<'_>,
        progress: &mut dyn FnMut(u64, Option<u64>),
        _cancel: &dyn Fn() -> bool,
    ) -> Result<(), ApiError> {
        assert!((transfer.ask)(transfer.url, None));
        self.0.lock().unwrap().push(transfer.url.to_owned());
        progress(4, Some(10));
        progress(10, Some(10));
        Ok(())
    }

    fn request(&self, request: &Request) -> Result<Answer, ApiError> {
        self.0.lock().unwrap().push(request.url.clone());
        Ok(Answer { status: 200, location: None, body: b"{}".to_vec(), complete: true })
    }

    fn stream(&self, request: Outgoing, _stop: Stop) -> Result<Incoming, StreamFault> {
        self.0.lock().unwrap().push(request.url);
        Ok(Incoming { status: 200, headers: Vec::new(), body: Box::new(b"0123456789".as_slice()) })
    }
}

struct World {
    folder: tempfile::TempDir,
    settings: Arc<Settings>,
    events: Events,
    seen: Noting,
    egress: Arc<Egress>,
}

fn world(transport: Option<Box<dyn Transport>>) -> World {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::find(&BTreeMap::new(), Some(folder.path()), None).unwrap();
    let settings = Arc::new(Settings::load(&places, &BTreeMap::new(), &BTreeMap::new(), None).unwrap());
    let main = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default()).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_000)));
    let events = Events::new(clock.clone());
    let seen = Noting::default();
    let transport = transport.unwrap_or_else(|| Box::new(seen.clone()));
    let egress = Egress::new(main, settings.clone(), events.clone(), clock, &profile("Work"), transport);
    World { folder, settings, events, seen, egress: Arc::new(egress) }
}

fn profile(name: &str) -> Profile {
    Profile {
        id: ProfileId(uuid::Uuid::from_u128(1)),
        name: name.to_owned(),
        created: Timestamp(0),
        updated: Timestamp(0),
        network: ProfileNetwork::default(),
    }
}

impl World {
    fn get(&self, url: &str, consent: Option<&Consent>) -> Result<(), ApiError> {
        let download = Download {
            who: "models".to_owned(),
            purpose: "a test".to_owned(),
            url: url.to_owned(),
            target: self.folder.path().join("file"),
            expected_size: None,
            sha256: None,
        };
        self.egress.download(&download, consent, &mut |_, _| {}, &|| false)
    }

    fn rows(&self) -> Vec<(String, bool, String, u64)> {
        let page = self.egress.ledger(PageRequest::default()).unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items.into_iter().map(|row| (row.destination, row.allowed, row.reason, row.bytes_received)).collect()
    }
}

#[test]
fn nothing_leaves_without_consent_and_the_refusal_is_written_down() {
    let world = world(None);
    let mut listener = world.events.listen();
    let error = world.get("https://example.org/model.gguf?key=secret", None).unwrap_err();
    assert_eq!(error.category, ErrorCategory::Authorisation);
    assert!(world.seen.0.lock().unwrap().is_empty());
    let origin = "https://example.org:443".to_owned();
    assert_eq!(world.rows(), [(origin, false, "policy: nothing".to_owned(), 0)]);
    let Some(Heard::Event(envelope)) = listener.try_next() else { panic!("an event") };
    assert!(matches!(envelope.event, Event::NetworkChanged { status } if status.requests_blocked == 1));
    assert!(world.get("http://127.0.0.1:1/x", None).is_err());
    assert_eq!(world.rows()[0].2, "policy: nothing (loopback)");
    assert!(world.seen.0.lock().unwrap().is_empty());
}

#[test]
fn consent_covers_just_its_host() {
    let world = world(None);
    let consent = Consent::once("Example.org");
    world.get("https://example.org/a", Some(&consent)).unwrap();
    assert!(world.get("https://example.org.evil.net/a", Some(&consent)).is_err());
    assert!(world.get("https://evil.net/example.org", Some(&consent)).is_err());
    assert_eq!(*world.seen.0.lock().unwrap(), ["https://example.org/a"]);
    let status = world.egress.status().unwrap();
    assert_eq!((status.requests_allowed, status.requests_blocked, status.bytes_received), (1, 2, 10));
    assert!(!status.active);
}

#[test]
fn the_list_of_hosts_is_enforced() {
    let world = world(None);
    let set = |key: &str, value| world.settings.set(key, &value).unwrap();
    set("network.hosts", SettingValue::List(vec!["good.org".to_owned()]));
    set("network.policy", SettingValue::Text("listed".to_owned()));
    world.get("https://good.org/a", None).unwrap();
    assert!(world.get("https://other.org/a", None).is_err());
    set("network.policy", SettingValue::Text("all".to_owned()));
    world.get("https://other.org/a", None).unwrap();
    let reasons: Vec<_> = world.rows().into_iter().map(|row| row.2).collect();
    assert_eq!(reasons, ["policy: all", "policy: listed, and other.org is not on the list", "policy: listed"]);
    assert_eq!(world.seen.0.lock().unwrap()[1], "https://other.org/a");
}

#[test]
fn a_profile_that_forbids_the_cloud_refuses_what_was_confirmed_and_allowed() {
    let world = world(None);
    world.settings.set("network.policy", &SettingValue::Text("all".to_owned())).unwrap();
    let mut work = profile("Work");
    work.network.forbid_cloud = true;
    work.network.policy = Some(NetworkPolicy::All);
    world.egress.set_profile(&work);
    let consent = Consent::once("example.org");
    for consent in [None, Some(&consent)] {
        let error = world.get("https://example.org/a", consent).unwrap_err();
        assert_eq!(error.category, ErrorCategory::Authorisation);
    }
    for host in ["127.0.0.1.example.org", "localhost.example.org", "0x7f.1.example", "10.0.0.1", "[fe80::1]"] {
        world.get(&format!("https://{host}/a"), None).unwrap_err();
    }
    assert!(world.seen.0.lock().unwrap().is_empty());
    for row in world.egress.ledger(PageRequest::default()).unwrap().items {
        assert_eq!(row.reason, "the profile \"Work\" forbids every call to the cloud");
        assert_eq!((row.profile, row.profile_name.as_str()), (Some(work.id), "Work"));
    }
    world.get("http://127.0.0.1:1/a", None).unwrap();
    assert_eq!(world.rows()[0].2, "policy: all (loopback)");
    assert!(world.egress.status().unwrap().forbid_cloud);
}

/// Starts a transfer and asks as often as it likes whether to stop.
struct Endless;

impl Transport for Endless {
    fn download(
        &self,
        transfer: &Transfer<'_>,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &dyn Fn() -> bool,
    ) -> Result<(), ApiError> {
        assert!((transfer.ask)(transfer.url, None));
        let mut received = 0;
        while !cancel() {
            received += 1;
            progress(received, None);
        }
        Err(ApiError::cancelled())
    }

    fn request(&self, _request: &Request) -> Result<Answer, ApiError> {
        Err(ApiError::cancelled())
    }

    fn stream(&self, _request: Outgoing, stop: Stop) -> Result<Incoming, StreamFault> {
        /// Gives one byte after the other until it is stopped.
        struct Dripping(Stop);
        impl Read for Dripping {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                if (self.0)() {
                    return Err(std::io::Error::other(StreamFault::Cancelled));
                }
                buffer[0] = b'x';
                Ok(1)
            }
        }
        Ok(Incoming { status: 200, headers: Vec::new(), body: Box::new(Dripping(stop)) })
    }
}

#[test]
fn a_transfer_ends_when_its_profile_forbids_the_cloud() {
    let world = world(Some(Box::new(Endless)));
    world.settings.set("network.policy", &SettingValue::Text("all".to_owned())).unwrap();
    let download = Download {
        who: "models".to_owned(),
        purpose: "a test".to_owned(),
        url: "https://example.org/a".to_owned(),
        target: world.folder.path().join("file"),
        expected_size: None,
        sha256: None,
    };
    let mut work = profile("Work");
    work.network.forbid_cloud = true;
    let mut progress = |received: u64, _total: Option<u64>| {
        if received == 3 {
            world.egress.set_profile(&work);
        }
    };
    world.egress.download(&download, None, &mut progress, &|| false).unwrap_err();
    assert_eq!(world.rows()[0].3, 3);
}

#[test]
fn the_stricter_of_settings_and_profile_is_in_force() {
    let world = world(None);
    let settings = |policy: &str, hosts: &[&str]| {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        world.settings.set("network.policy", &SettingValue::Text("nothing".to_owned())).unwrap();
        world.settings.set("network.hosts", &SettingValue::List(hosts)).unwrap();
        world.settings.set("network.policy", &SettingValue::Text(policy.to_owned())).unwrap();
    };
    let own = |policy: Option<NetworkPolicy>, hosts: &[&str]| {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let network = ProfileNetwork { policy, hosts, forbid_cloud: false };
        world.egress.set_profile(&Profile { network, ..profile("Work") });
    };
    let allowed = |host: &str| world.get(&format!("https://{host}/a"), None).is_ok();
    use NetworkPolicy as P;
    settings("all", &[]);
    own(None, &[]);
    assert!(allowed("a.org"));
    own(Some(P::Nothing), &[]);
    assert!(!allowed("a.org"));
    assert_eq!(world.rows()[0].2, "policy of the profile: nothing");
    own(Some(P::Listed), &["a.org"]);
    assert!(allowed("a.org") && !allowed("b.org"));
    own(Some(P::Listed), &[]);
    assert!(!allowed("a.org"));
    settings("listed", &["a.org", "b.org"]);
    own(Some(P::All), &[]);
    assert!(allowed("b.org") && !allowed("c.org"));
    own(Some(P::Listed), &["b.org", "c.org"]);
    assert!(allowed("b.org") && !allowed("a.org") && !allowed("c.org"));
    settings("nothing", &[]);
    own(Some(P::All), &["a.org"]);
    assert!(!allowed("a.org"));
    assert_eq!(world.egress.status().unwrap().policy, P::Nothing);
}

/// Answers each connection with the next of these texts.
fn serve(answers: Vec<String>) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, thread)
}

#[test]
fn a_real_transfer_is_counted_and_a_redirect_to_another_host_refused() {
    let world = world(Some(Box::new(FetchTransport)));
    let away = "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/secret?secret\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let good = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    let (address, server) = serve(vec![good.to_owned(), away.to_owned()]);
    let consent = Consent::once("127.0.0.1");
    world.get(&format!("http://{address}/file"), Some(&consent)).unwrap();
    assert_eq!(std::fs::read(world.folder.path().join("file")).unwrap(), b"hello");
    std::fs::remove_file(world.folder.path().join("file")).unwrap();
    let error = world.get(&format!("http://{address}/moved"), Some(&consent)).unwrap_err();
    assert_eq!(error.category, ErrorCategory::Authorisation, "{error}");
    assert!(!world.folder.path().join("file").exists());
    server.join().unwrap();
    let rows = world.rows();
    assert_eq!((rows[2].1, rows[2].3), (true, 5));
    let [refused, redirecting, _] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((refused.0.as_str(), refused.1), ("https://elsewhere.example:443", false));
    assert!(redirecting.1 && redirecting.2.contains("elsewhere.example"), "{}", redirecting.2);
    assert!(!format!("{rows:?}{error}").contains("secret"), "{rows:?} {error}");
    let status = world.egress.status().unwrap();
    assert_eq!((status.requests_allowed, status.requests_blocked), (2, 1));
}

#[test]
fn every_request_of_a_redirect_has_its_row() {
    let world = world(Some(Box::new(FetchTransport)));
    let good = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    let (files, file_server) = serve(vec![good.to_owned()]);
    let files = files.replace("127.0.0.1", "localhost");
    let moved = |place: &str| {
        format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    };
    let (hub, hub_server) =
        serve(vec![moved(&format!("http://{files}/f?key=secret")), moved("ftp://x.example/secret")]);
    let consent = Consent::once("127.0.0.1").and(["localhost".to_owned()]);
    world.get(&format!("http://{hub}/file"), Some(&consent)).unwrap();
    let rows = world.rows();
    let places: Vec<_> = rows.iter().map(|row| (row.0.clone(), row.1, row.3)).collect();
    assert_eq!(places, [(format!("http://{files}"), true, 5), (format!("http://{hub}"), true, 0)]);
    std::fs::remove_file(world.folder.path().join("file")).unwrap();
    // What the transport itself refuses is counted too.
    world.get(&format!("http://{hub}/file"), Some(&consent)).unwrap_err();
    let rows = world.rows();
    assert!(!rows[0].1 && rows[0].2.contains("only https is supported"), "{rows:?}");
    assert!(!format!("{rows:?}").contains("secret"), "{rows:?}");
    assert_eq!(world.egress.status().unwrap().requests_blocked, 1);
    hub_server.join().unwrap();
    file_server.join().unwrap();
}

#[test]
fn a_request_passes_the_same_door_and_its_secret_stands_nowhere() {
    let world = world(None);
    let request = Request {
        who: "credentials".to_owned(),
        purpose: "a test".to_owned(),
        method: Method::Get,
        url: "https://host.example/v1/models?key=secret".to_owned(),
        headers: vec![("authorization", crate::model::SecretText::new("Bearer secret".to_owned()))],
        body: Vec::new(),
        limit: std::time::Duration::from_secs(1),
    };
    let error = world.egress.request(&request, None).unwrap_err();
    assert_eq!(error.category, ErrorCategory::Authorisation);
    assert!(error.message.contains("host.example") && error.advice.contains("policy"), "{error:?}");
    let other = Consent::once("other.example");
    assert!(world.egress.request(&request, Some(&other)).is_err());
    assert!(world.seen.0.lock().unwrap().is_empty());
    let answer = world.egress.request(&request, Some(&Consent::once("host.example"))).unwrap();
    assert_eq!((answer.status, world.seen.0.lock().unwrap().len()), (200, 1));
    let rows = world.rows();
    assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(rows[0].3, 2);
    assert!(!format!("{rows:?} {error:?} {request:?}").replace("?key=secret", "").contains("secret"), "{rows:?}");
}

impl World {
    fn open(&self, url: &str, set_up_by_person: bool, cancel: &rspa_ml::Cancel) -> Result<Incoming, StreamFault> {
        let request = Outgoing {
            who: "providers".to_owned(),
            purpose: "a test".to_owned(),
            method: Method::Post,
            url: url.to_owned(),
            headers: vec![("x-api-key".to_owned(), crate::model::SecretText::new("sk-canary".to_owned()))],
            body: b"{}".to_vec(),
            limits: StreamLimits::default(),
            set_up_by_person,
        };
        self.egress.stream(request, cancel)
    }
}

#[test]
fn a_stream_stands_in_the_ledger_before_it_goes_out_and_is_completed_after_it() {
    let world = world(None);
    let cancel = rspa_ml::Cancel::new();
    world.settings.set("network.policy", &SettingValue::Text("all".to_owned())).unwrap();
    let mut incoming = world.open("https://example.org/v1/x?y", false, &cancel).unwrap();
    assert_eq!(world.rows(), [("https://example.org:443".to_owned(), true, "policy: all".to_owned(), 0)]);
    assert!(world.egress.status().unwrap().active);
    let mut body = String::new();
    incoming.body.read_to_string(&mut body).unwrap();
    drop(incoming);
    assert_eq!(world.rows()[0].2, "policy: all; status 200");
    assert_eq!(world.rows()[0].3, 10);
    let page = world.egress.ledger(PageRequest::default()).unwrap();
    assert_eq!(page.items[0].bytes_sent, "https://example.org/v1/x?yx-api-keysk-canary{}".len() as u64);
    assert!(!world.egress.status().unwrap().active);
    assert!(!format!("{page:?}").contains("canary"));
}

#[test]
fn this_computer_is_reached_under_every_policy_but_only_where_a_person_set_it_up() {
    let world = world(None);
    let cancel = rspa_ml::Cancel::new();
    let refused = |fault: StreamFault| matches!(fault, StreamFault::Refused(_));
    for loopback in ["http://127.0.0.1:1/x", "http://localhost:1/x", "http://[::1]:1/x"] {
        assert!(refused(world.open(loopback, false, &cancel).unwrap_err()));
        world.open(loopback, true, &cancel).unwrap();
        assert_eq!(world.rows()[0].2, "this computer, set up by the person; status 200");
    }
    // The flag opens nothing else.
    for away in ["https://example.org/x", "https://127.0.0.1.example.org/x", "http://10.0.0.1/x"] {
        assert!(refused(world.open(away, true, &cancel).unwrap_err()), "{away}");
    }
    let mut work = profile("Work");
    work.network.forbid_cloud = true;
    world.egress.set_profile(&work);
    world.settings.set("network.policy", &SettingValue::Text("all".to_owned())).unwrap();
    let fault = world.open("https://example.org/x", true, &cancel).unwrap_err();
    assert!(refused(fault));
    assert_eq!(world.rows()[0].2, "the profile \"Work\" forbids every call to the cloud");
    world.open("http://127.0.0.1:1/x", true, &cancel).unwrap();
}

#[test]
fn a_stream_ends_when_its_profile_forbids_it_or_the_person_stops_it() {
    let world = world(Some(Box::new(Endless)));
    let cancel = rspa_ml::Cancel::new();
    world.settings.set("network.policy", &SettingValue::Text("all".to_owned())).unwrap();
    let mut byte = [0];
    let mut incoming = world.open("https://example.org/x", false, &cancel).unwrap();
    incoming.body.read_exact(&mut byte).unwrap();
    cancel.cancel();
    let error = incoming.body.read(&mut byte).unwrap_err();
    assert_eq!(StreamFault::of(&error), StreamFault::Cancelled);
    drop(incoming);
    assert_eq!(world.rows()[0].2, "policy: all; status 200; failed: stopped");
    let mut incoming = world.open("https://example.org/x", false, &rspa_ml::Cancel::new()).unwrap();
    incoming.body.read_exact(&mut byte).unwrap();
    let mut work = profile("Work");
    work.network.forbid_cloud = true;
    world.egress.set_profile(&work);
    let error = incoming.body.read(&mut byte).unwrap_err();
    assert!(matches!(StreamFault::of(&error), StreamFault::Refused(_)), "{error}");
    drop(incoming);
    assert!(world.rows()[0].2.contains("forbids every call to the cloud"), "{:?}", world.rows()[0]);
    assert_eq!(world.rows()[0].3, 1);
}
