//! What stands over the panes: palette, picker, questions, toasts, notices.

use std::time::Duration;

use egui::Context;
use rspa_core::model::{Mentioned, SettingValue};

use super::{Shell, notices_panel};
use crate::commands::pages::agents::AgentsCommand;
use crate::commands::pages::chats::ChatsCommand;
use crate::commands::pages::crews::CrewsCommand;
use crate::commands::pages::logs::LogsCommand;
use crate::commands::pages::notifications::NotificationsCommand;
use crate::commands::pages::profiles::ProfilesCommand;
use crate::commands::pages::servers::ServersCommand;
use crate::commands::pages::usage::UsageCommand;
use crate::commands::palette::{Palette, Scope};
use crate::commands::{PickPurpose, UiCommand};
use crate::design::UiExt;
use crate::state::NoticeKind;
use crate::text::tr;
use crate::widgets::dialog::{self, Answer};
use crate::widgets::picker::{Outcome, Picker, Wanted};
use crate::widgets::toast;

impl Shell {
    pub(super) fn overlays(&mut self, ctx: &Context) {
        self.toasts(ctx);
        if self.notices_open {
            self.state.notices.read_all();
            let kept = self.state.pages.notifications.all();
            match notices_panel::ui(ctx, &self.state.notices, kept, self.state.now) {
                notices_panel::Wish::Stay => {}
                notices_panel::Wish::Close => self.notices_open = false,
                notices_panel::Wish::Clear => {
                    self.state.notices.clear();
                    if !self.state.pages.notifications.all().is_empty() {
                        self.queue.push(UiCommand::Notifications(NotificationsCommand::Clear(None)));
                    }
                }
                notices_panel::Wish::Act(number) => {
                    if let Some(command) = self.state.notices.take_action(number) {
                        self.queue.push(command);
                    }
                }
                notices_panel::Wish::Do(command) => self.queue.push(UiCommand::Notifications(command)),
            }
        }
        self.page_dialog(ctx);
        if let Some(question) = &self.confirmation
            && let Some(answer) = dialog::confirm(ctx, question)
        {
            let question = self.confirmation.take();
            if let (Answer::Yes, Some(question)) = (answer, question) {
                self.queue.push(*question.then);
            }
        }
        if let Some((purpose, picker)) = &mut self.picker {
            match picker.ui(ctx) {
                Outcome::Open => {}
                Outcome::Cancelled => self.picker = None,
                Outcome::Chosen(path) => {
                    match purpose {
                        PickPurpose::SourceFolder | PickPurpose::SourceFile => {
                            self.queue.push(UiCommand::AddSource(path))
                        }
                        PickPurpose::Model => self.queue.push(UiCommand::ImportModel(path)),
                        PickPurpose::FirstFolder => {
                            self.queue.push(UiCommand::AddSource(path));
                            self.queue.push(UiCommand::FinishWelcome);
                        }
                        PickPurpose::LogFolder(format) => {
                            let export = LogsCommand::Export { folder: path, format: *format };
                            self.queue.push(UiCommand::Logs(export));
                        }
                        PickPurpose::SettingFolder(key) => {
                            let value = SettingValue::Text(path.to_string_lossy().into_owned());
                            self.queue.push(UiCommand::SetSetting { key: key.clone(), value });
                        }
                        PickPurpose::AttachFile => {
                            self.queue.push(UiCommand::Chats(ChatsCommand::Attach(vec![Mentioned::File { path }])));
                        }
                        PickPurpose::AttachFolder => {
                            self.queue.push(UiCommand::Chats(ChatsCommand::Attach(vec![Mentioned::Folder { path }])));
                        }
                        PickPurpose::ChatExport(chat, format) => {
                            let export = ChatsCommand::Export { chat: *chat, format: *format, folder: path };
                            self.queue.push(UiCommand::Chats(export));
                        }
                        PickPurpose::AgentFolder => {
                            self.queue.push(UiCommand::Agents(AgentsCommand::FolderPicked(path)));
                        }
                        PickPurpose::AgentImport => self.queue.push(UiCommand::Agents(AgentsCommand::Import(path))),
                        PickPurpose::AgentExport(id) => {
                            let export = AgentsCommand::Export { id: *id, folder: path };
                            self.queue.push(UiCommand::Agents(export));
                        }
                        PickPurpose::CrewFolder => {
                            self.queue.push(UiCommand::Crews(CrewsCommand::FolderPicked(path)));
                        }
                        PickPurpose::CrewImport => self.queue.push(UiCommand::Crews(CrewsCommand::Import(path))),
                        PickPurpose::CrewExport(id) => {
                            let export = CrewsCommand::Export { id: *id, folder: path };
                            self.queue.push(UiCommand::Crews(export));
                        }
                        PickPurpose::UsageFolder(format) => {
                            let export = UsageCommand::Export { folder: path, format: *format };
                            self.queue.push(UiCommand::Usage(export));
                        }
                        PickPurpose::LedgerFolder(format) => {
                            let export = ProfilesCommand::ExportLedger { folder: path, format: *format };
                            self.queue.push(UiCommand::Profiles(export));
                        }
                        PickPurpose::ServerFolder => {
                            self.queue.push(UiCommand::Servers(ServersCommand::FolderPicked(path)));
                        }
                        PickPurpose::SettingsExport => self.queue.push(UiCommand::ExportSettings(path)),
                        PickPurpose::SettingsImport => self.queue.push(UiCommand::PreviewImport(path)),
                    }
                    self.picker = None;
                }
            }
        }
        if let Some(palette) = &mut self.palette
            && !palette.ui(ctx, &self.state, &self.shortcuts, &mut self.queue)
        {
            self.palette = None;
        }
        // Last, so that it lies over all others.
        self.consents(ctx);
    }

    pub(super) fn open_palette(&mut self, scope: Scope) {
        self.palette = match self.palette {
            None => Some(Palette::new(scope)),
            Some(_) => None,
        };
    }

    pub(super) fn open_picker(&mut self, purpose: PickPurpose) {
        let (title, wanted) = match &purpose {
            PickPurpose::AttachFile => (tr("chat.attach.pick_file"), Wanted::File),
            PickPurpose::AttachFolder => (tr("chat.attach.pick_folder"), Wanted::Folder),
            PickPurpose::ChatExport(..) => (tr("chat.export.pick"), Wanted::Folder),
            PickPurpose::AgentFolder => (tr("agents.pick_folder"), Wanted::Folder),
            PickPurpose::AgentImport => (tr("agents.pick_import"), Wanted::File),
            PickPurpose::AgentExport(_) => (tr("agents.pick_export"), Wanted::Folder),
            PickPurpose::CrewFolder => (tr("crews.pick_folder"), Wanted::Folder),
            PickPurpose::CrewImport => (tr("crews.pick_import"), Wanted::File),
            PickPurpose::CrewExport(_) => (tr("crews.pick_export"), Wanted::Folder),
            PickPurpose::UsageFolder(_) => (tr("usage.export_folder"), Wanted::Folder),
            PickPurpose::LedgerFolder(_) => (tr("profiles.export_folder"), Wanted::Folder),
            PickPurpose::ServerFolder => (tr("servers.pick_folder"), Wanted::Folder),
            PickPurpose::SettingFolder(_) => (tr("settings.pick_folder"), Wanted::Folder),
            PickPurpose::SettingsExport => (tr("settings.pick_export"), Wanted::Folder),
            PickPurpose::SettingsImport => (tr("settings.pick_import"), Wanted::File),
            PickPurpose::SourceFolder | PickPurpose::FirstFolder => (tr("picker.folder"), Wanted::Folder),
            PickPurpose::LogFolder(_) => (tr("logs.export.folder"), Wanted::Folder),
            PickPurpose::SourceFile => (tr("picker.file"), Wanted::File),
            PickPurpose::Model => (tr("picker.model"), Wanted::FileOrFolder),
        };
        self.picker = Some((purpose, Picker::new(title, wanted)));
    }

    /// Brings the picker the listings that it waits for.
    pub(super) fn poll_picker(&mut self) {
        if let Some((_, picker)) = &mut self.picker {
            picker.poll(self.engine.core());
        }
    }

    fn toasts(&mut self, ctx: &Context) {
        let tokens = ctx.tokens();
        let now = self.state.now.0;
        let mut expired = Vec::new();
        let mut next = i64::MAX;
        for notice in self.state.notices.toasts() {
            let slow = matches!(notice.kind, NoticeKind::Error | NoticeKind::Warning) || notice.action.is_some();
            let times = if slow { 2 } else { 1 };
            let left = notice.at.0 + i64::from(tokens.motion.toast_ms) * times - now;
            if left <= 0 {
                expired.push(notice.number);
            } else {
                next = next.min(left);
            }
        }
        for number in expired {
            self.state.notices.dismiss(number);
        }
        if next != i64::MAX {
            ctx.request_repaint_after(Duration::from_millis(next.unsigned_abs()));
        }
        if !self.notices_open {
            for pressed in toast::toasts(ctx, self.state.notices.toasts()) {
                let number = match pressed {
                    toast::Pressed::Close(number) => number,
                    toast::Pressed::Action(number) => {
                        if let Some(command) = self.state.notices.take_action(number) {
                            self.queue.push(command);
                        }
                        number
                    }
                };
                self.state.notices.dismiss(number);
                ctx.request_repaint();
            }
        }
    }
}
