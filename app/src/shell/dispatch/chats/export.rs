//! Writes an exported chat under a name that every file system takes.

use std::io::Write;
use std::path::{Path, PathBuf};

use rspa_core::model::ChatFormat;

/// Characters of a title that become a file's name.
const LONGEST: usize = 80;
/// Names that Windows keeps for itself, whatever follows the dot.
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Writes a file under a name that is free, readable for its owner only.
pub(super) fn write(folder: &Path, title: &str, format: ChatFormat, text: &str) -> std::io::Result<PathBuf> {
    let (stem, ending) = (stem(title), ending(format));
    for number in 1..1000 {
        let name = if number == 1 { format!("{stem}.{ending}") } else { format!("{stem} {number}.{ending}") };
        let path = folder.join(name);
        let mut options = std::fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
                if let Err(error) = written {
                    // Half a chat under its name would be taken for the whole.
                    drop(file);
                    std::fs::remove_file(&path)?;
                    return Err(error);
                }
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

fn ending(format: ChatFormat) -> &'static str {
    match format {
        ChatFormat::Markdown => "md",
        ChatFormat::Json => "json",
    }
}

/// Letters, digits, spaces and hyphens of the title; `chat` where none is left or the name is taken by a system.
fn stem(title: &str) -> String {
    let safe = title.chars().map(|c| if c.is_alphanumeric() || "-_ ".contains(c) { c } else { ' ' });
    let words: String = safe.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut stem: String = words.chars().take(LONGEST).collect();
    // A character may be four bytes, and a name has room for 255.
    while stem.len() > 200 {
        stem.pop();
    }
    let lower = stem.trim().to_lowercase();
    let port = |name: &str| {
        lower.strip_prefix(name).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    if lower.is_empty() || RESERVED.contains(&lower.as_str()) || port("com") || port("lpt") {
        return format!("chat {stem}").trim().to_owned();
    }
    stem.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_safe_name() {
        for (title, name) in [
            ("PBKDF2 and key storage", "PBKDF2 and key storage"),
            ("../../etc/passwd", "etc passwd"),
            ("a\\b:c*?\"<>|\u{202e}\0\n", "a b c"),
            ("", "chat"),
            ("...", "chat"),
            ("NUL", "chat NUL"),
            ("com1", "chat com1"),
            ("Größe – über", "Größe über"),
        ] {
            assert_eq!(stem(title), name, "{title:?}");
        }
        assert!(stem(&"漢".repeat(500)).len() <= 200);
    }

    #[test]
    fn a_second_export_takes_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let first = write(folder.path(), "One", ChatFormat::Markdown, "a").unwrap();
        let second = write(folder.path(), "One", ChatFormat::Markdown, "b").unwrap();
        assert_eq!(first.file_name().unwrap(), "One.md");
        assert_eq!(second.file_name().unwrap(), "One 2.md");
        assert_eq!(std::fs::read_to_string(first).unwrap(), "a");
        assert!(write(&folder.path().join("gone"), "One", ChatFormat::Json, "c").is_err());
    }
}
