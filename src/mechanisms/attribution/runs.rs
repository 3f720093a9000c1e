//! The contributions of several runs side by side: checkpoints, sizes, models.

use serde::Serialize;

use super::shape::{Attribution, AttributionParameters, Check, ComponentRow, PlaceContributions};
use crate::Result;
use crate::input::RunSource;
use crate::mechanisms::over_runs::over_runs;
use crate::warning::Warning;

/// The contributions of every run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttributionRuns {
    /// What was asked for, the same for all runs; defaults included.
    pub parameters: AttributionParameters,
    /// The runs, each as if alone.
    pub runs: Vec<RunAttribution>,
    /// Warnings about all of them; those about one stand with it.
    pub warnings: Vec<Warning>,
}

/// The contributions of one run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunAttribution {
    /// Its name.
    pub run: String,
    /// Number of examples.
    pub n: usize,
    /// Rows by place, group and component; a component that a run lacks has no row.
    pub components: Vec<ComponentRow>,
    /// How well the sums reproduce the last lens; `None` unless asked for.
    pub check: Option<Check>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
    /// What every example has at every place; empty unless asked for, and in no report.
    #[serde(skip)]
    pub examples: Vec<PlaceContributions>,
}

/// What `each` gives for every run, one after the other.
///
/// # Errors
/// [`Error::Usage`](crate::Error::Usage) without runs; whatever `each` gives, with the path of the run.
pub fn attribution_over_runs(
    runs: &[RunSource],
    each: &mut dyn FnMut(&RunSource) -> Result<Attribution>,
) -> Result<AttributionRuns> {
    let found = over_runs(runs, each)?;
    let parameters = found[0].1.parameters.clone();
    let runs = found.into_iter().map(|(run, of_run)| RunAttribution {
        run,
        n: of_run.n,
        components: of_run.components,
        check: of_run.check,
        warnings: of_run.warnings,
        examples: of_run.examples,
    });
    Ok(AttributionRuns {
        parameters,
        runs: runs.collect(),
        warnings: Vec::new(),
    })
}
