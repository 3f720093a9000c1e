//! Information imbalance between layers: profiles, matrices, agreement of two dumps.

mod directed;
mod options;
mod parts;
mod run;
mod shape;
mod subsets;
mod whole;

pub(crate) use directed::all_rows_equal;
pub use options::{ImbalanceOptions, SubsetOptions, SubsetRule};
pub use run::imbalance;
pub(crate) use run::{reduced, side, wanted_pairs};
pub use shape::{
    BestPair, Direction, ImbalanceMatrix, ImbalancePair, ImbalanceParameters, ImbalanceProfile,
    Null, Parts, Side, Step, Steps,
};
pub use subsets::{Greedy, LayerSubsets, SubsetPair, SubsetsProfile, subsets};
