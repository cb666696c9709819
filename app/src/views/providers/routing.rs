//! Which model answers what: rules in order, what is tried when one fails, and a look at what would answer now.

use egui::{Align, Label, Layout, Ui};
use rspa_core::model::{AgentId, ModelId, RouteRule, Routing, WorkKind};

use super::{phrases, push};
use crate::commands::pages::providers::ProvidersCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::text::{short, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{
    Button, Chip, IconButton, TextField, Tone, card, menu, page_body, section_title, select, states, toggle,
};

#[derive(Default)]
pub struct RoutingView {
    /// What is in force when the draft began, and the draft.
    draft: Option<(Routing, Routing)>,
    /// For the look at what would answer.
    work: WorkKind,
    agent: Option<AgentId>,
}

impl RoutingView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let page = &cx.state.pages.providers;
        let Some(in_force) = page.routing.get() else {
            match page.routing.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, ProvidersCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("providers.routing.loading")),
            }
            return;
        };
        // What was saved, or came from elsewhere while nothing was changed here, is taken over.
        match &self.draft {
            Some((base, draft)) if base != draft && draft != in_force => {}
            _ => self.draft = Some((in_force.clone(), in_force.clone())),
        }
        page_body(ui, 900.0, |ui| self.body(ui, cx));
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let Some((base, draft)) = &mut self.draft else { return };
        let changed = base != draft;
        ui.horizontal(|ui| {
            section_title(ui, tr("providers.routing.rules"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if changed {
                    let ready = draft.rules.iter().all(|rule| !rule.name.trim().is_empty() && !rule.model.0.is_empty());
                    if ui
                        .add(Button::new(tr("providers.form.save")).icon(Icon::Check).primary().enabled(ready))
                        .clicked()
                    {
                        push(cx, ProvidersCommand::SetRouting(Box::new(draft.clone())));
                    }
                    if ui.add(Button::new(tr("providers.routing.discard")).quiet()).clicked() {
                        *draft = base.clone();
                    }
                    ui.label(tokens.rich(Type::Secondary, tr("providers.routing.unsaved")).color(tokens.color.warn));
                }
            });
        });
        ui.add(Label::new(tokens.rich(Type::Secondary, tr("providers.routing.rules_text"))).wrap());
        ui.add_space(tokens.space.s);
        let models = phrases::choices(cx.state);
        let mut moved = None;
        let count = draft.rules.len();
        for (at, rule) in draft.rules.iter_mut().enumerate() {
            ui.push_id(at, |ui| {
                if let Some(to) = rule_card(ui, cx, at, count, rule, &models) {
                    moved = Some((at, to));
                }
            });
            ui.add_space(tokens.space.s);
        }
        if draft.rules.is_empty() {
            ui.label(tokens.rich(Type::Secondary, tr("providers.routing.none")));
            ui.add_space(tokens.space.xs);
        }
        match moved {
            Some((at, Move::Up)) => draft.rules.swap(at, at - 1),
            Some((at, Move::Down)) => draft.rules.swap(at, at + 1),
            Some((at, Move::Away)) => drop(draft.rules.remove(at)),
            None => {}
        }
        let add = Button::new(tr("providers.routing.add")).icon(Icon::Plus).small().enabled(!models.is_empty());
        if ui.add(add).clicked()
            && let Some((model, _)) = models.first()
        {
            let name = tr_with("providers.routing.new_name", &[("n", &(count + 1))]);
            let rule = RouteRule { name, enabled: true, work: Vec::new(), agents: Vec::new(), model: model.clone() };
            draft.rules.push(rule);
        }
        ui.add_space(tokens.space.xl);
        fallback(ui, cx, &mut draft.fallback, &models);
        ui.add_space(tokens.space.xl);
        let routing = draft.clone();
        self.tester(ui, cx, &routing);
    }

    /// What would answer, by the rules as they stand here.
    fn tester(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, routing: &Routing) {
        let tokens = ui.tokens();
        section_title(ui, tr("providers.routing.tester"));
        ui.add_space(tokens.space.xs);
        ui.horizontal(|ui| {
            let names: Vec<String> = WorkKind::ALL.iter().map(|work| work_name(*work).to_owned()).collect();
            let at = WorkKind::ALL.iter().position(|work| *work == self.work).unwrap_or_default();
            if let Some(picked) = select(ui, tr("providers.routing.work"), &names, at, 150.0) {
                self.work = WorkKind::ALL[picked];
            }
            let agents = cx.state.pages.providers.agents.get().map_or(&[][..], Vec::as_slice);
            let mut names = vec![tr("providers.routing.no_agent").to_owned()];
            names.extend(agents.iter().map(|agent| short(&agent.settings.name, 60)));
            let at = agents.iter().position(|agent| Some(agent.id) == self.agent).map_or(0, |at| at + 1);
            if let Some(picked) = select(ui, tr("providers.routing.agent"), &names, at, 200.0) {
                self.agent = picked.checked_sub(1).map(|at| agents[at].id);
            }
        });
        ui.add_space(tokens.space.xs);
        let (answer, passed) = answers(cx.state, routing, self.work, self.agent);
        for words in passed {
            ui.horizontal(|ui| {
                ui.label(Icon::MinusCircle.rich(14.0).color(tokens.color.text_3));
                ui.add(Label::new(tokens.rich(Type::Secondary, words)).wrap());
            });
        }
        states::banner(ui, Tone::Neutral, Icon::ArrowRight, &answer);
    }
}

/// What is done with a rule.
#[derive(Clone, Copy)]
enum Move {
    Up,
    Down,
    Away,
}

fn rule_card(
    ui: &mut Ui,
    cx: &Cx<'_>,
    at: usize,
    count: usize,
    rule: &mut RouteRule,
    models: &[(ModelId, String)],
) -> Option<Move> {
    let tokens = ui.tokens();
    let mut moved = None;
    let name = short(&rule.name, 60);
    card(ui, |ui| {
        ui.take_available_width();
        ui.horizontal(|ui| {
            ui.label(tokens.rich(Type::Strong, format!("{}.", at + 1)));
            let title = tr("providers.routing.name");
            TextField::new(&mut rule.name, title).width(ui.available_width().min(280.0) - 20.0).show(ui);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let button =
                    |icon, key: &str, on| IconButton::new(icon, tr_with(key, &[("name", &name)])).small().enabled(on);
                if ui.add(button(Icon::Trash, "providers.routing.remove", true)).clicked() {
                    moved = Some(Move::Away);
                }
                if ui.add(button(Icon::ArrowDown, "providers.routing.down", at + 1 < count)).clicked() {
                    moved = Some(Move::Down);
                }
                if ui.add(button(Icon::ArrowUp, "providers.routing.up", at > 0)).clicked() {
                    moved = Some(Move::Up);
                }
                toggle(ui, &mut rule.enabled, &tr_with("providers.routing.use_rule", &[("name", &name)]));
            });
        });
        ui.add_space(tokens.space.s);
        ui.horizontal_wrapped(|ui| {
            ui.label(tokens.rich(Type::Secondary, tr("providers.routing.when")));
            for work in WorkKind::ALL {
                let on = rule.work.contains(&work);
                if ui.add(Chip::new(work_name(work)).selectable(on)).clicked() {
                    flip(&mut rule.work, work);
                }
            }
            if rule.work.is_empty() {
                ui.label(tokens.rich(Type::Label, tr("providers.routing.any_work")));
            }
        });
        ui.add_space(tokens.space.xs);
        agents(ui, cx, rule, &name);
        ui.add_space(tokens.space.xs);
        ui.horizontal(|ui| {
            ui.label(tokens.rich(Type::Secondary, tr("providers.routing.then")));
            let title = tr_with("providers.routing.model_of", &[("name", &name)]);
            if let Some(picked) = model_select(ui, &title, &rule.model, models) {
                rule.model = picked;
            }
        });
    });
    moved
}

fn agents(ui: &mut Ui, cx: &Cx<'_>, rule: &mut RouteRule, name: &str) {
    let tokens = ui.tokens();
    let all = cx.state.pages.providers.agents.get().map_or(&[][..], Vec::as_slice);
    ui.horizontal_wrapped(|ui| {
        ui.label(tokens.rich(Type::Secondary, tr("providers.routing.for")));
        let mut gone = None;
        for id in &rule.agents {
            let known = all.iter().find(|agent| agent.id == *id);
            let words = known
                .map_or_else(|| tr("providers.routing.agent_gone").to_owned(), |agent| short(&agent.settings.name, 40));
            let chip = Chip::new(words.clone()).icon(Icon::X).selectable(true);
            if ui.add(chip).on_hover_text(tr_with("providers.routing.not_for", &[("name", &words)])).clicked() {
                gone = Some(*id);
            }
        }
        if let Some(id) = gone {
            rule.agents.retain(|own| *own != id);
        }
        if rule.agents.is_empty() {
            ui.label(tokens.rich(Type::Label, tr("providers.routing.any_agent")));
        }
        let others: Vec<_> = all.iter().filter(|agent| !rule.agents.contains(&agent.id)).collect();
        let title = tr_with("providers.routing.add_agent", &[("name", &name)]);
        let button = ui.add(IconButton::new(Icon::Plus, title).small().enabled(!others.is_empty()));
        menu(&button).show(|ui| {
            egui::ScrollArea::vertical().max_height(240.0).show(ui, |ui| {
                for agent in others {
                    if ui.button(short(&agent.settings.name, 40)).clicked() {
                        rule.agents.push(agent.id);
                    }
                }
            });
        });
    });
}

/// The model, also one that is not known now.
fn model_select(ui: &mut Ui, title: &str, now: &ModelId, models: &[(ModelId, String)]) -> Option<ModelId> {
    let mut names: Vec<String> = models.iter().map(|(_, name)| name.clone()).collect();
    let at = models.iter().position(|(id, _)| id == now).unwrap_or_else(|| {
        names.push(tr_with("providers.routing.model_gone", &[("name", &short(&now.0, 60))]));
        names.len() - 1
    });
    select(ui, title, &names, at, 320.0).and_then(|picked| models.get(picked)).map(|(id, _)| id.clone())
}

fn fallback(ui: &mut Ui, cx: &Cx<'_>, chain: &mut Vec<ModelId>, models: &[(ModelId, String)]) {
    let tokens = ui.tokens();
    section_title(ui, tr("providers.routing.fallback"));
    ui.add(Label::new(tokens.rich(Type::Secondary, tr("providers.routing.fallback_text"))).wrap());
    ui.add_space(tokens.space.s);
    let mut moved = None;
    let count = chain.len();
    for (at, model) in chain.iter().enumerate() {
        ui.push_id(at, |ui| {
            ui.horizontal(|ui| {
                let name = phrases::model_name(cx.state, model);
                ui.label(tokens.rich(Type::Secondary, format!("{}.", at + 1)));
                ui.add(Chip::new(name.clone()).icon(Icon::Cube));
                let button =
                    |icon, key: &str, on| IconButton::new(icon, tr_with(key, &[("name", &name)])).small().enabled(on);
                if ui.add(button(Icon::ArrowUp, "providers.routing.up", at > 0)).clicked() {
                    moved = Some((at, Move::Up));
                }
                if ui.add(button(Icon::ArrowDown, "providers.routing.down", at + 1 < count)).clicked() {
                    moved = Some((at, Move::Down));
                }
                if ui.add(button(Icon::X, "providers.routing.remove", true)).clicked() {
                    moved = Some((at, Move::Away));
                }
            });
        });
    }
    match moved {
        Some((at, Move::Up)) => chain.swap(at, at - 1),
        Some((at, Move::Down)) => chain.swap(at, at + 1),
        Some((at, Move::Away)) => drop(chain.remove(at)),
        None => {}
    }
    ui.horizontal(|ui| {
        ui.label(tokens.rich(Type::Secondary, format!("{}.", chain.len() + 1)));
        ui.add(Chip::new(tr("providers.routing.last")).icon(Icon::Cpu).tone(Tone::Ok));
        ui.label(tokens.rich(Type::Label, tr("providers.routing.last_text")));
    });
    ui.add_space(tokens.space.xs);
    let others: Vec<_> = models.iter().filter(|(id, _)| !chain.contains(id)).collect();
    let button = Button::new(tr("providers.routing.add_fallback")).icon(Icon::Plus).small();
    let button = ui.add(button.enabled(!others.is_empty()));
    menu(&button).show(|ui| {
        egui::ScrollArea::vertical().max_height(280.0).show(ui, |ui| {
            for (id, name) in others {
                if ui.button(name.as_str()).clicked() {
                    chain.push(id.clone());
                }
            }
        });
    });
}

fn flip(all: &mut Vec<WorkKind>, work: WorkKind) {
    match all.iter().position(|own| *own == work) {
        Some(at) => drop(all.remove(at)),
        None => all.push(work),
    }
    all.sort();
}

fn work_name(work: WorkKind) -> &'static str {
    match work {
        WorkKind::Chat => tr("providers.work.chat"),
        WorkKind::Task => tr("providers.work.task"),
        WorkKind::Crew => tr("providers.work.crew"),
        WorkKind::Summary => tr("providers.work.summary"),
    }
}

/// Which model would answer, and which rules fit but cannot be followed now, each with why.
fn answers(state: &AppState, routing: &Routing, work: WorkKind, agent: Option<AgentId>) -> (String, Vec<String>) {
    let mut passed = Vec::new();
    let why_not = |model: &ModelId| -> Option<String> {
        let (id, _) = model.split();
        if id.is_embedded() {
            let there = state.models.list.get().is_some_and(|list| list.models.iter().any(|known| known.id == *model));
            return (!there).then(|| tr("providers.routing.not_installed").to_owned());
        }
        let Some(status) = state.pages.providers.provider(&id) else {
            return Some(tr("providers.routing.no_provider").to_owned());
        };
        (!status.state.usable() || !status.settings.enabled).then(|| phrases::state(status).1)
    };
    let fits = |rule: &&RouteRule| {
        rule.enabled
            && (rule.work.is_empty() || rule.work.contains(&work))
            && (rule.agents.is_empty() || agent.is_some_and(|agent| rule.agents.contains(&agent)))
    };
    for rule in routing.rules.iter().filter(fits) {
        let (name, model) = (short(&rule.name, 60), phrases::model_name(state, &rule.model));
        match why_not(&rule.model) {
            None => return (tr_with("providers.routing.by_rule", &[("model", &model), ("name", &name)]), passed),
            Some(why) => {
                passed.push(tr_with("providers.routing.passed", &[("name", &name), ("model", &model), ("why", &why)]))
            }
        }
    }
    let own = state.chat_model();
    let answer = own.map_or_else(
        || tr("providers.routing.nothing").to_owned(),
        |model| tr_with("providers.routing.by_default", &[("model", &short(&model.info.name, 60))]),
    );
    (answer, passed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn the_first_rule_that_fits_and_can_be_followed_answers() {
        let state = fixtures::state();
        let own = fixtures::model().id;
        let rule = |name: &str, work: &[WorkKind], model: &str| RouteRule {
            name: name.into(),
            enabled: true,
            work: work.to_vec(),
            agents: vec![],
            model: ModelId(model.into()),
        };
        let rules = vec![rule("Away", &[], "cloud/big"), rule("Chats", &[WorkKind::Chat], &own.0)];
        let routing = Routing { rules, fallback: vec![] };
        let (answer, passed) = answers(&state, &routing, WorkKind::Chat, None);
        assert!(answer.contains("Chats") && passed.len() == 1 && passed[0].contains("Away"), "{answer} {passed:?}");
        let (answer, _) = answers(&state, &routing, WorkKind::Task, None);
        assert!(answer.contains("SmolLM2-135M") && !answer.contains("Chats"), "{answer}");
    }
}
