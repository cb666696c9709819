//! Panics become errors in words. redb trusts the pages that it reads, so that a damaged file shows itself as a panic
//! deep inside it: that is said as damage, not as a fault of the program.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};

use crate::api::{ApiError, ErrorCategory};

thread_local! {
    /// The last panic of this thread came out of the database library.
    static IN_DATABASE: Cell<bool> = const { Cell::new(false) };
}

/// Notes from now on where panics come from. Those that have an answer are logged instead of printed.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let in_database = info.location().is_some_and(|place| is_of_database(place.file()));
            IN_DATABASE.set(in_database);
            if in_database {
                tracing::error!(detail = text(info.payload()), "a data file holds what was never written to it");
            } else if is_reader() {
                tracing::warn!(detail = text(info.payload()), "a document could not be read");
            } else {
                before(info);
            }
        }));
    });
}

/// Whether the last panic of this thread came out of the database library.
pub fn in_database() -> bool {
    IN_DATABASE.get()
}

fn is_of_database(file: &str) -> bool {
    file.split(['/', '\\']).any(|part| part == "redb" || part.starts_with("redb-"))
}

/// Readers of documents meet whatever lies in a folder; what is wrong with one is listed.
fn is_reader() -> bool {
    std::thread::current().name() == Some("reader")
}

/// Runs `work`; a panic in it becomes an error.
///
/// # Errors
/// Of storage when a data file is damaged, else a fault of the program.
pub fn caught<T, E: From<ApiError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(error_of(panic.as_ref()).into()))
}

/// As [`caught`], for a piece of work that has a name.
///
/// # Errors
/// As [`caught`]; it says the name.
pub fn caught_in<T>(name: &str, work: impl FnOnce() -> Result<T, ApiError>) -> Result<T, ApiError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(error_in(name, panic.as_ref())))
}

/// The error for the panic that this thread has just caught.
pub fn error_of(panic: &(dyn Any + Send)) -> ApiError {
    error_in("this", panic)
}

fn error_in(name: &str, panic: &(dyn Any + Send)) -> ApiError {
    let text = text(panic);
    if in_database() {
        return ApiError::new(
            ErrorCategory::Storage,
            format!("a data file is damaged: {text}"),
            "Run `rspa db check`; it names the file and what can be done.",
        );
    }
    tracing::error!(detail = text, "a piece of work stopped unexpectedly");
    ApiError::new(
        ErrorCategory::System,
        format!("{name} stopped because of a fault in the program"),
        "Try again; if it repeats, report it with the log.",
    )
}

/// What a panic said.
pub(crate) fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}

/// A future whose panic becomes an error, as in [`caught`].
pub struct Caught<F>(Pin<Box<F>>);

impl<F> Caught<F> {
    pub fn new(work: F) -> Self {
        Self(Box::pin(work))
    }
}

impl<T, F: Future<Output = Result<T, ApiError>>> Future for Caught<F> {
    type Output = Result<T, ApiError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(Err(error_of(panic.as_ref()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_program_is_a_fault_of_the_system() {
        watch();
        let error = caught::<(), ApiError>(|| panic!("a bug")).unwrap_err();
        assert_eq!(error.category, ErrorCategory::System);
        assert!(!error.message.contains("a bug"), "{error}");
    }

    #[test]
    fn places_in_the_database_library_are_known() {
        assert!(is_of_database("/home/ada/.cargo/registry/src/index/redb-4.4.0/src/tree_store/btree_base.rs"));
        assert!(is_of_database(r"C:\cargo\redb-4.4.0\src\types.rs"));
        assert!(!is_of_database("core/src/storage/db.rs"));
    }
}
