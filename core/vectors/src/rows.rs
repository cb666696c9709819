//! Rows with their attributes and codes, column by column: growing ones in memory, and a view of any.

use crate::quantise::quantise;

/// What belongs to a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: u64,
    pub source: u128,
    pub kind: u8,
    /// Seconds since the Unix epoch.
    pub modified: u32,
}

/// Columns of equal length, wherever they lie. Files may hold anything: ids and orders are only hints to check.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub dimensions: usize,
    pub ids: &'a [u64],
    /// Rows in order of their ids.
    pub order: &'a [u32],
    /// Places in the list of names.
    pub sources: &'a [u32],
    pub kinds: &'a [u8],
    pub modified: &'a [u32],
    pub scales: &'a [f32],
    pub coarse: &'a [i8],
    pub fine: &'a [i8],
}

impl<'a> Columns<'a> {
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn coarse_of(&self, row: usize) -> &'a [i8] {
        &self.coarse[row * self.dimensions..][..self.dimensions]
    }

    pub fn fine_of(&self, row: usize) -> &'a [i8] {
        &self.fine[row * self.dimensions..][..self.dimensions]
    }

    /// The first place in the order whose id is not below this one.
    fn place(&self, id: u64) -> usize {
        self.order.partition_point(|row| self.ids.get(*row as usize).is_some_and(|known| *known < id))
    }

    pub fn find(&self, id: u64) -> Option<usize> {
        let row = *self.order.get(self.place(id))? as usize;
        (self.ids.get(row) == Some(&id)).then_some(row)
    }

    /// Rows whose ids lie in the range.
    pub fn within(&self, ids: std::ops::Range<u64>) -> impl Iterator<Item = usize> {
        let columns = *self;
        self.order[self.place(ids.start)..]
            .iter()
            .map(|row| *row as usize)
            .take_while(move |row| columns.ids.get(*row).is_some_and(|id| *id < ids.end))
    }
}

/// Rows in memory, in the order in which they came.
#[derive(Default)]
pub(crate) struct Rows {
    dimensions: usize,
    ids: Vec<u64>,
    order: Vec<u32>,
    sources: Vec<u32>,
    kinds: Vec<u8>,
    modified: Vec<u32>,
    scales: Vec<f32>,
    coarse: Vec<i8>,
    fine: Vec<i8>,
}

impl Rows {
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn columns(&self) -> Columns<'_> {
        Columns {
            dimensions: self.dimensions,
            ids: &self.ids,
            order: &self.order,
            sources: &self.sources,
            kinds: &self.kinds,
            modified: &self.modified,
            scales: &self.scales,
            coarse: &self.coarse,
            fine: &self.fine,
        }
    }

    /// Adds a vector of the right length. An earlier row of this id is not found by its id any more.
    ///
    /// # Returns
    /// The earlier row.
    pub fn push(&mut self, row: Row, source: u32, vector: &[f32]) -> Option<usize> {
        let from = self.coarse.len();
        self.coarse.resize(from + self.dimensions, 0);
        self.fine.resize(from + self.dimensions, 0);
        let scale = quantise(vector, &mut self.coarse[from..], &mut self.fine[from..]);
        self.attributes(row.id, source, row.kind, row.modified, scale)
    }

    /// Adds a row of other columns.
    pub fn copy(&mut self, columns: &Columns<'_>, row: usize) {
        self.coarse.extend_from_slice(columns.coarse_of(row));
        self.fine.extend_from_slice(columns.fine_of(row));
        let scale = columns.scales[row];
        self.attributes(columns.ids[row], columns.sources[row], columns.kinds[row], columns.modified[row], scale);
    }

    fn attributes(&mut self, id: u64, source: u32, kind: u8, modified: u32, scale: f32) -> Option<usize> {
        let row = self.ids.len() as u32;
        let last = self.order.last().and_then(|last| self.ids.get(*last as usize));
        let at = if last.is_none_or(|last| *last < id) { self.order.len() } else { self.columns().place(id) };
        let earlier = self.order.get(at).copied().filter(|row| self.ids[*row as usize] == id);
        match earlier {
            Some(_) => self.order[at] = row,
            None => self.order.insert(at, row),
        }
        self.ids.push(id);
        self.sources.push(source);
        self.kinds.push(kind);
        self.modified.push(modified);
        self.scales.push(scale);
        earlier.map(|row| row as usize)
    }

    pub fn memory_bytes(&self) -> usize {
        self.ids.capacity() * 8
            + (self.order.capacity() + self.sources.capacity() + self.modified.capacity() + self.scales.capacity()) * 4
            + self.kinds.capacity()
            + self.coarse.capacity()
            + self.fine.capacity()
    }
}

/// A set of rows.
#[derive(Clone, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    count: usize,
}

impl Bits {
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    pub fn insert(&mut self, row: usize) {
        if self.words.len() <= row / 64 {
            self.words.resize(row / 64 + 1, 0);
        }
        let word = &mut self.words[row / 64];
        self.count += usize::from(*word >> (row % 64) & 1 == 0);
        *word |= 1 << (row % 64);
    }

    pub fn count(&self) -> usize {
        self.count
    }
}
