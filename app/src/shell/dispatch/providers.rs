//! Commands of the page "Providers".

use rspa_core::api::request::providers::{
    AddProvider, CheckProvider, ClearCache, DeleteProviderModel, GetRouting, PullModel, RemoveProvider, SetRouting,
    UpdateProvider,
};
use rspa_core::model::{ModelId, ProviderId, ProviderState, ProviderStatus, RouteRule, Routing};

use crate::commands::UiCommand;
use crate::commands::pages::providers::ProvidersCommand;
use crate::shell::Shell;
use crate::state::pages::providers::{Editing, Part};
use crate::state::{AppState, NoticeAction, NoticeKind, Page};
use crate::text::{tr, tr_with};

impl Shell {
    pub(super) fn providers(&mut self, command: ProvidersCommand) {
        use ProvidersCommand as P;
        let page = &mut self.state.pages.providers;
        match command {
            P::Refresh => self.state.pages.opened(Page::Providers),
            P::Show(id) => {
                self.open_page(Page::Providers);
                let page = &mut self.state.pages.providers;
                page.close_form();
                page.show_part(Part::Servers);
                page.select(id);
            }
            P::ShowPart(part) => page.show_part(part),
            P::Select(id) => page.select(id),
            P::Edit(editing) => page.edit(editing),
            P::CloseForm => page.close_form(),
            P::Add(draft) => {
                page.saving = true;
                let request = AddProvider { draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, status| saved(state, status), not_saved);
            }
            P::Update { id, draft } => {
                page.saving = true;
                let request = UpdateProvider { id, draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, status| saved(state, status), not_saved);
            }
            P::Remove(id) => {
                self.engine.send(&mut self.state, RemoveProvider { id: id.clone() }, move |state, _, ()| {
                    let page = &mut state.pages.providers;
                    page.select(None);
                    if let Some(list) = page.list.get_mut() {
                        list.retain(|known| known.id != id);
                    }
                    let title = tr_with("providers.told.removed", &[("name", &id)]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                });
            }
            P::Check(id) => self.check_provider(id),
            P::ListModels => page.list_models(),
            P::Pull(model) => {
                let (provider, name) = model.split();
                let (provider, name) = (provider, name.to_owned());
                self.engine.send(&mut self.state, PullModel { id: model }, move |state, _, job| {
                    state.pages.providers.pulls.push((provider, job));
                    let title = tr_with("providers.told.pulling", &[("name", &name)]);
                    state.notices.push(state.now, NoticeKind::Info, title, tr("providers.told.pulling_detail"));
                });
            }
            P::DeleteModel(model) => {
                let request = DeleteProviderModel { id: model.clone() };
                self.engine.send(&mut self.state, request, move |state, _, ()| {
                    if let Some(models) = state.pages.providers.models.get_mut() {
                        models.retain(|known| known.id != model);
                    }
                    let title = tr_with("providers.told.deleted", &[("name", &model)]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                });
            }
            P::UseAsDefault(model) => {
                self.engine.send(&mut self.state, GetRouting {}, move |_, queue, routing| {
                    let routing = Box::new(with_default(routing, model));
                    queue.push(UiCommand::Providers(P::SetRouting(routing)));
                });
            }
            P::SetRouting(routing) => {
                // A refused change: the page shows again what is in force.
                let again = |state: &mut AppState| state.pages.opened(Page::Providers);
                let request = SetRouting { routing: *routing };
                let done = |state: &mut AppState, _: &mut crate::commands::CommandQueue, routing| {
                    state.pages.providers.routing.set(routing);
                    state.notices.push(state.now, NoticeKind::Done, tr("providers.told.routing"), "");
                };
                self.engine.send_or(&mut self.state, request, done, again);
            }
            P::ClearCache => {
                self.engine.send(&mut self.state, ClearCache {}, |state, _, stats| {
                    state.pages.providers.cache.set(stats);
                    state.notices.push(state.now, NoticeKind::Done, tr("providers.told.cleared"), "");
                });
            }
        }
    }

    fn check_provider(&mut self, id: ProviderId) {
        self.state.pages.providers.checking.insert(id.clone());
        let failed = id.clone();
        let told = |state: &mut AppState, _: &mut crate::commands::CommandQueue, status: ProviderStatus| {
            let name = status.settings.name.clone();
            match &status.state {
                ProviderState::Ready => {
                    let title = tr_with("providers.told.ready", &[("name", &name)]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                }
                ProviderState::Unreachable { why }
                | ProviderState::Unauthorised { why }
                | ProviderState::Forbidden { why } => {
                    let title = tr_with("providers.told.not_ready", &[("name", &name)]);
                    let then = Box::new(UiCommand::Providers(ProvidersCommand::Show(Some(status.id.clone()))));
                    let action = NoticeAction { label: tr("providers.told.show").to_owned(), then };
                    state.notices.push_with(state.now, NoticeKind::Warning, title, why.clone(), action);
                }
                _ => {}
            }
            state.pages.providers.put(status);
        };
        self.engine.send_or(&mut self.state, CheckProvider { id }, told, move |state| {
            state.pages.providers.checking.remove(&failed);
        });
    }

    /// Opens the page "Providers" with the form for a new one.
    pub(super) fn new_provider(&mut self) {
        self.open_page(Page::Providers);
        self.state.pages.providers.edit(Editing::New);
    }
}

fn saved(state: &mut AppState, status: ProviderStatus) {
    let title = tr_with("providers.told.saved", &[("name", &status.settings.name)]);
    state.notices.push(state.now, NoticeKind::Done, title, "");
    let page = &mut state.pages.providers;
    page.close_form();
    page.select(Some(status.id.clone()));
    page.put(status);
}

fn not_saved(state: &mut AppState) {
    state.pages.providers.saving = false;
}

/// The rule that holds for all that no other one decides names this model.
fn with_default(mut routing: Routing, model: ModelId) -> Routing {
    let holds_always = |rule: &&mut RouteRule| rule.work.is_empty() && rule.agents.is_empty();
    match routing.rules.last_mut().filter(holds_always) {
        Some(rule) => {
            rule.model = model;
            rule.enabled = true;
        }
        None => {
            let name = tr("providers.routing.default_rule").to_owned();
            routing.rules.push(RouteRule { name, enabled: true, work: Vec::new(), agents: Vec::new(), model });
        }
    }
    routing
}

#[cfg(test)]
mod tests {
    use rspa_core::model::WorkKind;

    use super::*;

    #[test]
    fn the_default_is_the_last_rule_and_there_is_only_one() {
        let chats = RouteRule {
            name: "Chats".into(),
            enabled: true,
            work: vec![WorkKind::Chat],
            agents: vec![],
            model: ModelId("a/b".into()),
        };
        let routing = Routing { rules: vec![chats.clone()], fallback: vec![] };
        let once = with_default(routing, ModelId("a/c".into()));
        let twice = with_default(once, ModelId("a/d".into()));
        assert_eq!(twice.rules.len(), 2);
        assert_eq!((&twice.rules[0], twice.rules[1].model.0.as_str()), (&chats, "a/d"));
    }
}
