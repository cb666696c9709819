//! The versions of a chat as a tree: which message stands below which, and which of its versions is shown.
//!
//! A message whose parent is the row before it needs no row here, so that a chat without versions (and each chat of an
//! earlier program) has none. Where nothing was chosen, the newest version is shown.

use std::collections::HashMap;

use redb::{ReadableTable, TableDefinition};

use super::CHAT_MESSAGES;
use crate::storage::{ReadTxn, StorageError, WriteTxn};

/// (chat, number of the message) to the number of its parent plus one; 0 for none.
pub(super) const PARENTS: TableDefinition<(u128, u32), u32> = TableDefinition::new("chat_parents");
/// (chat, number of the parent plus one, 0 for the beginning) to the version below it that is shown, and the one that
/// stands beside it ([`NONE`] for no one).
pub(super) const SHOWN: TableDefinition<(u128, u32), (u32, u32)> = TableDefinition::new("chat_shown");

const NONE: u32 = u32::MAX;

/// The messages of one chat in the order in which they came; all else are indexes into it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// (number, id), ascending.
    pub messages: Vec<(u32, u128)>,
    parents: Vec<Option<usize>>,
    /// Below each message, oldest first; below none at the end.
    children: Vec<Vec<usize>>,
    /// By place (see `children`): the version that is shown, and the one beside it.
    shown: HashMap<usize, (usize, Option<usize>)>,
}

type Rows = (Vec<(u32, u128)>, Vec<(u32, u32)>, Vec<(u32, (u32, u32))>);

macro_rules! rows {
    ($txn:expr, $chat:expr) => {{
        let (mut order, mut parents, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        let (from, to) = (($chat, 0), ($chat, u32::MAX));
        for row in $txn.table(CHAT_MESSAGES)?.range(from..=to)? {
            let (key, id) = row?;
            order.push((key.value().1, id.value()));
        }
        for row in $txn.table(PARENTS)?.range(from..=to)? {
            let (key, parent) = row?;
            parents.push((key.value().1, parent.value()));
        }
        for row in $txn.table(SHOWN)?.range(from..=to)? {
            let (key, choice) = row?;
            shown.push((key.value().1, choice.value()));
        }
        (order, parents, shown)
    }};
}

impl Tree {
    pub fn read(txn: &ReadTxn, chat: u128) -> Result<Self, StorageError> {
        Ok(Self::of(rows!(txn, chat)))
    }

    pub fn read_for_change(txn: &WriteTxn<'_>, chat: u128) -> Result<Self, StorageError> {
        Ok(Self::of(rows!(txn, chat)))
    }

    /// Rows that name what is not there, or what came later, count as not written.
    fn of((messages, parents, shown): Rows) -> Self {
        let end = messages.len();
        let at = |number: u32| messages.binary_search_by_key(&number, |row| row.0).ok();
        let named: HashMap<u32, u32> = parents.into_iter().collect();
        let before = |index: usize| index.checked_sub(1);
        let parents: Vec<Option<usize>> = (0..end)
            .map(|index| match named.get(&messages[index].0) {
                Some(0) => None,
                Some(number) => at(number - 1).filter(|parent| *parent < index).or(before(index)),
                None => before(index),
            })
            .collect();
        let mut children = vec![Vec::new(); end + 1];
        for (index, parent) in parents.iter().enumerate() {
            children[parent.unwrap_or(end)].push(index);
        }
        let mut tree = Self { messages, parents, children, shown: HashMap::new() };
        for (place, (one, beside)) in shown {
            let at = |number: u32| tree.messages.binary_search_by_key(&number, |row| row.0).ok();
            let place = if place == 0 { Some(end) } else { at(place - 1) };
            let (Some(place), Some(one)) = (place, at(one)) else { continue };
            let below = &tree.children[place];
            if below.contains(&one) {
                let beside = at(beside).filter(|beside| below.contains(beside) && *beside != one);
                tree.shown.insert(place, (one, beside));
            }
        }
        tree
    }

    pub fn find(&self, id: u128) -> Option<usize> {
        self.messages.iter().position(|(_, known)| *known == id)
    }

    pub fn parent(&self, index: usize) -> Option<usize> {
        self.parents[index]
    }

    /// All versions of a message, itself among them, oldest first.
    pub fn versions(&self, index: usize) -> &[usize] {
        &self.children[self.parents[index].unwrap_or(self.messages.len())]
    }

    /// What is shown below a message (or at the beginning).
    fn below(&self, parent: Option<usize>) -> Option<usize> {
        let place = parent.unwrap_or(self.messages.len());
        self.shown.get(&place).map(|(one, _)| *one).or_else(|| self.children[place].last().copied())
    }

    /// The version beside a message, when that one is shown and nobody chose yet.
    pub fn beside(&self, index: usize) -> Option<usize> {
        let place = self.parents[index].unwrap_or(self.messages.len());
        self.shown.get(&place).filter(|(one, _)| *one == index).and_then(|(_, beside)| *beside)
    }

    /// What is shown, from the beginning.
    pub fn path(&self) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = self.below(None);
        while let Some(index) = next {
            path.push(index);
            next = self.below(Some(index));
        }
        path
    }

    /// A message with all before it, from the beginning.
    pub fn line(&self, index: usize) -> Vec<usize> {
        let mut line = vec![index];
        while let Some(parent) = self.parents[line[line.len() - 1]] {
            line.push(parent);
        }
        line.reverse();
        line
    }

    /// The key of a place in [`SHOWN`], and the value of a parent in [`PARENTS`].
    fn place(&self, parent: Option<usize>) -> u32 {
        parent.map_or(0, |parent| self.messages[parent].0 + 1)
    }

    /// Puts a new message below another one, as the version that is shown.
    pub fn add(
        &mut self,
        txn: &WriteTxn<'_>,
        chat: u128,
        message: (u32, u128),
        parent: Option<usize>,
    ) -> Result<usize, StorageError> {
        let index = self.messages.len();
        let place = self.place(parent);
        if parent != index.checked_sub(1) {
            txn.table(PARENTS)?.insert((chat, message.0), place)?;
        }
        // The newest is shown where nothing was chosen.
        if self.shown.remove(&parent.unwrap_or(index)).is_some() {
            txn.table(SHOWN)?.remove((chat, place))?;
        }
        let beginning = self.children.pop().unwrap_or_default();
        self.messages.push(message);
        self.parents.push(parent);
        self.children.extend([Vec::new(), beginning]);
        // What stood for the beginning stands at the end.
        if let Some(choice) = self.shown.remove(&index) {
            self.shown.insert(index + 1, choice);
        }
        self.children[parent.unwrap_or(index + 1)].push(index);
        Ok(index)
    }

    /// Shows a message, and all that leads to it; what stood beside them is chosen away.
    pub fn choose(&mut self, txn: &WriteTxn<'_>, chat: u128, index: usize) -> Result<(), StorageError> {
        for index in self.line(index) {
            self.show(txn, chat, index, None)?;
        }
        Ok(())
    }

    /// Shows a version at its place, with another one beside it.
    pub fn show(
        &mut self,
        txn: &WriteTxn<'_>,
        chat: u128,
        index: usize,
        beside: Option<usize>,
    ) -> Result<(), StorageError> {
        let parent = self.parents[index];
        let (key, place) = ((chat, self.place(parent)), parent.unwrap_or(self.messages.len()));
        if beside.is_none() && self.children[place].last() == Some(&index) {
            if self.shown.remove(&place).is_some() {
                txn.table(SHOWN)?.remove(key)?;
            }
            return Ok(());
        }
        if self.shown.get(&place) == Some(&(index, beside)) {
            return Ok(());
        }
        let number = |index: usize| self.messages[index].0;
        txn.table(SHOWN)?.insert(key, (number(index), beside.map_or(NONE, number)))?;
        self.shown.insert(place, (index, beside));
        Ok(())
    }
}

/// Removes the tree of a chat.
pub(super) fn remove(txn: &WriteTxn<'_>, chat: u128) -> Result<(), StorageError> {
    txn.table(PARENTS)?.retain_in((chat, 0)..=(chat, u32::MAX), |_, _| false)?;
    txn.table(SHOWN)?.retain_in((chat, 0)..=(chat, u32::MAX), |_, _| false)?;
    Ok(())
}

/// Copies the tree of a chat from another file.
pub(super) fn copy(txn: &WriteTxn<'_>, other: &ReadTxn, chat: u128) -> Result<(), StorageError> {
    let (from, to) = ((chat, 0), (chat, u32::MAX));
    if let Some(theirs) = other.table_if_there(PARENTS)? {
        let mut own = txn.table(PARENTS)?;
        for row in theirs.range(from..=to)? {
            let (key, value) = row?;
            own.insert(key.value(), value.value())?;
        }
    }
    if let Some(theirs) = other.table_if_there(SHOWN)? {
        let mut own = txn.table(SHOWN)?;
        for row in theirs.range(from..=to)? {
            let (key, value) = row?;
            own.insert(key.value(), value.value())?;
        }
    }
    Ok(())
}

/// Rows that name messages which are not there, or no parent and child, in words.
pub(super) fn broken(txn: &ReadTxn) -> Result<Vec<String>, StorageError> {
    let mut broken = Vec::new();
    let order = txn.table(CHAT_MESSAGES)?;
    if let Some(parents) = txn.table_if_there(PARENTS)? {
        for row in parents.iter()? {
            let (key, parent) = row?;
            let ((chat, number), parent) = (key.value(), parent.value());
            let is_there = order.get((chat, number))?.is_some();
            if !is_there || parent > number || (parent > 0 && order.get((chat, parent - 1))?.is_none()) {
                broken.push(format!("message {number} of a chat stands below one that is not there"));
            }
        }
    }
    if let Some(shown) = txn.table_if_there(SHOWN)? {
        let mut trees: HashMap<u128, Tree> = HashMap::new();
        for row in shown.iter()? {
            let (key, _) = row?;
            let (chat, place) = key.value();
            if let std::collections::hash_map::Entry::Vacant(entry) = trees.entry(chat) {
                entry.insert(Tree::read(txn, chat)?);
            }
            let Some(tree) = trees.get(&chat) else { continue };
            let at = match place.checked_sub(1) {
                None => Some(tree.messages.len()),
                Some(number) => tree.messages.binary_search_by_key(&number, |row| row.0).ok(),
            };
            if at.is_none_or(|at| !tree.shown.contains_key(&at)) {
                broken.push("a chat shows a version that is not there".to_owned());
            }
        }
    }
    Ok(broken)
}
