//! Tests of numbered lines: where lines stand among rows, also outside of what is loaded.

use super::Lines;
use super::highlight::language;
use super::rows::Rows;

#[test]
fn lines_that_are_not_loaded_count_as_one_row_each() {
    let lines: Vec<String> = ["short", "a long line of words", "end"].map(str::to_owned).to_vec();
    let mut rows = Rows::default();
    let shown = Lines { lines: &lines, first: 101, from: 1, to: 100_000 };
    assert!(rows.update(shown, language(""), Some(10)));
    assert!(!rows.update(shown, language(""), Some(10)));
    assert_eq!(rows.of_line(50), 49);
    assert_eq!(rows.of_line(101), 100);
    assert_eq!(rows.of_line(102), 101);
    let more = rows.of_line(103) - rows.of_line(102);
    assert!(more >= 2, "the long line wraps");
    assert_eq!(rows.total(), 100_000 - 1 + more);
    for line in [1, 100, 101, 102, 103, 104, 100_000] {
        assert_eq!(rows.line(rows.of_line(line)), line);
    }
    assert_eq!(rows.line(rows.total() + 5), 100_000);
}

#[test]
fn a_passage_alone_begins_at_its_own_first_line() {
    let lines: Vec<String> = ["a", "b"].map(str::to_owned).to_vec();
    let mut rows = Rows::default();
    rows.update(Lines { lines: &lines, first: 871, from: 871, to: 872 }, language("rs"), None);
    assert_eq!((rows.total(), rows.line(0), rows.line(1)), (2, 871, 872));
}
