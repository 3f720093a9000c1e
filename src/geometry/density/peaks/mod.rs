//! Density peaks: which rows gather around which maximum of the density, and where two maxima
//! meet.
//!
//! d'Errico, Facco, Laio and Rodriguez, Inf. Sci. 560, 476 (2021), step by step; every tie is
//! settled, so that the result is defined on any data.

mod borders;
mod centres;
mod dendrogram;
mod map;
mod members;
mod merge;
mod newick;
mod order;

pub use dendrogram::{Dendrogram, Linkage, Node, dendrogram};
pub use map::map;

use ndarray::ArrayView2;

use self::borders::borders;
use self::centres::Candidates;
use self::members::assign;
use self::merge::{Merged, merge};
use self::order::{Neighbourhoods, Order};
use super::Densities;
use crate::geometry::Reason;

/// More peaks than this are too many for what needs every pair of them.
pub const MAX_PAIRED: usize = 2_000;

/// One peak of the density.
#[derive(Debug, Clone, PartialEq)]
pub struct Peak {
    /// The row of highest density.
    pub centre: usize,
    /// Log-density there.
    pub log_density: f64,
    /// Its error.
    pub error: f64,
    /// Rows that belong to the peak.
    pub size: usize,
    /// Of these, the rows outside the halo.
    pub n_core: usize,
}

/// Where two peaks meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Saddle {
    /// The two peaks, ascending.
    pub peaks: [usize; 2],
    /// The row of highest density between them.
    pub row: usize,
    /// Log-density there.
    pub log_density: f64,
    /// Its error.
    pub error: f64,
}

/// The peaks of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Peaks {
    /// The peaks, by the row of their centre.
    pub peaks: Vec<Peak>,
    /// The peak of every row; `None` for a row without a density.
    pub labels: Vec<Option<usize>>,
    /// Whether a row lies below the highest saddle of its peak, as if it were noise.
    pub halo: Vec<bool>,
    /// Every pair of peaks that meet, in order; all others are not adjacent.
    pub saddles: Vec<Saddle>,
    /// Maxima of the density before those that fluctuations explain were merged.
    pub n_putative: usize,
}

impl Peaks {
    /// Share of the rows with a density that lie outside the halo.
    pub fn core_fraction(&self) -> f64 {
        let all: usize = self.peaks.iter().map(|peak| peak.size).sum();
        let core: usize = self.peaks.iter().map(|peak| peak.n_core).sum();
        core as f64 / all as f64
    }
}

/// The peaks of `densities` over the neighbours `indices` (N × k), at confidence `z`.
///
/// With g = L − Z e and g_j > g_i where the key (−g_j, j) comes before (−g_i, i):
///
/// 1. A row is a putative centre unless a neighbour of rank 1..k* has a larger g.
/// 2. Such a centre is removed if it lies within the k* neighbours of a row with a larger g.
/// 3. By decreasing g, every row joins its nearest neighbour that belongs to a peak already.
/// 4. A row p of peak A is on the border to B if B is the peak of its nearest neighbour q (within
///    k*) of another peak, and no member of A is nearer to q than p. The border row of largest g is
///    the saddle of the pair.
/// 5. While the density at some saddle is not below both its centres by Z (e_centre + e_saddle),
///    the highest such saddle goes, and with it the less significant of its two peaks.
/// 6. The halo of a peak are its rows below its highest saddle.
///
/// A row without a density takes no part. Memory beside the table: O(N). Reasons for none:
/// `zero_distances` (no row has a density).
///
/// # Panics
/// Unless there is one density a row, and no neighbourhood k* beyond the table.
pub fn density_peaks(
    densities: &Densities,
    indices: ArrayView2<u32>,
    z: f64,
) -> Result<Peaks, Reason> {
    let order = Order::new(densities, z).ok_or(Reason::ZeroDistances)?;
    let indices = indices.as_standard_layout();
    let indices = indices.as_slice().expect("standard layout is one slice");
    let neighbours = Neighbourhoods::new(indices, densities);

    let candidates = Candidates::find(&order, &neighbours);
    let centres = candidates.surviving();
    let labels = assign(&order, &neighbours, &candidates, &centres);
    let borders = borders(&order, &neighbours, &labels, &centres);
    let Merged {
        kept,
        into,
        saddles,
    } = merge(&order, &centres, borders, z);

    Ok(output(
        densities,
        &order,
        &labels,
        &Survivors {
            centres,
            kept,
            into,
        },
        saddles,
    ))
}

/// What is left of the provisional peaks.
struct Survivors {
    /// Centres of the provisional peaks.
    centres: Vec<u32>,
    /// Provisional labels of those that remain, ascending.
    kept: Vec<u32>,
    /// Which of `kept` a provisional peak became part of.
    into: Vec<u32>,
}

fn output(
    densities: &Densities,
    order: &Order,
    labels: &[u32],
    survivors: &Survivors,
    saddles: Vec<merge::Border>,
) -> Peaks {
    let at = |row: u32| {
        densities.rows[row as usize].expect("centres and saddles are rows with a density")
    };
    let mut highest = vec![f64::NEG_INFINITY; survivors.kept.len()];
    for saddle in &saddles {
        for peak in saddle.pair {
            let height = &mut highest[peak as usize];
            *height = height.max(order.height[saddle.row as usize]);
        }
    }
    let labels: Vec<Option<usize>> = labels
        .iter()
        .map(|&label| {
            survivors
                .into
                .get(label as usize)
                .map(|&peak| peak as usize)
        })
        .collect();
    let halo: Vec<bool> = labels
        .iter()
        .zip(&order.height)
        .map(|(label, &height)| label.is_some_and(|peak| height < highest[peak]))
        .collect();
    let mut peaks: Vec<Peak> = survivors
        .kept
        .iter()
        .map(|&label| {
            let centre = survivors.centres[label as usize];
            let density = at(centre);
            Peak {
                centre: centre as usize,
                log_density: density.log_density,
                error: density.error,
                size: 0,
                n_core: 0,
            }
        })
        .collect();
    for (label, &halo) in labels.iter().zip(&halo) {
        if let Some(peak) = *label {
            peaks[peak].size += 1;
            peaks[peak].n_core += usize::from(!halo);
        }
    }
    let saddles = saddles.into_iter().map(|saddle| {
        let density = at(saddle.row);
        Saddle {
            peaks: saddle.pair.map(|peak| peak as usize),
            row: saddle.row as usize,
            log_density: density.log_density,
            error: density.error,
        }
    });
    Peaks {
        saddles: saddles.collect(),
        n_putative: survivors.centres.len(),
        peaks,
        labels,
        halo,
    }
}
