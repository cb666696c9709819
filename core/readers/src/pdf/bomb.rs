//! Looks for packed streams in a PDF that unpack to far more than a document needs, before the parser unpacks them.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::ReadError;

const MOST_STREAM_BYTES: u64 = 192 << 20;
const MOST_BYTES: u64 = 768 << 20;

/// Unpacks each deflated stream into nothing and counts.
pub fn check(bytes: &[u8]) -> Result<(), ReadError> {
    let mut total = 0_u64;
    let mut at = 0;
    while let Some(found) = find(&bytes[at..], b"stream") {
        let mut start = at + found + b"stream".len();
        at = start;
        if bytes[..start].ends_with(b"endstream") {
            continue;
        }
        while matches!(bytes.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        // The header of zlib data: method 8, and both bytes together a multiple of 31 (RFC 1950).
        let [first, second, ..] = bytes[start..] else { break };
        if first & 0x0F != 8 || !(u16::from(first) << 8 | u16::from(second)).is_multiple_of(31) {
            continue;
        }
        let mut decoder = ZlibDecoder::new(&bytes[start..]).take(MOST_STREAM_BYTES);
        // Damaged data ends the count of this stream; the parser reports it.
        let unpacked = std::io::copy(&mut decoder, &mut std::io::sink()).unwrap_or(0);
        total += unpacked;
        if unpacked >= MOST_STREAM_BYTES || total > MOST_BYTES {
            return Err(ReadError::Hostile("its packed parts unpack to hundreds of megabytes".to_owned()));
        }
        let used = decoder.into_inner().total_in();
        at = start + usize::try_from(used).unwrap_or(0);
    }
    Ok(())
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(offset) = bytes[from..].iter().position(|byte| *byte == word[0]) {
        let at = from + offset;
        if bytes[at..].starts_with(word) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn with_stream(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        let mut bytes = b"%PDF-1.4\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n".to_vec();
        bytes.extend(encoder.finish().unwrap());
        bytes.extend(b"\nendstream\nendobj\n");
        bytes
    }

    #[test]
    fn a_small_stream_passes_and_a_bomb_does_not() {
        assert!(check(&with_stream(b"BT (hello) Tj ET")).is_ok());
        assert!(check(&with_stream(&vec![0; (MOST_STREAM_BYTES + 1) as usize])).is_err());
    }
}
