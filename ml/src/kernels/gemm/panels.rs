//! The packed side of a product: columns side by side, step after step, in aligned cache lines.

use half::bf16;

use super::{Kernel, LANES, PANEL};

/// A matrix of `steps` words by `columns`, in panels of `PANEL` columns; the last one is narrower, a multiple of
/// `LANES`. Columns and halves of words that are only there to fill up are zero.
#[derive(Clone, Debug, Default)]
pub struct Panels {
    lines: Vec<Line>,
    steps: usize,
    columns: usize,
}

/// A cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Line([u32; LANES]);

impl Panels {
    /// Packs weights for `kernel`: `columns` rows of `weights`, each `inner` long, become columns.
    pub fn pack(kernel: Kernel, weights: &[f32], columns: usize, inner: usize) -> Self {
        assert_eq!(weights.len(), columns * inner, "a weight for each column and input");
        let mut panels = Self::default();
        panels.reset(kernel.words(inner), columns);
        if inner == 0 {
            return panels;
        }
        for (column, row) in weights.chunks_exact(inner).enumerate() {
            let width = panels.width(column / PANEL);
            let words = panels.panel_mut(column / PANEL);
            let column = column % PANEL;
            if kernel.pairs() {
                for (step, pair) in row.chunks(2).enumerate() {
                    let half = |at: usize| pair.get(at).map_or(0, |&value| u32::from(bf16::from_f32(value).to_bits()));
                    words[step * width + column] = half(0) | half(1) << 16;
                }
            } else {
                for (step, value) in row.iter().enumerate() {
                    words[step * width + column] = value.to_bits();
                }
            }
        }
        panels
    }

    /// Takes rows of words (`stride` apart) as columns: the keys of attention. Memory is reused.
    pub fn fill_columns(&mut self, rows: &[u32], stride: usize, count: usize, steps: usize) {
        self.reset(steps, count);
        for index in 0..self.count() {
            let (width, first) = (self.width(index), index * PANEL);
            let used = width.min(count - first);
            let words = self.panel_mut(index);
            for column in 0..used {
                let row = &rows[(first + column) * stride..][..steps];
                for (line, &word) in words.chunks_exact_mut(width).zip(row) {
                    line[column] = word;
                }
            }
        }
    }

    /// Takes `count` rows of `columns` values, as words `stride` apart, as they are: the values of attention. Where words
    /// are pairs, two rows are interleaved; `columns` is then even. Memory is reused.
    pub fn fill_rows(&mut self, kernel: Kernel, rows: &[u32], stride: usize, count: usize, columns: usize) {
        self.reset(kernel.words(count), columns);
        for index in 0..self.count() {
            let (width, first) = (self.width(index), index * PANEL);
            let used = width.min(columns - first);
            let words = self.panel_mut(index);
            if kernel.pairs() {
                assert!(columns.is_multiple_of(2), "pairs fill their words");
                for (pair, line) in words.chunks_exact_mut(width).enumerate() {
                    let upper = &rows[pair * 2 * stride + first / 2..][..used / 2];
                    let line = &mut line[..used];
                    if pair * 2 + 1 < count {
                        let lower = &rows[(pair * 2 + 1) * stride + first / 2..][..used / 2];
                        for ((line, upper), lower) in line.as_chunks_mut::<2>().0.iter_mut().zip(upper).zip(lower) {
                            *line = [upper & 0xffff | lower << 16, upper >> 16 | lower & 0xffff_0000];
                        }
                    } else {
                        for (line, upper) in line.as_chunks_mut::<2>().0.iter_mut().zip(upper) {
                            *line = [upper & 0xffff, upper >> 16];
                        }
                    }
                }
            } else {
                for (row, line) in words.chunks_exact_mut(width).enumerate() {
                    line[..used].copy_from_slice(&rows[row * stride + first..][..used]);
                }
            }
        }
    }

    /// Words of the inner dimension.
    pub fn steps(&self) -> usize {
        self.steps
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes that the packed matrix takes.
    pub fn bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>()
    }

    pub(super) fn count(&self) -> usize {
        self.columns.div_ceil(PANEL)
    }

    /// Words of one panel, and its width.
    pub(super) fn panel(&self, index: usize) -> (&[u32], usize) {
        let width = self.width(index);
        let lines = &self.lines[self.lines_of(index)];
        // SAFETY: a line is sixteen words without padding, so the lines are that many words side by side.
        (unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * LANES) }, width)
    }

    fn panel_mut(&mut self, index: usize) -> &mut [u32] {
        let lines = self.lines_of(index);
        let lines = &mut self.lines[lines];
        // SAFETY: as in `panel`; the borrow is the only one.
        unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LANES) }
    }

    fn lines_of(&self, index: usize) -> std::ops::Range<usize> {
        let first = index * PANEL / LANES * self.steps;
        first..first + self.width(index) / LANES * self.steps
    }

    fn width(&self, index: usize) -> usize {
        PANEL.min((self.columns - index * PANEL).next_multiple_of(LANES))
    }

    fn reset(&mut self, steps: usize, columns: usize) {
        (self.steps, self.columns) = (steps, columns);
        self.lines.clear();
        self.lines.resize(columns.div_ceil(LANES) * steps, Line::default());
    }
}
