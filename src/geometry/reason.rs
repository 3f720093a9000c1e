//! Why a quantity does not exist.

use crate::choice::choice;

choice! {
    /// The reason beside a `null`: a number that does not exist is never made up.
    #[non_exhaustive]
    pub enum Reason {
        /// Fewer rows than the statistic needs.
        TooFewRows = "too_few_rows",
        /// Fewer layers than a profile's event needs.
        TooFewLayers = "too_few_layers",
        /// One distinct row.
        AllRowsIdentical = "all_rows_identical",
        /// All columns have zero variance.
        ConstantLayer = "constant_layer",
        /// Every two rows are equally far apart, within the rounding of the stored type.
        EquidistantRows = "equidistant_rows",
        /// Errors alone may have made it.
        WithinErrors = "within_errors",
        /// A row has no direction: its values are zero, or all equal where correlations are asked for.
        RowWithoutDirection = "row_without_direction",
        /// Every usable ratio has a zero denominator.
        ZeroDistances = "zero_distances",
        /// All ratios equal 1, or the outlier filter would remove everything.
        DegenerateRatios = "degenerate_ratios",
        /// A solver found no sign change.
        NoRoot = "no_root",
        /// A solver hit its iteration limit.
        NotConverged = "not_converged",
        /// No window of scales satisfies the plateau rule.
        NoPlateau = "no_plateau",
        /// A threshold is never met.
        NotReached = "not_reached",
        /// The stored table is too short.
        TooFewNeighbours = "too_few_neighbours",
        /// A similarity measure has no stable basis, or too few rows to mean anything.
        RankDeficient = "rank_deficient",
        /// The chunk is the whole layer: no neuron is left outside it.
        WholeLayer = "whole_layer",
        /// The layer has fewer neurons than two disjoint chunks of the size.
        TooFewNeurons = "too_few_neurons",
        /// NaN or infinity in the input.
        NonFinite = "non_finite",
        /// There is one density peak, so nothing to arrange.
        SinglePeak = "single_peak",
        /// Some density peaks have no saddle between them.
        NotAdjacent = "not_adjacent",
        /// More density peaks than a statistic of all their pairs can take.
        TooManyPeaks = "too_many_peaks",
        /// No row has a label.
        NoLabels = "no_labels",
        /// All labelled rows have one class.
        SingleClass = "single_class",
        /// The run has no such layer, or nothing in it to compare the layer with.
        MissingLayer = "missing_layer",
        /// The layer of the run has no chunk of this size, though that of another run has.
        MissingWidth = "missing_width",
        /// The run could not be analysed and was left out.
        MissingRun = "missing_run",
    }
}

impl Reason {
    /// The code as it stands in reports.
    pub fn code(self) -> &'static str {
        self.name()
    }
}
