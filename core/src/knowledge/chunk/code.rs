//! Pieces of source code along what it declares: a function with its comment is one, the head of a class or impl is
//! one, small neighbours inside the same container are merged.

use super::{Lengths, Sizes};
use crate::knowledge::readers::{Extracted, Symbol};

/// Names that one passage lists at most.
const MOST_NAMES: usize = 64;
/// A gap with fewer letters and digits than this only closes what was before it.
const CLOSING: usize = 3;

/// A run of lines that becomes a passage, or several where it is too long.
#[derive(Clone, Debug)]
pub struct Piece {
    pub first: u32,
    pub last: u32,
    /// `impl Queue › fn lease`.
    pub heading: Option<String>,
    /// What it declares, outermost first.
    pub names: Vec<String>,
    chars: usize,
    /// Symbols that were put together.
    count: usize,
    /// Has nothing of its own to say: imports, brackets, the first line of an impl.
    gap: bool,
}

/// All pieces of a document that has symbols, in order and without overlap. Every line that is not blank lies in one.
pub fn pieces(document: &Extracted, sizes: Sizes, lengths: &Lengths) -> Vec<Piece> {
    let cutter = Cutter { document, sizes, lengths, children: children(&document.symbols) };
    let roots = cutter.children[document.symbols.len()].clone();
    cutter.region(1, document.lines.count(), &roots, None)
}

/// Indices of the symbols inside each symbol; last those that lie in none.
fn children(symbols: &[Symbol]) -> Vec<Vec<usize>> {
    let mut inside = vec![Vec::new(); symbols.len() + 1];
    let mut stack: Vec<usize> = Vec::new();
    for (index, symbol) in symbols.iter().enumerate() {
        while stack
            .last()
            .is_some_and(|above| symbols[*above].level >= symbol.level || symbols[*above].last_line < symbol.last_line)
        {
            stack.pop();
        }
        inside[stack.last().copied().unwrap_or(symbols.len())].push(index);
        stack.push(index);
    }
    inside
}

struct Cutter<'a> {
    document: &'a Extracted,
    sizes: Sizes,
    lengths: &'a Lengths,
    /// See [`children`].
    children: Vec<Vec<usize>>,
}

/// What one container holds, in order.
enum Entry {
    Piece(Piece),
    /// A container of its own: its pieces are not merged with what is outside.
    Opened(Vec<Piece>),
}

impl Entry {
    fn last_mut(&mut self) -> Option<&mut Piece> {
        match self {
            Self::Piece(piece) => Some(piece),
            Self::Opened(pieces) => pieces.last_mut(),
        }
    }
}

impl Cutter<'_> {
    /// The pieces of these lines, which hold these symbols and belong to `owner`.
    fn region(&self, first: u32, last: u32, inside: &[usize], owner: Option<&Symbol>) -> Vec<Piece> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut at = first;
        for &index in inside {
            let symbol = &self.document.symbols[index];
            let end = symbol.last_line.min(last);
            if symbol.first_line < at || symbol.first_line > end {
                // It begins on a line that is already taken: they cannot be told apart by lines.
                if let Some(piece) = entries.last_mut().and_then(Entry::last_mut) {
                    if end >= at {
                        piece.last = end;
                        piece.chars = self.lengths.of(piece.first, end);
                        at = end + 1;
                    }
                    piece.count += 1;
                    self.name(index, &mut piece.names);
                }
                continue;
            }
            entries.extend(self.gap(at, symbol.first_line - 1, owner).map(Entry::Piece));
            entries.push(self.symbol(index, end));
            at = end + 1;
        }
        if let Some(tail) = self.gap(at, last, owner) {
            let words =
                self.document.lines.iter().skip(tail.first as usize - 1).take((tail.last - tail.first) as usize + 1);
            let words =
                words.flat_map(|(_, text)| text.chars()).filter(|c| c.is_alphanumeric()).take(CLOSING + 1).count();
            match entries.last_mut().and_then(Entry::last_mut) {
                Some(before) if words <= CLOSING => {
                    before.last = tail.last;
                    before.chars = self.lengths.of(before.first, tail.last);
                }
                _ => entries.push(Entry::Piece(tail)),
            }
        }
        let mut pieces = self.merged(entries, owner);
        // The first piece says what all of this is in.
        if let (Some(owner), Some(head)) = (owner, pieces.first_mut())
            && !head.names.contains(&owner.name)
        {
            head.names.insert(0, owner.name.clone());
        }
        pieces
    }

    fn symbol(&self, index: usize, last: u32) -> Entry {
        let symbol = &self.document.symbols[index];
        let inside = &self.children[index];
        let chars = self.lengths.of(symbol.first_line, last);
        let large = |index: &usize| {
            let child = &self.document.symbols[*index];
            self.lengths.of(child.first_line, child.last_line) >= self.sizes.least
        };
        let whole = if symbol.kind.is_callable() {
            chars <= self.sizes.most
        } else {
            chars <= self.sizes.least || (chars <= self.sizes.target && !inside.iter().any(large))
        };
        if whole || inside.is_empty() {
            let mut names = Vec::new();
            self.name(index, &mut names);
            let heading = Some(path(symbol));
            let (first, count) = (symbol.first_line, 1);
            return Entry::Piece(Piece { first, last, heading, names, chars, count, gap: false });
        }
        Entry::Opened(self.region(symbol.first_line, last, inside, Some(symbol)))
    }

    /// Adds the name of a symbol and those inside it.
    fn name(&self, index: usize, names: &mut Vec<String>) {
        let mut waiting = vec![index];
        while let Some(next) = waiting.pop() {
            if names.len() >= MOST_NAMES {
                return;
            }
            let name = &self.document.symbols[next].name;
            if !names.contains(name) {
                names.push(name.clone());
            }
            waiting.extend(self.children[next].iter().rev());
        }
    }

    /// The lines between symbols without blank ones at the ends; none if all are blank.
    fn gap(&self, first: u32, last: u32, owner: Option<&Symbol>) -> Option<Piece> {
        let lines = &self.document.lines;
        let first = (first..=last).find(|line| !lines.is_blank(*line))?;
        let last = (first..=last).rev().find(|line| !lines.is_blank(*line))?;
        let chars = self.lengths.of(first, last);
        let heading = owner.map(path);
        Some(Piece { first, last, heading, names: Vec::new(), chars, count: 0, gap: chars < self.sizes.least / 3 })
    }

    /// Small pieces joined with small neighbours, and gaps with what follows them.
    fn merged(&self, entries: Vec<Entry>, owner: Option<&Symbol>) -> Vec<Piece> {
        let mut done: Vec<Piece> = Vec::new();
        // The last of `done` may take more.
        let mut open = false;
        for entry in entries {
            match entry {
                Entry::Opened(mut pieces) => {
                    let before = done.last().filter(|last| open && last.gap);
                    if let (Some(gap), Some(head)) = (before, pieces.first_mut())
                        && self.lengths.of(gap.first, head.last) <= self.sizes.most
                    {
                        head.first = gap.first;
                        head.chars = self.lengths.of(head.first, head.last);
                        done.pop();
                    }
                    done.extend(pieces);
                    open = false;
                }
                Entry::Piece(piece) => {
                    match done.last_mut().filter(|last| open && self.fit(last, &piece)) {
                        Some(last) => self.join(last, piece, owner),
                        None => done.push(piece),
                    }
                    open = true;
                }
            }
        }
        done
    }

    fn fit(&self, last: &Piece, next: &Piece) -> bool {
        let together = self.lengths.of(last.first, next.last);
        let small = last.chars < self.sizes.least && next.chars < self.sizes.least;
        let within = if last.gap { self.sizes.most } else { self.sizes.target };
        (small || last.gap) && together <= within
    }

    fn join(&self, last: &mut Piece, next: Piece, owner: Option<&Symbol>) {
        last.heading = match (last.count, next.count) {
            (0, 1) if last.gap => next.heading,
            (1, 0) => last.heading.take(),
            _ => owner.map(path),
        };
        last.last = next.last;
        last.chars = self.lengths.of(last.first, last.last);
        last.count += next.count;
        last.gap &= next.gap;
        for name in next.names {
            if last.names.len() < MOST_NAMES && !last.names.contains(&name) {
                last.names.push(name);
            }
        }
    }
}

/// `mod queue › impl Queue › fn lease`.
fn path(symbol: &Symbol) -> String {
    let mut path = String::new();
    for title in symbol.containers.iter().chain([&symbol.title]) {
        if !path.is_empty() {
            path.push_str(" › ");
        }
        path.push_str(title);
    }
    path
}
