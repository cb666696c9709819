//! The picker for folders and files inside the window: works where the desktop offers none.

use std::path::PathBuf;

use egui::{Context, Id, Key, Modifiers, ScrollArea, Ui, vec2};
use rspa_core::api::request::system::ListFolder;
use rspa_core::api::{ApiError, Core};
use rspa_core::model::{FolderEntry, FolderListing};

use super::dialog::modal;
use super::{Button, IconButton, ListRow, TextField, hairline, states, toggle};
use crate::design::{Icon, Type, UiExt};
use crate::state::Slot;
use crate::text::{bytes, tr, tr_with};

/// What may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Folder,
    File,
    FileOrFolder,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Open,
    Cancelled,
    Chosen(PathBuf),
}

pub struct Picker {
    title: &'static str,
    wanted: Wanted,
    listing: Slot<FolderListing>,
    /// The folder to show next; none inside is the home folder.
    ask: Option<Option<PathBuf>>,
    /// What the path field says.
    path: String,
    selected: Option<usize>,
    show_hidden: bool,
    /// Letters that were typed to jump to a name, and when.
    typed: String,
    typed_at: f64,
    scroll: bool,
    /// Select this folder once its parent is listed.
    came_from: Option<PathBuf>,
}

impl Picker {
    pub fn new(title: &'static str, wanted: Wanted) -> Self {
        Self {
            title,
            wanted,
            listing: Slot::default(),
            ask: Some(None),
            path: String::new(),
            selected: None,
            show_hidden: false,
            typed: String::new(),
            typed_at: 0.0,
            scroll: false,
            came_from: None,
        }
    }

    /// Sends the question that is due and takes the listing in.
    pub fn poll(&mut self, core: Option<&Core>) {
        if let Some(core) = core
            && let Some(path) = self.ask.take()
        {
            self.listing.ask(core.call(ListFolder { path, show_hidden: self.show_hidden }));
        }
        if self.listing.poll() && self.listing.error().is_none() {
            self.arrived();
        }
    }

    /// Takes a listing from elsewhere than core: for tests.
    pub fn give(&mut self, listing: Result<FolderListing, ApiError>) {
        self.ask = None;
        match listing {
            Ok(listing) => self.listing.set(listing),
            Err(error) => self.listing = Slot::failed(error),
        }
        if self.listing.error().is_none() {
            self.arrived();
        }
    }

    /// The folder that it waits for.
    pub fn wants(&self) -> Option<&Option<PathBuf>> {
        self.ask.as_ref()
    }

    fn arrived(&mut self) {
        let Some(listing) = self.listing.get() else { return };
        self.path = listing.path.display().to_string();
        let from = self.came_from.take();
        self.selected = from.and_then(|from| listing.entries.iter().position(|entry| entry.path == from));
        self.scroll = true;
        self.typed.clear();
    }

    fn go(&mut self, path: PathBuf) {
        self.ask = Some(Some(path));
        self.selected = None;
    }

    fn up(&mut self) {
        if let Some(listing) = self.listing.get()
            && let Some(parent) = listing.parent.clone()
        {
            self.came_from = Some(listing.path.clone());
            self.go(parent);
        }
    }

    fn can_choose(&self, entry: &FolderEntry) -> bool {
        entry.readable && (entry.is_folder || self.wanted != Wanted::Folder)
    }

    /// What the button would choose now.
    fn choice(&self) -> Option<PathBuf> {
        // The folder that was left behind is not what a wrong path asked for.
        if self.listing.error().is_some() {
            return None;
        }
        let listing = self.listing.get()?;
        let selected = self.selected.and_then(|i| listing.entries.get(i));
        match (self.wanted, selected) {
            (Wanted::Folder, Some(entry)) if entry.is_folder => Some(entry.path.clone()),
            (Wanted::Folder | Wanted::FileOrFolder, None) => Some(listing.path.clone()),
            (Wanted::File, Some(entry)) if !entry.is_folder => Some(entry.path.clone()),
            (Wanted::FileOrFolder, Some(entry)) => Some(entry.path.clone()),
            _ => None,
        }
    }

    pub fn ui(&mut self, ctx: &Context) -> Outcome {
        let tokens = ctx.tokens();
        let mut outcome = Outcome::Open;
        if let Some(chosen) = self.keys(ctx) {
            outcome = Outcome::Chosen(chosen);
        }
        let height = (ctx.content_rect().height() - 120.0).clamp(240.0, 520.0);
        let ((), left) = modal(ctx, Id::unique("picker"), tokens.size.picker, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            super::column_header(ui, self.title, |ui| {
                if ui.add(IconButton::new(Icon::X, tr("common.cancel"))).clicked() {
                    outcome = Outcome::Cancelled;
                }
            });
            self.bar(ui);
            hairline(ui);
            let body = height - 3.0 * tokens.size.header;
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), body), egui::Sense::hover());
            let line = rect.left() + 168.5;
            ui.painter().vline(line, rect.y_range(), egui::Stroke::new(1.0, tokens.color.line));
            let (places, list) = rect.split_left_right_at_x(line + 0.5);
            let builder = |rect| egui::UiBuilder::new().max_rect(rect).layout(egui::Layout::top_down(egui::Align::Min));
            ui.scope_builder(builder(places.with_max_x(line - 0.5)), |ui| self.places(ui));
            ui.scope_builder(builder(list), |ui| {
                if let Some(chosen) = self.list(ui) {
                    outcome = Outcome::Chosen(chosen);
                }
            });
            // What the two columns drew moves the cursor; the foot stays where it is.
            ui.advance_cursor_after_rect(rect);
            hairline(ui);
            if let Some(done) = self.foot(ui) {
                outcome = done;
            }
        });
        if left && outcome == Outcome::Open {
            outcome = Outcome::Cancelled;
        }
        outcome
    }

    /// Arrows, Enter, Backspace and letters, while no text is being typed.
    fn keys(&mut self, ctx: &Context) -> Option<PathBuf> {
        if ctx.text_edit_focused() {
            return None;
        }
        let count = self.listing.get().map_or(0, |listing| listing.entries.len());
        let (down, up, home, end, page_down, page_up, enter, back, letters, now) = ctx.input_mut(|i| {
            let mut take = |key| i.consume_key(Modifiers::NONE, key);
            let keys = (
                take(Key::ArrowDown),
                take(Key::ArrowUp),
                take(Key::Home),
                take(Key::End),
                take(Key::PageDown),
                take(Key::PageUp),
                take(Key::Backspace),
            );
            let enter = i.key_pressed(Key::Enter);
            let letters: String = i
                .events
                .iter()
                .filter_map(|e| if let egui::Event::Text(t) = e { Some(t.as_str()) } else { None })
                .collect();
            (keys.0, keys.1, keys.2, keys.3, keys.4, keys.5, enter, keys.6, letters, i.time)
        });
        if back {
            self.up();
        }
        if count == 0 {
            return None;
        }
        let step = |selected: Option<usize>, by: isize| {
            let from = selected.map_or(if by > 0 { -1 } else { count as isize }, |s| s as isize);
            Some((from + by).clamp(0, count as isize - 1) as usize)
        };
        let before = self.selected;
        match () {
            () if down => self.selected = step(self.selected, 1),
            () if up => self.selected = step(self.selected, -1),
            () if page_down => self.selected = step(self.selected, 10),
            () if page_up => self.selected = step(self.selected, -10),
            () if home => self.selected = Some(0),
            () if end => self.selected = Some(count - 1),
            () => {}
        }
        let letters = letters.trim_start();
        if !letters.is_empty() {
            if now - self.typed_at > 1.0 {
                self.typed.clear();
            }
            self.typed_at = now;
            self.typed.push_str(&letters.to_lowercase());
            let wanted = self.typed.clone();
            let found = self.listing.get().and_then(|listing| {
                listing.entries.iter().position(|entry| entry.name.to_lowercase().starts_with(&wanted))
            });
            self.selected = found.or(self.selected);
        }
        self.scroll |= self.selected != before;
        // Enter on a focused button or row belongs to that.
        let on_list = ctx.memory(|memory| memory.focused()).is_none();
        if enter && on_list {
            let entry = self.selected.and_then(|i| self.listing.get()?.entries.get(i).cloned())?;
            if entry.is_folder {
                self.go(entry.path);
            } else if self.can_choose(&entry) {
                return Some(entry.path);
            }
        }
        None
    }

    fn bar(&mut self, ui: &mut Ui) {
        let tokens = ui.tokens();
        egui::Frame::new().inner_margin(tokens.space.s as i8).show(ui, |ui| {
            ui.horizontal(|ui| {
                let parent = self.listing.get().is_some_and(|listing| listing.parent.is_some());
                if ui.add(IconButton::new(Icon::ArrowUp, tr("picker.up")).enabled(parent)).clicked() {
                    self.up();
                }
                let response = TextField::new(&mut self.path, tr("picker.path")).hint(tr("picker.path_hint")).show(ui);
                if response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) {
                    let typed = self.path.trim();
                    let path = match (typed.strip_prefix("~"), std::env::home_dir()) {
                        (Some(rest), Some(home)) => home.join(rest.trim_start_matches(['/', '\\'])),
                        _ => PathBuf::from(typed),
                    };
                    self.go(path);
                }
            });
        });
        self.breadcrumb(ui);
    }

    fn breadcrumb(&mut self, ui: &mut Ui) {
        let tokens = ui.tokens();
        // Its room is there from the start: a dialog that grows would move away from under the pointer.
        let size = vec2(ui.available_width(), tokens.size.control);
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let Some(path) = self.listing.get().map(|listing| listing.path.clone()) else { return };
        let mut folders: Vec<PathBuf> = path.ancestors().map(PathBuf::from).collect();
        folders.reverse();
        let skip = folders.len().saturating_sub(5);
        let mut target = None;
        let inner = rect.with_min_x(rect.left() + tokens.space.m).with_max_y(rect.bottom() - tokens.space.xs);
        let builder = egui::UiBuilder::new().max_rect(inner).layout(egui::Layout::left_to_right(egui::Align::Center));
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            if skip > 0 {
                ui.label(tokens.rich(Type::Secondary, "…"));
            }
            for (i, folder) in folders.iter().enumerate().skip(skip) {
                if i > skip {
                    ui.label(Icon::CaretRight.rich(10.0).color(tokens.color.text_3));
                }
                let name =
                    folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into());
                if ui.add(Button::new(name).quiet().small()).clicked() {
                    target = Some(folder.clone());
                }
            }
        });
        if let Some(folder) = target {
            self.go(folder);
        }
    }

    fn places(&mut self, ui: &mut Ui) {
        let places = self.listing.get().map(|listing| listing.places.clone()).unwrap_or_default();
        let here = self.listing.get().map(|listing| listing.path.clone());
        let mut target = None;
        ScrollArea::vertical().id_salt("places").show(ui, |ui| {
            ui.add_space(4.0);
            for place in places {
                let icon = if place.path.parent().is_none() { Icon::HardDrive } else { Icon::Folder };
                let selected = here.as_ref() == Some(&place.path);
                if ui.add(ListRow::new(place.label.as_str()).icon(icon).selected(selected).height(28.0)).clicked() {
                    target = Some(place.path);
                }
            }
        });
        if let Some(path) = target {
            self.go(path);
        }
    }

    fn list(&mut self, ui: &mut Ui) -> Option<PathBuf> {
        let tokens = ui.tokens();
        if let Some(error) = self.listing.error().cloned() {
            if states::error(ui, &error) {
                self.ask = Some(self.listing.get().map(|listing| listing.path.clone()));
            }
            return None;
        }
        let Some(listing) = self.listing.get() else {
            states::loading(ui, tr("picker.loading"));
            return None;
        };
        if listing.entries.is_empty() {
            states::empty(ui, Icon::FolderOpen, tr("picker.empty"), tr("picker.empty_detail"), |_| {});
            return None;
        }
        let (mut selected, mut open, mut chosen) = (self.selected, None, None);
        let mut scroll = ScrollArea::vertical().id_salt(&listing.path).auto_shrink([false, false]);
        if self.scroll
            && let Some(row) = self.selected
        {
            let middle = row as f32 * tokens.size.control - ui.available_height() / 2.0;
            scroll = scroll.vertical_scroll_offset(middle.max(0.0));
        }
        scroll.show_rows(ui, tokens.size.control, listing.entries.len(), |ui, range| {
            for i in range {
                let entry = &listing.entries[i];
                let right = if entry.is_folder { String::new() } else { bytes(entry.size_bytes) };
                let row = ListRow::new(entry.name.as_str())
                    .icon(icon(entry))
                    .right(right)
                    .selected(selected == Some(i))
                    .dim(!self.can_choose(entry))
                    .height(tokens.size.control);
                let response = ui.push_id(i, |ui| ui.add(row)).inner;
                if response.clicked() {
                    selected = Some(i);
                }
                if response.double_clicked() {
                    if entry.is_folder {
                        open = Some(entry.path.clone());
                    } else if self.can_choose(entry) {
                        chosen = Some(entry.path.clone());
                    }
                }
            }
            if listing.truncated {
                ui.label(tokens.rich(Type::Secondary, tr("picker.truncated")));
            }
        });
        self.selected = selected;
        self.scroll = false;
        if let Some(path) = open {
            self.go(path);
        }
        chosen
    }

    fn foot(&mut self, ui: &mut Ui) -> Option<Outcome> {
        let tokens = ui.tokens();
        let mut done = None;
        egui::Frame::new().inner_margin(tokens.space.s as i8).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.add_space(tokens.space.s);
                if toggle(ui, &mut self.show_hidden, tr("picker.hidden")).changed() {
                    self.ask = Some(self.listing.get().map(|listing| listing.path.clone()));
                }
                ui.label(tokens.rich(Type::Secondary, tr("picker.hidden")));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let choice = self.choice();
                    let name = choice.as_ref().map(|path| {
                        path.file_name()
                            .map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
                    });
                    let label = match &name {
                        Some(name) if name.chars().count() < 28 => tr_with("picker.choose", &[("name", name)]),
                        _ => tr("picker.choose_plain").to_owned(),
                    };
                    if ui.add(Button::new(label).primary().enabled(choice.is_some())).clicked() {
                        done = choice.map(Outcome::Chosen);
                    }
                    if ui.add(Button::new(tr("common.cancel"))).clicked() {
                        done = Some(Outcome::Cancelled);
                    }
                });
            });
        });
        done
    }
}

fn icon(entry: &FolderEntry) -> Icon {
    match entry.name.rsplit('.').next().unwrap_or_default() {
        _ if entry.is_folder => Icon::Folder,
        "md" | "markdown" => Icon::MarkdownLogo,
        "pdf" => Icon::FilePdf,
        "html" | "htm" => Icon::FileHtml,
        "rs" | "py" | "js" | "ts" | "c" | "h" | "cpp" | "go" | "java" => Icon::FileCode,
        "gguf" | "safetensors" => Icon::Cube,
        _ => Icon::FileText,
    }
}
