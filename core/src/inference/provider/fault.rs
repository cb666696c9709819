//! What goes wrong between us and a server of models, in our words.

use std::time::Duration;

use crate::api::{ApiError, ErrorCategory};
use crate::model::ProviderKind;
use crate::trust::egress::StreamFault;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No connection, or one that was cut.
    Unreachable,
    /// Silent for longer than its limits allow.
    Timeout,
    /// The server does not take the key.
    Unauthorised,
    /// Our own door did not let it out.
    Forbidden,
    /// Too many requests or tokens; the server may say how long to wait.
    Limited {
        retry_after: Option<Duration>,
    },
    /// Its status.
    Server(u16),
    /// It answered what its format does not allow.
    BadAnswer,
    /// It does not know this model or address.
    NotFound,
    /// The prompt does not fit its model, or its answer our limits.
    TooLong,
    /// It does not take what we asked, or cannot do it.
    Refused,
    Cancelled,
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProviderFault {
    pub kind: FaultKind,
    /// One sentence in our words; what the server said only clipped, cleaned and without the key.
    pub message: String,
    /// Text was told already: another try would say it twice.
    pub started: bool,
}

impl ProviderFault {
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), started: false }
    }

    pub fn unsupported(kind: ProviderKind, what: &str) -> Self {
        Self::new(FaultKind::Refused, format!("a provider of the kind {} cannot {what}", kind.name()))
    }

    #[must_use]
    pub fn after_start(mut self, started: bool) -> Self {
        self.started |= started;
        self
    }

    /// The same call may succeed later, and has said nothing yet.
    pub fn worth_retrying(&self) -> bool {
        !self.started
            && match self.kind {
                FaultKind::Unreachable | FaultKind::Timeout | FaultKind::Limited { .. } => true,
                // 529 is how Anthropic says that it is overloaded.
                FaultKind::Server(status) => matches!(status, 408 | 425 | 500 | 502 | 503 | 504 | 529),
                _ => false,
            }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            FaultKind::Limited { retry_after } => retry_after,
            _ => None,
        }
    }

    pub fn category(&self) -> ErrorCategory {
        match self.kind {
            FaultKind::Unreachable | FaultKind::Timeout | FaultKind::Limited { .. } | FaultKind::Server(_) => {
                ErrorCategory::Network
            }
            FaultKind::Unauthorised => ErrorCategory::Authentication,
            FaultKind::Forbidden => ErrorCategory::Authorisation,
            FaultKind::NotFound | FaultKind::TooLong | FaultKind::Refused => ErrorCategory::Validation,
            FaultKind::BadAnswer | FaultKind::Cancelled => ErrorCategory::Processing,
        }
    }

    /// One sentence that says what to do next.
    pub fn advice(&self) -> &'static str {
        match self.kind {
            FaultKind::Unreachable => "Check that the server runs and that its address is right.",
            FaultKind::Timeout => "Try again later, or give it more time in the provider's limits.",
            FaultKind::Unauthorised => "Check the provider's key under Credentials.",
            FaultKind::Forbidden => {
                "Change the network policy under Profiles & network, or use a model inside this program."
            }
            FaultKind::Limited { .. } => "Wait a little, or lower the provider's limits per minute.",
            FaultKind::Server(_) => "Try again later, or choose another model.",
            FaultKind::BadAnswer => {
                "Check that the provider's kind and address belong together; try again or choose another model."
            }
            FaultKind::NotFound => "Check the model's name and the provider's address.",
            FaultKind::TooLong => "Shorten the question or choose a model with a longer context.",
            FaultKind::Refused => "Choose another model or other settings.",
            FaultKind::Cancelled => "Ask again when you are ready.",
        }
    }
}

impl From<ProviderFault> for ApiError {
    fn from(fault: ProviderFault) -> Self {
        match fault.kind {
            FaultKind::Cancelled => Self::cancelled(),
            _ => Self::new(fault.category(), fault.message.clone(), fault.advice()),
        }
    }
}

impl From<StreamFault> for ProviderFault {
    fn from(fault: StreamFault) -> Self {
        let message = fault.to_string();
        let kind = match fault {
            StreamFault::Refused(_) => FaultKind::Forbidden,
            StreamFault::Unreachable(_) | StreamFault::Cut(_) => FaultKind::Unreachable,
            StreamFault::Timeout(_) => FaultKind::Timeout,
            StreamFault::TooLarge(_) => FaultKind::TooLong,
            StreamFault::Unusable(_) => FaultKind::Refused,
            StreamFault::Cancelled => FaultKind::Cancelled,
            StreamFault::Own(_) => FaultKind::Refused,
        };
        Self::new(kind, message)
    }
}
