//! The one door to everything: typed requests with typed replies, and numbered events.

mod error;
mod event;
mod family;
mod guard;
mod handle;
mod pending;
pub mod request;

pub use error::{ApiError, ErrorCategory};
pub use event::{Event, EventEnvelope};
pub use family::{Call, Request, Response};
pub use guard::Guard;
pub use handle::{Core, CoreOptions, Heard, Role, Subscription, Waker};
pub use pending::Pending;

pub use crate::engine::handlers::backups::OfflineBackups;
