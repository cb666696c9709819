//! Where a passage stands, in words, and the number that stands for it.

use egui::{Align2, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{DocumentKind, Passage};

use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};

/// `spec.md`.
pub fn file_name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// `871–878`, `41` or `p. 17`.
pub fn short_place(page: Option<u32>, start_line: u32, end_line: u32) -> String {
    match page {
        Some(page) => tr_with("citation.page_short", &[("n", &page)]),
        None if start_line == end_line => start_line.to_string(),
        None => format!("{start_line}–{end_line}"),
    }
}

/// `lines 91–104` or `page 17`.
pub fn lines(passage: &Passage) -> String {
    match passage.page {
        Some(page) => tr_with("citation.page", &[("n", &page)]),
        None if passage.start_line == passage.end_line => tr_with("citation.line", &[("n", &passage.start_line)]),
        None => tr_with("citation.lines", &[("first", &passage.start_line), ("last", &passage.end_line)]),
    }
}

/// `Storage › Backups · lines 91–104`.
pub fn place(passage: &Passage) -> String {
    match passage.heading.as_deref().filter(|heading| !heading.is_empty()) {
        Some(heading) => format!("{heading} · {}", lines(passage)),
        None => lines(passage),
    }
}

/// `Backups`: the innermost heading.
pub fn heading(passage: &Passage) -> Option<&str> {
    let heading = passage.heading.as_deref()?;
    heading.rsplit(" › ").next().map(str::trim).filter(|heading| !heading.is_empty())
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
        DocumentKind::Xlsx | DocumentKind::Csv => Icon::FileCsv,
        DocumentKind::Pptx => Icon::FileText,
        DocumentKind::Epub => Icon::Books,
        DocumentKind::Email => Icon::Envelope,
        DocumentKind::Commit => Icon::GitCommit,
        DocumentKind::Chat => Icon::ChatCircle,
        DocumentKind::Task => Icon::CheckSquare,
        DocumentKind::Activity => Icon::Activity,
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
