//! Looks for packed streams in a PDF that unpack to far more than a document needs, before the parser unpacks them.

use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};
use hayro_interpret::hayro_syntax::object::{Name, Object};
use hayro_interpret::hayro_syntax::{Filter, Pdf as Parsed};
use rspa_ml::Cancel;

use crate::ReadError;
use crate::detect::find;

const MOST_STREAM_BYTES: u64 = 192 << 20;
const MOST_BYTES: u64 = 768 << 20;
/// Bytes before a stream in which its dictionary is looked for.
const DICTIONARY_BYTES: usize = 1_024;

/// Unpacks, into nothing, the streams that are unpacked while the file is opened: those that hold objects.
pub fn check(bytes: &[u8]) -> Result<(), ReadError> {
    let mut total = 0_u64;
    let mut at = 0;
    while let Some(found) = find(&bytes[at..], b"stream") {
        let place = at + found;
        let mut start = place + b"stream".len();
        at = start;
        if bytes[..start].ends_with(b"endstream") {
            continue;
        }
        let before = &bytes[place.saturating_sub(DICTIONARY_BYTES)..place];
        if find(before, b"/ObjStm").is_none() && find(before, b"/XRef").is_none() {
            continue;
        }
        while matches!(bytes.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        let mut decoder = ZlibDecoder::new(&bytes[start..]);
        total += unpacked(&mut decoder)?;
        if total > MOST_BYTES {
            return Err(too_much());
        }
        at = start + usize::try_from(decoder.total_in()).unwrap_or(0);
    }
    Ok(())
}

/// Unpacks, into nothing, every stream but pictures, which are never unpacked.
pub fn check_streams(document: &Parsed, cancel: &Cancel) -> Result<(), ReadError> {
    let mut total = 0_u64;
    for object in document.objects() {
        if cancel.is_cancelled() {
            return Err(ReadError::Cancelled);
        }
        let Object::Stream(stream) = object else { continue };
        let filters = stream.filters();
        if filters.is_empty() || stream.dict().get::<Name<'_>>(b"Subtype").is_some_and(|name| &*name == b"Image") {
            continue;
        }
        let raw = stream.raw_data();
        let size = match filters.as_slice() {
            [Filter::FlateDecode] => unpacked(&mut ZlibDecoder::new(&*raw))?,
            filters => chain(&raw, filters)?,
        };
        total += size;
        if total > MOST_BYTES {
            return Err(too_much());
        }
    }
    Ok(())
}

fn too_much() -> ReadError {
    ReadError::Hostile("its packed parts unpack to hundreds of megabytes".to_owned())
}

/// Damaged data ends the count of a stream; the parser reports it.
fn unpacked(reader: &mut impl Read) -> Result<u64, ReadError> {
    let size = std::io::copy(&mut reader.by_ref().take(MOST_STREAM_BYTES), &mut std::io::sink()).unwrap_or(0);
    if size >= MOST_STREAM_BYTES { Err(too_much()) } else { Ok(size) }
}

/// Unpacks a stream that was packed several times, or in an old way, one step after the other.
fn chain(raw: &[u8], filters: &[Filter]) -> Result<u64, ReadError> {
    if filters.len() > 8 {
        return Err(ReadError::Hostile(format!("a part packed {} times", filters.len())));
    }
    let mut data = raw.to_vec();
    for filter in filters {
        data = match filter {
            Filter::FlateDecode => {
                let mut out = Vec::new();
                let whole = ZlibDecoder::new(&*data).take(MOST_STREAM_BYTES).read_to_end(&mut out).is_ok();
                if !whole && out.is_empty() {
                    // The parser tries it without its head, too.
                    drop(DeflateDecoder::new(&*data).take(MOST_STREAM_BYTES).read_to_end(&mut out));
                }
                out
            }
            Filter::Ascii85Decode => ascii85(&data),
            Filter::AsciiHexDecode => hexadecimal(&data),
            // The letters behind these are counted, not made.
            Filter::LzwDecode => vec![0; usize::try_from(lzw_size(&data).min(MOST_STREAM_BYTES)).unwrap_or(0)],
            Filter::RunLengthDecode => vec![0; run_length_size(&data)],
            _ => return Ok(data.len() as u64),
        };
        if data.len() as u64 >= MOST_STREAM_BYTES {
            return Err(too_much());
        }
    }
    Ok(data.len() as u64)
}

fn ascii85(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() / 5 * 4);
    let (mut group, mut count) = (0_u32, 0);
    for &byte in data {
        match byte {
            b'z' if count == 0 => out.extend([0; 4]),
            b'!'..=b'u' => {
                group = group.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                count += 1;
                if count == 5 {
                    out.extend(group.to_be_bytes());
                    (group, count) = (0, 0);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if count > 1 {
        for _ in count..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        out.extend(&group.to_be_bytes()[..count - 1]);
    }
    out
}

fn hexadecimal(data: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = data
        .iter()
        .take_while(|byte| **byte != b'>')
        .filter_map(|byte| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
}

fn run_length_size(data: &[u8]) -> usize {
    let (mut at, mut size) = (0, 0_usize);
    while let Some(&length) = data.get(at) {
        match length {
            0..=127 => {
                at += usize::from(length) + 2;
                size += usize::from(length) + 1;
            }
            128 => break,
            129..=255 => {
                at += 2;
                size += 257 - usize::from(length);
            }
        }
        if size as u64 >= MOST_STREAM_BYTES {
            break;
        }
    }
    size
}

/// How many bytes LZW data unpacks to: each code stands for as many as its table entry is long (ISO 32000-2, 7.4.4).
fn lzw_size(data: &[u8]) -> u64 {
    let mut lengths: Vec<u32> = Vec::with_capacity(4_096);
    let (mut buffer, mut bits, mut size, mut before) = (0_u32, 0_u32, 0_u64, None::<u32>);
    for &byte in data {
        buffer = buffer << 8 | u32::from(byte);
        bits += 8;
        let width = match lengths.len() + 258 {
            0..=510 => 9,
            511..=1_022 => 10,
            1_023..=2_046 => 11,
            _ => 12,
        };
        if bits < width {
            continue;
        }
        let code = (buffer >> (bits - width)) & ((1 << width) - 1);
        bits -= width;
        buffer &= (1 << bits) - 1;
        let length = match code {
            256 => {
                lengths.clear();
                before = None;
                continue;
            }
            257 => break,
            0..=255 => 1,
            _ => match lengths.get(code as usize - 258) {
                Some(length) => *length,
                None => before.unwrap_or(0) + 1,
            },
        };
        size += u64::from(length);
        if let Some(before) = before
            && lengths.len() < 4_096 - 258
        {
            lengths.push(before + 1);
        }
        before = Some(length);
        if size >= MOST_STREAM_BYTES {
            break;
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn packed(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn with_stream(data: &[u8]) -> Vec<u8> {
        let mut bytes = b"%PDF-1.4\n1 0 obj\n<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n".to_vec();
        bytes.extend(packed(data));
        bytes.extend(b"\nendstream\nendobj\n");
        bytes
    }

    #[test]
    fn a_small_stream_passes_and_a_bomb_does_not() {
        assert!(check(&with_stream(b"BT (hello) Tj ET")).is_ok());
        assert!(check(&with_stream(&vec![0; (MOST_STREAM_BYTES + 1) as usize])).is_err());
    }

    #[test]
    fn a_bomb_within_a_bomb_is_found() {
        let twice = packed(&packed(&vec![0; (MOST_STREAM_BYTES + 1) as usize]));
        assert!(chain(&twice, &[Filter::FlateDecode, Filter::FlateDecode]).is_err());
        assert!(chain(&packed(&packed(b"small")), &[Filter::FlateDecode, Filter::FlateDecode]).is_ok());
    }

    #[test]
    fn sizes_of_old_packings_are_known() {
        assert_eq!(ascii85(b"87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(hexadecimal(b"48 65 6C6c6F>"), b"Hello");
        assert_eq!(run_length_size(&[2, b'a', b'b', b'c', 255, b'x', 128]), 5);
        // The example of ISO 32000: -----A---B.
        assert_eq!(lzw_size(&[0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01]), 10);
    }
}
