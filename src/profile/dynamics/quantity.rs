//! Names the quantities that are followed over runs.

use crate::choice::choice;

choice! {
    /// What is followed over runs.
    pub enum DynamicsQuantity {
        /// Intrinsic dimension by one estimator
        Id = "id",
        /// Information imbalance between layers of the run, both directions
        Imbalance = "information_imbalance" as "imbalance",
        /// Neighbour overlap between layers of the run
        Overlap = "data_overlap" as "overlap",
    }
}
