//! Servers of models as the program uses them: set-up, health, patience with them, and the choice between their models.

pub mod breaker;
pub mod chain;
pub mod choose;
pub mod draft;
pub mod limiter;
pub mod pace;
pub mod remote;
pub mod server;
pub mod service;
#[cfg(test)]
pub(crate) mod testing;

pub use chain::{Embedded, Router, RouterParts};
pub use pace::{Pace, SystemPace};
pub use server::{Server, ServerParts};
pub use service::{Gateway, GatewayParts};
