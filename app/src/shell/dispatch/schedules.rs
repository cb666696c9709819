//! Commands of the page "Schedules".

use rspa_core::api::request::schedules::{
    CreateSchedule, DeleteSchedule, EnableSchedule, RunScheduleNow, SwitchBackgroundAgent, UpdateSchedule,
};
use rspa_core::model::{Schedule, ScheduleId};

use super::trash::offer_undo;
use crate::commands::UiCommand;
use crate::commands::pages::schedules::SchedulesCommand;
use crate::shell::Shell;
use crate::state::{AppState, NoticeAction, NoticeKind, Page};
use crate::text::{tr, tr_with};

impl Shell {
    pub(super) fn schedules(&mut self, command: SchedulesCommand) {
        let page = &mut self.state.pages.schedules;
        match command {
            SchedulesCommand::Refresh => self.state.pages.opened(Page::Schedules),
            SchedulesCommand::Choose(chosen) => page.choose(chosen),
            SchedulesCommand::Preview(timing) => page.preview(timing),
            SchedulesCommand::FormOpened => page.wants_form = false,
            SchedulesCommand::Save { id: None, draft } => {
                self.engine
                    .send(&mut self.state, CreateSchedule { draft: *draft }, |state, _, made| saved(state, &made));
            }
            SchedulesCommand::Save { id: Some(id), draft } => {
                self.engine
                    .send(&mut self.state, UpdateSchedule { id, draft: *draft }, |state, _, made| saved(state, &made));
            }
            SchedulesCommand::Enable { id, enabled } => {
                self.engine.send(&mut self.state, EnableSchedule { id, enabled }, |state, _, _| {
                    state.pages.opened(Page::Schedules);
                });
            }
            SchedulesCommand::RunNow(id) => {
                self.engine.send(&mut self.state, RunScheduleNow { id }, |state, _, task| {
                    let then = Box::new(UiCommand::OpenTask(task.id));
                    let action = NoticeAction { label: tr("schedules.open_task").to_owned(), then };
                    let title = tr("schedules.ran_now");
                    state.notices.push_with(state.now, NoticeKind::Done, title, task.title, action);
                });
            }
            SchedulesCommand::Delete(id) => {
                self.engine.send(&mut self.state, DeleteSchedule { id }, |state, _, item| {
                    state.pages.schedules.choose(None);
                    state.pages.opened(Page::Schedules);
                    offer_undo(state, &item, None);
                });
            }
            SchedulesCommand::Switch { kind, on, values } => {
                self.engine.send(&mut self.state, SwitchBackgroundAgent { kind, on, values }, |state, _, agent| {
                    let key = if agent.on { "schedules.switched_on" } else { "schedules.switched_off" };
                    state.notices.push(state.now, NoticeKind::Done, tr_with(key, &[("name", &agent.name)]), "");
                    state.pages.schedules.saved += 1;
                    state.pages.opened(Page::Schedules);
                });
            }
        }
    }

    /// Opens the page "Schedules" at this one.
    pub(super) fn show_schedule(&mut self, id: ScheduleId) {
        self.state.pages.schedules.choose(Some(id));
        self.open_page(Page::Schedules);
    }

    /// Opens the page "Schedules" with the form for a new one.
    pub(super) fn new_schedule(&mut self) {
        self.state.pages.schedules.wants_form = true;
        self.open_page(Page::Schedules);
    }
}

fn saved(state: &mut AppState, schedule: &Schedule) {
    state.pages.schedules.saved += 1;
    state.pages.schedules.choose(Some(schedule.id));
    state.pages.opened(Page::Schedules);
}
