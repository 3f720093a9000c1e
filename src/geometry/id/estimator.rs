//! Describes one estimator to the rest: its name, what it reads, and how it is run.

use std::fmt;

use ndarray::ArrayView2;
use serde::{Serialize, Serializer};

use super::estimate::{AbideStep, ErrorKind, Outcome};
use super::local::LocalOutcome;
use crate::geometry::Reason;
use crate::geometry::spectrum::Spectrum;
use crate::input::Matrix;

/// An estimator as its own file declares it; [`ESTIMATORS`](super::ESTIMATORS) lists all.
pub struct Estimator {
    /// The name in reports.
    pub name: &'static str,
    /// The name on the command line, with `-` in place of `_`.
    pub flag: &'static str,
    /// What it is, in a few words of the field.
    pub words: &'static str,
    /// What it reads, and the function that runs it.
    pub reads: Reads,
    /// Another estimator whose results contain those of this one.
    pub part_of: Option<&'static str>,
    /// What `--explain` says of it, one entry a variant.
    pub explained: &'static [Explained],
}

/// What an estimator reads of a layer.
pub enum Reads {
    /// Ratios of two neighbour distances, at orders that depend on options: TwoNN and Gride.
    Ratios,
    /// The nearest rows of every row.
    Neighbours(Neighbours),
    /// The eigenvalues of the covariance, and the share of variance that they are counted to.
    Spectrum(fn(Result<&Spectrum, Reason>, f64) -> Vec<Estimated>),
}

/// How an estimator reads a neighbour table.
pub struct Neighbours {
    /// Neighbours looked at by custom.
    pub k: usize,
    /// Whether it chooses its scale itself, up to `k`, which nobody else sets.
    pub chooses_k: bool,
    /// Neighbours that a table must store for k of them.
    pub stored: fn(usize) -> usize,
    /// Whether distances alone are not enough.
    pub needs_coordinates: bool,
    /// Whether any number of neighbours may be needed where there are no coordinates.
    pub may_need_all: bool,
    /// Whether every row has a dimension of its own.
    pub is_local: bool,
    /// The estimate among k neighbours.
    pub run: fn(&LayerView<'_>, usize) -> Estimated,
}

impl Neighbours {
    /// An estimator that reads k distances of every row and gives one number.
    pub(super) const fn plain(k: usize, run: fn(&LayerView<'_>, usize) -> Estimated) -> Self {
        Self {
            k,
            chooses_k: false,
            stored: |k| k,
            needs_coordinates: false,
            may_need_all: false,
            is_local: false,
            run,
        }
    }

    /// The same with a number for every row.
    pub(super) const fn local(k: usize, run: fn(&LayerView<'_>, usize) -> Estimated) -> Self {
        Self {
            is_local: true,
            ..Self::plain(k, run)
        }
    }

    /// Neighbours looked at where `asked` were asked for.
    pub fn k(&self, asked: Option<usize>) -> usize {
        match asked {
            Some(k) if !self.chooses_k => k,
            _ => self.k,
        }
    }
}

/// What is known of a layer.
pub struct LayerView<'a> {
    /// Distances to the nearest rows, nearest first.
    pub distances: ArrayView2<'a, f64>,
    /// Which rows these are.
    pub indices: ArrayView2<'a, u32>,
    /// The rows as the metric sees them; `None` where there is only the table.
    pub data: Option<&'a Matrix>,
    /// Ordered pairs of rows closer than two radii; `None` where there is only the table.
    pub pairs_within: Option<&'a dyn Fn([f64; 2]) -> [u64; 2]>,
}

/// One line of `--explain`.
pub struct Explained {
    /// The variant, as in reports.
    pub variant: &'static str,
    /// What it looks at.
    pub reads: &'static str,
    /// Neighbours; `None` where there is no one number.
    pub k: Option<usize>,
    /// What its error includes.
    pub error: Option<ErrorKind>,
    /// Mean estimate over true dimension at N = 1000 for each of [`CALIBRATED_DIMENSIONS`], over
    /// cube, Gaussian and sphere; `None` where some sample has no estimate.
    ///
    /// Printed by `cargo bench --bench calibration -- --rust`; the same figures stand in the
    /// section "Calibration" of `docs/methods.md`.
    pub calibration: [Option<f64>; 4],
}

/// The dimensions at which the bias of every estimator was measured.
pub const CALIBRATED_DIMENSIONS: [usize; 4] = [2, 5, 10, 20];

/// An estimate with what only some estimators have.
#[derive(Debug)]
pub struct Estimated {
    /// The estimator whose estimate this is, where it is not the one that ran.
    pub estimator: Option<&'static Estimator>,
    /// The rule, where an estimator has several.
    pub rule: Option<&'static str>,
    /// The estimate.
    pub outcome: Outcome,
    /// The dimension at each row.
    pub values: Option<Vec<Option<f64>>>,
    /// How an estimator that chooses its scale came to it.
    pub steps: Vec<AbideStep>,
}

impl Estimator {
    /// How it reads a neighbour table, if it does.
    pub fn neighbours(&self) -> Option<&Neighbours> {
        match &self.reads {
            Reads::Neighbours(neighbours) => Some(neighbours),
            Reads::Ratios | Reads::Spectrum(_) => None,
        }
    }

    /// Whether distances alone are not enough.
    pub fn needs_coordinates(&self) -> bool {
        match &self.reads {
            Reads::Ratios => false,
            Reads::Neighbours(neighbours) => neighbours.needs_coordinates,
            Reads::Spectrum(_) => true,
        }
    }

    /// Whether every row has a dimension of its own.
    pub fn is_local(&self) -> bool {
        self.neighbours().is_some_and(|reads| reads.is_local)
    }
}

/// Estimators are known by their names.
impl PartialEq for Estimator {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Estimator {}

impl fmt::Debug for Estimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Estimator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl LayerView<'_> {
    /// What `estimate` makes of the rows; nothing where they are not known.
    pub(super) fn with_rows<T>(
        &self,
        estimate: impl FnOnce(&Matrix) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        // Tables without rows are refused before any work begins.
        estimate(self.data.ok_or(Reason::TooFewNeighbours)?)
    }
}

impl From<Outcome> for Estimated {
    fn from(outcome: Outcome) -> Self {
        Self {
            estimator: None,
            rule: None,
            outcome,
            values: None,
            steps: Vec::new(),
        }
    }
}

impl From<LocalOutcome> for Estimated {
    fn from(found: LocalOutcome) -> Self {
        match found {
            Ok(local) => Self {
                values: Some(local.values),
                ..Ok(local.estimate).into()
            },
            Err(reason) => Outcome::Err(reason).into(),
        }
    }
}
