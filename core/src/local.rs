//! The local socket: how a second process of the same person uses the data folder through the one that owns it.
//!
//! A connection begins with a [`message::Hello`] and a [`message::Welcome`]; then both sides send frames
//! ([`frame`]): requests with numbers, replies to them, and events. Nothing here can approve anything: the engine asks
//! the person in the window first (see [`crate::api::Guard`]).

pub(crate) mod client;
pub mod frame;
pub mod message;
pub(crate) mod net;
pub mod place;
mod process;
pub(crate) mod server;
mod transport;

/// The version of the messages. Raised with every change of a request, a reply, an event or of the frames themselves.
pub const PROTOCOL: u32 = 4;

/// The first field of each greeting, so that whoever speaks something else is told from a stranger.
pub const MAGIC: &str = "rspa-local";

#[cfg(test)]
#[cfg(unix)]
mod tests;
