//! What tasks need of each other: whether it is met, and that no task needs itself.

use std::collections::HashSet;

use super::state::Needs;
use crate::model::{TaskId, TaskStatus};

/// Tasks that are looked at while a circle is looked for.
const MOST_LOOKED_AT: usize = 100_000;

/// How those in `on` stand; a task that is gone cannot be met any more.
///
/// # Errors
/// Those of `status`.
pub fn look<E>(on: &[TaskId], mut status: impl FnMut(TaskId) -> Result<Option<TaskStatus>, E>) -> Result<Needs, E> {
    let mut open = Vec::new();
    for id in on {
        match status(*id)? {
            Some(TaskStatus::Completed) => {}
            Some(TaskStatus::Pending | TaskStatus::Running) => open.push(*id),
            Some(TaskStatus::Failed | TaskStatus::Cancelled) | None => return Ok(Needs::Broken(*id)),
        }
    }
    Ok(if open.is_empty() { Needs::Met } else { Needs::Open(open) })
}

/// The task in `on` by which `task` would need itself; none when there is no circle.
///
/// # Errors
/// Those of `needed_by`.
pub fn circle<E>(
    task: TaskId,
    on: &[TaskId],
    mut needed_by: impl FnMut(TaskId) -> Result<Vec<TaskId>, E>,
) -> Result<Option<TaskId>, E> {
    for first in on {
        let mut seen = HashSet::from([*first]);
        let mut next = vec![*first];
        while let Some(id) = next.pop() {
            if id == task || seen.len() > MOST_LOOKED_AT {
                return Ok(Some(*first));
            }
            next.extend(needed_by(id)?.into_iter().filter(|id| seen.insert(*id)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use super::*;

    fn id(number: u128) -> TaskId {
        TaskId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn what_failed_or_is_gone_breaks_and_what_is_open_is_named() {
        let status = |id: TaskId| -> Result<Option<TaskStatus>, Infallible> {
            Ok(match id.0.as_u128() {
                1 => Some(TaskStatus::Completed),
                2 => Some(TaskStatus::Pending),
                3 => Some(TaskStatus::Running),
                4 => Some(TaskStatus::Failed),
                5 => Some(TaskStatus::Cancelled),
                _ => None,
            })
        };
        assert_eq!(look(&[], status), Ok(Needs::Met));
        assert_eq!(look(&[id(1)], status), Ok(Needs::Met));
        assert_eq!(look(&[id(1), id(2), id(3)], status), Ok(Needs::Open(vec![id(2), id(3)])));
        for broken in [4, 5, 6] {
            assert_eq!(look(&[id(2), id(broken)], status), Ok(Needs::Broken(id(broken))));
        }
    }

    proptest::proptest! {
        /// Edges that are let in one by one never make a circle, and none is refused without one.
        #[test]
        fn circles_are_found_and_nothing_else(edges in proptest::collection::vec((0_u128..12, 0_u128..12), 1..60)) {
            let mut needs: HashMap<u128, Vec<TaskId>> = HashMap::new();
            let reaches = |needs: &HashMap<u128, Vec<TaskId>>, from: u128, to: u128| {
                // Floyd and Warshall's way, small enough to be plainly right.
                let mut known = [[false; 12]; 12];
                for (one, others) in needs {
                    for other in others {
                        known[usize::try_from(*one).unwrap()][usize::try_from(other.0.as_u128()).unwrap()] = true;
                    }
                }
                for middle in 0..12 {
                    for one in 0..12 {
                        for other in 0..12 {
                            known[one][other] |= known[one][middle] && known[middle][other];
                        }
                    }
                }
                from == to || known[usize::try_from(from).unwrap()][usize::try_from(to).unwrap()]
            };
            for (task, on) in edges {
                let look = |id: TaskId| -> Result<Vec<TaskId>, Infallible> {
                    Ok(needs.get(&id.0.as_u128()).cloned().unwrap_or_default())
                };
                let found = circle(id(task), &[id(on)], look).unwrap();
                proptest::prop_assert_eq!(found.is_some(), reaches(&needs, on, task));
                if found.is_none() {
                    needs.entry(task).or_default().push(id(on));
                }
            }
        }
    }
}
