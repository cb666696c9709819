//! What the person does with schedules: made, changed, switched, deleted, looked at.

use super::Scheduler;
use crate::api::ApiError;
use crate::model::{
    Happening, Page, PageRequest, Schedule, ScheduleDraft, ScheduleId, ScheduleRun, Task, Timestamp, Timing,
    TimingPreview, TrashItem,
};
use crate::schedules::timing::Rule;
use crate::schedules::{template, triggers, words};
use crate::storage::schedules::{self as stored, Row};
use crate::storage::trash::{self, Deletion};

impl Scheduler {
    /// By name; those that hold `text`.
    ///
    /// # Errors
    /// What the store says.
    pub fn list(&self, text: &str) -> Result<Vec<Schedule>, ApiError> {
        let inner = &self.inner;
        let names = inner.agent_names();
        let needle = text.trim().to_lowercase();
        let says = |text: &str| text.to_lowercase().contains(&needle);
        let takes = |row: &Row| {
            let agent = row.settings.template.agent.and_then(|agent| names.get(&agent));
            needle.is_empty()
                || says(&row.settings.name)
                || says(&row.settings.template.title)
                || agent.is_some_and(|name| says(name))
        };
        let rows = stored::list(&inner.parts.main, inner.parts.profile)?;
        Ok(rows.into_iter().filter(takes).map(|row| inner.shown(row, &names)).collect())
    }

    /// # Errors
    /// There is none of this id.
    pub fn get(&self, id: ScheduleId) -> Result<Schedule, ApiError> {
        let row = stored::get(&self.inner.parts.main, self.inner.parts.profile, id)?;
        Ok(self.inner.shown(row, &self.inner.agent_names()))
    }

    /// Checks a draft and finds its first time; the draft as it is kept.
    fn checked(&self, mut draft: ScheduleDraft) -> Result<(ScheduleDraft, Option<Timestamp>), ApiError> {
        draft.name = draft.name.trim().to_owned();
        template::check(&draft)?;
        let rule = Rule::read(&draft.timing, &(self.inner.parts.here)())?;
        if let Timing::When { trigger } = &draft.timing {
            triggers::check(trigger)?;
        }
        if let Some(agent) = draft.template.agent
            && !self.inner.agent_names().contains_key(&agent)
        {
            return Err(ApiError::validation("this agent does not exist", "Choose another one, or none."));
        }
        let next = match draft.enabled {
            true => rule.first_after(self.inner.now())?,
            false => None,
        };
        Ok((draft, next))
    }

    /// # Errors
    /// The draft cannot be, in words.
    pub fn create(&self, draft: ScheduleDraft) -> Result<Schedule, ApiError> {
        self.create_for(draft, None, false)
    }

    /// As [`Scheduler::create`], for a background agent or as a sample.
    ///
    /// # Errors
    /// The draft cannot be, in words.
    pub fn create_for(
        &self,
        draft: ScheduleDraft,
        background: Option<String>,
        sample: bool,
    ) -> Result<Schedule, ApiError> {
        let parts = &self.inner.parts;
        let (settings, next) = self.checked(draft)?;
        let now = self.inner.now();
        let row = Row {
            id: ScheduleId(parts.ids.next()),
            settings,
            created: now,
            updated: now,
            background,
            sample,
            next,
            last_run: None,
            last_outcome: None,
            last_planned: None,
            runs: 0,
            mark: String::new(),
            ready: true,
        };
        let id = row.id;
        stored::create(&parts.main, parts.profile, row)?;
        self.changed(id, "created")
    }

    /// # Errors
    /// The draft cannot be, in words; there is none of this id.
    pub fn update(&self, id: ScheduleId, draft: ScheduleDraft) -> Result<Schedule, ApiError> {
        let parts = &self.inner.parts;
        let before = stored::get(&parts.main, parts.profile, id)?;
        // What was over may get another title.
        let same = before.settings.timing == draft.timing && before.settings.enabled == draft.enabled;
        let (settings, next) = match same {
            true => {
                let (settings, _) = self.checked(ScheduleDraft { enabled: false, ..draft.clone() })?;
                (ScheduleDraft { enabled: draft.enabled, ..settings }, before.next)
            }
            false => self.checked(draft)?,
        };
        stored::update(&parts.main, parts.profile, id, settings, self.inner.now(), next)?;
        self.inner.set_problem(id, None);
        self.changed(id, "changed")
    }

    /// Switched on, it runs from now on: it does not make up for anything.
    ///
    /// # Errors
    /// Its time has passed for ever; there is none of this id.
    pub fn enable(&self, id: ScheduleId, enabled: bool) -> Result<Schedule, ApiError> {
        let parts = &self.inner.parts;
        let row = stored::get(&parts.main, parts.profile, id)?;
        let next = match enabled {
            true => Rule::read(&row.settings.timing, &(parts.here)())?.first_after(self.inner.now())?,
            false => None,
        };
        stored::set_enabled(&parts.main, parts.profile, id, enabled, self.inner.now(), next)?;
        self.inner.set_problem(id, None);
        self.changed(id, if enabled { "enabled" } else { "disabled" })
    }

    /// Into the trash.
    ///
    /// # Errors
    /// There is none of this id.
    pub fn delete(&self, id: ScheduleId, deletion: Deletion) -> Result<TrashItem, ApiError> {
        let parts = &self.inner.parts;
        let words = self.get(id)?.words;
        let item = trash::schedule(&parts.main, parts.profile, id, &words, deletion)?;
        self.inner.set_problem(id, None);
        self.happened("deleted", &item.title, id);
        self.inner.tell();
        self.wake();
        Ok(item)
    }

    /// # Errors
    /// There is none of this id, or its task cannot be made.
    pub fn run_now(&self, id: ScheduleId) -> Result<Task, ApiError> {
        self.inner.run_now(id)
    }

    /// # Errors
    /// There is none of this id.
    pub fn runs(&self, id: ScheduleId, page: PageRequest) -> Result<Page<ScheduleRun>, ApiError> {
        Ok(stored::runs(&self.inner.parts.main, self.inner.parts.profile, id, page)?)
    }

    /// # Errors
    /// In words, with the place that cannot be read.
    pub fn preview(&self, timing: &Timing, count: u32) -> Result<TimingPreview, ApiError> {
        let rule = Rule::read(timing, &(self.inner.parts.here)())?;
        if let Timing::When { trigger } = timing {
            triggers::check(trigger)?;
        }
        let now = self.inner.now();
        rule.first_after(now)?;
        Ok(words::preview(timing, &rule, now, count))
    }

    fn changed(&self, id: ScheduleId, what: &str) -> Result<Schedule, ApiError> {
        let schedule = self.get(id)?;
        self.happened(what, &schedule.settings.name, id);
        self.inner.tell();
        self.wake();
        Ok(schedule)
    }

    fn happened(&self, what: &str, name: &str, id: ScheduleId) {
        (self.inner.parts.happened)(Happening::new(&format!("schedule.{what}"), name).with("schedule", id));
    }
}
