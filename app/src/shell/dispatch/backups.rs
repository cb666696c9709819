//! Commands of the page "Backups".

use rspa_core::api::request::backups::{CreateBackup, DeleteBackup, RestoreBackup, VerifyBackup};
use rspa_core::model::{BackupState, RestoreFrom, RestoreMode, Restored};

use crate::commands::pages::backups::BackupsCommand;
use crate::shell::Shell;
use crate::state::{NoticeKind, Page};
use crate::text::{bytes, tr, tr_with};

impl Shell {
    pub(super) fn backups(&mut self, command: BackupsCommand) {
        let page = &mut self.state.pages.backups;
        match command {
            BackupsCommand::Refresh => self.state.pages.opened(Page::Backups),
            BackupsCommand::Create => {
                page.making = true;
                self.engine.send_or(
                    &mut self.state,
                    CreateBackup { to: None },
                    |state, _, info| {
                        state.pages.backups.making = false;
                        let detail = tr_with("backups.made_detail", &[("size", &bytes(info.size_bytes))]);
                        state.notices.push(state.now, NoticeKind::Done, tr("backups.made"), detail);
                        state.pages.opened(Page::Backups);
                    },
                    |state| state.pages.backups.making = false,
                );
            }
            BackupsCommand::Verify(name) => {
                self.engine.send(&mut self.state, VerifyBackup { name }, |state, _, info| {
                    match info.state {
                        BackupState::Bad { why } => {
                            state.notices.push(state.now, NoticeKind::Error, why, tr("backups.bad_advice"));
                        }
                        _ => state.notices.push(state.now, NoticeKind::Done, tr("backups.verified_now"), info.name),
                    }
                    state.pages.opened(Page::Backups);
                });
            }
            BackupsCommand::Delete(name) => {
                self.engine.send(&mut self.state, DeleteBackup { name }, |state, _, ()| {
                    state.pages.opened(Page::Backups);
                });
            }
            BackupsCommand::Preview(from) => page.choose(from),
            BackupsCommand::ClosePreview => page.close_preview(),
            BackupsCommand::Restore { from, mode } => self.restore_backup(from, mode),
        }
    }

    fn restore_backup(&mut self, from: RestoreFrom, mode: RestoreMode) {
        self.state.pages.backups.restoring = true;
        self.engine.send_or(
            &mut self.state,
            RestoreBackup { from, mode },
            |state, _, restored| {
                state.pages.backups.close_preview();
                match restored {
                    // The engine starts again at once; what was restored is told then.
                    Restored::Prepared { safety, .. } => {
                        let detail = tr_with("backups.undo", &[("name", &safety)]);
                        state.notices.push(state.now, NoticeKind::Done, tr("backups.restored"), detail);
                    }
                    Restored::Merged { kinds, safety, .. } => {
                        let added: u64 = kinds.iter().map(|merged| merged.added).sum();
                        let kept: u64 = kinds.iter().map(|merged| merged.kept).sum();
                        let title = tr_with("backups.merged", &[("added", &added), ("kept", &kept)]);
                        let detail = tr_with("backups.undo", &[("name", &safety)]);
                        state.notices.push(state.now, NoticeKind::Done, title, detail);
                    }
                }
            },
            |state| state.pages.backups.restoring = false,
        );
    }
}
