//! Server-sent events, parsed as bytes come (WHATWG HTML, section 9.2.6): any split gives the same events.

/// A line may not be longer, in bytes.
pub const LONGEST_LINE: usize = 1 << 20;
/// Nor all data lines of one event together.
const LONGEST_EVENT: usize = 4 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// `message` where the server names none.
    pub event: String,
    pub data: String,
}

/// A line or an event was longer than allowed; nothing more can be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

#[derive(Debug, Default)]
pub struct SseParser {
    /// The line that has not ended yet.
    line: Vec<u8>,
    event: String,
    data: String,
    /// A data line came, perhaps an empty one.
    has_data: bool,
    /// The last byte was a CR: a LF after it belongs to it.
    after_cr: bool,
    /// The first line was seen; only before it a byte order mark is dropped.
    begun: bool,
}

impl SseParser {
    /// Takes the next bytes and adds the events that they complete. What is not ended by an empty line is no event.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), TooLong> {
        let mut rest = bytes;
        if self.after_cr && rest.first() == Some(&b'\n') {
            rest = &rest[1..];
        }
        if !bytes.is_empty() {
            self.after_cr = false;
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            self.extend(&rest[..end])?;
            let ended_by_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if ended_by_cr {
                match rest.first() {
                    Some(b'\n') => rest = &rest[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            let line = std::mem::take(&mut self.line);
            self.end_line(&line, events)?;
        }
        self.extend(rest)
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + bytes.len() > LONGEST_LINE {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, line: &[u8], events: &mut Vec<SseEvent>) -> Result<(), TooLong> {
        let line = match std::mem::replace(&mut self.begun, true) {
            false => line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line),
            true => line,
        };
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let data = std::mem::take(&mut self.data);
            if std::mem::take(&mut self.has_data) {
                let event = if event.is_empty() { "message".to_owned() } else { event };
                events.push(SseEvent { event, data });
            }
            return Ok(());
        }
        let line = String::from_utf8_lossy(line);
        // A line that begins with a colon is a comment: its field has no name.
        let (field, value) = line.split_once(':').unwrap_or((line.as_ref(), ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.data.len() + value.len() >= LONGEST_EVENT {
                    return Err(TooLong);
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.event),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(pieces: &[&[u8]]) -> Result<Vec<SseEvent>, TooLong> {
        let (mut parser, mut events) = (SseParser::default(), Vec::new());
        for piece in pieces {
            parser.push(piece, &mut events)?;
        }
        Ok(events)
    }

    fn event(event: &str, data: &str) -> SseEvent {
        SseEvent { event: event.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn the_examples_of_the_standard() {
        let found = parse(&[b"data: YHOO\ndata: +2\ndata: 10\n\n"]).unwrap();
        assert_eq!(found, [event("message", "YHOO\n+2\n10")]);
        let found =
            parse(&[b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"]);
        assert_eq!(
            found.unwrap(),
            [event("message", "first event"), event("message", "second event"), event("message", " third event")]
        );
        // The last one is not ended.
        let found = parse(&[b"data\n\ndata\ndata\n\ndata:"]).unwrap();
        assert_eq!(found, [event("message", ""), event("message", "\n")]);
        let found = parse(&["\u{feff}event: add\r\ndata: 7\r\r\nevent: none\n\ndata: 8\r\r".as_bytes()]).unwrap();
        assert_eq!(found, [event("add", "7"), event("message", "8")]);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let piece = vec![b'x'; 1 << 16];
        let pieces: Vec<&[u8]> = std::iter::repeat_n(piece.as_slice(), 17).collect();
        assert_eq!(parse(&pieces), Err(TooLong));
        let line = [b"data: ".as_slice(), &vec![b'x'; LONGEST_LINE - 10], b"\n"].concat();
        let pieces: Vec<&[u8]> = std::iter::repeat_n(line.as_slice(), 5).collect();
        assert_eq!(parse(&pieces), Err(TooLong));
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"data: ".to_vec()),
            Just(b"event: x".to_vec()),
            Just(b": comment".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\r".to_vec()),
            Just("é€😀\u{feff}".as_bytes().to_vec()),
            proptest::collection::vec(any::<u8>(), 0..6),
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(bytes in stream(), cuts in proptest::collection::vec(0_usize..200, 0..20)) {
            let whole = parse(&[&bytes]).unwrap();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&parse(&pieces).unwrap(), &whole);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(parse(&single).unwrap(), whole);
        }

        #[test]
        fn line_ends_make_no_difference(lines in proptest::collection::vec("(data|event|id|x)?:? ?[a-zé]{0,4}", 0..20)) {
            let with = |end: &str| parse(&[lines.iter().map(|line| format!("{line}{end}")).collect::<String>().as_bytes()]);
            prop_assert_eq!(with("\n"), with("\r\n"));
            prop_assert_eq!(with("\n"), with("\r"));
        }
    }
}
