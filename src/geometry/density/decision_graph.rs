//! The decision graph: how dense a row is, against how far the next denser row is.
//!
//! Rodriguez and Laio, Science 344, 1492 (2014).

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Densities;
use crate::geometry::Reason;

/// How much farther than any other the densest row is placed.
const BEYOND: f64 = 1.05;

/// One row of the decision graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Height {
    /// Its log-density.
    pub log_density: f64,
    /// Distance to the nearest denser row; for the densest row 1.05 times the largest of these.
    pub delta: f64,
    /// The nearest denser row; `None` for the densest.
    pub reference: Option<u32>,
}

/// The decision graph of `densities`; `None` for rows without one.
///
/// Of rows with equal density the first is the denser. The nearest denser row is sought in the
/// table; where it holds none, `search` is asked for the nearest row, and its distance, among those
/// for which a predicate holds.
pub fn decision_graph(
    densities: &Densities,
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    search: impl Fn(u32, &(dyn Fn(u32) -> bool + Sync)) -> Option<(f64, u32)> + Sync,
) -> Vec<Option<Height>> {
    let log_density = |row: u32| densities.rows[row as usize].map(|row| row.log_density);
    let denser = |a: u32, b: u32| match (log_density(a), log_density(b)) {
        (Some(x), Some(y)) => x > y || (x.total_cmp(&y).is_eq() && a < b),
        _ => false,
    };
    let n = u32::try_from(densities.rows.len()).expect("rows are counted in 32 bits");
    let mut graph: Vec<Option<Height>> = (0..n)
        .into_par_iter()
        .map(|i| {
            let row = i as usize;
            let log_density = log_density(i)?;
            let stored = distances.row(row).into_iter().zip(indices.row(row));
            let nearest = stored
                .map(|(&distance, &j)| (distance, j))
                .find(|&(_, j)| denser(j, i))
                .or_else(|| search(i, &|j| denser(j, i)));
            Some(Height {
                log_density,
                delta: nearest.map_or(0.0, |(distance, _)| distance),
                reference: nearest.map(|(_, j)| j),
            })
        })
        .collect();
    let largest = graph
        .iter()
        .flatten()
        .map(|row| row.delta)
        .fold(0.0, f64::max);
    for top in graph
        .iter_mut()
        .flatten()
        .filter(|row| row.reference.is_none())
    {
        top.delta = BEYOND * largest;
    }
    graph
}

/// Peaks read off a decision graph.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphPeaks {
    /// The centres, densest first.
    pub centres: Vec<u32>,
    /// The peak of every row, an index into `centres`; `None` for a row without a density, and
    /// where no centre lies uphill.
    pub labels: Vec<Option<usize>>,
    /// Whether a row is less dense than the border of its peak.
    pub halo: Vec<bool>,
}

/// The peaks whose centres exceed both cuts; every other row belongs to the peak of the nearest
/// denser row.
///
/// A border row has a stored neighbour of another peak within its k* neighbours' radius; rows less
/// dense than the densest border row of their peak are its halo. There are no customary cuts: they
/// are read off the graph. Reasons for none: `not_reached` (no row exceeds both).
pub fn graph_peaks(
    graph: &[Option<Height>],
    densities: &Densities,
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    density_cut: f64,
    delta_cut: f64,
) -> Result<GraphPeaks, Reason> {
    let n = u32::try_from(graph.len()).expect("rows are counted in 32 bits");
    let mut known: Vec<(f64, u32)> = (0..n)
        .filter_map(|i| graph[i as usize].map(|row| (row.log_density, i)))
        .collect();
    known.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut centres = Vec::new();
    let mut labels: Vec<Option<usize>> = vec![None; graph.len()];
    for &(log_density, i) in &known {
        let Some(row) = graph[i as usize] else {
            continue;
        };
        labels[i as usize] = if log_density > density_cut && row.delta > delta_cut {
            centres.push(i);
            Some(centres.len() - 1)
        } else {
            row.reference.and_then(|uphill| labels[uphill as usize])
        };
    }
    if centres.is_empty() {
        return Err(Reason::NotReached);
    }
    let on_border = |i: usize| {
        let radius = match densities.rows[i] {
            Some(density) if density.kstar > 0 => distances[(i, density.kstar - 1)],
            _ => return false,
        };
        let stored = distances.row(i).into_iter().zip(indices.row(i));
        stored
            .take_while(|&(&distance, _)| distance <= radius)
            .any(|(_, &j)| labels[j as usize] != labels[i])
    };
    let mut border = vec![f64::NEG_INFINITY; centres.len()];
    for (i, row) in graph.iter().enumerate() {
        if let (Some(row), Some(peak)) = (row, labels[i])
            && on_border(i)
        {
            border[peak] = border[peak].max(row.log_density);
        }
    }
    let in_halo = |(row, label): (&Option<Height>, &Option<usize>)| matches!((row, label), (Some(row), Some(peak)) if row.log_density < border[*peak]);
    Ok(GraphPeaks {
        halo: graph.iter().zip(&labels).map(in_halo).collect(),
        centres,
        labels,
    })
}
