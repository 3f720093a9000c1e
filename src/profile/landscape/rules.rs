//! The rules by which densities, their dimension and the halo are made, and two papers' choices.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::choice::choice;
use crate::geometry::density::KSTAR_ALPHA;

/// How the density of a row is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "DensityFields")]
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

choice! {
    /// A [`DensityRule`] without its numbers.
    pub enum DensityKind {
        /// From the distance to the k-th neighbour.
        Knn = "knn",
        /// From the largest neighbourhood of constant density.
        Kstar = "kstar_nn" as "kstar",
        /// The same with a linear correction.
        Pak = "pak",
    }
}

/// A [`DensityRule`] as reports show it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct DensityFields {
    /// The estimator of the density.
    density: DensityKind,
    /// Neighbours of the density, or the most that it may use.
    k: usize,
    /// Significance of a change in density; `None` for `knn`.
    alpha: Option<f64>,
}

impl From<DensityRule> for DensityFields {
    fn from(rule: DensityRule) -> Self {
        Self {
            density: rule.kind(),
            k: rule.k(),
            alpha: rule.alpha(),
        }
    }
}

impl DensityRule {
    /// PAk as DADApy has it by default.
    pub const DEFAULT: Self = Self::Pak {
        k: 100,
        alpha: KSTAR_ALPHA,
    };

    /// The name in reports.
    pub fn name(self) -> &'static str {
        self.kind().name()
    }

    /// The rule without its numbers.
    pub fn kind(self) -> DensityKind {
        match self {
            Self::Knn { .. } => DensityKind::Knn,
            Self::Kstar { .. } => DensityKind::Kstar,
            Self::Pak { .. } => DensityKind::Pak,
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

choice! {
    /// What becomes of halo rows when peaks are compared with labels.
    pub enum HaloRule {
        /// They count as members of their peak.
        Member = "member",
        /// They are left out.
        LeftOut = "left_out",
        /// All of them together are a cluster of their own.
        Cluster = "cluster",
    }
}

choice! {
    /// The constants of a paper.
    pub enum Preset {
        /// Doimo et al., Hierarchical nucleation in deep neural networks, arXiv 2007.03506.
        Nucleation = "nucleation",
        /// Doimo et al., The representation landscape of few-shot learning and fine-tuning in large
        /// language models, arXiv 2409.03662.
        Llm = "llm",
    }
}

impl Preset {
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

impl Serialize for DimensionRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
