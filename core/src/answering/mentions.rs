//! What `@` can name: sources, documents, chats, tasks and agents by their names, files and folders by their paths.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Mutex;

use super::attach::{Documents, sources};
use crate::api::ApiError;
use crate::fold;
use crate::model::{
    DocumentId, DocumentKind, Mention, Mentioned, PageRequest, ProfileId, TaskFilter, TaskSort, one_line,
};
use crate::storage::{Db, agents, chats, tasks};

/// Characters of what is typed that count.
const LONGEST: usize = 200;
const MOST: u32 = 100;
/// Tasks that are looked at, the newest first.
const TASKS: u32 = 500;
/// Entries of a folder that are looked at.
const ENTRIES: usize = 5_000;
/// Of each kind, while nothing is typed.
const FIRST: usize = 4;

/// Names of documents, read again when the store changed.
#[derive(Default)]
pub struct Names(Mutex<Option<(u64, Vec<Name>)>>);

struct Name {
    id: DocumentId,
    path: PathBuf,
    folded: String,
}

/// Where names are looked for.
pub struct Ground<'a> {
    pub main: &'a Db,
    pub profile: ProfileId,
    pub documents: &'a Documents,
    pub home: Option<&'a Path>,
    pub names: &'a Names,
}

/// How well a name fits; larger is better.
type Score = i64;

/// Best first.
pub fn find(ground: &Ground<'_>, text: &str, limit: u32) -> Result<Vec<Mention>, ApiError> {
    let typed: String = text.trim().chars().take(LONGEST).collect();
    let limit = limit.min(MOST) as usize;
    if let Some(found) = below(ground.home, &typed, limit) {
        return Ok(found);
    }
    let wanted = fold::plain(&typed);
    let mut best = Best { wanted: &wanted, limit, found: BinaryHeap::new(), count: 0, of_kind: [0; 5] };
    for chat in chats::list(ground.main, ground.profile)? {
        if !chat.chat.title.is_empty() {
            let detail =
                if chat.chat.folder.is_empty() { "chat".to_owned() } else { format!("chat in {}", chat.chat.folder) };
            best.add(0, &chat.chat.title, || (Mentioned::Chat { id: chat.chat.id }, chat.chat.title.clone(), detail));
        }
    }
    for source in sources(ground.main, ground.profile)? {
        let place = || (Mentioned::Source { id: source.id }, source.name.clone(), source.path.display().to_string());
        best.add(1, &source.name, place);
    }
    for agent in agents::list(ground.main, ground.profile)? {
        let name = &agent.settings.name;
        let detail = format!("agent: {}", agent.settings.description);
        best.add(2, name, || (Mentioned::Agent { id: agent.id }, name.clone(), detail));
    }
    let page = PageRequest { offset: 0, limit: TASKS };
    for task in tasks::list(ground.main, ground.profile, &TaskFilter::default(), TaskSort::Created, page)?.items {
        let detail = if task.agent_name.is_empty() {
            format!("task #{}", task.number)
        } else {
            format!("task #{} of {}", task.number, task.agent_name)
        };
        best.add(3, &task.title, || (Mentioned::Task { id: task.id }, task.title.clone(), detail));
    }
    ground.each_document(|name| {
        let place = || {
            let folder = name.path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
            let title = name.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (Mentioned::Document { id: name.id }, title, folder)
        };
        best.add_folded(4, &name.folded, place);
    })?;
    Ok(best.into_list())
}

impl Ground<'_> {
    fn each_document(&self, mut visit: impl FnMut(&Name)) -> Result<(), ApiError> {
        let store = (self.documents)()?;
        let mut names = self.names.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let change = store.last_change();
        if names.as_ref().is_none_or(|(of, _)| *of != change) {
            let mut fresh = Vec::new();
            let page = PageRequest { offset: 0, limit: u32::MAX };
            for source in sources(self.main, self.profile)? {
                // Chats and tasks are named by themselves, and nobody names a commit.
                if source.kind.is_built_in() {
                    continue;
                }
                let all = store.documents(&source, "", page)?.items;
                for document in all.into_iter().filter(|document| document.kind != DocumentKind::Commit) {
                    let folded = fold::plain(&document.path.file_name().unwrap_or_default().to_string_lossy());
                    fresh.push(Name { id: document.id, path: document.path, folded });
                }
            }
            *names = Some((change, fresh));
        }
        names.iter().flat_map(|(_, names)| names).for_each(&mut visit);
        Ok(())
    }
}

/// The best that were found so far: only those are made into mentions that stay.
struct Best<'a> {
    wanted: &'a str,
    limit: usize,
    /// The worst on top.
    found: BinaryHeap<Reverse<Ranked>>,
    count: u64,
    of_kind: [usize; 5],
}

struct Ranked {
    score: Score,
    /// Of two that fit as well the first stays.
    number: Reverse<u64>,
    mention: Mention,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.score, self.number).cmp(&(other.score, other.number))
    }
}

impl Best<'_> {
    fn add(&mut self, kind: usize, name: &str, mention: impl FnOnce() -> (Mentioned, String, String)) {
        self.add_folded(kind, &fold::plain(name), mention);
    }

    fn add_folded(&mut self, kind: usize, folded: &str, mention: impl FnOnce() -> (Mentioned, String, String)) {
        let Some(score) = score(folded, self.wanted) else { return };
        self.count += 1;
        self.of_kind[kind] += 1;
        if self.wanted.is_empty() && self.of_kind[kind] > FIRST {
            return;
        }
        // Kinds of which there are few come first where the names fit as well.
        let score = score * 8 - Score::try_from(kind).unwrap_or(0);
        let is_full = self.found.len() >= self.limit;
        if is_full && self.found.peek().is_none_or(|worst| worst.0.score >= score) {
            return;
        }
        if is_full {
            self.found.pop();
        }
        let (what, title, detail) = mention();
        let line = |text: &str| one_line(text).chars().take(200).collect::<String>();
        let mention = Mention { what, title: line(&title), detail: line(&detail) };
        self.found.push(Reverse(Ranked { score, number: Reverse(self.count), mention }));
    }

    fn into_list(self) -> Vec<Mention> {
        let mut ranked: Vec<Ranked> = self.found.into_iter().map(|found| found.0).collect();
        ranked.sort_by(|a, b| b.cmp(a));
        ranked.into_iter().map(|ranked| ranked.mention).collect()
    }
}

/// How well what was typed fits a name, both folded; none when its letters are not there in this order.
fn score(name: &str, wanted: &str) -> Option<Score> {
    if wanted.is_empty() {
        return Some(0);
    }
    let length = Score::try_from(name.len().min(200)).unwrap_or(200);
    let begins_word = |at: usize| name[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    if name == wanted {
        return Some(10_000);
    }
    if name.starts_with(wanted) {
        return Some(8_000 - length);
    }
    if let Some(at) = name.find(wanted) {
        let at_word = name.match_indices(wanted).any(|(at, _)| begins_word(at));
        let place = Score::try_from(at.min(200)).unwrap_or(200);
        return Some(if at_word { 6_000 } else { 4_000 } - length - place);
    }
    // Words in any order, then letters in this order.
    if wanted.contains(' ') && wanted.split(' ').all(|word| name.contains(word)) {
        return Some(3_000 - length);
    }
    let mut letters = wanted.chars().filter(|c| *c != ' ').peekable();
    let (mut gaps, mut last) = (0, None);
    for (at, c) in name.char_indices() {
        if letters.peek() == Some(&c) {
            letters.next();
            if last.is_some_and(|last: usize| last + c.len_utf8() != at) || (last.is_none() && !begins_word(at)) {
                gaps += 1;
            }
            last = Some(at);
        }
    }
    letters.peek().is_none().then(|| 2_000 - gaps * 100 - length)
}

/// Files and folders whose paths begin so; none when this is no beginning of a path.
fn below(home: Option<&Path>, typed: &str, limit: usize) -> Option<Vec<Mention>> {
    let from_home = typed == "~" || typed.starts_with("~/") || typed.starts_with("~\\");
    let path = if from_home { home?.join(typed[1..].trim_start_matches(['/', '\\'])) } else { PathBuf::from(typed) };
    if !path.is_absolute() {
        return None;
    }
    let is_whole = typed.ends_with(['/', MAIN_SEPARATOR]) || typed == "~";
    let (folder, wanted) = if is_whole {
        (path.clone(), String::new())
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (path.parent().unwrap_or(&path).to_owned(), fold::plain(&name))
    };
    let Ok(entries) = std::fs::read_dir(&folder) else { return Some(Vec::new()) };
    let mut found: Vec<(bool, Score, String, PathBuf)> = Vec::new();
    for entry in entries.take(ENTRIES).flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let folded = fold::plain(&name);
        // Hidden ones only when they are asked for.
        if name.starts_with('.') && !wanted.starts_with('.') {
            continue;
        }
        let Some(score) = score(&folded, &wanted) else { continue };
        let Ok(metadata) = std::fs::metadata(entry.path()) else { continue };
        if metadata.is_dir() || metadata.is_file() {
            found.push((metadata.is_file(), score, name, entry.path()));
        }
    }
    found.sort_by(|a, b| (Reverse(a.1), a.0, &a.2).cmp(&(Reverse(b.1), b.0, &b.2)));
    found.truncate(limit);
    let folder = one_line(&folder.display().to_string()).into_owned();
    let mention = |(is_file, _, name, path): (bool, Score, String, PathBuf)| Mention {
        what: if is_file { Mentioned::File { path } } else { Mentioned::Folder { path } },
        title: one_line(&name).into_owned(),
        detail: folder.clone(),
    };
    Some(found.into_iter().map(mention).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_names_come_first() {
        let mut names = ["my-report.md", "report.md", "annual report 2026.pdf", "r-e-p-o-r-t", "notes.md", "preporter"];
        names.sort_by_key(|name| Reverse(score(name, "report")));
        assert_eq!(
            names,
            ["report.md", "my-report.md", "annual report 2026.pdf", "preporter", "r-e-p-o-r-t", "notes.md"]
        );
        assert_eq!(score("notes.md", "report"), None);
        assert!(score("annual report", "report annual").is_some());
    }

    #[test]
    fn a_path_is_completed_in_its_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["alpha.md", "beta.md", ".hidden"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(folder.path().join("album")).unwrap();
        let find = |text: &str| {
            let found = below(Some(folder.path()), text, 10).unwrap();
            found.into_iter().map(|mention| mention.title).collect::<Vec<_>>()
        };
        assert_eq!(find("~/al"), ["album", "alpha.md"]);
        assert_eq!(find("~/"), ["album", "alpha.md", "beta.md"]);
        assert_eq!(find("~/.h"), [".hidden"]);
        assert_eq!(find("/nowhere/at/all"), [""; 0]);
        assert_eq!(below(Some(folder.path()), "alpha", 10), None);
    }
}
