//! Ranks the values of all pairs of rows; values that rounding cannot tell apart share a rank.

use std::ops::Range;

use rayon::prelude::*;

/// A pair i < j and its value, which is not negative: one number that sorts by value, then i,
/// then j.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Valued(u128);

impl Valued {
    fn new(value: f64, i: usize, j: usize) -> Self {
        // The bits of numbers that are not negative stand in the order of the numbers.
        Self((u128::from(value.to_bits()) << 64) | ((i as u128) << 32) | j as u128)
    }

    fn value(self) -> f64 {
        f64::from_bits((self.0 >> 64) as u64)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn pair(self) -> (usize, usize) {
        // Each half of the lower 64 bits is taken by itself.
        (((self.0 >> 32) as u32) as usize, (self.0 as u32) as usize)
    }
}

/// Where the pair i < j stands among the pairs of `n` rows.
pub(super) fn place(n: usize, i: usize, j: usize) -> usize {
    i * (2 * n - i - 1) / 2 + j - i - 1
}

/// The lines of `values`, those of the pairs i < j of `n` rows: i, and its values with every later
/// j.
pub(super) fn lines(n: usize, values: &[f64]) -> impl Iterator<Item = (usize, &[f64])> {
    (0..n.saturating_sub(1)).map(move |i| {
        let start = place(n, i, i + 1);
        (i, &values[start..start + n - i - 1])
    })
}

/// Ranks from 1 on of the `values` of all pairs i < j of `n` rows; equal values share the mean of
/// theirs.
///
/// Values are equal, too, that stand together within their rounding errors and apart from all
/// others, unless gaps just beyond the errors are as common as gaps within: those are values that
/// lie dense. `error` tells how far rounding may have moved the value of a pair.
pub(super) fn ranks(
    n: usize,
    values: &[f64],
    error: impl Fn((usize, usize), f64) -> f64 + Sync,
) -> Vec<f64> {
    let mut sorted: Vec<Valued> = Vec::with_capacity(values.len());
    for (i, line) in lines(n, values) {
        let pairs = (i + 1..).zip(line);
        sorted.extend(pairs.map(|(j, &value)| Valued::new(value, i, j)));
    }
    sorted.par_sort_unstable();
    let errors = sorted.par_iter().map(|at| error(at.pair(), at.value()));
    let sorted = Sorted {
        errors: errors.collect(),
        pairs: sorted,
    };
    let rounded = sorted.is_rounded();
    let mut ranks = vec![0.0; values.len()];
    let mut share = |run: Range<usize>| {
        let rank = (run.start + run.end + 1) as f64 / 2.0;
        for pair in &sorted.pairs[run] {
            let (i, j) = pair.pair();
            ranks[place(n, i, j)] = rank;
        }
    };
    sorted.groups(|group, together| {
        if together && rounded {
            return share(group);
        }
        let mut start = group.start;
        for at in group.start + 1..group.end {
            if sorted.gap(at) > 0.0 {
                share(start..at);
                start = at;
            }
        }
        share(start..group.end);
    });
    ranks
}

/// Pairs by ascending value, and the error of each.
struct Sorted {
    pairs: Vec<Valued>,
    errors: Vec<f64>,
}

impl Sorted {
    /// From the value before it to the one at `at`.
    fn gap(&self, at: usize) -> f64 {
        self.pairs[at].value() - self.pairs[at - 1].value()
    }

    /// The gap that rounding alone may have made there.
    fn room(&self, at: usize) -> f64 {
        self.errors[at - 1].max(self.errors[at])
    }

    /// Shows the groups that gaps within the errors make, and whether each is no wider than two
    /// errors.
    fn groups(&self, mut see: impl FnMut(Range<usize>, bool)) {
        let mut start = 0;
        for end in 1..=self.pairs.len() {
            if end < self.pairs.len() && self.gap(end) <= self.room(end) {
                continue;
            }
            let width = self.pairs[end - 1].value() - self.pairs[start].value();
            see(start..end, width <= 2.0 * self.errors[end - 1]);
            start = end;
        }
    }

    /// Whether gaps within the errors are more common than values that lie dense would have them.
    fn is_rounded(&self) -> bool {
        let mut within = 0;
        self.groups(|group, together| {
            if together {
                let inner = group.start + 1..group.end;
                within += inner.filter(|&at| self.gap(at) > 0.0).count();
            }
        });
        let beyond = (1..self.pairs.len())
            .filter(|&at| self.gap(at) > self.room(at) && self.gap(at) <= 2.0 * self.room(at))
            .count();
        within > 4 * beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_places_say_where_a_pair_stands() {
        for n in [2, 3, 7, 40] {
            let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
            let values: Vec<f64> = pairs.clone().map(|(i, j)| (100 * i + j) as f64).collect();
            for (at, (i, j)) in pairs.enumerate() {
                assert_eq!(place(n, i, j), at);
                assert_eq!(Valued::new(values[at], i, j).pair(), (i, j));
                let (_, line) = lines(n, &values).nth(i).unwrap();
                assert_eq!(line[j - i - 1], (100 * i + j) as f64);
            }
        }
        assert_eq!(lines(0, &[]).count() + lines(1, &[]).count(), 0);
    }

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        let exact = |_, _| 0.0;
        assert_eq!(ranks(3, &[2.0, 7.0, 2.0], exact), [1.5, 3.0, 1.5]);
        assert_eq!(ranks(3, &[7.0, 0.0, 1e-300], exact), [3.0, 1.0, 2.0]);
    }

    #[test]
    fn values_within_their_errors_are_equal_unless_all_lie_dense() {
        let error = |_, value: f64| 1e-6 * value;
        let near = [1.0, 1.0 + 1e-7, 5.0, 5.0 - 1e-7, 3.0, 9.0];
        assert_eq!(ranks(4, &near, error), [1.5, 1.5, 4.5, 4.5, 3.0, 6.0]);
        // Steps of one and a half errors between groups as common as those within.
        let dense = [
            1.0,
            1.0 + 5e-7,
            1.0 + 2e-6,
            1.0 + 3.5e-6,
            1.0 + 5e-6,
            1.0 + 6.5e-6,
        ];
        assert_eq!(ranks(4, &dense, error), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}
