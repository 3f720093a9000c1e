//! Intrinsic-dimension estimators: pure functions of neighbour distances.

mod estimate;

pub use estimate::{ErrorKind, Estimate, Outcome};
