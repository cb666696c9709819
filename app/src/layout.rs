//! The centre of the window: docked, splittable, tabbed panes. A pane holds ids, never data.

mod panes;

use egui_tiles::{Container, Linear, LinearDir, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

pub use panes::Panes;

use crate::state::{DocumentTarget, Page};

/// What stands in one pane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    Page(Page),
    Document(DocumentTarget),
}

/// The tree of panes, and which one the keyboard is in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    tree: Tree<Pane>,
    focused: Option<TileId>,
}

impl std::fmt::Debug for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.panes()).finish()
    }
}

impl Default for Layout {
    fn default() -> Self {
        let tree = Tree::new_tabs(egui::Id::unique("panes"), vec![Pane::Page(Page::Chat)]);
        Self { tree, focused: None }
    }
}

impl Layout {
    pub fn panes(&self) -> impl Iterator<Item = &Pane> {
        self.tree.tiles.tiles().filter_map(|tile| match tile {
            Tile::Pane(pane) => Some(pane),
            Tile::Container(_) => None,
        })
    }

    /// The pane that the keyboard is in.
    pub fn focused_pane(&self) -> Option<&Pane> {
        self.focused_tile().and_then(|id| self.tree.tiles.get_pane(&id))
    }

    /// The page that the rail shows as selected.
    pub fn page(&self) -> Option<Page> {
        match self.focused_pane()? {
            Pane::Page(page) => Some(*page),
            Pane::Document(_) => None,
        }
    }

    /// Whether some pane shows it now, not hidden behind another tab.
    pub fn is_visible(&self, wanted: &Pane) -> bool {
        self.tree.active_tiles().iter().any(|id| self.tree.tiles.get_pane(id) == Some(wanted))
    }

    pub fn focus(&mut self, tile: TileId) {
        self.focused = Some(tile);
    }

    fn focused_tile(&self) -> Option<TileId> {
        let visible = self.visible_panes();
        self.focused.filter(|id| visible.contains(id)).or_else(|| visible.first().copied())
    }

    /// Panes in view, from the left and from the top.
    fn visible_panes(&self) -> Vec<TileId> {
        let mut ids: Vec<TileId> =
            self.tree.active_tiles().into_iter().filter(|id| self.tree.tiles.get_pane(id).is_some()).collect();
        let key = |id: &TileId| self.tree.tiles.rect(*id).map_or((0, 0), |r| (r.left() as i32, r.top() as i32));
        ids.sort_by_key(key);
        ids
    }

    /// Shows a page: where it already is, else in place of the focused page or of one in view, else as a tab beside
    /// the focused document.
    pub fn open_page(&mut self, page: Page) {
        let wanted = Pane::Page(page);
        if self.activate(&wanted) {
            return;
        }
        let is_page = |id: &TileId| matches!(self.tree.tiles.get_pane(id), Some(Pane::Page(_)));
        let focused = self.focused_tile();
        match focused.filter(is_page).or_else(|| self.visible_panes().into_iter().find(is_page)).or(focused) {
            Some(id) if is_page(&id) => {
                if let Some(Tile::Pane(pane)) = self.tree.tiles.get_mut(id) {
                    *pane = wanted;
                }
                self.focused = Some(id);
            }
            Some(id) => self.add_tab(id, wanted),
            None => self.replace_all(wanted),
        }
    }

    /// Opens a document beside what is focused; documents share one column of tabs.
    pub fn open_document(&mut self, target: DocumentTarget) {
        let same_file = self.tree.tiles.iter().find_map(|(id, tile)| match tile {
            Tile::Pane(Pane::Document(open)) if open.path == target.path => Some(*id),
            _ => None,
        });
        if let Some(id) = same_file {
            if let Some(Tile::Pane(pane)) = self.tree.tiles.get_mut(id) {
                *pane = Pane::Document(target);
            }
            self.activate_tile(id);
            return;
        }
        let other_document = self.tree.tiles.iter().find_map(|(id, tile)| match tile {
            Tile::Pane(Pane::Document(_)) => Some(*id),
            _ => None,
        });
        match (other_document, self.focused_tile()) {
            (Some(id), _) => self.add_tab(id, Pane::Document(target)),
            (None, Some(id)) => self.split(id, Pane::Document(target), LinearDir::Horizontal),
            (None, None) => self.replace_all(Pane::Document(target)),
        }
    }

    /// Shows a page in a new pane beside (or below) the focused one.
    pub fn split_page(&mut self, page: Page, direction: LinearDir) {
        let wanted = Pane::Page(page);
        if let Some(id) = self.tree.tiles.find_pane(&wanted) {
            if self.panes().count() == 1 {
                return;
            }
            self.tree.remove_recursively(id);
        }
        match self.focused_tile() {
            Some(id) => self.split(id, wanted, direction),
            None => self.replace_all(wanted),
        }
    }

    /// Moves the focused tab into a pane of its own, beside or below.
    pub fn split_focused(&mut self, direction: LinearDir) {
        let Some(id) = self.focused_tile() else { return };
        let Some(pane) = self.tree.tiles.get_pane(&id).cloned() else { return };
        let siblings = self.tree.tiles.parent_of(id).and_then(|parent| self.tree.tiles.get_container(parent));
        let neighbour = siblings.and_then(|container| container.children().copied().find(|child| *child != id));
        let Some(neighbour) = neighbour else { return };
        self.tree.remove_recursively(id);
        self.split(neighbour, pane, direction);
    }

    /// Closes the focused pane, unless it is the only one.
    pub fn close_focused(&mut self) {
        if self.panes().count() > 1
            && let Some(id) = self.focused_tile()
        {
            self.tree.remove_recursively(id);
            self.focused = None;
        }
    }

    /// Puts the keyboard into the next pane in view.
    pub fn focus_next(&mut self) {
        let visible = self.visible_panes();
        let now = self.focused_tile().and_then(|id| visible.iter().position(|v| *v == id));
        if let Some(now) = now {
            self.focused = Some(visible[(now + 1) % visible.len()]);
        }
    }

    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Falls back to the default where the stored tree is not a tree of panes that exist.
    pub fn repair(&mut self) {
        let mut seen = std::collections::HashSet::new();
        let mut panes = 0;
        let sound = self.tree.root().is_some_and(|root| is_sound(&self.tree.tiles, root, &mut seen, &mut panes, 0));
        let gallery = self.panes().any(|pane| *pane == Pane::Page(Page::Gallery));
        if !sound || panes == 0 || gallery {
            self.reset();
        } else {
            self.tree.tiles.recompute_next_tile_id();
        }
    }

    fn activate(&mut self, wanted: &Pane) -> bool {
        let Some(id) = self.tree.tiles.find_pane(wanted) else { return false };
        self.activate_tile(id);
        true
    }

    fn activate_tile(&mut self, wanted: TileId) {
        self.tree.make_active(|id, _| id == wanted);
        self.focused = Some(wanted);
    }

    fn replace_all(&mut self, pane: Pane) {
        self.tree = Tree::new_tabs(egui::Id::unique("panes"), vec![pane]);
        self.focused = None;
    }

    fn add_tab(&mut self, beside: TileId, pane: Pane) {
        let new = self.tree.tiles.insert_pane(pane);
        let parent = self.tree.tiles.parent_of(beside);
        if let Some(parent) = parent
            && let Some(Tile::Container(Container::Tabs(tabs))) = self.tree.tiles.get_mut(parent)
        {
            tabs.add_child(new);
            tabs.set_active(new);
        } else {
            let tabs = self.tree.tiles.insert_tab_tile(vec![beside, new]);
            self.put_in_place(beside, parent, tabs);
            if let Some(Tile::Container(Container::Tabs(tabs))) = self.tree.tiles.get_mut(tabs) {
                tabs.set_active(new);
            }
        }
        self.focused = Some(new);
    }

    fn split(&mut self, beside: TileId, pane: Pane, direction: LinearDir) {
        let new = self.tree.tiles.insert_pane(pane);
        // A pane stands in a container of tabs: it is that which is divided.
        let (divided, parent) = match self.tree.tiles.parent_of(beside) {
            Some(tabs) if matches!(self.tree.tiles.get_container(tabs), Some(Container::Tabs(_))) => {
                (tabs, self.tree.tiles.parent_of(tabs))
            }
            parent => (beside, parent),
        };
        let linear = Linear::new(direction, vec![divided, new]);
        let linear = self.tree.tiles.insert_container(linear);
        self.put_in_place(divided, parent, linear);
        self.focused = Some(new);
    }

    /// Puts `new` where `old` was: under its parent, or at the root.
    fn put_in_place(&mut self, old: TileId, parent: Option<TileId>, new: TileId) {
        match parent.and_then(|parent| self.tree.tiles.get_mut(parent)) {
            Some(Tile::Container(Container::Tabs(tabs))) => {
                let active = tabs.is_active(old);
                for child in &mut tabs.children {
                    if *child == old {
                        *child = new;
                    }
                }
                if active {
                    tabs.set_active(new);
                }
            }
            Some(Tile::Container(Container::Linear(linear))) => {
                for child in &mut linear.children {
                    if *child == old {
                        *child = new;
                    }
                }
                linear.shares.replace_with(old, new);
            }
            _ => self.tree.root = Some(new),
        }
    }
}

/// A tree in which every child exists and is reached once, of no absurd depth.
fn is_sound(
    tiles: &Tiles<Pane>,
    id: TileId,
    seen: &mut std::collections::HashSet<TileId>,
    panes: &mut usize,
    depth: usize,
) -> bool {
    if depth > 32 || !seen.insert(id) {
        return false;
    }
    match tiles.get(id) {
        None => false,
        Some(Tile::Pane(_)) => {
            *panes += 1;
            true
        }
        Some(Tile::Container(container)) => {
            container.children().all(|child| is_sound(tiles, *child, seen, panes, depth + 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> DocumentTarget {
        DocumentTarget { path: path.into(), start_line: 1, end_line: 2, hash: String::new() }
    }

    #[test]
    fn a_page_takes_the_place_of_a_page_and_is_never_open_twice() {
        let mut layout = Layout::default();
        layout.open_page(Page::Settings);
        assert_eq!(layout.panes().collect::<Vec<_>>(), [&Pane::Page(Page::Settings)]);
        layout.split_page(Page::Chat, LinearDir::Horizontal);
        layout.open_page(Page::Settings);
        assert_eq!(layout.panes().count(), 2);
        assert_eq!(layout.page(), Some(Page::Settings));
    }

    #[test]
    fn a_page_leaves_the_focused_document_alone() {
        let mut layout = Layout::default();
        layout.open_document(target("/a"));
        layout.open_page(Page::Settings);
        assert_eq!(layout.panes().count(), 2);
        assert_eq!(layout.page(), Some(Page::Settings));
        assert!(layout.is_visible(&Pane::Document(target("/a"))));
    }

    #[test]
    fn documents_share_one_column_and_close_again() {
        let mut layout = Layout::default();
        layout.open_document(target("/a"));
        layout.open_document(target("/b"));
        layout.open_document(target("/a"));
        assert_eq!(layout.panes().count(), 3);
        assert_eq!(layout.focused_pane(), Some(&Pane::Document(target("/a"))));
        assert!(layout.is_visible(&Pane::Page(Page::Chat)));
        layout.close_focused();
        layout.repair();
        assert_eq!(layout.panes().count(), 2);
    }

    #[test]
    fn the_last_pane_stays() {
        let mut layout = Layout::default();
        layout.close_focused();
        assert_eq!(layout.panes().count(), 1);
    }
}
