//! The measures by name.

/// One way to say how alike two layers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Linear centred kernel alignment.
    Cka,
    /// The same from unbiased terms.
    CkaDebiased,
    /// Kernel alignment of Gaussian kernels.
    CkaRbf,
    /// The same from unbiased terms.
    CkaRbfDebiased,
    /// Mean canonical correlation.
    Cca,
    /// The same of leading components.
    Svcca,
    /// Projection-weighted canonical correlation, seen from each layer.
    Pwcca,
    /// Squared Procrustes distance.
    Procrustes,
    /// Correlation of dissimilarities.
    Rsa,
    /// Information imbalance.
    Imbalance,
    /// Neighbour overlap.
    Overlap,
}

impl Measure {
    /// Every measure, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Cka,
        Self::CkaDebiased,
        Self::CkaRbf,
        Self::CkaRbfDebiased,
        Self::Cca,
        Self::Svcca,
        Self::Pwcca,
        Self::Procrustes,
        Self::Rsa,
        Self::Imbalance,
        Self::Overlap,
    ];

    /// The quantity in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cka => "cka",
            Self::CkaDebiased => "cka_debiased",
            Self::CkaRbf => "cka_rbf",
            Self::CkaRbfDebiased => "cka_rbf_debiased",
            Self::Cca => "cca_mean",
            Self::Svcca => "svcca",
            Self::Pwcca => "pwcca",
            Self::Procrustes => "procrustes",
            Self::Rsa => "rsa",
            Self::Imbalance => "imbalance",
            Self::Overlap => "overlap",
        }
    }

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
