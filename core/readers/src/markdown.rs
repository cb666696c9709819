//! Markdown: the source lines as they are, with headings and code blocks found by pulldown-cmark.

use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};
use rspa_ml::Cancel;

use super::{Extracted, Heading, Limits, Lines, ReadError, Reader, text};
use crate::DocumentKind;

pub struct Markdown;

/// Longest heading kept, in characters.
const TITLE_CHARS: usize = 120;

impl Reader for Markdown {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let mut extracted = text::decode_as(DocumentKind::Markdown, bytes, limits)?;
        let lines = &extracted.lines;
        let (mut headings, mut blocks, mut tables, mut metadata) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut open: Option<(u32, u8, String)> = None;
        let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
        for (event, range) in Parser::new_ext(lines.text(), options).into_offset_iter() {
            if cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    open = Some((lines.line_at(range.start), level_of(level), String::new()));
                }
                Event::Text(piece) | Event::Code(piece) => {
                    if let Some((_, _, title)) = &mut open {
                        title.push_str(&piece);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    if let Some((line, level, title)) = open.take() {
                        let title: String = title.trim().chars().take(TITLE_CHARS).collect();
                        if !title.is_empty() {
                            headings.push(Heading { line, level, title });
                        }
                    }
                }
                Event::Start(
                    tag @ (Tag::CodeBlock(_) | Tag::Table(_) | Tag::MetadataBlock(MetadataBlockKind::YamlStyle)),
                ) => {
                    let last = lines.line_at(range.end.saturating_sub(1).max(range.start));
                    let block = (lines.line_at(range.start), last);
                    blocks.push(block);
                    match tag {
                        Tag::Table(_) => tables.push(block),
                        Tag::MetadataBlock(_) if block.0 == 1 => metadata = front_matter(lines, block),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        let titled = metadata.iter().position(|(name, _): &(String, String)| name == "title");
        extracted.title = titled.map(|at| metadata.remove(at).1).or_else(|| {
            headings.first().filter(|heading| heading.level == 1).map(|heading: &Heading| heading.title.clone())
        });
        extracted.metadata = metadata;
        extracted.headings = headings;
        extracted.blocks = blocks;
        extracted.tables = tables;
        Ok(extracted)
    }
}

/// `name: value` lines of the block of YAML before the text; nested values are left out.
fn front_matter(lines: &Lines, (first, last): (u32, u32)) -> Vec<(String, String)> {
    let pair = |number: u32| {
        let (name, value) = lines.line(number).split_once(':')?;
        let value = value.trim().trim_matches(['"', '\'', '[', ']']).trim();
        let plain = !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter));
        (plain && !value.is_empty()).then(|| (name.to_lowercase(), value.chars().take(500).collect()))
    };
    (first + 1..last).take(100).filter_map(pair).collect()
}

fn level_of(level: HeadingLevel) -> u8 {
    level as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_code_blocks_keep_their_lines() {
        let source = "# Storage\n\ntext\n\n## Back*ups* of `x`\n\n```rust\nfn a() {}\n\n# not a heading\n```\n\nend\n";
        let read = Markdown.read(source.as_bytes(), &Limits::default(), &Cancel::new()).unwrap();
        let headings: Vec<_> = read.headings.iter().map(|h| (h.line, h.level, h.title.as_str())).collect();
        assert_eq!(headings, [(1, 1, "Storage"), (5, 2, "Backups of x")]);
        assert_eq!(read.blocks, [(7, 11)]);
        assert_eq!(read.lines.line(13), "end");
    }

    #[test]
    fn front_matter_is_no_heading() {
        let read = Markdown.read(b"---\ntitle: x\n---\n# Real\n", &Limits::default(), &Cancel::new()).unwrap();
        assert_eq!(read.headings.len(), 1);
        assert_eq!(read.headings[0].line, 4);
        assert_eq!(read.title.as_deref(), Some("x"));
    }
}
