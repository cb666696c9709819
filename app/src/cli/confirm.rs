//! A person's yes at the terminal itself: standard input may be a pipe, and a pipe is nobody.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use rspa_core::api::{ApiError, ErrorCategory, Request};

use super::failure::Failure;
use super::output::{harmless, one_line};
use super::session::Session;

/// Bytes of a line that is typed.
const LONGEST_LINE: u64 = 64 << 10;

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Yes,
    No,
    /// There is no terminal to ask at.
    Nobody,
}

/// Shows the question at the terminal that controls this process and waits for a line. Only `y` and `yes` are a yes.
pub fn ask(session: &Session, question: &str) -> Result<Reply, Failure> {
    let question = format!("{} [y/N] ", one_line(question));
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    // On a thread of its own, so that an interrupt ends the waiting.
    std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
        let reply = match terminal() {
            Ok((input, output)) => ask_at(input, output, &question).unwrap_or(Reply::Nobody),
            Err(_no_terminal) => Reply::Nobody,
        };
        sender.blocking_send(reply).ok();
    })?;
    Ok(session.next_of(&mut receiver)?.unwrap_or(Reply::Nobody))
}

/// Shows a text of several lines and a question at the terminal that controls this process, and waits for a line; none
/// when there is no terminal to ask at.
pub fn line(session: &Session, text: &str, question: &str) -> Result<Option<String>, Failure> {
    let shown = format!("{}\n{} ", harmless(text), one_line(question).trim_end());
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    // On a thread of its own, so that an interrupt ends the waiting.
    std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
        let typed = terminal().and_then(|(input, output)| line_at(input, output, &shown));
        sender.blocking_send(typed.ok()).ok();
    })?;
    Ok(session.next_of(&mut receiver)?.flatten())
}

fn line_at(input: impl io::Read, mut output: impl Write, shown: &str) -> io::Result<String> {
    output.write_all(shown.as_bytes())?;
    output.flush()?;
    let mut line = String::new();
    if BufReader::new(input.take(LONGEST_LINE)).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Only `y` and `yes` are a yes.
pub fn is_yes(typed: &str) -> bool {
    matches!(typed.trim(), "y" | "Y" | "yes" | "Yes")
}

/// Asks for what only the person may allow.
///
/// # Errors
/// Category authorisation without a yes.
pub fn allow(session: &Session, request: &Request, what: &str) -> Result<(), Failure> {
    match ask(session, &format!("{what} Go on?"))? {
        Reply::Yes => Ok(()),
        Reply::No => Err(refused(format!("not confirmed: {what}"), "Nothing was done.")),
        Reply::Nobody if only_in_person(request) => Err(refused(
            format!(
                "this is accepted only in the window or at a terminal where a person confirms it, and there is no \
                 terminal here. What was asked: {what}"
            ),
            "Open the window and run it again: it asks you there. Or run it at a terminal. What comes through a pipe, \
             also with --stdin, confirms nothing.",
        )),
        Reply::Nobody => {
            Err(refused(format!("nobody is here to confirm: {what}"), "Run it at a terminal, or do it in the window."))
        }
    }
}

/// What `--yes` does not answer: who types it may be a program.
pub fn only_in_person(request: &Request) -> bool {
    use rspa_core::api::request::profiles::ProfilesRequest;
    match request {
        Request::Settings(_)
        | Request::Credentials(_)
        | Request::Consents(_)
        | Request::Agents(_)
        | Request::Crews(_) => true,
        Request::Profiles(request) => matches!(request, ProfilesRequest::SetProfileNetwork(_)),
        _ => false,
    }
}

fn refused(message: String, advice: &str) -> Failure {
    Failure::Api(ApiError::new(ErrorCategory::Authorisation, message, advice))
}

/// The terminal that controls this process; an error for one in the background, which would be stopped for reading.
#[cfg(unix)]
fn terminal() -> io::Result<(File, File)> {
    use std::os::fd::AsRawFd;
    let file = File::options().read(true).write(true).open("/dev/tty")?;
    // SAFETY: both take plain numbers, and the file stays open during the calls.
    let in_front = unsafe { libc::tcgetpgrp(file.as_raw_fd()) == libc::getpgrp() };
    if !in_front {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    Ok((file.try_clone()?, file))
}

#[cfg(windows)]
fn terminal() -> io::Result<(File, File)> {
    let console = |name: &str| File::options().read(true).write(true).open(name);
    Ok((console("CONIN$")?, console("CONOUT$")?))
}

fn ask_at(input: impl io::Read, mut output: impl Write, question: &str) -> io::Result<Reply> {
    output.write_all(question.as_bytes())?;
    output.flush()?;
    let mut line = String::new();
    // Nobody types a longer yes.
    let read = BufReader::new(input.take(1_000)).read_line(&mut line)?;
    Ok(if read > 0 && is_yes(&line) { Reply::Yes } else { Reply::No })
}

#[cfg(test)]
mod tests {
    use rspa_core::api::Call;
    use rspa_core::api::request::settings::SetSetting;
    use rspa_core::api::request::trash::EmptyTrash;
    use rspa_core::model::SettingValue;

    use super::*;

    #[test]
    fn only_a_typed_yes_is_a_yes() {
        for (typed, expected) in
            [("y\n", Reply::Yes), (" yes \n", Reply::Yes), ("\n", Reply::No), ("", Reply::No), ("yess\n", Reply::No)]
        {
            let mut shown = Vec::new();
            assert_eq!(ask_at(typed.as_bytes(), &mut shown, "Go on? [y/N] ").unwrap(), expected, "{typed:?}");
            assert_eq!(shown, b"Go on? [y/N] ");
        }
    }

    #[test]
    fn a_typed_line_is_read_and_the_end_of_input_is_nobody() {
        let mut shown = Vec::new();
        assert_eq!(line_at(b"Blue. \n".as_slice(), &mut shown, "Which? ").unwrap(), "Blue. ");
        assert_eq!(shown, b"Which? ");
        assert!(line_at(b"".as_slice(), &mut shown, "Which? ").is_err());
    }

    #[test]
    fn a_yes_on_the_command_line_opens_no_network() {
        let policy = SetSetting { key: "network.policy".to_owned(), value: SettingValue::Text("all".to_owned()) };
        assert!(only_in_person(&policy.into_request()));
        assert!(!only_in_person(&EmptyTrash {}.into_request()));
    }
}
