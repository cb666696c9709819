//! Zip archives of Office documents and books: parts by name, relations between them, within limits of size.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use flate2::read::DeflateDecoder;
use quick_xml::events::BytesStart;
use rspa_ml::Cancel;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::{Extracted, ReadError, bytes_in_words, xml};

const MOST_ENTRIES: usize = 20_000;
/// Bytes of one part after unpacking.
const MOST_PART_BYTES: u64 = 128 << 20;
/// Bytes of all parts together that a reader unpacks.
const MOST_BYTES: u64 = 512 << 20;
/// Real documents pack about 1:10; beyond this it is a bomb.
const MOST_RATIO: u64 = 400;
/// Small parts may be packed as well as they like.
const FREE_BYTES: u64 = 1 << 20;

/// A relation of a part (ECMA-376 part 2, 9.3) to another one of the same archive.
#[derive(Debug)]
pub struct Relation {
    pub id: String,
    /// The last word of its type: `slide`, `footnotes`.
    pub kind: String,
    /// The part's name in the archive.
    pub target: String,
}

/// Where a part lies in an archive whose directory is missing.
struct Found {
    start: usize,
    packed: usize,
    deflated: bool,
}

pub struct Package<'a> {
    bytes: &'a [u8],
    archive: Option<ZipArchive<Cursor<&'a [u8]>>>,
    /// Parts found without a directory.
    salvaged: HashMap<String, Found>,
    names: Vec<String>,
    spent: u64,
    /// A part ended early.
    pub cut: bool,
}

impl<'a> Package<'a> {
    /// Opens an archive; one without its end is searched for parts.
    pub fn open(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let mut package =
            Self { bytes, archive: None, salvaged: HashMap::new(), names: Vec::new(), spent: 0, cut: false };
        match ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) => {
                if archive.len() > MOST_ENTRIES {
                    return Err(ReadError::Hostile(format!("{} entries", archive.len())));
                }
                package.names = archive.file_names().flatten().map(|name| name.into_owned()).collect();
                package.archive = Some(archive);
            }
            Err(error) => {
                package.salvage()?;
                if package.names.is_empty() {
                    return Err(damaged(&error));
                }
                package.cut = true;
            }
        }
        Ok(package)
    }

    /// The archive has lost its directory: its parts were searched for.
    pub fn is_salvaged(&self) -> bool {
        self.archive.is_none()
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the heads that stand before each part (APPNOTE.TXT 4.3.7).
    fn salvage(&mut self) -> Result<(), ReadError> {
        let mut at = 0;
        while let Some(place) = crate::detect::find(&self.bytes[at..], b"PK\x03\x04") {
            let head = at + place;
            at = head + 4;
            let Some(fields) = self.bytes.get(head..head + 30) else { break };
            let number = |from: usize| usize::from(u16::from_le_bytes([fields[from], fields[from + 1]]));
            let packed = u32::from_le_bytes([fields[18], fields[19], fields[20], fields[21]]) as usize;
            let (flags, method, name_size, extra) = (number(6), number(8), number(26), number(28));
            let Some(name) = self.bytes.get(head + 30..head + 30 + name_size) else { break };
            let start = head + 30 + name_size + extra;
            if flags & 1 != 0 {
                return Err(ReadError::Encrypted);
            }
            if !matches!(method, 0 | 8) || start > self.bytes.len() {
                continue;
            }
            let name = String::from_utf8_lossy(name).into_owned();
            let packed = if packed == 0 { self.bytes.len() - start } else { packed.min(self.bytes.len() - start) };
            if self.names.len() >= MOST_ENTRIES {
                return Err(ReadError::Hostile(format!("over {MOST_ENTRIES} entries")));
            }
            self.names.push(name.clone());
            self.salvaged.insert(name, Found { start, packed, deflated: method == 8 });
            at = start.max(at);
        }
        Ok(())
    }

    /// A part unpacked, or none when there is no such part.
    pub fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let name = name.trim_start_matches('/');
        let Some(name) = self
            .names
            .iter()
            .find(|known| *known == name)
            .or_else(|| self.names.iter().find(|known| known.replace('\\', "/").eq_ignore_ascii_case(name)))
            .cloned()
        else {
            return Ok(None);
        };
        let room = MOST_BYTES.saturating_sub(self.spent);
        let mut part = Vec::new();
        let limit = match (&mut self.archive, self.salvaged.get(&name)) {
            (Some(archive), _) => {
                let entry = match archive.by_name(&name) {
                    Ok(entry) => entry,
                    Err(ZipError::FileNotFound) => return Ok(None),
                    Err(error) => return Err(damaged(&error)),
                };
                if entry.encrypted() {
                    return Err(ReadError::Encrypted);
                }
                let limit = most(entry.compressed_size()).min(room);
                if entry.size() > limit {
                    return Err(ReadError::Hostile(format!("it unpacks to {}", bytes_in_words(entry.size()))));
                }
                if let Err(error) = entry.take(limit + 1).read_to_end(&mut part) {
                    if part.is_empty() {
                        return Err(ReadError::Damaged(error.to_string()));
                    }
                    self.cut = true;
                }
                limit
            }
            (None, Some(found)) => {
                let packed = &self.bytes[found.start..found.start + found.packed];
                let limit = most(packed.len() as u64).min(room);
                if found.deflated {
                    // It ends where the file was cut.
                    drop(DeflateDecoder::new(packed).take(limit + 1).read_to_end(&mut part));
                } else {
                    part.extend_from_slice(&packed[..packed.len().min(usize::try_from(limit).unwrap_or(0))]);
                }
                limit
            }
            (None, None) => return Ok(None),
        };
        if part.len() as u64 > limit {
            return Err(ReadError::Hostile("it unpacks to more than a document holds".to_owned()));
        }
        self.spent += part.len() as u64;
        Ok(Some(part))
    }

    /// A part that holds XML or other text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ReadError> {
        let Some(bytes) = self.bytes(name)? else { return Ok(None) };
        Ok(Some(match bytes.as_slice() {
            [0xFF, 0xFE, ..] => encoding_rs::UTF_16LE.decode(&bytes).0.into_owned(),
            [0xFE, 0xFF, ..] => encoding_rs::UTF_16BE.decode(&bytes).0.into_owned(),
            _ => match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            },
        }))
    }

    /// A part that the document cannot be without.
    pub fn needed(&mut self, name: &str) -> Result<String, ReadError> {
        self.text(name)?.ok_or_else(|| ReadError::Damaged(format!("it holds no {name}")))
    }

    /// Relations of a part; those that lead out of the archive are left out.
    pub fn relations(&mut self, part: &str, cancel: &Cancel) -> Vec<Relation> {
        struct Relations<'p> {
            part: &'p str,
            found: Vec<Relation>,
        }
        impl xml::Handler for Relations<'_> {
            fn open(&mut self, name: &str, element: &BytesStart<'_>) {
                let value = |name: &str| xml::attribute(element, name).unwrap_or_default();
                if name == "Relationship" && value("TargetMode") != "External" && self.found.len() < MOST_ENTRIES {
                    self.found.push(Relation {
                        id: value("Id"),
                        kind: value("Type").rsplit('/').next().unwrap_or_default().to_owned(),
                        target: resolve(self.part, &value("Target")),
                    });
                }
            }
            fn close(&mut self, _: &str) {}
            fn text(&mut self, _: &str) {}
        }
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let file = if folder.is_empty() { format!("_rels/{name}.rels") } else { format!("{folder}/_rels/{name}.rels") };
        // Without its relations a part still has its text.
        let Ok(Some(rels)) = self.text(&file) else { return Vec::new() };
        let mut relations = Relations { part, found: Vec::new() };
        drop(xml::walk(&rels, &mut relations, cancel));
        relations.found
    }

    /// The part that the archive names as its document, or the usual one.
    pub fn main_part(&mut self, usual: &str, cancel: &Cancel) -> String {
        self.relations("", cancel)
            .into_iter()
            .find(|relation| relation.kind == "officeDocument")
            .map(|relation| relation.target)
            .filter(|target| self.names.contains(target))
            .unwrap_or_else(|| usual.to_owned())
    }

    /// Unpacks every part into nothing, for readers that unpack by themselves.
    pub fn check_sizes(&mut self, cancel: &Cancel) -> Result<(), ReadError> {
        let Some(archive) = &mut self.archive else { return Ok(()) };
        let mut total = 0;
        for index in 0..archive.len() {
            if cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            let entry = archive.by_index_raw(index).map_err(|error| damaged(&error))?;
            if entry.encrypted() {
                return Err(ReadError::Encrypted);
            }
            let name = entry.name().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
            if ![".xml", ".rels", ".bin", ".vml"].iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            let limit = most(entry.compressed_size()).min(MOST_BYTES - total);
            drop(entry);
            let entry = archive.by_index(index).map_err(|error| damaged(&error))?;
            let size = std::io::copy(&mut entry.take(limit + 1), &mut std::io::sink()).unwrap_or(0);
            total += size;
            if size > limit {
                return Err(ReadError::Hostile("it unpacks to more than a document holds".to_owned()));
            }
        }
        Ok(())
    }
}

fn most(packed: u64) -> u64 {
    MOST_PART_BYTES.min(packed.saturating_mul(MOST_RATIO).max(FREE_BYTES))
}

pub fn damaged(error: &ZipError) -> ReadError {
    ReadError::Damaged(error.to_string())
}

/// The name of a part that another one names, never outside the archive.
pub fn resolve(from: &str, target: &str) -> String {
    let target = percent_decoded(target.split(['#', '?']).next().unwrap_or_default());
    let mut parts: Vec<&str> = Vec::new();
    if !target.starts_with('/') {
        parts.extend(from.split('/'));
        parts.pop();
    }
    for part in target.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A file in the older compound format: locked by wrapping, or an old document.
pub fn compound(bytes: &[u8]) -> Option<ReadError> {
    if !bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return None;
    }
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    Some(if crate::detect::find(bytes, &name).is_some() || bytes.len() < 512 {
        ReadError::Encrypted
    } else {
        ReadError::Damaged("it is in the old format of before 2007; save it in a newer one".to_owned())
    })
}

/// Title, author and dates of an Office document or book.
pub fn describe(extracted: &mut Extracted, xml: &str, cancel: &Cancel) {
    const NAMES: &[&str] = &[
        "title",
        "creator",
        "initial-creator",
        "subject",
        "description",
        "keywords",
        "keyword",
        "lastModifiedBy",
        "created",
        "creation-date",
        "modified",
        "date",
        "category",
        "publisher",
        "language",
        "identifier",
    ];
    for (name, text) in xml::texts(xml, NAMES, cancel) {
        let text: String = text.chars().take(500).collect();
        let name = match name.as_str() {
            "title" if extracted.title.is_none() => {
                extracted.title = Some(text);
                continue;
            }
            "creator" | "initial-creator" => "author",
            "keyword" => "keywords",
            "lastModifiedBy" => "last changed by",
            "creation-date" => "created",
            other => other,
        };
        if !extracted.metadata.iter().any(|(known, value)| known == name && *value == text) {
            extracted.metadata.push((name.to_owned(), text));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    /// An archive of these parts.
    pub(crate) fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn names_stay_inside_the_archive() {
        assert_eq!(resolve("ppt/slides/slide1.xml", "../notes/n.xml"), "ppt/notes/n.xml");
        assert_eq!(resolve("a/b.xml", "../../../../etc/passwd"), "etc/passwd");
        assert_eq!(resolve("a/b.xml", "/c/d%20e.xml#top"), "c/d e.xml");
    }

    #[test]
    fn parts_are_found_in_an_archive_without_its_end() {
        let whole = zipped(&[("a/one.xml", b"<one/>"), ("two.xml", "<two/>".repeat(1_000).as_bytes())]);
        let mut package = Package::open(&whole[..whole.len() - 60]).unwrap();
        assert!(package.is_salvaged());
        assert_eq!(package.text("a/one.xml").unwrap().unwrap(), "<one/>");
        assert!(package.text("two.xml").unwrap().unwrap().starts_with("<two/>"));
        assert_eq!(package.text("three.xml").unwrap(), None);
    }

    #[test]
    fn an_archive_that_unpacks_without_end_is_refused() {
        let bomb = zipped(&[("a.xml", &vec![b' '; 40 << 20])]);
        let mut package = Package::open(&bomb).unwrap();
        assert!(matches!(package.text("a.xml"), Err(ReadError::Hostile(_))));
        assert!(matches!(package.check_sizes(&Cancel::new()), Err(ReadError::Hostile(_))));
    }
}
