//! Intrinsic-dimension estimators: pure functions of neighbour distances.
//!
//! TwoNN and Gride read [`Ratios`] of two neighbour distances; each other estimator says in its
//! own file what it reads. All return an [`Outcome`]: an [`Estimate`], or the
//! [`Reason`](crate::geometry::Reason) why there is none.

mod estimate;
mod gride;
mod jackknife;
mod order;
mod plateau;
mod ratios;
mod two_nn;

pub use estimate::{ErrorKind, Estimate, Outcome};
pub use gride::{gride, gride_blocks, gride_log_likelihood};
pub use jackknife::jackknife;
pub use order::Orders;
pub use plateau::{PLATEAU_RULE, Plateau, plateau};
pub use ratios::Ratios;
pub use two_nn::{Fit, Fraction, two_nn, two_nn_blocks};
