//! Cuts the rows of a search into blocks that devices have memory for.
//!
//! Rows lie in visiting order, so every block is a sample of the layer. A block that seeks first
//! meets itself, where each pair serves both rows, then all others: with B blocks a layer costs
//! 2 − 1/B times the products of one. One device with room for all rows has one block.

use std::ops::Range;

use super::machine::{Costs, Fault, Room};
use crate::neighbours::points::Points;
use crate::neighbours::table::index;
use crate::neighbours::visiting::{asking_first, visiting_order};

/// Tiles of the least block that is worth a device's while beside others: below, it would wait for
/// rows to be copied.
const FEWEST: usize = 32;

/// Who seeks whom.
pub(super) struct Search<'a> {
    pub(super) points: &'a Points<'a>,
    /// Rows that seek, in visiting order.
    pub(super) seekers: Vec<u32>,
    /// Whether they seek each other.
    pub(super) among: bool,
    /// Other rows that may be found, in visiting order.
    pub(super) others: Vec<u32>,
    /// How many each seeks.
    pub(super) k: usize,
}

impl<'a> Search<'a> {
    /// Some rows seek their nearest of all.
    pub(super) fn of_rows(points: &'a Points<'a>, rows: &Range<usize>, k: usize) -> Self {
        let mut seekers = asking_first(points.n_rows(), rows);
        let others = seekers.split_off(rows.len());
        Self {
            points,
            seekers,
            among: true,
            others,
            k,
        }
    }

    /// The queries of `points` seek their nearest of the other rows.
    pub(super) fn of_queries(points: &'a Points<'a>, k: usize) -> Self {
        let n = points.n_targets();
        Self {
            points,
            seekers: (n..points.n_rows()).map(index).collect(),
            among: false,
            others: visiting_order(n),
            k,
        }
    }

    /// What rows that seek are counted from.
    pub(super) fn first(&self) -> u32 {
        let from = if self.among {
            0
        } else {
            self.points.n_targets()
        };
        index(from)
    }

    /// Pairs that are compared, times columns.
    pub(super) fn work(&self) -> f64 {
        let among = if self.among { self.seekers.len() } else { 0 };
        let targets = among + self.others.len();
        self.seekers.len() as f64 * targets as f64 * self.points.n_columns() as f64
    }
}

/// The blocks of a search.
#[derive(Debug)]
pub(super) struct Cut {
    /// Blocks of the rows that seek.
    pub(super) seekers: Vec<Vec<u32>>,
    among: bool,
    others: Vec<Vec<u32>>,
    /// The largest of them.
    pub(super) room: Room,
}

impl Cut {
    /// Blocks for `devices` devices that have `free` bytes each.
    pub(super) fn new(
        search: &Search<'_>,
        costs: Costs,
        tile: usize,
        free: u64,
        devices: usize,
    ) -> Result<Self, Fault> {
        let (n, alone) = (
            search.seekers.len(),
            search.among && search.others.is_empty(),
        );
        let room = free.saturating_sub(costs.fixed);
        let whole = n as u64 * costs.seeker;
        if alone && devices == 1 && whole <= room {
            let targets = 0;
            return Ok(Self::into(
                search,
                tile,
                n,
                Room {
                    seekers: n,
                    targets,
                },
            ));
        }
        let tiles = |bytes: u64, row: u64| {
            let rows = usize::try_from(bytes / row.max(1)).unwrap_or(usize::MAX);
            rows / tile * tile
        };
        // Those that seek may take half of it, those that are found the rest; blocks of rows that
        // seek each other are both.
        let most = match search.among {
            true => tiles(room, costs.seeker + costs.target),
            false => tiles(room / 2, costs.seeker),
        };
        let least = costs.fixed + tile as u64 * 2 * costs.seeker.max(costs.target);
        if most == 0 || room < least - costs.fixed {
            return Err(too_little(least, free));
        }
        let blocks = n.div_ceil(most).next_multiple_of(devices);
        let height = n.div_ceil(blocks).next_multiple_of(tile).min(most);
        let left = room - height as u64 * costs.seeker;
        let others = search.others.len().next_multiple_of(tile);
        let other = tiles(left, costs.target).min(others);
        let among = if search.among { height } else { 0 };
        let room = Room {
            seekers: height,
            targets: other.max(among),
        };
        Ok(Self::into(search, tile, height, room))
    }

    fn into(search: &Search<'_>, tile: usize, height: usize, room: Room) -> Self {
        let cut = |rows: &[u32], height: usize| -> Vec<Vec<u32>> {
            rows.chunks(height.max(tile)).map(<[u32]>::to_vec).collect()
        };
        Self {
            seekers: cut(&search.seekers, height),
            among: search.among,
            others: cut(&search.others, room.targets),
            room,
        }
    }

    /// Whether every row meets all others at once, without a wait for more of them.
    pub(super) fn is_whole(&self) -> bool {
        self.seekers.len() == 1 && self.others.len() <= 1
    }

    /// Whom block `b` meets, one after the other: itself if `None`.
    pub(super) fn met_by(&self, b: usize) -> Vec<Option<&[u32]>> {
        let itself = (self.among && self.seekers[b].len() > 1).then_some(None);
        let beside = (0..self.seekers.len()).filter(|&c| self.among && c != b);
        // Each device begins with another block.
        let beside = beside.map(|c| &self.seekers[c]);
        let all = beside.chain(&self.others).map(|rows| Some(&rows[..]));
        itself.into_iter().chain(all).collect()
    }
}

/// Whether a device of `free` bytes is worth its while beside one that has more.
pub(super) fn is_worth(costs: Costs, tile: usize, free: u64) -> bool {
    let row = costs.seeker + costs.target;
    free.saturating_sub(costs.fixed) >= (FEWEST * tile) as u64 * row
}

fn too_little(needed: u64, free: u64) -> Fault {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    Fault(format!(
        "the search needs {} MiB of its memory and may have {}",
        mib(needed),
        free >> 20
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::Metric;
    use crate::neighbours::tests::gaussian;

    const COSTS: Costs = Costs {
        seeker: 100,
        target: 40,
        fixed: 1000,
    };

    /// Every row that seeks meets every row that may be found, once, and never itself in a block of
    /// others; no block is larger than what it takes of memory.
    fn hold(search: &Search<'_>, cut: &Cut, free: u64) {
        let n = search.points.n_rows();
        let mut met = vec![0u32; n * n];
        for (b, seekers) in cut.seekers.iter().enumerate() {
            assert!(seekers.len() <= cut.room.seekers && !seekers.is_empty());
            for targets in cut.met_by(b) {
                let targets = targets.unwrap_or(seekers);
                let itself = targets.as_ptr() == seekers.as_ptr();
                assert!(itself || targets.len() <= cut.room.targets);
                for &i in seekers {
                    for &j in targets {
                        assert!(itself || i != j);
                        met[i as usize * n + j as usize] += 1;
                    }
                }
            }
        }
        let used = cut.room.seekers as u64 * COSTS.seeker + cut.room.targets as u64 * COSTS.target;
        assert!(COSTS.fixed + used <= free, "{used} of {free}");
        for &i in &search.seekers {
            for j in 0..n as u32 {
                let sought = match search.among {
                    true => i != j,
                    false => (j as usize) < search.points.n_targets(),
                };
                let times = met[i as usize * n + j as usize];
                assert!(
                    times == u32::from(sought) || (i == j && times < 2),
                    "{i} {j}"
                );
            }
        }
    }

    #[test]
    fn every_pair_meets_once_whatever_memory_and_devices_there_are() {
        let (matrix, there) = (gaussian(103, 2, 1), gaussian(50, 2, 2));
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        let queries = Points::new(&there, Metric::Euclidean, "x").unwrap();
        let both = points.with_queries(&queries);
        let searches = [
            Search::of_rows(&points, &(0..103), 3),
            Search::of_rows(&points, &(10..11), 3),
            Search::of_rows(&points, &(40..90), 3),
            Search::of_queries(&both, 3),
        ];
        for search in &searches {
            for free in [2000, 2600, 5000, 11_300, 20_000] {
                for devices in [1, 2, 3] {
                    let cut = Cut::new(search, COSTS, 4, free, devices).unwrap();
                    hold(search, &cut, free);
                }
            }
        }
        let whole = Cut::new(&searches[0], COSTS, 4, 11_300, 1).unwrap();
        assert_eq!(whole.seekers.len(), 1);
        let shared = Cut::new(&searches[0], COSTS, 4, 20_000, 3).unwrap();
        assert_eq!(shared.seekers.len(), 3);
    }

    #[test]
    fn memory_for_less_than_a_tile_is_refused_in_words() {
        let matrix = gaussian(20, 2, 1);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        let search = Search::of_rows(&points, &(0..20), 3);
        let refused = Cut::new(&search, COSTS, 4, 1500, 1).unwrap_err();
        assert!(refused.0.contains("MiB"), "{refused}");
        assert!(!is_worth(COSTS, 4, 1500) && is_worth(COSTS, 4, 1 << 20));
    }
}
