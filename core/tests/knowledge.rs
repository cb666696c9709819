//! Knowledge through the one door: sources of all kinds, hostile ones too, and search over them.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "knowledge/sources.rs"]
mod sources;
#[path = "knowledge/support.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use rspa_core::api::request::knowledge::{
    AddSampleSource, AddSource, ListDocuments, ListProblems, ListSources, PauseSource, ReadDocument, RemoveSource,
    RescanSource, Search, WaitFor, WaitForSource,
};
use rspa_core::api::request::system::{CancelJob, ListJobs};
use rspa_core::api::{Core, ErrorCategory, Event, Heard, Role, Subscription};
use rspa_core::model::{
    DocumentKind, JobState, PageRequest, SearchHit, SearchMode, SearchQuery, SourceId, SourceState, SourceStatus,
};
use support::options;

struct World {
    core: Core,
    docs: PathBuf,
    _folder: tempfile::TempDir,
}

fn world(role: Role) -> World {
    let folder = tempfile::tempdir().unwrap();
    let docs = folder.path().canonicalize().unwrap().join("docs");
    fs::create_dir(&docs).unwrap();
    let core = Core::start(options(&folder.path().join("data"), role)).unwrap();
    World { core, docs, _folder: folder }
}

impl World {
    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.docs.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn restart(&mut self) {
        self.core.shutdown();
        let data = self.core.data_folder();
        self.core = Core::start(options(&data, Role::Command)).unwrap();
    }

    fn add(&self) -> SourceStatus {
        add(&self.core, &self.docs)
    }

    fn rescan(&self, id: SourceId) -> SourceStatus {
        self.core.call(RescanSource { id }).wait().unwrap();
        wait(&self.core, id)
    }

    fn search(&self, text: &str) -> Vec<SearchHit> {
        self.search_as(text, SearchMode::Hybrid)
    }

    fn search_as(&self, text: &str, mode: SearchMode) -> Vec<SearchHit> {
        let query = SearchQuery { text: text.to_owned(), mode, ..SearchQuery::default() };
        self.core.call(Search { query }).wait().unwrap().hits
    }

    fn names(&self, text: &str) -> Vec<String> {
        let hits = self.search_as(text, SearchMode::Keyword);
        hits.iter().map(|hit| hit.passage.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    /// File name and reason.
    fn problems(&self) -> Vec<(String, String)> {
        let page = self.core.call(ListProblems { source: None, page: PageRequest::default() }).wait().unwrap();
        let name = |path: &Path| path.strip_prefix(&self.docs).unwrap_or(path).to_string_lossy().into_owned();
        page.items.into_iter().map(|problem| (name(&problem.path), problem.reason)).collect()
    }

    fn reason(&self, name: &str) -> String {
        let problems = self.problems();
        let found = problems.iter().find(|(path, _)| path == name);
        found.unwrap_or_else(|| panic!("no problem of {name} in {problems:?}")).1.clone()
    }
}

fn add(core: &Core, path: &Path) -> SourceStatus {
    let status = core.call(AddSource { path: path.to_owned() }).wait().unwrap();
    wait(core, status.source.id)
}

fn wait(core: &Core, id: SourceId) -> SourceStatus {
    core.call(WaitForSource { id, until: WaitFor::Searchable }).wait().unwrap()
}

/// Waits for an event of a source that looks as wanted.
fn until(listener: &mut Subscription, wanted: impl Fn(&SourceStatus) -> bool) -> SourceStatus {
    loop {
        match listener.next() {
            Heard::Event(envelope) => match envelope.event {
                Event::SourceChanged { status } if wanted(&status) => return status,
                _ => {}
            },
            Heard::Gap(_) => {}
            Heard::Closed => panic!("the core closed"),
        }
    }
}

#[test]
fn a_folder_becomes_searchable_with_exact_places() {
    let world = world(Role::Command);
    world.write("guide.md", "# Storage\n\nIntro.\n\n## Backups\n\nA backup runs every night at three.\n");
    world.write("src/lease.rs", "use a::b;\n\npub fn lease_connection() -> Lease {\n    todo()\n}\n");
    let status = world.add();
    assert_eq!((status.state, status.documents, status.problems), (SourceState::Ready, 2, 0));
    assert!(status.completed.is_some());

    let hits = world.search("when does the backup run");
    let hit = &hits[0];
    assert!(hit.passage.path.ends_with("guide.md"));
    assert_eq!(hit.passage.kind, DocumentKind::Markdown);
    assert!(hit.passage.start_line <= 7 && hit.passage.end_line >= 7);
    assert!(hit.keyword.is_some() && hit.static_vector.is_some());
    assert!(hit.score > 0.0 && hit.score <= 1.0);
    let marked: Vec<_> = hit.marks.iter().map(|(from, to)| &hit.snippet[*from as usize..*to as usize]).collect();
    assert!(marked.contains(&"backup"), "{marked:?} in {}", hit.snippet);

    // Parts of an identifier find it.
    let hits = world.search("connection");
    assert!(hits[0].passage.path.ends_with("lease.rs"));
    assert_eq!(hits[0].passage.kind, DocumentKind::Code);

    let shown =
        world.core.call(ReadDocument { path: world.docs.join("guide.md"), start_line: 5, end_line: 7 }).wait().unwrap();
    assert_eq!(shown.lines, ["## Backups", "", "A backup runs every night at three."]);
    assert_eq!((shown.first_line, shown.total_lines, shown.changed), (5, 7, false));
}

#[test]
fn added_changed_and_deleted_files_show_in_the_next_search() {
    let world = world(Role::Command);
    world.write("a.md", "The heron stands in the water.");
    let id = world.add().source.id;
    world.write("b.md", "A kingfisher dives.");
    world.write("a.md", "The cormorant dries its wings.");
    assert_eq!(world.rescan(id).documents, 2);
    assert_eq!(world.names("kingfisher"), ["b.md"]);
    assert_eq!(world.names("cormorant"), ["a.md"]);
    assert!(world.names("heron").is_empty());
    fs::remove_file(world.docs.join("b.md")).unwrap();
    assert_eq!(world.rescan(id).documents, 1);
    assert!(world.names("kingfisher").is_empty());
    assert!(
        world.search_as("kingfisher dives", SearchMode::Vector).iter().all(|hit| hit.passage.path.ends_with("a.md"))
    );
}

#[test]
fn a_window_notices_changes_by_itself() {
    let world = world(Role::Window);
    let mut listener = world.core.subscribe();
    world.write("a.md", "The heron stands in the water.");
    world.core.call(AddSource { path: world.docs.clone() }).wait().unwrap();
    until(&mut listener, |status| status.state == SourceState::Ready && status.documents == 1);
    // The watcher begins to listen when the scan ends; what came before is found by that scan.
    world.write("sub/b.md", "A kingfisher dives.");
    until(&mut listener, |status| status.state == SourceState::Ready && status.documents == 2);
    assert_eq!(world.names("kingfisher"), ["b.md"]);
    world.write("sub/b.md", "An osprey catches a trout.");
    fs::remove_file(world.docs.join("a.md")).unwrap();
    until(&mut listener, |status| status.state == SourceState::Ready && status.documents == 1);
    assert!(world.names("heron").is_empty());
}

#[test]
fn hostile_files_are_reported_in_words_and_stop_nothing() {
    let world = world(Role::Command);
    world.write("good.md", "A sentence about lighthouses.");
    let huge = fs::File::create(world.docs.join("huge.txt")).unwrap();
    huge.set_len(2 << 30).unwrap();
    world.write("binary.md", [0x7f, b'E', b'L', b'F', 0, 0, 1, 0, 200, 0]);
    let pdf = support::pdf(&["Rivers carry water to the sea", "Hills are older than rivers"]);
    world.write("whole.pdf", &pdf);
    world.write("cut.pdf", &pdf[..pdf.len() / 2]);
    world.write("cut.docx", b"PK\x03\x04 and then nothing");
    world.write("deep.html", "<div>".repeat(200_000));
    world.write("empty.md", "");
    world.write("wide.txt", "word ".repeat(400_000));
    let status = world.add();
    assert_eq!(status.state, SourceState::Ready);
    assert!(world.reason("huge.txt").contains("2 GB") && world.reason("huge.txt").contains("50 MB"));
    assert!(world.reason("binary.md").contains("not text"));
    assert!(world.reason("cut.pdf").contains("cut short"));
    assert!(world.reason("cut.docx").contains("damaged"));
    assert!(world.reason("deep.html").contains("inside each other"));
    assert_eq!(status.problems, 5, "{:?}", world.problems());
    assert_eq!(world.names("lighthouses"), ["good.md"]);
    let hits = world.search_as("hills", SearchMode::Keyword);
    assert_eq!((hits[0].passage.page, hits[0].passage.kind), (Some(2), DocumentKind::Pdf));
    // What is repaired is not a problem any more.
    world.write("binary.md", "Text after all, about otters.");
    assert_eq!(world.rescan(status.source.id).problems, 4);
    assert_eq!(world.names("otters"), ["binary.md"]);
}

#[cfg(unix)]
#[test]
fn odd_names_links_and_permissions_are_handled() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    let world = world(Role::Command);
    let odd = world.docs.join(std::ffi::OsStr::from_bytes(b"caf\xe9.md"));
    fs::write(&odd, "The odd name hides a puffin.").unwrap();
    symlink(&world.docs, world.docs.join("loop")).unwrap();
    world.write("locked/secret.md", "Nobody reads about walruses.");
    let locked = world.docs.join("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    // Permissions do not hold for root.
    let enforced = fs::read_dir(&locked).is_err();
    let status = world.add();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(status.state, SourceState::Ready);
    assert!(world.reason("loop").contains("circle"));
    assert!(world.problems().iter().any(|(_, reason)| reason.contains("no valid text")));
    let hits = world.search_as("puffin", SearchMode::Keyword);
    assert_eq!(hits[0].passage.path, odd);
    let shown = world.core.call(ReadDocument { path: odd, start_line: 1, end_line: 9 }).wait().unwrap();
    assert_eq!(shown.lines, ["The odd name hides a puffin."]);
    if enforced {
        assert!(world.reason("locked").contains("permission"));
        assert_eq!(world.rescan(status.source.id).documents, 2);
    }
}

#[test]
fn the_data_folder_inside_a_source_is_left_out() {
    let world = world(Role::Command);
    world.write("a.md", "The tapir sleeps.");
    fs::write(world.core.data_folder().join("note.md"), "A tapir in the data folder.").unwrap();
    add(&world.core, world.docs.parent().unwrap());
    assert_eq!(world.names("tapir"), ["a.md"]);
}

#[test]
fn ignored_hidden_and_empty_folders() {
    let world = world(Role::Command);
    assert_eq!(world.add().documents, 0);
    assert!(world.search("anything").is_empty());
    world.write(".gitignore", "build/\n*.log\n");
    world.write("build/out.md", "generated capybara");
    world.write("run.log", "logged capybara");
    world.write(".hidden/a.md", "hidden capybara");
    world.write("notes.md", "visible capybara");
    assert_eq!(world.add().documents, 1);
    assert_eq!(world.names("capybara"), ["notes.md"]);
}

#[test]
fn a_folder_that_vanishes_keeps_its_data_until_it_is_back() {
    let world = world(Role::Command);
    world.write("a.md", "The ibex climbs.");
    let id = world.add().source.id;
    let away = world.docs.with_file_name("away");
    fs::rename(&world.docs, &away).unwrap();
    assert_eq!(world.rescan(id).state, SourceState::Missing);
    assert_eq!(world.names("ibex"), ["a.md"]);
    fs::rename(&away, &world.docs).unwrap();
    let back = world.rescan(id);
    assert_eq!((back.state, back.documents), (SourceState::Ready, 1));
}

#[test]
fn a_damaged_or_deleted_keyword_index_is_built_again() {
    let mut world = world(Role::Command);
    for number in 0..50 {
        world.write(&format!("{number}.md"), format!("Document number{number} about the platypus."));
    }
    world.add();
    let index = world.core.data_folder().join("index").join(world.core.profile().to_string()).join("keyword");
    let query = "number17";
    assert_eq!(world.names(query), ["17.md"]);

    world.core.shutdown();
    fs::remove_dir_all(&index).unwrap();
    world.restart();
    assert_eq!(world.names(query), ["17.md"]);

    world.core.shutdown();
    for entry in fs::read_dir(&index).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| ["term", "idx", "fast", "store"].iter().any(|name| extension == *name))
        {
            let length = fs::metadata(&path).unwrap().len() as usize;
            fs::write(&path, vec![0xA5; length]).unwrap();
        }
    }
    world.restart();
    assert_eq!(world.names(query), ["17.md"]);

    world.core.shutdown();
    fs::write(index.join("meta.json"), "{}").unwrap();
    world.restart();
    assert_eq!(world.names(query), ["17.md"]);
    assert_eq!(world.names("platypus").len(), 20);
}

#[test]
fn pausing_removing_and_overlapping_sources() {
    let world = world(Role::Command);
    world.write("sub/a.md", "The narwhal surfaces.");
    world.write("b.md", "A beluga sings.");
    let outer = world.add().source.id;
    let inner = add(&world.core, &world.docs.join("sub")).source.id;
    // The same lines through two sources are one hit.
    assert_eq!(world.names("narwhal"), ["a.md"]);
    let filtered = SearchQuery { text: "narwhal beluga".to_owned(), sources: vec![inner], ..SearchQuery::default() };
    let hits = world.core.call(Search { query: filtered }).wait().unwrap().hits;
    assert!(hits.iter().all(|hit| hit.passage.source == inner) && hits.len() == 1);

    let paused = world.core.call(PauseSource { id: outer, paused: true }).wait().unwrap();
    assert_eq!(paused.state, SourceState::Paused);
    world.write("c.md", "An orca hunts.");
    assert_eq!(world.rescan(outer).state, SourceState::Paused);
    assert!(world.names("orca").is_empty());
    world.core.call(PauseSource { id: outer, paused: false }).wait().unwrap();
    assert_eq!(wait(&world.core, outer).documents, 3);
    assert_eq!(world.names("orca"), ["c.md"]);

    world.core.call(RemoveSource { id: outer }).wait().unwrap();
    assert!(world.names("orca").is_empty());
    assert_eq!(world.names("narwhal"), ["a.md"]);
    let left = world.core.call(ListSources {}).wait().unwrap();
    assert_eq!(left.iter().filter(|status| !status.source.kind.is_built_in()).count(), 1);
    let gone = world.core.call(RescanSource { id: outer }).wait().unwrap_err();
    assert_eq!(gone.category, ErrorCategory::Validation);
}

#[test]
fn a_single_file_and_the_sample_folder_are_sources() {
    let world = world(Role::Command);
    let file = world.write("alone.txt", "A solitary axolotl.");
    let status = add(&world.core, &file);
    assert_eq!((status.documents, status.source.path.as_path()), (1, file.as_path()));
    assert_eq!(world.search("axolotl")[0].passage.path, file);
    let sample = world.core.call(AddSampleSource {}).wait().unwrap();
    assert!(sample.source.sample);
    assert_eq!(wait(&world.core, sample.source.id).documents, 8);
    assert!(world.search("why are there two tides a day")[0].passage.path.ends_with("science/Tides.html"));
    let bread = world.search_as("which temperature for the oven when baking a loaf", SearchMode::Vector);
    assert!(bread[0].passage.path.ends_with("cooking/Bread.md"), "{:?}", bread[0].passage.path);
}

#[test]
fn odd_questions_are_harmless() {
    let world = world(Role::Command);
    world.write("a.md", "The quick brown fox.");
    world.add();
    for text in ["", "   ", "\"", "fox AND (", "path:*", "fox~2^", "\u{0}\u{1}", "🦊", "+-!(){}[]^\"~*?:\\/"] {
        world.search(text);
    }
    assert_eq!(world.names("+fox* ^"), ["a.md"]);
    assert_eq!(world.search(&"fox ".repeat(50_000))[0].passage.text, "The quick brown fox.");
    assert!(world.search("").is_empty());
    let outside = world.core.call(ReadDocument { path: "/etc/passwd".into(), start_line: 1, end_line: 5 }).wait();
    assert_eq!(outside.unwrap_err().category, ErrorCategory::Authorisation);
    let missing = world.core.call(AddSource { path: world.docs.join("nowhere") }).wait().unwrap_err();
    assert!(missing.message.contains("not there"), "{missing}");
}

#[test]
fn documents_are_listed_filtered_and_paged() {
    let world = world(Role::Command);
    for number in 0..30 {
        world.write(&format!("part {}/{number:02}.md", number % 3), "text");
    }
    let source = world.add().source.id;
    let list = |filter: &str, offset, limit| {
        let page = PageRequest { offset, limit };
        world.core.call(ListDocuments { source, filter: filter.to_owned(), page }).wait().unwrap()
    };
    let page = list("", 25, 10);
    assert_eq!((page.total, page.items.len(), page.offset), (30, 5, 25));
    assert_eq!(list("PART 1", 0, 100).total, 10);
    let document = &list("29.md", 0, 1).items[0];
    assert_eq!((document.size_bytes, document.passages, document.confidence), (4, 1, 1.0));
    assert_eq!(document.hash.len(), 64);
}

#[test]
fn an_installed_encoder_upgrades_the_passages() {
    let models = support::models();
    assert!(
        models.join("all-MiniLM-L6-v2").exists(),
        "the encoder is not in {}; run `cargo xtask models`",
        models.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let docs = folder.path().canonicalize().unwrap().join("docs");
    fs::create_dir(&docs).unwrap();
    fs::write(docs.join("a.md"), "The physician examined the patient.").unwrap();
    fs::write(docs.join("b.md"), "The orchestra played a symphony.").unwrap();
    let mut with_models = options(&folder.path().join("data"), Role::Command);
    with_models.environment.insert("RSPA_MODELS_PATH".to_owned(), models.display().to_string());
    let core = Core::start(with_models).unwrap();
    let id = add(&core, &docs).source.id;
    let status = core.call(WaitForSource { id, until: WaitFor::Complete }).wait().unwrap();
    assert_eq!(status.state, SourceState::Ready);
    let query =
        SearchQuery { text: "a doctor in a hospital".to_owned(), mode: SearchMode::Vector, ..SearchQuery::default() };
    let hits = core.call(Search { query }).wait().unwrap().hits;
    assert!(hits[0].passage.path.ends_with("a.md"));
    assert_eq!(hits[0].encoder_vector.map(|stage| stage.rank), Some(1));
    assert!(hits.iter().all(|hit| hit.compared.is_none()));

    // With time, the best are compared token by token.
    let closely =
        SearchQuery { text: "a doctor and a patient".to_owned(), compare_ms: 60_000, ..SearchQuery::default() };
    let results = core.call(Search { query: closely.clone() }).wait().unwrap();
    assert_eq!(results.compared, results.hits.len() as u64);
    assert!(results.hits[0].passage.path.ends_with("a.md"), "{results:?}");
    assert!(results.hits[0].compared.is_some_and(|place| place.rank == 1 && place.score > 0.3), "{results:?}");
    assert!(results.hits.is_sorted_by(|a, b| a.score >= b.score));
    let typed = SearchQuery { compare_ms: 0, ..closely };
    let results = core.call(Search { query: typed }).wait().unwrap();
    assert!(results.compared == 0 && results.compare_ms == 0.0);
    assert!(results.hits.iter().all(|hit| hit.compared.is_none()));
}

#[test]
fn only_the_person_pauses_a_source_not_the_end_of_the_program() {
    let mut world = world(Role::Window);
    for number in 0..3_000 {
        world.write(&format!("{number}.md"), format!("Document number{number} about the platypus. ").repeat(20));
    }
    let mut listener = world.core.subscribe();
    let id = world.core.call(AddSource { path: world.docs.clone() }).wait().unwrap().source.id;
    until(&mut listener, |status| status.state == SourceState::Indexing);
    world.restart();
    let status = world.core.call(ListSources {}).wait().unwrap().remove(0);
    assert!(status.documents < 3_000, "the scan had ended before the program did");
    assert!(!status.source.paused);

    let mut listener = world.core.subscribe();
    world.core.call(RescanSource { id }).wait().unwrap();
    until(&mut listener, |status| status.state == SourceState::Indexing);
    let job = loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no job began") };
        if let Event::JobChanged { job } = envelope.event {
            break job.id;
        }
    };
    world.core.call(CancelJob { id: job }).wait().unwrap();
    let status = wait(&world.core, id);
    assert!(status.source.paused && status.documents < 3_000);
    let jobs = world.core.call(ListJobs {}).wait().unwrap();
    assert!(matches!(jobs[0].state, JobState::Cancelled), "{jobs:?}");
}

const CHILD_DATA: &str = "RSPA_TEST_CHILD_DATA";

/// Not a test of its own: what the next test starts and kills.
#[test]
#[ignore = "started by killed_ten_times_each_file_is_there_once as a process of its own"]
fn child_that_indexes() {
    let data = PathBuf::from(std::env::var_os(CHILD_DATA).expect("started by the test below"));
    let core = Core::start(options(&data.join("data"), Role::Command)).unwrap();
    let mut listener = core.subscribe();
    let id = core.call(AddSource { path: data.join("docs") }).wait().unwrap().source.id;
    let status = until(&mut listener, |status| {
        println!("documents {}", status.documents);
        status.source.id == id && status.state == SourceState::Ready && status.progress.is_none()
    });
    println!("done {}", status.documents);
    core.shutdown();
}

#[test]
fn killed_ten_times_each_file_is_there_once() {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    /// New ones before each start, so that there is work to cut off however fast or slow this computer is.
    const NEW: u64 = 300;
    const KILLS: u64 = 10;
    const FILES: u64 = NEW * (KILLS + 1);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let add_files = |round: u64| {
        for number in round * NEW..(round + 1) * NEW {
            let path = root.join("docs").join(format!("part{}", number % 20)).join(format!("{number}.md"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let filler = "A paragraph that takes its time to be read and embedded, as real ones do.\n\n".repeat(80);
            fs::write(path, format!("# Entry {number}\n\nThe word unique{number} is here only.\n\n{filler}")).unwrap();
        }
    };
    let start = || -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "child_that_indexes", "--nocapture"])
            .env(CHILD_DATA, &root)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let figure = |line: &str| -> Option<u64> { line.strip_prefix("documents ")?.parse().ok() };
    let (mut reached, mut cut) = (0, 0);
    for round in 0..KILLS {
        add_files(round);
        let mut child = start();
        let mut first = None;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let Some(documents) = line.ok().as_deref().and_then(figure) else { continue };
            // It begins with everything that was committed before the kill.
            assert!(*first.get_or_insert(documents) >= reached, "{first:?} after {reached}");
            if documents > reached {
                reached = documents;
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        cut += u64::from(reached < (round + 1) * NEW);
    }
    assert!(cut > 0, "none was killed while it worked");
    add_files(KILLS);
    let core = Core::start(options(&root.join("data"), Role::Command)).unwrap();
    let status = add(&core, &root.join("docs"));
    assert_eq!((status.state, status.documents), (SourceState::Ready, FILES));
    let page = PageRequest { offset: 0, limit: u32::MAX };
    let listed = core.call(ListDocuments { source: status.source.id, filter: String::new(), page }).wait().unwrap();
    let paths: std::collections::BTreeSet<_> = listed.items.iter().map(|document| &document.path).collect();
    assert_eq!(paths.len() as u64, FILES);
    let passages: u64 = listed.items.iter().map(|document| u64::from(document.passages)).sum();
    assert_eq!(status.passages, passages);
    for number in (0..FILES).step_by(97) {
        let query =
            SearchQuery { text: format!("unique{number}"), mode: SearchMode::Keyword, ..SearchQuery::default() };
        let hits = core.call(Search { query }).wait().unwrap().hits;
        assert_eq!(hits.len(), 1, "unique{number}");
        assert!(hits[0].passage.path.ends_with(format!("{number}.md")));
    }
}
