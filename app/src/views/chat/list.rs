//! The column of chats: pinned ones, folders and the rest as groups that open and close; search; new, rename, move, delete.

mod groups;
mod hits;
mod menu;

use std::collections::HashSet;

use egui::{
    DragAndDrop, Id, Key, LayerId, Order, Pos2, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, vec2,
};
use rspa_core::model::{Chat, ChatId, ChatSummary};

use self::groups::{Group, Groups};
pub use self::menu::{Wish, chat_menu};
use crate::commands::pages::chats::ChatsCommand;
use crate::commands::{Action, CommandQueue, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{self, tr};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{IconButton, TextField, TwoLineRow, column_header, states};

/// Points from the edge at which a dragged chat makes the list scroll, and how far a frame.
const EDGE: f32 = 32.0;
const SPEED: f32 = 8.0;

/// A chat that is being dragged.
#[derive(Clone, Copy)]
struct Dragged(ChatId);

/// What a folder's name is typed for.
enum Naming {
    /// A new one, with this chat in it.
    New(Option<ChatId>),
    Rename(String),
}

#[derive(Default)]
pub struct ChatList {
    /// None while the search field is closed.
    search: Option<String>,
    hits: hits::Hits,
    /// The row that had the keyboard when it was last drawn.
    focused: Option<ChatId>,
    renaming: Option<(ChatId, String)>,
    naming: Option<(Naming, String)>,
    /// Keys of the groups that are closed.
    closed: HashSet<String>,
}

impl ChatList {
    /// Asks for the name of a new folder, which this chat goes into.
    pub fn name_folder(&mut self, chat: Option<ChatId>) {
        self.naming = Some((Naming::New(chat), String::new()));
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let searched = self.search.is_some();
        let mut opened = false;
        column_header(ui, tr("chat.list.title"), |ui| {
            if ui.add(IconButton::new(Icon::Plus, Action::NewChat.name())).clicked() {
                cx.commands.push(UiCommand::NewChat);
            }
            if ui.add(IconButton::new(Icon::FolderSimplePlus, tr("chat.folder.new"))).clicked() {
                self.name_folder(None);
            }
            let find = IconButton::new(Icon::MagnifyingGlass, tr("chat.list.search")).selected(searched);
            if ui.add(find).clicked() {
                self.search = if searched { None } else { Some(String::new()) };
                opened = !searched;
                self.hits.reset();
                cx.commands.push(search(String::new()));
            }
        });
        if self.search_field(ui, cx, opened) {
            return;
        }
        if matches!(&self.naming, Some((Naming::New(_), _))) {
            padded(ui, tokens.space.s, tokens.space.s, |ui| self.name_field(ui, cx.commands));
        }
        let Some(chats) = cx.state.chats.list.get() else {
            match cx.state.chats.list.error() {
                Some(error) => {
                    states::error(ui, error);
                }
                None => states::loading(ui, tr("chat.list.loading")),
            }
            return;
        };
        let folders = cx.state.chats.folders.get().map_or(&[][..], Vec::as_slice);
        if chats.is_empty() && folders.is_empty() {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("chat.list.none"))).wrap());
            });
            return;
        }
        self.groups(ui, cx, chats, folders);
    }

    /// The field, and below it what was found. True while something is searched for.
    fn search_field(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, opened: bool) -> bool {
        let tokens = ui.tokens();
        let Some(text) = &mut self.search else { return false };
        let id = Id::unique("chat-list-search");
        let found = cx.state.chats.hits.get().map_or(0, Vec::len);
        let keys = if ui.memory(|memory| memory.has_focus(id)) { self.hits.keys(ui, found) } else { false };
        let (changed, left) = padded(ui, tokens.space.s, tokens.space.s, |ui| {
            let field = TextField::new(text, tr("chat.list.search")).hint(tr("chat.list.search_hint"));
            let response = field.icon(Icon::MagnifyingGlass).id(id).show(ui);
            if opened {
                response.request_focus();
            }
            // Escape takes the focus from the field before it is seen here.
            let left = (response.has_focus() || response.lost_focus()) && ui.input(|i| i.key_pressed(Key::Escape));
            if keys {
                response.request_focus();
            }
            (response.changed(), left)
        });
        let wanted = text.clone();
        if changed {
            self.hits.reset();
            cx.commands.push(search(wanted.clone()));
        }
        if left {
            self.search = None;
            cx.commands.push(search(String::new()));
            return false;
        }
        if wanted.trim().is_empty() {
            return false;
        }
        if keys {
            self.hits.open(cx);
        }
        self.hits.ui(ui, cx, &wanted);
        true
    }

    fn groups(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, chats: &[ChatSummary], folders: &[String]) {
        let tokens = ui.tokens();
        let groups = Groups::new(chats, folders, &self.closed);
        let (head, row) = (tokens.size.row, tokens.size.row_two_lines);
        let total = groups.height(head, row);
        let clip = ui.available_rect_before_wrap();
        let dragged = DragAndDrop::payload::<Dragged>(ui.ctx()).map(|dragged| *dragged);
        let pointer = ui.input(|i| i.pointer.interact_pos()).filter(|at| dragged.is_some() && clip.contains(*at));
        ScrollArea::vertical().auto_shrink(false).show_viewport(ui, |ui, viewport| {
            let (all, _) = ui.allocate_exact_size(vec2(ui.available_width(), total.max(1.0)), Sense::hover());
            let place =
                |top: f32, height: f32| Rect::from_min_size(all.min + vec2(0.0, top), vec2(all.width(), height));
            let mut top = 0.0;
            for section in &groups.sections {
                let begin = top;
                if groups.headed {
                    if top + head >= viewport.top() && top <= viewport.bottom() {
                        self.head(ui, cx, place(top, head), section);
                    }
                    top += head;
                }
                if section.open {
                    let count = section.chats.len();
                    // One row more on each side, so that the arrow keys find a next one.
                    let first = (((viewport.top() - top) / row).floor() - 1.0).max(0.0) as usize;
                    let last = (((viewport.bottom() - top) / row).ceil() + 1.0).max(0.0) as usize;
                    for index in first.min(count)..last.min(count) {
                        let one = &chats[section.chats[index] as usize];
                        let rect = place(top + index as f32 * row, row);
                        let id = Id::unique(("chat-row", one.chat.id.0));
                        let builder = UiBuilder::new().scope_id(id).max_rect(rect);
                        let mut child = ui.new_child(builder);
                        self.row(&mut child, cx, one);
                    }
                    top += count as f32 * row;
                }
                let area = place(begin, top - begin);
                if let (Some(at), Some(Dragged(chat))) = (pointer, dragged)
                    && area.contains(at)
                {
                    let stroke = Stroke::new(1.5, tokens.color.accent);
                    ui.painter().rect_stroke(area.shrink(1.0), tokens.radius.control, stroke, StrokeKind::Inside);
                    if ui.input(|i| i.pointer.any_released()) {
                        drop_on(cx.commands, chats, chat, section.group);
                    }
                }
            }
            if let Some(at) = pointer {
                let up = at.y - clip.top() < EDGE && viewport.top() > 0.0;
                let down = clip.bottom() - at.y < EDGE && viewport.bottom() < total;
                if up || down {
                    ui.scroll_with_delta(vec2(0.0, if up { SPEED } else { -SPEED }));
                    ui.ctx().request_repaint();
                }
            }
        });
        if let Some(Dragged(chat)) = dragged {
            ghost(ui, chats, chat);
        }
    }

    /// The line above a group: opens and closes it.
    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, section: &groups::Section<'_>) {
        let tokens = ui.tokens();
        if let Group::Folder(name) = section.group
            && matches!(&self.naming, Some((Naming::Rename(of), _)) if of == name)
        {
            let inner = rect.shrink2(vec2(tokens.space.s, (rect.height() - tokens.size.control) / 2.0));
            let mut child = ui.new_child(UiBuilder::new().id_salt("rename-folder").max_rect(inner));
            self.name_field(&mut child, cx.commands);
            return;
        }
        let response = groups::head(ui, rect, section);
        if response.clicked() {
            let key = section.group.key();
            if section.open {
                self.closed.insert(key);
            } else {
                self.closed.remove(&key);
            }
        }
        let Group::Folder(name) = section.group else { return };
        let mut rename = response.has_focus() && ui.input(|i| i.key_pressed(Key::F2));
        let mut delete = response.has_focus() && ui.input(|i| i.key_pressed(Key::Delete));
        crate::widgets::context_menu(&response).show(|ui| {
            rename |= ui.button(tr("chat.folder.rename")).clicked();
            delete |= ui.button(tr("chat.folder.delete")).clicked();
        });
        if rename {
            self.naming = Some((Naming::Rename(name.to_owned()), name.to_owned()));
        }
        if delete {
            cx.commands.push(menu::delete_folder(name, section.chats.len()));
        }
    }

    fn name_field(&mut self, ui: &mut Ui, commands: &mut CommandQueue) {
        let Some((naming, name)) = &mut self.naming else { return };
        let id = Id::unique("chat-folder-name");
        let response = TextField::new(name, tr("chat.folder.name")).hint(tr("chat.folder.hint")).id(id).show(ui);
        if !response.has_focus() && !response.lost_focus() {
            response.request_focus();
        }
        if !response.lost_focus() {
            return;
        }
        let escaped = ui.input(|i| i.key_pressed(Key::Escape));
        let wanted = name.split('/').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        if !escaped && !wanted.is_empty() {
            match naming {
                Naming::New(None) => commands.push(UiCommand::Chats(ChatsCommand::CreateFolder(wanted))),
                Naming::New(Some(chat)) => {
                    commands.push(UiCommand::Chats(ChatsCommand::Move { chat: *chat, folder: wanted }));
                }
                Naming::Rename(of) if *of != wanted => {
                    let rename = ChatsCommand::RenameFolder { name: of.clone(), to: wanted };
                    commands.push(UiCommand::Chats(rename));
                }
                Naming::Rename(_) => {}
            }
        }
        self.naming = None;
    }

    fn row(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, one: &ChatSummary) {
        let tokens = ui.tokens();
        let chat = one.chat.id;
        if let Some((_, title)) = self.renaming.as_mut().filter(|(id, _)| *id == chat) {
            let rect = ui.max_rect();
            let inner = rect.shrink2(vec2(tokens.space.s, (rect.height() - tokens.size.control) / 2.0));
            let done = ui
                .scope_builder(UiBuilder::new().max_rect(inner), |ui| {
                    let id = Id::unique(("rename", chat.0));
                    let response = TextField::new(title, tr("chat.rename")).id(id).show(ui);
                    if ui.memory(|memory| memory.focused().is_none()) && !response.lost_focus() {
                        response.request_focus();
                    }
                    response.lost_focus()
                })
                .inner;
            if done && let Some((chat, title)) = self.renaming.take() {
                let kept = ui.input(|i| i.key_pressed(Key::Escape)) || title.trim().is_empty();
                if !kept && title.trim() != one.chat.title {
                    cx.commands.push(UiCommand::RenameChat { chat, title: title.trim().to_owned() });
                }
            }
            return;
        }
        let row = TwoLineRow::new(title(&one.chat.title), without_marks(&one.preview))
            .right(text::ago(one.chat.updated, cx.state.now))
            .selected(cx.state.chats.open == Some(chat));
        let response = ui.add(row).interact(Sense::click_and_drag());
        response.dnd_set_drag_payload(Dragged(chat));
        // Also where it is drawn just out of view; what the arrow keys lead to never says that it has just gained the focus.
        if response.has_focus() && self.focused != Some(chat) {
            self.focused = Some(chat);
            ui.scroll_to_rect(response.rect, None);
        } else if !response.has_focus() && self.focused == Some(chat) {
            self.focused = None;
        }
        if response.clicked() {
            cx.commands.push(UiCommand::OpenChat(chat));
        }
        if response.has_focus() {
            if ui.input(|i| i.key_pressed(Key::F2)) {
                self.renaming = Some((chat, one.chat.title.clone()));
            }
            if ui.input(|i| i.key_pressed(Key::Delete)) {
                delete(cx.commands, chat);
            }
        }
        let wish = crate::widgets::context_menu(&response).show(|ui| chat_menu(ui, cx.state, cx.commands, &one.chat));
        match wish.and_then(|shown| shown.inner) {
            Some(Wish::Rename) => self.renaming = Some((chat, one.chat.title.clone())),
            Some(Wish::NewFolder) => self.name_folder(Some(chat)),
            None => {}
        }
    }
}

/// Lets go of a dragged chat over a group.
fn drop_on(commands: &mut CommandQueue, chats: &[ChatSummary], chat: ChatId, group: Group<'_>) {
    let Some(known) = chats.iter().map(|one| &one.chat).find(|known| known.id == chat) else { return };
    let pin = |pinned| UiCommand::Chats(ChatsCommand::Pin { chat, pinned });
    let folder = match group {
        Group::Pinned if known.pinned => return,
        Group::Pinned => return commands.push(pin(true)),
        Group::Folder(name) => name,
        Group::Rest => "",
    };
    // A pinned chat stands among the pinned ones only: where it was let go, it is seen.
    if known.pinned {
        commands.push(pin(false));
    }
    if known.folder != folder {
        commands.push(UiCommand::Chats(ChatsCommand::Move { chat, folder: folder.to_owned() }));
    }
}

/// The title of what is dragged, beside the pointer.
fn ghost(ui: &Ui, chats: &[ChatSummary], chat: ChatId) {
    let tokens = ui.tokens();
    let Some(at) = ui.input(|i| i.pointer.interact_pos()) else { return };
    let Some(one) = chats.iter().find(|one| one.chat.id == chat) else { return };
    let painter = ui.ctx().layer_painter(LayerId::new(Order::Tooltip, Id::unique("dragged-chat")));
    let words: String = title(&one.chat.title).chars().take(32).collect();
    let galley = painter.layout_no_wrap(words, tokens.font(Type::Body), tokens.color.text);
    let size = galley.size() + vec2(2.0 * tokens.space.m, tokens.space.s);
    let rect = Rect::from_min_size(Pos2::new(at.x + tokens.space.m, at.y - size.y / 2.0), size);
    let stroke = Stroke::new(1.0, tokens.color.accent);
    painter.rect(rect, tokens.radius.control, tokens.color.bg3, stroke, StrokeKind::Inside);
    painter.galley(rect.min + vec2(tokens.space.m, tokens.space.xs), galley, tokens.color.text);
}

fn search(text: String) -> UiCommand {
    UiCommand::Chats(ChatsCommand::Search(text))
}

/// The first words of an answer without the marks of Markdown, which mean nothing in one line.
fn without_marks(preview: &str) -> String {
    let text = preview.trim_start_matches(['#', '>', '-', ' ']);
    text.chars().filter(|letter| !matches!(letter, '*' | '`')).collect()
}

/// The title, or words for a chat that has none yet.
pub fn title(title: &str) -> &str {
    if title.is_empty() { tr("chat.untitled") } else { title }
}

/// No question first: the notice that follows takes it back.
pub fn delete(commands: &mut CommandQueue, chat: ChatId) {
    commands.push(UiCommand::DeleteChat(chat));
}

/// The chat that is open, as the list knows it.
pub fn open_chat(state: &crate::state::AppState) -> Option<&Chat> {
    let open = state.chats.open?;
    state.chats.list.get()?.iter().map(|one| &one.chat).find(|chat| chat.id == open)
}
