//! Prints what a reader makes of a file: what is known of it, then its text.
//!
//! `cargo run -p rspa-readers --example show -- FILE`

use std::path::Path;
use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_readers::{Limits, extract, format_of, load};

fn main() {
    let Some(path) = std::env::args().nth(1) else {
        println!("show FILE");
        return;
    };
    let path = Path::new(&path);
    let Some(format) = format_of(path) else {
        println!("Its name is that of a file without text.");
        return;
    };
    let limits = Limits::default();
    match load(path, &limits).and_then(|bytes| extract(format, Arc::new(bytes), &limits, &Cancel::new())) {
        Err(error) => println!("{error}"),
        Ok(read) => {
            println!("{:?}, confidence {}, {}", read.kind, read.confidence, read.note.unwrap_or_default());
            println!("title: {:?}, pages: {}, tables: {:?}", read.title, read.pages.len(), read.tables);
            for (name, value) in &read.metadata {
                println!("{name}: {value}");
            }
            for heading in &read.headings {
                println!("{:5} {}{}", heading.line, "  ".repeat(heading.level.into()), heading.title);
            }
            println!("\n{}", read.lines.text());
        }
    }
}
