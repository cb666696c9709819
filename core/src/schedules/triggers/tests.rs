//! Tests of triggers.
