//! Schedules: when a task is due, in every time zone and over every change of the clocks, and what else sets one off.
