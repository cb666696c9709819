//! Who is at the other end of a connection, as the system knows it.

use super::message::Hello;

/// Characters of a program or command line that are shown.
const SHOWN: usize = 300;

/// One line for people: command line, process id, program. What the system says counts more than what the process says.
pub fn describe(hello: &Hello, pid: Option<u32>) -> String {
    let known = pid.and_then(look);
    let pid = pid.unwrap_or(hello.pid);
    let (command, executable) = known.unwrap_or_else(|| (String::new(), hello.executable.clone()));
    match (printable(&command), printable(&executable)) {
        (command, executable) if command.is_empty() => format!("{executable} (process {pid})"),
        (command, executable) => format!("{command} (process {pid}, {executable})"),
    }
}

/// The command line and the program of a process.
#[cfg(target_os = "linux")]
fn look(pid: u32) -> Option<(String, String)> {
    use std::io::Read;
    let executable = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let mut bytes = Vec::new();
    std::fs::File::open(format!("/proc/{pid}/cmdline")).ok()?.take(4096).read_to_end(&mut bytes).ok()?;
    let words: Vec<_> = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    Some((words.join(" ").trim().to_owned(), executable.display().to_string()))
}

#[cfg(not(target_os = "linux"))]
fn look(_pid: u32) -> Option<(String, String)> {
    None
}

/// One line without control characters or marks that turn the direction of writing.
fn printable(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() || is_mark(c) { '\u{fffd}' } else { c });
    let mut line: String = shown.clone().take(SHOWN).collect();
    if shown.count() > SHOWN {
        line.push('…');
    }
    line
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Role;

    #[test]
    fn what_a_process_says_of_itself_cannot_forge_the_line() {
        let mut hello = Hello::of(Role::Command, None);
        hello.executable = format!("/bin/rspa\n(process 1, the window)\u{202e}{}", "x".repeat(1_000));
        hello.pid = 7;
        let line = describe(&hello, None);
        assert!(!line.contains('\n') && !line.contains('\u{202e}') && line.contains('\u{fffd}'), "{line}");
        assert!(line.ends_with("(process 7)") && line.chars().count() < 340, "{line}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_knows_the_program_of_a_process() {
        let mut hello = Hello::of(Role::Command, None);
        hello.executable = "/usr/bin/true".to_owned();
        let line = describe(&hello, Some(std::process::id()));
        let own = std::env::current_exe().unwrap();
        assert!(line.contains(own.to_str().unwrap()) && !line.contains("/usr/bin/true"), "{line}");
    }
}
