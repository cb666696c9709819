//! Applies commands at the frame's end: changes the window's state, or asks core.

mod activity;
mod agents;
mod approvals;
mod backups;
mod chats;
mod credentials;
mod crews;
mod dashboard;
mod knowledge;
mod logs;
mod models;
mod notifications;
mod profiles;
mod providers;
mod retrieval;
mod schedules;
mod servers;
mod settings;
mod tasks;
mod trash;
mod usage;

use egui::{Context, ViewportCommand};
use egui_tiles::LinearDir;
use rspa_core::api::request::system::RunDoctor;
use rspa_core::api::request::usage::CountFeature;
use rspa_core::model::SettingValue;

use super::Shell;
use crate::commands::palette::Scope;
use crate::commands::{Action, PickPurpose, UiCommand};
use crate::layout::Pane;
use crate::state::persisted::ThemeChoice;
use crate::state::{NoticeKind, Page, Signal};
use crate::text::{tr, tr_with};

pub(super) use chats::ask_messages;
pub(super) use knowledge::put as put_source;

impl Shell {
    pub(super) fn dispatch(&mut self, ctx: &Context) {
        // A command may lead to others; those run in this frame too, but not without end.
        for _round in 0..4 {
            for command in self.queue.take() {
                self.apply(ctx, command);
            }
            if self.queue.is_empty() {
                break;
            }
        }
    }

    fn apply(&mut self, ctx: &Context, command: UiCommand) {
        use UiCommand as C;
        match command {
            C::Run(action) => self.run(ctx, action),
            C::OpenPage(page) => self.open_page(page),
            C::OpenPageBeside(page) => {
                self.count_opening(page);
                self.state.ui.layout.split_page(page, LinearDir::Horizontal);
                self.opened(page);
            }
            C::OpenDocument(target) => self.state.ui.layout.open_document(target),
            C::CopyText(text) => {
                ctx.copy_text(text);
                self.state.notices.push(self.state.now, NoticeKind::Info, tr("notice.copied"), "");
            }
            C::Notify { kind, title, detail } => self.state.notices.push(self.state.now, kind, title, detail),
            C::DismissNotice(number) => self.state.notices.dismiss(number),
            C::Confirm(question) => self.confirmation = Some(question),
            C::Pick(purpose) => self.open_picker(purpose),
            C::FinishWelcome => self.finish_welcome(),
            C::NewChat => self.new_chat(),
            C::OpenChat(chat) => self.open_chat(chat),
            C::RenameChat { chat, title } => self.rename_chat(chat, title),
            C::DeleteChat(chat) => self.delete_chat(chat),
            C::Send { chat, question } => self.send_question(chat, question),
            C::RetryAnswer { chat, message } => self.retry_answer(chat, message),
            C::StopAnswer(message) => self.stop_answer(message),
            C::Chats(command) => self.chats(ctx, command),
            C::Ask(text) => {
                self.open_page(Page::Chat);
                self.state.signals.push(Signal::Compose(text));
            }
            C::Search(query) => self.search(query),
            C::ExplainMissing { query, name } => self.explain_missing(query, name),
            C::SearchBeyond(query) => self.search_beyond(query),
            C::ShowDocument(path) => {
                self.open_page(Page::Knowledge);
                self.state.signals.push(Signal::ShowDocument(path));
            }
            C::DescribeDocument(path) => self.describe_document(path),
            C::TypePage => self.type_page(String::new()),
            C::AddPage { address, confirmed_host } => self.fetch_page(address, confirmed_host),
            C::ShowSearch(text) => {
                self.open_page(Page::Knowledge);
                self.state.signals.push(Signal::ShowSearch(text));
            }
            C::AddSource(path) => self.add_source(path),
            C::AddSampleSource => self.add_sample_source(),
            C::RemoveSource(id) => self.remove_source(id),
            C::PauseSource { id, paused } => self.pause_source(id, paused),
            C::RescanSource(id) => self.rescan_source(id),
            C::ListDocuments { source, filter, page } => self.list_documents(source, filter, page),
            C::ListProblems { source, page } => self.list_problems(source, page),
            C::ReadDocument { target, start_line, end_line } => self.read_document(target, start_line, end_line),
            C::ImportModel(path) => self.import_model(path),
            C::RemoveModel(id) => self.remove_model(id),
            C::SetDefaultModel(id) => self.set_default_model(id),
            C::DownloadModel { catalogue_id, confirmed_host } => self.download_model(catalogue_id, confirmed_host),
            C::CancelJob(id) => self.cancel_job(id),
            C::RefreshModels => self.refresh_models(),
            C::RefreshSettings => self.refresh_settings(),
            C::SetSetting { key, value } => self.set_setting(key, value),
            C::ResetSetting(key) => self.reset_setting(key),
            C::AcceptSetting(key) => self.accept_setting(key),
            C::ExportSettings(folder) => self.export_settings(folder),
            C::PreviewImport(path) => self.import_settings(path, true),
            C::ImportSettings(path) => self.import_settings(path, false),
            C::LeaveImport => self.state.pages.settings.import = None,
            C::Activity(command) => self.activity(command),
            C::Logs(command) => self.logs(command),
            C::Profiles(command) => self.profiles(command),
            C::Credentials(command) => self.credentials(command),
            C::Backups(command) => self.backups(command),
            C::Trash(command) => self.trash(command),
            C::Agents(command) => self.agents(command),
            C::Approvals(command) => self.approvals(command),
            C::Dashboard(command) => self.dashboard(command),
            C::Notifications(command) => self.notifications(command),
            C::Schedules(command) => self.schedules(command),
            C::Usage(command) => self.usage(command),
            C::Servers(command) => self.servers(command),
            C::Providers(command) => self.providers(command),
            C::Crews(command) => self.crews(command),
            C::Retrieval(command) => self.retrieval(command),
            C::Tasks(command) => self.tasks(command),
            C::OpenAgent(id) => self.show_agent(id),
            C::OpenTask(id) => self.show_task(id),
            C::OpenSchedule(id) => self.show_schedule(id),
            C::OpenCrew(id) => self.show_crew(id),
        }
    }

    fn run(&mut self, ctx: &Context, action: Action) {
        let ui = &mut self.state.ui;
        match action {
            Action::NewChat => self.new_chat(),
            Action::OpenChat => self.open_page(Page::Chat),
            Action::OpenKnowledge => self.open_page(Page::Knowledge),
            Action::OpenDashboard => self.open_page(Page::Dashboard),
            Action::OpenModels => self.open_page(Page::Models),
            Action::OpenSettings => self.open_page(Page::Settings),
            Action::OpenActivity => self.open_page(Page::Activity),
            Action::OpenLogs => self.open_page(Page::Logs),
            Action::OpenProfiles => self.open_page(Page::Profiles),
            Action::OpenCredentials => self.open_page(Page::Credentials),
            Action::OpenBackups => self.open_page(Page::Backups),
            Action::OpenTrash => self.open_page(Page::Trash),
            Action::OpenAgents => self.open_page(Page::Agents),
            Action::OpenTasks => self.open_page(Page::Tasks),
            Action::OpenSchedules => self.open_page(Page::Schedules),
            Action::OpenUsage => self.open_page(Page::Usage),
            Action::OpenServers => self.open_page(Page::Servers),
            Action::OpenProviders => self.open_page(Page::Providers),
            Action::OpenCrews => self.open_page(Page::Crews),
            Action::NewAgent => self.new_agent(),
            Action::NewCrew => self.new_crew(),
            Action::NewTask => self.new_task(),
            Action::NewSchedule => self.new_schedule(),
            Action::AddProvider => self.new_provider(),
            Action::AddServer => self.new_server(),
            Action::Approvals => self.show_approvals(),
            Action::PauseAgents => self.pause_queue(),
            Action::OpenGallery => self.open_page(Page::Gallery),
            Action::Palette => self.open_palette(Scope::Everything),
            Action::QuickOpen => self.open_palette(Scope::Open),
            Action::FocusComposer => {
                self.open_page(Page::Chat);
                self.state.signals.push(Signal::FocusComposer);
            }
            Action::FocusSearch => {
                self.open_page(Page::Knowledge);
                self.state.signals.push(Signal::FocusSearch);
            }
            Action::StopAnswer => self.stop_running_answer(),
            Action::AddFolder => self.open_picker(PickPurpose::SourceFolder),
            Action::AddFile => self.open_picker(PickPurpose::SourceFile),
            Action::AddPage => self.type_page(String::new()),
            Action::AddSample => self.add_sample_source(),
            Action::RescanAll => self.rescan_all(),
            Action::ImportModel => self.open_picker(PickPurpose::Model),
            Action::Doctor => self.doctor(),
            Action::Notices => self.notices_open = !self.notices_open,
            Action::Welcome => {
                self.welcome = Some(crate::views::welcome::Welcome::default());
                self.engine.ask_models(&mut self.state);
            }
            Action::SplitRight => ui.layout.split_focused(LinearDir::Horizontal),
            Action::SplitDown => ui.layout.split_focused(LinearDir::Vertical),
            Action::NextPane => ui.layout.focus_next(),
            Action::ClosePane => ui.layout.close_focused(),
            Action::ResetLayout => ui.layout.reset(),
            Action::ToggleRail => ui.rail_narrow = !ui.rail_narrow,
            Action::ZoomIn => self.set_zoom(self.state.ui.zoom + 0.1),
            Action::ZoomOut => self.set_zoom(self.state.ui.zoom - 0.1),
            Action::ZoomReset => self.set_zoom(1.0),
            Action::ThemeSystem => self.set_theme(ThemeChoice::System),
            Action::ThemeDark => self.set_theme(ThemeChoice::Dark),
            Action::ThemeLight => self.set_theme(ThemeChoice::Light),
            Action::HighContrast => self.set_high_contrast(!self.state.ui.high_contrast),
            Action::ReduceMotion => self.set_reduce_motion(!self.state.ui.reduce_motion),
            Action::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
        }
    }

    pub(super) fn open_page(&mut self, page: Page) {
        self.count_opening(page);
        self.state.ui.layout.open_page(page);
        self.opened(page);
    }

    /// Counts that a page is opened, once until it is left, and not where the settings say that nobody counts.
    fn count_opening(&mut self, page: Page) {
        let off = |entry: &rspa_core::model::SettingEntry| entry.value == SettingValue::Bool(false);
        if self.state.ui.layout.is_visible(&Pane::Page(page)) || self.state.setting("usage.features").is_some_and(off) {
            return;
        }
        self.engine.send_quietly(CountFeature { feature: format!("page.{}", page.key()) });
    }

    /// What a page needs is asked for when it is opened.
    fn opened(&mut self, page: Page) {
        match page {
            Page::Dashboard => self.engine.overview_now(&mut self.state),
            Page::Models => self.engine.ask_models(&mut self.state),
            _ => {}
        }
        self.state.pages.opened(page);
    }

    /// What the pages in sight need is asked for, after another profile was entered.
    pub(super) fn open_pages_again(&mut self) {
        let pages: Vec<Page> = self
            .state
            .ui
            .layout
            .panes()
            .filter_map(|pane| match pane {
                Pane::Page(page) => Some(*page),
                Pane::Document(_) => None,
            })
            .collect();
        for page in pages {
            self.opened(page);
        }
    }

    fn finish_welcome(&mut self) {
        self.welcome = None;
        self.state.ui.welcomed = true;
        self.open_page(Page::Chat);
        self.state.signals.push(Signal::FocusComposer);
    }

    fn doctor(&mut self) {
        self.engine.send(&mut self.state, RunDoctor {}, |state, _, report| {
            for check in report.checks.iter().filter(|check| !check.ok) {
                let title = tr_with("doctor.failed", &[("name", &check.name)]);
                state.notices.push(state.now, NoticeKind::Warning, title, check.detail.clone());
            }
            if report.ok {
                let detail = tr_with("doctor.detail", &[("n", &report.checks.len())]);
                state.notices.push(state.now, NoticeKind::Done, tr("doctor.ok"), detail);
            }
        });
    }
}
