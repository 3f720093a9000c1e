//! The lens of several runs side by side: checkpoints, sizes, models.

use serde::Serialize;

use super::shape::{LensParameters, LensRow, LogitLens, PlaceLogits};
use crate::Result;
use crate::input::RunSource;
use crate::mechanisms::over_runs::over_runs;
use crate::warning::Warning;

/// What the lens shows in every run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LensRuns {
    /// What was asked for, the same for all runs; defaults included.
    pub parameters: LensParameters,
    /// The runs, each as if alone.
    pub runs: Vec<RunLens>,
    /// Warnings about all of them; those about one stand with it.
    pub warnings: Vec<Warning>,
}

/// What the lens shows in one run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunLens {
    /// Its name.
    pub run: String,
    /// Number of examples.
    pub n: usize,
    /// Rows by block, place and group.
    pub rows: Vec<LensRow>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
    /// What every example has in every block at every place; empty unless asked for, and in no
    /// report.
    #[serde(skip)]
    pub examples: Vec<PlaceLogits>,
}

/// What `each` gives for every run, one after the other.
///
/// # Errors
/// [`Error::Usage`](crate::Error::Usage) without runs; whatever `each` gives, with the path of the
/// run.
pub fn logit_lens_over_runs(
    runs: &[RunSource],
    each: &mut dyn FnMut(&RunSource) -> Result<LogitLens>,
) -> Result<LensRuns> {
    let found = over_runs(runs, each)?;
    let parameters = found[0].1.parameters.clone();
    let runs = found.into_iter().map(|(run, of_run)| RunLens {
        run,
        n: of_run.n,
        rows: of_run.rows,
        warnings: of_run.warnings,
        examples: of_run.examples,
    });
    Ok(LensRuns {
        parameters,
        runs: runs.collect(),
        warnings: Vec::new(),
    })
}
