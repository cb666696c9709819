//! Snapshots of an index: a large file of frozen rows, and a small one of what came and went beside it.
//!
//! Both are written under another name, synchronised and renamed. A tail names the frozen file that it lies beside;
//! one that lies beside another is older than the frozen file, which then holds its own change number alone.

use std::fs::{self, File};
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::{Index, Mark, NOTHING, Options, State};
use crate::Error;
use crate::format::{Header, Refused, refused};
use crate::freeze::{Freeze, Pick};
use crate::frozen::{Frozen, peek};
use crate::rows::{Bits, Columns, Rows};
use crate::segment::{Data, Segment};

/// What was found on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Everything up to this mark is in.
    Snapshot(Mark),
    /// Nothing; the index is empty.
    Absent,
    /// Nothing that can be used, and why; the index is empty.
    Empty(String),
}

/// The least change that a snapshot of any space in a folder needs the log of its store from; none without any.
pub fn least_change(folder: &Path, store: u64) -> Option<u64> {
    let entries = fs::read_dir(folder).ok()?;
    let tails =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "tail"));
    tails.filter_map(|path| peek(&path).ok()).filter(|header| header.store == store).map(|header| header.change).min()
}

impl Options {
    fn stem(&self) -> String {
        format!("vectors-{}", self.identity.space)
    }

    fn tail_path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.tail", self.stem()))
    }

    fn frozen_path(&self, folder: &Path, this: u64) -> PathBuf {
        folder.join(format!("{}-{this:016x}.rows", self.stem()))
    }

    /// The frozen files of this space, and whatever else an interrupted write has left.
    fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let stem = format!("{}-", self.stem());
        let temporary = format!("{}.", self.stem());
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let names = entries.flatten().map(|entry| entry.path());
        names
            .filter(|path| {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                name.starts_with(&stem) && name.ends_with(".rows")
                    || name.starts_with(&temporary) && name.ends_with(".tmp")
            })
            .collect()
    }

    fn belongs(&self, header: &Header) -> Result<(), Refused> {
        let same = header.store == self.identity.store && header.space == self.identity.space;
        if !same || header.dimensions as usize != self.dimensions {
            return Err(refused("it belongs to another store or space"));
        }
        Ok(())
    }
}

impl Index {
    /// The change up to which snapshots in a folder hold everything, without opening them; none without any.
    pub fn peek(options: &Options) -> Option<u64> {
        let folder = options.folder.as_ref()?;
        let right = |path: &Path| peek(path).ok().filter(|header| options.belongs(header).is_ok());
        let tail = right(&options.tail_path(folder));
        let frozen: Vec<Header> = options.files(folder).iter().filter_map(|path| right(path)).collect();
        match tail {
            Some(tail) if tail.beside == 0 || frozen.iter().any(|frozen| frozen.this == tail.beside) => {
                Some(tail.change)
            }
            _ => frozen.iter().map(|frozen| frozen.change).max(),
        }
    }

    /// Opens the snapshots that there are. Files that are damaged, foreign or left over are deleted.
    pub fn open(options: Options) -> (Self, Opened) {
        let index = Self::new(options);
        let Some(folder) = index.options.folder.clone() else {
            return (index, Opened::Absent);
        };
        let opened = match index.open_files(&folder) {
            Ok(Some(state)) => {
                let mark = Mark { change: Some(state.change), covered: Some(state.covered) };
                index.durable.store(state.change, Ordering::Release);
                *index.write() = state;
                Opened::Snapshot(mark)
            }
            Ok(None) => Opened::Absent,
            Err(error) => Opened::Empty(error.to_string()),
        };
        index.clear(&folder);
        (index, opened)
    }

    fn open_files(&self, folder: &Path) -> Result<Option<State>, Error> {
        let options = &self.options;
        let open = |path: &Path| -> Result<Option<Frozen>, Error> {
            match Frozen::open(path) {
                Ok(frozen) => {
                    options.belongs(&frozen.header)?;
                    Ok(Some(frozen))
                }
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        let tail = open(&options.tail_path(folder)).unwrap_or_else(|error| {
            tracing::warn!(%error, "the tail of the vectors cannot be used");
            None
        });
        if let Some(tail) = &tail
            && tail.header.beside == 0
        {
            return Ok(Some(self.state_of(None, Some(tail))?));
        }
        // The one that the tail lies beside, else the latest.
        let mut frozen: Vec<(PathBuf, Header)> =
            options.files(folder).into_iter().filter_map(|path| Some((path.clone(), peek(&path).ok()?))).collect();
        frozen.retain(|(_, header)| options.belongs(header).is_ok());
        let beside = tail.as_ref().map_or(0, |tail| tail.header.beside);
        frozen.sort_by_key(|(_, header)| (header.this == beside, header.change));
        let mut failure = None;
        for (path, header) in frozen.into_iter().rev() {
            match open(&path) {
                Ok(Some(frozen)) => {
                    let tail = tail.as_ref().filter(|tail| tail.header.beside == header.this);
                    return Ok(Some(self.state_of(Some(frozen), tail)?));
                }
                Ok(None) => {}
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) => Err(error),
            None if tail.is_some() => Err(refused("the file that its tail lies beside is missing").into()),
            None => Ok(None),
        }
    }

    fn state_of(&self, frozen: Option<Frozen>, tail: Option<&Frozen>) -> Result<State, Error> {
        let mut state = State { tail: Rows::new(self.options.dimensions), ..State::default() };
        if let Some(frozen) = frozen {
            state.names = frozen.names().to_vec();
            (state.change, state.covered) = (frozen.header.change, frozen.header.covered);
            state.segments.push(Segment { data: Data::Frozen(Arc::new(frozen)), dead: Bits::default() });
        }
        if let Some(tail) = tail {
            if !tail.names().starts_with(&state.names) {
                return Err(refused("its tail names other sources").into());
            }
            state.names = tail.names().to_vec();
            (state.change, state.covered) = (tail.header.change, tail.header.covered);
            for id in tail.dead() {
                state.remove(*id..id.saturating_add(1));
            }
            let columns = tail.columns();
            for row in 0..columns.len() {
                let id = columns.ids[row];
                state.remove(id..id.saturating_add(1));
                state.tail.copy(&columns, row);
                if state.tail.len() >= super::SEALED {
                    state.seal(self.options.dimensions);
                }
            }
        }
        Ok(state)
    }

    /// Deletes frozen files that are not the one in use, and what an interrupted write has left.
    fn clear(&self, folder: &Path) {
        let state = self.read();
        let used = state.frozen().map(|frozen| self.options.frozen_path(folder, frozen.header.this));
        let empty = state.segments.is_empty() && state.tail.len() == 0 && state.change == 0;
        drop(state);
        let mut stale = self.options.files(folder);
        stale.retain(|path| Some(path) != used.as_ref());
        if empty {
            stale.push(self.options.tail_path(folder));
        }
        for path in stale {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    // Where mapped files cannot be deleted, the next start does it.
                    tracing::debug!(%error, "a stale file of vectors stays");
                }
                _ => {}
            }
        }
    }

    pub(super) fn header(&self, state: &State) -> Header {
        Header {
            dimensions: self.options.dimensions as u32,
            space: self.options.identity.space,
            store: self.options.identity.store,
            change: state.change,
            covered: state.covered,
            ..Header::default()
        }
    }

    pub(super) fn write_frozen(
        &self,
        freeze: &Freeze<'_>,
        header: Header,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Frozen, Error> {
        let folder = self.options.folder.as_ref().ok_or_else(|| std::io::Error::other("there is no folder"))?;
        let temporary = folder.join(format!("{}.rows.tmp", self.options.stem()));
        let header = write_file(&temporary, freeze, header, cancelled)?;
        let path = self.options.frozen_path(folder, header.this);
        rename(&temporary, &path)?;
        Frozen::open(&path)
    }

    /// Writes what came and went since the last save, where there is a folder. Costs what lies beside the frozen rows.
    ///
    /// # Errors
    /// What writing fails with; the snapshots stay as they were.
    pub fn save(&self) -> Result<(), Error> {
        let _one = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        self.save_now()
    }

    /// As [`Index::save`], for who holds the lock of the upkeep.
    pub(super) fn save_now(&self) -> Result<(), Error> {
        let Some(folder) = &self.options.folder else { return Ok(()) };
        let (segments, names, header) = {
            let mut state = self.write();
            let dimensions = self.options.dimensions;
            if state.tail.len() * 4 > super::SEALED {
                state.seal(dimensions);
            }
            // A small tail is copied rather than sealed, so that saves leave no row of small parts.
            let mut segments = state.segments.clone();
            let mut rows = Rows::new(dimensions);
            let columns = state.tail.columns();
            (0..columns.len()).filter(|row| !state.tail_dead.contains(*row)).for_each(|row| rows.copy(&columns, row));
            segments.push(Segment { data: Data::Rows(Arc::new(rows)), dead: Bits::default() });
            let header = self.header(&state);
            state.unsaved = 0;
            // From now on the log is needed from here.
            if self.durable.load(Ordering::Acquire) == NOTHING {
                self.durable.store(header.change, Ordering::Release);
            }
            (segments, state.names.clone(), header)
        };
        let frozen = segments.first().and_then(Segment::frozen);
        let columns: Vec<Columns<'_>> = segments.iter().map(Segment::columns).collect();
        let mut picks = Vec::new();
        for (segment, at) in segments.iter().zip(0_u32..).filter(|(segment, _)| segment.frozen().is_none()) {
            let rows = 0..columns[at as usize].len() as u32;
            let living = rows.filter(|row| !segment.dead.contains(*row as usize));
            picks.extend(living.map(|row| Pick { segment: at, row }));
        }
        let dead: Vec<u64> = match frozen {
            Some(_) => {
                let ids = columns[0].ids;
                (0..ids.len()).filter(|row| segments[0].dead.contains(*row)).map(|row| ids[row]).collect()
            }
            None => Vec::new(),
        };
        let freeze = Freeze { columns: &columns, picks: &picks, names: &names, dead: &dead, graph: None };
        let header = Header { beside: frozen.map_or(0, |frozen| frozen.header.this), ..freeze.header(header) };
        let change = header.change;
        let temporary = folder.join(format!("{}.tail.tmp", self.options.stem()));
        let written = write_file(&temporary, &freeze, header, &|| false)
            .and_then(|_| rename(&temporary, &self.options.tail_path(folder)));
        if let Err(error) = written {
            let mut state = self.write();
            state.unsaved = state.unsaved.saturating_add(1);
            return Err(error);
        }
        self.durable.store(change, Ordering::Release);
        self.clear(folder);
        Ok(())
    }
}

fn write_file(path: &Path, freeze: &Freeze<'_>, header: Header, cancelled: &dyn Fn() -> bool) -> Result<Header, Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let written = freeze.write(out, header, cancelled).and_then(|(mut out, header)| {
        out.flush()?;
        out.rewind()?;
        out.get_ref().sync_all()?;
        Ok(header)
    });
    if written.is_err() {
        // What is left of it is deleted at the next start otherwise.
        drop(fs::remove_file(path));
    }
    written
}

/// Renames and makes that durable.
fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to)?;
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
