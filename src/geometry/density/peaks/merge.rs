//! Peaks that differ by no more than fluctuations become one.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use super::order::Order;

/// Where two peaks meet: the pair, ascending, and the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Border {
    pub(super) pair: [u32; 2],
    pub(super) row: u32,
}

/// What is left of the provisional peaks.
pub(super) struct Merged {
    /// Those that remain, ascending.
    pub(super) kept: Vec<u32>,
    /// For every provisional peak, the position in `kept` of the one that it became part of.
    pub(super) into: Vec<u32>,
    /// Borders between those that remain, as positions in `kept`, in order.
    pub(super) saddles: Vec<Border>,
}

/// Merges peaks until every saddle is significant, the highest saddle first.
///
/// The heap holds every saddle that fails the test. Whether one does depends only on its row and
/// its two centres, so a saddle is tested when it comes into being, and an entry of the heap that
/// was replaced since is recognised by its row.
pub(super) fn merge(order: &Order, centres: &[u32], borders: Vec<Border>, z: f64) -> Merged {
    let mut peaks = Landscape {
        order,
        centres,
        z,
        adjacent: vec![BTreeMap::new(); centres.len()],
        weak: BinaryHeap::new(),
    };
    for border in borders {
        peaks.join(border.pair, border.row);
    }
    let mut merged_into: Vec<u32> = (0u32..).take(centres.len()).collect();
    while let Some(Weak { pair, row, .. }) = peaks.weak.pop() {
        if peaks.saddle(pair) != Some(row) {
            continue;
        }
        let [a, b] = pair;
        // A tie keeps the lower one.
        let (keep, dead) = match peaks.significance(a, row) >= peaks.significance(b, row) {
            true => (a, b),
            false => (b, a),
        };
        peaks.dissolve(dead, keep);
        merged_into[dead as usize] = keep;
    }
    peaks.outcome(&mut merged_into)
}

struct Landscape<'a> {
    order: &'a Order,
    centres: &'a [u32],
    z: f64,
    /// For every peak, the peaks that it meets and the row of the saddle.
    adjacent: Vec<BTreeMap<u32, u32>>,
    weak: BinaryHeap<Weak>,
}

impl Landscape<'_> {
    fn saddle(&self, [a, b]: [u32; 2]) -> Option<u32> {
        self.adjacent[a as usize].get(&b).copied()
    }

    fn height(&self, row: u32) -> f64 {
        self.order.height[row as usize]
    }

    /// Height of a peak above the saddle `row`, and the sum of their errors.
    fn rise(&self, peak: u32, row: u32) -> (f64, f64) {
        let centre = self.centres[peak as usize];
        let error = |row: u32| self.order.error[row as usize];
        (
            self.height(centre) - self.height(row),
            error(centre) + error(row),
        )
    }

    fn significance(&self, peak: u32, row: u32) -> f64 {
        let (rise, error) = self.rise(peak, row);
        rise / error
    }

    /// Makes `row` the saddle of a pair, and a candidate for merging if it is not significant.
    fn join(&mut self, pair: [u32; 2], row: u32) {
        let [a, b] = pair;
        self.adjacent[a as usize].insert(b, row);
        self.adjacent[b as usize].insert(a, row);
        let is_weak = pair.iter().any(|&peak| {
            let (rise, error) = self.rise(peak, row);
            rise < self.z * error
        });
        if is_weak {
            let height = self.height(row);
            self.weak.push(Weak { height, pair, row });
        }
    }

    /// Gives the saddles of `dead` to `keep` where they are higher than its own.
    fn dissolve(&mut self, dead: u32, keep: u32) {
        for (other, row) in std::mem::take(&mut self.adjacent[dead as usize]) {
            self.adjacent[other as usize].remove(&dead);
            if other == keep {
                continue;
            }
            let pair = [keep.min(other), keep.max(other)];
            let own = self.saddle(pair);
            if own.is_none_or(|own| self.height(own) < self.height(row)) {
                self.join(pair, row);
            }
        }
    }

    fn outcome(self, merged_into: &mut [u32]) -> Merged {
        let n = u32::try_from(merged_into.len()).expect("peaks are rows");
        let kept: Vec<u32> = (0..n).filter(|&p| merged_into[p as usize] == p).collect();
        let place = |peak: u32| {
            kept.binary_search(&peak)
                .ok()
                .and_then(|at| u32::try_from(at).ok())
        };
        // Chains are short after this: every link that is followed then leads to the end.
        for peak in 0..n {
            let mut end = peak;
            while merged_into[end as usize] != end {
                end = merged_into[end as usize];
            }
            let mut link = peak;
            while merged_into[link as usize] != end {
                link = std::mem::replace(&mut merged_into[link as usize], end);
            }
        }
        let into: Vec<u32> = merged_into
            .iter()
            .map(|&end| place(end).expect("a chain ends at a peak that remains"))
            .collect();
        let saddles = kept.iter().flat_map(|&a| {
            let higher = self.adjacent[a as usize].range(a + 1..);
            let into = &into;
            higher.map(move |(&b, &row)| Border {
                pair: [into[a as usize], into[b as usize]],
                row,
            })
        });
        Merged {
            saddles: saddles.collect(),
            into: into.clone(),
            kept,
        }
    }
}

/// A saddle that is not significant; the greatest is the highest, among equals the lowest pair.
struct Weak {
    height: f64,
    pair: [u32; 2],
    row: u32,
}

impl Weak {
    fn key(&self) -> (Reverse<[u32; 2]>, u32) {
        (Reverse(self.pair), self.row)
    }
}

impl Ord for Weak {
    fn cmp(&self, other: &Self) -> Ordering {
        let heights = self.height.total_cmp(&other.height);
        heights.then_with(|| self.key().cmp(&other.key()))
    }
}

impl PartialOrd for Weak {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Weak {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Weak {}
