//! Questions that only the person may answer: each waits for an answer from the window, and no answer is a no.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Events;
use crate::api::{ApiError, ErrorCategory, Event};
use crate::clock::Ids;
use crate::model::{ConsentId, ConsentQuestion, Timestamp};

/// How long a question waits.
const PATIENCE: Duration = Duration::from_secs(300);
/// Questions that wait at the same time: more would only wear the person out.
const AT_ONCE: usize = 8;

pub struct Consents {
    waiting: Mutex<BTreeMap<ConsentId, Waiting>>,
    closed: AtomicBool,
    patience: Duration,
}

struct Waiting {
    question: ConsentQuestion,
    answer: oneshot::Sender<bool>,
}

impl Default for Consents {
    fn default() -> Self {
        Self::with_patience(PATIENCE)
    }
}

/// Takes the question away, however its asking ends.
struct Asked<'a> {
    consents: &'a Consents,
    events: &'a Events,
    id: ConsentId,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.consents.waiting().remove(&self.id);
        self.events.publish(None, Event::ConsentEnded { id: self.id });
    }
}

impl Consents {
    /// With another time that a question waits.
    pub(crate) fn with_patience(patience: Duration) -> Self {
        Self { waiting: Mutex::default(), closed: AtomicBool::new(false), patience }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<ConsentId, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and waits for the answer; `cancel` is triggered when whoever asked has gone.
    ///
    /// # Errors
    /// Category authorisation when the person refused, did not answer, or has too many questions already.
    pub async fn ask(
        &self,
        events: &Events,
        ids: &Ids,
        at: Timestamp,
        who: &str,
        what: &str,
        cancel: &CancellationToken,
    ) -> Result<(), ApiError> {
        let id = ConsentId(ids.next());
        let question = ConsentQuestion { id, at, who: who.to_owned(), what: what.to_owned() };
        let (answer, answered) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            if self.closed.load(Ordering::SeqCst) {
                return Err(unanswered(what));
            }
            if waiting.len() >= AT_ONCE {
                return Err(refused("too many questions wait in the window already", "Answer those first."));
            }
            waiting.insert(id, Waiting { question: question.clone(), answer });
        }
        let asked = Asked { consents: self, events, id };
        events.publish(None, Event::ConsentAsked { question });
        let result = tokio::select! {
            () = cancel.cancelled() => return Err(ApiError::cancelled()),
            result = tokio::time::timeout(self.patience, answered) => result,
        };
        drop(asked);
        match result {
            Ok(Ok(true)) => Ok(()),
            Ok(Err(_closed)) => Err(unanswered(what)),
            Ok(Ok(false)) => {
                Err(refused(&format!("refused in the window: {what}"), "Ask the person at the window, or do it there."))
            }
            Err(_late) => Err(refused(
                &format!("nobody answered in the window: {what}"),
                "Try again when somebody is at the window, or do it there.",
            )),
        }
    }

    /// Nobody is there any more to answer: what waits and what comes is refused.
    pub fn close(&self) {
        let mut waiting = self.waiting();
        self.closed.store(true, Ordering::SeqCst);
        waiting.clear();
    }

    /// Those that wait, oldest first.
    pub fn list(&self) -> Vec<ConsentQuestion> {
        self.waiting().values().map(|waiting| waiting.question.clone()).collect()
    }

    /// # Errors
    /// When nobody waits for this answer any more.
    pub fn answer(&self, id: ConsentId, allowed: bool) -> Result<(), ApiError> {
        let gone = || ApiError::validation("nobody waits for this answer any more", "Nothing was done.");
        let waiting = self.waiting().remove(&id).ok_or_else(gone)?;
        waiting.answer.send(allowed).map_err(|_gone| gone())
    }
}

fn unanswered(what: &str) -> ApiError {
    refused(&format!("the window was closed without an answer, and nothing was done: {what}"), "Try again.")
}

fn refused(message: &str, advice: &str) -> ApiError {
    ApiError::new(ErrorCategory::Authorisation, message, advice)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::Heard;
    use crate::clock::ManualClock;

    fn run<F: Future>(work: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    struct World {
        consents: Consents,
        events: Events,
        ids: Ids,
    }

    impl World {
        fn new(patience: Duration) -> Self {
            let clock = Arc::new(ManualClock::at(Timestamp(5)));
            let consents = Consents::with_patience(patience);
            Self { consents, events: Events::new(clock.clone()), ids: Ids::new(clock) }
        }

        async fn ask(&self, cancel: &CancellationToken) -> Result<(), ApiError> {
            self.consents
                .ask(&self.events, &self.ids, Timestamp(5), "rspa x (process 1)", "All is deleted.", cancel)
                .await
        }
    }

    #[test]
    fn the_answer_decides_and_the_question_is_told_and_taken_back() {
        let world = World::new(PATIENCE);
        let mut listener = world.events.listen();
        for allowed in [true, false] {
            let cancel = CancellationToken::new();
            let result = run(async {
                let answer = async {
                    let Heard::Event(told) = listener.recv().await else { panic!("an event") };
                    let Event::ConsentAsked { question } = told.event else { panic!("a question") };
                    assert_eq!(world.consents.list(), std::slice::from_ref(&question));
                    world.consents.answer(question.id, allowed).unwrap();
                    assert!(world.consents.answer(question.id, true).is_err());
                };
                tokio::join!(world.ask(&cancel), answer).0
            });
            assert_eq!(result.is_ok(), allowed);
            if let Err(error) = result {
                assert_eq!(error.category, ErrorCategory::Authorisation);
                assert!(error.message.contains("All is deleted."), "{error}");
            }
            let Some(Heard::Event(told)) = listener.try_next() else { panic!("an event") };
            assert!(matches!(told.event, Event::ConsentEnded { .. }));
        }
    }

    #[test]
    fn no_answer_is_a_no_and_who_goes_takes_the_question_along() {
        let world = World::new(Duration::from_millis(1));
        let error = run(world.ask(&CancellationToken::new())).unwrap_err();
        assert_eq!(error.category, ErrorCategory::Authorisation);
        assert!(world.consents.list().is_empty());

        let world = World::new(PATIENCE);
        let cancel = CancellationToken::new();
        cancel.cancel();
        assert_eq!(run(world.ask(&cancel)).unwrap_err(), ApiError::cancelled());
        assert!(world.consents.list().is_empty());
    }

    #[test]
    fn the_person_is_not_asked_without_end() {
        let world = World::new(PATIENCE);
        let cancel = CancellationToken::new();
        run(async {
            let many = (0..AT_ONCE).map(|_| world.ask(&cancel));
            let last = async {
                let error = world.ask(&CancellationToken::new()).await.unwrap_err();
                assert!(error.message.contains("too many"), "{error}");
                cancel.cancel();
            };
            let all = async {
                let mut many: Vec<_> = many.map(Box::pin).collect();
                std::future::poll_fn(|context| {
                    let open =
                        many.iter_mut().filter_map(|one| one.as_mut().poll(context).is_pending().then_some(())).count();
                    assert_eq!(open, AT_ONCE);
                    std::task::Poll::Ready(())
                })
                .await;
                last.await;
                for one in many {
                    assert!(one.await.is_err());
                }
            };
            all.await;
        });
        assert!(world.consents.list().is_empty());
    }
}
