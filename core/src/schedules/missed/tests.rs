//! Tests of missed.
