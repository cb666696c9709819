//! The extract of a passage that a list shows: the part with most words of the query, and where they stand.

use super::words::visit;

/// Bytes of a snippet, about three lines in a list.
const WIDTH: usize = 240;

/// The extract, and the byte ranges in it that match words of the query. Line breaks become spaces.
pub fn snippet(text: &str, query: &[String]) -> (String, Vec<(u32, u32)>) {
    let mut places: Vec<(usize, usize)> = Vec::new();
    visit(text, |from, to, _, word| {
        if query.iter().any(|wanted| wanted == word) {
            match places.last_mut() {
                // A part inside a whole that is marked already.
                Some((_, end)) if from < *end => *end = (*end).max(to),
                _ => places.push((from, to)),
            }
        }
    });
    let start = best_start(text, &places);
    let mut end = (start + WIDTH).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // No word is torn, if that costs little.
    if end < text.len()
        && let Some(space) = text[start..end].rfind(char::is_whitespace)
        && space > WIDTH * 3 / 4
    {
        end = start + space;
    }
    let mut shown = String::with_capacity(end - start + 8);
    if start > 0 {
        shown.push('…');
    }
    let mut marks = Vec::new();
    let mut next = places.iter().skip_while(|(from, _)| *from < start).peekable();
    let mut spaced = true;
    let mut open: Option<(usize, usize)> = None;
    for (offset, character) in text[start..end].char_indices() {
        let at = start + offset;
        if let Some((from, to)) = open
            && at >= to
        {
            marks.push((from as u32, shown.len() as u32));
            open = None;
        }
        if character.is_whitespace() {
            if !spaced {
                shown.push(' ');
            }
            spaced = true;
            continue;
        }
        if let Some((_, to)) = next.next_if(|(from, _)| *from <= at) {
            open = Some((shown.len(), *to));
        }
        spaced = false;
        shown.push(character);
    }
    if let Some((from, _)) = open {
        marks.push((from as u32, shown.len() as u32));
    }
    let kept = shown.trim_end().len();
    shown.truncate(kept);
    if end < text.trim_end().len() {
        shown.push('…');
    }
    (shown, marks)
}

/// Where a window holds most matches; a little before the first of them, at the start of a line or word.
fn best_start(text: &str, places: &[(usize, usize)]) -> usize {
    let mut best = (0, 0);
    for (at, (from, _)) in places.iter().enumerate() {
        let inside = places[at..].iter().take_while(|(_, to)| *to <= from + WIDTH * 3 / 4).count();
        if inside > best.1 {
            best = (*from, inside);
        }
    }
    if best.0 + 40 < WIDTH {
        return 0;
    }
    let mut earliest = best.0.saturating_sub(60);
    while !text.is_char_boundary(earliest) {
        earliest += 1;
    }
    let lead = &text[earliest..best.0];
    match lead.find('\n').or_else(|| lead.find(char::is_whitespace)) {
        Some(offset) => earliest + offset + lead[offset..].chars().next().map_or(1, char::len_utf8),
        None => earliest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, query: &[&str]) -> (String, Vec<String>) {
        let query: Vec<String> = query.iter().map(|word| (*word).to_owned()).collect();
        let (shown, marks) = snippet(text, &query);
        let words = marks.iter().map(|(from, to)| shown[*from as usize..*to as usize].to_owned()).collect();
        (shown, words)
    }

    #[test]
    fn matches_are_marked_and_lines_folded() {
        let (shown, words) = marked("The  backup\nof naïve Files is daily.", &["backup", "file"]);
        assert_eq!(shown, "The backup of naïve Files is daily.");
        assert_eq!(words, ["backup", "Files"]);
    }

    #[test]
    fn the_window_moves_to_the_matches() {
        let text = format!("{} the needle lies here {}", "word ".repeat(200), "tail ".repeat(200));
        let (shown, words) = marked(&text, &["needl"]);
        assert!(shown.starts_with('…') && shown.ends_with('…') && shown.len() < WIDTH + 10, "{shown}");
        assert_eq!(words, ["needle"]);
    }

    proptest::proptest! {
        #[test]
        fn marks_are_valid_ranges(text in "(\\PC|[ab \\n]){0,500}", query in proptest::collection::vec("[ab]{1,3}", 0..4)) {
            let (shown, marks) = snippet(&text, &query);
            for (from, to) in marks {
                proptest::prop_assert!(from < to);
                proptest::prop_assert!(shown.get(from as usize..to as usize).is_some());
            }
        }
    }
}
