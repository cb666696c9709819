//! Frozen rows: a file that is mapped, or the same bytes in memory.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use memmap2::{Mmap, MmapMut};
use rspa_ml::kernels::distance::{Plain, view};

use crate::Error;
use crate::format::{Header, PAGE, Place, SECTIONS, Section, refused, verify};
use crate::graph;
use crate::rows::Columns;

enum Region {
    File(Mmap),
    Memory(MmapMut),
}

/// Rows that do not change any more.
pub(crate) struct Frozen {
    region: Region,
    pub header: Header,
    places: [Place; SECTIONS.len()],
}

/// What is read of a file before it is mapped.
pub(crate) fn peek(path: &Path) -> Result<Header, Error> {
    use std::io::Read;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut page = Vec::with_capacity(PAGE);
    Read::take(&mut file, PAGE as u64).read_to_end(&mut page)?;
    Ok(Header::decode(&page, length)?.0)
}

impl Frozen {
    /// Maps a file after its checksums were found right.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        if length < PAGE as u64 {
            return Err(refused("it is too short").into());
        }
        // SAFETY: the file lies in the program's own data folder. It is written under another name and then renamed,
        // never changed in place or shortened; what it holds is checked whenever it is used.
        let map = unsafe { Mmap::map(&file)? };
        let (header, places) = Header::decode(&map, length)?;
        // Read, not mapped: what is only checked does not stay in memory.
        verify(&file, &places)?;
        Ok(Self { region: Region::File(map), header, places })
    }

    /// Room in memory for what the header promises; `write` fills it.
    pub fn in_memory(
        header: &Header,
        write: impl FnOnce(Cursor<&mut [u8]>) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let (_, length) = header.places();
        let length = usize::try_from(length).map_err(|_too_long| Error::TooMany)?;
        let mut map = MmapMut::map_anon(length)?;
        #[cfg(target_os = "linux")]
        if let Err(error) = map.advise(memmap2::Advice::HugePage) {
            tracing::debug!(%error, "no large pages for vectors");
        }
        write(Cursor::new(&mut map[..]))?;
        let (header, places) = Header::decode(&map, length as u64)?;
        Ok(Self { region: Region::Memory(map), header, places })
    }

    fn bytes(&self) -> &[u8] {
        match &self.region {
            Region::File(map) => map,
            Region::Memory(map) => map,
        }
    }

    fn column<T: Plain>(&self, section: Section) -> &[T] {
        let place = &self.places[section as usize];
        let (from, length) = (place.offset as usize, place.length as usize);
        self.bytes().get(from..from + length).and_then(view).unwrap_or_default()
    }

    pub fn columns(&self) -> Columns<'_> {
        Columns {
            dimensions: self.header.dimensions as usize,
            ids: self.column(Section::Ids),
            order: self.column(Section::Order),
            sources: self.column(Section::Sources),
            kinds: self.column(Section::Kinds),
            modified: self.column(Section::Modified),
            scales: self.column(Section::Scales),
            coarse: self.column(Section::Coarse),
            fine: self.column(Section::Fine),
        }
    }

    pub fn names(&self) -> &[u128] {
        self.column(Section::Names)
    }

    pub fn dead(&self) -> &[u64] {
        self.column(Section::Dead)
    }

    /// Rows of the same codes: the next one of each.
    pub fn twins(&self) -> &[u32] {
        self.column(Section::Twins)
    }

    pub fn graph(&self) -> Option<graph::Frozen<'_>> {
        (!self.header.counts.is_empty()).then(|| graph::Frozen {
            counts: &self.header.counts,
            links: self.column(Section::Links),
            upper: self.column(Section::Upper),
        })
    }

    pub fn has_graph(&self) -> bool {
        !self.header.counts.is_empty()
    }

    /// Bytes in memory at most; those of a file are given back when others need them.
    pub fn memory_bytes(&self) -> usize {
        self.bytes().len()
    }
}
