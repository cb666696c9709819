//! Tests of timing.
