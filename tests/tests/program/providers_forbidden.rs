//! A profile that forbids the cloud: with a provider of each kind set up, not one packet leaves, the ledger names each
//! refusal, and the model inside this program answers.

use std::fs;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use rspa_tests::process::{self, Outcome};
use rspa_tests::world::{LIMIT, World};

const HOSTS: [(&str, &str, &str); 4] = [
    ("ollama", "https://ollama.example.org", "https://ollama.example.org:443"),
    ("anthropic", "https://api.anthropic.com", "https://api.anthropic.com:443"),
    ("openai", "https://api.openai.com/v1", "https://api.openai.com:443"),
    ("gemini", "https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com:443"),
];

/// How it is seen that nothing leaves.
enum Net {
    /// A network of this thread's own, with a way out that leads to a wire on which all is heard.
    Wire(i32),
    /// Where there are no namespaces: every call for a socket is traced.
    Strace,
}

fn shell(script: &str) -> bool {
    Command::new("sh").args(["-c", script]).output().is_ok_and(|output| output.status.success())
}

/// Moves this thread, and all that it starts, into a network of its own.
fn wire() -> Option<i32> {
    // SAFETY: a plain number; it changes nothing but which network this thread is in.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        return None;
    }
    let up = "ip addr add 10.9.8.7/24 dev d0 && ip link set d0 addrgenmode none; ip link set d0 up && \
              ip link set lo up && ip neigh replace 10.9.8.1 lladdr 02:00:00:00:00:01 dev d0 && \
              ip route add default via 10.9.8.1";
    let dummy = format!("ip link add d0 type dummy && {up}");
    let pair =
        format!("ip link add d0 type veth peer name d1 && ip link set d1 addrgenmode none; ip link set d1 up && {up}");
    if !shell(&dummy) && !shell(&pair) {
        return None;
    }
    // SAFETY: plain numbers; the descriptor is ours from here on.
    let socket = unsafe {
        libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_NONBLOCK, i32::from((libc::ETH_P_ALL as u16).to_be()))
    };
    (socket >= 0).then_some(socket)
}

/// Packets that were sent since it was last asked, but for those to this computer itself.
fn packets(socket: i32) -> usize {
    let mut count = 0;
    let mut buffer = [0_u8; 2_048];
    loop {
        // SAFETY: an all-zero address is a valid one.
        let mut from: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        let mut length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).unwrap();
        // SAFETY: buffer and address are ours and as long as is said.
        let read = unsafe {
            libc::recvfrom(socket, buffer.as_mut_ptr().cast(), buffer.len(), 0, (&raw mut from).cast(), &raw mut length)
        };
        if read < 0 {
            let error = io::Error::last_os_error();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
            return count;
        }
        // 772: loopback (ARPHRD_LOOPBACK).
        count += usize::from(from.sll_hatype != 772 && from.sll_pkttype == libc::PACKET_OUTGOING);
    }
}

struct Watched {
    world: World,
    net: Net,
    internet: Vec<String>,
}

impl Watched {
    fn run(&mut self, arguments: &[&str]) -> Outcome {
        let log = self.world.path().join("trace");
        let mut command = match &self.net {
            Net::Wire(_) => self.world.command(),
            Net::Strace => {
                let log = log.to_str().unwrap().to_owned();
                self.world.wrapped(&[
                    "strace",
                    "-f",
                    "-qq",
                    "-e",
                    "trace=socket,connect,sendto,sendmsg",
                    "-e",
                    "signal=none",
                    "-o",
                    &log,
                ])
            }
        };
        command.args(arguments).args(["--json", "--set", "network.policy=all", "--set", "models.max_tokens=12"]);
        for key in ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"] {
            command.env(key, "sk-never-sent-anywhere");
        }
        let outcome = process::run(&mut command, b"", LIMIT);
        if matches!(self.net, Net::Strace) {
            let calls = fs::read_to_string(&log).unwrap();
            self.internet.extend(calls.lines().filter(|line| line.contains("AF_INET")).map(str::to_owned));
        }
        outcome
    }

    fn left(&self) -> usize {
        match self.net {
            Net::Wire(socket) => packets(socket),
            Net::Strace => self.internet.len(),
        }
    }
}

#[test]
fn not_one_packet_leaves_a_profile_that_forbids_the_cloud() {
    // On a thread of its own: the network is that of the thread.
    std::thread::spawn(watched).join().unwrap();
}

fn watched() {
    let net = wire().map_or(Net::Strace, Net::Wire);
    println!("watched by {}", if matches!(net, Net::Wire(_)) { "a wire" } else { "strace" });
    let mut watched = Watched { world: World::with_models(), net, internet: Vec::new() };
    if let Net::Wire(socket) = watched.net {
        // The wire must be able to hear something.
        packets(socket);
        assert!(shell("bash -c 'echo here > /dev/udp/192.0.2.77/9'"));
        let end = Instant::now() + Duration::from_secs(5);
        while packets(socket) == 0 {
            assert!(Instant::now() < end, "nothing is heard on the wire");
            std::thread::yield_now();
        }
    }
    watched.run(&["profiles", "create", "Private", "--forbid-cloud"]).ok();
    for (kind, url, _) in HOSTS {
        let add =
            ["providers", "add", kind, "--id", kind, "--url", url, "--retries", "0", "--yes", "--profile", "Private"];
        let added = watched.run(&add).ok().json();
        assert_eq!(added["settings"]["base_url"], url, "{added}");
    }
    for (kind, _, _) in HOSTS {
        let refused = watched.run(&["providers", "models", kind, "--fresh", "--profile", "Private"]);
        assert_eq!(refused.code(), Some(5), "{refused:?}");
        let checked = watched.run(&["providers", "check", kind, "--profile", "Private"]);
        assert_eq!(checked.json()[0]["state"]["state"], "forbidden", "{checked:?}");
        let model = format!("{kind}/some-model");
        let question = format!("Say one word about {kind}.");
        let ask = ["ask", &question, "--no-knowledge", "--model", &model, "--profile", "Private"];
        let answered = watched.run(&ask).ok().json();
        assert!(!answered["answer"].as_str().unwrap().trim().is_empty(), "{answered}");
    }
    assert_eq!(watched.left(), 0, "{:#?}", watched.internet);
    let ledger = watched.run(&["network", "ledger", "--blocked", "--who", "providers", "--profile", "Private"]);
    let ledger = ledger.ok().json();
    let rows = ledger["items"].as_array().unwrap();
    for (kind, _, destination) in HOSTS {
        let own: Vec<_> = rows.iter().filter(|row| row["destination"] == destination).collect();
        assert!(own.len() >= 3, "{kind}: {ledger}");
        let why =
            |row: &&&serde_json::Value| row["reason"].as_str().unwrap().contains("forbids every call to the cloud");
        assert!(own.iter().all(|row| why(&row) && row["allowed"] == false && row["profile_name"] == "Private"));
    }
    let all = watched.run(&["network", "ledger"]).ok().json();
    assert!(all["items"].as_array().unwrap().iter().all(|row| row["allowed"] == false), "{all}");
}
