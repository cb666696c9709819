//! Where things lie on this computer: the data folder, and folders for the picker.

pub mod folders;
pub mod places;
