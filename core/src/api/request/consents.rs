//! Questions that only the person may answer, in the window.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{ConsentId, ConsentQuestion};

/// Those that wait, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListConsents {}

/// Lets the request go on, or refuses it. Never accepted from the local socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AnswerConsent {
    pub id: ConsentId,
    pub allowed: bool,
}

family!(Consents, ConsentsRequest, ConsentsResponse {
    ListConsents => Vec<ConsentQuestion>,
    AnswerConsent => (),
});

impl ConsentsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListConsents(_) => Guard::Open,
            Self::AnswerConsent(_) => Guard::Window,
        }
    }
}
