//! Stop texts: ends the answer before any of them, also when they come in several pieces.

/// Holds text back while it could be the beginning of a stop text.
pub struct StopFinder {
    stops: Vec<String>,
    held: String,
}

impl StopFinder {
    /// Empty stop texts are ignored.
    pub fn new(stops: &[String]) -> Self {
        Self { stops: stops.iter().filter(|stop| !stop.is_empty()).cloned().collect(), held: String::new() }
    }

    /// Takes the next piece; returns the text that is certain now, and whether a stop text was found behind it.
    pub fn push(&mut self, text: &str) -> (String, bool) {
        self.held.push_str(text);
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop)).min() {
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let kept = self.stops.iter().map(|stop| longest_beginning(&self.held, stop)).max().unwrap_or(0);
        let certain = self.held.len() - kept;
        (self.held.drain(..certain).collect(), false)
    }

    /// The text still held back when the answer ends otherwise.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// Length of the longest end of `text` that is a beginning of `stop`.
fn longest_beginning(text: &str, stop: &str) -> usize {
    let boundaries = stop.char_indices().map(|(at, _)| at).skip(1);
    boundaries.filter(|&length| text.ends_with(&stop[..length])).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stops: &[&str], pieces: &[&str], expected: &str, stopped: bool) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut finder = StopFinder::new(&stops);
        let mut text = String::new();
        for piece in pieces {
            let (certain, found) = finder.push(piece);
            text.push_str(&certain);
            if found {
                assert!(stopped, "stopped after {text:?}");
                assert_eq!(text, expected);
                return;
            }
        }
        text.push_str(&finder.finish());
        assert!(!stopped);
        assert_eq!(text, expected);
    }

    #[test]
    fn stop_texts_are_found_across_pieces() {
        check(&["User:"], &["Hi.\nUs", "er", ": no"], "Hi.\n", true);
        check(&["\n\n", "END"], &["aEN", "D\n\n"], "a", true);
        check(&["aab"], &["aa", "aab"], "aa", true);
        check(&["ü!"], &["ü", "!"], "", true);
    }

    #[test]
    fn text_that_only_begins_like_a_stop_is_given_out() {
        check(&["User:"], &["Use", "ful", " Us"], "Useful Us", false);
        check(&[""], &["a", "b"], "ab", false);
        check(&[], &["a"], "a", false);
    }
}
