//! What a reader must know beside a number: counted, coded, and always part of the report.

use serde::Serialize;

/// The closed list of warning codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningCode {
    /// Exactly equal rows.
    Duplicates,
    /// Rows have a first neighbour closer than 1e-6 of the median, though not equal; or more than
    /// 0.1 % of rows, equal ones counted.
    NearDuplicates,
    /// More than 1 % of rows have equal first and second neighbour distances.
    Quantised,
    /// A column mean above 100 standard deviations, or one column with over half the variance.
    MassiveColumns,
    /// Fewer than 100 rows.
    FewRows,
    /// Rows with NaN or infinity were dropped on request.
    NonfiniteDropped,
    /// Integers or booleans were converted; ties between distances are likely.
    IntegerInput,
    /// A numpy `<V2` array was read as bfloat16.
    VoidAsBf16,
    /// Bytes follow the end of the array.
    TrailingBytes,
    /// Arrays in the dump that are no layers (labels, masks, other shapes) were left out.
    SkippedArrays,
    /// The order of layers is that of their names, which may not be the order of depth.
    UnsureOrder,
    /// A mask, lengths or token ids lie in the dump and were not used.
    PaddingUnused,
    /// More neighbours were asked for than there are other rows.
    KReduced,
    /// `fraction` 1 leaves the last point of the fit at infinity; it was left out.
    FractionCapped,
    /// Gride's outlier filter was skipped because the ratios have no spread.
    FilterSkipped,
    /// Ratios that no likelihood can use (zero distances or ties) were excluded.
    RatiosExcluded,
    /// A quantity does not exist for this layer; the reason stands beside the null.
    NotEstimated,
    /// Dimensions of two layers sum to N or more: canonical correlations are 1 whatever the data.
    Wide,
    /// Only a seeded sample of the rows was looked at.
    Subsampled,
    /// An estimate stands at the largest value it is allowed to take.
    BoundHit,
    /// A damaged or foreign file in the cache was not used; what it held was computed again.
    CacheIgnored,
    /// The cache did not take what was computed: no room, or no permission.
    CacheNotWritten,
    /// The folder of neighbour tables holds others, which `--neighbours` would take for layers too.
    OtherTables,
    /// Rows without a label were not asked for their neighbours.
    LabelsMissing,
    /// Rows without a density, because too many of their distances are 0.
    NoDensity,
    /// Rows where PAk has no maximum, so that the density by k* neighbours stands in.
    PakFallback,
    /// Half of the rows have a density from fewer than eight neighbours: its errors are near 1, and peaks
    /// and scores jump between layers.
    FewNeighbours,
    /// The token at the attribute's position is not the counterfactual one.
    AttributeMisplaced,
    /// Nothing but a β of zeros says that the final norm is a LayerNorm.
    NormAssumed,
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
}

impl Warning {
    /// A warning about `count` things.
    pub fn new(code: WarningCode, count: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            count,
        }
    }

    /// The same in a report of several layers, which names its layer.
    pub fn of(mut self, layer: &str) -> Self {
        self.message = format!("{layer}: {}", self.message);
        self
    }
}
