//! Trust: what may leave this computer, and the record of what asked to.

pub mod egress;
