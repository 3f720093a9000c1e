//! The rules by which densities, their dimension and the halo are made, and two papers' choices.

use std::fmt;

use crate::geometry::density::KSTAR_ALPHA;

/// How the density of a row is estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DensityRule {
    /// From the distance to the k-th neighbour.
    Knn {
        /// Neighbours.
        k: usize,
    },
    /// From the largest neighbourhood of constant density.
    Kstar {
        /// Neighbours looked at.
        k: usize,
        /// Significance of a change in density.
        alpha: f64,
    },
    /// The same with a linear correction.
    Pak {
        /// Neighbours looked at.
        k: usize,
        /// Significance of a change in density.
        alpha: f64,
    },
}

impl DensityRule {
    /// PAk as DADApy has it by default.
    pub const DEFAULT: Self = Self::Pak {
        k: 100,
        alpha: KSTAR_ALPHA,
    };

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Knn { .. } => "knn",
            Self::Kstar { .. } => "kstar_nn",
            Self::Pak { .. } => "pak",
        }
    }

    /// Neighbours of the density, or the most that it may use.
    pub fn k(self) -> usize {
        match self {
            Self::Knn { k } | Self::Kstar { k, .. } | Self::Pak { k, .. } => k,
        }
    }

    /// Significance of a change in density, where neighbourhoods differ.
    pub fn alpha(self) -> Option<f64> {
        match self {
            Self::Knn { .. } => None,
            Self::Kstar { alpha, .. } | Self::Pak { alpha, .. } => Some(alpha),
        }
    }
}

/// What becomes of halo rows when peaks are compared with labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HaloRule {
    /// They count as members of their peak.
    #[default]
    Member,
    /// They are left out.
    LeftOut,
    /// All of them together are a cluster of their own.
    Cluster,
}

/// The constants of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Doimo et al., Hierarchical nucleation in deep neural networks, arXiv 2007.03506.
    Nucleation,
    /// Doimo et al., The representation landscape of few-shot learning and fine-tuning in large
    /// language models, arXiv 2409.03662.
    Llm,
}

impl Preset {
    /// The name in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nucleation => "nucleation",
            Self::Llm => "llm",
        }
    }

    /// Density, dimension and confidence.
    pub fn constants(self) -> (DensityRule, DimensionRule, f64) {
        match self {
            Self::Nucleation => (DensityRule::Knn { k: 30 }, DimensionRule::Round, 1.65),
            Self::Llm => (DensityRule::Knn { k: 16 }, DimensionRule::Auto, 1.6),
        }
    }
}

/// Where the dimension comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DimensionRule {
    /// Gride at the scale of the density. For k neighbours n1 = 2^trunc(log2 k). Where every row has
    /// its own number, n2 = 2^trunc(log2 k*) with the median k* in TwoNN's dimension: as far as the
    /// density is constant.
    Auto,
    /// TwoNN (`base`).
    TwoNn,
    /// TwoNN rounded to a whole number, half to even, at least 1.
    Round,
    /// As given.
    Fixed(f64),
}

impl fmt::Display for DimensionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::TwoNn => f.write_str("two_nn"),
            Self::Round => f.write_str("round"),
            Self::Fixed(id) => id.fmt(f),
        }
    }
}
