//! Orders rows by density, and lists who stands near whom.

use rayon::prelude::*;

use crate::geometry::density::Densities;

/// The rank of a row without a density, and the label of a row without a peak.
pub(super) const NONE: u32 = u32::MAX;

/// The rows by decreasing g = L − Z e, ties by index.
pub(super) struct Order {
    /// c: log-densities, shifted so that all are positive.
    pub(super) height: Vec<f64>,
    /// Errors of the log-densities.
    pub(super) error: Vec<f64>,
    /// g = c − e.
    pub(super) g: Vec<f64>,
    /// Place of every row, 0 the densest; [`NONE`] for a row without a density.
    pub(super) rank: Vec<u32>,
    /// The rows that have a density, densest first.
    pub(super) rows: Vec<u32>,
}

impl Order {
    /// `None` if no row has a density.
    pub(super) fn new(densities: &Densities, z: f64) -> Option<Self> {
        let known = densities.rows.iter().flatten();
        let lowest = known
            .map(|row| row.log_density - z * row.error)
            .min_by(f64::total_cmp)?;
        // A row without a density never takes part; its height is never looked at.
        let value = |of: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
            let rows = densities.rows.iter();
            rows.map(|row| row.map_or(0.0, |row| of(row.log_density, row.error)))
                .collect()
        };
        let height = value(&|log_density, _| log_density - lowest + 1.0);
        let error = value(&|_, error| error);
        let g: Vec<f64> = height.iter().zip(&error).map(|(c, e)| c - e).collect();

        let mut rows: Vec<u32> = (0u32..)
            .zip(&densities.rows)
            .filter_map(|(i, row)| row.map(|_| i))
            .collect();
        rows.par_sort_unstable_by(|&a, &b| {
            let (ga, gb) = (g[a as usize], g[b as usize]);
            gb.total_cmp(&ga).then(a.cmp(&b))
        });
        let mut rank = vec![NONE; g.len()];
        for (place, &row) in (0u32..).zip(&rows) {
            rank[row as usize] = place;
        }
        Some(Self {
            height,
            error,
            g,
            rank,
            rows,
        })
    }

    /// Whether `a` comes before `b`; a row without a density comes before none.
    pub(super) fn before(&self, a: u32, b: u32) -> bool {
        self.rank[a as usize] < self.rank[b as usize]
    }

    /// Whether a row has a density.
    pub(super) fn takes_part(&self, row: u32) -> bool {
        self.rank[row as usize] != NONE
    }
}

/// The neighbours of every row.
pub(super) struct Neighbourhoods<'a> {
    indices: &'a [u32],
    k: usize,
    kstar: Vec<usize>,
}

impl<'a> Neighbourhoods<'a> {
    pub(super) fn new(indices: &'a [u32], densities: &Densities) -> Self {
        let n = densities.rows.len();
        let k = indices.len() / n.max(1);
        assert_eq!(n * k, indices.len(), "one row of neighbours a density");
        let rows = densities.rows.iter();
        let kstar: Vec<usize> = rows.map(|row| row.map_or(0, |row| row.kstar)).collect();
        assert!(
            kstar.iter().all(|&kstar| kstar <= k),
            "k* lies in the table"
        );
        Self { indices, k, kstar }
    }

    /// All stored neighbours of a row, nearest first.
    pub(super) fn all(&self, row: u32) -> &'a [u32] {
        let start = row as usize * self.k;
        &self.indices[start..start + self.k]
    }

    /// The neighbours over which the density is constant, ranks 1..k*.
    pub(super) fn near(&self, row: u32) -> &'a [u32] {
        &self.all(row)[..self.kstar[row as usize]]
    }
}
