//! Working space of one thread, kept from search to search.

use std::cell::RefCell;

use crate::pool::Pool;
use crate::quantise::Query;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Lends this thread's working space.
pub(crate) fn with<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => work(&mut scratch),
        // A search within a search: it never happens, and would be right all the same.
        Err(_borrowed) => work(&mut Scratch::default()),
    })
}

#[derive(Default)]
pub(crate) struct Scratch {
    pub query: Query,
    pub walk: Walk,
    /// The best of a scan.
    pub scanned: Pool,
    /// Rows that are scored nearly exactly.
    pub rows: Vec<u32>,
}

/// What a walk through a graph needs.
#[derive(Default)]
pub(crate) struct Walk {
    pub visited: Visited,
    pub pool: Pool,
    pub batch: Vec<u32>,
    pub products: Vec<i32>,
}

/// Which nodes were seen: a number per node, and a new number instead of clearing.
#[derive(Default)]
pub(crate) struct Visited {
    marks: Vec<u8>,
    mark: u8,
}

impl Visited {
    pub fn start(&mut self, nodes: usize) {
        if self.marks.len() < nodes || self.mark == u8::MAX {
            self.marks.clear();
            self.marks.resize(nodes, 0);
            self.mark = 0;
        }
        self.mark += 1;
    }

    /// True the first time; false for nodes that are not there.
    #[inline]
    pub fn insert(&mut self, node: u32) -> bool {
        match self.marks.get_mut(node as usize) {
            Some(mark) if *mark != self.mark => {
                *mark = self.mark;
                true
            }
            _ => false,
        }
    }
}
