//! What probes hold, and how many folds and layers that leaves room for at once.

use super::forecast::Extent;
use super::options::Readout;
use crate::error::{Error, Result};
use crate::geometry::probe::MOST_COLUMNS;

/// Bytes of widened values up to which layers are probed beside each other.
const TOGETHER: u64 = 1 << 28;

/// Bytes of probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// Of a layer, its rows widened.
    pub layer: u64,
    /// Of a fold at work.
    pub fold: u64,
}

/// How much is done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AtOnce {
    /// Layers that are held.
    pub layers: usize,
    /// Folds at work.
    pub folds: usize,
}

impl Held {
    /// Of N rows with a target in D columns and K classes, or one number:
    ///
    /// ```text
    /// layer              8·N·D
    /// fold, logistic     8·N·D + 320·K·(D + 1) + 32·D² (up to 1024 columns)
    /// fold, ridge        8·N·D + 24·min(N, D)² + 16·K·(N + D)
    /// ```
    pub(super) fn of(extent: &Extent, n_columns: usize) -> Self {
        let [n, d] = [extent.rows, n_columns].map(|count| count as u64);
        let classes = extent.classes.max(1) as u64;
        let layer = 8 * n * d;
        let own = match extent.readout {
            // Twenty steps in f32, three vectors each; then the search's own vectors.
            Readout::Logistic => {
                let square = if n_columns <= MOST_COLUMNS { d * d } else { 0 };
                320 * classes * (d + 1) + 32 * square
            }
            Readout::Ridge => 24 * n.min(d).pow(2) + 16 * classes * (n + d),
        };
        Self {
            layer,
            fold: layer + own,
        }
    }

    /// How many folds work at once, of how many layers, under a `limit`, so that `folds` a layer leave
    /// none of the threads idle.
    ///
    /// # Errors
    /// [`Error::Memory`] where one fold is too many.
    pub(super) fn at_once(
        self,
        threads: usize,
        folds: usize,
        limit: Option<u64>,
    ) -> Result<AtOnce> {
        let threads = threads.max(1);
        let room = limit.unwrap_or(u64::MAX);
        let fitting = room.saturating_sub(self.layer) / self.fold.max(1);
        let working = usize::try_from(fitting).unwrap_or(usize::MAX).min(threads);
        if working == 0 {
            return Err(Error::Memory {
                work: "a layer and one fold of its probe".into(),
                needed: self.layer + self.fold,
                limit: room,
                remedy: "raise it, or probe fewer rows (--rows)".into(),
            });
        }
        let beside = (room - working as u64 * self.fold).min(TOGETHER) / self.layer.max(1);
        let most = usize::try_from(beside).unwrap_or(usize::MAX).max(1);
        Ok(AtOnce {
            layers: even(working, folds.max(1)).min(most),
            folds: working,
        })
    }
}

/// The fewest layers whose folds are a multiple of the threads.
fn even(threads: usize, folds: usize) -> usize {
    let (mut a, mut b) = (threads, folds);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    threads / a
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn folds_of_some_layers_fill_every_thread_where_memory_allows() {
        for (threads, folds, layer, limit, layers, at_work) in [
            (2, 5, MIB, None, 2, 2),
            (4, 5, MIB, None, 4, 4),
            (5, 5, MIB, None, 1, 5),
            (4, 6, MIB, None, 2, 4),
            (1, 5, MIB, None, 1, 1),
            (16, 5, 64 * MIB, None, 4, 16),
            (2, 5, 1024 * MIB, None, 1, 2),
            (2, 1, 0, None, 2, 2),
            (4, 5, MIB, Some(12 * MIB), 4, 4),
            (4, 5, MIB, Some(10 * MIB), 2, 4),
            (4, 5, MIB, Some(8 * MIB), 2, 3),
            (4, 5, MIB, Some(3 * MIB), 1, 1),
        ] {
            let held = Held {
                layer,
                fold: 2 * layer,
            };
            let found = held.at_once(threads, folds, limit).unwrap();
            let expected = AtOnce {
                layers,
                folds: at_work,
            };
            assert_eq!(found, expected, "{threads} {folds} {layer} {limit:?}");
            let all = found.layers as u64 * held.layer + found.folds as u64 * held.fold;
            assert!(limit.is_none_or(|limit| all <= limit), "{all}");
        }
    }

    #[test]
    fn one_fold_that_does_not_fit_says_what_it_needs() {
        let held = Held { layer: 5, fold: 9 };
        let Err(Error::Memory { needed, limit, .. }) = held.at_once(2, 5, Some(13)) else {
            panic!("14 bytes are needed");
        };
        assert_eq!([needed, limit], [14, 13]);
        assert!(held.at_once(2, 5, Some(14)).is_ok());
    }
}
