//! The schema: every setting once, as data for the settings page and as a typed field for the code that reads it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::model::{SettingKind, SettingValue};

/// One setting as the schema describes it.
#[derive(Clone, Debug)]
pub struct Setting {
    /// `group.name`.
    pub key: String,
    pub group: &'static str,
    pub label: &'static str,
    pub description: &'static str,
    pub kind: SettingKind,
    pub default: SettingValue,
    pub needs_restart: bool,
}

impl Setting {
    /// `RSPA_GROUP_KEY`.
    pub fn variable(&self) -> String {
        variable(&self.key)
    }
}

/// `RSPA_GROUP_KEY` of `group.key`.
pub(super) fn variable(key: &str) -> String {
    format!("RSPA_{}", key.replace('.', "_").to_ascii_uppercase())
}

pub fn schema() -> &'static [Setting] {
    &SCHEMA
}

pub(super) fn find(key: &str) -> Option<&'static Setting> {
    schema().iter().find(|setting| setting.key == key)
}

/// A type that a setting can have in code.
trait Field: Sized {
    fn from_value(value: &SettingValue) -> Option<Self>;

    fn into_value(self) -> SettingValue;
}

macro_rules! field {
    ($($type:ty => $variant:ident),*) => {$(
        impl Field for $type {
            fn from_value(value: &SettingValue) -> Option<Self> {
                match value {
                    SettingValue::$variant(value) => Some(value.clone()),
                    _ => None,
                }
            }

            fn into_value(self) -> SettingValue {
                SettingValue::$variant(self)
            }
        }
    )*};
}
field!(bool => Bool, i64 => Integer, f64 => Number, String => Text, Vec<String> => List);

macro_rules! groups {
    ($($(#[$doc:meta])* $group:ident: $Group:ident {
        $($name:ident: $type:ty = $default:expr, $kind:expr, $restart:expr, $label:literal, $description:literal;)*
    })*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Group {
            $(#[doc = $description] pub $name: $type,)*
        }

        impl Default for $Group {
            fn default() -> Self {
                Self { $($name: $default),* }
            }
        })*

        /// All settings as they are in force.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Current {
            $(pub $group: $Group,)*
        }

        impl Current {
            pub(super) fn from_values(values: &BTreeMap<String, SettingValue>) -> Self {
                let mut current = Self::default();
                $($(if let Some(value) =
                    values.get(concat!(stringify!($group), ".", stringify!($name))).and_then(Field::from_value)
                {
                    current.$group.$name = value;
                })*)*
                current
            }
        }

        static SCHEMA: LazyLock<Vec<Setting>> = LazyLock::new(|| {
            let defaults = Current::default();
            vec![$($(Setting {
                key: concat!(stringify!($group), ".", stringify!($name)).to_owned(),
                group: stringify!($group),
                label: $label,
                description: $description,
                kind: $kind,
                default: defaults.$group.$name.clone().into_value(),
                needs_restart: $restart == RESTART,
            },)*)*]
        });
    };
}

const RESTART: bool = true;
const LIVE: bool = false;

fn choice(values: &[&str]) -> SettingKind {
    SettingKind::Choice(values.iter().map(|value| (*value).to_owned()).collect())
}

fn integer(min: i64, max: i64) -> SettingKind {
    SettingKind::Integer { min, max }
}

fn number(min: f64, max: f64) -> SettingKind {
    SettingKind::Number { min, max }
}

groups! {
    /// How the window looks and behaves.
    ui: Interface {
        theme: String = "system".to_owned(), choice(&["system", "light", "dark"]), LIVE,
            "Theme", "Light, dark, or as the system is set.";
        zoom: f64 = 1.0, number(0.5, 3.0), LIVE, "Zoom", "Size of everything in the window; 1 is usual.";
        high_contrast: bool = false, SettingKind::Bool, LIVE, "High contrast", "Stronger colours and lines.";
        language: String = "en".to_owned(), choice(&["en"]), LIVE, "Language", "Language of the interface.";
        reduce_motion: bool = false, SettingKind::Bool, LIVE, "Reduce motion", "Changes appear at once, without movement.";
    }
    /// Which models answer, and how.
    models: Models {
        default_chat: String = String::new(), SettingKind::Text, LIVE,
            "Chat model", "The model that answers, as `rspa models list` names it; empty takes the first one installed.";
        default_encoder: String = String::new(), SettingKind::Text, LIVE,
            "Encoder", "The model that embeds passages for search; empty takes the first one installed.";
        default_reranker: String = String::new(), SettingKind::Text, LIVE,
            "Reranker", "The cross-encoder that puts the best passages of a search into their last order; empty takes the first one installed.";
        threads: i64 = 0, integer(0, 256), RESTART, "Threads", "Processor threads for models; 0 decides by the computer.";
        max_context: i64 = 0, integer(0, 1_048_576), RESTART,
            "Context", "Tokens that a model may keep in view; 0 means as many as the model allows and memory holds.";
        folders: Vec<String> = Vec::new(), SettingKind::List, LIVE,
            "Model folders", "More folders to look for models in, beside the program's own.";
        temperature: f64 = 0.3, number(0.0, 2.0), LIVE, "Temperature", "0 always takes the likeliest word; higher varies more.";
        top_p: f64 = 0.95, number(0.01, 1.0), LIVE, "Top p", "Keeps the likeliest words up to this share; 1 is off.";
        top_k: i64 = 40, integer(0, 1_000), LIVE, "Top k", "Keeps this many of the likeliest words; 0 is off.";
        min_p: f64 = 0.05, number(0.0, 1.0), LIVE,
            "Min p", "Drops words less likely than this share of the likeliest one; 0 is off.";
        repeat_penalty: f64 = 1.1, number(0.5, 2.0), LIVE, "Repeat penalty", "Above 1 avoids words used lately; 1 is off.";
        max_tokens: i64 = 512, integer(1, 65_536), LIVE, "Longest answer", "Tokens of an answer at most.";
        seed: i64 = -1, integer(-1, i64::MAX), LIVE, "Seed", "The same seed gives the same answer; -1 takes a new one each time.";
    }
    /// What is read and how it is searched.
    knowledge: Knowledge {
        max_file_mb: i64 = 50, integer(1, 4_096), LIVE, "Largest file", "Files above this many megabytes are left out and listed.";
        follow_gitignore: bool = true, SettingKind::Bool, LIVE,
            "Follow .gitignore", "Leaves out what a project's .gitignore leaves out.";
        watch: bool = true, SettingKind::Bool, LIVE, "Watch folders", "Reads changed files again on its own.";
        chunk_size: i64 = 800, integer(200, 4_000), LIVE,
            "Passage size", "Characters that a passage should have. Another size reads all documents again: try it on your retrieval tests on the Knowledge page first.";
        use_encoder: bool = true, SettingKind::Bool, LIVE,
            "Search with the encoder", "Uses the installed encoder beside the embedder inside the program.";
        passages_per_answer: i64 = 8, integer(1, 50), LIVE,
            "Passages per answer", "How many found passages the model may read for an answer.";
        citation_threshold: f64 = 0.65, number(0.0, 1.0), LIVE,
            "Citation threshold", "How well a passage must support a sentence to be cited for it.";
    }
    /// What is logged, where, for how long.
    logging: Logging {
        level: String = "info".to_owned(), choice(&["error", "warn", "info", "debug", "trace"]), LIVE,
            "Level", "The least important level that is logged.";
        to_file: bool = true, SettingKind::Bool, RESTART, "Log to file", "Writes logs/rs_pa.log in the data folder.";
        to_console: bool = true, SettingKind::Bool, RESTART, "Log to console", "Shows warnings and errors where the program was started.";
        to_database: bool = true, SettingKind::Bool, RESTART, "Log to database", "Keeps logs for the log page.";
        file_size_mb: i64 = 10, integer(1, 1_000), RESTART, "Log file size", "Megabytes after which a new file begins.";
        files: i64 = 5, integer(1, 100), RESTART, "Log files", "How many files are kept.";
        database_days: i64 = 14, integer(1, 3_650), RESTART, "Keep logs", "Days that logs stay in the database.";
    }
    /// How agents work.
    agents: Agents {
        max_concurrent_tasks: i64 = 2, integer(1, 64), LIVE, "Tasks at once", "How many tasks run at the same time.";
        max_execution_minutes: i64 = 30, integer(1, 1_440), LIVE,
            "Time limit", "Minutes of one try of a task, where the task itself does not say.";
        max_retries: i64 = 3, integer(0, 20), LIVE, "Tries again", "How often a task that failed is tried again.";
        backoff_seconds: i64 = 5, integer(1, 3_600), LIVE,
            "Pause before a retry", "Seconds before the first; each further one takes twice as long, an hour at most.";
        command_seconds: i64 = 60, integer(1, 3_600), LIVE, "Time of a command", "Seconds that a command of an agent may run.";
        command_memory_mb: i64 = 1_024, integer(16, 1_048_576), LIVE,
            "Memory of a command", "Megabytes that a command of an agent may use.";
        command_disk_mb: i64 = 256, integer(1, 1_048_576), LIVE,
            "Disk of a command", "Megabytes that all writes of a command together may take.";
        command_output_kb: i64 = 256, integer(1, 65_536), LIVE,
            "Output of a command", "Kilobytes of a command's output that are kept.";
    }
    /// Answers that are kept, so that the same question to the same model needs no second one.
    cache: Cache {
        enabled: bool = true, SettingKind::Bool, LIVE, "Response cache", "Gives the stored answer to a prompt that was answered before.";
        hours: i64 = 24, integer(1, 8_760), LIVE, "Lifetime", "Hours that a stored answer counts.";
        size_mb: i64 = 128, integer(1, 65_536), LIVE, "Size", "Megabytes on disk; the least recently used go first.";
        memory_mb: i64 = 16, integer(1, 4_096), LIVE, "Memory", "Megabytes of answers kept at hand.";
    }
    /// What is counted of the use of models and of the program; it never leaves this computer.
    usage: Usage {
        record: bool = true, SettingKind::Bool, LIVE, "Count use of models", "Keeps tokens, time and cost by day, model and agent.";
        features: bool = true, SettingKind::Bool, LIVE, "Count use of features", "Keeps how often pages and functions are used.";
        currency: String = "USD".to_owned(), SettingKind::Text, LIVE, "Currency", "In which the prices are given.";
        prices: Vec<String> = Vec::new(), SettingKind::List, LIVE,
            "Prices", "One model a line: its id, then the price of a million prompt and of a million answer tokens, as in openai/gpt-4.1 2.00 8.00; * stands for any text.";
    }
    /// What may leave this computer.
    network: Network {
        policy: String = "nothing".to_owned(), choice(&["nothing", "listed", "all"]), LIVE,
            "Network", "Nothing: only single downloads that you confirm. Listed: the hosts on the list. All: any host.";
        hosts: Vec<String> = Vec::new(), SettingKind::List, LIVE,
            "Listed hosts", "Hosts that may be reached when the network is set to listed.";
    }
    /// The data files.
    database: Database {
        cache_mb: i64 = 64, integer(4, 4_096), RESTART, "Database memory", "Megabytes of a profile's data kept in memory.";
        history_days: i64 = 7, integer(0, 7), LIVE,
            "Change history", "Days whose every minute can be gone back to; 0 keeps no history.";
        history_mb: i64 = 256, integer(1, 65_536), LIVE, "Size of the history", "Megabytes after which the oldest changes go.";
    }
    /// Copies of what the person made.
    backups: Backups {
        daily: bool = true, SettingKind::Bool, LIVE, "Daily backup", "Makes a backup each day while the program runs.";
        hour: i64 = 3, integer(0, 23), LIVE,
            "Hour", "Not before this hour of the day; a missed one is made at the next start.";
        before_migration: bool = true, SettingKind::Bool, LIVE,
            "Before an update", "Makes a backup before a newer program changes the database.";
        count: i64 = 10, integer(1, 50), LIVE, "Backups kept", "The oldest ones above this number are removed.";
        days: i64 = 30, integer(1, 3_650), LIVE, "Days kept", "Older backups are removed, but never the newest one.";
        folder: String = String::new(), SettingKind::Path, LIVE, "Folder", "Where backups lie; empty means in the data folder.";
        second_folder: String = String::new(), SettingKind::Path, LIVE,
            "Second folder", "Each backup is also copied there, such as to another drive; empty for none.";
    }
    /// How long things are kept.
    retention: Retention {
        activities_days: i64 = 90, integer(1, 3_650), LIVE, "Activities", "Days that activities are kept.";
        completed_tasks_days: i64 = 90, integer(1, 3_650), LIVE, "Completed tasks", "Days that completed tasks are kept.";
        failed_tasks_days: i64 = 30, integer(1, 3_650), LIVE,
            "Failed tasks", "Days that failed and cancelled tasks are kept.";
        trash_days: i64 = 30, integer(1, 365), LIVE, "Trash", "Days after which what was deleted goes for good.";
    }
    /// How secrets are kept.
    security: Security {
        unconfined_commands: bool = false, SettingKind::Bool, LIVE,
            "Commands without confinement", "Lets agents run commands where this computer cannot confine them.";
        vault: String = "auto".to_owned(), choice(&["auto", "keychain", "files"]), LIVE,
            "Vault", "Where credentials lie: the system's keychain, sealed files, or the keychain where there is one.";
        key_rotation_days: i64 = 90, integer(0, 3_650), LIVE,
            "New key", "Days after which the key of the sealed files is renewed; 0 never.";
        max_failed_attempts: i64 = 5, integer(1, 100), LIVE,
            "Wrong passphrases", "After so many wrong ones in a row the vault refuses all for a while.";
        lockout_minutes: i64 = 15, integer(1, 1_440), LIVE, "Lockout", "Minutes that the vault refuses then.";
        lock_after_minutes: i64 = 0, integer(0, 1_440), LIVE,
            "Lock after", "Minutes without use after which the vault locks itself; 0 never.";
    }
}
