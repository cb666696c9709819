//! `rspa credentials` as a whole program: confirmed by a person at the terminal, refused to a script.

use std::io::{Read, Write};
use std::net::TcpListener;

use rspa_tests::terminal::Terminal;
use rspa_tests::world::{LIMIT, World};

const SECRET: &str = "sk-canary-0123456789";

/// Runs it at a terminal and answers what is asked there; the exit code.
fn at_terminal(world: &World, arguments: &[&str], answers: &[(&str, &str)]) -> Option<i32> {
    let mut terminal = Terminal::start(world.command().args(arguments));
    for (question, answer) in answers {
        terminal.shows(question);
        terminal.types(answer);
    }
    terminal.process().ended_within(LIMIT).code()
}

fn services(world: &World) -> Vec<String> {
    let list = world.json(["credentials", "list"]);
    assert!(!list.to_string().contains(SECRET), "{list}");
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["service"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_script_without_a_person_stores_nothing() {
    let world = World::empty();
    let outcome =
        world.run_with_input(["credentials", "--stdin", "set", "openai", "--json"], format!("{SECRET}\n").as_bytes());
    assert_eq!(outcome.code(), Some(5), "{outcome:?}");
    assert!(outcome.stderr.contains("only in the window or at a terminal"), "{outcome:?}");
    assert!(outcome.stderr.contains("--stdin") && !outcome.stderr.contains(SECRET), "{outcome:?}");
    assert!(services(&world).is_empty());
}

#[test]
fn a_person_at_the_terminal_sets_tests_and_removes() {
    let world = World::empty();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    let service = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut block = [0; 1024];
        while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
            let count = stream.read(&mut block).unwrap();
            assert!(count > 0, "the end within the request");
            asked.extend_from_slice(&block[..count]);
        }
        let body = r#"{"object":"list","data":[]}"#;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        String::from_utf8_lossy(&asked).into_owned()
    });
    let set = ["credentials", "set", "mine", "--url", &address];
    assert_eq!(at_terminal(&world, &set, &[("Key for mine", SECRET), ("[y/N]", "n")]), Some(5));
    assert!(services(&world).is_empty());
    assert_eq!(at_terminal(&world, &set, &[("Key for mine", SECRET), ("[y/N]", "y")]), Some(0));
    assert_eq!(services(&world), ["mine"]);
    let test = ["credentials", "test", "mine", "--yes", "127.0.0.1"];
    assert_eq!(at_terminal(&world, &test, &[("[y/N]", "y")]), Some(0));
    assert!(service.join().unwrap().contains(SECRET));
    assert_eq!(at_terminal(&world, &["credentials", "remove", "mine"], &[("[y/N]", "y")]), Some(0));
    assert!(services(&world).is_empty());
}
