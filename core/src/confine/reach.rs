//! Why a program cannot be started where only some folders are seen: which folder is missing, before it is tried.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::model::AllowedFolder;

/// Links that are followed to a program.
const LINKS: usize = 16;
/// Of a script, where its interpreter stands.
const FIRST_LINE: u64 = 256;

/// Why a confined program would not start, in words; none when nothing is known against it.
pub fn unreachable(program: &str, path: &str, folder: Option<&Path>, folders: &[AllowedFolder]) -> Option<String> {
    let mut wanted = program.to_owned();
    // A script needs its interpreter, which may be found by another program.
    for _ in 0..3 {
        let found = match locate(&wanted, path, folder) {
            Some(found) => found,
            None if wanted.contains('/') => return Some(format!("the program {wanted} was not found")),
            None => {
                return Some(format!(
                    "the program {wanted} was not found in {path}: give its whole path, and add its folder"
                ));
            }
        };
        if let Some(hidden) = hidden_step(&found, folders) {
            let leads = if hidden == found { String::new() } else { format!(", which leads to {}", hidden.display()) };
            return Some(format!(
                "the program {}{leads} lies outside of what it may read: add its folder {}",
                found.display(),
                home_of(&hidden).display()
            ));
        }
        wanted = interpreter(&found)?;
    }
    None
}

/// Arguments that name something which is there and may not be read.
pub fn hidden_arguments(arguments: &[String], folders: &[AllowedFolder]) -> Vec<PathBuf> {
    let whole =
        arguments.iter().map(|argument| Path::new(argument.rsplit_once('=').map_or(&**argument, |(_, path)| path)));
    let there = whole.filter(|path| path.is_absolute() && path.exists());
    there.filter_map(|path| hidden_step(path, folders)).collect()
}

fn locate(program: &str, path: &str, folder: Option<&Path>) -> Option<PathBuf> {
    if program.contains('/') {
        let whole = match folder {
            Some(folder) => folder.join(program),
            None => PathBuf::from(program),
        };
        return whole.is_file().then_some(whole);
    }
    path.split(':').map(|folder| Path::new(folder).join(program)).find(|candidate| candidate.is_file())
}

/// The first step on the way to what a path really is that cannot be seen.
fn hidden_step(path: &Path, folders: &[AllowedFolder]) -> Option<PathBuf> {
    let mut at = path.to_owned();
    let mut seen = BTreeSet::new();
    for _ in 0..LINKS {
        if !is_seen(&at, folders) {
            return Some(at);
        }
        match fs::read_link(&at) {
            Ok(target) if seen.insert(at.clone()) => at = at.parent().unwrap_or(Path::new("/")).join(target),
            _ => break,
        }
    }
    let real = path.canonicalize().ok()?;
    (!is_seen(&real, folders)).then_some(real)
}

fn is_seen(path: &Path, folders: &[AllowedFolder]) -> bool {
    // As `linux::system::programs` and `configuration` show them.
    const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/opt", "/nix/store", "/gnu/store", "/etc", "/dev"];
    let plain = tidy(path);
    SYSTEM.iter().any(|system| plain.starts_with(system))
        || plain.to_str().is_some_and(|path| path.starts_with("/lib"))
        || folders.iter().any(|folder| plain.starts_with(&folder.path))
}

/// Without `..`, by the names alone.
fn tidy(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            std::path::Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// The folder that a program was installed in.
fn home_of(program: &Path) -> PathBuf {
    let plain = tidy(program);
    let folder = plain.parent().unwrap_or(Path::new("/"));
    match folder.file_name().is_some_and(|name| name == "bin") {
        true => folder.parent().unwrap_or(folder).to_owned(),
        false => folder.to_owned(),
    }
}

/// Of a script, what its first line names.
fn interpreter(script: &Path) -> Option<String> {
    let mut first = Vec::new();
    fs::File::open(script).ok()?.take(FIRST_LINE).read_to_end(&mut first).ok()?;
    let line = first.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let program = words.next()?;
    match program.ends_with("/env") {
        true => words.find(|word| !word.starts_with('-')).map(str::to_owned),
        false => Some(program.to_owned()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn seen(path: &Path) -> Vec<AllowedFolder> {
        vec![AllowedFolder { path: path.to_owned(), write: false }]
    }

    /// A folder that is none of those that everything sees.
    fn place() -> tempfile::TempDir {
        let here = std::env::current_dir().expect("a current folder");
        tempfile::tempdir_in(here).expect("a folder that can be written")
    }

    #[test]
    fn the_folder_that_is_missing_is_named() {
        let place = place();
        let root = place.path().canonicalize().unwrap();
        let bin = root.join("python-3/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("python3"), b"\x7fELF").unwrap();
        let venv = root.join("venv");
        fs::create_dir(&venv).unwrap();
        std::os::unix::fs::symlink(bin.join("python3"), venv.join("python")).unwrap();
        let program = venv.join("python").display().to_string();
        let words = unreachable(&program, "/usr/bin", None, &[]).unwrap();
        assert!(words.ends_with(&format!("add its folder {}", venv.display())), "{words}");
        let words = unreachable(&program, "/usr/bin", None, &seen(&venv)).unwrap();
        assert!(
            words.contains("which leads to") && words.ends_with(&root.join("python-3").display().to_string()),
            "{words}"
        );
        assert_eq!(unreachable(&program, "/usr/bin", None, &seen(&root)), None);
        let script = venv.join("serve");
        fs::write(&script, format!("#!{program}\nprint()")).unwrap();
        assert!(unreachable(&script.display().to_string(), "", None, &seen(&venv)).unwrap().contains("python-3"));
        assert!(unreachable("no-such-program", "/usr/bin:/bin", None, &[]).unwrap().contains("was not found"));
        assert_eq!(unreachable("sh", "/usr/bin:/bin", None, &[]), None);
        let arguments =
            [program.clone(), format!("--file={program}"), "--verbose".to_owned(), "/no/such/thing".to_owned()];
        assert_eq!(hidden_arguments(&arguments, &[]), [venv.join("python"), venv.join("python")]);
        assert!(hidden_arguments(&arguments, &seen(&root)).is_empty());
    }
}
