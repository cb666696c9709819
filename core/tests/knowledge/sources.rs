//! Sources of each kind: repositories, vaults, pages, and the profile's own chats, tasks and activities.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rspa_core::api::request::chats::{CreateChat, DeleteChat, GetMessages, RenameChat, SendQuestion};
use rspa_core::api::request::knowledge::{
    AddPage, DescribeDocument, ListDocuments, ListProblems, ListSources, PauseSource, ReadDocument, RemoveSource,
    RescanSource, Search, WaitFor, WaitForSource,
};
use rspa_core::api::request::profiles::CreateProfile;
use rspa_core::api::request::system::ListLedger;
use rspa_core::api::request::tasks::{CreateTasks, DeleteTasks};
use rspa_core::api::request::trash::RestoreTrashed;
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Event, Heard, Role};
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{
    ChatId, Document, DocumentKind, Message, MessageState, Origin, PageRequest, ProfileNetwork, Question, SearchQuery,
    SourceId, SourceKind, SourceState, Stale, TaskDraft,
};

use super::support::options;
use super::{add, wait, world};

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .output()
        .expect("git is there");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn documents(core: &Core, source: SourceId) -> Vec<Document> {
    core.call(ListDocuments { source, filter: String::new(), page: PageRequest::default() }).wait().unwrap().items
}

fn search(core: &Core, text: &str) -> Vec<rspa_core::model::SearchHit> {
    let query = SearchQuery { text: text.to_owned(), ..SearchQuery::default() };
    core.call(Search { query }).wait().unwrap().hits
}

fn of_kind(core: &Core, kind: SourceKind) -> SourceId {
    let all = core.call(ListSources {}).wait().unwrap();
    all.into_iter().find(|status| status.source.kind == kind).unwrap().source.id
}

#[test]
fn a_repository_gives_its_files_and_its_commits_and_reads_only_new_ones() {
    let world = world(Role::Command);
    let docs = &world.docs;
    world.write(".gitignore", "*.log\n!.git\n");
    world.write("notes.log", "ignored wombat");
    world.write("oven.md", "# Oven\n\nIt heats.\n");
    git(docs, &["init", "-q"]);
    git(docs, &["add", "."]);
    git(docs, &["commit", "-q", "-m", "Heat the oven\n\nThe quokka likes it warm."]);
    let status = world.add();
    assert_eq!(status.source.kind, SourceKind::Repository);
    assert_eq!((status.documents, status.problems), (2, 0), "{:?}", documents(&world.core, status.source.id));
    let hit = search(&world.core, "quokka").remove(0);
    let passage = &hit.passage;
    assert_eq!((passage.kind, passage.title.as_deref()), (DocumentKind::Commit, Some("Heat the oven")));
    let Origin::Commit { hash } = &passage.origin else { panic!("{passage:?}") };
    assert_eq!(hash.len(), 40);
    assert!(passage.text.contains("added oven.md") && passage.text.contains("Ada <ada@example.org>"), "{passage:?}");
    assert!(world.names("wombat").is_empty());
    // The path is no file, and is read all the same.
    assert!(!passage.path.exists());
    let read = ReadDocument { path: passage.path.clone(), start_line: 1, end_line: 3 };
    let read = world.core.call(read).wait().unwrap();
    assert_eq!((read.lines[0].as_str(), read.changed), ("Heat the oven", false));
    let outline = world.core.call(DescribeDocument { path: passage.path.clone() }).wait().unwrap();
    assert_eq!(outline.document.metadata[0], ("author".to_owned(), "Ada <ada@example.org>".to_owned()));

    let first: Vec<Document> = documents(&world.core, status.source.id);
    world.write("oven.md", "# Oven\n\nIt cools.\n");
    git(docs, &["commit", "-q", "-a", "-m", "Cool the oven"]);
    assert_eq!(world.rescan(status.source.id).documents, 3);
    let second = documents(&world.core, status.source.id);
    let kept = |all: &[Document]| all.iter().find(|document| document.path == passage.path).unwrap().id;
    assert_eq!(kept(&first), kept(&second), "a commit that was read is not read again");
    assert_eq!(search(&world.core, "changed oven.md")[0].passage.title.as_deref(), Some("Cool the oven"));
    // A commit that is reachable no more is found no more.
    git(docs, &["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(world.rescan(status.source.id).documents, 2);
}

#[test]
fn broken_bare_and_shallow_repositories_and_submodules_are_told_in_words() {
    let world = world(Role::Command);
    let whole = world.docs.join("whole");
    world.write("whole/a.md", "The numbat sleeps.");
    git(&whole, &["init", "-q"]);
    git(&whole, &["add", "."]);
    for message in ["one numbat", "two numbats"] {
        git(&whole, &["commit", "-q", "--allow-empty", "-m", message]);
    }
    let from = format!("file://{}", whole.display());
    git(&world.docs, &["clone", "-q", "--bare", &from, "bare"]);
    git(&world.docs, &["clone", "-q", "--depth", "1", &from, "shallow"]);
    let bare = add(&world.core, &world.docs.join("bare"));
    assert_eq!((bare.source.kind, bare.documents, bare.problems), (SourceKind::Repository, 2, 0));
    let shallow = add(&world.core, &world.docs.join("shallow"));
    assert_eq!((shallow.documents, shallow.problems), (2, 1));
    assert!(world.reason("shallow/.git").contains("shallow"));

    let id = add(&world.core, &whole).source.id;
    assert_eq!(documents(&world.core, id).len(), 3);
    world.write("whole/.gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ./x\n");
    fs::write(whole.join(".git/HEAD"), "no head").unwrap();
    // What was read of the commits stays; the list of submodules is a hidden file.
    assert_eq!(world.rescan(id).documents, 3);
    let reason = world.reason("whole/.git");
    assert!(reason.contains("cannot be read") && reason.contains("submodules"), "{reason}");
}

#[test]
fn a_vault_gives_readable_links_and_front_matter() {
    let world = world(Role::Command);
    world.write(".obsidian/app.json", "{\"setting\": \"pangolin\"}");
    world.write(".trash/old.md", "A pangolin in the trash.");
    world.write(".gitignore", "!.obsidian\n!.trash\n");
    let path = world.write(
        "Bread.md",
        "---\ntitle: Sour dough\ntags: [slow, bread]\naliases:\n  - Levain\n---\n# Bread\n\nSee [[Oven#Heat|the oven]] \
         and ![[plan.png]], says the pangolin.\n",
    );
    let status = world.add();
    assert_eq!((status.source.kind, status.documents), (SourceKind::Vault, 1));
    let hit = search(&world.core, "pangolin").remove(0);
    assert_eq!(hit.passage.title.as_deref(), Some("Sour dough"));
    assert!(hit.passage.text.contains("See the oven and plan.png"), "{}", hit.passage.text);
    let document = documents(&world.core, status.source.id).remove(0);
    let value = |name: &str| document.metadata.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((value("tags"), value("aliases")), (Some("slow, bread"), Some("Levain")));
    let outline = world.core.call(DescribeDocument { path }).wait().unwrap();
    assert_eq!(outline.headings.iter().map(|h| (h.line, h.title.as_str())).collect::<Vec<_>>(), [(7, "Bread")]);
    assert!(!outline.changed && outline.document.seconds > 0.0);
}

/// A page that can change, move, or go away. Counts the requests.
struct Site {
    address: String,
    page: Arc<Mutex<(String, String)>>,
    asked: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

fn site(status: &str, body: &str) -> Site {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/oven.html", listener.local_addr().unwrap());
    let page = Arc::new(Mutex::new((status.to_owned(), body.to_owned())));
    let (asked, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let site = Site { address, page: page.clone(), asked: asked.clone(), closed: closed.clone() };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request: Vec<u8> = Vec::new();
            let mut buffer = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend(&buffer[..read]),
                }
            }
            asked.fetch_add(1, Ordering::SeqCst);
            if closed.load(Ordering::SeqCst) {
                continue;
            }
            let (status, body) = page.lock().unwrap().clone();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    site
}

impl Site {
    fn set(&self, status: &str, body: &str) {
        *self.page.lock().unwrap() = (status.to_owned(), body.to_owned());
    }
}

#[test]
fn a_page_is_fetched_with_leave_kept_and_fetched_again_only_where_the_policy_allows() {
    let mut world = world(Role::Command);
    let site = site("200 OK", "<html><head><title>Ovens</title></head><body><p>The echidna bakes.</p></body></html>");
    let page = |confirmed: Option<&str>| AddPage {
        address: site.address.clone(),
        confirmed_host: confirmed.map(str::to_owned),
    };
    let refused = world.core.call(page(None)).wait().unwrap_err();
    assert_eq!(refused.category, ErrorCategory::Authorisation);
    assert_eq!(world.core.call(page(Some("example.org"))).wait().unwrap_err().category, ErrorCategory::Authorisation);
    assert_eq!(site.asked.load(Ordering::SeqCst), 0, "nothing leaves without leave");
    for hostile in ["file:///etc/passwd", "https://a:b@example.org/", "ftp://example.org/", "http://example.org/", "x"]
    {
        let add = AddPage { address: hostile.to_owned(), confirmed_host: Some("example.org".to_owned()) };
        assert!(world.core.call(add).wait().is_err(), "{hostile}");
    }
    assert!(world.core.call(ListSources {}).wait().unwrap().iter().all(|status| status.source.kind.is_built_in()));

    let added = world.core.call(page(Some("127.0.0.1"))).wait().unwrap();
    let id = added.source.id;
    assert_eq!((added.source.kind, added.source.address.as_deref()), (SourceKind::Web, Some(site.address.as_str())));
    let read = wait(&world.core, id);
    assert_eq!(read.documents, 1);
    let fetched = read.completed.expect("it is known when it was fetched");
    let hit = search(&world.core, "echidna").remove(0);
    assert_eq!(hit.passage.origin, Origin::Page { address: site.address.clone() });
    let ledger = world.core.call(ListLedger { page: PageRequest::default() }).wait().unwrap();
    assert!(ledger.items.iter().any(|entry| entry.allowed && entry.who == "knowledge"), "{ledger:?}");

    // The policy is "nothing": looking again asks nobody, and what was kept stays.
    let asked = site.asked.load(Ordering::SeqCst);
    site.set("200 OK", "<html><body><p>The bilby bakes.</p></body></html>");
    world.core.call(RescanSource { id }).wait().unwrap();
    let status = wait(&world.core, id);
    assert_eq!((status.state, status.documents, status.problems), (SourceState::Ready, 1, 1));
    assert_eq!(status.completed, Some(fetched), "what was refused is not taken for fetched");
    assert_eq!(site.asked.load(Ordering::SeqCst), asked);
    let problems = world.core.call(ListProblems { source: Some(id), page: PageRequest::default() }).wait().unwrap();
    assert!(problems.items[0].reason.contains("fetched again"), "{problems:?}");
    assert_eq!(search(&world.core, "echidna").len(), 1);

    // With leave it is fetched again, under the same source.
    let again = world.core.call(page(Some("127.0.0.1"))).wait().unwrap();
    assert_eq!(again.source.id, id);
    assert_eq!(wait(&world.core, id).problems, 0);
    assert_eq!(search(&world.core, "bilby").len(), 1);
    assert!(search(&world.core, "echidna").is_empty());
    // A server that fails takes nothing away, and says so.
    for (status, body) in [("500 Oops", "x"), ("200 OK", "   ")] {
        site.set(status, body);
        assert_eq!(world.core.call(page(Some("127.0.0.1"))).wait().unwrap_err().category, ErrorCategory::Network);
    }
    site.closed.store(true, Ordering::SeqCst);
    assert!(world.core.call(page(Some("127.0.0.1"))).wait().is_err());
    world.restart();
    let hit = search(&world.core, "bilby").remove(0);
    let read = ReadDocument { path: hit.passage.path.clone(), start_line: 1, end_line: 5 };
    assert!(world.core.call(read).wait().unwrap().lines.iter().any(|line| line.contains("bilby")));
    // In the trash it can come back; gone for good, its page goes at the next start.
    let item = world.core.call(RemoveSource { id }).wait().unwrap();
    assert!(search(&world.core, "bilby").is_empty());
    world.restart();
    assert!(hit.passage.path.exists());
    world.core.call(RestoreTrashed { id: item.id }).wait().unwrap();
    wait(&world.core, id);
    assert_eq!(search(&world.core, "bilby").len(), 1);
}

/// A core whose model says the same to everything.
fn talking(folder: &Path, role: Role, answer: &str) -> Core {
    let model = ScriptedModel::new().reply("", answer);
    Core::start(CoreOptions { chat_model: Some(Arc::new(model)), ..options(&folder.join("data"), role) }).unwrap()
}

fn ask(core: &Core, chat: ChatId, question: Question) -> Message {
    let mut listener = core.subscribe();
    let sent = core.call(SendQuestion { chat, question }).wait().unwrap();
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if let Event::MessageChanged { message } = envelope.event
            && message.id == sent.answer.id
            && !matches!(message.state, MessageState::Preparing | MessageState::Streaming)
        {
            return message;
        }
    }
}

fn plain(text: &str) -> Question {
    Question { text: text.to_owned(), ..Question::default() }
}

fn chat(core: &Core) -> ChatId {
    core.call(CreateChat { title: String::new() }).wait().unwrap().id
}

#[test]
fn chats_tasks_and_activities_are_searched_and_deleted_ones_are_not_found_in_the_next_search() {
    let folder = tempfile::tempdir().unwrap();
    let core = talking(folder.path(), Role::Command, "An aardvark digs at night.");
    let all = core.call(ListSources {}).wait().unwrap();
    let kinds: Vec<SourceKind> = all.iter().map(|status| status.source.kind).collect();
    assert_eq!(kinds, SourceKind::BUILT_IN);
    let first = chat(&core);
    ask(&core, first, plain("What does the okapi eat?"));
    let second = chat(&core);
    ask(&core, second, plain("Where does the tapir swim?"));
    let draft = TaskDraft { description: "Feed the caracal.".to_owned(), ..TaskDraft::new(None, "Zoo round") };
    let task = core.call(CreateTasks { drafts: vec![draft] }).wait().unwrap().remove(0);

    let hit = search(&core, "okapi").remove(0);
    let passage = &hit.passage;
    let Origin::Chat { id, message } = &passage.origin else { panic!("{passage:?}") };
    assert_eq!((*id, passage.kind), (first, DocumentKind::Chat));
    assert!(message.is_some() || passage.start_line == 1, "{passage:?}");
    assert_eq!(passage.path, Path::new("rspa:chats").join(first.to_string()));
    assert!(passage.text.contains("aardvark"), "{passage:?}");
    let read = ReadDocument { path: passage.path.clone(), start_line: 1, end_line: 100 };
    let read = core.call(read).wait().unwrap();
    assert!(read.lines.iter().any(|line| line.starts_with("You, ")), "{read:?}");
    assert!(read.lines.iter().any(|line| line.starts_with("Assistant, ")) && !read.changed);
    // What is no file is called by its title, and its path says what it is.
    assert!(read.title.is_some_and(|title| !title.is_empty()));
    assert!(matches!(Origin::of_record(&passage.path), Some(Origin::Chat { .. })));
    let outside = ReadDocument { path: "rspa:chats/../../etc/passwd".into(), start_line: 1, end_line: 1 };
    assert_eq!(core.call(outside).wait().unwrap_err().category, ErrorCategory::Authorisation);

    let hit = search(&core, "caracal").into_iter().find(|hit| hit.passage.kind == DocumentKind::Task).unwrap();
    assert_eq!(hit.passage.origin, Origin::Task { id: task.id });
    core.call(RenameChat { chat: second, title: "Swimmers of the Amazon".to_owned() }).wait().unwrap();
    let hits = search(&core, "swimmers amazon");
    assert!(hits.iter().any(|hit| hit.passage.kind == DocumentKind::Activity), "what happened is found too");
    let hit = hits.iter().find(|hit| hit.passage.kind == DocumentKind::Chat).unwrap();
    assert_eq!(hit.passage.title.as_deref(), Some("Swimmers of the Amazon"));

    let of = |text: &str, kind: DocumentKind| search(&core, text).iter().filter(|hit| hit.passage.kind == kind).count();
    let item = core.call(DeleteChat { chat: first }).wait().unwrap();
    core.call(DeleteTasks { ids: vec![task.id] }).wait().unwrap();
    assert_eq!((of("okapi", DocumentKind::Chat), of("caracal", DocumentKind::Task)), (0, 0));
    assert_eq!(of("tapir", DocumentKind::Chat), 1);
    core.call(RestoreTrashed { id: item.id }).wait().unwrap();
    assert_eq!(of("okapi", DocumentKind::Chat), 1);

    // Paused, they are not searched, and cannot be removed.
    let chats = of_kind(&core, SourceKind::Chats);
    assert_eq!(core.call(RemoveSource { id: chats }).wait().unwrap_err().category, ErrorCategory::Validation);
    core.call(PauseSource { id: chats, paused: true }).wait().unwrap();
    assert_eq!(of("okapi", DocumentKind::Chat), 0);
    core.shutdown();
    let core = talking(folder.path(), Role::Command, "");
    assert_eq!(core.call(ListSources {}).wait().unwrap().len(), 3, "they are not made twice");
    let of = |text: &str, kind: DocumentKind| search(&core, text).iter().filter(|hit| hit.passage.kind == kind).count();
    assert_eq!(of("okapi", DocumentKind::Chat), 0);
    core.call(PauseSource { id: of_kind(&core, SourceKind::Chats), paused: false }).wait().unwrap();
    wait(&core, chats);
    assert_eq!(of("okapi", DocumentKind::Chat), 1);
}

#[test]
fn a_window_follows_its_chats_and_answers_use_documents_unless_chats_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let core = talking(folder.path(), Role::Window, "The margay climbs down headfirst.");
    let chats = of_kind(&core, SourceKind::Chats);
    let done = |id| core.call(WaitForSource { id, until: WaitFor::Searchable }).wait().unwrap();
    done(chats);
    let mut listener = core.subscribe();
    let first = chat(&core);
    ask(&core, first, plain("What does the margay do?"));
    // The chat is read without anybody asking for it.
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if let Event::SourceChanged { status } = envelope.event
            && status.source.id == chats
            && status.passages > 0
            && status.state == SourceState::Ready
            && !search(&core, "headfirst").is_empty()
        {
            break;
        }
    }
    let second = chat(&core);
    let about = |sources: Vec<SourceId>| Question { use_knowledge: true, sources, ..plain("What does the margay do?") };
    let without = ask(&core, second, about(Vec::new()));
    assert!(without.passages.is_empty(), "{:?}", without.passages);
    let with = ask(&core, second, about(vec![chats]));
    let from: Vec<&Origin> = with.passages.iter().map(|passage| &passage.origin).collect();
    assert!(!from.is_empty());
    assert!(from.iter().all(|origin| matches!(origin, Origin::Chat { id, .. } if *id == first)), "{from:?}");
}

#[test]
fn an_answer_knows_when_its_source_has_changed_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    let docs = folder.path().canonicalize().unwrap().join("docs");
    fs::create_dir(&docs).unwrap();
    let path = docs.join("backups.md");
    fs::write(&path, "# Backups\n\nOld backups are kept for 30 days and then deleted.\n").unwrap();
    let core = talking(folder.path(), Role::Command, "Old backups are kept for 30 days.");
    let id = add(&core, &docs).source.id;
    let chat = chat(&core);
    let question = Question { use_knowledge: true, ..plain("How long are old backups kept?") };
    let answer = ask(&core, chat, question);
    assert_eq!(answer.citations[0].stale, None);
    let stale = || core.call(GetMessages { chat }).wait().unwrap()[1].citations[0].stale;
    assert_eq!(stale(), None);
    let mut listener = core.subscribe();
    fs::write(&path, "# Backups\n\nOld backups are kept for 90 days and then deleted.\n").unwrap();
    core.call(RescanSource { id }).wait().unwrap();
    wait(&core, id);
    assert_eq!(stale(), Some(Stale::Changed));
    let change = loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if let Event::DocumentsChanged { mut changes } = envelope.event {
            break changes.remove(0);
        }
    };
    assert_eq!(change.path, path);
    assert_eq!(answer.citations[0].judge(change.hash.as_deref()), Some(Stale::Changed));
    fs::remove_file(&path).unwrap();
    core.call(RescanSource { id }).wait().unwrap();
    wait(&core, id);
    assert_eq!(stale(), Some(Stale::Gone));
    // As it was when it was cited.
    fs::write(&path, "# Backups\n\nOld backups are kept for 30 days and then deleted.\n").unwrap();
    core.call(RescanSource { id }).wait().unwrap();
    wait(&core, id);
    assert_eq!(stale(), None);
    core.call(RemoveSource { id }).wait().unwrap();
    wait_until(|| stale() == Some(Stale::Gone));
}

/// What happens on a thread that tells nobody: looked for again a few times.
fn wait_until(holds: impl Fn() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "what is waited for happens on a thread that tells nobody")]
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("it never came true");
}

#[test]
fn a_repository_that_was_cut_off_in_the_middle_is_taken_up_again() {
    let mut world = world(Role::Command);
    git(&world.docs, &["init", "-q"]);
    let mut stream = String::new();
    for number in 0..600 {
        let message = format!("Commit number {number} of the vicuna");
        stream += &format!(
            "commit refs/heads/main\ncommitter Ada <ada@example.org> {} +0000\ndata {}\n{message}\n",
            1_700_000_000 + number,
            message.len()
        );
    }
    let mut import = Command::new("git")
        .current_dir(&world.docs)
        .args(["fast-import", "--quiet"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
    let mut listener = world.core.subscribe();
    let path = world.docs.clone();
    let id = world.core.call(rspa_core::api::request::knowledge::AddSource { path }).wait().unwrap().source.id;
    super::until(&mut listener, |status| status.source.id == id && status.documents > 0);
    world.restart();
    let before = documents_count(&world.core, id);
    assert_eq!(wait(&world.core, id).documents, 600, "{before} were there before");
    assert_eq!(search(&world.core, "number 599 vicuna")[0].passage.kind, DocumentKind::Commit);
}

fn documents_count(core: &Core, source: SourceId) -> u64 {
    let page = PageRequest { offset: 0, limit: 1 };
    core.call(ListDocuments { source, filter: String::new(), page }).wait().unwrap().total
}

#[test]
fn profiles_search_their_own_chats_alone() {
    let folder = tempfile::tempdir().unwrap();
    let core = talking(folder.path(), Role::Command, "Yes.");
    ask(&core, chat(&core), plain("Does the fossa purr?"));
    let other =
        core.call(CreateProfile { name: "Office".to_owned(), network: ProfileNetwork::default() }).wait().unwrap();
    let office = core.in_profile(other.id);
    let chats = |core: &Core| search(core, "fossa").iter().filter(|hit| hit.passage.kind == DocumentKind::Chat).count();
    assert_eq!((chats(&core), chats(&office)), (1, 0));
    assert!(search(&office, "fossa").is_empty());
    let ids: BTreeMap<SourceId, ()> =
        [&core, &office].iter().map(|core| (of_kind(core, SourceKind::Chats), ())).collect();
    assert_eq!(ids.len(), 2);
}
