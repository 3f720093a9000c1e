//! The density landscape of layers: how many peaks, which rows and classes they hold, how they
//! are arranged.

mod analysis;
mod decision;
mod dimension;
mod events;
mod labels;
mod one;
mod options;
mod rows;
mod run;
mod shape;
mod topography;

pub use decision::{DecisionGraph, GraphRow};
pub use dimension::{Dimension, DimensionRule};
pub use one::{Landscape, LandscapeOptions, landscape};
pub use options::{DensityRule, HaloRule, PeakOptions, Preset};
pub use rows::RowPeaks;
pub use run::{density_peaks, density_peaks_of_tables};
pub use shape::{
    DensitySummary, LabelScores, LayerPeaks, PeakParameters, PeakProfile, PeakSummary,
    QuantityEvents,
};
pub use topography::{ClassCount, ClassMix, MappedPeak, PeakTree, SaddleSummary, Topography};
