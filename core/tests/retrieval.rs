//! Retrieval tests through the one door: saved from hits, asked, other settings tried beside the index in use, taken over.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "knowledge/support.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use rspa_core::api::request::knowledge::{
    AddSource, AdoptRetrievalSettings, ListRetrievalTests, ListSources, PauseSource, RemoveRetrievalTest, RemoveSource,
    RescanSource, RunRetrievalTests, SaveRetrievalTest, Search, TryRetrievalSettings, WaitFor, WaitForSource,
};
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::request::system::CancelJob;
use rspa_core::api::request::trash::RestoreTrashed;
use rspa_core::api::{ApiError, Core, ErrorCategory, Event, Heard, Role, Subscription};
use rspa_core::model::{
    Job, JobState, ModelId, PassageId, RetrievalOutcome, RetrievalSettings, RetrievalStage, RetrievalTest,
    RetrievalTests, SearchHit, SearchMode, SearchQuery, SettingValue, SourceId,
};
use support::options;

struct World {
    core: Core,
    docs: PathBuf,
    data: PathBuf,
    _folder: tempfile::TempDir,
}

fn world(role: Role, models: bool) -> World {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let (docs, data) = (root.join("docs"), root.join("data"));
    fs::create_dir(&docs).unwrap();
    let mut options = options(&data, role);
    if models {
        let models = support::models();
        assert!(
            models.join("all-MiniLM-L6-v2").exists(),
            "the encoder is not in {}; run `cargo xtask models`",
            models.display()
        );
        options.environment.insert("RSPA_MODELS_PATH".to_owned(), models.display().to_string());
    }
    let core = Core::start(options).unwrap();
    // What happens here is a source too, and would change between two counts.
    for status in core.call(ListSources {}).wait().unwrap() {
        core.call(PauseSource { id: status.source.id, paused: true }).wait().unwrap();
    }
    World { core, docs, data, _folder: folder }
}

const TOPICS: [(&str, &str); 6] = [
    ("leases", "A task whose lease expired is queued again and its attempt is counted as lost."),
    ("backups", "Every night a copy of the database is written to the second folder and verified."),
    ("bread", "Knead the dough for ten minutes and let it rest under a damp cloth until it doubles."),
    ("boats", "The keel keeps the boat from drifting sideways when the wind comes from abeam."),
    ("bees", "A swarm leaves the hive in May when the old queen takes half of the workers along."),
    ("glass", "Sand, soda and lime are melted at fifteen hundred degrees before the glass is blown."),
];

impl World {
    /// One document per topic: sections that are alike, one of them with the sentence.
    fn fill(&self) -> SourceId {
        for (name, sentence) in TOPICS {
            let mut text = String::new();
            for section in 0..6 {
                text.push_str(&format!("# Part {section} of {name}\n\n"));
                for line in 0..5 {
                    text.push_str(&format!(
                        "Line {line} of part {section} speaks of {name} and of nothing in particular.\n"
                    ));
                }
                if section == 3 {
                    text.push_str(&format!("\n{sentence}\n\n"));
                }
            }
            fs::write(self.docs.join(format!("{name}.md")), text).unwrap();
        }
        self.add()
    }

    fn add(&self) -> SourceId {
        let id = self.core.call(AddSource { path: self.docs.clone() }).wait().unwrap().source.id;
        self.wait(id, WaitFor::Searchable);
        id
    }

    fn wait(&self, id: SourceId, until: WaitFor) {
        self.core.call(WaitForSource { id, until }).wait().unwrap();
    }

    fn search(&self, text: &str) -> Vec<SearchHit> {
        let query = SearchQuery { text: text.to_owned(), mode: SearchMode::Hybrid, ..SearchQuery::default() };
        self.core.call(Search { query }).wait().unwrap().hits
    }

    /// Saves the passage that holds these words as the answer.
    fn save(&self, question: &str, words: &str) -> RetrievalTest {
        let hits = self.search(question);
        let hit = hits.iter().find(|hit| hit.passage.text.contains(words)).expect("the passage is found");
        let save = SaveRetrievalTest { question: question.to_owned(), passage: hit.passage.id };
        self.core.call(save).wait().unwrap()
    }

    fn list(&self) -> RetrievalTests {
        self.core.call(ListRetrievalTests {}).wait().unwrap()
    }

    fn run(&self) -> RetrievalTests {
        let mut events = self.core.subscribe();
        let job = self.core.call(RunRetrievalTests {}).wait().unwrap();
        assert_eq!(ended(&mut events, &job).state, JobState::Done);
        self.list()
    }

    fn try_settings(&self, chunk_size: u32, encoder: Option<&str>, documents: u32) -> Job {
        let mut events = self.core.subscribe();
        let job = self.begin(chunk_size, encoder, documents).unwrap();
        ended(&mut events, &job)
    }

    fn begin(&self, chunk_size: u32, encoder: Option<&str>, documents: u32) -> Result<Job, ApiError> {
        let settings = RetrievalSettings { chunk_size, encoder: encoder.map(|name| ModelId(name.to_owned())) };
        self.core.call(TryRetrievalSettings { settings, documents }).wait()
    }

    /// Folders of trials that lie in the data folder.
    fn leftovers(&self) -> Vec<PathBuf> {
        let profiles = fs::read_dir(self.data.join("profiles")).unwrap();
        profiles.map(|profile| profile.unwrap().path().join("trial")).filter(|path| path.exists()).collect()
    }
}

fn ended(events: &mut Subscription, begun: &Job) -> Job {
    loop {
        match events.next() {
            Heard::Event(envelope) => match envelope.event {
                Event::JobChanged { job } if job.id == begun.id && job.state != JobState::Running => return job,
                _ => {}
            },
            Heard::Gap(_) => {}
            Heard::Closed => panic!("the core closed"),
        }
    }
}

fn outcome(all: &RetrievalTests, test: &RetrievalTest) -> RetrievalOutcome {
    let places = &all.run.as_ref().unwrap().figures.places;
    places.iter().find(|place| place.test == test.id).unwrap().outcome
}

fn passages(core: &Core) -> u64 {
    core.call(ListSources {}).wait().unwrap()[0].passages
}

#[test]
fn other_sizes_are_tried_beside_the_index_and_taken_over_in_place() {
    let world = world(Role::Command, false);
    let source = world.fill();
    let lease = world.save("what happens when a lease expires", "lease expired");
    let bread = world.save("how long must dough be kneaded", "Knead the dough");
    assert_eq!(lease.wanted.inside, Path::new("leases.md"));
    assert!(lease.wanted.excerpt.len() > 20 && lease.wanted.start_line < lease.wanted.end_line);

    // Asked of the index in use.
    let all = world.run();
    let run = all.run.clone().unwrap();
    assert_eq!((run.figures.asked, run.figures.left_out, run.figures.places.len()), (2, 0, 2));
    assert_eq!(outcome(&all, &lease), RetrievalOutcome::Found { place: 1 });
    let stages: Vec<RetrievalStage> = run.figures.stages.iter().map(|stage| stage.stage).collect();
    use RetrievalStage as S;
    assert_eq!(stages, [S::Keyword, S::Static, S::Fused, S::Ranked], "no encoder is installed");
    let ranked = run.figures.stages.last().unwrap();
    assert!(ranked.mrr10 > 0.4 && ranked.recall10 == 1.0, "{ranked:?}");

    // Nothing may be taken over that was not tried.
    let smaller = RetrievalSettings { chunk_size: 250, encoder: None };
    let adopt =
        |settings: &RetrievalSettings| world.core.call(AdoptRetrievalSettings { settings: settings.clone() }).wait();
    assert_eq!(adopt(&smaller).unwrap_err().category, ErrorCategory::Validation);

    let before = (passages(&world.core), world.search("dough").len());
    let job = world.try_settings(250, None, 0);
    assert_eq!(job.state, JobState::Done, "{job:?}");
    let all = world.list();
    let trial = all.trial.clone().unwrap();
    assert_eq!((trial.documents, trial.documents_all, trial.unread), (6, 6, 0));
    assert_eq!(trial.old.settings.chunk_size, 800);
    assert_eq!(trial.new.settings, smaller);
    assert_eq!(trial.old.passages, before.0);
    assert!(trial.new.passages > trial.old.passages, "{} and {}", trial.new.passages, trial.old.passages);
    assert_eq!((trial.new.asked, trial.old.asked), (2, 2));
    assert!(trial.new.places.iter().all(|place| matches!(place.outcome, RetrievalOutcome::Found { .. })), "{trial:?}");
    assert!(!all.unmeasured && all.job.is_none());
    // The index in use is as it was, and nothing is left of the trial.
    assert_eq!((passages(&world.core), world.search("dough").len()), before);
    assert!(world.leftovers().is_empty());

    // Only exactly what was tried.
    assert!(adopt(&RetrievalSettings { chunk_size: 251, ..smaller.clone() }).is_err());
    assert_eq!(adopt(&smaller).unwrap(), smaller);
    assert_eq!(world.list().settings, smaller);
    // Until documents are read again the old index answers.
    assert_eq!(passages(&world.core), before.0);
    assert_eq!(world.search("what happens when a lease expires")[0].passage.path, world.docs.join("leases.md"));
    world.core.call(RescanSource { id: source }).wait().unwrap();
    world.wait(source, WaitFor::Searchable);
    assert_eq!(passages(&world.core), trial.new.passages);
    let all = world.run();
    assert_eq!(all.run.clone().unwrap().figures.settings, smaller);
    assert_eq!(all.run.as_ref().unwrap().figures.places, trial.new.places, "as the trial said");
    assert!(matches!(outcome(&all, &bread), RetrievalOutcome::Found { .. }));
}

#[test]
fn a_window_reads_documents_again_by_itself_and_says_when_settings_were_not_measured() {
    let world = world(Role::Window, false);
    world.fill();
    world.save("what happens when a lease expires", "lease expired");
    world.run();
    let before = passages(&world.core);
    let mut events = world.core.subscribe();
    let (key, value) = ("knowledge.chunk_size".to_owned(), SettingValue::Integer(250));
    world.core.call(SetSetting { key, value }).wait().unwrap();
    assert!(world.list().unmeasured);
    loop {
        let Heard::Event(envelope) = events.next() else { continue };
        if let Event::SourceChanged { status } = envelope.event
            && status.source.path == world.docs
            && status.passages > before
            && status.progress.is_none()
        {
            break;
        }
    }
    assert!(!world.run().unmeasured);
}

#[test]
fn a_sample_is_taken_where_there_are_more_documents_and_said() {
    let world = world(Role::Command, false);
    for number in 0..60 {
        fs::write(world.docs.join(format!("other {number}.md")), format!("Document {number} is about rivers."))
            .unwrap();
    }
    world.fill();
    world.save("what happens when a lease expires", "lease expired");
    assert_eq!(world.try_settings(400, None, 10).state, JobState::Done);
    let trial = world.list().trial.unwrap();
    assert_eq!((trial.documents, trial.documents_all), (11, 66));
    assert!(trial.old.passages < passages(&world.core), "both are asked over the sample");
    assert!(matches!(trial.old.places[0].outcome, RetrievalOutcome::Found { .. }));
    // The same sample again.
    assert_eq!(world.try_settings(400, None, 10).state, JobState::Done);
    let again = world.list().trial.unwrap();
    assert_eq!((again.new.passages, again.new.places), (trial.new.passages, trial.new.places));
}

#[test]
fn a_trial_is_cancelled_in_the_middle_and_what_one_left_is_cleared_at_the_next_start() {
    let mut world = world(Role::Command, false);
    for number in 0..1_500 {
        let text = format!("# Document {number}\n\n{}", "Rivers flow down to the sea in many bends. ".repeat(60));
        fs::write(world.docs.join(format!("{number}.md")), text).unwrap();
    }
    world.fill();
    world.save("what happens when a lease expires", "lease expired");
    let mut events = world.core.subscribe();
    let job = world.begin(400, None, 0).unwrap();
    // While it goes on there is no other.
    let error = world.core.call(RunRetrievalTests {}).wait().unwrap_err();
    assert!(error.message.contains("already"), "{error}");
    assert_eq!(world.list().job, Some(job.id));
    world.core.call(CancelJob { id: job.id }).wait().unwrap();
    assert_eq!(ended(&mut events, &job).state, JobState::Cancelled);
    assert!(world.leftovers().is_empty());
    let all = world.list();
    assert!(all.trial.is_none() && all.job.is_none());
    assert_eq!(world.search("what happens when a lease expires")[0].passage.path, world.docs.join("leases.md"));

    // As after a kill.
    let profile = fs::read_dir(world.data.join("profiles")).unwrap().next().unwrap().unwrap().path();
    fs::create_dir_all(profile.join("trial/new/index")).unwrap();
    fs::write(profile.join("trial/new/knowledge.redb"), "half").unwrap();
    world.core.shutdown();
    world.core = Core::start(options(&world.data, Role::Command)).unwrap();
    world.core.call(ListSources {}).wait().unwrap();
    assert!(world.leftovers().is_empty());
    assert_eq!(world.list().tests.len(), 1);
}

#[test]
fn tests_say_when_what_they_want_is_gone_and_find_it_where_it_moved() {
    let world = world(Role::Command, false);
    let source = world.fill();
    let lease = world.save("what happens when a lease expires", "lease expired");
    let bread = world.save("how long must dough be kneaded", "Knead the dough");
    let bees = world.save("when does a swarm leave the hive", "A swarm leaves");
    // Moved within its document; rewritten; deleted.
    let path = world.docs.join("leases.md");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{}{text}", "A new line stands before all others, and says little.\n\n".repeat(30)))
        .unwrap();
    fs::write(world.docs.join("bread.md"), "# Bread\n\nBuy it at the baker's.\n").unwrap();
    fs::remove_file(world.docs.join("bees.md")).unwrap();
    world.core.call(RescanSource { id: source }).wait().unwrap();
    world.wait(source, WaitFor::Searchable);
    let all = world.run();
    assert!(matches!(outcome(&all, &lease), RetrievalOutcome::Found { .. }), "{:?}", outcome(&all, &lease));
    assert_eq!(outcome(&all, &bread), RetrievalOutcome::PassageGone);
    assert_eq!(outcome(&all, &bees), RetrievalOutcome::DocumentGone);
    let figures = &all.run.as_ref().unwrap().figures;
    assert_eq!((figures.asked, figures.left_out), (1, 2));

    // The source goes, and the same folder comes again under another id.
    world.core.call(RemoveSource { id: source }).wait().unwrap();
    let all = world.run();
    assert_eq!(outcome(&all, &lease), RetrievalOutcome::SourceGone);
    assert_eq!(all.run.unwrap().figures.asked, 0);
    assert_ne!(world.add(), source);
    assert!(matches!(outcome(&world.run(), &lease), RetrievalOutcome::Found { .. }));
}

#[test]
fn a_source_that_is_removed_during_a_trial_takes_nothing_down() {
    let world = world(Role::Command, false);
    for number in 0..600 {
        let text = format!("# Document {number}\n\n{}", "Rivers flow down to the sea in many bends. ".repeat(40));
        fs::write(world.docs.join(format!("{number}.md")), text).unwrap();
    }
    let source = world.fill();
    world.save("what happens when a lease expires", "lease expired");
    let mut events = world.core.subscribe();
    let job = world.begin(400, None, 0).unwrap();
    world.core.call(RemoveSource { id: source }).wait().unwrap();
    fs::remove_dir_all(&world.docs).unwrap();
    // It ends, with figures over what could still be read or with an error, and leaves nothing.
    let ended = ended(&mut events, &job);
    assert!(matches!(ended.state, JobState::Done | JobState::Failed(_)), "{ended:?}");
    assert!(world.leftovers().is_empty());
    assert_eq!(world.list().tests.len(), 1);
    assert!(world.search("what happens when a lease expires").is_empty());
}

#[test]
fn what_cannot_be_saved_or_tried_is_refused_in_words() {
    let world = world(Role::Command, false);
    let refused = |result: Result<Job, ApiError>| {
        let error = result.unwrap_err();
        assert!(error.category == ErrorCategory::Validation && !error.advice.is_empty(), "{error:?}");
        error.message
    };
    assert!(refused(world.begin(400, None, 0)).contains("no retrieval test"));
    assert!(refused(world.core.call(RunRetrievalTests {}).wait()).contains("no retrieval test"));
    world.fill();
    let hit = world.search("what happens when a lease expires").remove(0).passage.id;
    let save = |question: &str, passage: PassageId| {
        world.core.call(SaveRetrievalTest { question: question.to_owned(), passage }).wait()
    };
    for question in ["", " \n\t\u{0} ", &"w".repeat(1_001), &"long words ".repeat(1_000_000)] {
        assert_eq!(save(question, hit).unwrap_err().category, ErrorCategory::Validation);
    }
    for passage in [PassageId(0), PassageId(u64::MAX), PassageId(hit.0 + 1_000_000)] {
        assert!(save("a question", passage).unwrap_err().message.contains("not indexed"));
    }
    let test = save("what happens\u{1b}[2J when\na lease expires", hit).unwrap();
    assert_eq!(test.question, "what happens [2J when a lease expires");
    assert!(save(&test.question, hit).unwrap_err().message.contains("already"));
    for size in [0, 199, 4_001, u32::MAX] {
        assert!(refused(world.begin(size, None, 0)).contains("characters"));
    }
    assert!(refused(world.begin(800, None, 0)).contains("in force"));
    assert!(refused(world.begin(400, Some("../../etc/passwd"), 0)).contains("no encoder"));

    // Into the trash and back.
    let item = world.core.call(RemoveRetrievalTest { id: test.id }).wait().unwrap();
    assert!(world.list().tests.is_empty());
    assert!(world.core.call(RemoveRetrievalTest { id: test.id }).wait().is_err());
    world.core.call(RestoreTrashed { id: item.id }).wait().unwrap();
    assert_eq!(world.list().tests, [test]);
}

#[test]
fn an_encoder_is_tried_beside_static_vectors_and_back() {
    let world = world(Role::Command, true);
    let source = world.fill();
    world.wait(source, WaitFor::Complete);
    world.save("what happens to a task when its lease has expired", "lease expired");
    let all = world.run();
    let encoder = all.settings.encoder.clone().expect("an encoder is installed");
    assert!(all.encoders.contains(&encoder));
    let of_encoder = |figures: &rspa_core::model::RetrievalFigures| {
        figures.stages.iter().find(|stage| stage.stage == RetrievalStage::Encoder).copied()
    };
    assert!(of_encoder(&all.run.unwrap().figures).is_some_and(|stage| stage.recall10 == 1.0));
    // Without it, over a sample: the vectors of the old one are taken over, not made again.
    assert_eq!(world.try_settings(800, None, 3).state, JobState::Done);
    let trial = world.list().trial.unwrap();
    assert!(trial.documents < trial.documents_all);
    assert!(of_encoder(&trial.old).is_some_and(|stage| stage.recall10 == 1.0) && of_encoder(&trial.new).is_none());
    let without = RetrievalSettings { chunk_size: 800, encoder: None };
    assert_eq!(world.core.call(AdoptRetrievalSettings { settings: without.clone() }).wait().unwrap(), without);
    assert!(
        world
            .search("what happens to a task when its lease has expired")
            .iter()
            .all(|hit| hit.encoder_vector.is_none())
    );
    // And back, with another size.
    assert_eq!(world.try_settings(400, Some(&encoder.0), 0).state, JobState::Done);
    let trial = world.list().trial.unwrap();
    assert!(of_encoder(&trial.old).is_none() && of_encoder(&trial.new).is_some());
    let with = RetrievalSettings { chunk_size: 400, encoder: Some(encoder) };
    assert_eq!(world.core.call(AdoptRetrievalSettings { settings: with.clone() }).wait().unwrap(), with);
    assert_eq!(world.list().settings, with);
}
