//! Questions of other processes that wait for the person: told by events, and listed once after each start.

use std::collections::VecDeque;

use rspa_core::model::{ConsentId, ConsentQuestion};

/// How many ended questions are remembered: more than can wait at the same time.
const REMEMBERED: usize = 64;

/// Those that wait, oldest first. A list may arrive after the news that one of its questions has ended: such a question
/// is not shown again.
#[derive(Default)]
pub struct Consents {
    waiting: Vec<ConsentQuestion>,
    ended: VecDeque<ConsentId>,
}

impl Consents {
    /// The one to show.
    pub fn first(&self) -> Option<&ConsentQuestion> {
        self.waiting.first()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Nobody asks.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Somebody asks.
    pub fn asked(&mut self, question: ConsentQuestion) {
        if !self.ended.contains(&question.id) && self.waiting.iter().all(|known| known.id != question.id) {
            self.waiting.push(question);
        }
    }

    /// It was answered here or has ended elsewhere.
    pub fn ended(&mut self, id: ConsentId) {
        self.waiting.retain(|known| known.id != id);
        if !self.ended.contains(&id) {
            self.ended.push_back(id);
            if self.ended.len() > REMEMBERED {
                self.ended.pop_front();
            }
        }
    }

    /// News were lost: what waits is listed anew.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use rspa_core::model::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn question(n: u128) -> ConsentQuestion {
        ConsentQuestion { id: ConsentId(Uuid::from_u128(n)), at: Timestamp(5), who: "rspa".into(), what: "x".into() }
    }

    #[test]
    fn a_list_that_comes_late_brings_no_ended_question_back() {
        let mut consents = Consents::default();
        consents.asked(question(1));
        consents.asked(question(2));
        consents.asked(question(2));
        assert_eq!(consents.len(), 2);
        consents.ended(question(1).id);
        consents.asked(question(1));
        assert_eq!(consents.first(), Some(&question(2)));
        consents.forget();
        assert!(consents.is_empty());
        consents.asked(question(2));
        assert_eq!(consents.first(), Some(&question(2)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut consents = Consents::default();
        for n in 0..1_000 {
            consents.ended(question(n).id);
        }
        assert_eq!(consents.ended.len(), REMEMBERED);
    }
}
