//! The dialog that adds a page of the web: its address, what the network policy says, how fetching goes, why it failed.

use egui::{Context, Id, Key, Label};

use super::Shell;
use super::dispatch::put_source;
use crate::commands::consent;
use crate::design::{Icon, Type, UiExt};
use crate::state::{AppState, NoticeKind};
use crate::text::{sentence, short, tr, tr_with};
use crate::widgets::{Button, TextField, Tone, dialog, progress_bar, speak_as, states};

/// Letters of an address that are shown.
const SHOWN: usize = 300;

pub(super) struct PageDialog {
    address: String,
    /// The field has had the keyboard once.
    begun: bool,
}

enum Wish {
    Close,
    Fetch,
}

impl Shell {
    /// Opens the dialog with this address in its field.
    pub(super) fn type_page(&mut self, address: String) {
        if !self.state.knowledge.page.is_waiting() {
            self.state.knowledge.page.clear();
        }
        self.page_dialog = Some(PageDialog { address, begun: false });
    }

    pub(super) fn page_dialog(&mut self, ctx: &Context) {
        if let Some(status) = self.state.knowledge.page.get().cloned() {
            self.state.knowledge.page.clear();
            self.page_dialog = None;
            let title = tr_with("source.page_added", &[("name", &short(&status.source.name, SHOWN))]);
            self.state.notices.push(self.state.now, NoticeKind::Done, title, tr("source.page_added_detail"));
            put_source(&mut self.state, status);
            // The pages were drawn already.
            ctx.request_repaint();
        }
        // The question about the host lies over it.
        if self.confirmation.is_some() {
            return;
        }
        let Some(page) = &mut self.page_dialog else { return };
        match page.ui(ctx, &self.state) {
            None => {}
            Some(Wish::Close) => {
                // What is under way ends with its question.
                self.state.knowledge.page.clear();
                self.page_dialog = None;
            }
            Some(Wish::Fetch) => {
                if let Some(question) = consent::page(&page.address) {
                    self.state.knowledge.page.clear();
                    self.queue.push(question);
                }
            }
        }
    }
}

impl PageDialog {
    fn ui(&mut self, ctx: &Context, state: &AppState) -> Option<Wish> {
        let tokens = ctx.tokens();
        let waiting = state.knowledge.page.is_waiting();
        let mut wish = None;
        let ((), left) = dialog::modal(ctx, Id::unique("page-dialog"), tokens.size.dialog, |ui| {
            egui::Frame::new().inner_margin(tokens.space.xl as i8).show(ui, |ui| {
                let title = ui.label(tokens.rich(Type::Heading, tr("page_dialog.title")));
                speak_as(ui, &title, egui::Role::Heading, tr("page_dialog.title"));
                ui.add_space(tokens.space.s);
                ui.add(Label::new(tokens.rich(Type::Secondary, tr("page_dialog.detail"))).wrap());
                ui.add_space(tokens.space.m);
                let host = consent::host_of_page(&self.address);
                let typed = !self.address.trim().is_empty();
                let entered = ui
                    .add_enabled_ui(!waiting, |ui| {
                        let field = TextField::new(&mut self.address, tr("page_dialog.address")).icon(Icon::Globe);
                        let id = Id::unique("page-dialog-address");
                        let field = field.hint(tr("page_dialog.hint")).id(id).problem(typed && host.is_none()).show(ui);
                        if !std::mem::replace(&mut self.begun, true) {
                            field.request_focus();
                        }
                        field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
                    })
                    .inner;
                ui.add_space(tokens.space.s);
                let blocked = state.network.as_ref().is_some_and(|network| network.forbid_cloud);
                match (waiting, state.knowledge.page.error(), &host) {
                    (true, ..) => {
                        let host = host.clone().unwrap_or_default();
                        let words = tr_with("page_dialog.fetching", &[("host", &short(&host, SHOWN))]);
                        ui.label(tokens.rich(Type::Secondary, &words));
                        ui.add_space(tokens.space.xs);
                        progress_bar(ui, &words, None, ui.available_width());
                    }
                    (_, Some(error), _) => {
                        let text = format!("{}. {}", sentence(error.message.trim_end_matches('.')), error.advice);
                        states::banner(ui, Tone::Bad, Icon::WarningCircle, &text);
                    }
                    (_, _, None) if typed => {
                        let words = tokens.rich(Type::Secondary, tr("page_dialog.wrong")).color(tokens.color.bad);
                        ui.add(Label::new(words).wrap());
                    }
                    _ if blocked => {
                        states::banner(ui, Tone::Warn, Icon::Prohibit, tr("page_dialog.forbidden"));
                    }
                    (_, _, Some(host)) => {
                        let words = tr_with("page_dialog.goes_to", &[("host", &short(host, SHOWN))]);
                        ui.add(Label::new(tokens.rich(Type::Secondary, words)).wrap());
                    }
                    _ => {}
                }
                ui.add_space(tokens.space.l);
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let fetch = Button::new(tr("page_dialog.go")).primary().enabled(!waiting && host.is_some());
                    let fetch = ui.add(fetch).clicked();
                    if ui.add(Button::new(tr("common.cancel"))).clicked() {
                        wish = Some(Wish::Close);
                    }
                    if !waiting && host.is_some() && (fetch || entered) {
                        wish = Some(Wish::Fetch);
                    }
                });
            });
        });
        let escaped = left || ctx.input(|input| input.key_pressed(Key::Escape));
        wish.or_else(|| escaped.then_some(Wish::Close))
    }
}
