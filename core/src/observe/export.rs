//! Log entries as text, JSON lines or a table, for files that leave the program.

use std::io::{self, Write};

use super::console;
use crate::model::{LogEntry, LogFormat};

/// The columns of the table.
const COLUMNS: [&str; 11] =
    ["id", "time", "level", "target", "module", "function", "line", "span", "message", "errors", "fields"];

/// What stands before the first entry.
///
/// # Errors
/// Whatever writing says.
pub fn write_head(format: LogFormat, into: &mut dyn Write) -> io::Result<()> {
    match format {
        LogFormat::Text | LogFormat::Jsonl => Ok(()),
        LogFormat::Csv => writeln!(into, "{}\r", COLUMNS.join(",")),
    }
}

/// One entry.
///
/// # Errors
/// Whatever writing says.
pub fn write_entry(format: LogFormat, entry: &LogEntry, into: &mut dyn Write) -> io::Result<()> {
    match format {
        LogFormat::Text => into.write_all(console::line(entry).as_bytes()),
        LogFormat::Jsonl => {
            serde_json::to_writer(&mut *into, entry)?;
            into.write_all(b"\n")
        }
        LogFormat::Csv => {
            let fields: Vec<String> = entry.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let cells = [
                entry.id.0.to_string(),
                console::time(entry.at.0),
                entry.level.to_string(),
                entry.target.clone(),
                entry.module.clone(),
                entry.function.clone(),
                entry.line.to_string(),
                entry.span.clone(),
                entry.message.clone(),
                entry.errors.join("\n"),
                fields.join("\n"),
            ];
            writeln!(into, "{}\r", cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(","))
        }
    }
}

/// A cell of a table. One that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogId, LogLevel, Timestamp};

    #[test]
    fn each_format_holds_the_whole_entry_and_no_formula() {
        let entry = LogEntry {
            id: LogId(7),
            at: Timestamp(1_760_000_000_123),
            level: LogLevel::Critical,
            target: "rspa".to_owned(),
            module: "rspa::main".to_owned(),
            function: "start".to_owned(),
            line: 3,
            span: String::new(),
            message: "=cmd|' /C calc'!A0, \"quoted\"\nsecond".to_owned(),
            errors: vec!["outer".to_owned(), "inner".to_owned()],
            fields: vec![("path".to_owned(), "/x".to_owned())],
        };
        let written = |format| {
            let mut bytes = Vec::new();
            write_head(format, &mut bytes).unwrap();
            write_entry(format, &entry, &mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(serde_json::from_str::<LogEntry>(&written(LogFormat::Jsonl)).unwrap(), entry);
        assert_eq!(written(LogFormat::Text).lines().count(), 1);
        assert_eq!(
            written(LogFormat::Csv),
            "id,time,level,target,module,function,line,span,message,errors,fields\r\n\
             7,2025-10-09T08:53:20.123Z,critical,rspa,rspa::main,start,3,,\
             \"'=cmd|' /C calc'!A0, \"\"quoted\"\"\nsecond\",\"outer\ninner\",path=/x\r\n"
        );
    }
}
