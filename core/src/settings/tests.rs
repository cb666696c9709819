//! Precedence, checks, problems with their place, writing, and hostile files.

mod fuzz;

use super::*;

struct World {
    data: tempfile::TempDir,
    elsewhere: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    overrides: BTreeMap<String, String>,
}

fn world() -> World {
    World {
        data: tempfile::tempdir().unwrap(),
        elsewhere: tempfile::tempdir().unwrap(),
        environment: BTreeMap::new(),
        overrides: BTreeMap::new(),
    }
}

impl World {
    fn load(&self) -> Settings {
        let places = Places::find(&self.environment, Some(self.data.path()), None).unwrap();
        Settings::load(&places, &self.environment, &self.overrides, Some(self.elsewhere.path())).unwrap()
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.data.path().join(name), text).unwrap();
    }
}

fn entry(settings: &Settings, key: &str) -> SettingEntry {
    settings.list().into_iter().find(|entry| entry.key == key).unwrap()
}

#[test]
fn defaults_pass_their_own_checks() {
    for setting in schema() {
        assert_eq!(parse::check(setting, setting.default.clone()).as_ref(), Ok(&setting.default), "{}", setting.key);
        assert!(!setting.description.is_empty() && setting.description.ends_with('.'), "{}", setting.key);
    }
    assert_eq!(Resolved::defaults().current(), Current::default());
    // Written out as people read it; the measured value is the answering service's own.
    let threshold = Current::default().knowledge.citation_threshold as f32;
    assert_eq!(threshold, crate::answering::cite::DEFAULT_THRESHOLD);
}

#[test]
fn each_layer_overrides_the_one_below() {
    let mut world = world();
    let seen = |world: &World| {
        let settings = world.load();
        let entry = entry(&settings, "ui.zoom");
        (settings.current().ui.zoom, entry.origin, entry.place)
    };
    assert_eq!(seen(&world), (1.0, SettingOrigin::Default, None));
    world.file("settings.toml", "# mine\n[ui]\n\nzoom = 2\n");
    assert_eq!(seen(&world), (2.0, SettingOrigin::File, Some("settings.toml:4".to_owned())));
    world.file(".env", "OTHER=1\nexport RSPA_UI_ZOOM=\"1.5\"\n");
    let place = format!("{}:2", world.data.path().join(".env").display());
    assert_eq!(seen(&world), (1.5, SettingOrigin::DotEnv, Some(place)));
    world.environment.insert("RSPA_UI_ZOOM".to_owned(), "0.75".to_owned());
    assert_eq!(seen(&world), (0.75, SettingOrigin::Environment, Some("RSPA_UI_ZOOM".to_owned())));
    world.overrides.insert("ui.zoom".to_owned(), "3".to_owned());
    assert_eq!(seen(&world).0, 3.0);
}

#[test]
fn a_wrong_value_is_explained_and_the_last_good_one_stays() {
    let world = world();
    world.file("settings.toml", "[ui]\nzoom = 2.0\ntheme = \"dark\"\n");
    let settings = world.load();
    world.file("settings.toml", "[ui]\nzoom = 99\ntheme = \"pink\"\nfont = \"Inter\"\n");
    let changed = settings.reload_if_changed();
    assert_eq!(changed.len(), 2);
    assert_eq!((settings.current().ui.zoom, settings.current().ui.theme.as_str()), (2.0, "dark"));
    let problem = entry(&settings, "ui.zoom").problem.unwrap();
    assert!(problem.starts_with("settings.toml:2: 99 is not between 0.5 and 3"), "{problem}");
    let problem = entry(&settings, "ui.theme").problem.unwrap();
    assert!(problem.contains("\"pink\" is none of: system, light, dark"), "{problem}");
    assert_eq!(settings.problems(), ["settings.toml:4: there is no setting \"ui.font\""]);
    world.file("settings.toml", "[ui\nzoom = 1.25\n");
    settings.reload_if_changed();
    assert_eq!(settings.current().ui.zoom, 2.0);
    assert!(settings.problems()[0].starts_with("settings.toml:1 cannot be read"), "{:?}", settings.problems());
    assert!(settings.set("ui.zoom", &SettingValue::Number(1.0)).is_err());
    world.file("settings.toml", "");
    assert_eq!(settings.reload_if_changed().len(), 2);
    assert_eq!(*settings.current(), Current::default());
}

#[test]
fn rules_between_settings_are_checked() {
    let world = world();
    world.file("settings.toml", "[models]\nmax_context = 1024\nmax_tokens = 4096\n[network]\npolicy = \"listed\"\n");
    let settings = world.load();
    assert_eq!(settings.current().models.max_tokens, 512);
    let problem = entry(&settings, "models.max_tokens").problem.unwrap();
    assert!(problem.contains("more than models.max_context (1024)"), "{problem}");
    assert_eq!(settings.current().network.policy, "nothing");
    assert!(entry(&settings, "network.policy").problem.is_some());
    let error = settings.set("models.max_tokens", &SettingValue::Integer(2048)).unwrap_err();
    assert!(error.message.contains("models.max_context"), "{error}");
    settings.set("network.hosts", &SettingValue::List(vec!["example.org".to_owned()])).unwrap();
    assert_eq!(settings.current().network.policy, "listed");
}

#[test]
fn setting_keeps_comments_and_resetting_removes() {
    let world = world();
    world.file("settings.toml", "# about me\n[ui]\ntheme = \"dark\" # at night\n");
    let settings = world.load();
    let changed = settings.set("ui.theme", &SettingValue::Text("light".to_owned())).unwrap();
    assert_eq!(changed.len(), 1);
    settings.set("models.folders", &SettingValue::List(vec!["/models".to_owned()])).unwrap();
    settings.set("ui.zoom", &SettingValue::Integer(2)).unwrap();
    let text = std::fs::read_to_string(world.data.path().join("settings.toml")).unwrap();
    assert!(text.starts_with("# about me\n[ui]\ntheme = \"light\" # at night\n"), "{text}");
    assert_eq!(*world.load().current(), *settings.current());
    settings.reset(Some("ui.theme")).unwrap();
    assert_eq!(settings.current().ui.theme, "system");
    settings.reset(None).unwrap();
    assert_eq!(*settings.current(), Current::default());
    for (key, value) in [
        ("ui.theme", SettingValue::Bool(true)),
        ("ui.zoom", SettingValue::Number(f64::NAN)),
        ("ui.nothing", SettingValue::Bool(true)),
        ("models.default_chat", SettingValue::Text("a\nb".to_owned())),
    ] {
        assert!(settings.set(key, &value).is_err(), "{key}");
    }
}

#[test]
fn a_json_file_is_read_and_written() {
    let world = world();
    world.file("settings.json", r#"{"ui": {"zoom": 1.5, "reduce_motion": true}}"#);
    let settings = world.load();
    assert_eq!((settings.current().ui.zoom, settings.current().ui.reduce_motion), (1.5, true));
    settings.set("ui.zoom", &SettingValue::Number(2.0)).unwrap();
    assert_eq!(*world.load().current(), *settings.current());
    assert!(!world.data.path().join("settings.toml").exists());
}

#[test]
fn what_overrides_the_file_is_named() {
    let mut world = world();
    world.environment.insert("RSPA_UI_THEME".to_owned(), "dark".to_owned());
    let error = world.load().set("ui.theme", &SettingValue::Text("light".to_owned())).unwrap_err();
    assert!(error.message.contains("RSPA_UI_THEME"), "{error}");
    world.overrides.insert("ui.colour".to_owned(), "red".to_owned());
    let places = Places::find(&world.environment, Some(world.data.path()), None).unwrap();
    assert!(Settings::load(&places, &world.environment, &world.overrides, None).is_err());
}

#[test]
fn a_foreign_folder_cannot_open_the_network() {
    let world = world();
    let lines = "RSPA_NETWORK_POLICY=all\nRSPA_UI_THEME=dark\n";
    std::fs::write(world.elsewhere.path().join(".env"), lines).unwrap();
    let settings = world.load();
    assert_eq!((settings.current().network.policy.as_str(), settings.current().ui.theme.as_str()), ("nothing", "dark"));
    assert!(settings.problems()[0].contains("RSPA_NETWORK_POLICY"), "{:?}", settings.problems());
    std::fs::write(world.data.path().join(".env"), lines).unwrap();
    assert_eq!(world.load().current().network.policy, "all");
}

#[test]
fn a_foreign_folder_sets_only_what_is_harmless() {
    let world = world();
    let allowed = |setting: &Setting| setting.group == "ui" || setting.key == "models.temperature";
    let lines = "RSPA_MODELS_FOLDERS=/evil\nRSPA_MODELS_DEFAULT_CHAT=evil\nRSPA_MODELS_DEFAULT_ENCODER=evil\n\
        RSPA_LOGGING_TO_FILE=no\nRSPA_KNOWLEDGE_CITATION_THRESHOLD=0\nRSPA_DATABASE_CACHE_MB=4096\n\
        RSPA_MODELS_THREADS=1\nRSPA_UI_THEME=dark\nRSPA_MODELS_TEMPERATURE=1.5\n";
    std::fs::write(world.elsewhere.path().join(".env"), lines).unwrap();
    let settings = world.load();
    for setting in schema().iter().filter(|setting| !allowed(setting)) {
        assert_eq!(entry(&settings, &setting.key).origin, SettingOrigin::Default, "{}", setting.key);
    }
    assert_eq!((settings.current().ui.theme.as_str(), settings.current().models.temperature), ("dark", 1.5));
    let problems = settings.problems();
    assert_eq!(problems.len(), 7, "{problems:?}");
    assert!(problems[0].contains(".env:1: RSPA_MODELS_FOLDERS is only read from"), "{problems:?}");
    std::fs::write(world.data.path().join(".env"), lines).unwrap();
    assert_eq!(world.load().current().models.folders, ["/evil"]);
}

#[test]
fn relative_folders_of_models_are_refused() {
    let mut world = world();
    world.environment.insert("RSPA_MODELS_FOLDERS".to_owned(), "/one,models".to_owned());
    let settings = world.load();
    assert!(settings.current().models.folders.is_empty());
    let problem = entry(&settings, "models.folders").problem.unwrap();
    assert!(problem.contains("\"models\" is no whole path"), "{problem}");
}

#[test]
fn folders_of_models_come_from_both_places() {
    let mut world = world();
    world.file("settings.toml", "[models]\nfolders = [\"/one\"]\n");
    let both = std::env::join_paths(["/two", "/three"]).unwrap().into_string().unwrap();
    world.environment.insert("RSPA_MODELS_PATH".to_owned(), both);
    assert_eq!(world.load().model_folders(), ["/one", "/two", "/three"].map(PathBuf::from));
}

#[test]
fn a_yaml_file_is_read_with_lines_and_written() {
    let world = world();
    world.file("settings.yaml", "# mine\nui:\n  zoom: 1.5\n  theme: pink\nmodels:\n  folders:\n    - /one\n");
    let settings = world.load();
    assert_eq!((settings.current().ui.zoom, &settings.current().models.folders[..]), (1.5, &["/one".to_owned()][..]));
    assert_eq!(entry(&settings, "ui.zoom").place.as_deref(), Some("settings.yaml:3"));
    let problem = entry(&settings, "ui.theme").problem.unwrap();
    assert!(problem.starts_with("settings.yaml:4: \"pink\" is none of"), "{problem}");
    settings.set("ui.zoom", &SettingValue::Number(2.0)).unwrap();
    let text = std::fs::read_to_string(world.data.path().join("settings.yaml")).unwrap();
    assert!(text.starts_with("# mine\nui:\n  zoom: 2.0\n"), "{text}");
    assert!(!world.data.path().join("settings.toml").exists());
    assert_eq!(*world.load().current(), *settings.current());
    // TOML wins where both are there, and a reset takes the value out of both.
    world.file("settings.toml", "[ui]\nzoom = 3.0\n");
    let settings = world.load();
    assert_eq!(settings.current().ui.zoom, 3.0);
    settings.reset(Some("ui")).unwrap();
    assert_eq!(settings.current().ui, Interface::default());
    assert_eq!(settings.current().models.folders, ["/one"]);
}

#[test]
fn a_former_name_is_read_written_anew_and_told_once() {
    let mut world = world();
    world.file("settings.toml", "[database]\nbackup_count = 7 # enough\nbackup_before_migration = false\n");
    let settings = world.load();
    assert_eq!((settings.current().backups.count, settings.current().backups.before_migration), (7, false));
    assert_eq!(settings.migrated().len(), 2);
    assert!(settings.migrated()[0].contains("database.backup_count is now called backups.count"));
    let text = std::fs::read_to_string(world.data.path().join("settings.toml")).unwrap();
    assert!(text.contains("[backups]") && !text.contains("backup_count"), "{text}");
    let settings = world.load();
    assert_eq!(settings.current().backups.count, 7);
    assert!(settings.migrated().is_empty() && settings.problems().is_empty());
    // In a variable it cannot be rewritten, so it is said each time; today's name wins.
    world.environment.insert("RSPA_DATABASE_BACKUP_COUNT".to_owned(), "3".to_owned());
    let settings = world.load();
    assert_eq!(settings.current().backups.count, 3);
    assert!(settings.problems()[0].contains("is now called backups.count"), "{:?}", settings.problems());
    world.environment.insert("RSPA_BACKUPS_COUNT".to_owned(), "4".to_owned());
    assert_eq!(world.load().current().backups.count, 4);
}

#[test]
fn an_edit_that_allows_more_waits_for_the_person() {
    let world = world();
    world.file("settings.toml", "[network]\npolicy = \"listed\"\nhosts = [\"a.org\"]\n");
    let settings = world.load();
    assert_eq!(settings.current().network.policy, "listed");
    let mine = "[network]\npolicy = \"all\"\nhosts = [\"a.org\", \"evil.org\"]\n[security]\nmax_failed_attempts = 99\n";
    world.file("settings.toml", mine);
    let changed = settings.reload_if_changed();
    assert_eq!(changed.len(), 3, "{changed:?}");
    let current = settings.current();
    assert_eq!((current.network.policy.as_str(), &current.network.hosts[..]), ("listed", &["a.org".to_owned()][..]));
    assert_eq!(current.security.max_failed_attempts, 5);
    let held = entry(&settings, "network.policy");
    assert_eq!(held.held, Some(SettingValue::Text("all".to_owned())));
    let problem = held.problem.unwrap();
    assert!(problem.starts_with("settings.toml:2: network.policy was changed to \"all\" while rspa runs"), "{problem}");
    // Another value that is set does not let it in; a reading again does not either.
    settings.set("ui.theme", &SettingValue::Text("dark".to_owned())).unwrap();
    assert_eq!(settings.current().network.policy, "listed");
    // The person's word does, for just that one.
    settings.accept("network.policy").unwrap();
    assert_eq!((settings.current().network.policy.as_str(), settings.current().network.hosts.len()), ("all", 1));
    assert!(settings.accept("network.policy").is_err());
    assert_eq!(entry(&settings, "network.policy").held, None);
    // Stricter is taken at once.
    world.file("settings.toml", "[network]\npolicy = \"nothing\"\n");
    settings.reload_if_changed();
    assert_eq!(settings.current().network.policy, "nothing");
    // What the person sets goes through, and a start reads the file as it is.
    settings.set("network.policy", &SettingValue::Text("all".to_owned())).unwrap();
    assert_eq!(settings.current().network.policy, "all");
    world.file("settings.toml", mine);
    assert_eq!(world.load().current().security.max_failed_attempts, 99);
}

#[test]
fn what_waits_for_a_restart_is_marked() {
    let world = world();
    let settings = world.load();
    settings.set("logging.files", &SettingValue::Integer(9)).unwrap();
    settings.set("ui.zoom", &SettingValue::Number(2.0)).unwrap();
    let waiting = |settings: &Settings| {
        settings.list().into_iter().filter(|entry| entry.waiting_for_restart).map(|entry| entry.key).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&settings), ["logging.files"]);
    settings.reset(Some("logging.files")).unwrap();
    assert!(waiting(&settings).is_empty());
    settings.set("logging.files", &SettingValue::Integer(9)).unwrap();
    assert!(waiting(&world.load()).is_empty());
}

#[test]
fn an_export_is_imported_elsewhere_whole_or_not_at_all() {
    let from = world();
    let settings = from.load();
    for (key, value) in [
        ("ui.zoom", SettingValue::Number(1.25)),
        ("network.hosts", SettingValue::List(vec!["a.org".to_owned()])),
        ("network.policy", SettingValue::Text("listed".to_owned())),
        ("backups.hour", SettingValue::Integer(5)),
    ] {
        settings.set(key, &value).unwrap();
    }
    use crate::model::SettingsFormat as F;
    for (format, name) in [(F::Toml, "a.toml"), (F::Json, "a.json"), (F::Yaml, "a.yaml")] {
        let text = settings.export(format).unwrap();
        let to = world();
        let other = to.load();
        let preview = other.preview(Path::new(name), &text);
        assert_eq!((preview.changes.len(), &preview.problems[..], preview.applied), (4, &[][..], false), "{text}");
        assert_eq!(*other.current(), Current::default());
        let (done, changed) = other.import(Path::new(name), &text).unwrap();
        assert_eq!((done.applied, changed.len()), (true, 4), "{text}");
        assert_eq!(*other.current(), *settings.current());
    }
    let to = world();
    let other = to.load();
    let wrong = "[ui]\nzoom = 2\ntheme = \"pink\"\n[network]\npolicy = \"listed\"\n[x]\ny = 1\n";
    let preview = other.preview(Path::new("wrong.toml"), wrong);
    assert_eq!(preview.problems.len(), 2, "{preview:?}");
    let error = other.import(Path::new("wrong.toml"), wrong).unwrap_err();
    assert!(error.message.contains("wrong.toml:3: ui.theme: \"pink\""), "{error}");
    assert!(error.message.contains("wrong.toml:7: there is no setting \"x.y\""), "{error}");
    let rule = other.import(Path::new("rule.toml"), "[ui]\nzoom = 2\n[network]\npolicy = \"listed\"\n").unwrap_err();
    assert!(rule.message.contains("network.hosts lists none"), "{rule}");
    assert_eq!(*other.current(), Current::default());
    assert!(!to.data.path().join("settings.toml").exists());
}

#[test]
fn a_dump_hides_secrets_and_home() {
    let mut world = world();
    let home = world.data.path().display().to_string();
    world.environment.insert("RSPA_MODELS_FOLDERS".to_owned(), format!("{home}/models"));
    world
        .file("settings.toml", "[models]\ndefault_chat = \"sk-ant-api03-AAAAAAAAAAAAAAAAAAAAAAAA\"\n[ui]\nzoom = 99\n");
    world.file(".env", "RSPA_UI_THEME=pink\n");
    let facts = Facts { hidden: vec![(home.clone(), "~".to_owned())], ..Facts::default() };
    let dump = world.load().dump(&facts);
    assert!(!dump.contains(&home) && !dump.contains("sk-ant-api03"), "{dump}");
    assert!(dump.contains("~/.env:1") && dump.contains("\"version\"") && dump.contains("99 is not between"), "{dump}");
    let read: serde_json::Value = serde_json::from_str(&dump).unwrap();
    assert_eq!(read["settings"].as_array().unwrap().len(), schema().len());
}

#[test]
fn paths_and_hosts_are_checked() {
    let world = world();
    let settings = world.load();
    let hosts = |host: &str| SettingValue::List(vec![host.to_owned()]);
    for host in ["https://a.org", "a.org/x", "a.org:80", "", "a b", "[nothing]", ".org"] {
        assert!(settings.set("network.hosts", &hosts(host)).is_err(), "{host}");
    }
    for host in ["a.org", "127.0.0.1", "[::1]", "bücher.example"] {
        settings.set("network.hosts", &hosts(host)).unwrap();
    }
    assert!(settings.set("backups.folder", &SettingValue::Text("backups".to_owned())).is_err());
    settings.set("backups.folder", &SettingValue::Text("/backups".to_owned())).unwrap();
    let same = settings.set("backups.second_folder", &SettingValue::Text("/backups".to_owned())).unwrap_err();
    assert!(same.message.contains("same folder"), "{same}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_as_settings_keep_the_program_running(toml: Vec<u8>, json: Vec<u8>, yaml: Vec<u8>, env: Vec<u8>) {
        let world = world();
        std::fs::write(world.data.path().join("settings.toml"), &toml).unwrap();
        std::fs::write(world.data.path().join("settings.json"), &json).unwrap();
        std::fs::write(world.data.path().join("settings.yaml"), &yaml).unwrap();
        std::fs::write(world.data.path().join(".env"), &env).unwrap();
        proptest::prop_assert_eq!(&*world.load().current(), &Current::default());
    }

    #[test]
    fn any_text_for_any_setting_is_a_good_value_or_a_problem(texts in proptest::collection::vec(".{0,20}", 40)) {
        let mut world = world();
        for (setting, text) in schema().iter().zip(texts) {
            world.environment.insert(setting.variable(), text);
        }
        let settings = world.load();
        for entry in settings.list() {
            let setting = groups::find(&entry.key).unwrap();
            proptest::prop_assert!(parse::check(setting, entry.value.clone()).is_ok());
        }
    }
}
