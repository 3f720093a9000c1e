//! Similarity of layers over the same inputs: pairs, matrices, and sources ranked against a target.

mod forecast;
mod id_correlation;
mod imbalance;
mod joined;
mod neighbour_values;
mod options;
mod overlap;
mod pair;
mod rank;
mod register;
mod run;
mod shape;
mod values;

pub use forecast::{Extent, phases};
pub use joined::join;
pub use options::SimilarityOptions;
pub use rank::ranked;
pub use register::MEASURES;
pub use run::{Source, similarity};
pub use shape::{
    Joined, Null, Parts, RankTest, RankedSource, SimilarityMatrix, SimilarityPair,
    SimilarityParameters, SimilarityProfile, SimilarityValue, Unchanged,
};
