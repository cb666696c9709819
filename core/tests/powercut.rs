//! Power cuts at every write of a mixed load: nothing confirmed is lost, the state is the old or the new one, and the
//! rows fit together. `RSPA_SOAK=1` cuts at 10,000 seeded points of longer loads.
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

use std::path::Path;
use std::sync::Arc;

use rspa_core::clock::{Ids, ManualClock};
use rspa_core::model::{
    Author, Chat, ChatId, DocumentId, DocumentKind, LedgerEntry, Message, MessageId, MessageState, ModelId, ProfileId,
    Question, Source, SourceId, Timestamp, Versions,
};
use rspa_core::storage::disk::Disk;
use rspa_core::storage::disk::simulated::SimulatedDisk;
use rspa_core::storage::knowledge::{self, Batch, FileChange, KnowledgeStore, NewDocument, NewPassage, Outcome, Stamp};
use rspa_core::storage::{
    Db, DbOptions, Schema, StorageError, chats, check, history, ledger, models, snapshot, tables,
};

const START: i64 = 1_700_000_000_000;

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// The program's two files on one simulated disk, and what the load remembers of them.
struct Load {
    main: Db,
    knowledge: KnowledgeStore,
    knowledge_db: Db,
    clock: Arc<ManualClock>,
    ids: Ids,
    random: Random,
    profile: ProfileId,
    chats: Vec<(Chat, Option<Message>)>,
    sources: Vec<SourceId>,
    rows: Vec<ledger::LedgerRow>,
    documents: u64,
}

fn open(disk: &SimulatedDisk, clock: &Arc<ManualClock>, name: &str, schema: &Schema) -> Result<Db, StorageError> {
    let options = DbOptions { disk: Arc::new(disk.clone()), clock: clock.clone(), ..DbOptions::default() };
    Db::open(&Path::new("/").join(name), schema, options)
}

impl Load {
    fn open(disk: &SimulatedDisk, seed: u64) -> Result<Self, StorageError> {
        let clock = Arc::new(ManualClock::at(Timestamp(START)));
        let ids = Ids::seeded(clock.clone(), seed);
        let main = open(disk, &clock, "main.redb", &tables::MAIN)?;
        let knowledge_db = open(disk, &clock, "knowledge.redb", &tables::KNOWLEDGE)?;
        Ok(Self {
            main,
            knowledge: KnowledgeStore::new(knowledge_db.clone()),
            knowledge_db,
            profile: ProfileId(ids.next()),
            ids,
            clock,
            random: Random(seed),
            chats: Vec::new(),
            sources: Vec::new(),
            rows: Vec::new(),
            documents: 0,
        })
    }

    fn message(&self, chat: ChatId, author: Author, text: &str, state: MessageState) -> Message {
        Message {
            id: MessageId(self.ids.next()),
            chat,
            author,
            text: text.to_owned(),
            created: Timestamp(START),
            state,
            citations: Vec::new(),
            passages: Vec::new(),
            sentences: Vec::new(),
            stats: None,
            versions: Versions::default(),
            attachments: Vec::new(),
            choice: None,
            context: None,
        }
    }

    /// One change, confirmed when this returns; the same for the same seed.
    fn step(&mut self) -> Result<(), StorageError> {
        self.clock.advance_ms(self.random.below(40_000) as i64);
        let text = "When does the ferry leave? ".repeat(1 + self.random.below(60) as usize);
        let which = self.random.below(100);
        let some = |random: &mut Random, len: usize| random.below(len as u64) as usize;
        match which {
            0..20 => self.new_chat(),
            20..40 if !self.chats.is_empty() => {
                let at = some(&mut self.random, self.chats.len());
                self.exchange(at, &text)
            }
            40..55 if self.chats.iter().any(|(_, answer)| answer.is_some()) => {
                let at = self.chats.iter().position(|(_, answer)| answer.is_some()).unwrap();
                let mut answer = self.chats[at].1.clone().unwrap();
                answer.text = text;
                answer.state = if which < 48 { MessageState::Streaming } else { MessageState::Complete };
                chats::update(&self.main, answer)
            }
            55..60 if !self.chats.is_empty() => {
                let at = some(&mut self.random, self.chats.len());
                let (chat, _) = self.chats.remove(at);
                let profile = self.profile;
                self.main.write(move |txn| chats::erase(txn, profile, chat.id))
            }
            60..68 => self.ledger(),
            68..74 if !self.rows.is_empty() => {
                let row = self.rows[some(&mut self.random, self.rows.len())];
                ledger::complete(&self.main, row, 10, self.random.below(10_000), "done".to_owned())
            }
            74..78 => self.source(),
            78..80 => {
                let id = ModelId(format!("model {}", self.random.below(3)));
                models::set_default(&self.main, self.profile, rspa_core::ml::weights::ModelKind::Chat, &id)
            }
            80..82 => self.main.prune_history(Timestamp(START), 20_000).map(drop),
            _ if !self.sources.is_empty() => self.document(&text),
            _ => self.source(),
        }
    }

    fn new_chat(&mut self) -> Result<(), StorageError> {
        let chat = Chat {
            id: ChatId(self.ids.next()),
            profile: self.profile,
            title: format!("chat {}", self.chats.len()),
            created: Timestamp(START),
            updated: Timestamp(START),
            folder: String::new(),
            pinned: false,
            branched_from: None,
        };
        chats::create(&self.main, chat.clone())?;
        self.chats.push((chat, None));
        Ok(())
    }

    fn exchange(&mut self, at: usize, text: &str) -> Result<(), StorageError> {
        let chat = self.chats[at].0.id;
        let question = self.message(chat, Author::Person, text, MessageState::Complete);
        let answer = self.message(chat, Author::Model, "", MessageState::Preparing);
        let asked = Question {
            text: text.to_owned(),
            use_knowledge: true,
            sources: Vec::new(),
            model: None,
            beside: None,
            attachments: Vec::new(),
        };
        chats::add_exchange(&self.main, self.profile, question, answer.clone(), &asked, "titled".to_owned())?;
        self.chats[at].1 = Some(answer);
        Ok(())
    }

    fn ledger(&mut self) -> Result<(), StorageError> {
        let entry = LedgerEntry {
            at: Timestamp(START + self.rows.len() as i64),
            profile: None,
            profile_name: String::new(),
            who: "load".to_owned(),
            destination: "example.org".to_owned(),
            purpose: "test".to_owned(),
            allowed: self.rows.len().is_multiple_of(2),
            reason: "policy".to_owned(),
            bytes_sent: 5,
            bytes_received: 0,
        };
        let row = self.main.write(move |txn| ledger::insert(txn, &entry))?;
        self.rows.push(row);
        Ok(())
    }

    fn source(&mut self) -> Result<(), StorageError> {
        let source = Source {
            address: None,
            kind: rspa_core::model::SourceKind::Folder,
            id: SourceId(self.ids.next()),
            profile: self.profile,
            path: format!("/home/ada/{}", self.sources.len()).into(),
            name: "notes".to_owned(),
            sample: false,
            paused: false,
            created: Timestamp(START),
            updated: Timestamp(START),
        };
        knowledge::put_source(&self.main, &source)?;
        self.sources.push(source.id);
        Ok(())
    }

    fn document(&mut self, text: &str) -> Result<(), StorageError> {
        let source = self.sources[self.random.below(self.sources.len() as u64) as usize];
        let path = format!("note {}.md", self.random.below(6)).into_bytes();
        self.documents += 1;
        let passage = |line| NewPassage {
            symbols: Vec::new(),
            start_line: line,
            end_line: line,
            page: None,
            heading: None,
            text: text.to_owned(),
        };
        let document = NewDocument {
            anchors: Vec::new(),
            metadata: Vec::new(),
            title: None,
            id: DocumentId(self.ids.next()),
            kind: DocumentKind::Markdown,
            hash: [self.documents as u8; 32],
            confidence: 1.0,
            note: None,
            seconds: 0.0,
            passages: (1..=1 + self.random.below(4) as u32).map(passage).collect(),
            vectors: Vec::new(),
        };
        let outcome =
            if self.documents.is_multiple_of(5) { Outcome::Gone } else { Outcome::Indexed(Box::new(document)) };
        let stamp = Stamp { size: text.len() as u64, modified: START };
        let files = vec![FileChange { preparation: 0, path, stamp, outcome, remark: None }];
        let batch = Batch { source, at: Timestamp(START), space: None, files, trim_log: 0 };
        self.knowledge.apply(Arc::new(batch)).map(drop)
    }

    /// All rows of both files.
    fn state(&self) -> Vec<(String, Vec<u8>, Vec<u8>)> {
        let mut rows = dump(&self.main, &tables::MAIN);
        rows.extend(dump(&self.knowledge_db, &tables::KNOWLEDGE));
        rows
    }
}

fn dump(db: &Db, schema: &Schema) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let txn = db.read().unwrap();
    let mut out = Vec::new();
    for table in schema.tables.iter().copied().flatten() {
        for row in table.raw_rows(&txn).unwrap() {
            let row = row.unwrap();
            out.push((table.table_name().to_owned(), row.key, row.value));
        }
    }
    out
}

/// Table, key and value of each row of a state.
type Rows = Vec<(String, Vec<u8>, Vec<u8>)>;

/// The states before and after each of the steps, and how many changes of the disk they take.
fn uncut(seed: u64, steps: usize) -> (Vec<Rows>, u64) {
    let disk = SimulatedDisk::new();
    let mut load = Load::open(&disk, seed).unwrap();
    let mut states = vec![load.state()];
    for _ in 0..steps {
        load.step().unwrap();
        states.push(load.state());
    }
    (states, disk.operations())
}

/// Runs the load until the power is cut; how many steps were confirmed.
fn cut(disk: &SimulatedDisk, seed: u64, steps: usize) -> usize {
    let Ok(mut load) = Load::open(disk, seed) else { return 0 };
    for step in 0..steps {
        if load.step().is_err() {
            return step;
        }
    }
    steps
}

/// Looks at what the next start finds.
fn verify(found: &SimulatedDisk, seed: u64, states: &[Rows], confirmed: usize, what: &str) {
    for (name, schema) in [("main.redb", &tables::MAIN), ("knowledge.redb", &tables::KNOWLEDGE)] {
        let path = Path::new("/").join(name);
        if found.exists(&path) {
            let report = check::file(&path, schema, found).unwrap();
            assert_eq!(report.damage, None, "{what}: {name}");
        }
    }
    let load = Load::open(found, seed).unwrap_or_else(|error| panic!("{what}: {error}"));
    let state = load.state();
    let next = states.get(confirmed + 1);
    assert!(
        state == states[confirmed] || next.is_some_and(|next| state == *next),
        "{what}: after {confirmed} confirmed steps the state is neither the old nor the new one"
    );
    // And it works on: the history leads back to its beginning, and a write is kept.
    if let Some((from, _)) = history::range(&load.main).unwrap() {
        let copy = Path::new("/copy.redb");
        snapshot::copy_to(&load.main, &tables::MAIN, copy, found).unwrap();
        let copy = open(found, &load.clock, "copy.redb", &tables::MAIN).unwrap();
        history::undo_until(&copy, &tables::MAIN, from).unwrap();
    }
    let mut load = load;
    load.new_chat().unwrap();
    assert_eq!(dump(&load.main, &tables::MAIN).iter().filter(|row| row.0 == "chats").count(), {
        state.iter().filter(|row| row.0 == "chats").count() + 1
    });
}

#[test]
fn every_write_of_a_mixed_load_can_be_the_last() {
    let (seed, steps) = (7, 24);
    let (states, operations) = uncut(seed, steps);
    assert!(operations > 100, "{operations}");
    for operation in 0..operations {
        let disk = SimulatedDisk::new();
        disk.cut_at(operation);
        let confirmed = cut(&disk, seed, steps);
        verify(&disk.after_power_cut(operation), seed, &states, confirmed, &format!("cut at {operation}"));
    }
}

#[test]
fn many_writers_at_once_lose_nothing_that_was_confirmed() {
    for cut_at in (40..200).step_by(8) {
        let disk = SimulatedDisk::new();
        let clock = Arc::new(ManualClock::at(Timestamp(START)));
        let main = open(&disk, &clock, "main.redb", &tables::MAIN).unwrap();
        disk.cut_at(disk.operations() + cut_at);
        let profile = ProfileId(Ids::seeded(clock.clone(), 1).next());
        let confirmed: Vec<ChatId> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4_u64)
                .map(|writer| {
                    let (main, clock) = (main.clone(), clock.clone());
                    scope.spawn(move || {
                        let ids = Ids::seeded(clock, 100 + writer);
                        let mut done = Vec::new();
                        for number in 0..50 {
                            let id = ChatId(ids.next());
                            let (created, title) = (Timestamp(START), format!("{writer} {number}"));
                            if chats::create(
                                &main,
                                Chat {
                                    id,
                                    profile,
                                    title,
                                    created,
                                    updated: created,
                                    folder: String::new(),
                                    pinned: false,
                                    branched_from: None,
                                },
                            )
                            .is_err()
                            {
                                break;
                            }
                            done.push(id);
                        }
                        done
                    })
                })
                .collect();
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
        });
        drop(main);
        let found = disk.after_power_cut(cut_at);
        let main = open(&found, &clock, "main.redb", &tables::MAIN).unwrap();
        let there: Vec<ChatId> = chats::list(&main, profile).unwrap().iter().map(|row| row.chat.id).collect();
        assert!(confirmed.iter().all(|id| there.contains(id)), "cut after {cut_at}");
        // One write of each may have been on its way.
        assert!(there.len() <= confirmed.len() + 4, "cut after {cut_at}");
    }
}

/// 10,000 crash points: seeded loads of up to 80 steps, each cut at seeded points. Only with `RSPA_SOAK=1`.
#[test]
fn soak() {
    if std::env::var("RSPA_SOAK").as_deref() != Ok("1") {
        return;
    }
    let first = std::env::var("RSPA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_000_u64);
    let points = std::env::var("RSPA_POINTS").ok().and_then(|points| points.parse().ok()).unwrap_or(10_000_u64);
    let (each, mut done) = (50, 0);
    let mut seed = first;
    while done < points {
        let mut random = Random(seed);
        let steps = 20 + random.below(60) as usize;
        let (states, operations) = uncut(seed, steps);
        for _ in 0..each.min(points - done) {
            let operation = random.below(operations);
            let disk = SimulatedDisk::new();
            disk.cut_at(operation);
            let confirmed = cut(&disk, seed, steps);
            let what = format!("seed {seed}, cut at {operation} of {operations}");
            verify(&disk.after_power_cut(random.below(u64::MAX)), seed, &states, confirmed, &what);
            done += 1;
        }
        seed += 1;
    }
    println!("soak: power cuts in a mixed load {done} seed {first} to {}", seed - 1);
}
