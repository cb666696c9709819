//! What the queue does in time: see also the test that kills it.
