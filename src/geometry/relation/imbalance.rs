//! Information imbalance (Glielmo et al., PNAS Nexus 2022), with an exact jackknife error.

use ndarray::{ArrayView1, ArrayView2};
use serde::Serialize;

use crate::geometry::Reason;

/// What was counted about the neighbours in space A of every row, in space B.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// N × m: the nearest rows in A, nearest first; m ≥ k + 1.
    pub neighbours: ArrayView2<'a, u32>,
    /// N × m: their ranks in B.
    pub ranks: ArrayView2<'a, u32>,
    /// N: how often each row stands, in B, before one of the first k neighbours of another row.
    pub nearer: ArrayView1<'a, u64>,
}

/// Δ(A→B) of one pair of spaces.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Imbalance {
    /// Δ(A→B): (k + 1)/N for equal spaces, 1 on average for independent ones.
    pub value: f64,
    /// Standard error by deleting each row in turn.
    pub std_error: f64,
}

/// The imbalance of a space with itself, (k + 1)/N: the least that can be. None without rows.
pub fn floor(n: usize, k: usize) -> Option<f64> {
    (n > 0).then(|| (k as f64 + 1.0) / n as f64)
}

/// Information imbalance of N rows,
///
/// ```text
/// Δ(A→B) = 2/(N·k·N) · Σ_i Σ_{j ∈ N_k^A(i)} ρ_B(i, j)
/// ```
///
/// and its delete-one jackknife error. Without row m, with K_i the first k neighbours of i in A,
/// j*_i the next one, and m <_i j for "m is nearer to i than j in B",
///
/// ```text
/// Δ_(−m) = 2/(k·(N−1)²) · [ Σ_i Σ_{j∈K_i} ρ(i, j) − own(m) − c(m) + e(m) ]
/// own(m) = Σ_{j∈K_m} ρ(m, j)          c(m) = Σ_{i≠m} #{ j ∈ K_i : m <_i j }
/// e(m)   = Σ_{i : m∈K_i} [ ρ(i, j*_i) − 1{m <_i j*_i} − ρ(i, m) ]
/// SE²    = (N−1)/N · Σ_m (Δ_(−m) − mean)²
/// ```
///
/// which is what computing everything again without the row gives. The square brackets are whole
/// numbers, so the order of summation does not matter.
///
/// # Errors
/// [`Reason::TooFewRows`] if N < k + 2, [`Reason::TooFewNeighbours`] if fewer than k + 1 were
/// counted or k is 0.
pub fn information_imbalance(counted: &Counted<'_>, k: usize) -> Result<Imbalance, Reason> {
    let (n, stored) = counted.ranks.dim();
    if n < k + 2 {
        return Err(Reason::TooFewRows);
    }
    if k == 0 || stored < k + 1 {
        return Err(Reason::TooFewNeighbours);
    }
    let own: Vec<i64> = counted
        .ranks
        .rows()
        .into_iter()
        .map(|ranks| ranks.iter().take(k).map(|&rank| i64::from(rank)).sum())
        .collect();
    let sum: i64 = own.iter().sum();
    let mut exchanged = vec![0i64; n];
    for (neighbours, ranks) in counted
        .neighbours
        .rows()
        .into_iter()
        .zip(counted.ranks.rows())
    {
        let next = ranks[k];
        for (&m, &rank) in neighbours.iter().zip(ranks).take(k) {
            let replacement = i64::from(next) - i64::from(rank < next);
            exchanged[m as usize] += replacement - i64::from(rank);
        }
    }
    let without = |m: usize| {
        let nearer = i64::try_from(counted.nearer[m]).unwrap_or(i64::MAX);
        sum - own[m] - nearer + exchanged[m]
    };
    // Whole numbers again, taken from the first so that their squares stay small.
    let first = without(0);
    let (total, squares) = (0..n).fold((0i128, 0i128), |(total, squares), m| {
        let shift = i128::from(without(m) - first);
        (total + shift, squares + shift * shift)
    });
    let count = i128::try_from(n).unwrap_or(i128::MAX);
    // n times the sum of squares around the mean.
    let spread = (count * squares - total * total) as f64;
    let scale = 2.0 / (k as f64 * ((n - 1) as f64).powi(2));
    Ok(Imbalance {
        value: 2.0 * sum as f64 / (n as f64 * k as f64 * n as f64),
        std_error: scale * ((n - 1) as f64 * spread).sqrt() / n as f64,
    })
}

/// R = (Δ(A→B) − Δ(B→A)) / ((|Δ(A→B)| + |Δ(B→A)|)/2), from −2 to 2.
///
/// From a layer A to the next, R > 0 says that B holds what A cannot predict (expansion), R < 0
/// that information was lost (compression). Source: arXiv 2411.01978.
pub fn relative_difference(forward: f64, backward: f64) -> Option<f64> {
    let mean = f64::midpoint(forward.abs(), backward.abs());
    (mean > 0.0).then(|| (forward - backward) / mean)
}

/// The standard error of [`relative_difference`], from those of both imbalances:
/// 4/(Δ(A→B) + Δ(B→A))² √(Δ(B→A)² SE² + Δ(A→B)² SE²).
pub fn relative_difference_error(forward: [f64; 2], backward: [f64; 2]) -> Option<f64> {
    let [[f, f_error], [b, b_error]] = [forward, backward];
    let sum = f + b;
    (sum > 0.0).then(|| 4.0 / (sum * sum) * libm::hypot(b * f_error, f * b_error))
}

/// What two imbalances say in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Both ≤ 0.1, and neither contains the other: each predicts the other.
    Equivalent,
    /// Both ≥ 0.9: neither says anything about the other.
    Independent,
    /// Δ(A→B) is at most half of Δ(B→A), by more than two standard errors.
    AContainsB,
    /// Δ(B→A) is at most half of Δ(A→B), by more than two standard errors.
    BContainsA,
    /// None of these: each holds something that the other lacks.
    PartlyShared,
}

impl Relation {
    /// The rules in the order in which they are tried.
    pub const RULE: &'static str = "a_contains_b: forward <= backward / 2 and smaller by more than 2 \
        standard errors of the difference; b_contains_a: the same turned round; equivalent: both <= \
        0.1; independent: both >= 0.9; else partly_shared";
}

/// Both at most this: equivalent.
const EQUIVALENT: f64 = 0.1;

/// Both at least this: independent.
const INDEPENDENT: f64 = 0.9;

/// The relation of A and B by [`Relation::RULE`].
pub fn relation(forward: Imbalance, backward: Imbalance) -> Relation {
    let (there, back) = (forward.value, backward.value);
    let clear = (there - back).abs() > 2.0 * libm::hypot(forward.std_error, backward.std_error);
    if clear && there <= 0.5 * back {
        Relation::AContainsB
    } else if clear && back <= 0.5 * there {
        Relation::BContainsA
    } else if there.max(back) <= EQUIVALENT {
        Relation::Equivalent
    } else if there.min(back) >= INDEPENDENT {
        Relation::Independent
    } else {
        Relation::PartlyShared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Matrix;
    use crate::neighbours::{
        Metric, Points, SearchOptions, Targets, count_ranks, neighbour_table, squared_distance,
    };
    use crate::progress::Silent;
    use crate::random::SplitMix64;

    fn uniform(n: usize, d: usize, seed: u64, levels: Option<f64>) -> Matrix {
        let mut random = SplitMix64::new(seed);
        let value = |x: f64| levels.map_or(x, |levels| (x * levels).floor());
        let values = (0..n * d)
            .map(|_| value(random.uniform()))
            .collect::<Vec<_>>();
        Matrix::from_f64(n, d, values)
    }

    fn imbalance(a: &Matrix, b: &Matrix, k: usize) -> Result<Imbalance, Reason> {
        let (options, silent) = (SearchOptions::default(), Silent);
        let points = |matrix| Points::new(matrix, Metric::Euclidean, "x").unwrap();
        let neighbours = neighbour_table(&points(a), k + 1, &options, &silent)
            .unwrap()
            .indices;
        let nearest = 0..k;
        let targets = Targets {
            rows: neighbours.view(),
            groups: std::slice::from_ref(&nearest),
        };
        let counts = count_ranks(&points(b), &targets, &options, &silent).unwrap();
        let counted = Counted {
            neighbours: neighbours.view(),
            ranks: counts.ranks.view(),
            nearer: counts.nearer.column(0),
        };
        information_imbalance(&counted, k)
    }

    /// Δ by sorting all distances, of the rows that `keep` leaves.
    fn by_definition(a: &Matrix, b: &Matrix, k: usize, without: Option<usize>) -> f64 {
        let kept: Vec<usize> = (0..a.n_rows())
            .filter(|&row| Some(row) != without)
            .collect();
        let sorted = |matrix: &Matrix, i: usize| -> Vec<usize> {
            let row = |r: usize| {
                let mut out = vec![0.0; matrix.n_columns()];
                matrix.widen_row(r, &mut out);
                out
            };
            let from = row(i);
            let mut others: Vec<(f64, usize)> = kept
                .iter()
                .filter(|&&j| j != i)
                .map(|&j| (squared_distance(&from, &row(j)), j))
                .collect();
            others.sort_by(|x, y| x.partial_cmp(y).unwrap());
            others.into_iter().map(|(_, j)| j).collect()
        };
        let n = kept.len();
        let sum: usize = kept
            .iter()
            .map(|&i| {
                let in_b = sorted(b, i);
                let nearest = &sorted(a, i)[..k];
                nearest
                    .iter()
                    .map(|j| in_b.iter().position(|m| m == j).unwrap() + 1)
                    .sum::<usize>()
            })
            .sum();
        2.0 * sum as f64 / (n * k * n) as f64
    }

    #[test]
    fn a_space_has_the_floor_with_itself() {
        for levels in [None, Some(3.0)] {
            let space = uniform(90, 4, 1, levels);
            for k in [1, 3, 10] {
                let found = imbalance(&space, &space, k).unwrap();
                assert_eq!(Some(found.value), floor(90, k));
            }
        }
    }

    #[test]
    fn value_and_error_are_those_of_computing_again_without_each_row() {
        for (seed, levels) in [(3, None), (4, Some(4.0)), (5, Some(2.0))] {
            let (a, b) = (
                uniform(60, 2, seed, levels),
                uniform(60, 3, seed + 50, levels),
            );
            for k in [1, 3, 10] {
                let found = imbalance(&a, &b, k).unwrap();
                assert!((found.value - by_definition(&a, &b, k, None)).abs() < 1e-15);
                let without: Vec<f64> =
                    (0..60).map(|m| by_definition(&a, &b, k, Some(m))).collect();
                let mean = without.iter().sum::<f64>() / 60.0;
                let spread: f64 = without.iter().map(|x| (x - mean).powi(2)).sum();
                let error = (59.0 / 60.0 * spread).sqrt();
                assert!((found.std_error - error).abs() < 1e-14, "{k} {levels:?}");
            }
        }
    }

    #[test]
    fn independent_spaces_give_one_within_their_error() {
        let found = imbalance(&uniform(800, 5, 1, None), &uniform(800, 5, 2, None), 1).unwrap();
        assert!(
            (found.value - 1.0).abs() < 3.0 * found.std_error,
            "{found:?}"
        );
        assert!(found.std_error < 0.1);
    }

    #[test]
    fn too_few_rows_or_neighbours_give_a_reason() {
        let space = uniform(4, 2, 1, None);
        assert_eq!(imbalance(&space, &space, 3), Err(Reason::TooFewRows));
        assert!(imbalance(&space, &space, 2).is_ok());
    }

    #[test]
    fn the_word_follows_the_rule() {
        let at = |value| Imbalance {
            value,
            std_error: 0.01,
        };
        for (forward, backward, word) in [
            (0.05, 0.09, Relation::Equivalent),
            (0.95, 1.02, Relation::Independent),
            (0.2, 0.6, Relation::AContainsB),
            (0.6, 0.2, Relation::BContainsA),
            (0.3, 0.5, Relation::PartlyShared),
        ] {
            assert_eq!(relation(at(forward), at(backward)), word);
        }
        assert_eq!(relative_difference(0.75, 0.25), Some(1.0));
        assert_eq!(relative_difference(0.0, 0.0), None);
        // By differences: R moves by 4b/(f + b)² a unit of f.
        let error = relative_difference_error([0.75, 0.01], [0.25, 0.0]).unwrap();
        let moved = relative_difference(0.7501, 0.25).unwrap() - 1.0;
        assert!((error - 100.0 * moved).abs() < 1e-5 && error > 0.0);
        assert_eq!(relative_difference_error([0.0, 0.1], [0.0, 0.1]), None);
    }
}
