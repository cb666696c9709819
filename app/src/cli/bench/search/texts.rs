//! Collections to search: generated text, and real files that are repeated and perturbed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rspa_core::random::SplitMix64;

use super::{Context, Failure};

const SECTIONS_PER_FILE: u64 = 200;
const WORDS_PER_SECTION: usize = 90;
const WORDS_PER_QUERY: usize = 3;
/// Larger files of a real collection are left out (bytes).
const LARGEST: u64 = 1 << 20;
/// Bytes of real text that are kept to be repeated.
const MOST_BYTES: u64 = 256 << 20;

/// Made-up words, few of them frequent and many rare, as in real text; the same ones for the same seed.
pub struct Words(SplitMix64);

impl Words {
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64(seed))
    }

    pub fn text(&mut self, count: usize) -> String {
        const SYLLABLES: [&str; 16] =
            ["ra", "mo", "ti", "lek", "san", "vor", "du", "pel", "qui", "nos", "bar", "fen", "gol", "hy", "cer", "win"];
        let mut text = String::new();
        for at in 0..count {
            if at > 0 {
                text.push(' ');
            }
            // Zipf's law: rank r about as often as 1/r, among 60,000 words.
            let mut rank = 60_000_f64.powf(self.0.share()) as usize;
            for _ in 0..2 + rank % 2 {
                text.push_str(SYLLABLES[rank % 16]);
                rank /= 16;
            }
            if rank > 0 {
                text.push_str(SYLLABLES[rank % 16]);
            }
        }
        text
    }

    pub fn query(&mut self) -> String {
        self.text(WORDS_PER_QUERY)
    }
}

/// Markdown files whose sections become about one chunk each.
pub fn write_made(context: &Context, folder: &Path, chunks: u64) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let mut words = Words::new(1);
    let mut written = 0;
    while written < chunks {
        context.interrupt.check()?;
        let mut text = String::new();
        for _ in 0..SECTIONS_PER_FILE.min(chunks - written) {
            writeln!(text, "# {}\n\n{}\n", words.text(4), words.text(WORDS_PER_SECTION))
                .expect("writing to a String cannot fail");
            written += 1;
        }
        std::fs::write(folder.join(format!("text-{written:07}.md")), text)?;
    }
    Ok(())
}

/// Real files, and variants of them.
pub struct Real {
    files: Vec<(PathBuf, String)>,
    chance: SplitMix64,
}

impl Real {
    /// Reads the text files of a folder, as far as they are not too large.
    pub fn read(context: &Context, folder: &Path) -> Result<Self, Failure> {
        let mut files = Vec::new();
        let mut bytes = 0;
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            context.interrupt.check()?;
            let mut entries: Vec<_> = std::fs::read_dir(&next)?.filter_map(Result::ok).collect();
            entries.sort_by_key(std::fs::DirEntry::file_name);
            for entry in entries {
                let Ok(metadata) = entry.metadata() else { continue };
                let path = entry.path();
                if metadata.is_dir() {
                    folders.push(path);
                } else if metadata.is_file()
                    && metadata.len() <= LARGEST
                    && bytes < MOST_BYTES
                    && let Ok(text) = std::fs::read_to_string(&path)
                {
                    bytes += metadata.len();
                    files.push((path.strip_prefix(folder).unwrap_or(&path).to_owned(), text));
                }
            }
        }
        if files.is_empty() {
            return Err(Failure::validation("that folder holds no text file", "Name a folder with text or code."));
        }
        Ok(Self { files, chance: SplitMix64(11) })
    }

    /// Writes the files, or this share of them; a later round writes variants of them.
    pub fn write(&self, context: &Context, folder: &Path, round: u64, share: f64) -> Result<(), Failure> {
        let count = (self.files.len() as f64 * share).ceil() as usize;
        for (at, (path, text)) in self.files.iter().take(count).enumerate() {
            if at % 256 == 0 {
                context.interrupt.check()?;
            }
            let place = folder.join(format!("round-{round:03}")).join(path);
            if let Some(parent) = place.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(place, if round == 0 { text.clone() } else { perturbed(text, round) })?;
        }
        Ok(())
    }

    /// Words that stand beside each other in one of the files.
    pub fn query(&mut self) -> String {
        loop {
            let at = self.chance.below(self.files.len());
            let text = &self.files[at].1;
            let lines: Vec<&str> = text.lines().collect();
            let line = lines.get(self.chance.below(lines.len())).copied().unwrap_or_default();
            let words: Vec<&str> =
                line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 2).collect();
            if words.len() >= WORDS_PER_QUERY {
                let from = self.chance.below(words.len() - WORDS_PER_QUERY + 1);
                return words[from..from + WORDS_PER_QUERY].join(" ");
            }
        }
    }
}

/// The text with a twelfth of its words taken from elsewhere in it, and a fortieth made new.
fn perturbed(text: &str, round: u64) -> String {
    let mut chance = SplitMix64(round ^ text.len() as u64);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words: Vec<&str> = text.split(|c| !is_word(c)).filter(|word| word.len() > 3).collect();
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        match chance.below(120) {
            0..10 if word.len() > 3 => out.push_str(words[chance.below(words.len())]),
            10..13 if word.len() > 3 => {
                out.push_str(word);
                out.push(char::from(b'a' + (round % 26) as u8));
                out.push(char::from(b'a' + (chance.below(26)) as u8));
            }
            _ => out.push_str(word),
        }
        let gap = after.find(is_word).unwrap_or(after.len());
        out.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_words_are_the_same_for_a_seed_and_follow_zipf() {
        let text = Words::new(3).text(5_000);
        assert_eq!(text, Words::new(3).text(5_000));
        let mut counts = std::collections::BTreeMap::new();
        for word in text.split(' ') {
            *counts.entry(word).or_insert(0) += 1;
        }
        assert!(counts.len() > 1_500, "{} different words", counts.len());
        assert!(counts.values().max() > Some(&100));
    }

    #[test]
    fn a_variant_shares_most_words_and_keeps_the_lines() {
        let text = "fn parse_header(bytes: &[u8]) -> Result<Header> {\n    read_length(bytes)?;\n}\n".repeat(40);
        let variant = perturbed(&text, 2);
        assert_eq!(variant, perturbed(&text, 2));
        assert_ne!(variant, perturbed(&text, 3));
        assert_eq!(variant.lines().count(), text.lines().count());
        let same = variant.lines().zip(text.lines()).filter(|(a, b)| a == b).count();
        assert!((20..110).contains(&same), "{same} of 120 lines are the same");
    }
}
