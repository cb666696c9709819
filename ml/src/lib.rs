//! Embedding and local language models on candle: weights in, tokens and vectors out.
//!
//! Nothing here knows the program around it. A caller loads a model, sends a request and reads a
//! stream of events; every long call takes a [`Cancel`].

pub mod arch;
pub mod bench;
pub mod cancel;
pub mod device;
pub mod embed;
pub mod error;
pub mod generate;
pub mod kernels;
pub mod priority;
pub mod runtime;
pub mod tokenize;
pub mod weights;

pub use cancel::Cancel;
pub use error::{Error, Result};
