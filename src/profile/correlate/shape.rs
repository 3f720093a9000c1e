//! Shapes what `repgeo correlate` reports.

use serde::Serialize;

use super::options::CorrelateOptions;
use crate::geometry::Known;
use crate::geometry::correlation::{Interval, Tested};
use crate::warning::Warning;

/// Every number of the reports with every column of the table.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CorrelateProfile {
    /// What was asked for, defaults included.
    pub parameters: CorrelateParameters,
    /// The correlations: number by number, column by column.
    pub correlations: Vec<NumberCorrelation>,
    /// Keys without a partner.
    pub unmatched: Unmatched,
    /// Warnings about the whole.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CorrelateParameters {
    /// What was asked for.
    #[serde(flatten)]
    pub options: CorrelateOptions,
    /// The column of the table that holds the keys.
    pub key: String,
}

/// What a number is, without the key that it is joined by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberKey {
    /// The quantity, or the column of a table that is no report.
    pub quantity: String,
    /// How it was measured.
    pub variant: String,
    /// Neighbour order n1, k or chunk width.
    pub scale: Option<usize>,
    /// The second layer or the set of labels; empty if there is none.
    pub other: String,
    /// The layer; empty where numbers are joined by layer, or stand in no layer.
    pub layer: String,
    /// The run; empty where numbers are joined by run, or there is one run.
    pub run: String,
}

/// One number with one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberCorrelation {
    /// The number.
    #[serde(flatten)]
    pub number: NumberKey,
    /// The column of the table.
    pub column: String,
    /// Keys with both values.
    pub n: usize,
    /// The correlation and its p, or why there are none.
    #[serde(flatten)]
    pub outcome: Known<Tested>,
    /// The interval of 95 %; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// What was correlated.
    pub pairs: Vec<JoinedPair>,
}

/// One key with both values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct JoinedPair {
    /// The key.
    pub key: String,
    /// The number of the report.
    pub x: f64,
    /// The number of the table.
    pub y: f64,
}

/// Keys that stand on one side only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unmatched {
    /// Of the reports.
    pub reports: Vec<String>,
    /// Of the table.
    pub table: Vec<String>,
}
