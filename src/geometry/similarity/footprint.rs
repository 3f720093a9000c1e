//! Foresees the memory of similarities, before any work.

use super::measure::Subject;
use crate::input::Matrix;

/// Bytes of one layer of a computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Footprint {
    /// Of what is made of the layer, as long as it is compared.
    pub kept: u64,
    /// More while it is made, or compared with another.
    pub work: u64,
}

/// What may be kept of all layers at once where the limit allows more; with more layers some are
/// made again.
const KEPT: u64 = 1 << 30;

/// How a computation shares out memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    /// Bytes of what is kept of two groups of layers.
    pub kept: u64,
    /// Layers or pairs at work at a time.
    pub at_once: usize,
}

impl Budget {
    /// Of layers that take `each`, under a limit: as many threads as two layers leave room for,
    /// then as many layers as these threads do.
    pub(super) fn new(each: &[Footprint], threads: usize, limit: Option<u64>) -> Self {
        let (two, work) = two_largest(each);
        let limit = limit.unwrap_or(u64::MAX);
        let room = limit.saturating_sub(two) / work.max(1);
        let at_once = usize::try_from(room)
            .unwrap_or(threads)
            .clamp(1, threads.max(1));
        let left = limit.saturating_sub(at_once as u64 * work);
        Self {
            kept: left.min(KEPT).max(two),
            at_once,
        }
    }

    /// How many of `all` go to the threads together: all of them, unless memory is short.
    pub(super) fn chunk(&self, all: usize) -> usize {
        match self.at_once >= rayon::current_num_threads() {
            true => all.max(1),
            false => self.at_once,
        }
    }
}

/// The least that a computation needs which takes `each` of its layers: two of them and the work
/// of one thread.
pub(super) fn least(subject: &Subject<'_>, each: impl Fn(&Matrix) -> Footprint) -> u64 {
    let each: Vec<Footprint> = subject.matrices.iter().map(each).collect();
    let (two, work) = two_largest(&each);
    two + work
}

/// What the two largest layers keep, and the most that one thread works with.
fn two_largest(each: &[Footprint]) -> (u64, u64) {
    let mut kept: Vec<u64> = each.iter().map(|one| one.kept).collect();
    kept.sort_unstable_by(|a, b| b.cmp(a));
    let work = each.iter().map(|one| one.work).max().unwrap_or(0);
    (kept.iter().take(2).sum(), work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_come_before_layers_and_two_layers_before_threads() {
        let each = [Footprint { kept: 10, work: 5 }; 6];
        let budget = |limit| Budget::new(&each, 4, limit);
        let of = |kept, at_once| Budget { kept, at_once };
        assert_eq!(budget(None), of(KEPT, 4));
        assert_eq!(budget(Some(25)), of(20, 1));
        assert_eq!(budget(Some(34)), of(24, 2));
        assert_eq!(budget(Some(60)), of(40, 4));
        // Refused before it comes to this: the least is 25.
        assert_eq!(budget(Some(7)), of(20, 1));
    }
}
