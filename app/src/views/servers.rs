//! Servers of tools: what is set up, how each is doing and confined, what it offers, and a place to try it.

mod hosted;
mod offer;
mod outcome;
mod rows_of_servers;
mod server_form;

use egui::Ui;

use super::{Cx, View};
use crate::commands::pages::servers::ServersCommand;
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, UiExt};
use crate::text::tr;
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, IconButton, column_header, page_header, states};

#[derive(Default)]
pub struct ServersView {
    form: Option<server_form::Form>,
    hosted: hosted::Hosted,
}

impl View for ServersView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let page = &cx.state.pages.servers;
        self.form = match page.editing {
            Some(editing) => server_form::Form::kept(self.form.take(), editing, page),
            None => None,
        };
        let all = ui.max_rect();
        if let Some(form) = &mut self.form {
            column(ui, "server form", all, false, |ui| form.ui(ui, cx));
            return;
        }
        let Some(list) = page.list.get() else {
            column(ui, "servers page", all, false, |ui| {
                page_header(ui, tr("page.servers"), |_| {});
                match page.list.error() {
                    Some(error) => {
                        if states::error(ui, error) {
                            push(cx, ServersCommand::Refresh);
                        }
                    }
                    None => states::loading(ui, tr("servers.loading")),
                }
            });
            return;
        };
        let Some(chosen) = page.chosen() else {
            column(ui, "servers page", all, false, |ui| {
                page_header(ui, tr("page.servers"), |_| {});
                states::empty(ui, Icon::Plugs, tr("servers.none"), tr("servers.none_detail"), |ui| {
                    if ui.add(Button::new(Action::AddServer.name()).icon(Icon::Plus).primary()).clicked() {
                        cx.commands.run(Action::AddServer);
                    }
                });
            });
            return;
        };
        let columns = Columns::new(all, tokens, true, false);
        let narrow = columns.list.is_none();
        let list_here = narrow && !page.is_chosen();
        if let Some(rect) = columns.list.or(list_here.then_some(columns.centre)) {
            column(ui, "servers", rect, !list_here, |ui| {
                column_header(ui, tr("page.servers"), |ui| {
                    if ui.add(IconButton::new(Icon::Plus, Action::AddServer.name())).clicked() {
                        cx.commands.run(Action::AddServer);
                    }
                });
                rows_of_servers::ui(ui, cx, list);
            });
        }
        if !list_here {
            column(ui, "server", columns.centre, false, |ui| self.hosted.ui(ui, cx, chosen, narrow));
        }
    }
}

fn push(cx: &mut Cx<'_>, command: ServersCommand) {
    cx.commands.push(UiCommand::Servers(command));
}

#[cfg(test)]
mod tests;
