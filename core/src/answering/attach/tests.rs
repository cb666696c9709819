//! Hostile attachments: what is binary, endless, unreadable, circular or too much is told in words and harms nothing.

use std::fs;

use uuid::Uuid;

use super::*;
use crate::storage::{DbOptions, tables};

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(5));

struct World {
    folder: tempfile::TempDir,
    main: Db,
    documents: Documents,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let main = Db::open(&folder.path().join("data/main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
    let db = Db::open(&folder.path().join("data/k.redb"), &tables::KNOWLEDGE, DbOptions::default()).unwrap();
    World { folder, main, documents: Arc::new(move || Ok(KnowledgeStore::new(db.clone()))) }
}

impl World {
    fn read(&self, what: &[Mentioned]) -> Vec<Attachment> {
        let data = self.folder.path().join("data");
        let cancel = Cancel::new();
        let desk =
            Desk { main: &self.main, profile: PROFILE, documents: &self.documents, data: &data, cancel: &cancel };
        read_all(&desk, what).unwrap()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Mentioned {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        Mentioned::File { path }
    }

    fn one(&self, what: Mentioned) -> Attachment {
        self.read(&[what]).remove(0)
    }
}

#[test]
fn texts_are_kept_and_long_ones_cut_at_a_letter() {
    let world = world();
    let kept = world.one(world.file("a.rs", b"fn main() {}\n"));
    assert_eq!((kept.title.as_str(), kept.text.trim(), kept.problem), ("a.rs", "fn main() {}", None));
    let long = "ä".repeat(300 << 10);
    let cut = world.one(Mentioned::Text { title: "out\nput".to_owned(), text: long });
    assert_eq!((cut.text.len(), cut.characters, cut.title.as_str()), (256 << 10, 300 << 10, "out\\nput"));
    assert!(cut.problem.unwrap().contains("256 KB"));
    // The mention holds no second copy of what was left out.
    assert!(matches!(cut.what, Mentioned::Text { text, .. } if text.len() == 256 << 10));
    let many: Vec<Mentioned> =
        (0..6).map(|n| Mentioned::Text { title: n.to_string(), text: format!("{n}").repeat(256 << 10) }).collect();
    let all: usize = world.read(&many).iter().map(|attached| attached.text.len()).sum();
    assert!(all <= 1 << 20, "{all}");
    let too_many: Vec<Mentioned> =
        (0..40).map(|n| Mentioned::Text { title: n.to_string(), text: n.to_string() }).collect();
    let (data, cancel) = (world.folder.path().join("data"), Cancel::new());
    let desk = Desk { main: &world.main, profile: PROFILE, documents: &world.documents, data: &data, cancel: &cancel };
    assert!(read_all(&desk, &too_many).is_err());
}

#[test]
fn what_cannot_be_read_says_why() {
    let world = world();
    let why = |what: Mentioned| {
        let attached = world.one(what);
        assert_eq!(attached.text, "");
        attached.problem.unwrap()
    };
    assert!(why(world.file("x.bin", &[0, 1, 2, 3])).contains("not text"));
    assert!(why(world.file("lies.txt", &[0, 255, 0, 7, 0, 0, 0, 9])).contains("binary"));
    assert!(why(world.file("broken.pdf", b"%PDF-1.4 no")).contains("damaged"));
    let sparse = world.folder.path().join("huge.txt");
    fs::File::create(&sparse).unwrap().set_len(2 << 30).unwrap();
    assert!(why(Mentioned::File { path: sparse }).contains("2 GB"));
    assert!(why(Mentioned::File { path: world.folder.path().join("none.md") }).contains("not there"));
    assert!(why(Mentioned::File { path: "relative.md".into() }).contains("whole path"));
    assert!(why(Mentioned::Task { id: TaskId(Uuid::from_u128(1)) }).contains("cannot be read"));
    assert!(why(Mentioned::Source { id: SourceId(Uuid::from_u128(1)) }).contains("not there"));
    #[cfg(unix)]
    {
        assert!(why(Mentioned::File { path: "/dev/zero".into() }).contains("neither"));
        let there = world.folder.path().join("circle");
        std::os::unix::fs::symlink(&there, &there).unwrap();
        assert!(!why(Mentioned::File { path: there }).is_empty());
    }
}

#[test]
fn a_folder_gives_its_tree_and_texts_without_ignored_files_and_links_out_of_it() {
    let world = world();
    world.file("project/.gitignore", b"secret.txt\n");
    world.file("project/secret.txt", b"password");
    world.file("project/src/main.rs", b"fn main() {}");
    world.file("project/README.md", b"# Project\n");
    world.file("outside.txt", b"not for you");
    let root = world.folder.path().join("project");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(world.folder.path().join("outside.txt"), root.join("link.txt")).unwrap();
        std::os::unix::fs::symlink(&root, root.join("src/again")).unwrap();
    }
    let attached = world.one(Mentioned::Folder { path: root });
    assert!(attached.text.starts_with("Folder project with 2 files:\n- README.md (10 bytes)\n"), "{}", attached.text);
    assert!(attached.text.contains("=== src/main.rs ===\nfn main() {}"), "{}", attached.text);
    assert!(!attached.text.contains("password") && !attached.text.contains("not for you"));
    assert_eq!(attached.problem, None);
    // The program's own data is not shown.
    let all = world.one(Mentioned::Folder { path: world.folder.path().to_owned() });
    assert!(!all.text.contains("redb"), "{}", all.text);
}

#[test]
fn a_folder_of_a_hundred_thousand_files_is_bounded() {
    let world = world();
    let root = world.folder.path().join("many");
    for part in 0..100 {
        let below = root.join(format!("{part:03}"));
        fs::create_dir_all(&below).unwrap();
        for file in 0..1_000 {
            fs::File::create(below.join(format!("{file:04}.txt"))).unwrap();
        }
    }
    let begun = Instant::now();
    let attached = world.one(Mentioned::Folder { path: root });
    println!("{:?}: {} bytes, {:?}", begun.elapsed(), attached.text.len(), attached.problem);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(attached.text.len() <= 256 << 10);
    assert!(attached.problem.unwrap().contains("at least"));
}
