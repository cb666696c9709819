//! The one door to everything: typed requests with typed replies, and numbered events.

mod error;
mod event;
mod family;
mod guard;
mod handle;
mod parcel;
mod pending;
mod repeat;
pub mod request;

pub use error::{ApiError, ErrorCategory};
pub use event::{Event, EventEnvelope};
pub use family::{Call, Request, Response};
pub use guard::Guard;
pub use handle::{Core, CoreOptions, Heard, Opened, Role, Subscription, Waker, Watch, WorksIn};
pub(crate) use parcel::Parcel;
pub use parcel::{Asker, Origin};
pub use pending::Pending;

pub use crate::engine::handlers::backups::OfflineBackups;
