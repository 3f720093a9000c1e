//! Why a quantity does not exist.

use serde::Serialize;

/// The reason beside a `null`: a number that does not exist is never made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Fewer rows than the statistic needs.
    TooFewRows,
    /// One distinct row.
    AllRowsIdentical,
    /// All columns have zero variance.
    ConstantLayer,
    /// Every two rows are equally far apart, within the rounding of the stored type.
    EquidistantRows,
    /// Errors alone may have made it.
    WithinErrors,
    /// A row has no direction: its values are zero, or all equal where correlations are asked for.
    RowWithoutDirection,
    /// Every usable ratio has a zero denominator.
    ZeroDistances,
    /// All ratios equal 1, or the outlier filter would remove everything.
    DegenerateRatios,
    /// A solver found no sign change.
    NoRoot,
    /// A solver hit its iteration limit.
    NotConverged,
    /// No window of scales satisfies the plateau rule.
    NoPlateau,
    /// A threshold is never met.
    NotReached,
    /// The stored table is too short.
    TooFewNeighbours,
    /// A similarity measure has no stable basis, or too few rows to mean anything.
    RankDeficient,
    /// The chunk is the whole layer: no neuron is left outside it.
    WholeLayer,
    /// NaN or infinity in the input.
    NonFinite,
    /// There is one density peak, so nothing to arrange.
    SinglePeak,
    /// Some density peaks have no saddle between them.
    NotAdjacent,
    /// More density peaks than a statistic of all their pairs can take.
    TooManyPeaks,
    /// No row has a label.
    NoLabels,
    /// All labelled rows have one class.
    SingleClass,
    /// The run has no such layer, or nothing in it to compare the layer with.
    MissingLayer,
}

impl Reason {
    /// The code as it stands in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooFewRows => "too_few_rows",
            Self::AllRowsIdentical => "all_rows_identical",
            Self::ConstantLayer => "constant_layer",
            Self::WithinErrors => "within_errors",
            Self::EquidistantRows => "equidistant_rows",
            Self::RowWithoutDirection => "row_without_direction",
            Self::ZeroDistances => "zero_distances",
            Self::DegenerateRatios => "degenerate_ratios",
            Self::NoRoot => "no_root",
            Self::NotConverged => "not_converged",
            Self::NoPlateau => "no_plateau",
            Self::NotReached => "not_reached",
            Self::TooFewNeighbours => "too_few_neighbours",
            Self::RankDeficient => "rank_deficient",
            Self::WholeLayer => "whole_layer",
            Self::NonFinite => "non_finite",
            Self::SinglePeak => "single_peak",
            Self::NotAdjacent => "not_adjacent",
            Self::TooManyPeaks => "too_many_peaks",
            Self::NoLabels => "no_labels",
            Self::SingleClass => "single_class",
            Self::MissingLayer => "missing_layer",
        }
    }
}
