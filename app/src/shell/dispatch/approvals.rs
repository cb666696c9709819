//! Commands of approval prompts.

use rspa_core::api::request::approvals::{AnswerApproval, RemoveApprovalRule};
use rspa_core::model::{ApprovalAnswer, ApprovalId, ApprovalState};

use crate::commands::pages::approvals::ApprovalsCommand;
use crate::shell::Shell;
use crate::state::NoticeKind;
use crate::state::pages::PageState as _;
use crate::state::pages::approvals::Part;
use crate::text::tr;

impl Shell {
    pub(super) fn approvals(&mut self, command: ApprovalsCommand) {
        let approvals = &mut self.state.pages.approvals;
        match command {
            ApprovalsCommand::Refresh => approvals.opened(),
            ApprovalsCommand::Show(id) => {
                approvals.open = true;
                approvals.turn(Part::Waiting);
                approvals.shown = id.or(approvals.shown);
            }
            ApprovalsCommand::Close => approvals.open = false,
            ApprovalsCommand::Turn(part) => approvals.turn(part),
            ApprovalsCommand::Older => approvals.older(),
            ApprovalsCommand::Answer { id, answer } => self.answer_approval(id, answer),
            ApprovalsCommand::RemoveRule(id) => {
                self.engine.send(&mut self.state, RemoveApprovalRule { id }, |state, _, rules| {
                    state.pages.approvals.rules.set(rules);
                });
            }
        }
    }

    /// Shows what waits for the person, or closes it again.
    pub(super) fn show_approvals(&mut self) {
        let command = match self.state.pages.approvals.open {
            true => ApprovalsCommand::Close,
            false => ApprovalsCommand::Show(None),
        };
        self.approvals(command);
    }

    /// It leaves the list at once; if core does not take the answer, it comes back with the reason.
    fn answer_approval(&mut self, id: ApprovalId, answer: ApprovalAnswer) {
        self.state.pages.approvals.answer_sent(id);
        self.engine.send_or(
            &mut self.state,
            AnswerApproval { id, answer },
            |state, _, approval| {
                if approval.state == ApprovalState::Withdrawn {
                    state.notices.push(state.now, NoticeKind::Info, tr("approvals.withdrawn"), "");
                }
                state.pages.approvals.ended(&approval);
            },
            move |state| state.pages.approvals.answer_failed(id),
        );
    }
}
