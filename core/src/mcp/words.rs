//! Names, texts and errors of servers, made fit to be shown.

use std::collections::BTreeSet;

use rmcp::ServiceError;
use sha2::{Digest, Sha256};

use super::PREFIX;
use crate::api::{ApiError, ErrorCategory};
use crate::confine::visible;
use crate::model::{McpSecret, McpServerDraft, McpTransport};
use crate::trust::egress::Destination;

/// In characters.
const LONGEST_NAME: usize = 32;
/// Of what agents call a tool: what providers of models take.
const LONGEST_TOOL: usize = 64;
const MOST_ARGUMENTS: usize = 100;
const MOST_VARIABLES: usize = 100;
const LONGEST_TEXT: usize = 8 << 10;
const MOST_CALL_SECONDS: u32 = 3_600;

/// Text of a server: cut to so many characters, without what would hide or reorder it.
pub fn clean(text: &str, most: usize) -> String {
    let cut = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    let mut shown = visible(&text[..cut]);
    if cut < text.len() {
        shown.push('…');
    }
    shown
}

/// As [`clean`], in one line.
pub fn line(text: &str, most: usize) -> String {
    clean(&text.split_whitespace().collect::<Vec<_>>().join(" "), most)
}

/// An error about a server, which is no part of this program.
pub fn wrong(message: impl Into<String>, advice: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCategory::Plugin, message, advice)
}

/// What a failed request means.
pub fn failed(server: &str, what: &str, error: &ServiceError, seconds: u64) -> ApiError {
    match error {
        ServiceError::McpError(error) => wrong(
            format!("{server} refused {what}: {} ({})", line(&error.message, 1_000), error.code.0),
            "Look at what the tool takes, and at the server's log.",
        ),
        ServiceError::Timeout { .. } => wrong(
            format!("{server} did not answer {what} within {seconds} s; it was told to stop"),
            "Try again, or give the server more seconds for a call.",
        ),
        ServiceError::TransportClosed | ServiceError::TransportSend(_) => wrong(
            format!("{server} ended during {what}: nobody knows whether it was done, and it was not done again"),
            "Look at the server's log, and whether it was done, before you go on.",
        ),
        ServiceError::UnexpectedResponse => {
            wrong(format!("{server} answered {what} with something else"), "Look for a newer version of this server.")
        }
        other => wrong(format!("{server} did not do {what}: {}", line(&other.to_string(), 300)), "Try again."),
    }
}

/// Whether a server may be set up like this; `others` are the names of those that there are.
///
/// # Errors
/// Category validation, with the field.
pub fn checked(mut draft: McpServerDraft, others: &[String]) -> Result<McpServerDraft, ApiError> {
    let refuse =
        |field: &str, why: String| Err(ApiError::validation(format!("{field}: {why}"), "Change it and try again."));
    draft.name = draft.name.trim().to_owned();
    let name = &draft.name;
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(letters) || name.ends_with('_') {
        return refuse("name", "it has small letters, digits and underscores, and begins with a letter".to_owned());
    }
    if name.len() > LONGEST_NAME {
        return refuse("name", format!("it has at most {LONGEST_NAME} characters"));
    }
    for other in others {
        if other == name {
            return refuse("name", format!("there is already a tool server named \"{name}\""));
        }
        // Else a tool of the one could be called as one of the other.
        if name.starts_with(&format!("{other}_")) || other.starts_with(&format!("{name}_")) {
            return refuse(
                "name",
                format!("it must not begin as that of \"{other}\" does: their tools would be mixed up"),
            );
        }
    }
    if !(1..=MOST_CALL_SECONDS).contains(&draft.call_seconds) {
        return refuse("call_seconds", format!("it is a number from 1 to {MOST_CALL_SECONDS}"));
    }
    let texts = |text: &str| text.len() <= LONGEST_TEXT && !text.contains('\0');
    match &mut draft.transport {
        McpTransport::Stdio { command, args, env, folder, folders, .. } => {
            *command = command.trim().to_owned();
            if command.is_empty() || !texts(command) {
                return refuse("command", "name the program to start".to_owned());
            }
            if args.len() > MOST_ARGUMENTS || !args.iter().all(|text| texts(text)) {
                return refuse("args", format!("there are at most {MOST_ARGUMENTS}, none too long"));
            }
            let named = |name: &String| {
                !name.is_empty()
                    && name.len() <= 100
                    && !name.starts_with(|c: char| c.is_ascii_digit())
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            if env.len() > MOST_VARIABLES || !env.keys().all(named) || !env.values().all(|value| texts(given(value))) {
                return refuse("env", "names have letters, digits and underscores".to_owned());
            }
            // Code that is put into every program before it begins is not for a list of variables.
            if let Some(odd) = env.keys().find(|name| name.starts_with("LD_") || name.starts_with("DYLD_")) {
                return refuse("env", format!("{odd} cannot be set"));
            }
            folders.retain(|folder| !folder.path.as_os_str().is_empty());
            if folders.len() > MOST_ARGUMENTS {
                return refuse("folders", format!("there are at most {MOST_ARGUMENTS}"));
            }
            for path in folders.iter().map(|folder| &folder.path).chain(folder.as_ref()) {
                if !path.is_absolute() {
                    return refuse("folders", format!("{} is no absolute path", path.display()));
                }
                if !path.is_dir() {
                    return refuse("folders", format!("{} is no folder", path.display()));
                }
            }
        }
        McpTransport::Http { url, headers } => {
            *url = url.trim().to_owned();
            let reachable =
                Destination::parse(url).is_some_and(|to| to.origin.starts_with("https:") || to.is_loopback());
            if !texts(url) || !reachable {
                return refuse("url", "it is an https address, or an http address of this computer itself".to_owned());
            }
            let named = |name: &String| {
                let free = !["accept", "content-type", "content-length", "host", "mcp-session-id", "last-event-id"]
                    .contains(&name.to_ascii_lowercase().as_str());
                free && http::HeaderName::from_bytes(name.as_bytes()).is_ok()
            };
            if headers.len() > MOST_VARIABLES || !headers.keys().all(named) {
                return refuse(
                    "headers",
                    "a name is none of a header, or one that the protocol sets itself".to_owned(),
                );
            }
            let sendable = |value: &McpSecret| texts(given(value)) && !given(value).contains(['\r', '\n']);
            if !headers.values().all(sendable) {
                return refuse("headers", "a value cannot be sent".to_owned());
            }
        }
    }
    Ok(draft)
}

fn given(value: &McpSecret) -> &str {
    match value {
        McpSecret::Plain(text) | McpSecret::Credential(text) => text,
    }
}

/// What agents call the tools of a server, in the order of their own names: letters, digits and underscores, each once.
/// Where two would be called the same, those whose own name had to be changed get some digits of it.
pub fn tool_names(server: &str, own: &[String]) -> Vec<String> {
    let plain = |name: &str| -> String {
        let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
        format!("{PREFIX}{server}_{}", letters.collect::<String>())
    };
    let is_plain = |name: &str| {
        name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && plain(name).len() <= LONGEST_TOOL
    };
    let mut taken: BTreeSet<String> = own.iter().filter(|name| is_plain(name)).map(|name| plain(name)).collect();
    let mut times: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for name in own.iter().filter(|name| !is_plain(name)) {
        *times.entry(plain(name)).or_default() += 1;
    }
    own.iter()
        .map(|name| {
            let given = plain(name);
            if is_plain(name) {
                return given;
            }
            let free = given.len() <= LONGEST_TOOL && times.get(&given) == Some(&1) && !taken.contains(&given);
            let unique = match free {
                true => given,
                false => {
                    let digest = Sha256::digest(name.as_bytes());
                    let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                    let room = LONGEST_TOOL - digits.len() - 1;
                    format!("{}_{digits}", &given[..given.len().min(room)])
                }
            };
            taken.insert(unique.clone());
            unique
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Permission;

    fn draft(name: &str) -> McpServerDraft {
        McpServerDraft {
            name: name.to_owned(),
            transport: McpTransport::Http { url: "http://127.0.0.1:1/mcp".to_owned(), headers: Default::default() },
            enabled: true,
            call_seconds: 60,
            default: Permission::Ask,
        }
    }

    #[test]
    fn names_of_servers_cannot_be_mixed_up() {
        let others = ["files".to_owned()];
        checked(draft("files2"), &others).unwrap();
        for (name, why) in [
            ("files", "already"),
            ("files_b", "mixed up"),
            ("Files", "small letters"),
            ("", "small letters"),
            ("a_", "small"),
        ] {
            let error = checked(draft(name), &others).unwrap_err();
            assert!(error.message.contains(why), "{name}: {error}");
        }
        assert!(checked(draft("file"), &["file_b".to_owned()]).is_err());
        let mut odd = draft("a");
        odd.transport = McpTransport::Http { url: "http://example.org/mcp".to_owned(), headers: Default::default() };
        assert!(checked(odd.clone(), &[]).unwrap_err().message.contains("url"));
        odd.transport = McpTransport::Http {
            url: "https://example.org/mcp".to_owned(),
            headers: [("Host".to_owned(), McpSecret::Plain("x".to_owned()))].into(),
        };
        assert!(checked(odd, &[]).unwrap_err().message.contains("headers"));
    }

    #[test]
    fn tools_have_names_that_agents_and_models_take_and_each_once() {
        let own = ["get-sum", "get_sum", "get.sum", "Écho", "a", &"x".repeat(200)].map(str::to_owned);
        let names = tool_names("all", &own);
        assert_eq!(names[1], "mcp_all_get_sum");
        assert_eq!(names[4], "mcp_all_a");
        assert_eq!(names[3], "mcp_all__cho");
        let unique: BTreeSet<&String> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        assert!(names.iter().all(|name| name.len() <= LONGEST_TOOL
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')));
        assert_eq!(tool_names("all", &["get-sum".to_owned()]), ["mcp_all_get_sum"]);
    }

    #[test]
    fn texts_of_servers_hide_nothing() {
        assert_eq!(line("a\u{202e}b\n\n c\u{1b}[2J", 100), "a\\u{202e}b c\\u{1b}[2J");
        assert_eq!(clean(&"é".repeat(10), 4), "éééé…");
    }
}
