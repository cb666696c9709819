//! Folders and single files, as they lie on the disk.

use std::path::PathBuf;

use super::{Bytes, Kind, Load, Loaded, Look};
use crate::knowledge::readers::{self, Limits, ReadError};
use crate::knowledge::walk::{self, Found, Obstacle, Walked};

pub struct Folder {
    pub root: PathBuf,
}

impl Kind for Folder {
    fn list(&self, look: &mut Look<'_>) -> Result<Walked, Obstacle> {
        walk::walk(&self.root, look.options, look.cancel, &mut *look.progress)
    }

    fn is_made(&self, _key: &[u8]) -> bool {
        false
    }

    fn loader(&self) -> Box<dyn Load + '_> {
        Box::new(Files)
    }
}

pub struct Files;

impl Load for Files {
    fn load(&mut self, found: &Found, limits: &Limits) -> Result<Option<Loaded>, ReadError> {
        Ok(load_file(found, limits)?.map(Loaded::Bytes))
    }
}

/// The bytes of a file; none when it is not there.
pub fn load_file(found: &Found, limits: &Limits) -> Result<Option<Bytes>, ReadError> {
    match readers::load(&found.path, limits) {
        Ok(bytes) => Ok(Some(Bytes::new(&found.path, bytes, found.format))),
        Err(ReadError::Io(_)) if !found.path.exists() => Ok(None),
        Err(error) => Err(error),
    }
}
