//! How alike two layers are whose rows are the same inputs.
//!
//! Every measure takes centred layers. What one layer contributes by itself (its norms, its basis,
//! its distances) is made once; a pair then costs its cross terms only.

mod basis;
mod cca;
mod cka;
mod gaussian;
mod linear;
mod procrustes;
mod rsa;
mod tiles;

pub use basis::Basis;
pub use cca::{CanonicalSummary, cca, pwcca, svcca};
pub use cka::{KernelTerms, PairTerms};
pub use gaussian::{median_distances, rbf_terms};
pub use linear::{Route, cheaper_route, linear_terms, tile_precision};
pub use procrustes::Shape;
pub use rsa::{Dissimilarity, Relations};
pub use tiles::Precision;
