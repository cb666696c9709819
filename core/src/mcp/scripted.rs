//! A server in this process for tests.
