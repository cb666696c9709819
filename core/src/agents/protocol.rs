//! What a model may say in one step: a plan, a call of a tool, or the answer; as JSON Schema, and read back from its text.

use serde_json::{Map, Value, json};

use crate::model::ToolCall;

/// Bytes of what a model says in one step; more is not looked at.
pub const LONGEST: usize = 256 * 1024;
/// Characters of a thought, and of one of a small model, which rambles; of an answer; of one step of a plan.
const THOUGHT: u32 = 400;
const SMALL_THOUGHT: u32 = 80;
const LEAST_ANSWER: u32 = 120;
const LONGEST_ANSWER: u32 = 24_000;
const PLAN_STEP: u32 = 200;
const PLAN_STEPS: usize = 8;

/// One step of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Plan { steps: Vec<String> },
    Call { thought: String, call: ToolCall },
    Answer { thought: String, text: String },
}

/// What the model may say in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    pub plan: bool,
    pub tools: bool,
    pub answer: bool,
    pub small: bool,
    /// Tokens that there are for it.
    pub tokens: usize,
}

/// What the answer of a model must look like: one of `tools` (name and schema of its arguments), the answer, or a plan,
/// as far as they are offered.
pub fn schema<'a>(tools: impl IntoIterator<Item = (&'a str, &'a Value)>, offer: Offer) -> Value {
    let thought = if offer.small { SMALL_THOUGHT } else { THOUGHT };
    // So short that it ends within its tokens, which a small model does not do by itself.
    let per_token = if offer.small { 2 } else { 4 };
    let answer = u32::try_from(offer.tokens.saturating_sub(60).saturating_mul(per_token)).unwrap_or(LONGEST_ANSWER);
    let answer = answer.clamp(LEAST_ANSWER, LONGEST_ANSWER);
    let text = |most: u32| json!({ "type": "string", "maxLength": most });
    let object = |fields: &[(&str, Value)]| {
        let properties: Map<String, Value> =
            fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
        let required: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    };
    let mut forms: Vec<Value> = Vec::new();
    if offer.plan {
        let steps = json!({ "type": "array", "items": text(PLAN_STEP), "minItems": 1, "maxItems": PLAN_STEPS });
        forms.push(object(&[("plan", steps)]));
    }
    for (name, parameters) in tools.into_iter().filter(|_| offer.tools) {
        let parameters = if parameters.is_object() { parameters.clone() } else { json!({ "type": "object" }) };
        forms.push(object(&[
            ("thought", text(thought)),
            ("tool", json!({ "const": name })),
            ("arguments", parameters),
        ]));
    }
    if offer.answer {
        let answer = json!({ "type": "string", "minLength": 1, "maxLength": answer });
        forms.push(object(&[("thought", text(thought)), ("answer", answer)]));
    }
    json!({ "anyOf": forms })
}

/// The answer is not a text but holds to this schema.
pub fn answer_is(schema: &mut Value, answer: &Value) {
    let forms = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    for form in forms.into_iter().flatten() {
        if let Some(place) = form.pointer_mut("/properties/answer") {
            place.clone_from(answer);
        }
    }
}

/// Reads what a model said. Text around the object (a fence, a sentence) is passed over.
///
/// # Errors
/// Why it cannot be read, for the model.
pub fn parse(text: &str) -> Result<Said, String> {
    if text.len() > LONGEST {
        return Err(format!("the answer has {} bytes, more than {LONGEST}", text.len()));
    }
    let object = first_object(text)?;
    let text_of = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("\"{name}\" must be a text")),
    };
    let thought = text_of("thought")?.unwrap_or_default();
    let named: Vec<&str> =
        ["tool", "answer", "plan"].into_iter().filter(|name| object.get(*name).is_some_and(|v| !v.is_null())).collect();
    match named.as_slice() {
        ["tool"] => {
            let tool = text_of("tool")?.unwrap_or_default();
            let arguments = match object.get("arguments") {
                None | Some(Value::Null) => json!({}),
                Some(Value::Object(arguments)) => Value::Object(arguments.clone()),
                Some(_) => return Err("\"arguments\" must be an object".to_owned()),
            };
            Ok(Said::Call { thought, call: ToolCall { tool, arguments } })
        }
        ["answer"] => {
            let text = match object.get("answer") {
                Some(answer @ (Value::Object(_) | Value::Array(_))) => answer.to_string(),
                _ => text_of("answer")?.unwrap_or_default(),
            };
            Ok(Said::Answer { thought, text })
        }
        ["plan"] => {
            let Some(Value::Array(steps)) = object.get("plan") else {
                return Err("\"plan\" must be a list of texts".to_owned());
            };
            let steps: Vec<String> = steps.iter().filter_map(|step| step.as_str().map(str::to_owned)).collect();
            if steps.is_empty() {
                return Err("\"plan\" must be a list of texts".to_owned());
            }
            Ok(Said::Plan { steps })
        }
        [] => Err("the object has neither \"tool\" nor \"answer\"".to_owned()),
        several => Err(format!("the object has {} at once: give one of them", several.join(" and "))),
    }
}

/// The text without a sentence that a model says over and over: from three times in a row it stands there once, and what
/// was cut off behind it goes too.
pub fn without_loops(text: &str) -> String {
    let sentences: Vec<&str> = text.split_inclusive(". ").collect();
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while at < sentences.len() {
        let same = sentences[at..].iter().take_while(|next| next.trim() == sentences[at].trim()).count();
        let once = if same >= 3 { 1 } else { same };
        kept.extend(sentences[at..at + once].iter().copied());
        at += same;
        if same >= 3 && at + 1 == sentences.len() && !sentences[at].trim_end().ends_with(['.', '!', '?']) {
            break;
        }
    }
    kept.trim_end().to_owned()
}

/// The first JSON object in a text.
fn first_object(text: &str) -> Result<Map<String, Value>, String> {
    let start = text.find('{').ok_or("there is no JSON object in it")?;
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    match values.next() {
        Some(Ok(Value::Object(object))) => Ok(object),
        Some(Ok(_)) | None => Err("there is no JSON object in it".to_owned()),
        Some(Err(error)) => Err(format!("it is not valid JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(tool: &str, arguments: Value) -> Said {
        Said::Call { thought: String::new(), call: ToolCall { tool: tool.to_owned(), arguments } }
    }

    #[test]
    fn each_form_is_read_and_what_surrounds_it_is_passed_over() {
        assert_eq!(parse(r#"{"tool":"a","arguments":{"x":1}}"#).unwrap(), call("a", json!({ "x": 1 })));
        assert_eq!(parse("Sure:\n```json\n{\"tool\":\"a\"}\n```").unwrap(), call("a", json!({})));
        let answer = Said::Answer { thought: "done".to_owned(), text: "four".to_owned() };
        assert_eq!(parse(r#"{"thought":"done","answer":"four"} and more"#).unwrap(), answer);
        assert_eq!(
            parse(r#"{"plan":["look","say"]}"#).unwrap(),
            Said::Plan { steps: vec!["look".into(), "say".into()] }
        );
    }

    #[test]
    fn an_answer_of_another_form_is_read_as_its_text() {
        let offer = Offer { plan: false, tools: true, answer: true, small: false, tokens: 200 };
        let mut schema = schema([("now", &Value::Null)], offer);
        answer_is(&mut schema, &json!({ "type": "object" }));
        assert_eq!(schema["anyOf"][1]["properties"]["answer"], json!({ "type": "object" }));
        assert!(schema["anyOf"][0]["properties"].get("answer").is_none());
        let said = parse(r#"{"thought":"t","answer":{"delegate":[1]}}"#).unwrap();
        assert_eq!(said, Said::Answer { thought: "t".to_owned(), text: r#"{"delegate":[1]}"#.to_owned() });
    }

    #[test]
    fn a_sentence_said_over_and_over_stands_there_once() {
        let loops = format!("Sales rose. {}It is,", "It is data. ".repeat(40));
        assert_eq!(without_loops(&loops), "Sales rose. It is data.");
        for text in ["One. Two. Two. Three.", "| a |\n| a |\n| a |", ""] {
            assert_eq!(without_loops(text), text);
        }
    }

    #[test]
    fn what_is_no_step_is_refused_in_words() {
        for (text, part) in [
            ("I do not know.", "no JSON object"),
            ("{\"tool\": \"a\"", "not valid JSON"),
            ("{}", "neither"),
            (r#"{"tool":"a","answer":"b"}"#, "at once"),
            (r#"{"tool":1}"#, "must be a text"),
            (r#"{"tool":"a","arguments":[1]}"#, "must be an object"),
            (r#"{"plan":[]}"#, "list of texts"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
        assert!(parse(&"x".repeat(LONGEST + 1)).unwrap_err().contains("bytes"));
        assert!(parse(&"{\"a\":".repeat(5_000)).is_err(), "depth is bounded");
    }

    #[test]
    fn a_schema_has_a_form_for_each_tool_and_one_for_the_answer() {
        let parameters = json!({ "type": "object", "properties": { "path": { "type": "string" } } });
        let offer = Offer { plan: true, tools: true, answer: true, small: false, tokens: 200 };
        let tools = [("read_file", &parameters), ("now", &Value::Null)];
        assert_eq!(schema(tools, Offer { tools: false, plan: false, ..offer })["anyOf"].as_array().unwrap().len(), 1);
        let schema = schema(tools, offer);
        let forms = schema["anyOf"].as_array().unwrap();
        assert_eq!(forms.len(), 4);
        assert_eq!(forms[1]["properties"]["tool"]["const"], "read_file");
        assert_eq!(forms[1]["properties"]["arguments"], parameters);
        let order: Vec<&String> = forms[1]["properties"].as_object().unwrap().keys().collect();
        assert_eq!(order, ["thought", "tool", "arguments"], "a model thinks before it names a tool");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,400}") {
            drop(parse(&text));
        }

        #[test]
        fn what_was_written_is_read_back(thought in ".{0,40}", tool in "[a-z_]{1,12}", value in ".{0,60}", before in "[a-z \n`]{0,20}") {
            let arguments = json!({ "value": value });
            let written = json!({ "thought": thought, "tool": tool, "arguments": arguments }).to_string();
            let said = parse(&format!("{before}{written}{before}")).unwrap();
            prop_assert_eq!(said, Said::Call { thought: thought.clone(), call: ToolCall { tool, arguments } });
            let written = json!({ "thought": thought, "answer": value }).to_string();
            prop_assert_eq!(parse(&written).unwrap(), Said::Answer { thought, text: value });
        }
    }
}
