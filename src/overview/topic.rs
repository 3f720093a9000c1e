//! Names what a page can have a chapter about.

use crate::choice::choice;

choice! {
    /// One analysis of the page.
    pub enum Topic {
        /// Intrinsic dimension over layers and against scale, and its events
        Dimension = "dimension",
        /// Information imbalance between layers
        Imbalance = "imbalance",
        /// Neighbours that layers have in common
        Overlap = "overlap",
        /// Similarity of layers by CKA
        Similarity = "similarity",
        /// Density peaks, and how well they match labels
        Peaks = "peaks",
        /// Neighbours with the same label
        Labels = "labels",
        /// The layers of another dump over the same rows
        Against = "against",
        /// Intrinsic dimension over runs and layers
        Runs = "runs",
    }
}
