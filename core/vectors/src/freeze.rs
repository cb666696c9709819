//! Writes rows, and their graph where there is one, as a file or into memory.

use std::io::{Seek, Write};

use rspa_ml::kernels::distance::{Plain, bytes_of};

use crate::Error;
use crate::build::Graph;
use crate::format::{Header, Section, Writer};
use crate::graph::{LINKS, NONE, UPPER_LINKS};
use crate::rows::Columns;

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    pub segment: u32,
    pub row: u32,
}

/// A graph with the numbers that its nodes get.
pub(crate) struct Numbered {
    pub graph: Graph,
    /// The node that gets each number.
    pub nodes: Vec<u32>,
    /// The number that each node gets.
    pub numbers: Vec<u32>,
    /// For each row in its new place the next one of the same codes, or [`NONE`].
    pub twins: Vec<u32>,
}

/// Everything that a file is written from.
pub(crate) struct Freeze<'a> {
    pub columns: &'a [Columns<'a>],
    /// The rows, in their new order.
    pub picks: &'a [Pick],
    pub names: &'a [u128],
    pub dead: &'a [u64],
    pub graph: Option<&'a Numbered>,
}

impl<'a> Freeze<'a> {
    /// With the counts of what is frozen.
    pub fn header(&self, header: Header) -> Header {
        Header {
            rows: self.picks.len() as u64,
            names: self.names.len() as u64,
            dead: self.dead.len() as u64,
            counts: self.graph.map_or_else(Vec::new, |graph| graph.graph.counts.clone()),
            ..header
        }
    }

    /// `header` is one that [`Freeze::header`] made.
    pub fn write<W: Write + Seek>(
        &self,
        out: W,
        header: Header,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(W, Header), Error> {
        let mut writer = Writer::new(out, header)?;
        let mut order: Vec<u32> = (0..self.picks.len() as u32).collect();
        order.sort_by_key(|row| self.of(&self.picks[*row as usize], |columns, row| columns.ids[row]));
        column(&mut writer, Section::Names, self.names.iter().copied())?;
        column(&mut writer, Section::Ids, self.each(|columns, row| columns.ids[row]))?;
        column(&mut writer, Section::Order, order.into_iter())?;
        column(&mut writer, Section::Sources, self.each(|columns, row| columns.sources[row]))?;
        column(&mut writer, Section::Kinds, self.each(|columns, row| columns.kinds[row]))?;
        column(&mut writer, Section::Modified, self.each(|columns, row| columns.modified[row]))?;
        column(&mut writer, Section::Scales, self.each(|columns, row| columns.scales[row]))?;
        column(&mut writer, Section::Dead, self.dead.iter().copied())?;
        let (twins, nodes, counts) = match self.graph {
            Some(graph) => (graph.twins.as_slice(), graph.nodes.as_slice(), graph.graph.counts.as_slice()),
            None => (&[][..], &[][..], &[][..]),
        };
        column(&mut writer, Section::Twins, twins.iter().copied())?;
        for node in nodes {
            self.links(&mut writer, |graph| &graph.links[*node as usize * LINKS..][..LINKS])?;
        }
        writer.end(Section::Links)?;
        let mut below = 0;
        for count in counts.iter().skip(1).map(|count| *count as usize) {
            for node in &nodes[..count] {
                let from = (below + *node as usize) * UPPER_LINKS;
                self.links(&mut writer, |graph| &graph.upper[from..][..UPPER_LINKS])?;
            }
            below += count;
        }
        writer.end(Section::Upper)?;
        for (section, fine) in [(Section::Coarse, false), (Section::Fine, true)] {
            for (at, pick) in self.picks.iter().enumerate() {
                if at.is_multiple_of(1 << 14) && cancelled() {
                    return Err(Error::Cancelled);
                }
                let columns = &self.columns[pick.segment as usize];
                let row = pick.row as usize;
                writer.put(bytes_of(if fine { columns.fine_of(row) } else { columns.coarse_of(row) }))?;
            }
            writer.end(section)?;
        }
        Ok(writer.finish()?)
    }

    fn of<T>(&self, pick: &Pick, value: impl Fn(&Columns<'a>, usize) -> T) -> T {
        value(&self.columns[pick.segment as usize], pick.row as usize)
    }

    fn each<T>(&self, value: impl Fn(&Columns<'a>, usize) -> T) -> impl Iterator<Item = T> {
        self.picks.iter().map(move |pick| self.of(pick, &value))
    }

    fn links<W: Write + Seek>(&self, writer: &mut Writer<W>, row: impl Fn(&Graph) -> &[u32]) -> Result<(), Error> {
        let Some(graph) = self.graph else { return Ok(()) };
        let mut numbers = [NONE; LINKS];
        let row = row(&graph.graph);
        for (number, link) in numbers.iter_mut().zip(row) {
            *number = graph.numbers.get(*link as usize).copied().unwrap_or(NONE);
        }
        Ok(writer.put(bytes_of(&numbers[..row.len()]))?)
    }
}

fn column<W: Write + Seek, T: Plain>(
    writer: &mut Writer<W>,
    section: Section,
    values: impl Iterator<Item = T>,
) -> Result<(), Error> {
    const PIECE: usize = 1 << 13;
    let mut piece = Vec::with_capacity(PIECE);
    for value in values {
        piece.push(value);
        if piece.len() == PIECE {
            writer.put(bytes_of(&piece))?;
            piece.clear();
        }
    }
    writer.put(bytes_of(&piece))?;
    Ok(writer.end(section)?)
}
