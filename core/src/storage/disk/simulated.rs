//! A disk in memory whose power can be cut: what was not synced may be lost, kept or torn, as real disks do it.
//!
//! Data of a file is certain once it was synced; names (made, renamed, removed) once their folder was. Between two
//! syncs writes may reach the disk in any order; of each the first sectors, all or none. Names change in the order in
//! which they were changed, per folder, and a rename within a folder happens wholly or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{DatabasePages, Disk, DiskKind, DiskRead, DiskWrite};

const SECTOR: usize = 512;

/// Clones are the same disk.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    turns: Mutex<BTreeSet<PathBuf>>,
    turn_ended: Condvar,
}

/// What is wrong with the disk, beside its power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// All files together cannot grow beyond so many bytes.
    pub full_above: Option<u64>,
    /// Every change is refused, as on a disk that the system mounted read-only after an error.
    pub read_only: bool,
    /// Every access is refused.
    pub no_permission: bool,
    /// Each change takes so long.
    pub delay: Duration,
}

#[derive(Clone, Default)]
struct State {
    files: BTreeMap<u64, File>,
    next_file: u64,
    names: BTreeMap<PathBuf, Node>,
    /// What the names would be after a power cut, if none of `pending` had reached the disk.
    durable_names: BTreeMap<PathBuf, Node>,
    pending: Vec<NameChange>,
    open_databases: BTreeSet<u64>,
    /// Changes so far.
    operations: u64,
    cut_at: Option<u64>,
    faults: Faults,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(u64),
    Folder,
}

#[derive(Clone, Default)]
struct File {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<DataChange>,
}

#[derive(Clone)]
enum DataChange {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone)]
enum NameChange {
    Put(PathBuf, Node),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl NameChange {
    fn touches(&self, folder: &Path) -> bool {
        match self {
            Self::Put(path, _) | Self::Remove(path) => path.parent() == Some(folder),
            Self::Rename(from, to) => from.parent() == Some(folder) || to.parent() == Some(folder),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Put(path, node) => drop(names.insert(path.clone(), *node)),
            Self::Remove(path) => {
                names.remove(path);
                names.retain(|name, _| !name.starts_with(path));
            }
            Self::Rename(from, to) => {
                let moved: Vec<_> = names.keys().filter(|name| name.starts_with(from)).cloned().collect();
                for name in moved {
                    let Some(node) = names.remove(&name) else { continue };
                    let Ok(rest) = name.strip_prefix(from) else { continue };
                    let target = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
                    names.insert(target, node);
                }
            }
        }
    }
}

impl DataChange {
    fn apply(&self, bytes: &mut Vec<u8>, upto: usize) {
        match self {
            Self::Write(offset, data) => {
                let (start, data) = (usize::try_from(*offset).unwrap_or(usize::MAX), &data[..upto.min(data.len())]);
                if bytes.len() < start + data.len() {
                    bytes.resize(start + data.len(), 0);
                }
                bytes[start..start + data.len()].copy_from_slice(data);
            }
            Self::Length(length) => bytes.resize(usize::try_from(*length).unwrap_or(usize::MAX), 0),
        }
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

fn cut() -> io::Error {
    io::Error::other("the power is cut")
}

impl SimulatedDisk {
    /// An empty disk with its root folder.
    pub fn new() -> Self {
        let disk = Self::default();
        let mut state = disk.state();
        state.names.insert(PathBuf::from("/"), Node::Folder);
        state.durable_names.insert(PathBuf::from("/"), Node::Folder);
        drop(state);
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many changes were made so far: writes, lengths, syncs, names.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Cuts the power while this change (counted from 0) happens: it and all after it fail.
    pub fn cut_at(&self, operation: u64) {
        self.state().cut_at = Some(operation);
    }

    /// Whether the power is cut.
    pub fn is_cut(&self) -> bool {
        let state = self.state();
        state.cut_at.is_some_and(|cut| state.operations > cut)
    }

    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// The disk as it is found after the power was cut now; the seed says what of the uncertain reached it.
    pub fn after_power_cut(&self, seed: u64) -> Self {
        let state = self.state();
        let mut random = Random(seed);
        let mut names = state.durable_names.clone();
        // Each folder's changes reach the disk in their order, up to some point.
        let mut stopped: BTreeSet<PathBuf> = BTreeSet::new();
        for change in &state.pending {
            let folders: Vec<PathBuf> = match change {
                NameChange::Put(path, _) | NameChange::Remove(path) => {
                    path.parent().map(Path::to_owned).into_iter().collect()
                }
                NameChange::Rename(from, to) => {
                    [from, to].iter().filter_map(|path| path.parent().map(Path::to_owned)).collect()
                }
            };
            let goes = !folders.iter().any(|folder| stopped.contains(folder)) && random.below(3) > 0;
            if goes {
                change.apply(&mut names);
            } else {
                stopped.extend(folders);
            }
        }
        // What lies in a folder whose making was lost is lost.
        let there = names.clone();
        names.retain(|path, _| path.ancestors().skip(1).all(|folder| there.get(folder) == Some(&Node::Folder)));
        let mut files = BTreeMap::new();
        for id in names.values().filter_map(|node| if let Node::File(id) = node { Some(*id) } else { None }) {
            let Some(file) = state.files.get(&id) else { continue };
            let mut bytes = file.durable.clone();
            for change in &file.pending {
                match (random.below(4), change) {
                    (0, _) => {}
                    (1, DataChange::Write(_, data)) => {
                        let sectors = random.below((data.len() / SECTOR) as u64 + 1);
                        change.apply(&mut bytes, usize::try_from(sectors).unwrap_or(0) * SECTOR);
                    }
                    _ => change.apply(&mut bytes, usize::MAX),
                }
            }
            files.insert(id, File { now: bytes.clone(), durable: bytes, pending: Vec::new() });
        }
        let next_file = state.next_file;
        drop(state);
        let found = Self::default();
        *found.state() = State { files, next_file, durable_names: names.clone(), names, ..State::default() };
        found
    }

    /// The bytes of a file as a program sees them now.
    pub fn read_all(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.state();
        let id = state.file(path)?;
        Ok(state.files[&id].now.clone())
    }

    /// Puts bytes into a file, certain at once: how a test brings in a file or damages one.
    pub fn put(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.state();
        let id = match state.names.get(path) {
            Some(Node::File(id)) => *id,
            _ => {
                state.next_file += 1;
                state.next_file
            }
        };
        state.names.insert(path.to_owned(), Node::File(id));
        state.durable_names.insert(path.to_owned(), Node::File(id));
        state.files.insert(id, File { now: bytes.clone(), durable: bytes, pending: Vec::new() });
    }

    /// Counts a change and lets it happen, unless the power or the disk says no.
    fn change<T>(&self, grows: u64, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        let delay = state.faults.delay;
        if !delay.is_zero() {
            drop(state);
            #[expect(clippy::disallowed_methods, reason = "a slow disk is what is simulated")]
            std::thread::sleep(delay);
            state = self.state();
        }
        let now = state.operations;
        if state.cut_at.is_some_and(|cut| now > cut) {
            return Err(cut());
        }
        state.allowed()?;
        if state.faults.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if let Some(limit) = state.faults.full_above
            && grows > 0
        {
            let used: u64 = state.files.values().map(|file| file.now.len() as u64).sum();
            if used + grows > limit {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        state.operations += 1;
        let cut_now = state.cut_at == Some(now);
        if cut_now {
            // It happens as far as the disk came, and nobody hears of it.
            work(&mut state).ok();
            return Err(cut());
        }
        work(&mut state)
    }

    fn name(&self, change: NameChange) -> io::Result<()> {
        self.change(0, |state| {
            change.apply(&mut state.names);
            state.pending.push(change);
            Ok(())
        })
    }

    fn write_file(&self, id: u64, offset: Option<u64>, data: &[u8]) -> io::Result<()> {
        let length = self.state().files.get(&id).map_or(0, |file| file.now.len() as u64);
        let at = offset.unwrap_or(length);
        let grows = (at + data.len() as u64).saturating_sub(length);
        self.change(grows, |state| {
            let file = state.files.get_mut(&id).ok_or_else(missing)?;
            let change = DataChange::Write(at, data.to_vec());
            change.apply(&mut file.now, usize::MAX);
            file.pending.push(change);
            Ok(())
        })
    }

    fn sync_file(&self, id: u64) -> io::Result<()> {
        // A cut during a sync leaves what was pending uncertain.
        let cut_now = {
            let state = self.state();
            state.cut_at == Some(state.operations)
        };
        self.change(0, |state| {
            let file = state.files.get_mut(&id).ok_or_else(missing)?;
            if !cut_now {
                file.durable.clone_from(&file.now);
                file.pending.clear();
            }
            Ok(())
        })
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl State {
    fn allowed(&self) -> io::Result<()> {
        if self.cut_at.is_some_and(|cut| self.operations > cut) {
            return Err(cut());
        }
        if self.faults.no_permission { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }

    fn file(&self, path: &Path) -> io::Result<u64> {
        self.allowed()?;
        match self.names.get(path) {
            Some(Node::File(id)) => Ok(*id),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(missing()),
        }
    }

    fn folder_of(&self, path: &Path) -> io::Result<()> {
        match path.parent().map(|folder| self.names.get(folder)) {
            Some(Some(Node::Folder)) => Ok(()),
            _ => Err(missing()),
        }
    }
}

struct Writing {
    disk: SimulatedDisk,
    id: u64,
}

impl Write for Writing {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.disk.write_file(self.id, None, data)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskWrite for Writing {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.sync_file(self.id)
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>> {
        self.state().folder_of(path)?;
        let known = self.state().names.get(path).copied();
        let id = match known {
            Some(Node::Folder) => return Err(io::ErrorKind::IsADirectory.into()),
            Some(Node::File(id)) => {
                self.change(0, |state| {
                    let file = state.files.get_mut(&id).ok_or_else(missing)?;
                    DataChange::Length(0).apply(&mut file.now, usize::MAX);
                    file.pending.push(DataChange::Length(0));
                    Ok(())
                })?;
                id
            }
            None => self.make_file(path)?,
        };
        Ok(Box::new(Writing { disk: self.clone(), id }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskRead>> {
        Ok(Box::new(io::Cursor::new(self.read_all(path)?)))
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        let state = self.state();
        let id = state.file(path)?;
        Ok(state.files[&id].now.len() as u64)
    }

    fn exists(&self, path: &Path) -> bool {
        self.state().names.contains_key(path)
    }

    fn kind(&self, path: &Path) -> Option<DiskKind> {
        self.state().names.get(path).map(|node| match node {
            Node::File(_) => DiskKind::File,
            Node::Folder => DiskKind::Folder,
        })
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        state.allowed()?;
        match state.names.get(folder) {
            Some(Node::Folder) => {
                Ok(state.names.keys().filter(|name| name.parent() == Some(folder)).cloned().collect())
            }
            _ => Err(missing()),
        }
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let mut missing: Vec<_> =
            folder.ancestors().filter(|folder| !self.exists(folder)).map(Path::to_owned).collect();
        while let Some(folder) = missing.pop() {
            self.name(NameChange::Put(folder, Node::Folder))?;
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        {
            let state = self.state();
            state.allowed()?;
            if !state.names.contains_key(from) {
                return Err(missing());
            }
            state.folder_of(to)?;
        }
        self.name(NameChange::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.state().file(path)?;
        self.name(NameChange::Remove(path.to_owned()))
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        if self.state().names.get(folder) != Some(&Node::Folder) {
            return Err(missing());
        }
        self.name(NameChange::Remove(folder.to_owned()))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let cut_now = {
            let state = self.state();
            state.cut_at == Some(state.operations)
        };
        self.change(0, |state| {
            if cut_now {
                return Ok(());
            }
            // Earlier changes of other folders stay uncertain; a rename is settled with either of its folders.
            let (settled, left): (Vec<_>, Vec<_>) =
                std::mem::take(&mut state.pending).into_iter().partition(|change| change.touches(folder));
            for change in &settled {
                change.apply(&mut state.durable_names);
            }
            state.pending = left;
            Ok(())
        })
    }

    fn turn(&self, path: &Path) -> io::Result<Box<dyn Send>> {
        self.state().allowed()?;
        let mut turns = self.inner.turns.lock().unwrap_or_else(PoisonError::into_inner);
        while !turns.insert(path.to_owned()) {
            turns = self.inner.turn_ended.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(Box::new(Turn { disk: self.clone(), path: path.to_owned() }))
    }

    fn pages(&self, path: &Path) -> DatabasePages {
        let id = self.state().file(path).map_err(redb::StorageError::from)?;
        Ok(Box::new(Pages { disk: self.clone(), id, alone: false }))
    }

    fn database(&self, path: &Path) -> DatabasePages {
        let io = |error| redb::DatabaseError::from(redb::StorageError::from(error));
        let known = self.state().names.get(path).copied();
        let id = match known {
            Some(Node::File(id)) => id,
            Some(Node::Folder) => return Err(io(io::ErrorKind::IsADirectory.into())),
            None => self.make_file(path).map_err(io)?,
        };
        let mut state = self.state();
        state.allowed().map_err(io)?;
        if !state.open_databases.insert(id) {
            return Err(redb::DatabaseError::DatabaseAlreadyOpen);
        }
        Ok(Box::new(Pages { disk: self.clone(), id, alone: true }))
    }
}

impl SimulatedDisk {
    fn make_file(&self, path: &Path) -> io::Result<u64> {
        self.state().folder_of(path)?;
        self.change(0, |state| {
            state.next_file += 1;
            let id = state.next_file;
            state.files.insert(id, File::default());
            let change = NameChange::Put(path.to_owned(), Node::File(id));
            change.apply(&mut state.names);
            state.pending.push(change);
            Ok(id)
        })
    }
}

struct Turn {
    disk: SimulatedDisk,
    path: PathBuf,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.disk.inner.turns.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
        self.disk.inner.turn_ended.notify_all();
    }
}

/// A file of the disk as redb sees it; it is open once at a time.
struct Pages {
    disk: SimulatedDisk,
    id: u64,
    /// Nobody else may open the file meanwhile.
    alone: bool,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "file {} of a simulated disk", self.id)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if self.alone {
            self.disk.state().open_databases.remove(&self.id);
        }
    }
}

impl redb::StorageBackend for Pages {
    fn len(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.allowed()?;
        state.files.get(&self.id).map(|file| file.now.len() as u64).ok_or_else(missing)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.state();
        state.allowed()?;
        let file = state.files.get(&self.id).ok_or_else(missing)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let from = start.checked_add(out.len()).and_then(|end| file.now.get(start..end));
        out.copy_from_slice(from.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let now = self.len()?;
        self.disk.change(len.saturating_sub(now), |state| {
            let file = state.files.get_mut(&self.id).ok_or_else(missing)?;
            DataChange::Length(len).apply(&mut file.now, usize::MAX);
            file.pending.push(DataChange::Length(len));
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync_file(self.id)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write_file(self.id, Some(offset), data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(disk: &SimulatedDisk, path: &str, text: &[u8], sync: bool) {
        let mut file = disk.create(Path::new(path)).unwrap();
        file.write_all(text).unwrap();
        if sync {
            file.sync().unwrap();
        }
    }

    /// What a file may hold after a power cut; none where it is gone.
    fn outcomes(disk: &SimulatedDisk, path: &str) -> BTreeSet<Option<Vec<u8>>> {
        (0..200).map(|seed| disk.after_power_cut(seed).read_all(Path::new(path)).ok()).collect()
    }

    #[test]
    fn only_what_was_synced_is_certain() {
        let disk = SimulatedDisk::new();
        write(&disk, "/a", &[7; 1024], false);
        assert_eq!(outcomes(&disk, "/a"), [None, Some(vec![]), Some(vec![7; 512]), Some(vec![7; 1024])].into());
        disk.sync_folder(Path::new("/")).unwrap();
        assert_eq!(outcomes(&disk, "/a"), [Some(vec![]), Some(vec![7; 512]), Some(vec![7; 1024])].into());
        write(&disk, "/b", b"new", true);
        assert_eq!(outcomes(&disk, "/b"), [None, Some(b"new".to_vec())].into());
        disk.rename(Path::new("/b"), Path::new("/a")).unwrap();
        let after = outcomes(&disk, "/a");
        assert!(after.contains(&Some(b"new".to_vec())) && after.len() == 4, "{after:?}");
        disk.sync_folder(Path::new("/")).unwrap();
        assert_eq!(outcomes(&disk, "/a"), [Some(b"new".to_vec())].into());
    }

    #[test]
    fn nothing_works_after_the_cut() {
        let disk = SimulatedDisk::new();
        disk.cut_at(1);
        write(&disk, "/a", b"", false);
        let mut file = disk.create(Path::new("/b"));
        assert!(file.as_mut().err().is_some() && disk.is_cut());
        assert!(disk.read_all(Path::new("/a")).is_err() && disk.list(Path::new("/")).is_err());
        assert!(disk.after_power_cut(1).list(Path::new("/")).is_ok());
    }

    #[test]
    fn faults_are_told_as_a_system_tells_them() {
        let disk = SimulatedDisk::new();
        write(&disk, "/a", &[1; 10], true);
        disk.set_faults(Faults { full_above: Some(12), ..Faults::default() });
        let mut file = disk.create(Path::new("/b")).unwrap();
        assert_eq!(file.write_all(&[2; 3]).unwrap_err().kind(), io::ErrorKind::StorageFull);
        file.write_all(&[2; 2]).unwrap();
        disk.set_faults(Faults { read_only: true, ..Faults::default() });
        assert_eq!(disk.remove_file(Path::new("/a")).unwrap_err().kind(), io::ErrorKind::ReadOnlyFilesystem);
        assert_eq!(disk.read_all(Path::new("/a")).unwrap(), [1; 10]);
        disk.set_faults(Faults { no_permission: true, ..Faults::default() });
        assert_eq!(disk.read_all(Path::new("/a")).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
