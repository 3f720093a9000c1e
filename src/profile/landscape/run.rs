//! Every layer through the densities.

use ndarray::s;

use super::analysis::{Analysis, Landmarks, row_peaks};
use super::labels::scores;
use super::options::PeakOptions;
use super::shape::{LayerPeaks, PeakCounts, PeakParameters, PeakProfile, PeakSummary};
use crate::error::Result;
use crate::geometry::Reason;
use crate::geometry::density::peaks::Peaks;
use crate::geometry::diagnostics::{Diagnostics, DistanceDiagnostics};
use crate::geometry::resolution::Resolution;
use crate::input::{Dump, LayerInfo, TableSource};
use crate::neighbours::NeighbourTable;
use crate::profile::bench::Bench;
use crate::profile::compare::LayerRef;
use crate::profile::layers::{PreparedLayer, distance_warnings, near_duplicate_warning, prepare};
use crate::progress::{Phase, Progress};
use crate::warning::{Warning, WarningCode};

/// The density peaks of every layer of `dump`.
///
/// # Errors
/// Whatever [`prepare`] gives for a layer, and [`Bench::neighbours`].
pub fn density_peaks(dump: &Dump, options: &PeakOptions, bench: &Bench<'_>) -> Result<PeakProfile> {
    let phase = Phase::new("peaks", dump.layers().len());
    bench.progress.plan(&[phase]);
    let layers = dump.layers().iter().map(|info| {
        bench.progress.step(phase.name, &info.name);
        let worked = Worked::layer(dump, info, options, bench)?;
        let mut layer = worked.report;
        if options.keep_rows {
            let prepared = &worked.prepared;
            layer.rows = Some(row_peaks(
                dump.n_rows(),
                &prepared.members,
                &prepared.rows,
                worked.found.as_ref(),
            ));
        }
        Ok(layer)
    });
    Ok(PeakProfile {
        layers: layers.collect::<Result<_>>()?,
        parameters: PeakParameters::new(options, bench),
        events: Vec::new(),
        lead: None,
        warnings: dump.warnings().to_vec(),
    })
}

/// The density peaks of precomputed neighbour tables, one a layer.
///
/// # Errors
/// Whatever reading a table gives;
/// [`Error::RowMismatch`](crate::Error::RowMismatch) for labels of another number of rows.
pub fn density_peaks_of_tables(
    sources: &[TableSource],
    options: &PeakOptions,
    progress: &dyn Progress,
) -> Result<PeakProfile> {
    let mut layers = Vec::new();
    let phase = Phase::new("peaks", sources.len());
    progress.plan(&[phase]);
    for (index, source) in sources.iter().enumerate() {
        progress.step(phase.name, &source.name);
        let at = LayerRef::of_table(source, index, sources.len());
        layers.push(of_table(source, at, options, progress)?.0);
    }
    Ok(PeakProfile {
        layers,
        parameters: PeakParameters::new(options, &Bench::default()),
        events: Vec::new(),
        lead: None,
        warnings: Vec::new(),
    })
}

/// One table through the densities: its report, what was found, and its rows.
pub(super) fn of_table(
    source: &TableSource,
    at: LayerRef,
    options: &PeakOptions,
    progress: &dyn Progress,
) -> Result<(LayerPeaks, Option<Landmarks>, Vec<u32>)> {
    progress.begin(&source.name, 1);
    let table = source.read(options.stored())?;
    for labels in &options.labels {
        labels.check_rows(table.n, &source.name)?;
    }
    let rows: Vec<u32> = (0u32..).take(table.n).collect();
    let table = NeighbourTable {
        indices: table.indices,
        distances: table.distances,
    };
    let analysis = Analysis::of(table.distances.view(), table.indices.view(), options);
    let diagnostics = Diagnostics::of_table(rows.len());
    let (mut layer, found) = assemble(at, analysis, &rows, table.k(), diagnostics, options);
    if table.k() > 0 {
        let order = |order| table.distances_of_order(order).to_vec();
        let noticed = near_duplicate_warning(&order(1), &order(table.k()));
        layer.warnings.splice(0..0, noticed);
    }
    if options.keep_rows {
        let members: Vec<(u32, u32)> = rows.iter().map(|&row| (row, row)).collect();
        layer.rows = Some(row_peaks(rows.len(), &members, &rows, found.as_ref()));
    }
    progress.end();
    Ok((layer, found, rows))
}

/// A layer, what was found in it, and what it was found from.
pub(super) struct Worked {
    pub(super) report: LayerPeaks,
    pub(super) found: Option<Landmarks>,
    pub(super) prepared: PreparedLayer,
    pub(super) table: NeighbourTable,
}

impl Worked {
    pub(super) fn layer(
        dump: &Dump,
        info: &LayerInfo,
        options: &PeakOptions,
        bench: &Bench<'_>,
    ) -> Result<Self> {
        let mut prepared = prepare(dump, info, &options.layers)?;
        let wanted = options.stored();
        let mut table =
            bench.neighbours(&prepared.matrix, &info.name, wanted, &mut prepared.warnings)?;
        // What the cache holds may be more; the result must not depend on it.
        if table.k() > wanted {
            table.indices = table.indices.slice(s![.., ..wanted]).to_owned();
            table.distances = table.distances.slice(s![.., ..wanted]).to_owned();
        }
        let n = prepared.matrix.n_rows();
        if table.k() >= 2 {
            let order = |order| table.distances_of_order(order).to_vec();
            let distances = DistanceDiagnostics::new(&order(1), &order(2), &order(table.k()));
            prepared.diagnostics.distances = Some(distances);
            let noticed = distance_warnings(&prepared.diagnostics, n);
            prepared.warnings.extend(noticed);
        }
        let tied = || {
            let resolution = Resolution::of(&prepared.matrix, options.layers.directions);
            let order = |order| table.distances_of_order(order).to_vec();
            options.reads_nearest_ratio() && table.k() >= 2 && resolution.ties(&order(1), &order(2))
        };
        let analysis = match prepared.no_nearest {
            Some(reason) => Analysis::none(options, reason),
            None if tied() => Analysis::none(options, Reason::DegenerateRatios),
            None => Analysis::of(table.distances.view(), table.indices.view(), options),
        };
        let diagnostics = prepared.diagnostics.clone();
        let (rows, at) = (&prepared.rows, info.into());
        let (mut report, found) = assemble(at, analysis, rows, table.k(), diagnostics, options);
        report.n_columns = Some(prepared.matrix.n_columns());
        report.dtype = Some(info.dtype.as_str().to_owned());
        report.warnings.splice(0..0, prepared.warnings.clone());
        Ok(Self {
            report,
            found,
            prepared,
            table,
        })
    }
}

/// The report of the layer `at`; `rows` are the input rows.
fn assemble(
    at: LayerRef,
    analysis: Analysis,
    rows: &[u32],
    stored: usize,
    diagnostics: Diagnostics,
    options: &PeakOptions,
) -> (LayerPeaks, Option<Landmarks>) {
    let Analysis { id, found } = analysis;
    let peaks = found
        .as_ref()
        .map(|found| &found.peaks)
        .map_err(|&reason| reason);
    let summaries = peaks
        .into_iter()
        .flat_map(|peaks| peaks.peaks.iter().enumerate());
    let summaries = summaries.map(|(peak, found)| PeakSummary {
        peak,
        row: rows[found.centre] as usize,
        log_density: found.log_density,
        error: found.error,
        size: found.size,
        n_core: found.n_core,
    });
    let scores = scores(peaks, rows, options);
    let mut warnings = Vec::new();
    let wanted = options.stored();
    if stored < wanted && stored > 0 {
        let all = match stored + 1 < rows.len() {
            true => "all that a table holds",
            false => "all other rows",
        };
        let message = format!("{stored} neighbours were stored, {all}, not {wanted}");
        warnings.push(Warning::new(WarningCode::KReduced, 1, message));
    }
    if let Err(reason) = peaks {
        let message = format!("no density peaks: {}", reason.code());
        warnings.push(Warning::new(WarningCode::NotEstimated, 1, message));
    }
    if let Ok(found) = &found {
        warnings.extend(density_warnings(found));
    }
    for score in scores.iter().filter(|score| score.n_missing > 0) {
        warnings.push(Warning::new(
            WarningCode::LabelsMissing,
            score.n_missing,
            format!(
                "{} of {} rows have no label in {} and are left out of its scores",
                score.n_missing,
                rows.len(),
                score.labels
            ),
        ));
    }
    let layer = LayerPeaks {
        layer: at.layer,
        index: at.index,
        relative_depth: at.relative_depth,
        n_rows: rows.len(),
        n_columns: None,
        dtype: None,
        stored,
        id,
        density: found.as_ref().ok().map(Landmarks::summary),
        outcome: peaks.map(|peaks| counts(peaks, rows.len())).into(),
        peaks: summaries.collect(),
        scores,
        diagnostics,
        warnings,
        rows: None,
    };
    (layer, found.ok())
}

fn counts(peaks: &Peaks, n: usize) -> PeakCounts {
    let largest = peaks.peaks.iter().map(|peak| peak.size).max();
    PeakCounts {
        n_peaks: peaks.peaks.len(),
        n_putative: peaks.n_putative,
        core_fraction: peaks.core_fraction(),
        largest_fraction: largest.unwrap_or(0) as f64 / n as f64,
    }
}

/// Densities from fewer neighbours than this in half of the rows have errors near 1.
const FEW_NEIGHBOURS: f64 = 8.0;

fn density_warnings(found: &Landmarks) -> impl Iterator<Item = Warning> {
    let n = found.densities.rows.len();
    let (missing, fallback) = (found.densities.n_missing(), found.densities.n_fallback);
    let warn = |code, count: usize, what: &str| {
        (count > 0).then(|| Warning::new(code, count, format!("{count} of {n} rows {what}")))
    };
    let missing = warn(
        WarningCode::NoDensity,
        missing,
        "have no density (distances of 0) and take no part",
    );
    let fallback = warn(
        WarningCode::PakFallback,
        fallback,
        "have no PAk density (tied distances); k*NN stands in",
    );
    let typical = found.summary().kstar.median();
    let few = typical.filter(|&typical| typical < FEW_NEIGHBOURS).map(|_| {
        let rows = found.densities.rows.iter().flatten();
        let below = rows.filter(|row| (row.kstar as f64) < FEW_NEIGHBOURS).count();
        // The k* of each layer stands in its own place: layers that share the warning share its line.
        let message = format!(
            "the median k* is below {FEW_NEIGHBOURS}: densities from so few neighbours have errors near \
             1, so that peaks and scores may jump between layers; more rows, or a coarser --density knn \
             -k, say more"
        );
        Warning::new(WarningCode::FewNeighbours, below, message)
    });
    missing.into_iter().chain(fallback).chain(few)
}
