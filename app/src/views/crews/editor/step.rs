//! The panel of one step: everything that can be done in the graph can be done here too, without a mouse.

use egui::{Align, Id, Key, Layout, ScrollArea, Ui};
use rspa_core::model::AgentId;

use super::draft::{Draft, Fault, NAME, WORDS};
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::views::crews::{look, told};
use crate::widgets::column::padded;
use crate::widgets::{Button, Chip, IconButton, TextField, column_header, select};

/// What the person wants of the panel's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Stay,
    Close,
    Delete,
    Choose(usize),
}

#[derive(Default)]
pub struct StepPanel {
    /// The step, and its key as it is typed.
    typed: Option<(usize, String, String)>,
    focus: bool,
    /// Fields that were looked at and left.
    left: Vec<(usize, &'static str)>,
}

impl StepPanel {
    /// The title gets the keyboard.
    pub fn focus(&mut self) {
        self.focus = true;
    }

    pub fn ui(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        draft: &mut Draft,
        at: usize,
        faults: &[Fault],
        tried: bool,
    ) -> Wish {
        let tokens = ui.tokens();
        let mut wish = Wish::Stay;
        let Some(step) = draft.now.steps.get(at) else { return Wish::Close };
        let stored = step.key.clone();
        if self.typed.as_ref().is_none_or(|(of, known, _)| *of != at || *known != stored) {
            self.typed = Some((at, stored.clone(), stored));
        }
        column_header(ui, &tr_with("crews.step.number", &[("n", &(at + 1))]), |ui| {
            if ui.add(IconButton::new(Icon::X, tr("crews.step.close"))).clicked() {
                wish = Wish::Close;
            }
            if ui.add(IconButton::new(Icon::Trash, tr("crews.step.delete"))).clicked() {
                wish = Wish::Delete;
            }
        });
        ScrollArea::vertical().id_salt(("step panel", at)).auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.s, |ui| {
                self.words(ui, draft, at, faults, tried);
                agent(ui, cx, draft, at);
                self.tell(ui, faults, at, "agent", true);
                if let Some(other) = depends(ui, cx, draft, at) {
                    wish = Wish::Choose(other);
                }
                ui.add_space(tokens.space.l);
            });
        });
        wish
    }

    fn tell(&self, ui: &mut Ui, faults: &[Fault], at: usize, field: &'static str, tried: bool) {
        let shown = tried || self.left.contains(&(at, field));
        let own = faults.iter().filter(|fault| fault.step == Some(at) && fault.field == field);
        for fault in own.filter(|fault| fault.warning || shown) {
            told(ui, &fault.words, fault.warning);
        }
    }

    fn words(&mut self, ui: &mut Ui, draft: &mut Draft, at: usize, faults: &[Fault], tried: bool) {
        let tokens = ui.tokens();
        let is_wrong = |field| faults.iter().any(|f| f.step == Some(at) && f.field == field && !f.warning) && tried;
        look::label(ui, tr("crews.field.title"));
        let before = draft.now.steps[at].title.clone();
        let mut title = before.clone();
        let id = Id::unique(("crew step title", at));
        let response = TextField::new(&mut title, tr("crews.field.title")).id(id).problem(is_wrong("title")).show(ui);
        if std::mem::take(&mut self.focus) {
            response.request_focus();
            select_all(ui, id, title.chars().count());
        }
        if response.gained_focus() {
            draft.remember();
        }
        if response.lost_focus() {
            self.left.push((at, "title"));
        }
        if title != before {
            look::bound(&mut title, NAME);
            draft.now.steps[at].title = title;
            draft.retitled(at, &before);
            let key = draft.now.steps[at].key.clone();
            self.typed = Some((at, key.clone(), key));
        }
        self.tell(ui, faults, at, "title", tried);

        look::label(ui, tr("crews.field.key"));
        if let Some((_, known, typed)) = &mut self.typed {
            let fault = draft.key_fault(at, typed);
            let id = Id::unique(("crew step key", at));
            let field = TextField::new(typed, tr("crews.field.key")).id(id).problem(fault.is_some());
            let response = field.show(ui);
            look::bound(typed, NAME);
            if response.gained_focus() {
                draft.remember();
            }
            if response.changed() && draft.key_fault(at, typed).is_none() {
                known.clone_from(typed);
                draft.rename(at, typed.clone());
            }
            if let Some(words) = draft.key_fault(at, typed) {
                told(ui, words, false);
            }
        }

        look::label(ui, tr("crews.field.instructions"));
        let id = Id::unique(("crew step instructions", at));
        let text = &mut draft.now.steps[at].instructions;
        let response = look::text_area(ui, id, tr("crews.field.instructions"), text, 7, 260.0);
        if response.changed() {
            look::bound(text, WORDS);
            draft.touched();
        }
        if response.gained_focus() {
            draft.remember();
        }
        if response.lost_focus() {
            self.left.push((at, "instructions"));
        }
        self.tell(ui, faults, at, "instructions", tried);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(tokens.space.xs, tokens.space.xs);
            ui.label(tokens.rich(Type::Label, tr("crews.step.variables")));
            let names = std::iter::once("input".to_owned()).chain(draft.now.variables.iter().cloned());
            for name in names.collect::<Vec<_>>() {
                let shown = look::short(&name, 40);
                let chip = ui.add(Chip::new(format!("{{{shown}}}")).selectable(false));
                if chip.on_hover_text(tr_with("crews.step.insert", &[("name", &shown)])).clicked() {
                    draft.remember();
                    insert(ui, id, &mut draft.now.steps[at].instructions, &format!("{{{name}}}"));
                    draft.touched();
                }
            }
        });
    }
}

/// Puts words where the cursor stood last, else at the end.
fn insert(ui: &Ui, id: Id, text: &mut String, words: &str) {
    let cursor = egui::TextEdit::load_state(ui.ctx(), id).and_then(|state| state.cursor.char_range());
    let chars = cursor.map_or(usize::MAX, |range| range.primary.index.0);
    let byte = text.char_indices().nth(chars).map_or(text.len(), |(byte, _)| byte);
    text.insert_str(byte, words);
}

fn select_all(ui: &Ui, id: Id, chars: usize) {
    let mut state = egui::TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    let range = egui::text::CCursorRange::two(egui::text::CCursor::default(), egui::text::CCursor::new(chars));
    state.cursor.set_char_range(Some(range));
    egui::TextEdit::store_state(ui.ctx(), id, state);
}

fn agent(ui: &mut Ui, cx: &mut Cx<'_>, draft: &mut Draft, at: usize) {
    look::label(ui, tr("crews.field.agent"));
    let page = &cx.state.pages.crews;
    let agents = page.agents.get().map_or(&[][..], Vec::as_slice);
    let mut known: Vec<(Option<AgentId>, String)> = vec![(None, tr("crews.no_agent").to_owned())];
    known.extend(agents.iter().map(|agent| (Some(agent.id), look::short(&agent.settings.name, 60))));
    let own = draft.now.steps[at].agent;
    if own.is_some() && !known.iter().any(|(id, _)| *id == own) {
        known.push((own, look::agent_words(page, own).1));
    }
    let chosen = known.iter().position(|(id, _)| *id == own).unwrap_or(0);
    let names: Vec<String> = known.iter().map(|(_, name)| name.clone()).collect();
    let width = ui.available_width();
    if let Some(picked) = select(ui, tr("crews.field.agent"), &names, chosen, width) {
        draft.remember();
        draft.now.steps[at].agent = known[picked].0;
        draft.touched();
    }
    ui.horizontal(|ui| {
        if let Some(id) = own
            && ui.add(Button::new(tr("crews.open_agent")).icon(Icon::ArrowSquareOut).quiet().small()).clicked()
        {
            cx.commands.push(UiCommand::OpenAgent(id));
        }
        if ui.add(Button::new(tr("crews.make_agent")).icon(Icon::Plus).quiet().small()).clicked() {
            cx.commands.run(Action::NewAgent);
        }
    });
}

/// The steps it waits for, as chips; another is added from a list of those that make no circle.
fn depends(ui: &mut Ui, cx: &mut Cx<'_>, draft: &mut Draft, at: usize) -> Option<usize> {
    let tokens = ui.tokens();
    look::label(ui, tr("crews.field.depends"));
    let mut wish = None;
    let mut gone = None;
    let edges = draft.edges();
    let before: Vec<usize> = edges.iter().filter(|(_, to)| *to == at).map(|(from, _)| *from).collect();
    let title = |index: usize| look::short(&draft.now.steps[index].title, 40);
    if before.is_empty() {
        ui.label(tokens.rich(Type::Secondary, tr("crews.step.first")));
    }
    for &from in &before {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = tr_with("crews.step.no_longer", &[("title", &title(from))]);
                if ui.add(IconButton::new(Icon::X, remove).small()).clicked() {
                    gone = Some(from);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let chip = Chip::new(title(from)).icon(Icon::FlowArrow).selectable(false);
                    let response = ui.add(chip).on_hover_text(tr("crews.step.show"));
                    if response.clicked() {
                        wish = Some(from);
                    }
                    if response.has_focus() && ui.input(|i| i.key_pressed(Key::Delete)) {
                        gone = Some(from);
                    }
                });
            });
        });
    }
    // What waits for this step, directly or through others, would close a circle.
    let after = reached(draft.now.steps.len(), &edges, at);
    let free: Vec<usize> =
        (0..draft.now.steps.len()).filter(|other| !after[*other] && !before.contains(other)).collect();
    let mut add = None;
    if !free.is_empty() {
        let mut names = vec![tr("crews.step.add_before").to_owned()];
        names.extend(free.iter().map(|other| title(*other)));
        let width = ui.available_width();
        if let Some(picked) = select(ui, tr("crews.step.add_before"), &names, 0, width) {
            add = picked.checked_sub(1).map(|picked| free[picked]);
        }
    }
    let follows: Vec<usize> = edges.iter().filter(|(from, _)| *from == at).map(|(_, to)| *to).collect();
    if !follows.is_empty() {
        look::label(ui, tr("crews.step.followed_by"));
        ui.horizontal_wrapped(|ui| {
            for to in follows {
                if ui.add(Chip::new(title(to)).icon(Icon::ArrowRight).selectable(false)).clicked() {
                    wish = Some(to);
                }
            }
        });
    }
    if let Some(from) = gone {
        draft.disconnect(from, at);
    }
    if let Some(from) = add {
        super::connect(cx, draft, from, at);
    }
    wish
}

/// This step and all that follow from it.
fn reached(count: usize, edges: &[(usize, usize)], from: usize) -> Vec<bool> {
    let mut found = vec![false; count];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut found[at], true) {
            open.extend(edges.iter().filter(|(from, _)| *from == at).map(|(_, to)| *to));
        }
    }
    found
}
