//! Whether a task can be made as it is asked for: texts and numbers within bounds.

use serde_json::Value;

use crate::api::ApiError;
use crate::model::TaskDraft;

const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 64 * 1024;
const LARGEST_INPUT: usize = 1 << 20;
const MOST_LABELS: usize = 20;
const LONGEST_LABEL: usize = 50;
const MOST_NEEDS: usize = 100;
const MOST_RETRIES: u32 = 20;
/// A week.
const LONGEST_TRY_S: u32 = 7 * 86_400;
/// Tasks of one request.
pub const MOST_AT_ONCE: usize = 10_000;

/// The draft with its texts trimmed.
///
/// # Errors
/// Something is out of bounds; in words.
pub fn checked(mut draft: TaskDraft) -> Result<TaskDraft, ApiError> {
    draft.title = title(&draft.title)?;
    description(&draft.description)?;
    input(&draft.input)?;
    draft.labels = labels(draft.labels)?;
    needs(draft.depends_on.len())?;
    tries(draft.max_retries)?;
    time_limit(draft.time_limit_s)?;
    draft.depends_on.sort_unstable();
    draft.depends_on.dedup();
    Ok(draft)
}

pub fn title(title: &str) -> Result<String, ApiError> {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() || title.chars().count() > LONGEST_TITLE {
        return Err(ApiError::validation(
            format!("the title of a task has 1 to {LONGEST_TITLE} characters"),
            "Say in a few words what is to be done; the rest goes into the description.",
        ));
    }
    Ok(title)
}

pub fn description(text: &str) -> Result<(), ApiError> {
    if text.len() > LONGEST_DESCRIPTION {
        return Err(ApiError::validation(
            format!("the description is longer than {} KB", LONGEST_DESCRIPTION / 1024),
            "Put long texts into a file, and name it.",
        ));
    }
    Ok(())
}

pub fn input(input: &Value) -> Result<(), ApiError> {
    if !input.is_null() && input.to_string().len() > LARGEST_INPUT {
        return Err(ApiError::validation(
            "the input is larger than 1 MB",
            "Put the data into a file, and name it in the input.",
        ));
    }
    Ok(())
}

pub fn labels(labels: Vec<String>) -> Result<Vec<String>, ApiError> {
    let mut clean: Vec<String> = Vec::new();
    for label in labels {
        let label = label.trim().to_owned();
        if label.is_empty() || label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control) {
            return Err(ApiError::validation(
                format!("a label has 1 to {LONGEST_LABEL} characters on one line"),
                "Shorten it.",
            ));
        }
        if !clean.iter().any(|known| known.to_lowercase() == label.to_lowercase()) {
            clean.push(label);
        }
    }
    if clean.len() > MOST_LABELS {
        return Err(ApiError::validation(format!("a task has at most {MOST_LABELS} labels"), "Leave some away."));
    }
    Ok(clean)
}

pub fn needs(count: usize) -> Result<(), ApiError> {
    if count > MOST_NEEDS {
        return Err(ApiError::validation(
            format!("a task depends on at most {MOST_NEEDS} others"),
            "Let one task gather some of them.",
        ));
    }
    Ok(())
}

pub fn tries(retries: Option<u32>) -> Result<(), ApiError> {
    if retries.is_some_and(|retries| retries > MOST_RETRIES) {
        return Err(ApiError::validation(
            format!("a task is tried again at most {MOST_RETRIES} times"),
            "Choose fewer.",
        ));
    }
    Ok(())
}

pub fn time_limit(seconds: Option<u32>) -> Result<(), ApiError> {
    if seconds.is_some_and(|seconds| !(1..=LONGEST_TRY_S).contains(&seconds)) {
        return Err(ApiError::validation(
            "the time limit of a try is 1 second to 7 days",
            "Choose one, or leave it away: then the settings say.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_bounds_is_refused_in_words() {
        let good = || TaskDraft::new(None, "  Summarise \n sales  ");
        assert_eq!(checked(good()).unwrap().title, "Summarise sales");
        let bad = [
            TaskDraft::new(None, " "),
            TaskDraft::new(None, "x".repeat(201)),
            TaskDraft { description: "x".repeat(LONGEST_DESCRIPTION + 1), ..good() },
            TaskDraft { input: Value::String("x".repeat(LARGEST_INPUT)), ..good() },
            TaskDraft { labels: vec!["a\nb".to_owned()], ..good() },
            TaskDraft { labels: (0..21).map(|n| n.to_string()).collect(), ..good() },
            TaskDraft { max_retries: Some(21), ..good() },
            TaskDraft { time_limit_s: Some(0), ..good() },
        ];
        for draft in bad {
            assert!(!checked(draft).unwrap_err().message.is_empty());
        }
        let labels =
            checked(TaskDraft { labels: vec!["Sales ".to_owned(), "sales".to_owned()], ..good() }).unwrap().labels;
        assert_eq!(labels, ["Sales"]);
    }
}
