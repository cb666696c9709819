//! What the person can do with approval prompts.

use rspa_core::model::{ApprovalAnswer, ApprovalId, ApprovalRuleId};

use crate::state::pages::approvals::Part;

#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalsCommand {
    /// Reads it all again.
    Refresh,
    /// Opens the panel, at this one.
    Show(Option<ApprovalId>),
    Close,
    /// Another part of the panel.
    Turn(Part),
    Answer {
        id: ApprovalId,
        answer: ApprovalAnswer,
    },
    RemoveRule(ApprovalRuleId),
    /// More of those that were answered.
    Older,
}
