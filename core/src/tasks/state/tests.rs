//! Rules of tasks, one by one and at random.
