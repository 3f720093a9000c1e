//! Information imbalance between layers: profiles, matrices, agreement of two dumps.

mod directed;
mod options;
mod parts;
mod run;
mod searches;
mod shape;
mod subset_shape;
mod subsets;
mod tabled;
mod whole;

pub use options::{Criterion, Greedy, ImbalanceOptions, SubsetOptions, SubsetRule};
pub use run::{cost_of_ranks, imbalance};
pub use searches::{ImbalanceSearches, RankSearch, TableOf};
pub use shape::{
    BestPair, BothWays, Direction, ImbalanceMatrix, ImbalancePair, ImbalanceParameters,
    ImbalanceProfile, Null, Parts, Step, Steps,
};
pub use subset_shape::{
    LayerSubsets, SubsetImbalances, SubsetPair, SubsetParameters, SubsetsProfile,
};
pub use subsets::{subsets, target_subsets};
