//! A text with the places of its lines, so that a line is found without another allocation.

/// Lines of a text, numbered from 1; `\n`, `\r\n` and lone `\r` end a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    text: String,
    /// Byte range of each line without its ending.
    spans: Vec<(u32, u32)>,
}

impl Lines {
    /// A text of up to 4 GiB; what lies beyond is left out.
    pub fn new(mut text: String) -> Self {
        if text.len() > u32::MAX as usize - 1 {
            let mut end = u32::MAX as usize - 1;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        let bytes = text.as_bytes();
        let mut spans = Vec::with_capacity(bytes.len() / 32 + 1);
        let mut start = 0;
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'\n' => {
                    spans.push((start as u32, at as u32));
                    start = at + 1;
                }
                b'\r' => {
                    spans.push((start as u32, at as u32));
                    if bytes.get(at + 1) == Some(&b'\n') {
                        at += 1;
                    }
                    start = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        if start < bytes.len() {
            spans.push((start as u32, bytes.len() as u32));
        }
        Self { text, spans }
    }

    /// Number of lines; the last line number too.
    pub fn count(&self) -> u32 {
        self.spans.len() as u32
    }

    /// The line with this number (from 1); empty beyond the end.
    pub fn line(&self, number: u32) -> &str {
        match number.checked_sub(1).and_then(|index| self.spans.get(index as usize)) {
            Some(&(start, end)) => &self.text[start as usize..end as usize],
            None => "",
        }
    }

    pub fn is_blank(&self, number: u32) -> bool {
        self.line(number).trim().is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        self.spans.iter().zip(1..).map(|(&(start, end), number)| (number, &self.text[start as usize..end as usize]))
    }

    /// The lines from `first` to `last` (from 1, inclusive), joined by `\n`.
    pub fn join(&self, first: u32, last: u32) -> String {
        let mut joined = String::new();
        for number in first..=last.min(self.count()) {
            if number > first {
                joined.push('\n');
            }
            joined.push_str(self.line(number));
        }
        joined
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of the line that holds this byte of the text.
    pub fn line_at(&self, byte: usize) -> u32 {
        let index = self.spans.partition_point(|&(start, _)| (start as usize) <= byte);
        (index as u32).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_ending_ends_a_line() {
        let lines = Lines::new("a\r\nb\rc\n\nd".to_owned());
        let all: Vec<_> = lines.iter().collect();
        assert_eq!(all, [(1, "a"), (2, "b"), (3, "c"), (4, ""), (5, "d")]);
        assert_eq!(lines.join(1, 3), "a\nb\nc");
        assert_eq!(lines.line(9), "");
        assert_eq!(lines.line_at(3), 2);
        assert_eq!(Lines::new(String::new()).count(), 0);
    }
}
