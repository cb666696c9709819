//! The file of frozen rows: a header of one page with what the file is of, then sections, each with its checksum.
//!
//! All lengths follow from the header's counts, and are checked before anything is read by them. Numbers are in the
//! order of the machine that wrote them; a file of another machine is refused as one of another form.

use std::io::{self, Seek, SeekFrom, Write};

use crate::checksum::Checksum;
use crate::graph::{LINKS, MOST_LEVELS, UPPER_LINKS};

/// Raised when anything about the file changes.
const FORM: u32 = 1;
const MAGIC: &[u8; 8] = b"RSPAVEC\0";
/// Sections begin at multiples of it.
pub(crate) const PAGE: usize = 4096;
/// What fits in memory by far.
const MOST_ROWS: u64 = 1 << 30;
const MOST_DIMENSIONS: u32 = 65_536;
const MOST_SOURCES: u64 = 1 << 24;

/// Why a file is not used, in words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the file of vectors is refused: {0}")]
pub struct Refused(pub String);

pub(crate) fn refused(why: impl Into<String>) -> Refused {
    Refused(why.into())
}

/// The columns of a file, in the order in which they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Names,
    Ids,
    Order,
    Sources,
    Kinds,
    Modified,
    Scales,
    Dead,
    Twins,
    Links,
    Upper,
    Coarse,
    Fine,
}

pub(crate) const SECTIONS: [Section; 13] = [
    Section::Names,
    Section::Ids,
    Section::Order,
    Section::Sources,
    Section::Kinds,
    Section::Modified,
    Section::Scales,
    Section::Dead,
    Section::Twins,
    Section::Links,
    Section::Upper,
    Section::Coarse,
    Section::Fine,
];

/// What a file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub dimensions: u32,
    /// The vector space.
    pub space: u32,
    /// The identity of the store that the rows come from.
    pub store: u64,
    /// Tells this file from others, by its content.
    pub this: u64,
    /// Of a tail: the file that it lies beside; 0 for none.
    pub beside: u64,
    /// The last change of the store that is in.
    pub change: u64,
    /// All vectors of passages up to this one are in.
    pub covered: u64,
    pub rows: u64,
    /// Names of sources.
    pub names: u64,
    /// Ids of rows of the other file that are gone.
    pub dead: u64,
    /// Nodes of each level of the graph, the lowest first; none without a graph.
    pub counts: Vec<u32>,
}

/// Where a section lies, and its checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub offset: u64,
    pub length: u64,
    pub checksum: u64,
}

impl Header {
    /// Bytes of a section.
    fn length(&self, section: Section) -> u64 {
        let nodes = self.counts.first().map_or(0, |count| u64::from(*count));
        let above: u64 = self.counts.iter().skip(1).map(|count| u64::from(*count)).sum();
        match section {
            Section::Names => self.names * 16,
            Section::Ids => self.rows * 8,
            Section::Order | Section::Sources | Section::Modified | Section::Scales => self.rows * 4,
            Section::Kinds => self.rows,
            Section::Dead => self.dead * 8,
            Section::Twins if self.counts.is_empty() => 0,
            Section::Twins => self.rows * 4,
            Section::Links => nodes * LINKS as u64 * 4,
            Section::Upper => above * UPPER_LINKS as u64 * 4,
            Section::Coarse | Section::Fine => self.rows * u64::from(self.dimensions),
        }
    }

    /// Where all sections lie, without checksums, and the length of the file.
    pub fn places(&self) -> ([Place; SECTIONS.len()], u64) {
        let mut places = [Place::default(); SECTIONS.len()];
        let mut offset = PAGE as u64;
        for (place, section) in places.iter_mut().zip(SECTIONS) {
            *place = Place { offset, length: self.length(section), checksum: 0 };
            offset = (offset + place.length).next_multiple_of(PAGE as u64);
        }
        (places, offset)
    }

    pub fn encode(&self, places: &[Place; SECTIONS.len()]) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE);
        page.extend_from_slice(MAGIC);
        for number in [FORM, self.dimensions, self.space, self.counts.len() as u32] {
            page.extend_from_slice(&number.to_ne_bytes());
        }
        let long = [self.store, self.this, self.beside, self.change, self.covered, self.rows, self.names, self.dead];
        for number in long {
            page.extend_from_slice(&number.to_ne_bytes());
        }
        for level in 0..MOST_LEVELS {
            page.extend_from_slice(&self.counts.get(level).copied().unwrap_or(0).to_ne_bytes());
        }
        for place in places {
            for number in [place.offset, place.length, place.checksum] {
                page.extend_from_slice(&number.to_ne_bytes());
            }
        }
        page.resize(PAGE - 8, 0);
        let checksum = Checksum::of(&page);
        page.extend_from_slice(&checksum.to_ne_bytes());
        page
    }

    /// The header of a file of this length. Everything that it promises fits in the file.
    pub fn decode(page: &[u8], file: u64) -> Result<(Self, [Place; SECTIONS.len()]), Refused> {
        let mut reader = Reader(page.get(..PAGE).ok_or_else(|| refused("it is too short"))?);
        if reader.take::<8>() != *MAGIC || reader.short() != FORM {
            return Err(refused("it has another form"));
        }
        let (body, checksum) = page[..PAGE].split_at(PAGE - 8);
        if Checksum::of(body) != Reader(checksum).long() {
            return Err(refused("its header is damaged"));
        }
        let (dimensions, space, levels) = (reader.short(), reader.short(), reader.short() as usize);
        let mut header = Self {
            dimensions,
            space,
            store: reader.long(),
            this: reader.long(),
            beside: reader.long(),
            change: reader.long(),
            covered: reader.long(),
            rows: reader.long(),
            names: reader.long(),
            dead: reader.long(),
            counts: Vec::new(),
        };
        let counts: Vec<u32> = (0..MOST_LEVELS).map(|_| reader.short()).collect();
        header.counts = counts.get(..levels).ok_or_else(|| refused("it has too many levels"))?.to_vec();
        let possible = (1..=MOST_DIMENSIONS).contains(&dimensions)
            && header.rows <= MOST_ROWS
            && header.names <= MOST_SOURCES
            && header.dead <= MOST_ROWS
            && header.counts.first().is_none_or(|nodes| u64::from(*nodes) <= header.rows)
            && header.counts.is_sorted_by(|lower, upper| lower >= upper)
            && !header.counts.contains(&0);
        if !possible {
            return Err(refused("its counts are impossible"));
        }
        let (mut places, length) = header.places();
        if length != file {
            return Err(refused("its length is not what its counts make"));
        }
        for place in &mut places {
            if (reader.long(), reader.long()) != (place.offset, place.length) {
                return Err(refused("its sections lie elsewhere"));
            }
            place.checksum = reader.long();
        }
        Ok((header, places))
    }
}

/// Reads numbers from bytes that are long enough.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.0 = rest;
                *bytes
            }
            None => [0; N],
        }
    }

    fn short(&mut self) -> u32 {
        u32::from_ne_bytes(self.take())
    }

    fn long(&mut self) -> u64 {
        u64::from_ne_bytes(self.take())
    }
}

/// Writes a file section by section, in their order.
pub(crate) struct Writer<W> {
    out: W,
    header: Header,
    places: [Place; SECTIONS.len()],
    at: usize,
    /// Bytes of the section that were written.
    written: u64,
    checksum: Checksum,
}

impl<W: Write + Seek> Writer<W> {
    pub fn new(mut out: W, header: Header) -> io::Result<Self> {
        out.write_all(&[0; PAGE])?;
        let (places, _) = header.places();
        Ok(Self { out, header, places, at: 0, written: 0, checksum: Checksum::default() })
    }

    /// The next bytes of the section.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.checksum.add(bytes);
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Ends this section, which was the one named, and begins the next.
    pub fn end(&mut self, section: Section) -> io::Result<()> {
        let place = self.places.get_mut(self.at).filter(|place| place.length == self.written);
        let (Some(place), true) = (place, SECTIONS.get(self.at) == Some(&section)) else {
            return Err(io::Error::other(format!("{section:?} has {} bytes, which is not its length", self.written)));
        };
        place.checksum = std::mem::take(&mut self.checksum).finish();
        let end = place.offset + place.length;
        let padding = end.next_multiple_of(PAGE as u64) - end;
        self.out.write_all(&[0; PAGE][..padding as usize])?;
        (self.at, self.written) = (self.at + 1, 0);
        Ok(())
    }

    /// Writes the header; `this` becomes what the content makes it.
    pub fn finish(mut self) -> io::Result<(W, Header)> {
        if self.at != SECTIONS.len() {
            return Err(io::Error::other("sections are missing"));
        }
        let sums: Vec<u8> = self.places.iter().flat_map(|place| place.checksum.to_ne_bytes()).collect();
        let marks = [self.header.change, self.header.covered, self.header.rows, self.header.store, self.header.beside];
        let marks: Vec<u8> = marks.iter().flat_map(|number| number.to_ne_bytes()).collect();
        self.header.this = Checksum::of(&[sums, marks].concat()).max(1);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&self.header.encode(&self.places))?;
        self.out.flush()?;
        Ok((self.out, self.header))
    }
}

/// Checks the sections against their checksums, reading them in order.
pub(crate) fn verify(mut file: impl io::Read + Seek, places: &[Place; SECTIONS.len()]) -> Result<(), crate::Error> {
    const PIECE: usize = 256 << 10;
    let mut buffer = vec![0; PIECE];
    for (place, section) in places.iter().zip(SECTIONS) {
        file.seek(SeekFrom::Start(place.offset))?;
        let mut checksum = Checksum::default();
        let mut left = place.length;
        while left > 0 {
            let piece = &mut buffer[..left.min(PIECE as u64) as usize];
            file.read_exact(piece)?;
            checksum.add(piece);
            left -= piece.len() as u64;
        }
        if checksum.finish() != place.checksum {
            return Err(refused(format!("its section {section:?} is damaged")).into());
        }
    }
    Ok(())
}
