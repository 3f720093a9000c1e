//! Floor 3: pure functions from neighbours and matrices to numbers. No I/O, no printing, no globals.

pub mod diagnostics;
pub mod id;
mod reason;
mod special;
pub mod stats;

pub use reason::Reason;
