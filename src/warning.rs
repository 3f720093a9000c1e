//! Warnings: what a reader must know beside a number, counted, coded, part of every report.

use serde::Serialize;

use crate::choice::choice;

choice! {
    /// The closed list of warning codes.
    #[non_exhaustive]
    pub enum WarningCode {
        /// Exactly equal rows. The first of each is kept unless --duplicates says otherwise; zero
        /// padding and repeated prompts are the usual cause.
        Duplicates = "duplicates",
        /// Rows have a first neighbour closer than 1e-6 of the median, though not equal; or more
        /// than 0.1 % of rows, equal ones counted. Such twins pull dimensions towards 0: leave one
        /// of each out, or read a larger scale.
        NearDuplicates = "near_duplicates",
        /// More than 1 % of rows have equal first and second neighbour distances, as coarse or
        /// quantised values give. Estimates from the nearest neighbours are off; larger neighbour
        /// orders suffer less.
        Quantised = "quantised",
        /// A column mean above 100 standard deviations, or one column with over half the variance:
        /// distances are those of a few columns. Compare with and without them.
        MassiveColumns = "massive_columns",
        /// Fewer than 100 rows: every estimate is mostly noise.
        FewRows = "few_rows",
        /// Rows with NaN or infinity were dropped on request.
        NonfiniteDropped = "nonfinite_dropped",
        /// Integers or booleans were converted; ties between distances are likely.
        IntegerInput = "integer_input",
        /// A numpy `<V2` array was read as bfloat16, which numpy has no name for.
        VoidAsBf16 = "void_as_bf16",
        /// Bytes follow the end of the array and were not read.
        TrailingBytes = "trailing_bytes",
        /// Arrays in the dump that are no layers (labels, masks, other shapes) were left out; the
        /// message names them.
        SkippedArrays = "skipped_arrays",
        /// The order of layers is that of their names, which may not be the order of depth. Give
        /// the order with --layers or --order-file.
        UnsureOrder = "unsure_order",
        /// The first axis is shorter than the second, so that it may hold layers and no rows; --axes
        /// says which is which.
        UnsureAxes = "unsure_axes",
        /// A mask, lengths or token ids lie in the dump and were not used; padding may count as
        /// data.
        PaddingUnused = "padding_unused",
        /// `--pool`, `--mask` or `--bf16-bits` had nothing to read: no axis of tokens, no 16-bit
        /// integers. Leave it out, unless another dump of the call needs it.
        OptionUnused = "option_unused",
        /// More neighbours were asked for than there are other rows.
        KReduced = "k_reduced",
        /// `fraction` 1 leaves the last point of the fit at infinity; it was left out.
        FractionCapped = "fraction_capped",
        /// Gride's outlier filter was skipped because the ratios have no spread.
        FilterSkipped = "filter_skipped",
        /// Ratios that no likelihood can use (zero distances or ties) were excluded.
        RatiosExcluded = "ratios_excluded",
        /// A quantity does not exist for this layer; the reason stands beside the null.
        NotEstimated = "not_estimated",
        /// Dimensions of two layers sum to N or more: canonical correlations are 1 whatever the
        /// data. Take more rows, or fewer directions with --variance.
        Wide = "wide",
        /// Only a seeded sample of the rows was looked at.
        Subsampled = "subsampled",
        /// An estimate stands at the largest value it is allowed to take; the true one may be
        /// larger.
        BoundHit = "bound_hit",
        /// A damaged or foreign file in the cache was not used; what it held was computed again.
        CacheIgnored = "cache_ignored",
        /// The cache did not take what was computed: no room, or no permission. The report is
        /// whole; the next run computes again.
        CacheNotWritten = "cache_not_written",
        /// The folder of neighbour tables holds others, which `--neighbours` would take for layers
        /// too.
        OtherTables = "other_tables",
        /// Rows without a label were not asked for their neighbours.
        LabelsMissing = "labels_missing",
        /// Rows without a density, because too many of their distances are 0.
        NoDensity = "no_density",
        /// Rows where PAk has no maximum, so that the density by k* neighbours stands in.
        PakFallback = "pak_fallback",
        /// Half of the rows have a density from fewer than eight neighbours: its errors are near 1,
        /// and peaks and scores jump between layers. Try --preset llm, or --density knn with a k.
        FewNeighbours = "few_neighbours",
        /// The token at the attribute's position is not the counterfactual one.
        AttributeMisplaced = "attribute_misplaced",
        /// Nothing but a β of zeros says that the final norm is a LayerNorm. Say --norm layer or
        /// --norm rms.
        NormAssumed = "norm_assumed",
        /// The model caps its logits; those before the cap are given, which have the same order.
        LogitsBeforeCap = "logits_before_cap",
        /// Runs compare a layer of one name with layers of different names, as where one of them lacks
        /// the next or the last layer: values side by side are of different pairs.
        PartnersDiffer = "partners_differ",
        /// The header of an unembedding's file says something that means nothing here; the message
        /// names it.
        MetadataUnread = "metadata_unread",
    }
}

/// One warning: a code for programs, a message for people, a count for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Warning {
    /// What kind.
    pub code: WarningCode,
    /// In words.
    pub message: String,
    /// How many rows, columns or ratios it concerns.
    pub count: usize,
    /// The layer with which the words begin, in a report of several.
    #[serde(skip)]
    layer: Option<String>,
}

impl Warning {
    /// A warning about `count` things.
    pub fn new(code: WarningCode, count: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            count,
            layer: None,
        }
    }

    /// The same in a report of several layers, which names its layer.
    pub fn of(mut self, layer: &str) -> Self {
        self.message = format!("{layer}: {}", self.message);
        self.layer = Some(layer.to_owned());
        self
    }

    /// The layer with which the words begin, and the other words.
    pub(crate) fn parts(&self) -> (Option<&str>, &str) {
        let layer = self.layer.as_deref();
        let words = layer.and_then(|layer| self.message.strip_prefix(layer)?.strip_prefix(": "));
        words.map_or((None, &self.message), |words| (layer, words))
    }
}
