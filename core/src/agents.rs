//! Agents: what they are made from, the loop in which they work, what they are allowed, and what is recorded of it.
