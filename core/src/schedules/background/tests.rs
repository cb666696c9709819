//! Tests of background.
