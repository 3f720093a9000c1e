//! Pure functions from neighbours and matrices to numbers. No I/O, no printing, no globals.

pub mod centred;
pub mod clones;
pub mod correlation;
pub mod density;
pub mod diagnostics;
pub mod directions;
pub mod id;
mod known;
mod orders;
pub mod partition;
pub mod permutation;
pub mod phases;
pub mod probe;
mod reason;
pub mod relation;
pub mod resolution;
pub mod rounding;
pub mod similarity;
pub(crate) mod special;
pub mod spectrum;
pub mod stats;

pub(crate) use known::known;
#[cfg(test)]
pub(crate) use known::or_null;
pub use known::{Fields, Known};
pub use reason::Reason;
