//! Approvals: what agents want to do, the person's answers, and the rules made from them.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{Approval, ApprovalAnswer, ApprovalId, ApprovalRule, ApprovalRuleId, Page, PageRequest, TaskId};

/// Newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListApprovals {
    /// Only those that wait, the oldest first.
    pub waiting: bool,
    pub task: Option<TaskId>,
    pub page: PageRequest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetApproval {
    pub id: ApprovalId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AnswerApproval {
    pub id: ApprovalId,
    pub answer: ApprovalAnswer,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListApprovalRules {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveApprovalRule {
    pub id: ApprovalRuleId,
}

family!(Approvals, ApprovalsRequest, ApprovalsResponse {
    ListApprovals => Page<Approval>,
    GetApproval => Approval,
    AnswerApproval => Approval,
    ListApprovalRules => Vec<ApprovalRule>,
    RemoveApprovalRule => Vec<ApprovalRule>,
});

impl ApprovalsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListApprovals(_)
            | Self::GetApproval(_)
            | Self::ListApprovalRules(_)
            | Self::RemoveApprovalRule(_) => Guard::Open,
            Self::AnswerApproval(answer) => match answer.answer {
                ApprovalAnswer::Deny { .. } => Guard::Open,
                // A sentence could not show what would be done as the window does.
                ApprovalAnswer::Once | ApprovalAnswer::Always | ApprovalAnswer::Reply { .. } => Guard::Window,
            },
        }
    }
}
