//! Servers of tools against one that is written for it.
