//! The density landscape of layers: how many peaks, which rows and classes they hold, how they
//! are arranged.

mod agreement;
mod analysis;
mod decision;
mod dimension;
mod events;
mod labels;
mod one;
mod options;
mod rows;
mod rules;
mod run;
mod shape;
mod topography;

pub use agreement::agreement;
pub use decision::{DecisionGraph, GraphRow};
pub use dimension::{Dimension, DimensionVariant};
pub use one::{Landscape, LandscapeParameters, landscape, landscape_of_table};
pub use options::{LandscapeOptions, PeakOptions};
pub use rows::RowPeaks;
pub use rules::{DensityKind, DensityRule, DimensionRule, HaloRule, Preset};
pub use run::{density_peaks, density_peaks_of_tables};
pub use shape::{
    ClassCount, ClassMix, Compared, DensitySummary, LabelScores, LayerPeaks, PeakCounts,
    PeakParameters, PeakProfile, PeakQuantity, PeakSummary, QuantityEvents,
};
pub use topography::{
    MappedPeak, Newick, PeakTree, RelativeShare, SaddleSummary, Topography, TreeLeaf,
};
