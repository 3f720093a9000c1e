//! Similarity of layers over the same inputs: pairs, matrices, and sources ranked against a target.

mod joined;
mod kernels;
mod measure;
mod neighbours;
mod options;
mod pair;
mod prepared;
mod rank;
mod run;
mod shape;
mod values;

pub use joined::{Joined, join};
pub use measure::Measure;
pub use options::{RankCorrelation, SimilarityOptions};
pub use rank::{RankedSource, ranked};
pub use run::{Source, similarity};
pub use shape::{
    Null, Parts, SimilarityMatrix, SimilarityPair, SimilarityParameters, SimilarityProfile,
};
