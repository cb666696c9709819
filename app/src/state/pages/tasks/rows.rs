//! The rows of the table that are at hand: some pages around what is in view, of a list that may be long.

use std::collections::{BTreeMap, BTreeSet};

use rspa_core::model::{Page, Task, TaskId};

/// Rows of one page.
pub const PAGE: u32 = 100;
/// Pages that are kept.
const KEPT: usize = 32;

#[derive(Default)]
pub struct Rows {
    pub total: u64,
    pages: BTreeMap<u64, Vec<Task>>,
    /// Pages whose rows may have changed since they were read: shown until newer ones are there.
    old: BTreeSet<u64>,
}

impl Rows {
    /// So many, none of them at hand.
    pub fn of(total: u64) -> Self {
        Self { total, ..Self::default() }
    }

    pub fn row(&self, index: u64) -> Option<&Task> {
        let page = u64::from(PAGE);
        self.pages.get(&(index / page))?.get(usize::try_from(index % page).ok()?)
    }

    /// Those at hand, in order, with their place in the list.
    pub fn all(&self) -> impl Iterator<Item = (u64, &Task)> {
        let page = u64::from(PAGE);
        self.pages.iter().flat_map(move |(number, rows)| (number * page..).zip(rows))
    }

    pub fn is_fresh(&self, page: u64) -> bool {
        self.pages.contains_key(&page) && !self.old.contains(&page)
    }

    /// All may have changed.
    pub fn age(&mut self) {
        self.old = self.pages.keys().copied().collect();
    }

    /// Takes a page in; the one farthest from it goes when there are too many.
    pub fn put(&mut self, number: u64, found: Page<Task>) {
        self.total = found.total;
        self.pages.insert(number, found.items);
        self.old.remove(&number);
        let last = self.total.div_ceil(u64::from(PAGE));
        self.pages.retain(|page, _| *page == 0 || *page < last);
        if self.pages.len() > KEPT
            && let Some(farthest) = self.pages.keys().copied().max_by_key(|known| known.abs_diff(number))
        {
            self.pages.remove(&farthest);
        }
    }

    /// Puts a changed task in its place. False when it is not at hand, or may stand elsewhere now.
    pub fn change(&mut self, task: &Task) -> bool {
        match self.find(task.id) {
            Some(known) => {
                let place = |task: &Task| (task.status, task.priority, task.due, task.title.clone());
                let stays = place(known) == place(task);
                known.clone_from(task);
                stays
            }
            None => false,
        }
    }

    fn find(&mut self, id: TaskId) -> Option<&mut Task> {
        self.pages.values_mut().flatten().find(|task| task.id == id)
    }
}
