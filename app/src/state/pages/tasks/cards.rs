//! The board as it is shown: what core said, with the moves on top that it has not confirmed yet.

use rspa_core::model::{Board, BoardColumn, ColumnContent, Task, TaskId};

/// Where a card was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    pub id: TaskId,
    pub column: BoardColumn,
    pub before: Option<TaskId>,
}

#[derive(Default)]
pub struct Cards {
    pub columns: Vec<ColumnContent>,
    /// In the order in which they were made.
    moves: Vec<Moved>,
}

impl Cards {
    pub fn new(board: Board) -> Self {
        Self { columns: board.columns, moves: Vec::new() }
    }

    pub fn find(&self, id: TaskId) -> Option<&Task> {
        self.columns.iter().flat_map(|column| &column.tasks).find(|task| task.id == id)
    }

    pub fn column(&self, column: BoardColumn) -> Option<&ColumnContent> {
        self.columns.iter().find(|content| content.column == column)
    }

    /// Takes a newer board in; what was moved and is not confirmed stays where it was put.
    pub fn renew(&mut self, board: Board) {
        self.columns = board.columns;
        for moved in self.moves.clone() {
            self.place(moved);
        }
    }

    /// Moves a card before core has said so.
    pub fn try_move(&mut self, moved: Moved) {
        self.moves.retain(|known| known.id != moved.id);
        self.moves.push(moved);
        self.place(moved);
    }

    /// Core has answered: the card stands where core says from now on.
    pub fn settle(&mut self, id: TaskId) {
        self.moves.retain(|known| known.id != id);
    }

    /// Puts a changed task where it belongs. False when the board must be read again for it.
    pub fn change(&mut self, task: &Task) -> bool {
        if let Some(moved) = self.moves.iter().find(|moved| moved.id == task.id).copied() {
            if self.take(task.id).is_some() {
                self.put(task.clone(), moved.column, moved.before);
            }
            return true;
        }
        let before = self.take(task.id);
        let Some(content) = self.columns.iter_mut().find(|content| content.column == task.column) else {
            return false;
        };
        // Below what was read of a long column: it will come with the next cards.
        let whole = content.total as usize == content.tasks.len();
        let known = before.is_some();
        let at = content.tasks.partition_point(|other| other.position < task.position);
        content.total += 1;
        if at < content.tasks.len() || whole {
            content.tasks.insert(at, task.clone());
        }
        known || whole || at < content.tasks.len()
    }

    fn place(&mut self, moved: Moved) {
        if let Some(task) = self.take(moved.id) {
            self.put(task, moved.column, moved.before);
        }
    }

    fn take(&mut self, id: TaskId) -> Option<Task> {
        for content in &mut self.columns {
            if let Some(at) = content.tasks.iter().position(|task| task.id == id) {
                content.total = content.total.saturating_sub(1);
                return Some(content.tasks.remove(at));
            }
        }
        None
    }

    fn put(&mut self, mut task: Task, column: BoardColumn, before: Option<TaskId>) {
        let Some(content) = self.columns.iter_mut().find(|content| content.column == column) else { return };
        let at = before.and_then(|id| content.tasks.iter().position(|task| task.id == id));
        task.column = column;
        content.total += 1;
        let at = at.unwrap_or(content.tasks.len());
        content.tasks.insert(at, task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::task;

    fn board() -> Cards {
        let content = |column, numbers: &[u64]| {
            let tasks: Vec<_> = numbers
                .iter()
                .map(|number| {
                    let mut task = task(*number, "A task");
                    task.column = column;
                    task.position = *number as i64;
                    task
                })
                .collect();
            ColumnContent { column, total: tasks.len() as u64, tasks }
        };
        Cards::new(Board {
            columns: vec![content(BoardColumn::Backlog, &[1, 2, 3]), content(BoardColumn::Queued, &[4])],
        })
    }

    fn numbers(cards: &Cards, column: BoardColumn) -> Vec<u64> {
        cards.column(column).unwrap().tasks.iter().map(|task| task.number).collect()
    }

    #[test]
    fn a_move_stays_over_an_older_board_until_core_has_answered() {
        let mut cards = board();
        let id = task(2, "").id;
        cards.try_move(Moved { id, column: BoardColumn::Queued, before: Some(task(4, "").id) });
        assert_eq!(numbers(&cards, BoardColumn::Queued), [2, 4]);
        assert_eq!(cards.column(BoardColumn::Backlog).unwrap().total, 2);
        cards.renew(Board { columns: board().columns });
        assert_eq!(numbers(&cards, BoardColumn::Queued), [2, 4]);
        cards.settle(id);
        cards.renew(Board { columns: board().columns });
        assert_eq!(numbers(&cards, BoardColumn::Backlog), [1, 2, 3]);
    }

    #[test]
    fn a_changed_task_goes_to_its_column_in_order() {
        let mut cards = board();
        let mut changed = task(2, "Other");
        (changed.column, changed.position) = (BoardColumn::Queued, 9);
        assert!(cards.change(&changed));
        assert_eq!(
            (numbers(&cards, BoardColumn::Backlog), numbers(&cards, BoardColumn::Queued)),
            (vec![1, 3], vec![4, 2])
        );
        assert_eq!(cards.column(BoardColumn::Queued).unwrap().total, 2);
    }
}
