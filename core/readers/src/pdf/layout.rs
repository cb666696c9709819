//! From placed letters to lines in reading order: words by their gaps, columns by the white between them.

use super::accents;
use super::glyphs::Letter;

/// A gap of this share of the letter size parts two words.
const WORD_GAP: f32 = 0.13;
/// A gap of this share of the letter size parts two pieces of a line (columns, cells).
const PIECE_GAP: f32 = 1.4;
const MOST_COLUMN_DEPTH: usize = 5;

/// A line of text as it is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub text: String,
    /// Letter size of most of it, in points.
    pub size: f32,
    /// More white stands before it than between lines of a paragraph.
    pub gap: bool,
    /// Places where its cells begin; more than one for a row of a table.
    pub cells: Vec<f32>,
}

/// Letters that follow each other on one line.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    start: f32,
    end: f32,
    base: f32,
    size: f32,
}

/// Lines of a page in the order in which they are read.
pub fn lines(letters: &[Letter]) -> Vec<Line> {
    let mut lines = Vec::new();
    for turns in [0, 3, 1, 2] {
        let pieces = pieces(letters.iter().filter(|letter| letter.turns == turns));
        let before = lines.len();
        if !pieces.is_empty() {
            region(pieces, 0, &mut lines);
        }
        if let Some(first) = lines.get_mut(before) {
            first.gap = true;
        }
    }
    mend_hyphens(&mut lines);
    lines
}

/// Joins letters that were drawn one after the other.
fn pieces<'l>(letters: impl Iterator<Item = &'l Letter>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut space = false;
    // The last letter's size: a raised number is smaller than its word.
    let mut last = 0.0_f32;
    for letter in letters {
        if letter.character.is_whitespace() || letter.character == '\u{AD}' {
            space |= letter.character != '\u{AD}';
            if letter.character == '\u{AD}'
                && let Some(piece) = pieces.last_mut()
            {
                piece.text.push('\u{AD}');
            }
            continue;
        }
        let joined = pieces.last_mut().filter(|piece| {
            let size = piece.size.max(letter.size);
            let gap = letter.start - piece.end;
            let shift = (letter.base - piece.base).abs();
            let raised = letter.size.min(last) < 0.9 * size && shift < 0.55 * size;
            // An accent is drawn first and its letter back under it, or the reverse.
            if gap < -0.2 * size && gap > -0.9 * size && shift < 0.4 * size {
                let accent = accents::is_accent(letter.character) || piece.text.ends_with(accents::is_accent);
                if accent {
                    return true;
                }
            }
            gap < PIECE_GAP * size && gap > -0.45 * size && (shift < 0.2 * size || raised)
        });
        match joined {
            Some(piece) => {
                let gap = letter.start - piece.end;
                let size = piece.size.min(letter.size.max(0.5 * piece.size));
                if space || gap > WORD_GAP * size {
                    piece.text.push(' ');
                    piece.text.push(letter.character);
                } else {
                    accents::push(&mut piece.text, letter.character, gap < -0.2 * size);
                }
                piece.end = piece.end.max(letter.end);
                if letter.size > piece.size * 1.1 {
                    piece.size = letter.size;
                    piece.base = letter.base;
                }
            }
            None => pieces.push(Piece {
                text: letter.character.to_string(),
                start: letter.start,
                end: letter.end.max(letter.start),
                base: letter.base,
                size: letter.size,
            }),
        }
        last = letter.size;
        space = false;
    }
    pieces
}

/// Pieces of one line, from left to right.
type Row = Vec<Piece>;

fn rows(mut pieces: Vec<Piece>) -> Vec<Row> {
    pieces.sort_by(|a, b| a.base.total_cmp(&b.base).then(a.start.total_cmp(&b.start)));
    let mut rows: Vec<(f32, f32, Row)> = Vec::new();
    for piece in pieces {
        let fits = rows.iter_mut().rev().take(3).find(|(base, size, _)| {
            let big = size.max(piece.size);
            let shift = (piece.base - *base).abs();
            shift < 0.25 * size.min(piece.size)
                || (piece.size < 0.85 * *size && shift < 0.5 * big)
                || (*size < 0.85 * piece.size && shift < 0.5 * big)
        });
        match fits {
            Some((base, size, row)) => {
                if piece.size > *size * 1.1 {
                    *size = piece.size;
                    *base = piece.base;
                }
                row.push(piece);
            }
            None => rows.push((piece.base, piece.size, vec![piece])),
        }
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter()
        .map(|(_, _, mut row)| {
            row.sort_by(|a, b| a.start.total_cmp(&b.start));
            row
        })
        .collect()
}

/// Reads a part of the page: by columns where it has some, else row by row.
fn region(pieces: Vec<Piece>, depth: usize, lines: &mut Vec<Line>) {
    let rows = rows(pieces);
    let Some(gutter) = (if depth < MOST_COLUMN_DEPTH { gutter(&rows) } else { None }) else {
        return leaf(&rows, lines);
    };
    let (mut left, mut right, mut across) = (Vec::new(), Vec::new(), Vec::new());
    let side = |columns: &mut Vec<Piece>, lines: &mut Vec<Line>| {
        if !columns.is_empty() {
            region(std::mem::take(columns), depth + 1, lines);
        }
    };
    for row in rows {
        if row.iter().any(|piece| piece.start < gutter && piece.end > gutter) {
            side(&mut left, lines);
            side(&mut right, lines);
            across.push(row);
            continue;
        }
        if !across.is_empty() {
            leaf(&std::mem::take(&mut across), lines);
        }
        for piece in row {
            if piece.start < gutter { left.push(piece) } else { right.push(piece) }
        }
    }
    side(&mut left, lines);
    side(&mut right, lines);
    leaf(&across, lines);
}

/// Where white runs down between two columns of running text.
fn gutter(rows: &[Row]) -> Option<f32> {
    const BIN: f32 = 2.0;
    if rows.len() < 6 {
        return None;
    }
    let all = || rows.iter().flatten();
    let first = all().map(|piece| piece.start).fold(f32::INFINITY, f32::min);
    let last = all().map(|piece| piece.end).fold(f32::NEG_INFINITY, f32::max);
    let size = middle(all().map(|piece| piece.size));
    let width = last - first;
    if !width.is_finite() || width < 16.0 * size || width > 100_000.0 {
        return None;
    }
    let bins = (width / BIN) as usize + 1;
    let mut covered = vec![0_u32; bins];
    for row in rows {
        let mut until = 0;
        for piece in row {
            let from = (((piece.start - first) / BIN) as usize).max(until);
            let to = (((piece.end - first) / BIN).ceil() as usize).min(bins);
            for bin in covered.iter_mut().take(to).skip(from) {
                *bin += 1;
            }
            until = until.max(to);
        }
    }
    let allowed = (rows.len() / 4) as u32;
    let (from, to) = (bins * 15 / 100, bins * 85 / 100);
    // The widest white with the fewest rows across.
    let mut best: Option<(u32, usize, usize)> = None;
    let mut at = from;
    while at < to {
        let level = covered[at];
        let mut end = at;
        while end < to && covered[end] <= level {
            end += 1;
        }
        if level <= allowed && (end - at) as f32 * BIN >= 0.8 * size {
            let better =
                best.is_none_or(|(lowest, start, stop)| level < lowest || (level == lowest && end - at > stop - start));
            if better {
                best = Some((level, at, end));
            }
        }
        at += 1;
    }
    let (_, start, end) = best?;
    let gutter = first + (start + end) as f32 / 2.0 * BIN;
    let reads_as_text = |of_side: &dyn Fn(&Piece) -> bool| {
        let (mut count, mut filled, mut letters) = (0_usize, 0.0_f32, 0_usize);
        for row in rows.iter().filter(|row| row.iter().all(|piece| piece.end <= gutter || piece.start >= gutter)) {
            let mut width = 0.0;
            for piece in row.iter().filter(|piece| of_side(piece)) {
                width += piece.end - piece.start;
                letters += piece.text.len();
            }
            count += usize::from(width > 0.0);
            filled += width;
        }
        count >= 3 && filled / count as f32 > 8.0 * size && letters / count.max(1) > 14
    };
    (reads_as_text(&|piece| piece.end <= gutter) && reads_as_text(&|piece| piece.start >= gutter)).then_some(gutter)
}

fn middle(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn leaf(rows: &[Row], lines: &mut Vec<Line>) {
    if rows.is_empty() {
        return;
    }
    let base = |row: &Row| row.iter().map(|piece| piece.base).fold(f32::NEG_INFINITY, f32::max);
    let steps = rows.windows(2).map(|pair| base(&pair[1]) - base(&pair[0]));
    let usual = middle(steps.filter(|step| *step > 0.0)).max(1.0);
    let from = lines.len();
    let mut previous: Option<(f32, f32)> = None;
    for row in rows {
        let line = line(row);
        if line.text.trim().is_empty() {
            continue;
        }
        let at = base(row);
        let gap = previous.is_none_or(|(before, size)| {
            at - before > usual * 1.45 && at - before > line.size * 1.3 || (line.size - size).abs() > 0.15 * size
        });
        previous = Some((at, line.size));
        lines.push(Line { gap, ..line });
    }
    if let Some(first) = lines.get_mut(from) {
        first.gap = true;
    }
}

/// One row as a line: words by their gaps, cells by wide ones.
fn line(row: &Row) -> Line {
    let mut line = Line::default();
    let mut end = f32::NEG_INFINITY;
    let (mut most, mut before) = (0_usize, 0.0_f32);
    for piece in row {
        let size = piece.size.max(before);
        let gap = piece.start - end;
        if line.text.is_empty() || gap > PIECE_GAP * size {
            line.cells.push(piece.start);
            if !line.text.is_empty() {
                line.text.push('\t');
            }
        } else if gap > WORD_GAP * piece.size.min(before.max(0.1)) {
            line.text.push(' ');
        }
        line.text.push_str(&piece.text);
        if piece.text.len() > most {
            most = piece.text.len();
            line.size = piece.size;
        }
        end = end.max(piece.end);
        before = piece.size;
    }
    line.text = accents::in_reading_order(&line.text);
    line
}

/// A word that was cut at the end of a line is whole again on the first of the two lines.
fn mend_hyphens(lines: &mut [Line]) {
    for index in 1..lines.len() {
        let (before, rest) = lines.split_at_mut(index);
        let (Some(line), Some(next)) = (before.last_mut(), rest.first_mut()) else { continue };
        let mut ending = line.text.trim_end().chars().rev();
        let cut = matches!(ending.next(), Some('-' | '\u{2010}' | '\u{AD}'))
            && ending.next().is_some_and(char::is_alphabetic)
            && next.text.chars().next().is_some_and(char::is_lowercase)
            && next.cells.len() < 2;
        if !cut {
            continue;
        }
        line.text.truncate(line.text.trim_end().len());
        line.text.pop();
        let (word, after) = match next.text.split_once(' ') {
            Some((word, after)) => (word.to_owned(), after.to_owned()),
            None => (next.text.clone(), String::new()),
        };
        line.text.push_str(&word);
        next.text = after;
    }
    for line in lines.iter_mut() {
        if line.text.contains('\u{AD}') {
            line.text.retain(|character| character != '\u{AD}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str, x: f32, y: f32) -> Vec<Letter> {
        text.chars()
            .enumerate()
            .map(|(index, character)| {
                let start = x + index as f32 * 5.0;
                Letter { character, start, end: start + 5.0, base: y, size: 10.0, turns: 0 }
            })
            .collect()
    }

    fn texts(letters: &[Letter]) -> Vec<String> {
        lines(letters).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn two_columns_are_read_one_after_the_other() {
        let mut letters = write("A title across both columns of this page of the paper", 50.0, 20.0);
        for row in 0..8 {
            let y = 40.0 + row as f32 * 12.0;
            letters.extend(write(&format!("left words of row {row} here"), 50.0, y));
            letters.extend(write(&format!("right words of row {row} too"), 230.0, y));
        }
        let texts = texts(&letters);
        assert_eq!(texts.len(), 17);
        assert!(texts[0].starts_with("A title"));
        assert_eq!(texts[8], "left words of row 7 here");
        assert_eq!(texts[9], "right words of row 0 too");
    }

    #[test]
    fn rows_of_a_table_stay_together() {
        let mut letters = Vec::new();
        for row in 0..8 {
            let y = 40.0 + row as f32 * 12.0;
            letters.extend(write("name", 50.0, y));
            letters.extend(write("12", 230.0, y));
        }
        assert_eq!(texts(&letters)[0], "name\t12");
    }

    #[test]
    fn a_word_cut_by_a_hyphen_is_mended() {
        let mut letters = write("an ex-", 50.0, 20.0);
        letters.extend(write("ample of it", 50.0, 32.0));
        assert_eq!(texts(&letters), ["an example", "of it"]);
    }

    #[test]
    fn an_accent_and_its_letter_are_one() {
        let mut letters = write("Catal", 50.0, 20.0);
        letters.push(Letter { character: '`', start: 75.0, end: 80.0, base: 20.0, size: 10.0, turns: 0 });
        letters.push(Letter { character: 'a', start: 75.2, end: 80.2, base: 20.0, size: 10.0, turns: 0 });
        assert_eq!(texts(&letters), ["Català"]);
    }

    #[test]
    fn words_part_at_gaps_without_spaces() {
        let mut letters = write("one", 50.0, 20.0);
        letters.extend(write("two", 68.0, 20.0));
        assert_eq!(texts(&letters), ["one two"]);
    }
}
