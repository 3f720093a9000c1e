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
mod subject;
mod values;

pub use joined::join;
pub use measure::Measure;
pub use options::{RankCorrelation, SimilarityOptions};
pub use rank::ranked;
pub use run::{Source, similarity};
pub use shape::{
    Joined, Null, Parts, RankedSource, SimilarityMatrix, SimilarityPair, SimilarityParameters,
    SimilarityProfile,
};
