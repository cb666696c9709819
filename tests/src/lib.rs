//! What whole-program tests are made of: the real executable, a display of its own, the window's inspection door,
//! and trees of documents.
// The harness needs Xvfb, users and namespaces of Unix; on other systems the crate is empty.
#![cfg(unix)]

pub mod deeds;
pub mod disk;
pub mod display;
pub mod documents;
pub mod folder;
pub mod nobody;
pub mod process;
pub mod program;
pub mod seed;
pub mod standins;
pub mod strace;
pub mod terminal;
pub mod wait;
pub mod window;
pub mod world;
