//! The choices of RSA: which dissimilarity, which correlation.

use crate::choice::choice;

choice! {
    /// How far apart two rows of a layer are.
    pub enum Dissimilarity {
        /// ‖x − y‖.
        Euclidean = "euclidean",
        /// 1 − cos(x, y) of the raw rows.
        Cosine = "cosine",
        /// 1 − the Pearson correlation of the two rows over columns.
        Correlation = "correlation",
    }
}

choice! {
    /// How the dissimilarities of two layers are correlated.
    pub enum RankCorrelation {
        /// By their ranks.
        Spearman = "spearman",
        /// By themselves.
        Pearson = "pearson",
    }
}
