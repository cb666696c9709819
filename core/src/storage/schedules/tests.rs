//! Tests of stored schedules.
