//! For tests of pages: state with true-looking content, and a harness that draws one page at a fixed size and theme.

mod retrieval;
mod tasks;

use std::path::PathBuf;

use egui::vec2;
use egui_kittest::Harness;
use rspa_core::model::*;

use crate::commands::{CommandQueue, UiCommand};
use crate::design::{self, Look, UiExt};
use crate::state::{AppState, CoreStatus, Slot};
use crate::views::{Cx, View};

pub use retrieval::*;
pub use tasks::*;

pub struct Stage<V> {
    pub view: V,
    pub state: AppState,
    pub commands: Vec<UiCommand>,
}

/// Draws `show` with the design in force.
pub fn stage<V: 'static>(
    view: V,
    state: AppState,
    size: (f32, f32),
    dark: bool,
    show: impl Fn(&mut V, &mut egui::Ui, &mut Cx<'_>) + 'static,
) -> Harness<'static, Stage<V>> {
    let stage = Stage { view, state, commands: Vec::new() };
    let draw = move |ui: &mut egui::Ui, stage: &mut Stage<V>| {
        ui.painter().rect_filled(ui.ctx().content_rect(), 0.0, ui.tokens().color.bg1);
        let mut commands = CommandQueue::default();
        let mut cx = Cx { state: &stage.state, commands: &mut commands, focused: true };
        let rect = ui.ctx().content_rect();
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect), |ui| show(&mut stage.view, ui, &mut cx));
        stage.commands.extend(commands.take());
    };
    Harness::builder()
        .with_size(vec2(size.0, size.1))
        .with_pixels_per_point(1.0)
        .allow_missing_glyphs()
        .with_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light })
        .with_context_setup(move |ctx| {
            design::install(ctx);
            let theme = if dark { egui::ThemePreference::Dark } else { egui::ThemePreference::Light };
            design::apply(ctx, Look { theme, high_contrast: false, reduce_motion: true });
        })
        .build_ui_state(draw, stage)
}

pub fn page<V: View + Default + 'static>(state: AppState, size: (f32, f32), dark: bool) -> Harness<'static, Stage<V>> {
    stage(V::default(), state, size, dark, |view, ui, cx| view.ui(ui, cx))
}

fn uuid<T: std::str::FromStr>(number: u32) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("01890000-0000-7000-8000-{number:012}").parse().unwrap()
}

pub const NOW: Timestamp = Timestamp(1_760_000_000_000);

pub fn chat(number: u32, title: &str, preview: &str, minutes: i64) -> ChatSummary {
    let updated = Timestamp(NOW.0 - minutes * 60_000);
    let chat = Chat {
        id: uuid(number),
        profile: uuid(1),
        title: title.into(),
        created: updated,
        updated,
        folder: String::new(),
        pinned: false,
        branched_from: None,
    };
    ChatSummary { chat, messages: 2, preview: preview.into() }
}

pub fn source(number: u32, name: &str, passages: u64) -> SourceStatus {
    SourceStatus {
        source: Source {
            address: None,
            kind: rspa_core::model::SourceKind::Folder,
            id: uuid(number),
            profile: uuid(1),
            path: PathBuf::from("/home/ada").join(name),
            name: name.into(),
            sample: false,
            paused: false,
            created: NOW,
            updated: NOW,
        },
        state: SourceState::Ready,
        documents: passages / 12,
        passages,
        problems: 0,
        progress: None,
        completed: Some(NOW),
    }
}

pub fn passage(number: u64, file: &str, heading: Option<&str>, lines: (u32, u32), text: &str) -> Passage {
    let kind = if file.ends_with(".rs") { DocumentKind::Code } else { DocumentKind::Markdown };
    Passage {
        symbols: Vec::new(),
        title: None,
        id: PassageId(number),
        document: uuid(number as u32),
        source: uuid(10),
        path: PathBuf::from("/home/ada/rspa").join(file),
        kind,
        start_line: lines.0,
        end_line: lines.1,
        page: None,
        heading: heading.map(str::to_owned),
        text: text.into(),
        document_hash: "00".into(),
        origin: rspa_core::model::Origin::File,
    }
}

pub const ANSWER: &str = "The specification derives one key per installation with **PBKDF2, 100,000 iterations** and encrypts each API key with AES-256-CBC. The code has moved on: `derive_key` uses **Argon2id** and an authenticated cipher. Nobody has audited this.\n\nTwo things would no longer pass a review today:\n\n1. CBC without a MAC lets a changed file go unnoticed.\n2. 100,000 iterations are below the 600,000 that OWASP advises, see [OWASP](http://owasp.example/).\n\n```rust\nlet key = Argon2::new(Argon2id, V0x13, params)\n    .hash_password_into(passphrase, &salt, &mut out)?; // 64 MiB, t=3\n```\n";

pub fn question(chat: ChatId, number: u32, text: &str) -> Message {
    Message {
        id: uuid(number),
        chat,
        author: Author::Person,
        text: text.into(),
        created: NOW,
        state: MessageState::Complete,
        passages: vec![],
        citations: vec![],
        sentences: vec![],
        stats: None,
        versions: Versions::default(),
        attachments: Vec::new(),
        choice: None,
        context: None,
    }
}

pub fn answer(chat: ChatId, number: u32, text: &str, state: MessageState) -> Message {
    Message { author: Author::Model, state, ..question(chat, number, text) }
}

pub fn cited_answer(chat: ChatId, number: u32) -> Message {
    let passages = vec![
        passage(
            1,
            "spec.md",
            Some("Storage of keys"),
            (871, 878),
            "Each API key is sealed with AES-256-CBC,\nkey derived with PBKDF2, 100,000\niterations, unique salt per installation.\nThe salt lies beside the file.\n\nThe key never leaves the process.",
        ),
        passage(
            2,
            "core/vault.rs",
            Some("fn derive_key"),
            (41, 46),
            "/// Argon2id, 64 MiB, 3 passes; the key never leaves this function.\nfn derive_key(passphrase: &str) -> Key {\n    let mut out = [0; 32];\n    argon2(passphrase, &mut out);\n    Key(out)\n}",
        ),
        passage(3, "security-notes.md", None, (12, 30), "Keys of the API are stored in the vault."),
    ];
    let at = |words: &str| (ANSWER.find(words).unwrap() + words.len()) as u32;
    let ends = [at("AES-256-CBC."), at("authenticated cipher."), at("audited this.")];
    let sentence =
        |start, end, citations: &[u32]| SentenceSupport { start, end, citations: citations.to_vec(), claims: true };
    let cite = |index: usize, lines: (u32, u32)| Citation {
        document: passages[index].document,
        passage: passages[index].clone(),
        quote: String::new(),
        start_line: lines.0,
        end_line: lines.1,
        support: 0.8,
        stale: None,
    };
    Message {
        citations: vec![cite(0, (871, 873)), cite(1, (41, 42))],
        sentences: vec![
            sentence(0, ends[0], &[0]),
            sentence(ends[0] + 1, ends[1], &[1]),
            sentence(ends[1] + 1, ends[2], &[]),
        ],
        stats: Some(AnswerStats {
            model: "smollm2-135m".into(),
            prompt_tokens: 1310,
            answer_tokens: 312,
            search_ms: 11.2,
            ttft_ms: 210.0,
            tok_s: 38.4,
            cut_off: false,
        }),
        passages: passages.clone(),
        ..answer(chat, number, ANSWER, MessageState::Complete)
    }
}

pub fn model() -> InstalledModel {
    let info = ModelInfo {
        id: "smollm2-135m".into(),
        name: "SmolLM2-135M".into(),
        kind: ModelKind::Chat,
        family: "llama".into(),
        quantisation: "Q4_1".into(),
        path: PathBuf::from("/models/smollm2.gguf"),
        size_bytes: 98_000_000,
        context_length: 8192,
        parameters: 135_000_000,
        license: None,
        has_chat_template: true,
    };
    InstalledModel {
        id: ModelId("smollm2-135m".into()),
        info,
        owned: true,
        is_default: true,
        demonstration: true,
        loaded: false,
        measured_tok_s: None,
    }
}

/// Sources, chats, a model, and one chat open with a cited answer.
pub fn state() -> AppState {
    let mut state = AppState { core: CoreStatus::Ready, now: NOW, ..AppState::default() };
    let mut papers = source(11, "papers", 3118);
    papers.state = SourceState::Indexing;
    let progress =
        SourceProgress { files_done: 810, files_total: 1000, files_per_second: 41.0, seconds_left: Some(120.0) };
    papers.progress = Some(progress);
    let mut vault = source(12, "Obsidian vault", 1377);
    vault.problems = 2;
    let mut drive = source(13, "drive", 40);
    drive.state = SourceState::Missing;
    state.knowledge.sources = Slot::with(vec![source(10, "rspa", 12_406), papers, vault, drive]);
    let chats = vec![
        chat(100, "PBKDF2 and key storage", "Compared the two vault designs and found that one of them is", 2),
        chat(101, "Digest for Thursday", "Three notes changed, one task failed", 60),
        chat(102, "", "", 120),
    ];
    let open = chats[0].chat.id;
    state.chats.list = Slot::with(chats);
    state.chats.open = Some(open);
    let text = "How does our spec protect stored API keys, and is it still good practice?";
    let messages = vec![question(open, 200, text), cited_answer(open, 201)];
    state.chats.messages.insert(open, Slot::with(messages));
    state.models.list = Slot::with(ModelList { models: vec![model()], unusable: vec![], folders: vec![] });
    state
}

pub fn hit(number: u64, file: &str, heading: Option<&str>, lines: (u32, u32), text: &str, score: f32) -> SearchHit {
    let marks = text.find("lease").map(|at| (at as u32, at as u32 + 5)).into_iter().collect();
    SearchHit {
        fusion: Some(StageRank { rank: 1, score: 0.49 }),
        rerank: Some(StageRank { rank: 1, score: 21.4 }),
        compared: None,
        passage: passage(number, file, heading, lines, text),
        score,
        keyword: Some(StageRank { rank: 3, score: 12.4 }),
        static_vector: Some(StageRank { rank: 2, score: 0.71 }),
        encoder_vector: None,
        snippet: text.into(),
        marks,
    }
}

/// Results of a search for leases.
pub fn results() -> SearchResults {
    let code = "/// Takes the most urgent task that is due, and leases it.\npub fn lease(&self, now: Timestamp) -> Result<Option<Lease>> {\n    let write = self.store.write()?;\n    let Some(key) = write.due_index()?.first_before(now)? else {\n        return Ok(None);\n    };\n    let task = write.tasks()?.take(key.id)?;\n    write.commit()?;\n    Ok(Some(Lease { task, token: key.id }))\n}";
    SearchResults {
        candidates: 160,
        rerank_ms: 6.8,
        compare_ms: 0.0,
        compared: 0,
        query: "what happens when a lease expires".into(),
        hits: vec![
            hit(1, "core/src/tasks/queue.rs", Some("fn lease"), (91, 100), code, 0.91),
            hit(
                2,
                "Leases.md",
                Some("What happens on expiry"),
                (4, 9),
                "A task whose lease expired is queued again, its attempt counted.",
                0.88,
            ),
            hit(
                3,
                "RELIABILITY.md",
                None,
                (44, 61),
                "Killed between lease and commit: the task is found by the next start.",
                0.79,
            ),
        ],
        searched: 16_901,
        ms: 9.4,
        keyword_ms: 1.1,
        vector_ms: 0.5,
    }
}

/// A document of the source `rspa`, read in full.
pub fn document(number: u32, file: &str) -> Document {
    let like = passage(u64::from(number), file, None, (1, 1), "");
    Document {
        id: uuid(number),
        source: like.source,
        path: like.path,
        kind: like.kind,
        size_bytes: 12_400,
        modified: NOW,
        hash: "00".into(),
        passages: 7,
        indexed: NOW,
        confidence: 1.0,
        note: None,
        seconds: 0.034,
        title: None,
        metadata: Vec::new(),
    }
}

/// How it is built; nothing in it yet.
pub fn outline(document: Document) -> DocumentOutline {
    DocumentOutline {
        document,
        changed: false,
        total_lines: 120,
        headings: Vec::new(),
        symbols: Vec::new(),
        tables: Vec::new(),
        pages: Vec::new(),
    }
}

pub fn outline_heading(line: u32, level: u8, title: &str) -> OutlineHeading {
    OutlineHeading { line, level, title: title.into() }
}
