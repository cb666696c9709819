//! Requests as the door gets them, pages as the model reads them.

use serde_json::json;

use super::World;
use crate::model::ProposedAction;
use crate::trust::egress::{Answer, Method};

fn answers(world: &World, status: u16, location: Option<&str>, body: &[u8]) {
    let answer = Answer { status, location: location.map(str::to_owned), body: body.to_vec(), complete: true };
    *world.host.answer.lock().unwrap() = Some(answer);
}

#[test]
fn a_request_is_shown_whole_and_sent_as_shown() {
    let world = World::new();
    answers(&world, 201, None, b"{\"ok\":true}");
    let arguments = json!({"method": "POST", "url": "https://api.example.org/v1/notes?x=1#top",
        "headers": [{"name": "Content-Type", "value": "application/json"}], "body": "{\"a\":1}"});
    let proposal = world.propose("http_request", arguments.clone()).unwrap();
    assert_eq!(
        proposal.action,
        ProposedAction::HttpRequest {
            method: "POST".to_owned(),
            url: "https://api.example.org/v1/notes?x=1".to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: "{\"a\":1}".to_owned(),
        }
    );
    assert_eq!(proposal.always.as_ref().unwrap().scope, "host:api.example.org POST");
    assert!(world.host.asked.lock().unwrap().is_empty(), "a proposal sends nothing");
    let output = world.call("http_request", arguments.clone()).unwrap();
    assert!(output.text.starts_with("Status 201 from api.example.org.\n{\"ok\":true}"), "{}", output.text);
    assert_eq!(output.changed, "sent POST to api.example.org (status 201)");
    let asked = world.host.asked.lock().unwrap();
    assert_eq!((asked[0].method, asked[0].body.as_slice()), (Method::Post, b"{\"a\":1}".as_slice()));
    assert_eq!((asked[0].url.as_str(), asked[0].headers.len()), ("https://api.example.org/v1/notes?x=1", 1));
    let mut other = proposal;
    other.action = ProposedAction::Look { what: String::new() };
    let tool = crate::tools::find("http_request").unwrap();
    assert!(tool.run(&arguments, &other, &world.scope).is_err());
}

#[test]
fn what_may_not_be_sent_is_refused_in_words() {
    let world = World::new();
    for (arguments, words) in [
        (json!({"method": "GET", "url": "http://example.org/"}), "not protected"),
        (json!({"method": "GET", "url": "file:///etc/passwd"}), "no https address"),
        (json!({"method": "GET", "url": "https://me:pass@example.org/"}), "no https address"),
        (json!({"method": "TRACE", "url": "https://example.org/"}), "no method"),
        (json!({"method": "GET", "url": "https://example.org/", "body": "x"}), "no body"),
        (
            json!({"method": "GET", "url": "https://example.org/", "headers": [{"name": "authorization", "value": "x"}]}),
            "cannot be sent",
        ),
        (
            json!({"method": "GET", "url": "https://example.org/", "headers": [{"name": "accept", "value": "a\r\nb: c"}]}),
            "cannot be sent",
        ),
    ] {
        let said = world.refused("http_request", arguments);
        assert!(said.contains(words), "{said}");
    }
    // The policy's word comes through as it is.
    let said = world.refused("http_request", json!({"method": "GET", "url": "https://example.org/"}));
    assert!(said.contains("the policy allows nothing"), "{said}");
}

#[test]
fn a_page_becomes_readable_text_with_links() {
    let world = World::new();
    let html = "<!doctype html><html><head><title>Bread &amp; Salt</title><script>evil()</script></head><body>\
        <h1>Baking</h1><p>Flour, <a href='/recipes?id=2#x'>water</a> and time.</p><h2>Oven</h2><p>220 degrees.</p>\
        <a href='javascript:alert(1)'>no</a><a href='https://other.example/a'>Other page</a></body></html>";
    answers(&world, 200, None, html.as_bytes());
    let output = world.call("read_page", json!({"url": "https://bread.example/start/"})).unwrap();
    assert_eq!(
        output.text,
        "Bread & Salt (https://bread.example/start/)\n# Baking\nFlour, water and time.\n## Oven\n220 degrees.\nnoOther page\n\
         Links:\n- water: https://bread.example/recipes?id=2\n- Other page: https://other.example/a"
    );
    answers(&world, 301, Some("/new"), b"");
    let said = world.said("read_page", json!({"url": "https://bread.example/start/"}));
    assert!(said.contains("redirects to https://bread.example/new, which was not followed"), "{said}");
    answers(&world, 404, None, b"");
    assert!(world.said("read_page", json!({"url": "https://bread.example/"})).contains("status 404"));
    answers(&world, 200, None, "plain \u{fc}\nwords".as_bytes());
    assert!(world.said("read_page", json!({"url": "https://bread.example/"})).ends_with("plain \u{fc}\nwords"));
    answers(&world, 200, None, &[0, 159, 146, 150].repeat(50));
    assert!(world.refused("read_page", json!({"url": "https://bread.example/"})).contains("binary"));
    answers(&world, 200, None, format!("<html>{}", "<div><b><i>".repeat(50_000)).as_bytes());
    assert!(world.refused("read_page", json!({"url": "https://bread.example/"})).contains("asks for more"));
}

#[test]
fn a_search_needs_a_service_and_takes_both_of_its_forms() {
    let mut world = World::new();
    let error = world.propose("web_search", json!({"query": "rye bread"})).unwrap_err();
    assert!(error.message.contains("no search service") && error.advice.contains("{query}"), "{error:?}");
    world.set("web_search", "address", json!("https://searx.example/search?q={query}&format=json"));
    answers(
        &world,
        200,
        None,
        br#"{"results":[{"title":"Rye","url":"https://a.example/rye","content":"Sour dough"},
        {"title":"Evil","url":"javascript:x","content":""}]}"#,
    );
    let text = world.said("web_search", json!({"query": "rye & bread"}));
    assert_eq!(text, "1 results for \"rye & bread\":\n[1] Rye \u{2014} https://a.example/rye\nSour dough");
    assert_eq!(world.host.asked.lock().unwrap()[0].url, "https://searx.example/search?q=rye%20%26%20bread&format=json");
    answers(&world, 200, None, b"<html><body><a href='https://b.example/x'>A page about rye</a><a href='/settings'>Settings page</a></body></html>");
    let text = world.said("web_search", json!({"query": "rye"}));
    assert!(text.contains("[1] A page about rye") && !text.contains("Settings"), "{text}");
}
