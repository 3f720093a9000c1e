//! The interface of a device: what the plan of a search asks of it, and where rows lie on it.

use std::fmt;
use std::ops::Range;

use crate::neighbours::filter::Bound;
use crate::neighbours::points::Points;

/// Why a device could not do it, in words that follow the device's name and a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault(pub(super) String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where rows lie: by position, those that may be found from 0 on, those that seek among them or at
/// a tile's edge behind them. Tiles of rows are multiplied with tiles of rows that may be found.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Rows of a tile.
    pub(super) tile: usize,
    /// Positions of the rows that may be found.
    pub(super) targets: Range<usize>,
    /// Positions of those that seek.
    pub(super) seekers: Range<usize>,
    /// The row at each position; positions between targets and seekers hold none.
    pub(super) order: Vec<u32>,
}

/// Stands where a position holds no row.
pub(super) const NO_ROW: u32 = u32::MAX;

impl Layout {
    /// Rows that seek each other.
    pub(super) fn among(rows: &[u32], tile: usize) -> Self {
        Self {
            tile,
            targets: 0..rows.len(),
            seekers: 0..rows.len(),
            order: rows.to_vec(),
        }
    }

    /// Rows that seek others, none of which is one of them, and stand from position `from` on.
    pub(super) fn between(targets: &[u32], seekers: &[u32], from: usize, tile: usize) -> Self {
        assert!(
            from >= targets.len() && from.is_multiple_of(tile),
            "a tile's edge"
        );
        let mut order = targets.to_vec();
        order.resize(from, NO_ROW);
        order.extend(seekers);
        Self {
            tile,
            targets: 0..targets.len(),
            seekers: from..from + seekers.len(),
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
pub(super) trait Machine: Counter {
    /// Takes rows to its memory, to seek each other.
    fn hold(&mut self, seekers: &[u32]) -> Result<(), Fault>;

    /// Makes the rows that its [`Sender`] sent last those that may be found by the ones it holds.
    fn meet(&mut self) -> Result<(), Fault>;

    /// Where rows lie.
    fn layout(&self) -> &Layout;

    /// Rounds all rows to bf16.
    fn round(&mut self) -> Result<Rounding, Fault>;

    /// The exact D² of some positions and all rows that may be found: samples × targets.
    fn scan(&mut self, samples: &[u32]) -> Result<Vec<f64>, Fault>;

    /// Empty lists of up to `capacity` entries for every position that seeks its `k` nearest, of
    /// which none is farther than its threshold, a D² in the units of scores.
    fn begin(
        &mut self,
        bound: &Bound,
        k: usize,
        capacity: usize,
        thresholds: &[f64],
    ) -> Result<(), Fault>;

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

/// Thresholds of the rows that seek, `wanted` each, ascending by D² and then by row.
pub(super) struct Thresholds {
    pub(super) wanted: usize,
    pub(super) groups: usize,
    /// Exact D².
    pub(super) squared: Vec<f64>,
    /// The rows that are so far away.
    pub(super) rows: Vec<u32>,
    /// wanted × groups for each row that seeks: how many thresholds of each group are not before
    /// this one.
    pub(super) beyond: Vec<u32>,
}

/// What scores are compared with: as `Bound` has them, of each threshold and of each row that may
/// be found.
pub(super) struct Cuts {
    pub(super) cuts: Vec<f32>,
    pub(super) sure: Vec<f32>,
    pub(super) terms: Vec<f32>,
    pub(super) sure_terms: Vec<f32>,
}

/// What was counted.
pub(super) struct Counts {
    /// wanted of each row that seeks: how many pairs come to stand before this threshold and not
    /// before the one before it.
    pub(super) before: Vec<u32>,
    /// groups of each row that may be found: how many thresholds it stands before.
    pub(super) nearer: Vec<u64>,
}

/// The part of a machine that counts ranks.
pub(super) trait Counter {
    /// Rounds all rows to two parts in bf16, whose product leaves that of the lesser parts out.
    fn split(&mut self) -> Result<Rounding, Fault>;

    /// Takes the thresholds of all positions that seek, and counts from 0 on.
    fn begin_count(&mut self, thresholds: &Thresholds, cuts: &Cuts) -> Result<(), Fault>;

    /// Multiplies all rows that seek with some tiles of those that may be found. Pairs that the
    /// bound places are counted, unless they were already; the others are kept. False if there were
    /// too many of these to keep: then none is. One tile's always fit.
    fn place(&mut self, tiles: Range<usize>, counted: bool) -> Result<bool, Fault>;

    /// Places the pairs that are kept by their exact distances, and keeps none.
    fn decide(&mut self) -> Result<(), Fault>;

    /// What was counted since it began.
    fn counts(&mut self) -> Result<Counts, Fault>;
}

/// Who copies the next rows to a machine while it multiplies those before.
pub(super) trait Sender: Sync {
    /// Copies rows beside those that are at work; returns when they are there.
    fn send(&self, rows: &[u32]) -> Result<(), Fault>;
}

/// What is kept of every row that seeks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aim {
    /// A list of the k nearest.
    Nearest(usize),
    /// Counts at `wanted` thresholds, which belong to some of `groups` groups.
    Ranks { wanted: usize, groups: usize },
}

/// Bytes that a search takes of a device's memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs {
    /// A row that seeks: its values, their rounded copy, its list.
    pub(super) seeker: u64,
    /// A row that may be found: its values, their rounded copy, and the next row on its way.
    pub(super) target: u64,
    /// Whatever the number of rows.
    pub(super) fixed: u64,
}

/// How many rows a machine has to have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Rows that seek at the same time, a multiple of a tile.
    pub(super) seekers: usize,
    /// Rows that may be found at the same time, besides those that seek each other.
    pub(super) targets: usize,
}

/// A machine, and who sends it rows.
pub(super) type Opened<'a> = (Box<dyn Machine + 'a>, Box<dyn Sender + 'a>);

/// A device, before rows are on it.
pub(super) trait Station: Sync {
    /// Its name, such as `cuda:0`.
    fn name(&self) -> String;

    /// Bytes that are free in its memory.
    fn free(&self) -> Result<u64, Fault>;

    /// Rows of a tile.
    fn tile(&self) -> usize;

    /// What it takes of the memory.
    fn costs(&self, points: &Points<'_>, aim: Aim) -> Costs;

    /// Takes memory for `room` rows of `points`.
    fn open<'a>(
        &'a self,
        points: &'a Points<'a>,
        room: Room,
        aim: Aim,
    ) -> Result<Opened<'a>, Fault>;
}
