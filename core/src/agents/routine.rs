//! Calls that a type makes before the model begins, with `{variables}` of the task filled in.

use serde_json::Value;

use crate::api::ApiError;
use crate::model::{RoutineCall, Task, ToolCall};

/// The call with its variables filled in: names of the task's input, `title`, `description`, and `input` for all of it as
/// text. A text that is nothing but one variable becomes its value, whatever that is.
///
/// # Errors
/// When the task's input has no such name.
pub fn fill(call: &RoutineCall, task: &Task) -> Result<ToolCall, ApiError> {
    Ok(ToolCall { tool: call.tool.clone(), arguments: filled(&call.arguments, task)? })
}

fn filled(value: &Value, task: &Task) -> Result<Value, ApiError> {
    Ok(match value {
        Value::String(text) => text_filled(text, task)?,
        Value::Array(items) => items.iter().map(|item| filled(item, task)).collect::<Result<_, _>>()?,
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), filled(value, task)?)))
                .collect::<Result<_, ApiError>>()?,
        ),
        other => other.clone(),
    })
}

fn text_filled(text: &str, task: &Task) -> Result<Value, ApiError> {
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|name| is_name(name)) {
        return variable(name, task);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, after) = rest.split_at(start);
        out.push_str(before);
        match after.find('}').map(|end| (&after[1..end], &after[end + 1..])) {
            Some((name, behind)) if is_name(name) => {
                match variable(name, task)? {
                    Value::String(text) => out.push_str(&text),
                    other => out.push_str(&other.to_string()),
                }
                rest = behind;
            }
            _ => {
                out.push('{');
                rest = &after[1..];
            }
        }
    }
    out.push_str(rest);
    Ok(Value::String(out))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn variable(name: &str, task: &Task) -> Result<Value, ApiError> {
    if let Some(value) = task.input.get(name) {
        return Ok(value.clone());
    }
    match name {
        "title" => Ok(task.title.clone().into()),
        "description" => Ok(task.description.clone().into()),
        "input" => Ok(match &task.input {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
        .into()),
        _ => Err(ApiError::validation(
            format!("the input of the task has no \"{name}\", which its agent's routine needs"),
            format!("Give the task an input with \"{name}\" in it, then try again."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agents::testing;

    #[test]
    fn variables_are_filled_in_and_missing_ones_are_named() {
        let mut task = testing::task();
        task.title = "Sales".to_owned();
        task.input = json!({ "file": "/a/b.csv", "rows": 3 });
        let call = |arguments| RoutineCall { tool: "t".to_owned(), arguments };
        let arguments = json!({ "path": "{file}", "n": "{rows}", "all": ["{title}: {rows} rows", "{ not one }", "{"] });
        assert_eq!(
            fill(&call(arguments), &task).unwrap().arguments,
            json!({ "path": "/a/b.csv", "n": 3, "all": ["Sales: 3 rows", "{ not one }", "{"] })
        );
        let whole = fill(&call(json!("{title} {input}")), &task).unwrap().arguments;
        assert_eq!(whole, json!("Sales {\"file\":\"/a/b.csv\",\"rows\":3}"));
        assert!(fill(&call(json!("{folder}")), &task).unwrap_err().message.contains("folder"));
    }
}
