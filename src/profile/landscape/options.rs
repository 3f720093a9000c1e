//! How densities and peaks are made.

use super::dimension::DimensionRule;
use super::shape::PeakParameters;
use crate::geometry::density::KSTAR_ALPHA;
use crate::geometry::id::Orders;
use crate::input::Labels;
use crate::profile::layers::LayerOptions;
use crate::profile::tables::Tables;

/// Neighbours stored for the assignment of rows and the search for saddles, unless more are needed.
const STORED: usize = 100;

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
        k: STORED,
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

/// What to find, and how.
#[derive(Debug, Clone)]
pub struct PeakOptions {
    /// The paper whose constants were asked for; the fields below hold them.
    pub preset: Option<Preset>,
    /// The density.
    pub density: DensityRule,
    /// The dimension.
    pub id: DimensionRule,
    /// Confidence at which two peaks are two.
    pub z: f64,
    /// Neighbours stored; 100, or as many as the density needs, if `None`.
    pub stored: Option<usize>,
    /// Halo rows in scores.
    pub halo: HaloRule,
    /// Classes to compare peaks with.
    pub labels: Vec<Labels>,
    /// A class whose rows are left out of scores.
    pub noise_label: Option<String>,
    /// Keep what is known of single rows.
    pub keep_rows: bool,
    /// How layers become points.
    pub layers: LayerOptions,
}

impl Default for PeakOptions {
    fn default() -> Self {
        Self {
            preset: None,
            density: DensityRule::DEFAULT,
            id: DimensionRule::TwoNn,
            z: 1.65,
            stored: None,
            halo: HaloRule::Member,
            labels: Vec::new(),
            noise_label: None,
            keep_rows: false,
            layers: LayerOptions::default(),
        }
    }
}

impl PeakOptions {
    /// Columns of the neighbour table.
    pub fn stored(&self) -> usize {
        let k = self.density.k();
        let stored = match self.density {
            DensityRule::Knn { .. } => k.max(self.stored.unwrap_or(STORED)),
            DensityRule::Kstar { .. } | DensityRule::Pak { .. } => k.max(self.stored.unwrap_or(k)),
        };
        let scale = match (self.id, self.density) {
            (DimensionRule::Auto, DensityRule::Knn { k }) => Orders::matching_density(k),
            _ => None,
        };
        stored.max(scale.map_or(0, Orders::n2))
    }

    /// The options as the report echoes them; `rows` says in words how rows were chosen.
    pub(super) fn parameters(&self, metric: &Tables<'_>, rows: Vec<String>) -> PeakParameters {
        PeakParameters {
            preset: self.preset.map(Preset::name),
            density: self.density.name(),
            k: self.density.k(),
            alpha: self.density.alpha(),
            stored: self.stored(),
            id: self.id.to_string(),
            z: self.z,
            halo: match self.halo {
                HaloRule::Member => "member",
                HaloRule::LeftOut => "left_out",
                HaloRule::Cluster => "cluster",
            },
            labels: self.labels.iter().map(|one| one.name.clone()).collect(),
            noise_label: self.noise_label.clone(),
            metric: metric.metric.as_str().to_owned(),
            duplicates: self.layers.duplicates.as_str().to_owned(),
            drop_nonfinite: self.layers.drop_nonfinite,
            pool: self.layers.pool.map(|pool| pool.to_string()),
            masked: self.layers.mask.is_some(),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_what_density_and_dimension_need() {
        let stored = |density, id, stored| {
            PeakOptions {
                density,
                id,
                stored,
                ..PeakOptions::default()
            }
            .stored()
        };
        let knn = |k| DensityRule::Knn { k };
        assert_eq!(stored(DensityRule::DEFAULT, DimensionRule::Auto, None), 100);
        assert_eq!(stored(knn(10), DimensionRule::Auto, None), 100);
        assert_eq!(stored(knn(80), DimensionRule::Auto, None), 128);
        assert_eq!(stored(knn(80), DimensionRule::Round, None), 100);
        assert_eq!(stored(knn(80), DimensionRule::Round, Some(20)), 80);
        let pak = DensityRule::Pak { k: 30, alpha: 1e-6 };
        assert_eq!(stored(pak, DimensionRule::TwoNn, None), 30);
        assert_eq!(stored(pak, DimensionRule::TwoNn, Some(50)), 50);
    }
}
