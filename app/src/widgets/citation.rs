//! Where a passage stands, in words, and the number that stands for it.

use egui::{Align2, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{Document, DocumentKind, Origin, Passage, Source, SourceKind, is_record};

use crate::design::{Icon, Type, UiExt};
use crate::text::{short, tr, tr_with};

/// Letters of a name that are shown: who wrote it may be hostile.
const SHOWN: usize = 200;
/// Of the hash of a commit.
const HASH: usize = 10;

/// `spec.md`.
pub fn file_name(path: &std::path::Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    short(&name.to_string_lossy(), SHOWN)
}

/// What a passage is a piece of: the file, else the chat, task, day, commit or page as it calls itself.
pub fn name(passage: &Passage) -> String {
    made_name(&passage.origin, passage.title.as_deref()).unwrap_or_else(|| file_name(&passage.path))
}

/// As [`name`], of a whole document.
pub fn document_name(document: &Document) -> String {
    title_of(&document.path, document.kind, document.title.as_deref())
}

/// The title of what is no file, else the name of the file.
pub fn title_of(path: &std::path::Path, kind: DocumentKind, title: Option<&str>) -> String {
    let origin = match (Origin::of_record(path), kind) {
        (Some(origin), _) => origin,
        (None, DocumentKind::Commit) => Origin::Commit {
            hash: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        },
        (None, _) => Origin::File,
    };
    made_name(&origin, title).unwrap_or_else(|| file_name(path))
}

/// None for files.
fn made_name(origin: &Origin, title: Option<&str>) -> Option<String> {
    let title = title.map(str::trim).filter(|title| !title.is_empty()).map(|title| short(title, SHOWN));
    let bare = match origin {
        Origin::File => return None,
        Origin::Chat { .. } => tr("kind.chat").to_owned(),
        Origin::Task { .. } => tr("kind.task").to_owned(),
        Origin::Activity { day } => tr_with("citation.day", &[("day", &short(day, SHOWN))]),
        Origin::Commit { hash } => short(hash, HASH),
        Origin::Page { address } => short(address, SHOWN),
    };
    Some(title.unwrap_or(bare))
}

/// What the button says that opens it: a chat, a task, an activity, a commit, a document.
pub fn open_words(origin: &Origin) -> &'static str {
    match origin {
        Origin::File | Origin::Page { .. } => tr("citation.open.document"),
        Origin::Chat { .. } => tr("citation.open.chat"),
        Origin::Task { .. } => tr("citation.open.task"),
        Origin::Activity { .. } => tr("citation.open.activity"),
        Origin::Commit { .. } => tr("citation.open.commit"),
    }
}

/// What a source is, in a word.
pub fn source_kind(source: &Source) -> &'static str {
    match source.kind {
        _ if source.sample => tr("source_kind.sample"),
        SourceKind::Folder => tr("source_kind.folder"),
        SourceKind::File => tr("source_kind.file"),
        SourceKind::Repository => tr("source_kind.repository"),
        SourceKind::Vault => tr("source_kind.vault"),
        SourceKind::Web => tr("source_kind.web"),
        SourceKind::Chats => tr("source_kind.chats"),
        SourceKind::Tasks => tr("source_kind.tasks"),
        SourceKind::Activities => tr("source_kind.activities"),
    }
}

pub fn source_icon(source: &Source) -> Icon {
    match source.kind {
        _ if source.sample => Icon::Package,
        SourceKind::Folder => Icon::Folder,
        SourceKind::File => Icon::File,
        SourceKind::Repository => Icon::GitBranch,
        SourceKind::Vault => Icon::Notebook,
        SourceKind::Web => Icon::Globe,
        SourceKind::Chats => Icon::ChatCircle,
        SourceKind::Tasks => Icon::Kanban,
        SourceKind::Activities => Icon::Pulse,
    }
}

/// `871–878`, `41` or `p. 17`; of a record of this program what it is.
pub fn short_place(passage: &Passage, start_line: u32, end_line: u32) -> String {
    match passage.page {
        _ if is_record(passage.kind) => kind_name(passage.kind).to_owned(),
        Some(page) => tr_with("citation.page_short", &[("n", &page)]),
        None => line_range(start_line, end_line),
    }
}

/// `871–878` or `41`.
pub fn line_range(first: u32, last: u32) -> String {
    if first == last { first.to_string() } else { format!("{first}–{last}") }
}

/// `lines 91–104`, `page 17`, `slide 3`; empty for a record of this program, which has no lines of its own.
pub fn lines(passage: &Passage) -> String {
    match passage.page {
        _ if is_record(passage.kind) => String::new(),
        Some(page) => page_words(passage.kind, page),
        None if passage.start_line == passage.end_line => tr_with("citation.line", &[("n", &passage.start_line)]),
        None => tr_with("citation.lines", &[("first", &passage.start_line), ("last", &passage.end_line)]),
    }
}

/// `page 17`, `slide 3`, `sheet 2`.
pub fn page_words(kind: DocumentKind, page: u32) -> String {
    let key = match kind {
        DocumentKind::Pptx => "citation.slide",
        DocumentKind::Xlsx => "citation.sheet",
        DocumentKind::Epub => "citation.part",
        _ => "citation.page",
    };
    tr_with(key, &[("n", &page)])
}

/// `Storage › Backups · lines 91–104`.
pub fn place(passage: &Passage) -> String {
    let heading = passage.heading.as_deref().filter(|heading| !heading.is_empty() && !is_title(passage, heading));
    joined(heading.map(|heading| short(heading, SHOWN)), lines(passage))
}

/// As [`place`], with the innermost heading alone.
pub fn near_place(passage: &Passage) -> String {
    joined(heading(passage).map(|heading| short(heading, SHOWN)), lines(passage))
}

fn joined(heading: Option<String>, lines: String) -> String {
    match heading {
        Some(heading) if lines.is_empty() => heading,
        Some(heading) => format!("{heading} · {lines}"),
        None => lines,
    }
}

/// `Backups`: the innermost heading.
pub fn heading(passage: &Passage) -> Option<&str> {
    let heading = passage.heading.as_deref()?;
    let inner = heading.rsplit(" › ").next().map(str::trim);
    inner.filter(|heading| !heading.is_empty() && !is_title(passage, heading))
}

/// What is no file is called by its title already.
fn is_title(passage: &Passage, heading: &str) -> bool {
    passage.origin != Origin::File && passage.title.as_deref().is_some_and(|title| title.trim() == heading)
}

pub fn kind_name(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Markdown => tr("kind.markdown"),
        DocumentKind::Text => tr("kind.text"),
        DocumentKind::Code => tr("kind.code"),
        DocumentKind::Html => tr("kind.html"),
        DocumentKind::Pdf => tr("kind.pdf"),
        DocumentKind::Docx => tr("kind.docx"),
        DocumentKind::Xlsx => tr("kind.xlsx"),
        DocumentKind::Pptx => tr("kind.pptx"),
        DocumentKind::Epub => tr("kind.epub"),
        DocumentKind::Csv => tr("kind.csv"),
        DocumentKind::Email => tr("kind.email"),
        DocumentKind::Commit => tr("kind.commit"),
        DocumentKind::Chat => tr("kind.chat"),
        DocumentKind::Task => tr("kind.task"),
        DocumentKind::Activity => tr("kind.activity"),
    }
}

pub fn kind_icon(kind: DocumentKind) -> Icon {
    match kind {
        DocumentKind::Markdown => Icon::MarkdownLogo,
        DocumentKind::Text => Icon::FileText,
        DocumentKind::Code => Icon::FileCode,
        DocumentKind::Html => Icon::FileHtml,
        DocumentKind::Pdf => Icon::FilePdf,
        DocumentKind::Docx => Icon::FileDoc,
        DocumentKind::Xlsx => Icon::Table,
        DocumentKind::Csv => Icon::FileCsv,
        DocumentKind::Pptx => Icon::FrameCorners,
        DocumentKind::Epub => Icon::Notebook,
        DocumentKind::Email => Icon::Envelope,
        DocumentKind::Commit => Icon::GitCommit,
        DocumentKind::Chat => Icon::ChatCircle,
        DocumentKind::Task => Icon::Kanban,
        DocumentKind::Activity => Icon::Pulse,
    }
}

/// A row of the list of sources: its number, the file's name, and the lines at the right.
pub fn source_row(ui: &mut Ui, number: Option<usize>, name: &str, place: &str, selected: bool) -> Response {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row), Sense::click());
    let label = match number {
        Some(number) => format!("{number}. {name} {place}"),
        None => format!("{name} {place}"),
    };
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, &label));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect.expand2(vec2(tokens.space.xs, 0.0)), tokens.radius.control, fill);
    if response.has_focus() {
        super::focus_ring(ui, rect);
    }
    let middle = rect.center().y;
    let mut left = rect.left();
    if let Some(number) = number {
        let radius = tokens.size.chip / 2.0;
        let center = pos2(left + radius, middle);
        let ground = if selected { tokens.color.bg2 } else { tokens.color.selection };
        ui.painter().circle_filled(center, radius, ground);
        let font = tokens.font(Type::Label);
        ui.painter().text(center, Align2::CENTER_CENTER, number, font, tokens.color.accent);
        left += tokens.size.chip + tokens.space.s;
    }
    let at = pos2(rect.right(), middle);
    let font = tokens.font(Type::Secondary);
    let right = ui.painter().text(at, Align2::RIGHT_CENTER, place, font, tokens.color.text_2).left();
    super::list::line(ui, left, right - tokens.space.s, middle, name, Type::Body, tokens.color.text);
    response
}

/// The hairline under a row.
pub fn rule(ui: &Ui, rect: egui::Rect) {
    let tokens = ui.tokens();
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
}
