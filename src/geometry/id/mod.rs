//! Intrinsic-dimension estimators: pure functions of neighbour distances.
//!
//! TwoNN and Gride read [`Ratios`] of two neighbour distances; each other estimator says in its
//! own file what it reads. All return an [`Outcome`]: an [`Estimate`], or the
//! [`Reason`](crate::geometry::Reason) why there is none.

mod abide;
mod binomial;
mod corr_int;
mod ess;
mod estimate;
mod estimator;
mod gride;
mod jackknife;
mod likelihood;
mod local;
mod lpca;
mod mada;
mod mind_ml;
mod mle;
mod mom;
mod neighbourhood;
mod order;
mod plateau;
mod ratios;
mod register;
mod tle;
mod two_nn;

pub use abide::{ABIDE_ITERATIONS, ABIDE_K, AbideVersion, abide};
pub use binomial::{BINOMIAL_K, BINOMIAL_RATIO, BinomialFit, binomial_k, binomial_radius};
pub use corr_int::{CORR_INT_K, corr_int, corr_int_radii, pairs_within};
pub use ess::{ESS_K, EssVersion, ess, ess_of_points};
pub use estimate::{AbideStep, ErrorKind, Estimate, Outcome};
pub use estimator::{
    CALIBRATED_DIMENSIONS, Estimated, Estimator, Explained, LayerView, Neighbours, Reads,
};
pub use gride::{GRIDE, gride, gride_blocks, gride_log_likelihood};
pub use jackknife::jackknife;
pub use local::{Combine, Local, LocalOutcome};
pub use lpca::{LpcaRule, RATIO, RATIO_SHARE, lpca};
pub use mada::{MADA_K, mada};
pub use mind_ml::{MIND_ML_K, MindVersion, mind_ml};
pub use mle::{MLE_K, MleVersion, mle};
pub use mom::{MOM_K, mom};
pub use order::Orders;
pub use plateau::{PLATEAU_RULE, Plateau, plateau};
pub use ratios::Ratios;
pub use register::ESTIMATORS;
pub use tle::{TLE_K, tle};
#[cfg(test)]
pub(crate) use two_nn::FitFields;
pub use two_nn::{Fit, FitRule, Fraction, TWO_NN, two_nn, two_nn_blocks};
