//! `repgeo landscape`: everything about the peaks of one layer.

use serde::Serialize;

use super::analysis::{Landmarks, row_peaks};
use super::decision::{DecisionGraph, decide};
use super::options::LandscapeOptions;
use super::run::{Worked, of_table};
use super::shape::{LayerPeaks, PeakParameters};
use super::topography::{PeakTree, Topography, topography, tree};
use crate::error::{Error, Result};
use crate::input::{Dump, TableSource};
use crate::profile::bench::Bench;
use crate::profile::compare::LayerRef;
use crate::progress::Progress;
use crate::warning::Warning;

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LandscapeParameters {
    /// Those of the peaks, as `density-peaks` echoes them.
    #[serde(flatten)]
    pub peaks: PeakParameters,
    /// What was asked for beside them.
    #[serde(flatten)]
    pub options: LandscapeOptions,
}

impl LandscapeParameters {
    fn new(options: &LandscapeOptions, bench: &Bench<'_>) -> Self {
        Self {
            peaks: PeakParameters::new(&options.peaks, bench),
            options: options.clone(),
        }
    }
}

/// The landscape of one layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Landscape {
    /// What was asked for, defaults included.
    pub parameters: LandscapeParameters,
    /// The layer, as `density-peaks` reports it, its peaks apart.
    pub layers: Vec<LayerPeaks>,
    /// Peaks and saddles; `None` where there are no peaks.
    pub topography: Option<Topography>,
    /// The tree of the peaks; `None` where there are no peaks.
    pub dendrogram: Option<PeakTree>,
    /// The decision graph; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_graph: Option<DecisionGraph>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// The landscape of the only layer of `dump`.
///
/// # Errors
/// [`Error::Usage`] unless there is one layer; whatever
/// [`density_peaks`](super::density_peaks) gives.
pub fn landscape(dump: &Dump, options: &LandscapeOptions, bench: &Bench<'_>) -> Result<Landscape> {
    let [info] = dump.layers() else {
        return Err(Error::Usage(format!(
            "a landscape is of one layer, there are {}; choose one with --layers or as FILE#NAME",
            dump.layers().len()
        )));
    };
    let worked = Worked::layer(dump, info, &options.peaks, bench)?;
    let found = describe(
        &worked.report,
        worked.found.as_ref(),
        &worked.prepared.rows,
        options,
    );
    let prepared = &worked.prepared;
    let wanted = options.decision_graph || options.cuts.is_some();
    let decision_graph = worked.found.as_ref().filter(|_| wanted).map(|found| {
        decide(
            found,
            &worked.table,
            &prepared.matrix,
            bench.metric,
            &prepared.rows,
            options.cuts,
        )
    });
    let decision_graph = decision_graph.transpose()?;
    let kept = options.peaks.keep_rows;
    let of_rows = || {
        row_peaks(
            dump.n_rows(),
            &prepared.members,
            &prepared.rows,
            worked.found.as_ref(),
        )
    };
    let layer = LayerPeaks {
        rows: kept.then(of_rows),
        ..worked.report
    };
    Ok(Landscape {
        parameters: LandscapeParameters::new(options, bench),
        layers: vec![layer],
        topography: found.0,
        dendrogram: found.1,
        decision_graph,
        warnings: dump.warnings().to_vec(),
    })
}

/// The landscape of the only table that somebody computed before.
///
/// # Errors
/// [`Error::Usage`] unless there is one table, and for the decision graph, which needs distances
/// beyond any table; whatever
/// [`density_peaks_of_tables`](super::density_peaks_of_tables) gives.
pub fn landscape_of_table(
    sources: &[TableSource],
    options: &LandscapeOptions,
    progress: &dyn Progress,
) -> Result<Landscape> {
    let [source] = sources else {
        let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        return Err(Error::Usage(format!(
            "a landscape is of one layer, and there are {} tables: {}; name the file of one",
            sources.len(),
            names.join(", ")
        )));
    };
    if options.decision_graph || options.cuts.is_some() {
        return Err(Error::Usage(
            "the decision graph needs distances beyond those of a neighbour table; give the \
             activations, or leave --decision-graph and --cuts out"
                .into(),
        ));
    }
    let (layer, found, rows) = of_table(
        source,
        LayerRef::of_table(source, 0, 1),
        &options.peaks,
        progress,
    )?;
    let (topography, dendrogram) = describe(&layer, found.as_ref(), &rows, options);
    Ok(Landscape {
        parameters: LandscapeParameters::new(options, &Bench::default()),
        layers: vec![layer],
        topography,
        dendrogram,
        decision_graph: None,
        warnings: Vec::new(),
    })
}

/// Peaks, saddles and the tree that they make, where there are peaks.
fn describe(
    layer: &LayerPeaks,
    found: Option<&Landmarks>,
    rows: &[u32],
    options: &LandscapeOptions,
) -> (Option<Topography>, Option<PeakTree>) {
    let topography = found.map(|found| topography(found, &layer.peaks, rows, &options.peaks));
    let tree = found
        .zip(topography.as_ref())
        .map(|(found, topography)| tree(found, topography, options));
    (topography, tree)
}
