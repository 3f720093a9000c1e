//! Splits of rows into those that a read-out learns from and those that it is asked about.

use std::collections::{BTreeMap, HashMap};

use crate::random::SplitMix64;

/// One split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows to learn from, ascending.
    pub train: Vec<usize>,
    /// Rows to ask about, ascending.
    pub test: Vec<usize>,
}

/// Rows in the order in which they are dealt: class after class, each in a random order. Without
/// classes all rows are one.
fn dealt(n: usize, classes: Option<&[usize]>, seed: u64) -> Vec<usize> {
    let mut random = SplitMix64::new(seed);
    let order = random.choose(n, n);
    let Some(classes) = classes else {
        return order;
    };
    let mut order = order;
    // Stable: within a class the random order stays.
    order.sort_by_key(|&row| classes[row]);
    order
}

/// `count` disjoint folds of `n` rows, each asked about once; every class is spread over them as evenly
/// as it can be.
pub fn folds(n: usize, classes: Option<&[usize]>, count: usize, seed: u64) -> Vec<Fold> {
    let order = dealt(n, classes, seed);
    let mut of = vec![0; n];
    for (place, &row) in order.iter().enumerate() {
        of[row] = place % count.max(1);
    }
    (0..count)
        .map(|fold| Fold {
            train: (0..n).filter(|&row| of[row] != fold).collect(),
            test: (0..n).filter(|&row| of[row] == fold).collect(),
        })
        .collect()
}

/// One split with a `share` of the rows, of every class where there are classes, to ask about.
pub fn holdout(n: usize, classes: Option<&[usize]>, share: f64, seed: u64) -> Fold {
    let order = dealt(n, classes, seed);
    let mut asked = vec![false; n];
    // Row number p is asked about where p·share passes a whole number: evenly through the classes.
    for (place, &row) in order.iter().enumerate() {
        let passed = |place: usize| (place as f64 * share).floor();
        asked[row] = passed(place + 1) > passed(place);
    }
    Fold {
        train: (0..n).filter(|&row| !asked[row]).collect(),
        test: (0..n).filter(|&row| asked[row]).collect(),
    }
}

/// Rows that stay together in a split, as the tokens of one prompt do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    of_row: Vec<usize>,
    n_groups: usize,
}

impl Groups {
    /// The groups of rows by any number that names a row's; they are counted as they first appear.
    pub fn new(names: impl IntoIterator<Item = usize>) -> Self {
        let mut places = HashMap::new();
        let place = |name| {
            let next = places.len();
            *places.entry(name).or_insert(next)
        };
        let of_row = names.into_iter().map(place).collect();
        Self {
            of_row,
            n_groups: places.len(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.n_groups
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n_groups == 0
    }

    /// The most frequent class of each group, the lowest of equally frequent ones.
    pub fn classes(&self, classes: &[usize]) -> Vec<usize> {
        let mut counts = vec![BTreeMap::<usize, usize>::new(); self.n_groups];
        for (&group, &class) in self.of_row.iter().zip(classes) {
            *counts[group].entry(class).or_default() += 1;
        }
        let most = |counts: BTreeMap<usize, usize>| {
            let most = counts
                .into_iter()
                .reduce(|most, one| if one.1 > most.1 { one } else { most });
            most.map_or(0, |(class, _)| class)
        };
        counts.into_iter().map(most).collect()
    }

    /// The rows of a split of groups.
    pub fn rows(&self, fold: &Fold) -> Fold {
        let mut asked = vec![false; self.n_groups];
        fold.test.iter().for_each(|&group| asked[group] = true);
        let rows = 0..self.of_row.len();
        let (test, train) = rows.partition(|&row| asked[self.of_row[row]]);
        Fold { train, test }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(n: usize) -> Vec<usize> {
        (0..n)
            .map(|row| usize::from(row % 5 == 0) + usize::from(row % 7 == 0))
            .collect()
    }

    #[test]
    fn every_row_is_asked_about_once_and_classes_are_spread() {
        let of = classes(103);
        let all = folds(103, Some(&of), 5, 4);
        let mut seen: Vec<usize> = all.iter().flat_map(|fold| fold.test.clone()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..103).collect::<Vec<_>>());
        for fold in &all {
            assert_eq!(fold.train.len() + fold.test.len(), 103);
            assert!(fold.train.iter().all(|row| !fold.test.contains(row)));
        }
        for class in 0..3 {
            let sizes = all
                .iter()
                .map(|fold| fold.test.iter().filter(|&&row| of[row] == class).count());
            let (least, most) = (sizes.clone().min().unwrap(), sizes.max().unwrap());
            assert!(most - least <= 1, "{class}: {least} {most}");
        }
        assert_eq!(all, folds(103, Some(&of), 5, 4));
        assert_ne!(all, folds(103, Some(&of), 5, 5));
    }

    #[test]
    fn a_share_is_held_out_of_every_class() {
        let of: Vec<usize> = (0..100).map(|row| row % 4).collect();
        let split = holdout(100, Some(&of), 0.2, 1);
        assert_eq!((split.train.len(), split.test.len()), (80, 20));
        for class in 0..4 {
            let count = split.test.iter().filter(|&&row| of[row] == class).count();
            assert_eq!(count, 5);
        }
        assert_eq!(holdout(10, None, 0.3, 0).test.len(), 3);
    }

    #[test]
    fn groups_are_never_split() {
        let groups = Groups::new((0..60).map(|row| 100 - row / 4));
        assert_eq!(groups.len(), 15);
        let of: Vec<usize> = (0..60).map(|row| usize::from(row % 8 > 2)).collect();
        let classes = groups.classes(&of);
        assert_eq!(classes[..4], [0, 1, 0, 1]);
        let splits = folds(15, Some(&classes), 5, 3);
        let splits = splits.iter().map(|fold| groups.rows(fold));
        let mut asked = Vec::new();
        for fold in splits {
            assert_eq!(fold.train.len() + fold.test.len(), 60);
            assert_eq!(fold.test.len(), 12);
            let learned = |group: usize| fold.train.iter().any(|row| row / 4 == group);
            assert!(fold.test.iter().all(|row| !learned(row / 4)));
            asked.extend(fold.test);
        }
        asked.sort_unstable();
        assert_eq!(asked, (0..60).collect::<Vec<_>>());
    }
}
