//! Measures how alike two layers are whose rows are the same inputs.
//!
//! Every measure takes centred layers. What one layer contributes by itself (its norms, its basis,
//! its distances) is made once; a pair then costs its cross terms only.

mod alignment;
mod basis;
mod cca;
mod cka;
mod dissimilarity;
mod footprint;
mod gaussian;
mod linear;
mod measure;
mod pair_ranks;
mod prepared;
mod procrustes;
mod rsa;
mod tiles;

pub use basis::Basis;
pub use cca::{CCA, CanonicalSummary, PWCCA, SVCCA, cca, pwcca, svcca};
pub use cka::{KernelTerms, PairTerms};
pub use dissimilarity::{Dissimilarity, RankCorrelation};
pub use gaussian::{CKA_RBF, CKA_RBF_DEBIASED, median_distances, rbf_terms};
pub use linear::{CKA, CKA_DEBIASED, Route, cheaper_route, linear_terms, tile_precision};
pub use measure::{Computation, Measure, PairValue, Setting, Settings, Subject, Values};
pub use procrustes::{PROCRUSTES, Shape};
pub use rsa::{RSA, Relations};
pub use tiles::Precision;
