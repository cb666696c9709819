//! Where citations stand in a text, and which sentences no passage supports, from byte ranges of the Markdown source.

use std::ops::Range;

use rspa_core::model::SentenceSupport;

use super::block::Inline;

/// Marks of one inline text, as byte positions of its shown text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks {
    /// After this byte: indexes into the answer's citations.
    pub citations: Vec<(usize, Vec<u32>)>,
    /// Sentences that claim something and that no passage supports.
    pub unsupported: Vec<Range<usize>>,
}

/// The marks of `inline`, whose block spans `block` in `text`.
pub fn marks(text: &str, inline: &Inline, block: &Range<usize>, sentences: &[SentenceSupport]) -> Marks {
    let mut marks = Marks::default();
    for sentence in sentences.iter().filter(|sentence| sentence.claims) {
        let (start, mut end) = (sentence.start as usize, sentence.end as usize);
        let Some(words) = text.get(start..end) else { continue };
        end = start + words.trim_end().len();
        if end <= block.start || start >= block.end {
            continue;
        }
        if sentence.citations.is_empty() {
            let range = inline.position_of(start.max(block.start))..inline.position_of(end.min(block.end));
            if range.start < range.end {
                marks.unsupported.push(range);
            }
        } else if end <= block.end {
            let position = inline.position_of(end);
            match marks.citations.last_mut() {
                Some((last, citations)) if *last == position => {
                    citations.extend(
                        sentence.citations.iter().filter(|one| !citations.contains(one)).copied().collect::<Vec<_>>(),
                    );
                }
                _ => marks.citations.push((position, sentence.citations.clone())),
            }
        }
    }
    marks.citations.sort_by_key(|(position, _)| *position);
    marks
}
