//! Which files a source leaves out: .ignore, .gitignore and git's exclude files, read with limits as all that is untrusted.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder, gitconfig_excludes_path};

use super::readers::words_of;

/// A longer file is no list of patterns.
const MOST_BYTES: u64 = 1 << 20;
const MOST_PATTERNS: usize = 10_000;
/// A path is never longer.
const MOST_LINE: usize = 4_096;

/// The rules of the folders from the file system's root down to the one that is walked.
#[derive(Default)]
pub struct Rules {
    /// Those above the source, then the source's own, then of each folder on the way down.
    folders: Vec<FolderRules>,
    above: usize,
    global: Option<Gitignore>,
    /// Files of rules that are not used, with the reason.
    pub refused: Vec<(PathBuf, String)>,
}

/// Later kinds give way to earlier ones, whatever folder they are of.
#[derive(Default)]
struct FolderRules {
    kinds: [Option<Gitignore>; 3],
}

const KINDS: [&str; 3] = [".ignore", ".gitignore", ".git/info/exclude"];

impl Rules {
    /// Reads the rules that hold for `root` itself.
    pub fn of(root: &Path) -> Self {
        let mut rules = Self::default();
        if let Some(path) = gitconfig_excludes_path() {
            // The person's own file, which is often a link to where such files are kept.
            let path = path.canonicalize().unwrap_or(path);
            rules.global = rules.load(Path::new(""), &path);
        }
        let mut above: Vec<_> = root.ancestors().skip(1).filter(|folder| folder.is_absolute()).collect();
        above.reverse();
        for folder in &above {
            rules.push(folder);
        }
        rules.above = above.len();
        rules.push(root);
        rules
    }

    /// Whether an entry is left out. Entries come in the order of the walk: a folder before what lies in it.
    pub fn leaves_out(&mut self, path: &Path, depth: usize, is_folder: bool, is_hidden: bool) -> bool {
        self.folders.truncate(self.above + depth);
        let left_out = match self.matched(path, is_folder) {
            Some(left_out) => left_out,
            None => is_hidden,
        };
        if !left_out && is_folder {
            self.push(path);
        }
        left_out
    }

    fn matched(&self, path: &Path, is_folder: bool) -> Option<bool> {
        let says = |rules: &Gitignore| match rules.matched(path, is_folder) {
            Match::None => None,
            Match::Ignore(_) => Some(true),
            Match::Whitelist(_) => Some(false),
        };
        let of_kind = |kind: usize| {
            // The deepest folder that says something decides.
            self.folders.iter().rev().filter_map(|folder| folder.kinds[kind].as_ref()).find_map(says)
        };
        (0..KINDS.len()).find_map(of_kind).or_else(|| self.global.as_ref().and_then(says))
    }

    fn push(&mut self, folder: &Path) {
        // A `.git` that is a link or a file leads elsewhere.
        let has_git = std::fs::symlink_metadata(folder.join(".git/info")).is_ok_and(|info| info.is_dir())
            && std::fs::symlink_metadata(folder.join(".git")).is_ok_and(|git| git.is_dir());
        let kinds = [true, true, has_git];
        let kinds =
            std::array::from_fn(|kind| if kinds[kind] { self.load(folder, &folder.join(KINDS[kind])) } else { None });
        self.folders.push(FolderRules { kinds });
    }

    /// The patterns of one file, relative to `folder`; none when there is no such file or it is refused.
    fn load(&mut self, folder: &Path, path: &Path) -> Option<Gitignore> {
        let loaded = read(path).and_then(|text| text.map(|text| parse(folder, path, &text)).transpose());
        match loaded {
            Ok(rules) => rules,
            Err(reason) => {
                self.refused.push((path.to_owned(), format!("Its rules on what to leave out are not used: {reason}.")));
                None
            }
        }
    }
}

fn parse(folder: &Path, path: &Path, text: &str) -> Result<Gitignore, String> {
    let mut builder = GitignoreBuilder::new(folder);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut patterns = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        patterns += 1;
        if patterns > MOST_PATTERNS {
            return Err(format!("it has more than {MOST_PATTERNS} patterns"));
        }
        if line.len() > MOST_LINE {
            return Err(format!("it has a line of more than {MOST_LINE} bytes"));
        }
        // As git does, a pattern that makes no sense matches nothing.
        if let Err(error) = builder.add_line(Some(path.to_owned()), line) {
            tracing::debug!(%error, "a pattern of files to leave out is not understood");
        }
    }
    builder.build().map_err(|error| format!("its patterns cannot be used together ({error})"))
}

/// The text of a file; nothing when it is not there.
fn read(path: &Path) -> Result<Option<String>, String> {
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(words_of(&error)),
    };
    check(&metadata)?;
    let file = open(path).map_err(|error| words_of(&error))?;
    // It may be another one by now.
    check(&file.metadata().map_err(|error| words_of(&error))?)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| words_of(&error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_long());
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn check(metadata: &Metadata) -> Result<(), String> {
    if metadata.is_symlink() {
        return Err("it is a link".to_owned());
    }
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    if metadata.len() > MOST_BYTES { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> String {
    format!("it is larger than {} MB", MOST_BYTES >> 20)
}

/// Opens without following a link or waiting for the other end of a pipe.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    File::open(path)
}
