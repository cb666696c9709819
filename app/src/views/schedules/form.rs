//! The form: when, what, by whom; it says in words what a timing means while it is typed.

mod when;

use egui::{Label, ScrollArea, Ui};
use rspa_core::model::{
    AgentId, AgentStatus, Missed, Priority, Schedule, ScheduleDraft, ScheduleId, TaskTemplate, Timestamp, Timing,
    one_line,
};

use self::when::When;
use super::push;
use crate::commands::pages::schedules::SchedulesCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{sentence, tr, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{Button, TextField, Tone, column_header, section_title, select, states};

pub struct Form {
    id: Option<ScheduleId>,
    /// What the form does not show stays as it was.
    base: ScheduleDraft,
    when: When,
    /// How often something had been saved when it was opened.
    opened_at: u64,
}

impl Form {
    /// For a new one; `saved` is how often something was saved before.
    pub fn new(saved: u64) -> Self {
        let template = TaskTemplate {
            agent: None,
            title: String::new(),
            description: String::new(),
            priority: Priority::default(),
            input: serde_json::Value::Null,
            labels: Vec::new(),
            max_retries: None,
            time_limit_s: None,
        };
        let timing = Timing::Cron { expression: "0 7 * * 1-5".to_owned(), zone: String::new() };
        let base = ScheduleDraft {
            name: String::new(),
            timing,
            template,
            variables: Default::default(),
            missed: Missed::default(),
            enabled: true,
        };
        Self { id: None, when: When::of(&base.timing), base, opened_at: saved }
    }

    pub fn of(schedule: &Schedule, saved: u64) -> Self {
        let base = schedule.settings.clone();
        Self { id: Some(schedule.id), when: When::of(&base.timing), base, opened_at: saved }
    }

    /// Something was saved since it was opened.
    pub fn is_saved(&self, saved: u64) -> bool {
        saved > self.opened_at
    }

    /// False when it is to be closed.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
        let tokens = ui.tokens();
        let mut open = true;
        let title = if self.id.is_some() { tr("schedules.edit") } else { tr("schedules.new") };
        let timing = self.when.timing(&self.base.timing, cx.state.now);
        let ready = timing.is_ok() && !self.base.name.trim().is_empty();
        column_header(ui, title, |ui| {
            let save = Button::new(tr("schedules.save")).primary().enabled(ready);
            if ui.add(save).clicked()
                && let Ok(timing) = &timing
            {
                push(cx, SchedulesCommand::Save { id: self.id, draft: Box::new(self.draft(timing.clone())) });
            }
            if ui.add(Button::new(tr("schedules.cancel")).quiet()).clicked() {
                open = false;
            }
        });
        ScrollArea::vertical().id_salt("schedule form").auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.l, |ui| {
                field(ui, tr("schedules.name"), "", &mut self.base.name);
                section(ui, tr("schedules.when"));
                self.when.ui(ui);
                match self.when.timing(&self.base.timing, cx.state.now) {
                    Ok(timing) => preview(ui, cx, &timing),
                    Err(why) => drop(ui.add(Label::new(tokens.rich(Type::Secondary, why)).wrap())),
                }
                section(ui, tr("schedules.what"));
                self.task(ui, cx);
                if !self.when.is_trigger() {
                    section(ui, tr("schedules.missed_title"));
                    let all = [Missed::Skip, Missed::RunOnce, Missed::RunAll];
                    let words = all.map(|missed| super::detail::missed_words(missed).to_owned());
                    let now = all.iter().position(|missed| *missed == self.base.missed).unwrap_or(0);
                    let width = ui.available_width();
                    if let Some(picked) = select(ui, tr("schedules.missed_title"), &words, now, width) {
                        self.base.missed = all[picked];
                    }
                }
            });
        });
        open
    }

    fn task(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let tokens = ui.tokens();
        let template = &mut self.base.template;
        field(ui, tr("schedules.title"), tr("schedules.title_hint"), &mut template.title);
        ui.label(tokens.rich(Type::Label, tr("schedules.description")));
        area(ui, &mut template.description);
        ui.add_space(tokens.space.xs);
        ui.label(tokens.rich(Type::Label, tr("schedules.agent")));
        let agents = cx.state.pages.schedules.agents.get().map(Vec::as_slice).unwrap_or_default();
        let mut names = vec![tr("tasks.form.nobody").to_owned()];
        names.extend(agents.iter().map(|agent| {
            let name = one_line(&agent.settings.name).into_owned();
            match agent.status {
                AgentStatus::Active => name,
                _ => tr_with("tasks.form.inactive", &[("name", &name)]),
            }
        }));
        let known = |id: AgentId| agents.iter().position(|agent| agent.id == id).map(|at| at + 1);
        let chosen = template.agent.and_then(known).unwrap_or(0);
        let width = ui.available_width();
        if let Some(picked) = select(ui, tr("schedules.agent"), &names, chosen, width) {
            template.agent = picked.checked_sub(1).and_then(|at| agents.get(at)).map(|agent| agent.id);
        }
        let chosen = template.agent.and_then(|id| agents.iter().find(|agent| agent.id == id));
        if chosen.is_some_and(|agent| agent.status != AgentStatus::Active) {
            states::banner(ui, Tone::Warn, Icon::Warning, tr("tasks.form.agent_inactive"));
        }
        ui.add_space(tokens.space.xs);
        let names = self.when.names();
        ui.add(Label::new(tokens.rich(Type::Label, tr_with("schedules.variables", &[("names", &names)]))).wrap());
    }

    fn draft(&self, timing: Timing) -> ScheduleDraft {
        let mut draft = self.base.clone();
        draft.timing = timing;
        if draft.template.title.trim().is_empty() {
            draft.template.title = draft.name.trim().to_owned();
        }
        draft
    }
}

/// What a timing means, with its next times; asks when it is another one than before.
pub fn preview(ui: &mut Ui, cx: &mut Cx<'_>, timing: &Timing) {
    let tokens = ui.tokens();
    let page = &cx.state.pages.schedules;
    if page.timing.as_ref() != Some(timing) {
        push(cx, SchedulesCommand::Preview(timing.clone()));
    }
    ui.add_space(tokens.space.xs);
    if let Some(error) = page.preview.error() {
        states::banner(ui, Tone::Warn, Icon::Warning, &format!("{}. {}", sentence(&error.message), error.advice));
        return;
    }
    let Some(preview) = page.preview.get() else {
        ui.label(tokens.rich(Type::Secondary, tr("schedules.loading")));
        return;
    };
    ui.add(Label::new(tokens.rich(Type::Strong, &preview.words)).wrap());
    for next in &preview.next {
        ui.add(Label::new(tokens.rich(Type::Secondary, &next.words)).wrap());
    }
}

fn section(ui: &mut Ui, title: &str) {
    let space = ui.tokens().space.m;
    ui.add_space(space);
    section_title(ui, title);
}

/// Several lines of what is to be done.
fn area(ui: &mut Ui, text: &mut String) {
    let tokens = ui.tokens();
    let font = tokens.font(Type::Body);
    let hint = tr("tasks.form.description_hint");
    let hint = egui::RichText::new(hint).font(font.clone()).color(tokens.color.text_3);
    let frame = egui::Frame::new()
        .fill(tokens.color.bg0)
        .stroke(egui::Stroke::new(1.0, tokens.color.line))
        .corner_radius(tokens.radius.control)
        .inner_margin(tokens.space.s as i8);
    let edit = egui::TextEdit::multiline(text)
        .id(egui::Id::unique("schedule description"))
        .hint_text(hint)
        .font(font)
        .frame(frame)
        .desired_rows(4)
        .desired_width(ui.available_width());
    ui.add(edit).accessible_name(tr("schedules.description"));
}

fn field(ui: &mut Ui, name: &str, hint: &str, text: &mut String) {
    let tokens = ui.tokens();
    ui.label(tokens.rich(Type::Label, name));
    TextField::new(text, name).hint(hint).show(ui);
    ui.add_space(tokens.space.xs);
}

/// Local time as it is typed.
fn time_text(at: Timestamp) -> String {
    super::zoned(at).map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}
