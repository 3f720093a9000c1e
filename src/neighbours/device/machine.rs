//! What the plan of a search asks of a device, and where rows lie on it.

use std::ops::Range;

use crate::neighbours::filter::Bound;
use crate::neighbours::visiting::visiting_order;

/// Why a device could not do it, in words that follow the device's name and a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault(pub(super) String);

/// Where rows lie: by position, those that may be found from 0 on, queries at a tile's edge behind
/// them. Tiles of rows are multiplied with tiles of rows that may be found.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Rows of a tile.
    pub(super) tile: usize,
    /// Positions of the rows that may be found.
    pub(super) targets: Range<usize>,
    /// Positions of those that seek.
    pub(super) seekers: Range<usize>,
    /// The row at each position; positions between targets and queries hold none.
    pub(super) order: Vec<u32>,
}

/// Stands where a position holds no row.
pub(super) const NO_ROW: u32 = u32::MAX;

impl Layout {
    /// `n` rows that may be found by each other, or by `queries` numbered after them.
    pub(super) fn new(n: usize, queries: Option<usize>, tile: usize) -> Self {
        let mut order = visiting_order(n);
        let seekers = match queries {
            None => 0..n,
            Some(m) => {
                let from = n.next_multiple_of(tile);
                order.resize(from, NO_ROW);
                #[allow(clippy::cast_possible_truncation)]
                order.extend((n..n + m).map(|row| row as u32));
                from..from + m
            }
        };
        Self {
            tile,
            targets: 0..n,
            seekers,
            order,
        }
    }

    /// Whether those that seek are those that may be found, so that each pair serves both rows.
    pub(super) fn is_symmetric(&self) -> bool {
        self.seekers.start == 0
    }

    /// Tiles of rows that may be found.
    pub(super) fn tiles(&self) -> usize {
        self.targets.len().div_ceil(self.tile)
    }

    /// Tiles of rows that seek.
    pub(super) fn seeking(&self) -> usize {
        self.seekers.len().div_ceil(self.tile)
    }

    /// How often every tile that seeks meets another until all pairs were met: on diagonal d the
    /// a-th meets the (a + d)-th, counted in a circle, or without symmetry the d-th.
    pub(super) fn diagonals(&self) -> usize {
        if self.is_symmetric() {
            self.tiles() / 2 + 1
        } else {
            self.tiles()
        }
    }

    /// Rows that a row meets on one diagonal, at most.
    pub(super) fn met(&self) -> usize {
        if self.is_symmetric() {
            2 * self.tile
        } else {
            self.tile
        }
    }

    /// What row `p` is called in a table.
    pub(super) fn name(&self, p: usize) -> u32 {
        #[allow(clippy::cast_possible_truncation)]
        if self.is_symmetric() {
            self.order[p]
        } else {
            (p - self.seekers.start) as u32
        }
    }
}

/// What rounding made of the rows.
pub(super) struct Rounding {
    /// n_p², ρ_p² and λ_p² of each position, as [`Bound::new`] wants them.
    pub(super) measured: Vec<[f64; 3]>,
    /// By what power of two rows were scaled.
    pub(super) scale: f64,
}

/// D² and row of every entry of the lists of some positions.
#[derive(Default)]
pub(super) struct Judged {
    /// The positions.
    pub(super) positions: Range<usize>,
    /// Where each list begins, and where the last ends.
    pub(super) starts: Vec<u64>,
    /// D².
    pub(super) squared: Vec<f64>,
    /// Rows.
    pub(super) rows: Vec<u32>,
}

/// Who holds rows and lists, multiplies, and gives verdicts.
pub(super) trait Machine {
    /// Where rows lie.
    fn layout(&self) -> &Layout;

    /// Rounds all rows to bf16.
    fn round(&mut self) -> Result<Rounding, Fault>;

    /// The exact D² of some positions and all rows that may be found: samples × targets.
    fn scan(&mut self, samples: &[u32]) -> Result<Vec<f64>, Fault>;

    /// Empty lists of up to `capacity` entries for every position that seeks its `k` nearest.
    fn begin(&mut self, bound: &Bound, k: usize, capacity: usize) -> Result<(), Fault>;

    /// Multiplies the pairs of tiles of some diagonals; pairs that pass a cut go to the list of its
    /// row. False if a list would have been too long: then all are as they were.
    fn visit(&mut self, diagonals: Range<usize>) -> Result<bool, Fault>;

    /// Score and position of every entry of one list, in any order.
    fn entries(&mut self, position: usize) -> Result<Vec<(f32, u32)>, Fault>;

    /// Drops what is certainly beyond the k nearest of each list, so that none is longer than half
    /// its capacity, and raises the cuts; returns the length of the longest.
    fn prune(&mut self) -> Result<usize, Fault>;

    /// Gives verdicts on all lists, some positions at a time.
    fn judge(&mut self, take: &mut dyn FnMut(&Judged)) -> Result<(), Fault>;
}
