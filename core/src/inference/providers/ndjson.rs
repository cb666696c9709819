//! Lines of JSON, taken apart as bytes come: any split gives the same lines.

use super::sse::{LONGEST_LINE, TooLong};

#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and adds the lines that they complete, without their ends; empty ones are left out.
    pub fn push(&mut self, bytes: &[u8], lines: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.extend(&rest[..end])?;
            rest = &rest[end + 1..];
            self.end(lines);
        }
        self.extend(rest)
    }

    /// At the end of the stream: the last line may have no end.
    pub fn end(&mut self, lines: &mut Vec<Vec<u8>>) {
        let line = std::mem::take(&mut self.line);
        if !line.trim_ascii().is_empty() {
            lines.push(line.trim_ascii().to_vec());
        }
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + bytes.len() > LONGEST_LINE {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
        let (mut parser, mut lines) = (Lines::default(), Vec::new());
        for piece in pieces {
            parser.push(piece, &mut lines).unwrap();
        }
        parser.end(&mut lines);
        lines
    }

    #[test]
    fn lines_end_where_they_say_and_where_the_stream_does() {
        assert_eq!(
            parse([b"{}\r\n\n {\"a\":1}\n[".as_slice()]),
            [b"{}".to_vec(), b"{\"a\":1}".to_vec(), b"[".to_vec()]
        );
        let piece = vec![b'x'; LONGEST_LINE];
        let (mut parser, mut lines) = (Lines::default(), Vec::new());
        parser.push(&piece, &mut lines).unwrap();
        assert_eq!(parser.push(b"x", &mut lines), Err(TooLong));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_lines(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..120), size in 1_usize..9) {
            prop_assert_eq!(parse(bytes.chunks(size)), parse([bytes.as_slice()]));
        }
    }
}
