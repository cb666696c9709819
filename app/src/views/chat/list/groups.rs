//! How chats stand in groups: pinned ones first, then a group per folder, then the rest.

use std::collections::{BTreeMap, HashSet};

use egui::{Align2, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2};
use rspa_core::model::ChatSummary;

use crate::design::{Icon, Type, UiExt};
use crate::text::{number, tr, tr_count};
use crate::widgets::list::line;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group<'a> {
    Pinned,
    Folder(&'a str),
    Rest,
}

impl Group<'_> {
    /// Under which it is remembered that it is closed. A folder's name has no colon before it.
    pub fn key(self) -> String {
        match self {
            Self::Pinned => "pinned".to_owned(),
            Self::Folder(name) => format!("folder:{name}"),
            Self::Rest => "rest".to_owned(),
        }
    }
}

pub struct Section<'a> {
    pub group: Group<'a>,
    /// Places in the list of chats.
    pub chats: Vec<u32>,
    pub open: bool,
}

pub struct Groups<'a> {
    pub sections: Vec<Section<'a>>,
    /// Without folders and pins there is one group, which needs no line above it.
    pub headed: bool,
}

impl<'a> Groups<'a> {
    pub fn new(chats: &'a [ChatSummary], folders: &'a [String], closed: &HashSet<String>) -> Self {
        let mut pinned = Vec::new();
        let mut rest = Vec::new();
        let mut named: BTreeMap<&str, Vec<u32>> = folders.iter().map(|name| (name.as_str(), Vec::new())).collect();
        for (index, one) in chats.iter().enumerate() {
            let index = index as u32;
            match &one.chat {
                chat if chat.pinned => pinned.push(index),
                chat if chat.folder.is_empty() => rest.push(index),
                chat => named.entry(chat.folder.as_str()).or_default().push(index),
            }
        }
        let headed = !pinned.is_empty() || !named.is_empty();
        let mut sections = Vec::with_capacity(named.len() + 2);
        let mut add = |group: Group<'a>, chats| {
            let open = !headed || !closed.contains(&group.key());
            sections.push(Section { group, chats, open });
        };
        if !pinned.is_empty() {
            add(Group::Pinned, pinned);
        }
        for (name, chats) in named {
            add(Group::Folder(name), chats);
        }
        if !rest.is_empty() || !headed {
            add(Group::Rest, rest);
        }
        Self { sections, headed }
    }

    pub fn height(&self, head: f32, row: f32) -> f32 {
        let heads = if self.headed { self.sections.len() as f32 * head } else { 0.0 };
        heads + self.sections.iter().filter(|one| one.open).map(|one| one.chats.len() as f32 * row).sum::<f32>()
    }
}

/// Draws the line above a group: whether it is open, its name, and how many chats are in it.
pub fn head(ui: &mut Ui, rect: Rect, section: &Section<'_>) -> Response {
    let tokens = ui.tokens();
    let (icon, name) = match section.group {
        Group::Pinned => (Icon::PushPin, tr("chat.list.pinned").to_owned()),
        Group::Folder(name) => (if section.open { Icon::FolderOpen } else { Icon::Folder }, shown(name)),
        Group::Rest => (Icon::ChatCircle, tr("chat.list.rest").to_owned()),
    };
    let id = egui::Id::unique(("chat-group", section.group.key()));
    let response = ui.interact(rect, id, Sense::click());
    let count = section.chats.len() as u64;
    let spoken = format!("{name}, {}", tr_count("chat.list.chats", count));
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, section.open, &spoken));
    let fill = if response.hovered() { tokens.color.bg3 } else { tokens.color.bg1 };
    ui.painter().rect_filled(rect, 0.0, fill);
    crate::widgets::citation::rule(ui, rect);
    let middle = rect.center().y;
    let caret = if section.open { Icon::CaretDown } else { Icon::CaretRight };
    let mut left = rect.left() + tokens.space.s;
    for (icon, size) in [(caret, 12.0), (icon, tokens.size.icon)] {
        let at = pos2(left, middle);
        let ink = tokens.color.text_2;
        ui.painter().text(at, Align2::LEFT_CENTER, icon.code(), Icon::font(size), ink);
        left += size + tokens.space.xs + 2.0;
    }
    let at = pos2(rect.right() - tokens.space.m, middle);
    let font = tokens.font(Type::Label);
    let right = ui.painter().text(at, Align2::RIGHT_CENTER, number(count), font, tokens.color.text_3).left();
    line(ui, left, right - tokens.space.s, middle, &name, Type::Strong, tokens.color.text_2);
    if response.has_focus() {
        crate::widgets::focus_ring(ui, rect.shrink(2.0));
    }
    response
}

/// `Work › Clients`.
pub fn shown(folder: &str) -> String {
    folder.split('/').map(str::trim).collect::<Vec<_>>().join(" › ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn pinned_chats_come_first_then_folders_also_empty_ones_then_the_rest() {
        let mut chats: Vec<ChatSummary> = (0..5).map(|n| fixtures::chat(100 + n, "", "", 1)).collect();
        chats[3].chat.pinned = true;
        chats[3].chat.folder = "Work".into();
        chats[1].chat.folder = "Work".into();
        chats[4].chat.folder = "Archive".into();
        let folders = ["Empty".to_owned(), "Work".to_owned()];
        let closed = HashSet::from(["folder:Work".to_owned()]);
        let groups = Groups::new(&chats, &folders, &closed);
        let seen: Vec<_> = groups.sections.iter().map(|one| (one.group, one.chats.clone(), one.open)).collect();
        assert_eq!(
            seen,
            [
                (Group::Pinned, vec![3], true),
                (Group::Folder("Archive"), vec![4], true),
                (Group::Folder("Empty"), vec![], true),
                (Group::Folder("Work"), vec![1], false),
                (Group::Rest, vec![0, 2], true),
            ]
        );
        assert_eq!(groups.height(10.0, 100.0), 5.0 * 10.0 + 4.0 * 100.0);
        assert!(!Groups::new(&chats[..1], &[], &closed).headed);
    }
}
