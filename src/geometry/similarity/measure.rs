//! Describes one measure to the rest: its names, its range, what it reads, and how it is run.

use std::fmt;

use serde::{Serialize, Serializer};

use super::dissimilarity::{Dissimilarity, RankCorrelation};
use crate::geometry::Reason;
use crate::geometry::id::ErrorKind;
use crate::input::Matrix;
use crate::progress::Progress;

/// A measure as its own file declares it.
pub struct Measure {
    /// The quantity in reports.
    pub name: &'static str,
    /// The name on the command line.
    pub flag: &'static str,
    /// What it is, in a few words of the field.
    pub words: &'static str,
    /// From the least to the largest value that layers can have.
    pub range: [f64; 2],
    /// Whether small values mean alike.
    pub is_distance: bool,
    /// Whether the value depends on which layer comes first.
    pub is_directed: bool,
    /// The value as a similarity that is 1 for equal layers.
    pub as_similarity: fn(f64) -> f64,
    /// The value of a layer with itself, over N rows and with k neighbours where it has such.
    pub of_itself: fn(usize, usize) -> Option<f64>,
    /// Whether values in parts of the rows tell the error of the whole; not where bias changes
    /// with N.
    pub parts_tell_error: bool,
    /// Rows looked at of N rows.
    pub rows: fn(usize) -> usize,
    /// The settings that it reads.
    pub uses: &'static [Setting],
    /// Neighbours looked at by custom, where it uses [`Setting::Neighbours`].
    pub k: usize,
    /// How its values come about.
    pub values: Values,
}

/// A setting that only some measures read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Width of the Gaussian kernel.
    Bandwidth,
    /// Share of variance that is kept.
    Variance,
    /// How far apart two rows are.
    Dissimilarity,
    /// How dissimilarities are correlated.
    Correlation,
    /// The distance of a search for neighbours.
    Metric,
    /// A number of neighbours.
    Neighbours,
}

/// How the values of a measure come about.
pub enum Values {
    /// From the layers as they are; measures of one computation share its work.
    Layers(&'static Computation),
    /// From searches for neighbours.
    Neighbours,
}

/// Computes the values of the wanted measures, pair by pair.
pub type Compute = fn(&Subject<'_>, &[&'static Measure], &dyn Progress) -> Vec<Vec<PairValue>>;

/// What some measures compute together.
pub struct Computation {
    /// The least bytes that it holds at a time with this number of threads, beside the layers.
    pub least: fn(&Subject<'_>, usize) -> u64,
    /// The values of the wanted measures, pair by pair.
    pub values: Compute,
}

impl Measure {
    /// A symmetric similarity from 0 to 1, over all rows and without settings.
    pub(crate) const fn similarity(
        names: [&'static str; 2],
        words: &'static str,
        values: Values,
    ) -> Self {
        let [name, flag] = names;
        Self {
            name,
            flag,
            words,
            range: [0.0, 1.0],
            is_distance: false,
            is_directed: false,
            as_similarity: |value| value,
            of_itself: |_, _| Some(1.0),
            parts_tell_error: true,
            rows: |n| n,
            uses: &[],
            k: 0,
            values,
        }
    }

    /// Whether it reads `setting`.
    pub fn uses(&self, setting: Setting) -> bool {
        self.uses.contains(&setting)
    }
}

/// Measures are known by their names.
impl PartialEq for Measure {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Measure {}

impl fmt::Debug for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// The settings of all measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// σ of the Gaussian kernel as a fraction of the median distance.
    pub bandwidth: f64,
    /// Share of variance that SVCCA keeps.
    pub variance: f64,
    /// What RSA compares.
    pub dissimilarity: Dissimilarity,
    /// How RSA compares it.
    pub correlation: RankCorrelation,
    /// Seed of every random choice.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bandwidth: 1.0,
            variance: 0.99,
            dissimilarity: Dissimilarity::Euclidean,
            correlation: RankCorrelation::Spearman,
            seed: 0,
        }
    }
}

/// Layers over common rows, and which of them are compared.
pub struct Subject<'a> {
    /// Row r of each is the same sample.
    pub matrices: &'a [Matrix],
    /// Pairs of positions among them.
    pub pairs: &'a [(usize, usize)],
    /// Orders of the rows of the second layer, for a null.
    pub permutations: &'a [Vec<u32>],
    /// How to compute.
    pub settings: Settings,
    /// Bytes that may be held beside the layers; no limit if `None`.
    pub max_memory: Option<u64>,
}

impl Subject<'_> {
    /// N.
    pub fn n_rows(&self) -> usize {
        self.matrices.first().map_or(0, Matrix::n_rows)
    }
}

/// One measure of one pair.
#[derive(Debug, Clone, PartialEq)]
pub struct PairValue {
    /// The number, or why there is none.
    pub value: Result<f64, Reason>,
    /// The number in the other direction.
    pub backward: Option<f64>,
    /// What chance gives.
    pub chance: Option<f64>,
    /// Of canonical correlations.
    pub mean_squared: Option<f64>,
    /// Of the two spaces.
    pub dimensions: Option<[usize; 2]>,
    /// Whether some canonical correlations are 1 whatever the data.
    pub wide: bool,
    /// Rows.
    pub n: usize,
    /// An error that the measure brings along, and its kind.
    pub error: Option<(f64, ErrorKind)>,
    /// The number for every permutation of rows.
    pub permuted: Vec<f64>,
}

impl PairValue {
    /// A number over `n` rows, with its permutations.
    pub fn new(value: Result<f64, Reason>, n: usize, permuted: Vec<f64>) -> Self {
        Self {
            value,
            backward: None,
            chance: None,
            mean_squared: None,
            dimensions: None,
            wide: false,
            n,
            error: None,
            permuted,
        }
    }
}
