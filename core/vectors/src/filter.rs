//! Which rows may be found.

use crate::rows::Columns;

/// Empty lists mean all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub sources: &'a [u128],
    pub kinds: &'a [u8],
    /// Not modified before; seconds since the Unix epoch.
    pub after: Option<u32>,
    /// Modified before; seconds since the Unix epoch.
    pub before: Option<u32>,
}

impl Filter<'_> {
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.kinds.is_empty() && self.after.is_none() && self.before.is_none()
    }

    /// For rows whose sources are numbered by their place in `names`.
    pub(crate) fn compile(&self, names: &[u128]) -> Compiled {
        let sources = (!self.sources.is_empty())
            .then(|| names.iter().map(|name| self.sources.contains(name)).collect::<Vec<bool>>());
        let mut kinds = [self.kinds.is_empty(); 256];
        self.kinds.iter().for_each(|kind| kinds[usize::from(*kind)] = true);
        let (after, before) = (self.after.unwrap_or(0), self.before.unwrap_or(u32::MAX));
        Compiled { everything: self.is_empty(), sources, kinds, after, before, open: self.before.is_none() }
    }
}

/// A filter that is quickly asked.
pub(crate) struct Compiled {
    pub everything: bool,
    sources: Option<Vec<bool>>,
    kinds: [bool; 256],
    after: u32,
    before: u32,
    open: bool,
}

impl Compiled {
    pub fn keeps(&self, columns: &Columns<'_>, row: usize) -> bool {
        if self.everything {
            return true;
        }
        let (Some(source), Some(kind), Some(modified)) =
            (columns.sources.get(row), columns.kinds.get(row), columns.modified.get(row))
        else {
            return false;
        };
        let from =
            self.sources.as_ref().is_none_or(|wanted| wanted.get(*source as usize).is_some_and(|wanted| *wanted));
        from && self.kinds[usize::from(*kind)] && *modified >= self.after && (self.open || *modified < self.before)
    }
}
