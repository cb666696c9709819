//! Vaults of Obsidian: Markdown with front matter, `[[links]]` and `![[embeds]]`, which become what a person reads.

use std::path::PathBuf;

use super::folder::{Folder, load_file};
use super::{Kind, Load, Loaded, Look};
use crate::knowledge::readers::{Format, Limits, ReadError};
use crate::knowledge::walk::{Found, Obstacle, Walked};

/// Lines of front matter that are looked at.
const MOST_FRONT_LINES: usize = 400;
/// A longer link is none.
const MOST_LINK: usize = 1_000;

pub struct Vault {
    pub root: PathBuf,
}

impl Kind for Vault {
    fn list(&self, look: &mut Look<'_>) -> Result<Walked, Obstacle> {
        // Obsidian's own folders are left out by every walk.
        Folder { root: self.root.clone() }.list(look)
    }

    fn is_made(&self, _key: &[u8]) -> bool {
        false
    }

    fn loader(&self) -> Box<dyn Load + '_> {
        Box::new(Notes)
    }
}

struct Notes;

impl Load for Notes {
    fn load(&mut self, found: &Found, limits: &Limits) -> Result<Option<Loaded>, ReadError> {
        let Some(mut loaded) = load_file(found, limits)? else { return Ok(None) };
        if found.format == Format::Markdown
            && let Ok(text) = std::str::from_utf8(&loaded.bytes)
        {
            let front = front_matter(text);
            let readable = readable_links(text);
            loaded.title = front.title;
            loaded.metadata = front.metadata;
            loaded.bytes = readable.into_bytes();
        }
        Ok(Some(Loaded::Bytes(loaded)))
    }
}

#[derive(Debug, Default, PartialEq)]
struct Front {
    title: Option<String>,
    metadata: Vec<(String, String)>,
}

/// What stands between the two lines of `---` at the beginning: names with a value or a list, no deeper.
fn front_matter(text: &str) -> Front {
    let mut front = Front::default();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    if lines.next().is_none_or(|first| first.trim_end() != "---") {
        return front;
    }
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    let mut closed = false;
    for line in lines.take(MOST_FRONT_LINES) {
        let trimmed = line.trim();
        if trimmed == "---" || trimmed == "..." {
            closed = true;
            break;
        }
        if let Some(item) = trimmed.strip_prefix("- ") {
            if let Some((_, values)) = fields.last_mut() {
                values.extend(value(item));
            }
        } else if !line.starts_with([' ', '\t', '#'])
            && let Some((name, rest)) = trimmed.split_once(':')
        {
            let rest = rest.trim();
            let values = match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(list) => list.split(',').filter_map(value).collect(),
                None => value(rest).into_iter().collect(),
            };
            fields.push((name.trim().to_owned(), values));
        }
    }
    if !closed {
        return front;
    }
    for (name, values) in fields {
        if values.is_empty() || name.is_empty() {
            continue;
        }
        if name.eq_ignore_ascii_case("title") {
            front.title = values.first().cloned();
        }
        front.metadata.push((name, values.join(", ")));
    }
    front
}

fn value(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let text = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The text with `[[Note#Part|shown]]` as `shown` and `[[Note#Part]]` as `Note › Part`; lines stay where they are.
fn readable_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("[[") {
        let after = &rest[at + 2..];
        let end = after.find("]]").filter(|end| *end > 0 && *end <= MOST_LINK && !after[..*end].contains(['\n', '[']));
        let Some(end) = end else {
            out.push_str(&rest[..at + 2]);
            rest = after;
            continue;
        };
        let before = &rest[..at];
        // An embed is named too: `![[plan.png]]`.
        out.push_str(before.strip_suffix('!').unwrap_or(before));
        let link = &after[..end];
        match link.split_once('|') {
            Some((_, shown)) if !shown.trim().is_empty() => out.push_str(shown.trim()),
            _ => {
                let target = link.split('|').next().unwrap_or(link);
                let parts: Vec<&str> =
                    target.split(['#', '^']).map(str::trim).filter(|part| !part.is_empty()).collect();
                out.push_str(&parts.join(" › "));
            }
        }
        rest = &after[end + 2..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_gives_title_tags_and_aliases() {
        let text =
            "---\ntitle: \"Sour dough\"\ntags: [bread, 'slow']\naliases:\n  - Levain\n  - Starter\nempty:\n---\n# X\n";
        let front = front_matter(text);
        assert_eq!(front.title.as_deref(), Some("Sour dough"));
        let metadata: Vec<_> = front.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(metadata, [("title", "Sour dough"), ("tags", "bread, slow"), ("aliases", "Levain, Starter")]);
        assert_eq!(front_matter("---\ntitle: never closed\n"), Front::default());
        assert_eq!(front_matter("no front\n---\ntitle: x\n---\n"), Front::default());
    }

    #[test]
    fn links_become_what_a_person_reads_and_lines_stay() {
        let text = "See [[Bread|the bread]] and [[Oven#Heat]].\n![[plan.png]] [[ [[open\n[[a\nb]] [x][[y]]";
        let read = readable_links(text);
        assert_eq!(read, "See the bread and Oven › Heat.\nplan.png [[ [[open\n[[a\nb]] [x]y");
        assert_eq!(read.lines().count(), text.lines().count());
    }
}
