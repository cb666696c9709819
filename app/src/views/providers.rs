//! Providers of models: this program and servers, how each is doing, which of their models answers what and why, and the
//! answers that are kept.

mod cached;
mod offered;
mod phrases;
mod provider;
mod provider_form;
mod roster;
mod routing;

use egui::Ui;

use super::{Cx, View};
use crate::commands::pages::providers::ProvidersCommand;
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, UiExt};
use crate::state::pages::providers::Part;
use crate::text::tr;
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, page_header, states};

const PARTS: [(Part, &str); 3] = [
    (Part::Servers, "providers.part.servers"),
    (Part::Routing, "providers.part.routing"),
    (Part::Cache, "providers.part.cache"),
];

#[derive(Default)]
pub struct ProvidersView {
    form: Option<provider_form::Form>,
    offered: offered::Offered,
    routing: routing::RoutingView,
}

impl View for ProvidersView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let page = &cx.state.pages.providers;
        let all = ui.max_rect();
        self.form = match &page.editing {
            Some(editing) => provider_form::Form::kept(self.form.take(), editing, page),
            None => None,
        };
        column(ui, "providers page", all, false, |ui| {
            if let Some(form) = &mut self.form {
                form.ui(ui, cx);
                return;
            }
            header(ui, cx);
            match page.part {
                Part::Servers => self.servers(ui, cx),
                Part::Routing => self.routing.ui(ui, cx),
                Part::Cache => cached::ui(ui, cx),
            }
        });
    }
}

impl ProvidersView {
    fn servers(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let page = &cx.state.pages.providers;
        let Some(list) = page.list.get() else {
            match page.list.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, ProvidersCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("providers.loading")),
            }
            return;
        };
        let columns = Columns::new(ui.available_rect_before_wrap(), tokens, true, false);
        // Where there is room for one column only, the list stands there until something is chosen.
        let narrow = columns.list.is_none();
        let list_here = narrow && !page.is_chosen();
        if let Some(rect) = columns.list.or(list_here.then_some(columns.centre)) {
            column(ui, "providers", rect, !list_here, |ui| roster::ui(ui, cx, list));
        }
        if list_here {
            return;
        }
        column(ui, "provider", columns.centre, false, |ui| match page.chosen() {
            Some(status) => provider::ui(ui, cx, status, narrow, &mut self.offered),
            None => states::empty(ui, Icon::PlugsConnected, tr("providers.none"), tr("providers.none_detail"), |ui| {
                if ui.add(Button::new(Action::AddProvider.name()).icon(Icon::Plus)).clicked() {
                    cx.commands.run(Action::AddProvider);
                }
            }),
        });
    }
}

fn header(ui: &mut Ui, cx: &mut Cx<'_>) {
    page_header(ui, tr("page.providers"), |ui| {
        ui.spacing_mut().item_spacing.x = ui.tokens().space.xs;
        if ui.add(Button::new(Action::AddProvider.name()).icon(Icon::Plus).primary()).clicked() {
            cx.commands.run(Action::AddProvider);
        }
        ui.add_space(ui.tokens().space.s);
        let now = cx.state.pages.providers.part;
        // From the right.
        for (part, key) in PARTS.iter().rev() {
            if ui.add(Button::new(tr(key)).quiet().selected(now == *part)).clicked() {
                push(cx, ProvidersCommand::ShowPart(*part));
            }
        }
    });
}

fn push(cx: &mut Cx<'_>, command: ProvidersCommand) {
    cx.commands.push(UiCommand::Providers(command));
}

#[cfg(test)]
mod tests;
