//! Options of densities and peaks.

use serde::Serialize;

use super::rules::{DensityRule, DimensionRule, HaloRule, Preset};
use crate::geometry::density::peaks::Linkage;
use crate::geometry::id::Orders;
use crate::input::Labels;
use crate::profile::layers::LayerOptions;

/// Neighbours stored for the assignment of rows and the search for saddles, unless more are needed.
const STORED: usize = 100;

/// What to find, and how.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PeakOptions {
    /// The paper whose constants were asked for; the fields below hold them.
    pub preset: Option<Preset>,
    /// The density.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "super::rules::DensityFields"))]
    pub density: DensityRule,
    /// `auto`, `two_nn`, `round` or a number.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: DimensionRule,
    /// Neighbours stored for the assignment of rows and the search for saddles, where not 100 or as
    /// many as the density needs.
    #[serde(skip)]
    pub stored: Option<usize>,
    /// Confidence at which two peaks are two.
    pub z: f64,
    /// Halo rows in scores.
    pub halo: HaloRule,
    /// Classes to compare peaks with.
    #[serde(skip)]
    pub labels: Vec<Labels>,
    /// A class whose rows are left out of scores.
    pub noise_label: Option<String>,
    /// Keep what is known of single rows.
    #[serde(skip)]
    pub keep_rows: bool,
    /// How layers become points.
    #[serde(skip)]
    pub layers: LayerOptions,
}

impl Default for PeakOptions {
    fn default() -> Self {
        Self {
            preset: None,
            density: DensityRule::DEFAULT,
            id: DimensionRule::TwoNn,
            stored: None,
            z: 1.65,
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

    /// Whether the dimension comes from the ratio of the two nearest distances.
    pub(super) fn reads_nearest_ratio(&self) -> bool {
        match (self.id, self.density) {
            (DimensionRule::Fixed(_), _) | (DimensionRule::Auto, DensityRule::Knn { .. }) => false,
            (DimensionRule::TwoNn | DimensionRule::Round | DimensionRule::Auto, _) => true,
        }
    }
}

/// What to say about one layer beside its peaks.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LandscapeOptions {
    /// How densities and peaks are made.
    #[serde(skip)]
    pub peaks: PeakOptions,
    /// At which height groups of peaks join.
    pub linkage: Linkage,
    /// Give pairs of peaks that do not meet a saddle one below the lowest log-density.
    pub absent_at_floor: bool,
    /// Leave peaks of fewer rows out of the tree.
    pub min_rows: Option<usize>,
    /// Leave peaks of a lower log-density out of the tree.
    pub min_density: Option<f64>,
    /// Name leaves by the classes that are there with the largest share of their own rows, and by
    /// those with at least this much of that share.
    pub leaf_share: Option<f64>,
    /// Make the decision graph as well.
    pub decision_graph: bool,
    /// Log-density and distance above which a row of the decision graph is a centre.
    pub cuts: Option<(f64, f64)>,
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
