//! Commands of the page "Crews".

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rspa_core::api::ApiError;
use rspa_core::api::request::crews::{
    CancelCrewRun, CreateCrew, CreateCrewFromTemplate, DeleteCrew, DuplicateCrew, ExportCrew, ImportCrew,
    ReplayCrewRun, ResumeCrewRun, RunCrew, UpdateCrew,
};
use rspa_core::model::{Crew, CrewId, CrewRun};

use crate::commands::UiCommand;
use crate::commands::pages::crews::{CrewsCommand, leaving};
use crate::shell::Shell;
use crate::state::pages::crews::Shown;
use crate::state::{AppState, NoticeAction, NoticeKind, Page};
use crate::text::{tr, tr_with};

/// Of a file that is imported, in bytes.
const LARGEST: u64 = 1 << 20;

impl Shell {
    pub(super) fn crews(&mut self, command: CrewsCommand) {
        let page = &mut self.state.pages.crews;
        match command {
            CrewsCommand::Refresh => self.state.pages.opened(Page::Crews),
            CrewsCommand::Show(shown) => page.show(shown),
            CrewsCommand::Leave(then) => {
                page.epoch += 1;
                page.unsaved = false;
                self.crews(*then);
            }
            CrewsCommand::Begin(process) => {
                page.epoch += 1;
                page.show(Shown::New(process));
            }
            CrewsCommand::Save { id: None, draft } => {
                page.saving = true;
                let request = CreateCrew { draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, crew| saved(state, crew), not_saved);
            }
            CrewsCommand::Save { id: Some(id), draft } => {
                page.saving = true;
                let request = UpdateCrew { id, draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, crew| saved(state, crew), not_saved);
            }
            CrewsCommand::FromTemplate { template, name, process, folder, model } => {
                page.saving = true;
                let request = CreateCrewFromTemplate { template, name, process: Some(process), folder, model };
                self.engine.send_or(&mut self.state, request, |state, _, crew| made(state, crew), not_saved);
            }
            CrewsCommand::Duplicate(id) => {
                self.engine.send(&mut self.state, DuplicateCrew { id }, |state, _, crew| made(state, crew));
            }
            CrewsCommand::Delete(id) => {
                self.engine.send(&mut self.state, DeleteCrew { id }, move |state, _, item| {
                    if state.pages.crews.chosen() == Some(id) {
                        state.pages.crews.show(Shown::Nothing);
                    }
                    state.pages.opened(Page::Crews);
                    super::trash::offer_undo(state, &item, None);
                });
            }
            CrewsCommand::Export { id, folder } => self.export_crew(id, folder),
            CrewsCommand::Import(path) => self.import_crew(&path),
            CrewsCommand::Run { id, draft } => {
                page.saving = true;
                let request = RunCrew { id, draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, run| began(state, run), not_saved);
            }
            CrewsCommand::Cancel(id) => {
                self.engine
                    .send(&mut self.state, CancelCrewRun { id }, |state, _, run| state.pages.crews.put_run(&run));
            }
            CrewsCommand::Resume(id) => {
                self.engine
                    .send(&mut self.state, ResumeCrewRun { id }, |state, _, run| state.pages.crews.put_run(&run));
            }
            CrewsCommand::Replay(draft) => {
                page.saving = true;
                let request = ReplayCrewRun { draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, run| began(state, run), not_saved);
            }
            CrewsCommand::FolderPicked(path) => page.pick(path),
            CrewsCommand::StepDeleted(title) => {
                let then = Box::new(UiCommand::Crews(CrewsCommand::Undo));
                let action = NoticeAction { label: tr("trash.undo").to_owned(), then };
                let state = &mut self.state;
                state.notices.push_with(state.now, NoticeKind::Info, tr("crews.told.step_deleted"), title, action);
            }
            CrewsCommand::Undo => page.undo += 1,
            CrewsCommand::Unsaved(unsaved) => page.unsaved = unsaved,
        }
    }

    /// Opens the page "Crews" with the ways to a new one.
    pub(super) fn new_crew(&mut self) {
        self.open_page(Page::Crews);
        self.leave_crew(CrewsCommand::Show(Shown::Making));
    }

    /// Opens the page "Crews" at this one.
    pub(super) fn show_crew(&mut self, id: CrewId) {
        self.open_page(Page::Crews);
        if self.state.pages.crews.chosen() == Some(id) {
            self.state.pages.crews.show(Shown::Crew(id));
        } else {
            self.leave_crew(CrewsCommand::Show(Shown::Crew(id)));
        }
    }

    /// Asks first where something is not saved.
    fn leave_crew(&mut self, then: CrewsCommand) {
        if self.state.pages.crews.unsaved {
            self.queue.push(UiCommand::Confirm(leaving(then)));
        } else {
            self.crews(then);
        }
    }

    fn export_crew(&mut self, id: CrewId, folder: PathBuf) {
        let name = self.state.pages.crews.crew(id).map(|crew| crew.settings.name.clone()).unwrap_or_default();
        self.engine.send(&mut self.state, ExportCrew { id }, move |state, _, text| {
            match write(&folder, &name, &text) {
                Ok(path) => {
                    let title = tr("crews.told.exported");
                    state.notices.push(state.now, NoticeKind::Done, title, crate::text::path(&path));
                }
                Err(error) => {
                    let words = tr_with("crews.told.not_exported", &[("why", &error)]);
                    state.notices.error(state.now, &ApiError::validation(words, tr("crews.told.another_place")));
                }
            }
        });
    }

    fn import_crew(&mut self, path: &Path) {
        match read(path) {
            Ok(text) => self.engine.send(&mut self.state, ImportCrew { text }, |state, _, crew| made(state, crew)),
            Err(why) => {
                let words = tr_with("crews.told.not_imported", &[("why", &why)]);
                let error = ApiError::validation(words, tr("crews.told.another_file"));
                self.state.notices.error(self.state.now, &error);
            }
        }
    }
}

fn saved(state: &mut AppState, crew: Crew) {
    let title = tr_with("crews.told.saved", &[("name", &crew.settings.name)]);
    state.notices.push(state.now, NoticeKind::Done, title, "");
    show(state, crew);
}

fn made(state: &mut AppState, crew: Crew) {
    let title = tr_with("crews.told.made", &[("name", &crew.settings.name)]);
    state.notices.push(state.now, NoticeKind::Done, title, tr("crews.told.made_detail"));
    show(state, crew);
}

fn show(state: &mut AppState, crew: Crew) {
    let page = &mut state.pages.crews;
    let id = crew.id;
    page.saving = false;
    page.unsaved = false;
    page.epoch += 1;
    page.put(crew);
    page.show(Shown::Crew(id));
}

fn began(state: &mut AppState, run: CrewRun) {
    let page = &mut state.pages.crews;
    page.saving = false;
    page.put_run(&run);
    page.show(Shown::Run(run.id));
    page.put_run(&run);
}

fn not_saved(state: &mut AppState) {
    state.pages.crews.saving = false;
}

/// Writes a file under a name that is free, readable for its owner only.
fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    let stem: String = name.chars().map(|c| if c.is_alphanumeric() || "-_ ".contains(c) { c } else { '_' }).collect();
    for number in 1..100 {
        let own = if number == 1 { format!("{stem}.crew.toml") } else { format!("{stem} {number}.crew.toml") };
        let path = folder.join(own);
        let mut options = std::fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => return file.write_all(text.as_bytes()).map(|()| path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// The text of a plain, small file.
fn read(path: &Path) -> std::io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}
