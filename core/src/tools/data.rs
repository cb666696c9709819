//! Tables for tools: CSV, TSV and JSON with their numbers understood, filtered, grouped and described.

pub mod least_squares;
pub mod number;
pub mod query;
pub mod table;

use serde_json::Value;

use super::schema;

/// Where a tool takes its table from: `file` or `data`.
pub fn source_fields() -> Vec<(&'static str, Value)> {
    vec![
        ("file", schema::path("CSV, TSV or JSON file")),
        (
            "data",
            schema::long_text("Instead of a file: the table itself, as CSV with a header or a JSON array of objects."),
        ),
    ]
}
