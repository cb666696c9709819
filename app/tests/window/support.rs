//! A window without a screen, and a state as it is after some work.

use std::path::PathBuf;
use std::sync::Arc;

use egui_kittest::Harness;
use rspa_app::design;
use rspa_app::shell::Shell;
use rspa_app::state::{AppState, CoreStatus, Page, Slot};
use rspa_core::clock::ManualClock;
use rspa_core::model::*;
use uuid::Uuid;

pub const NOW: Timestamp = Timestamp(1_795_000_000_000);

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW))
}

pub type Window = Harness<'static, Shell>;

/// A window of 1280 × 800 that shows this state.
pub fn window(state: AppState) -> Window {
    sized(state, [1280.0, 800.0])
}

pub fn sized(state: AppState, size: [f32; 2]) -> Window {
    of(Shell::showing(state, clock()), size)
}

/// A window around a shell, as eframe runs it: no margin, logic before each frame.
pub fn of(shell: Shell, size: [f32; 2]) -> Window {
    Harness::builder()
        .with_size(size)
        .with_max_steps(12)
        .with_os(egui::os::OperatingSystem::Nix)
        .with_context_setup(|ctx| {
            design::install(ctx);
            ctx.options_mut(|options| options.zoom_with_keyboard = false);
        })
        .build_ui_state(
            |ui, shell: &mut Shell| {
                let whole = ui.ctx().content_rect();
                shell.logic(ui.ctx());
                let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(whole));
                ui.set_clip_rect(whole);
                shell.ui(&mut ui);
            },
            shell,
        )
}

/// A state with sources, models, settings and figures.
pub fn worked() -> AppState {
    let mut state = AppState { core: CoreStatus::Ready, now: NOW, ..AppState::default() };
    state.ui.welcomed = true;
    state.ui.theme = rspa_app::state::persisted::ThemeChoice::Dark;
    state.network = Some(network());
    state.knowledge.sources = Slot::with(vec![
        source(1, "/home/ada/papers", SourceState::Indexing, 3_118, Some(0.81)),
        source(2, "/home/ada/notes", SourceState::Ready, 894, None),
        source(3, "/media/usb/archive", SourceState::Missing, 5_002, None),
    ]);
    state.chats.list = Slot::with(vec![chat(1, "PBKDF2 and key storage", 120), chat(2, "Digest for Thursday", 3_600)]);
    state.models.list = Slot::with(models());
    state.models.recommendation = Slot::with(recommendation());
    state.models.catalogue = Slot::with(vec![
        catalogue_model("qwen3-4b", "Qwen3 4B", false),
        catalogue_model("smollm2", "SmolLM2 135M", true),
    ]);
    state.settings = Slot::with(settings());
    state.overview = Slot::with(overview());
    state.jobs = vec![Job {
        id: JobId(Uuid::from_u128(9)),
        kind: JobKind::Download,
        label: "Download Qwen3 4B".into(),
        state: JobState::Running,
        done: 1_100_000_000,
        total: 2_500_000_000,
        unit: "bytes".into(),
        seconds_left: Some(130.0),
        started: NOW,
    }];
    state
}

pub fn on(page: Page) -> AppState {
    let mut state = worked();
    state.ui.layout.open_page(page);
    state
}

pub fn network() -> NetworkStatus {
    NetworkStatus {
        forbid_cloud: false,
        hosts: Vec::new(),
        policy: NetworkPolicy::Nothing,
        requests_allowed: 0,
        requests_blocked: 2,
        bytes_sent: 0,
        bytes_received: 0,
        active: false,
    }
}

pub fn source(n: u128, path: &str, state: SourceState, passages: u64, done: Option<f64>) -> SourceStatus {
    let profile = ProfileId(Uuid::from_u128(1));
    let name = PathBuf::from(path).file_name().unwrap().to_string_lossy().into_owned();
    SourceStatus {
        source: Source {
            address: None,
            kind: rspa_core::model::SourceKind::Folder,
            id: SourceId(Uuid::from_u128(n)),
            profile,
            path: path.into(),
            name,
            sample: false,
            paused: false,
            created: NOW,
            updated: NOW,
        },
        state,
        documents: passages / 12,
        passages,
        problems: 0,
        progress: done.map(|done| SourceProgress {
            files_done: (done * 3840.0) as u64,
            files_total: 3840,
            files_per_second: 41.0,
            seconds_left: Some(118.0),
        }),
        completed: None,
    }
}

pub fn chat(n: u128, title: &str, seconds_ago: i64) -> ChatSummary {
    let at = Timestamp(NOW.0 - seconds_ago * 1000);
    let chat = Chat {
        id: ChatId(Uuid::from_u128(n)),
        profile: ProfileId(Uuid::from_u128(1)),
        title: title.into(),
        created: at,
        updated: at,
        folder: String::new(),
        pinned: false,
        branched_from: None,
    };
    ChatSummary { chat, messages: 4, preview: "Compared the two vault designs".into() }
}

pub fn models() -> ModelList {
    let model = |id: &str, name: &str, kind, default, demonstration| InstalledModel {
        id: ModelId(id.into()),
        info: ModelInfo {
            id: id.into(),
            name: name.into(),
            kind,
            family: "llama".into(),
            quantisation: "Q4_1".into(),
            path: format!("/home/ada/.local/share/rspa/models/{id}").into(),
            size_bytes: 98_362_432,
            context_length: 8192,
            parameters: 134_515_008,
            license: Some("Apache-2.0".into()),
            has_chat_template: true,
        },
        owned: true,
        is_default: default,
        demonstration,
        loaded: default,
        measured_tok_s: default.then_some(37.6),
    };
    ModelList {
        models: vec![
            model("smollm2-135m-instruct.q4_1", "SmolLM2 135M Instruct", ModelKind::Chat, true, true),
            model("granite-1b", "Granite 1B", ModelKind::Chat, false, false),
            model("all-minilm-l6-v2", "all-MiniLM-L6-v2", ModelKind::Encoder, true, false),
        ],
        unusable: vec![("/home/ada/models/broken.gguf".into(), "the file ends in the middle of a tensor".into())],
        folders: vec!["/home/ada/.local/share/rspa/models".into()],
    }
}

pub fn catalogue_model(id: &str, name: &str, demonstration: bool) -> CatalogueModel {
    CatalogueModel {
        id: id.into(),
        name: name.into(),
        kind: ModelKind::Chat,
        family: "qwen3".into(),
        quantisation: "Q4_K_M".into(),
        license: "Apache-2.0".into(),
        context_length: 32_768,
        memory_bytes: 4_100_000_000,
        demonstration,
        summary: "Answers from documents, several languages, short code.".into(),
        files: vec![CatalogueFile {
            name: "model.gguf".into(),
            url: "https://models.example/qwen3-4b.gguf".into(),
            size_bytes: 2_500_000_000,
            sha256: "ab".repeat(32),
        }],
    }
}

pub fn recommendation() -> Recommendation {
    Recommendation {
        hardware: Hardware {
            cpu: "AMD Ryzen 7".into(),
            cores: 8,
            vector_instructions: vec!["avx2".into()],
            memory_bytes: 16_000_000_000,
            memory_available_bytes: 11_000_000_000,
            accelerators: vec![],
        },
        model: Some(catalogue_model("qwen3-4b", "Qwen3 4B", false)),
        reason: "16 GB of memory and 8 cores: a 4 B model at 4 bits answers at reading speed.".into(),
    }
}

pub fn settings() -> Vec<SettingEntry> {
    let entry = |key: &str, label: &str, kind, value: SettingValue, default: SettingValue, origin| SettingEntry {
        key: key.into(),
        group: key.split('.').next().unwrap().into(),
        label: label.into(),
        description: "What it does and when it matters, in a sentence.".into(),
        kind,
        value,
        default,
        origin,
        place: match origin {
            SettingOrigin::Default | SettingOrigin::CommandLine => None,
            SettingOrigin::Environment => Some("RSPA_MODELS_THREADS".into()),
            _ if key == "ui.theme" => Some("config.toml line 1".into()),
            _ => Some("config.toml line 3".into()),
        },
        waiting_for_restart: false,
        held: None,
        needs_restart: false,
        problem: None,
    };
    let mut all = vec![
        entry(
            "ui.theme",
            "Theme",
            SettingKind::Choice(vec!["system".into(), "light".into(), "dark".into()]),
            SettingValue::Text("dark".into()),
            SettingValue::Text("system".into()),
            SettingOrigin::File,
        ),
        entry(
            "ui.high_contrast",
            "High contrast",
            SettingKind::Bool,
            SettingValue::Bool(false),
            SettingValue::Bool(false),
            SettingOrigin::Default,
        ),
        entry(
            "knowledge.watch",
            "Watch for changes",
            SettingKind::Bool,
            SettingValue::Bool(true),
            SettingValue::Bool(true),
            SettingOrigin::Default,
        ),
        entry(
            "knowledge.chunk_tokens",
            "Passage length",
            SettingKind::Integer { min: 64, max: 2048 },
            SettingValue::Integer(256),
            SettingValue::Integer(220),
            SettingOrigin::File,
        ),
        entry(
            "models.threads",
            "Threads",
            SettingKind::Integer { min: 0, max: 256 },
            SettingValue::Integer(4),
            SettingValue::Integer(0),
            SettingOrigin::Environment,
        ),
        entry(
            "logs.level",
            "Log level",
            SettingKind::Choice(vec!["warn".into(), "info".into(), "debug".into()]),
            SettingValue::Text("info".into()),
            SettingValue::Text("info".into()),
            SettingOrigin::Default,
        ),
    ];
    all[3].problem = Some("config.toml line 7: chunk_tokens = 1e9 is above 2048; 256 is used.".into());
    all
}

pub fn overview() -> Overview {
    let recent = |minutes: i64, kind: &str, title: &str| {
        let id = ActivityId(Uuid::from_u128(minutes.unsigned_abs().into()));
        Happening::new(kind, title).kept(id, Timestamp(NOW.0 - minutes * 60_000))
    };
    Overview {
        at: NOW,
        sources: 3,
        documents: 751,
        passages: 9_014,
        problems: 0,
        chats: 2,
        questions: 214,
        questions_per_day: vec![3, 5, 4, 6, 9, 2, 0, 7, 8, 6, 11, 9, 12, 10],
        model_seconds_per_day: vec![
            40.0, 52.0, 48.0, 60.0, 90.0, 20.0, 0.0, 70.0, 80.0, 60.0, 110.0, 90.0, 120.0, 102.0,
        ],
        network: network(),
        ledger: vec![],
        recent: vec![
            recent(2, "answer.finished", "Answered: How does our spec protect stored keys?"),
            recent(10, "network.blocked", "Blocked: a download without consent"),
            recent(34, "source.indexed", "Read ~/notes: 894 passages"),
            recent(300, "model.imported", "Imported SmolLM2 135M Instruct"),
        ],
        memory_bytes: 412_000_000,
        memory_total_bytes: 16_000_000_000,
        data_folder: "/home/ada/.local/share/rspa".into(),
        data_bytes: 61_000_000,
        disk_free_bytes: 81_000_000_000,
        degraded: vec![],
    }
}

/// A folder as core lists it.
pub fn listing(path: &str, names: &[(&str, bool)]) -> FolderListing {
    let path = PathBuf::from(path);
    FolderListing {
        parent: path.parent().map(PathBuf::from),
        entries: names
            .iter()
            .map(|(name, is_folder)| FolderEntry {
                name: (*name).into(),
                path: path.join(name),
                is_folder: *is_folder,
                hidden: false,
                size_bytes: 1200,
                modified: None,
                readable: true,
            })
            .collect(),
        path,
        truncated: false,
        places: vec![
            Place { label: "Home".into(), path: "/home/ada".into() },
            Place { label: "Documents".into(), path: "/home/ada/Documents".into() },
            Place { label: "Computer".into(), path: "/".into() },
        ],
    }
}
