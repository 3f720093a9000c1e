//! The measures by name.

use crate::choice::choice;
choice! {
    /// One way to say how alike two layers are.
    pub enum Measure {
        /// Linear centred kernel alignment.
        Cka = "cka",
        /// The same from unbiased terms.
        CkaDebiased = "cka_debiased",
        /// Kernel alignment of Gaussian kernels.
        CkaRbf = "cka_rbf",
        /// The same from unbiased terms.
        CkaRbfDebiased = "cka_rbf_debiased",
        /// Mean canonical correlation.
        Cca = "cca_mean" as "cca",
        /// The same of leading components.
        Svcca = "svcca",
        /// Projection-weighted canonical correlation, seen from each layer.
        Pwcca = "pwcca",
        /// Squared Procrustes distance.
        Procrustes = "procrustes",
        /// Correlation of dissimilarities.
        Rsa = "rsa",
        /// Information imbalance.
        Imbalance = "imbalance",
        /// Neighbour overlap.
        Overlap = "overlap",
    }
}

impl Measure {
    /// Whether small values mean alike.
    pub fn is_distance(self) -> bool {
        matches!(self, Self::Procrustes | Self::Imbalance)
    }

    /// Whether the value depends on which layer comes first.
    pub fn is_directed(self) -> bool {
        matches!(self, Self::Pwcca | Self::Imbalance)
    }

    /// The value as a similarity that is 1 for equal layers: 1 − d²/2 for Procrustes, which is
    /// ‖XᵀY‖_*, and 1 − Δ for the imbalance.
    pub fn as_similarity(self, value: f64) -> f64 {
        match self {
            Self::Procrustes => 1.0 - value / 2.0,
            Self::Imbalance => 1.0 - value,
            _ => value,
        }
    }

    /// The number of a layer with itself.
    pub fn of_itself(self) -> f64 {
        if self.is_distance() { 0.0 } else { 1.0 }
    }

    /// Whether bias changes with N so much that parts of the rows give no error of the whole.
    pub fn is_canonical(self) -> bool {
        matches!(self, Self::Cca | Self::Svcca | Self::Pwcca)
    }
}
