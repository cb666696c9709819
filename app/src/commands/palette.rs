//! The command palette: every action, chat and source, found by a few letters, run with Enter.

use egui::{Align2, Context, Id, Key, Modifiers, ScrollArea, Sense, Stroke, Ui, vec2};

use super::pages::profiles::ProfilesCommand;
use super::{Action, CommandQueue, Shortcuts, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::text::{tr, tr_with};
use crate::widgets::list::line;
use crate::widgets::{TextField, hairline};

/// What is offered first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Actions, then chats and sources.
    #[default]
    Everything,
    /// Chats and sources only.
    Open,
}

/// The palette while it is open.
#[derive(Default)]
pub struct Palette {
    scope: Scope,
    text: String,
    selected: usize,
}

struct Item {
    icon: Icon,
    label: String,
    detail: String,
    keys: Option<String>,
    command: UiCommand,
}

/// Items shown at most.
const SHOWN: usize = 200;

impl Palette {
    pub fn new(scope: Scope) -> Self {
        Self { scope, ..Self::default() }
    }

    /// Draws it; false when it is done.
    pub fn ui(&mut self, ctx: &Context, state: &AppState, shortcuts: &Shortcuts, commands: &mut CommandQueue) -> bool {
        let tokens = ctx.tokens();
        let (up, down, enter, escape) = ctx.input_mut(|i| {
            (
                i.consume_key(Modifiers::NONE, Key::ArrowUp),
                i.consume_key(Modifiers::NONE, Key::ArrowDown),
                i.consume_key(Modifiers::NONE, Key::Enter),
                i.consume_key(Modifiers::NONE, Key::Escape),
            )
        });
        let items = self.items(ctx, state, shortcuts);
        if !items.is_empty() {
            let last = items.len() - 1;
            self.selected = self.selected.min(last);
            if down {
                self.selected = if self.selected == last { 0 } else { self.selected + 1 };
            }
            if up {
                self.selected = if self.selected == 0 { last } else { self.selected - 1 };
            }
        }
        let mut chosen = enter.then_some(self.selected);
        let area = egui::Modal::default_area(Id::unique("palette"))
            .anchor(Align2::CENTER_TOP, vec2(0.0, 96.0))
            .accessible_name(tr("palette.name"));
        let response = egui::Modal::new(Id::unique("palette"))
            .area(area)
            .backdrop_color(tokens.color.backdrop)
            .frame(egui::Frame::popup(&ctx.global_style()).inner_margin(0))
            .show(ctx, |ui| {
                ui.set_width(tokens.size.palette.min(ui.ctx().content_rect().width() - 2.0 * tokens.space.l));
                ui.spacing_mut().item_spacing.y = 0.0;
                egui::Frame::new().inner_margin(tokens.space.s as i8).show(ui, |ui| {
                    let hint = match self.scope {
                        Scope::Everything => tr("palette.hint"),
                        Scope::Open => tr("palette.open_hint"),
                    };
                    let field = TextField::new(&mut self.text, tr("palette.name"))
                        .hint(hint)
                        .icon(Icon::MagnifyingGlass)
                        .large()
                        .id(Id::unique("palette.text"))
                        .show(ui);
                    if field.changed() {
                        self.selected = 0;
                    }
                    if !field.has_focus() {
                        field.request_focus();
                    }
                });
                hairline(ui);
                if items.is_empty() {
                    egui::Frame::new().inner_margin(tokens.space.l as i8).show(ui, |ui| {
                        ui.label(
                            tokens.rich(Type::Secondary, tr_with("palette.nothing", &[("text", &self.text.trim())])),
                        );
                    });
                    return;
                }
                let rows = items.len();
                ScrollArea::vertical().max_height(10.0 * tokens.size.row).auto_shrink([false, true]).show_rows(
                    ui,
                    tokens.size.row,
                    rows,
                    |ui, range| {
                        for i in range {
                            if row(ui, &items[i], i == self.selected, (up || down) && i == self.selected) {
                                chosen = Some(i);
                            }
                        }
                    },
                );
            });
        if let Some(item) = chosen.and_then(|i| items.get(i)) {
            commands.push(item.command.clone());
            return false;
        }
        !(escape || response.should_close())
    }

    fn items(&self, ctx: &Context, state: &AppState, shortcuts: &Shortcuts) -> Vec<Item> {
        let mut found: Vec<(i32, Item)> = Vec::new();
        let wanted = self.text.trim();
        let mut offer = |item: Item, bonus: i32| {
            if let Some(score) = fuzzy(wanted, &item.label) {
                found.push((score + bonus, item));
            }
        };
        if self.scope == Scope::Everything {
            for action in Action::ALL.iter().filter(|action| action.in_palette()) {
                let item = Item {
                    icon: action.icon(),
                    label: action.name().to_owned(),
                    detail: action.tooltip().to_owned(),
                    keys: shortcuts.label(ctx, *action),
                    command: UiCommand::Run(*action),
                };
                offer(item, 20);
            }
        }
        if let Some(list) = state.pages.profiles.list.get().filter(|_| !wanted.is_empty()) {
            for profile in list.profiles.iter().filter(|profile| profile.id != list.active) {
                let item = Item {
                    icon: Icon::User,
                    label: tr_with("palette.profile", &[("name", &profile.name)]),
                    detail: tr("palette.profile_detail").to_owned(),
                    keys: None,
                    command: UiCommand::Profiles(ProfilesCommand::Switch(profile.id)),
                };
                offer(item, 10);
            }
        }
        if self.scope == Scope::Open || !wanted.is_empty() {
            for summary in state.chats.list.get().into_iter().flatten() {
                let item = Item {
                    icon: Icon::ChatCircle,
                    label: summary.chat.title.clone(),
                    detail: tr("palette.chat").to_owned(),
                    keys: None,
                    command: UiCommand::OpenChat(summary.chat.id),
                };
                offer(item, 0);
            }
            for crew in state.pages.crews.list.get().into_iter().flatten() {
                let item = Item {
                    icon: Icon::UsersFour,
                    label: rspa_core::model::one_line(&crew.settings.name).into_owned(),
                    detail: tr("palette.crew").to_owned(),
                    keys: None,
                    command: UiCommand::OpenCrew(crew.id),
                };
                offer(item, 0);
            }
            for status in state.knowledge.sources.get().into_iter().flatten() {
                let item = Item {
                    icon: Icon::Folder,
                    label: crate::text::path(&status.source.path),
                    detail: tr("palette.source").to_owned(),
                    keys: None,
                    command: UiCommand::OpenPage(crate::state::Page::Knowledge),
                };
                offer(item, 0);
            }
        }
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.truncate(SHOWN);
        let mut items: Vec<Item> = found.into_iter().map(|(_, item)| item).collect();
        if !wanted.is_empty() {
            let label = tr_with("palette.search", &[("text", &wanted)]);
            items.push(Item {
                icon: Icon::MagnifyingGlass,
                label,
                detail: String::new(),
                keys: None,
                command: UiCommand::ShowSearch(wanted.to_owned()),
            });
        }
        items
    }
}

fn row(ui: &mut Ui, item: &Item, selected: bool, scroll: bool) -> bool {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row), Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::ListBoxOption, true, selected, &item.label));
    if scroll {
        response.scroll_to_me(None);
    }
    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    if selected {
        let edge = Stroke::new(2.0, tokens.color.accent);
        ui.painter().vline(rect.left() + 1.0, rect.y_range(), edge);
    }
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let middle = rect.center().y;
    let at = egui::pos2(inner.left(), middle);
    let font = Icon::font(tokens.size.icon);
    ui.painter().text(at, Align2::LEFT_CENTER, item.icon.code(), font, tokens.color.text_2);
    let mut right = inner.right();
    if let Some(keys) = &item.keys {
        let at = egui::pos2(right, middle);
        let font = tokens.font(Type::Label);
        right = ui.painter().text(at, Align2::RIGHT_CENTER, keys, font, tokens.color.text_3).left() - tokens.space.m;
    }
    let left = inner.left() + tokens.size.icon + tokens.space.m;
    let label = line(ui, left, right, middle, &item.label, Type::Body, tokens.color.text);
    let left = label.right() + tokens.space.m;
    if right - left > 60.0 {
        line(ui, left, right, middle, &item.detail, Type::Secondary, tokens.color.text_3);
    }
    response.clicked()
}

/// How well `wanted` fits: all its letters in order; starts of words and runs count more. None if it does not fit.
///
/// The best of all ways to place the letters, by dynamic programming over (letter, place).
pub fn fuzzy(wanted: &str, text: &str) -> Option<i32> {
    if wanted.trim().is_empty() {
        return Some(0);
    }
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).take(200).collect();
    let starts_word = |i: usize| i == 0 || !text[i - 1].is_alphanumeric();
    // The best score with the last letter at each place; before the first letter every place is open.
    let mut best: Option<Vec<Option<i32>>> = None;
    for letter in wanted.chars().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).take(60) {
        let mut next = vec![None; text.len()];
        for (i, place) in next.iter_mut().enumerate().filter(|(i, _)| text[*i] == letter) {
            let own = 1 + if starts_word(i) { 6 } else { 0 };
            *place = match &best {
                None => Some(own - i.min(5) as i32),
                Some(before) => (0..i)
                    .filter_map(|j| {
                        let gap = i - j - 1;
                        Some(before[j]? + own + if gap == 0 { 5 } else { -(gap.min(5) as i32) })
                    })
                    .max(),
            };
        }
        best = Some(next);
    }
    let score = match best {
        None => 0,
        Some(best) => best.into_iter().flatten().max()?,
    };
    Some(score * 8 - text.len().min(60) as i32 / 4)
}

#[cfg(test)]
mod tests {
    use super::fuzzy;

    fn best<'a>(wanted: &str, texts: &[&'a str]) -> Option<&'a str> {
        texts
            .iter()
            .filter_map(|text| Some((fuzzy(wanted, text)?, *text)))
            .max_by_key(|(score, _)| *score)
            .map(|(_, t)| t)
    }

    #[test]
    fn few_letters_find_what_is_meant() {
        let texts = ["New chat", "Open settings", "Split to the right", "Import a model", "Next pane", "Zoom in"];
        assert_eq!(best("nc", &texts), Some("New chat"));
        assert_eq!(best("set", &texts), Some("Open settings"));
        assert_eq!(best("impo", &texts), Some("Import a model"));
        assert_eq!(best("ZI", &texts), Some("Zoom in"));
        assert_eq!(best("xyz", &texts), None);
    }
}
