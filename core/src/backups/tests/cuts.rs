//! The power is cut at operations of a backup and of a restore: the old or the new state is found, never one between.

use super::*;

/// A whole state, for comparing: titles of chats, and the files beside the database.
type State = (Vec<String>, [Option<Vec<u8>>; 3]);

fn state_of(disk: &SimulatedDisk) -> State {
    let clock = Arc::new(ManualClock::at(START));
    let main = Db::open(&main_path(), &tables::MAIN, options(disk, &clock)).unwrap();
    let titles = titles(&main);
    main.close();
    let file = |name: &str| disk.read_all(&Path::new(DATA).join(name)).ok();
    (titles, ["settings.toml", "credentials/one.sealed", "credentials/two.sealed"].map(file))
}

/// A disk with a backup of an old state and a different present one, all of it durable.
fn prepared() -> (SimulatedDisk, String) {
    let world = World::new(&[]);
    let put = |name: &str, text: &str| world.disk.put(&Path::new(DATA).join(name), text.as_bytes().to_vec());
    world.disk.create_folder(&Path::new(DATA).join("credentials")).unwrap();
    world.disk.sync_folder(Path::new(DATA)).unwrap();
    put("settings.toml", "[ui]\nzoom = 1.5\n");
    put("credentials/one.sealed", "old");
    put("credentials/vault.json", PASSPHRASE);
    for number in 0..5 {
        add_chat(world.main(), number, &format!("old {number}"));
    }
    let name = world.backup(BackupReason::Manual).info.name;
    for number in 0..7 {
        add_chat(world.main(), 100 + number, &format!("new {number}"));
    }
    put("settings.toml", "[ui]\nzoom = 2.0\n");
    put("credentials/one.sealed", "new");
    put("credentials/two.sealed", "new too");
    world.main().close();
    drop(world.desk);
    for folder in ["/", DATA, "/data/credentials"] {
        world.disk.sync_folder(Path::new(folder)).unwrap();
    }
    (world.disk.after_power_cut(0), name)
}

fn points(operations: u64, few: u64, many: u64) -> Vec<(u64, u64)> {
    let wanted = if soak::wanted() { many } else { few };
    let first = soak::seed(0);
    (0..wanted).map(|index| (index * operations / wanted.min(operations).max(1) % operations, first + index)).collect()
}

/// Replaces, ends the program, starts it: true when the restore was committed.
fn restore(disk: &SimulatedDisk, name: &str) -> bool {
    let clock = Arc::new(ManualClock::at(START));
    let desk = desk_on(disk, &clock, &[]);
    let committed = desk.main.is_some() && desk.replace(&from(name), &Unwatched).is_ok();
    if let Some(main) = &desk.main {
        main.close();
    }
    drop(desk);
    // What comes after the cut fails.
    drop(apply_pending(disk, Path::new(DATA)));
    committed
}

#[test]
fn a_cut_during_a_restore_leaves_the_old_or_the_new_state() {
    let (base, name) = prepared();
    let old = state_of(&base.after_power_cut(0));
    let whole = base.after_power_cut(0);
    let before = whole.operations();
    assert!(restore(&whole, &name));
    let operations = whole.operations() - before;
    let new = state_of(&whole);
    assert_ne!(old, new);
    let (mut olds, mut news) = (0, 0);
    let points = points(operations, 60, 10_000);
    soak::report("power cuts in restores", points.len(), points[0].1);
    for (cut, seed) in points {
        let disk = base.after_power_cut(0);
        disk.cut_at(before + cut);
        let committed = restore(&disk, &name);
        let mut found = disk.after_power_cut(seed);
        // The next start is cut too, and the one after it.
        for again in 0..seed % 3 {
            found.cut_at(found.operations() + (seed / 3 + again) % 25);
            drop(apply_pending(&found, Path::new(DATA)));
            found = found.after_power_cut(seed.wrapping_mul(31) + again);
        }
        apply_pending(&found, Path::new(DATA)).unwrap_or_else(|error| panic!("cut {cut}, seed {seed}: {error}"));
        let state = state_of(&found);
        assert!(state == old || state == new, "cut {cut}, seed {seed}: {state:?}");
        assert!(!committed || state == new, "cut {cut}, seed {seed}: what was confirmed is gone");
        for left in ["restore-ready", "restore-preparing"] {
            assert!(!found.exists(&Path::new(DATA).join(left)), "cut {cut}, seed {seed}: {left} stays");
        }
        olds += u32::from(state == old);
        news += u32::from(state == new);
    }
    println!("restore: {operations} operations, {olds} times the old state, {news} times the new one");
    assert!(olds > 0 && news > 0, "{olds} old, {news} new");
}

#[test]
fn a_cut_during_a_backup_leaves_the_data_and_only_whole_backups() {
    let (base, first) = prepared();
    let old = state_of(&base.after_power_cut(0));
    let backup = |disk: &SimulatedDisk| {
        let clock = Arc::new(ManualClock::at(Timestamp(START.0 + 1_000)));
        let desk = desk_on(disk, &clock, &[]);
        let made = desk.main.is_some().then(|| desk.create(BackupReason::Daily, None, &Unwatched));
        if let Some(main) = &desk.main {
            main.close();
        }
        made.and_then(Result::ok).map(|made| made.info.name)
    };
    let whole = base.after_power_cut(0);
    let before = whole.operations();
    backup(&whole).unwrap();
    let operations = whole.operations() - before;
    let points = points(operations, 40, 3_000);
    soak::report("power cuts in backups", points.len(), points[0].1);
    for (cut, seed) in points {
        let disk = base.after_power_cut(0);
        disk.cut_at(before + cut);
        let made = backup(&disk);
        let found = disk.after_power_cut(seed);
        assert_eq!(state_of(&found), old, "cut {cut}, seed {seed}");
        let clock = Arc::new(ManualClock::at(Timestamp(START.0 + 2_000)));
        let desk = desk_on(&found, &clock, &[]);
        let list = desk.list();
        assert!(list.backups.iter().any(|backup| backup.name == first), "cut {cut}, seed {seed}: the first is gone");
        for backup in &list.backups {
            let verified = desk.verify(&backup.name, &Unwatched).unwrap();
            assert!(matches!(verified.state, BackupState::Good { .. }), "cut {cut}, seed {seed}: {verified:?}");
        }
        if let Some(made) = made {
            assert!(list.backups.iter().any(|backup| backup.name == made), "cut {cut}, seed {seed}: {made} is gone");
        }
        // The next one clears away what was left.
        clock.advance_ms(1_000);
        desk.create(BackupReason::Daily, None, &Unwatched).unwrap();
        let left = found.list(&desk.folder()).unwrap();
        assert!(!left.iter().any(|path| path.to_string_lossy().ends_with(".part")), "{left:?}");
        desk.main.as_ref().unwrap().close();
    }
}
