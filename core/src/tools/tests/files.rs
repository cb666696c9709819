//! Listing, reading and writing on real files, and what must not be reached.

use proptest::prelude::*;
use serde_json::json;

use super::World;
use crate::model::ProposedAction;
use crate::tools::{find, folders};

#[test]
fn a_folder_is_listed_and_a_file_read_in_parts() {
    let world = World::new();
    world.put("notes/plan.md", (1..=3_000).map(|n| format!("line {n}\n")).collect::<String>());
    world.put("b.txt", "Gr\u{fc}\u{df}e".as_bytes());
    world.put("latin.txt", b"Gr\xfc\xdfe\n");
    assert_eq!(
        world.said("list_folder", json!({"path": ""})).lines().skip(1).collect::<Vec<_>>(),
        ["notes/", "b.txt (7 bytes)", "latin.txt (6 bytes)"]
    );
    let text = world.said("read_file", json!({"path": "notes/plan.md", "first_line": 2_998}));
    assert_eq!(text, "notes/plan.md, lines 2998 to 3000 of 3000:\n2998: line 2998\n2999: line 2999\n3000: line 3000");
    let text = world.said("read_file", json!({"path": world.folder().join("notes/plan.md").to_str().unwrap()}));
    assert!(text.len() <= 8_192 && text.ends_with(']') && text.contains("[goes on: read from line "), "{text}");
    assert!(world.said("read_file", json!({"path": "latin.txt"})).contains("Gr\u{fc}\u{df}e"));
    assert!(world.refused("read_file", json!({"path": "b.txt", "first_line": 9})).contains("has 1 lines"));
    world.put("x.bin", [0_u8, 1, 2, 3].repeat(100));
    assert!(world.refused("read_file", json!({"path": "x.bin"})).contains("binary"));
}

#[test]
fn a_write_is_shown_then_done_then_found_again() {
    let world = World::new();
    let arguments = json!({"path": "out/report.md", "mode": "whole", "content": "# Report\n\nfine\n"});
    let tool = find("write_file").unwrap();
    let proposal = tool.propose(&arguments, &world.scope).unwrap();
    assert!(!world.folder().join("out").exists(), "a proposal changes nothing");
    assert_eq!((proposal.title.as_str(), proposal.harmless), ("Write report.md", false));
    let ProposedAction::WriteFile { exists, diff, added, removed, before, after, .. } = &proposal.action else {
        panic!("{proposal:?}")
    };
    assert_eq!((*exists, *added, *removed, before.as_str(), after.len()), (false, 3, 0, "", 64));
    assert!(diff.contains("+++ b/out/report.md") && diff.contains("+# Report"), "{diff}");
    assert!(proposal.always.as_ref().unwrap().scope.ends_with("work/out"), "{proposal:?}");
    let output = tool.run(&arguments, &proposal, &world.scope).unwrap();
    assert_eq!(output.changed, "wrote out/report.md (3 lines)");
    assert_eq!(world.text("out/report.md"), "# Report\n\nfine\n");
    // What was proposed is done once: the file is not new any more.
    assert!(tool.run(&arguments, &proposal, &world.scope).unwrap_err().message.contains("was changed since"));

    world.call("write_file", json!({"path": "out/report.md", "mode": "append", "content": "more\n"})).unwrap();
    let change = json!({"path": "out/report.md", "mode": "replace", "old": "fine", "content": "very fine"});
    let proposal = tool.propose(&change, &world.scope).unwrap();
    let ProposedAction::WriteFile { diff, added, removed, .. } = &proposal.action else { panic!("{proposal:?}") };
    assert_eq!((*added, *removed), (1, 1));
    assert!(diff.contains("-fine\n+very fine\n"), "{diff}");
    tool.run(&change, &proposal, &world.scope).unwrap();
    assert_eq!(world.text("out/report.md"), "# Report\n\nvery fine\nmore\n");
    let left: Vec<_> = std::fs::read_dir(world.folder().join("out")).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left");
}

#[test]
fn a_file_that_changed_meanwhile_is_not_written() {
    let world = World::new();
    world.put("a.txt", "one\n");
    let arguments = json!({"path": "a.txt", "mode": "append", "content": "two"});
    let tool = find("write_file").unwrap();
    let proposal = tool.propose(&arguments, &world.scope).unwrap();
    world.put("a.txt", "else\n");
    let error = tool.run(&arguments, &proposal, &world.scope).unwrap_err();
    assert!(error.message.contains("was changed since"), "{error}");
    assert_eq!(world.text("a.txt"), "else\n");
    // Other arguments than those that were shown.
    let other = json!({"path": "a.txt", "mode": "whole", "content": "evil"});
    assert!(tool.run(&other, &proposal, &world.scope).is_err());
    assert_eq!(world.text("a.txt"), "else\n");
}

#[test]
fn what_may_only_be_read_and_what_is_special_is_not_written() {
    let world = World::with(false);
    world.put("a.txt", "x x");
    let write = |path: &str| json!({"path": path, "mode": "whole", "content": "y"});
    assert!(world.refused("write_file", write("a.txt")).contains("not written"));
    let world = World::new();
    world.put("a.txt", "x x");
    world.put(".git/hooks/pre-commit", "");
    world.put("bytes.dat", [0xff, 0xfe, 0xfd]);
    assert!(world.refused("write_file", write(".git/hooks/pre-commit")).contains("version control"));
    assert!(world.refused("write_file", write("bytes.dat")).contains("no UTF-8"));
    assert!(world.refused("write_file", write("")).contains("is a folder"));
    let replace = |old: &str| json!({"path": "a.txt", "mode": "replace", "old": old, "content": "y"});
    assert!(world.refused("write_file", replace("x")).contains("more than once"));
    assert!(world.refused("write_file", replace("z")).contains("does not hold"));
    let large = json!({"path": "a.txt", "mode": "whole", "content": "x".repeat((4 << 20) + 1)});
    assert!(world.refused("write_file", large).contains("larger than 4 MB"));
}

#[cfg(unix)]
#[test]
fn permissions_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    world.put("run.sh", "#!/bin/sh\n");
    let path = world.folder().join("run.sh");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o750)).unwrap();
    world.call("write_file", json!({"path": "run.sh", "mode": "append", "content": "true\n"})).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
}

#[cfg(unix)]
#[test]
fn no_link_pipe_secret_or_own_data_is_touched() {
    use std::os::unix::fs::symlink;
    let world = World::new();
    let work = world.folder();
    symlink(world.outer().join("private"), work.join("way")).unwrap();
    symlink(world.outer().join("private/secret.txt"), work.join("file.txt")).unwrap();
    symlink("/dev/zero", work.join("zero")).unwrap();
    let pipe = std::ffi::CString::new(work.join("pipe").to_str().unwrap()).unwrap();
    // SAFETY: the path ends with a zero byte.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    world.put(".ssh/id_ed25519", "canary");
    world.put(".SSH2/x", "fine");
    world.put("store/main.redb", "canary");
    world.put("store/profiles/x/knowledge.redb", "canary");
    world.put("store/samples/letter.txt", "Dear Ada");
    let absolute = world.outer().join("private/secret.txt").to_str().unwrap().to_owned();
    for path in [
        "way/secret.txt",
        "file.txt",
        "zero",
        "pipe",
        "../private/secret.txt",
        "x/../../private/secret.txt",
        "/etc/passwd",
        "/dev/null",
        ".ssh/id_ed25519",
        ".SSH/id_ed25519",
        "store/main.redb",
        "store/profiles/x/knowledge.redb",
        absolute.as_str(),
        "~/.bashrc",
        "a\0b",
        ".s\u{200b}sh/id_ed25519",
    ] {
        for tool in ["read_file", "list_folder"] {
            let said = world.refused(tool, json!({ "path": path }));
            assert!(!said.contains("canary"), "{path}: {said}");
        }
        let write = json!({"path": path, "mode": "whole", "content": "evil"});
        if path != "~/.bashrc" {
            world.call("write_file", write).unwrap_err();
        }
    }
    assert!(world.refused("read_file", json!({"path": "way/secret.txt"})).contains("a link"));
    assert!(world.refused("read_file", json!({"path": "pipe"})).contains("a pipe"));
    assert!(world.refused("read_file", json!({"path": ".ssh/x"})).contains("keys or passwords"));
    assert!(world.refused("read_file", json!({"path": "store/main.redb"})).contains("own data folder"));
    assert!(world.said("read_file", json!({"path": "store/samples/letter.txt"})).contains("Dear Ada"));
    assert_eq!(std::fs::read_to_string(world.outer().join("private/secret.txt")).unwrap(), "canary");
    let listed = world.said("list_folder", json!({"path": "."}));
    assert!(listed.contains("way (a link, not followed)") && listed.contains("pipe (a device"), "{listed}");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_listed_and_said() {
    use std::os::unix::ffi::OsStringExt;
    let world = World::new();
    let odd = std::ffi::OsString::from_vec(b"\xffodd\nname".to_vec());
    std::fs::write(world.folder().join(odd), "").unwrap();
    let listed = world.said("list_folder", json!({"path": ""}));
    assert!(listed.contains("\u{fffd}odd name") && listed.contains("1 names are no valid text"), "{listed}");
}

/// Swaps two entries in one step, again and again, until it is dropped.
#[cfg(target_os = "linux")]
struct Swapping {
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<u64>>,
}

#[cfg(target_os = "linux")]
impl Swapping {
    fn of(one: &std::path::Path, other: &std::path::Path) -> Self {
        use std::sync::atomic::Ordering;
        let name = |path: &std::path::Path| std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let (one, other, stop) = (name(one), name(other), std::sync::Arc::default());
        let stopped: std::sync::Arc<std::sync::atomic::AtomicBool> = std::sync::Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut swaps = 0;
            while !stopped.load(Ordering::Relaxed) {
                let at = libc::AT_FDCWD;
                // SAFETY: both paths end with a zero byte and live as long as the call.
                let result = unsafe { libc::renameat2(at, one.as_ptr(), at, other.as_ptr(), libc::RENAME_EXCHANGE) };
                swaps += u64::from(result == 0);
            }
            swaps
        });
        Self { stop, thread: Some(thread) }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Swapping {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let swaps = self.thread.take().unwrap().join().unwrap();
        assert!(swaps > 0 || std::thread::panicking());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_put_in_place_of_a_folder_does_not_lead_out() {
    let world = World::new();
    world.put("turn/secret.txt", "harmless");
    let (work, outer) = (world.folder(), world.outer().to_owned());
    std::os::unix::fs::symlink(outer.join("private"), work.join("link")).unwrap();
    {
        let _swapping = Swapping::of(&work.join("turn"), &work.join("link"));
        let mut read = 0;
        for round in 0..2_000 {
            if let Ok(output) = world.call("read_file", json!({"path": "turn/secret.txt"})) {
                assert!(!output.text.contains("canary"), "{}", output.text);
                read += 1;
            }
            let listed = world.call("list_folder", json!({"path": "turn"})).map(|output| output.text);
            assert!(!listed.unwrap_or_default().contains("secret.txt (6 bytes)"));
            if round % 20 == 0 {
                world.call("write_file", json!({"path": "turn/new.txt", "mode": "whole", "content": "x"})).ok();
            }
        }
        assert!(read > 0);
    }
    let private: Vec<_> = std::fs::read_dir(outer.join("private")).unwrap().collect();
    assert_eq!(private.len(), 1, "nothing was written outside");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_named_lies_inside(parts in prop::collection::vec(
        prop_oneof![
            Just("..".to_owned()), Just(".".to_owned()), Just("/".to_owned()), Just("".to_owned()), Just("work".to_owned()),
            Just("private".to_owned()), Just("way".to_owned()), Just("secret.txt".to_owned()), Just("C:".to_owned()),
            Just("\\".to_owned()), Just("\u{202e}x".to_owned()), "\\PC{0,12}", "[a-c]{1,3}",
        ], 0..8), absolute in any::<bool>()) {
        let world = World::new();
        #[cfg(unix)]
        std::os::unix::fs::symlink(world.outer().join("private"), world.folder().join("way")).unwrap();
        let mut path = parts.join("/");
        if absolute {
            path = format!("{}/{path}", world.outer().display());
        }
        if let Ok(place) = folders::find(&world.scope, &path) {
            prop_assert!(place.path().starts_with(world.folder()));
            prop_assert!(place.path().components().all(|part| part.as_os_str() != ".."));
            if let Ok(bytes) = place.read(1_000) {
                prop_assert!(bytes != b"canary");
            }
        }
        world.call("write_file", json!({"path": path, "mode": "whole", "content": "evil"})).ok();
        let private: Vec<_> = std::fs::read_dir(world.outer().join("private")).unwrap().collect();
        prop_assert_eq!(private.len(), 1);
        prop_assert_eq!(std::fs::read_dir(world.outer()).unwrap().count(), 2);
        prop_assert_eq!(std::fs::read_to_string(world.outer().join("private/secret.txt")).unwrap(), "canary");
    }
}
