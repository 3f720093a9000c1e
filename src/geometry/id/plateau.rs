//! Choosing the scale: where does the dimension stay the same?

use super::Orders;
use crate::geometry::{Reason, known};

/// The rule of [`plateau`], in words.
pub const PLATEAU_RULE: &str =
    "longest run of at least 3 scales with n2 <= N/10 and (max - min)/mean <= 0.10";

const MIN_SCALES: usize = 3;
const MAX_SPREAD: f64 = 0.10;

known! {
    /// A run of neighbouring scales over which the dimension is steady.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Plateau {
        /// n1 of the first scale.
        pub first_order: usize,
        /// n1 of the last scale.
        pub last_order: usize,
        /// n1 of the central scale (the lower of two), where `id` is read.
        pub order: usize,
        /// (max − min) / mean of the dimension over the run.
        pub spread: f64,
        /// Dimension at the central scale.
        pub id: f64,
    }
}

/// The plateau of a Gride scaling of `n_rows` rows: the dimension at each scale, ascending.
///
/// Admissible scales have n2 ≤ N/10, for beyond that the neighbourhood is no longer local. Among
/// runs of at least three consecutive scales with spread (max − min)/mean ≤ 0.10 the longest
/// wins; ties go to the smallest spread, then to the smallest first order. `no_plateau` if there
/// is no such run. A rule of this project: papers choose by eye.
pub fn plateau(scaling: &[(Orders, Option<f64>)], n_rows: usize) -> Result<Plateau, Reason> {
    let local = scaling.partition_point(|(orders, _)| orders.n2() <= n_rows / 10);
    let scaling = &scaling[..local];
    let mut best: Option<(usize, Plateau)> = None;
    for first in 0..scaling.len() {
        for end in first + MIN_SCALES..=scaling.len() {
            let Some(candidate) = steady(&scaling[first..end]) else {
                continue;
            };
            let length = end - first;
            let better = best.is_none_or(|(longest, plateau)| {
                length > longest || (length == longest && candidate.spread < plateau.spread)
            });
            if better {
                best = Some((length, candidate));
            }
        }
    }
    best.map(|(_, plateau)| plateau).ok_or(Reason::NoPlateau)
}

/// The run as a plateau, if every scale has a dimension and the spread is small enough.
fn steady(run: &[(Orders, Option<f64>)]) -> Option<Plateau> {
    let ids: Vec<f64> = run.iter().map(|&(_, id)| id).collect::<Option<_>>()?;
    let max = ids.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = ids.iter().copied().fold(f64::INFINITY, f64::min);
    let spread = (max - min) / (ids.iter().sum::<f64>() / ids.len() as f64);
    let centre = (run.len() - 1) / 2;
    (spread <= MAX_SPREAD).then_some(Plateau {
        first_order: run[0].0.n1(),
        last_order: run[run.len() - 1].0.n1(),
        order: run[centre].0.n1(),
        spread,
        id: ids[centre],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaling(ids: &[Option<f64>]) -> Vec<(Orders, Option<f64>)> {
        let orders = Orders::doublings(usize::MAX, usize::MAX);
        orders.into_iter().zip(ids.iter().copied()).collect()
    }

    #[test]
    fn the_longest_steady_run_is_read_at_its_lower_centre() {
        let ids = [9.0, 5.0, 5.1, 5.2, 5.3, 3.0].map(Some);
        let found = plateau(&scaling(&ids), 10_000).unwrap();
        assert_eq!((found.first_order, found.last_order), (2, 16));
        assert_eq!((found.order, found.id), (4, 5.1));
    }

    #[test]
    fn equally_long_runs_go_to_the_steadier_then_to_the_first() {
        let steadier = [5.0, 5.1, 5.2, 9.0, 7.0, 7.1, 7.05].map(Some);
        assert_eq!(
            plateau(&scaling(&steadier), 10_000).unwrap().first_order,
            16
        );
        let equal = [4.0, 4.0, 4.0, 9.0, 2.0, 2.0, 2.0].map(Some);
        assert_eq!(plateau(&scaling(&equal), 10_000).unwrap().first_order, 1);
    }

    #[test]
    fn scales_beyond_a_tenth_of_the_rows_do_not_count() {
        let ids = [5.0, 5.0, 5.0].map(Some);
        assert_eq!(plateau(&scaling(&ids), 79), Err(Reason::NoPlateau));
        assert!(plateau(&scaling(&ids), 80).is_ok());
    }

    #[test]
    fn a_scale_without_a_dimension_breaks_the_run() {
        let ids = [Some(5.0), Some(5.0), None, Some(5.0), Some(5.0)];
        assert_eq!(plateau(&scaling(&ids), 10_000), Err(Reason::NoPlateau));
        assert_eq!(plateau(&[], 10_000), Err(Reason::NoPlateau));
    }
}
