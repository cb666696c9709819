//! Sealed files on the computer's disk, and on one whose power is cut before any of its operations.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::clock::ManualClock;
use crate::storage::disk::{DatabasePages, DiskKind, DiskRead, DiskWrite, SystemDisk};

/// Cheap, for tests; the cost of the real one is measured elsewhere.
const QUICK: Kdf = Kdf { memory_kib: 64, passes: 1, lanes: 1 };

fn vault(folder: &Path, disk: Arc<dyn Disk>) -> SealedFiles {
    SealedFiles::new(folder.join("credentials"), disk, system_random, QUICK, Arc::new(ManualClock::at(Timestamp(7))))
}

fn item(service: &str) -> Item<'_> {
    Item { service, slot: "", label: "" }
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

fn read(vault: &SealedFiles, service: &str) -> Option<String> {
    vault.get(item(service)).unwrap().map(|secret| secret.reveal().to_owned())
}

fn files_of(folder: &Path) -> Vec<Vec<u8>> {
    let list = std::fs::read_dir(folder.join("credentials")).unwrap();
    list.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn holds(files: &[Vec<u8>], text: &str) -> bool {
    files.iter().any(|file| file.windows(text.len()).any(|part| part == text.as_bytes()))
}

#[test]
fn what_is_sealed_is_read_again_after_a_restart_and_lies_nowhere_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let vault_one = vault(folder.path(), Arc::new(SystemDisk));
    assert_eq!(read(&vault_one, "openai"), None);
    vault_one.set(item("openai"), &secret("canary-1234567890")).unwrap();
    vault_one.set(item("openai"), &secret("canary-0987654321")).unwrap();
    let again = vault(folder.path(), Arc::new(SystemDisk));
    assert_eq!(read(&again, "openai").as_deref(), Some("canary-0987654321"));
    assert_eq!(
        again.inspect().unwrap(),
        Inspection { protection: Protection::KeyFile, key_created: Some(Timestamp(7)) }
    );
    assert!(!holds(&files_of(folder.path()), "canary"));
    #[cfg(unix)]
    for entry in std::fs::read_dir(folder.path().join("credentials")).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(again.remove(item("openai")).unwrap() && !again.remove(item("openai")).unwrap());
    assert_eq!(read(&again, "openai"), None);
}

#[test]
fn a_passphrase_is_needed_from_then_on_and_its_key_file_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let one = vault(folder.path(), Arc::new(SystemDisk));
    one.set(item("a"), &secret("alpha")).unwrap();
    one.renew(Some(Some(&secret("open sesame")))).unwrap();
    assert_eq!(read(&one, "a").as_deref(), Some("alpha"));
    assert!(
        !std::fs::read_dir(folder.path().join("credentials"))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().ends_with(".key") })
    );
    let two = vault(folder.path(), Arc::new(SystemDisk));
    assert_eq!(two.get(item("a")).unwrap_err(), CredentialError::Locked);
    assert_eq!(two.set(item("a"), &secret("x")).unwrap_err(), CredentialError::Locked);
    assert_eq!(two.renew(None).unwrap_err(), CredentialError::Locked);
    assert!(!two.unlock(&secret("open sesamE")).unwrap() && !two.is_open());
    assert!(two.unlock(&secret("open sesame")).unwrap());
    assert_eq!(read(&two, "a").as_deref(), Some("alpha"));
    two.renew(None).unwrap();
    two.lock();
    assert!(two.unlock(&secret("open sesame")).unwrap());
    two.renew(Some(None)).unwrap();
    assert_eq!(read(&vault(folder.path(), Arc::new(SystemDisk)), "a").as_deref(), Some("alpha"));
}

#[test]
fn a_file_under_another_name_or_with_one_changed_bit_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path(), Arc::new(SystemDisk));
    vault.set(item("a"), &secret("alpha")).unwrap();
    vault.set(item("b"), &secret("beta")).unwrap();
    let at = |name: &str| folder.path().join("credentials").join(name);
    std::fs::copy(at("a.sealed"), at("b.sealed")).unwrap();
    assert!(vault.get(item("b")).unwrap_err().to_string().contains("changed or damaged"));
    let good = std::fs::read(at("a.sealed")).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(at("a.sealed"), &bad).unwrap();
        assert!(matches!(vault.get(item("a")), Err(CredentialError::Damaged { .. })), "bit {bit}");
    }
    for length in 0..good.len() {
        std::fs::write(at("a.sealed"), &good[..length]).unwrap();
        assert!(vault.get(item("a")).is_err(), "{length} bytes");
    }
    // A damaged one does not stand in the way of a new key.
    vault.set(item("b"), &secret("beta")).unwrap();
    vault.renew(None).unwrap();
    assert_eq!(read(&vault, "b").as_deref(), Some("beta"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_as_a_sealed_file_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400), real_head: bool) {
        let key = Key::from_slice(&[3; 32]).unwrap();
        let mut file = bytes;
        if real_head {
            let mut whole = cipher::seal(b"alpha", "a", KeyId([1; 16]), &key, system_random).unwrap();
            whole.truncate(49);
            whole.extend_from_slice(&file);
            file = whole;
        }
        prop_assert!(cipher::open(&file, "a", &key).is_none());
    }

    #[test]
    fn any_text_as_a_header_is_a_header_or_an_error(text in ".{0,300}", cut in 0_usize..600) {
        prop_assert!(Header::parse(text.as_bytes()).is_err());
        let outer = Key::from_slice(&[3; 32]).unwrap();
        let sealed = SealedKey::seal(KeyId([1; 16]), Timestamp(5), &outer, &outer, system_random).unwrap();
        let header = Header { kept: Kept::Passphrase { kdf: QUICK, salt: [4; 16] }, keys: vec![sealed] };
        let good = header.text();
        prop_assert_eq!(Header::parse(good.as_bytes()), Ok(header.clone()));
        if cut < good.len() {
            prop_assert!(Header::parse(&good.as_bytes()[..cut]).is_err());
        }
    }
}

#[test]
fn a_header_cannot_ask_for_more_than_a_computer_can_bear() {
    for (memory, passes, lanes) in [(u32::MAX, 1, 1), (64, u32::MAX, 1), (64, 1, u32::MAX >> 4), (7, 1, 1), (64, 0, 1)]
    {
        let text = format!(
            r#"{{"format":1,"kept_under":{{"argon2id":{{"memory_kib":{memory},"passes":{passes},"lanes":{lanes},"salt":"{}"}}}},"keys":[]}}"#,
            "00".repeat(16)
        );
        assert!(Header::parse(text.as_bytes()).unwrap_err().contains("out of all bounds"), "{memory} {passes} {lanes}");
    }
}

/// The computer's disk, whose power is cut before the n-th operation that changes something: that one and all later
/// ones fail. What was written without `sync` is cut in half.
struct Cut {
    left: AtomicUsize,
}

impl Cut {
    fn step(&self) -> io::Result<()> {
        let spent = |left: usize| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spent) {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("the power is cut")),
        }
    }
}

struct CutFile {
    path: PathBuf,
    disk: Arc<Cut>,
    bytes: Vec<u8>,
}

impl io::Write for CutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.step().inspect_err(|_cut| std::fs::write(&self.path, &bytes[..bytes.len() / 2]).unwrap())?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskWrite for CutFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.step()?;
        std::fs::write(&self.path, &self.bytes)
    }
}

impl Disk for Arc<Cut> {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>> {
        self.step()?;
        std::fs::write(path, b"")?;
        Ok(Box::new(CutFile { path: path.to_owned(), disk: self.clone(), bytes: Vec::new() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskRead>> {
        SystemDisk.open(path)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        SystemDisk.len(path)
    }

    fn exists(&self, path: &Path) -> bool {
        SystemDisk.exists(path)
    }

    fn kind(&self, path: &Path) -> Option<DiskKind> {
        SystemDisk.kind(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        SystemDisk.list(folder)
    }

    fn turn(&self, path: &Path) -> io::Result<Box<dyn Send>> {
        SystemDisk.turn(path)
    }

    fn pages(&self, path: &Path) -> DatabasePages {
        SystemDisk.pages(path)
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        SystemDisk.create_folder(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        SystemDisk.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        SystemDisk.remove_file(path)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        SystemDisk.remove_folder(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        SystemDisk.sync_folder(folder)
    }

    fn database(&self, path: &Path) -> DatabasePages {
        SystemDisk.database(path)
    }
}

const SERVICES: [&str; 3] = ["a", "b", "c"];

/// Cuts the power before each step of `change`, and checks that all can be read after each: with the passphrase from
/// before or the one from after it.
fn cut_everywhere(
    before: Option<&str>,
    change: impl Fn(&SealedFiles) -> Result<(), CredentialError>,
    after: Option<&str>,
) {
    let mut steps = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let whole = vault(folder.path(), Arc::new(SystemDisk));
        for service in SERVICES {
            whole.set(item(service), &secret(service)).unwrap();
        }
        if let Some(before) = before {
            whole.renew(Some(Some(&secret(before)))).unwrap();
        }
        drop(whole);
        let disk: Arc<dyn Disk> = Arc::new(Arc::new(Cut { left: AtomicUsize::new(steps) }));
        let cut = vault(folder.path(), disk);
        if let Some(before) = before {
            assert!(cut.unlock(&secret(before)).unwrap());
        }
        let done = change(&cut).is_ok();
        drop(cut);
        // The computer is started again.
        let again = vault(folder.path(), Arc::new(SystemDisk));
        if again.inspect().unwrap().protection == Protection::Passphrase {
            let opens = |passphrase: Option<&str>| passphrase.is_some_and(|text| again.unlock(&secret(text)).unwrap());
            assert!(opens(after) || !done && opens(before), "no passphrase opens it after {steps} steps");
        }
        for service in SERVICES {
            assert_eq!(read(&again, service).as_deref(), Some(service), "after {steps} steps");
        }
        // What was begun is finished, and nothing of it is left over.
        let names = store::names(&SystemDisk, &folder.path().join("credentials")).unwrap();
        let keys = names.iter().filter(|name| name.ends_with(".key")).count();
        let expected = usize::from(again.inspect().unwrap().protection == Protection::KeyFile);
        assert_eq!((keys, names.len()), (expected, SERVICES.len() + 1 + expected), "after {steps} steps: {names:?}");
        if done {
            break;
        }
        steps += 1;
    }
    assert!(steps > 15, "only {steps} steps were cut");
    println!("{steps} cuts");
}

#[test]
fn a_power_cut_anywhere_in_a_renewal_leaves_every_credential_readable() {
    cut_everywhere(None, |vault| vault.renew(None), None);
    cut_everywhere(Some("open sesame"), |vault| vault.renew(None), Some("open sesame"));
}

#[test]
fn a_power_cut_anywhere_in_a_change_of_the_passphrase_leaves_the_old_or_the_new_one() {
    cut_everywhere(None, |vault| vault.renew(Some(Some(&secret("new words")))), Some("new words"));
    cut_everywhere(Some("old words"), |vault| vault.renew(Some(Some(&secret("new words")))), Some("new words"));
    cut_everywhere(Some("old words"), |vault| vault.renew(Some(None)), None);
}

#[test]
fn the_cost_of_the_passphrase_is_what_rfc_9106_advises() {
    let kdf = Kdf::default();
    assert!(kdf.memory_kib >= 64 << 10 && kdf.passes >= 3);
    let begun = std::time::Instant::now();
    let key = kdf.derive(&secret("open sesame"), &[1; 16]).unwrap();
    println!("Argon2id: {:?}", begun.elapsed());
    assert_ne!(key.bytes(), &[0; 32]);
}
