//! The decision graph of one layer.

use serde::Serialize;

use super::analysis::Landmarks;
use crate::error::Result;
use crate::geometry::Reason;
use crate::geometry::density::decision_graph::{decision_graph, graph_peaks};
use crate::input::Matrix;
use crate::neighbours::{Metric, NeighbourTable, Points, squared_distance};

/// The decision graph of a layer, and the peaks that two cuts make of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DecisionGraph {
    /// Log-density above which a row may be a centre; `None` unless cuts were given.
    pub density_cut: Option<f64>,
    /// Distance to the next denser row above which it is one.
    pub delta_cut: Option<f64>,
    /// Input rows of the centres, densest first; empty without cuts.
    pub centres: Vec<usize>,
    /// Rows of each of these peaks.
    pub sizes: Vec<usize>,
    /// Of these, the rows outside the halo.
    pub n_core: Vec<usize>,
    /// Reason code where the cuts leave no centre.
    pub reason: Option<Reason>,
    /// Every row of the graph; it goes into a file of its own.
    #[serde(skip)]
    pub rows: Vec<GraphRow>,
}

/// One row of the decision graph.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphRow {
    /// The input row.
    pub row: usize,
    /// Its log-density.
    pub log_density: f64,
    /// Distance to the nearest denser row.
    pub delta: f64,
    /// The input row of that; `None` for the densest row.
    pub reference: Option<usize>,
    /// Its peak; `None` without cuts, and where no centre lies uphill.
    pub peak: Option<usize>,
}

/// The graph of the rows of `matrix`, whose input rows are `rows`.
pub(super) fn decide(
    found: &Landmarks,
    table: &NeighbourTable,
    matrix: &Matrix,
    metric: Metric,
    rows: &[u32],
    cuts: Option<(f64, f64)>,
) -> Result<DecisionGraph> {
    let points = Points::new(matrix, metric, "")?;
    let (distances, indices) = (table.distances.view(), table.indices.view());
    let graph = decision_graph(&found.densities, distances, indices, |row, is_denser| {
        nearest(&points, row, is_denser)
    });
    let input = |row: u32| rows[row as usize] as usize;
    let mut decided = DecisionGraph {
        density_cut: cuts.map(|(density, _)| density),
        delta_cut: cuts.map(|(_, delta)| delta),
        centres: Vec::new(),
        sizes: Vec::new(),
        n_core: Vec::new(),
        reason: None,
        rows: rows
            .iter()
            .zip(&graph)
            .filter_map(|(&row, height)| {
                let height = height.as_ref()?;
                Some(GraphRow {
                    row: row as usize,
                    log_density: height.log_density,
                    delta: height.delta,
                    reference: height.reference.map(input),
                    peak: None,
                })
            })
            .collect(),
    };
    let Some((density_cut, delta_cut)) = cuts else {
        return Ok(decided);
    };
    let peaks = graph_peaks(
        &graph,
        &found.densities,
        distances,
        indices,
        density_cut,
        delta_cut,
    );
    match peaks {
        Err(reason) => decided.reason = Some(reason),
        Ok(peaks) => {
            decided.centres = peaks.centres.iter().map(|&row| input(row)).collect();
            decided.sizes = vec![0; peaks.centres.len()];
            decided.n_core = vec![0; peaks.centres.len()];
            for (label, &halo) in peaks.labels.iter().zip(&peaks.halo) {
                if let Some(peak) = *label {
                    decided.sizes[peak] += 1;
                    decided.n_core[peak] += usize::from(!halo);
                }
            }
            let known = graph.iter().zip(&peaks.labels);
            let labels = known.filter(|(height, _)| height.is_some());
            for (row, (_, &label)) in decided.rows.iter_mut().zip(labels) {
                row.peak = label;
            }
        }
    }
    Ok(decided)
}

/// The nearest row for which `holds`, and its distance; of equals the first.
fn nearest(
    points: &Points<'_>,
    row: u32,
    holds: &(dyn Fn(u32) -> bool + Sync),
) -> Option<(f64, u32)> {
    let mut from = vec![0.0; points.n_columns()];
    let mut to = from.clone();
    points.row(row as usize, &mut from);
    let mut best: Option<(f64, u32)> = None;
    for other in (0u32..).take(points.n_rows()).filter(|&other| holds(other)) {
        points.row(other as usize, &mut to);
        let squared = squared_distance(&from, &to);
        if best.is_none_or(|(least, _)| squared < least) {
            best = Some((squared, other));
        }
    }
    best.map(|(squared, other)| (squared.sqrt(), other))
}
