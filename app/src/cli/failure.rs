//! Why a verb did not do what was asked: words, an exit code, and JSON for scripts.

use std::io;
use std::process::ExitCode;

use rspa_core::api::{ApiError, ErrorCategory};
use serde_json::json;

use super::interrupt::Signal;
use super::output::Output;

pub enum Failure {
    /// The core, or a check before it, said no.
    Api(ApiError),
    /// An answer ended early; what had come until then.
    Partial { error: ApiError, text: String },
    /// The person or the system asked to end.
    Interrupted(Signal),
    /// The reader of standard output is gone: nobody to tell.
    PipeClosed,
    /// The report was printed and says that something is wrong.
    Reported,
}

impl Failure {
    pub fn validation(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Api(ApiError::validation(message, advice))
    }

    pub fn system(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Api(ApiError::new(ErrorCategory::System, message, advice))
    }

    /// The code that the process ends with; `rspa --help` lists them.
    pub fn code(&self) -> u8 {
        match self {
            Self::Api(error) | Self::Partial { error, .. } => match error.category {
                ErrorCategory::Validation => 3,
                ErrorCategory::Storage => 4,
                ErrorCategory::Network | ErrorCategory::Authentication | ErrorCategory::Authorisation => 5,
                ErrorCategory::Processing => 6,
                ErrorCategory::Plugin | ErrorCategory::System => 1,
            },
            Self::Interrupted(signal) => signal.exit_code(),
            Self::PipeClosed => 0,
            Self::Reported => 1,
        }
    }

    /// Says it on standard error and gives the exit code.
    pub fn report(&self, output: Output) -> ExitCode {
        match self {
            Self::Api(error) => say(output, error, None),
            Self::Partial { error, text } => say(output, error, Some(text)),
            Self::Interrupted(signal) => say(output, &signal.error(), None),
            Self::PipeClosed | Self::Reported => {}
        }
        ExitCode::from(self.code())
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<rspa_core::ml::Error> for Failure {
    fn from(error: rspa_core::ml::Error) -> Self {
        Self::Api(error.into())
    }
}

/// For writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::PipeClosed;
        }
        Self::Api(ApiError::new(
            ErrorCategory::Storage,
            format!("cannot read or write: {error}"),
            "Check the disk and where the output goes.",
        ))
    }
}

fn say(output: Output, error: &ApiError, partial: Option<&str>) {
    if output.json {
        let mut value = json!({ "category": error.category, "message": error.message, "advice": error.advice });
        if let Some(text) = partial {
            value["partial"] = text.into();
        }
        output.error_json(&json!({ "error": value }));
    } else {
        output.note(&format!("rspa: {}", error.message));
        if !error.advice.is_empty() {
            output.note(&format!("      {}", error.advice));
        }
    }
}

/// Help and version go to standard output; what was not understood to standard error.
pub fn usage(error: &clap::Error) -> ExitCode {
    let asked_for_json = std::env::args_os().any(|argument| argument == "--json");
    let output = Output::new(asked_for_json);
    if !error.use_stderr() {
        return match output.text(&error.render().to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => ExitCode::from(failure.code()),
        };
    }
    let text = error.render().to_string();
    if asked_for_json {
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        say(output, &ApiError::validation(message, "Run rspa help to see what can be typed."), None);
    } else {
        output.note(text.trim_end());
    }
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failure_has_its_own_code() {
        let of = |category| Failure::Api(ApiError::new(category, "m", "a")).code();
        assert_eq!(of(ErrorCategory::Validation), 3);
        assert_eq!(of(ErrorCategory::Storage), 4);
        assert_eq!(of(ErrorCategory::Network), 5);
        assert_eq!(of(ErrorCategory::Processing), 6);
        assert_eq!(of(ErrorCategory::System), 1);
        assert_eq!(Failure::Interrupted(Signal::Interrupt).code(), 130);
        assert_eq!(Failure::Interrupted(Signal::Terminate).code(), 143);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).code(), 0);
    }
}
