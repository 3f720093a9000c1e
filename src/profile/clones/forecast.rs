//! Foretells what the fits and read-outs of chunks cost beside each other, for the progress bar alone.
//!
//! Costs are nanoseconds of one thread, fitted to runs on 2000 × 128, 1000 × 256, 600 × 512 and 200 × 600
//! rows and neurons. No number of a report rests on them.

use super::route::is_short;
use crate::progress::Phase;

/// The phases of the work.
pub(super) const CHUNKS: &str = "chunks";
pub(super) const PARTS: &str = "parts";
pub(super) const READOUT: &str = "readout";

/// The phases within the fits of one choice of rows.
pub(super) const PRODUCTS: &str = "products";
pub(super) const DRAWS: &str = "draws";
pub(super) const DISJOINT: &str = "disjoint chunks";
pub(super) const DIMENSIONS: &str = "dimensions";

/// How large the work is.
#[derive(Debug, Clone, Copy)]
pub struct Extent<'a> {
    /// Rows.
    pub rows: usize,
    /// Neurons.
    pub width: usize,
    /// Chunk sizes.
    pub sizes: &'a [usize],
    /// Random chunks of each size that are fitted.
    pub draws: usize,
    /// Whether chunks are fitted from disjoint ones too.
    pub disjoint: bool,
    /// Whether the dimension of every chunk is sought.
    pub chunk_id: bool,
    /// Parts of the rows in which all fits are made again.
    pub partitions: Option<usize>,
    /// Of the read-out, where there is one.
    pub scored: Option<Scored>,
}

/// How large the work of a read-out is.
#[derive(Debug, Clone, Copy)]
pub struct Scored {
    /// Outputs of the read-out.
    pub outputs: usize,
    /// Random chunks of each size that are read out, once more where they are rescaled.
    pub draws: usize,
    /// Sets of rows: those of the layer, and of training.
    pub sets: usize,
}

/// The fits of all rows and of parts of them, then the read-outs.
pub fn phases(extent: &Extent<'_>) -> Vec<Phase> {
    let fits = |rows| {
        let of_rows = Extent { rows, ..*extent };
        let phases = of_fits(&of_rows);
        phases.iter().map(|phase| phase.cost).sum::<f64>()
    };
    let mut phases = vec![Phase::of_cost(CHUNKS, 1, fits(extent.rows))];
    if let Some(parts) = extent.partitions {
        phases.push(Phase::of_cost(
            PARTS,
            parts,
            fits(extent.rows / parts.max(1)),
        ));
    }
    if let Some(scored) = extent.scored {
        // Neurons are added one by one, and every size is one more softmax.
        let row = 0.4 * extent.width as f64 + 18.0 * extent.sizes.len() as f64;
        let one = (extent.rows * scored.outputs * scored.draws) as f64 * row;
        phases.push(Phase::of_cost(READOUT, scored.sets, one));
    }
    phases
}

/// The products of all neurons, the draws, and those of disjoint chunks.
pub(super) fn of_fits(extent: &Extent<'_>) -> Vec<Phase> {
    let [n, width, draws] = [extent.rows, extent.width, extent.draws].map(|count| count as f64);
    let is_short = is_short(extent.rows, extent.width);
    let (products, draw) = match is_short {
        true => (0.0, 0.51 * n * width * width),
        false => (0.1 * n * width * width, 0.057 * width.powi(3)),
    };
    let mut phases = vec![
        Phase::of_cost(PRODUCTS, 1, products),
        Phase::of_cost(DRAWS, 1, draw * draws),
    ];
    if extent.disjoint {
        let sizes = extent.sizes.iter().map(|&w| w as f64);
        // Both ways, w neurons are taken out of 2w.
        let both_ways = sizes.filter(|w| 2.0 * w <= width).map(|w| match is_short {
            true => 0.84 * n * n.min(w) * w,
            false => 0.4 * w.powi(3),
        });
        let cost = both_ways.sum::<f64>() * draws;
        phases.push(Phase::of_cost(DISJOINT, 1, cost));
    }
    if extent.chunk_id {
        // A search of its own for each chunk: a guess from searches of whole layers.
        let neurons: f64 = extent.sizes.iter().map(|&w| w as f64).sum();
        let cost = draws * n * n * (0.005 * neurons + 0.5 * extent.sizes.len() as f64);
        phases.push(Phase::of_cost(DIMENSIONS, 1, cost));
    }
    phases
}
