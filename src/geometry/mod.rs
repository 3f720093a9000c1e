//! Pure functions from neighbours and matrices to numbers. No I/O, no printing, no globals.

pub mod centred;
pub mod clones;
pub mod density;
pub mod diagnostics;
pub mod directions;
pub mod id;
pub mod partition;
mod reason;
pub mod relation;
pub mod rounding;
pub mod similarity;
pub(crate) mod special;
pub mod spectrum;
pub mod stats;

pub use reason::Reason;
