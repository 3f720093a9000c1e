//! Hands out pairs of tiles to threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Hands out all pairs a ≤ b of tiles, never one whose tile is in another hand: whoever holds a
/// pair may write to both tiles without waiting.
///
/// Every tile with itself comes first, and gives all its rows their first thresholds; the others
/// follow by diagonals, so that all rows see about as many others at any time.
pub(super) struct Schedule {
    state: Mutex<State>,
    freed: Condvar,
}

struct State {
    tiles: usize,
    /// Pairs are handed out only where one of their tiles is among the first of this number.
    first: usize,
    /// The next pair of the diagonals: (a, b − a).
    next: (usize, usize),
    /// Pairs that were passed over since a tile of theirs was taken.
    waiting: VecDeque<(usize, usize)>,
    taken: Vec<bool>,
}

/// A pair of tiles in the hand of one thread, until dropped.
pub(super) struct Turn<'a> {
    schedule: &'a Schedule,
    pub(super) pair: (usize, usize),
}

impl Schedule {
    /// The pairs of `tiles` tiles that have one of the `first` in them.
    pub(super) fn new(tiles: usize, first: usize) -> Self {
        Self {
            state: Mutex::new(State {
                tiles,
                first,
                next: (0, 0),
                waiting: VecDeque::new(),
                taken: vec![false; tiles],
            }),
            freed: Condvar::new(),
        }
    }

    /// Number of pairs.
    pub(super) fn len(tiles: usize, first: usize) -> u64 {
        let (tiles, first) = (tiles as u64, first as u64);
        first * (first + 1) / 2 + first * (tiles - first)
    }

    /// The next pair, as soon as one is free; `None` once all were handed out.
    pub(super) fn take(&self) -> Option<Turn<'_>> {
        let mut state = lock(&self.state);
        loop {
            if let Some(pair) = state.free_pair() {
                state.take(pair);
                return Some(Turn {
                    schedule: self,
                    pair,
                });
            }
            if state.waiting.is_empty() {
                return None;
            }
            state = self
                .freed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn free_pair(&mut self) -> Option<(usize, usize)> {
        let is_free = |&(a, b): &(usize, usize)| !self.taken[a] && !self.taken[b];
        if let Some(at) = self.waiting.iter().position(is_free) {
            return self.waiting.remove(at);
        }
        while let Some(pair) = self.advance() {
            if !self.taken[pair.0] && !self.taken[pair.1] {
                return Some(pair);
            }
            self.waiting.push_back(pair);
        }
        None
    }

    fn advance(&mut self) -> Option<(usize, usize)> {
        let (a, apart) = self.next;
        if apart >= self.tiles || self.first == 0 {
            return None;
        }
        self.next = if a + 1 < self.first && a + apart + 1 < self.tiles {
            (a + 1, apart)
        } else {
            (0, apart + 1)
        };
        Some((a, a + apart))
    }

    fn take(&mut self, (a, b): (usize, usize)) {
        self.taken[a] = true;
        self.taken[b] = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.schedule.state);
        state.taken[self.pair.0] = false;
        state.taken[self.pair.1] = false;
        drop(state);
        self.schedule.freed.notify_all();
    }
}

/// A panic in another thread is already on its way to the caller; the state stays well-formed.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn every_pair_is_visited_once_and_no_tile_by_two_threads() {
        for (tiles, first) in [
            (0, 0),
            (1, 1),
            (2, 2),
            (7, 7),
            (30, 30),
            (7, 1),
            (30, 4),
            (5, 0),
        ] {
            let schedule = Schedule::new(tiles, first);
            let hands: Vec<AtomicU32> = (0..tiles).map(|_| AtomicU32::new(0)).collect();
            let seen = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for _ in 0..5 {
                    scope.spawn(|| {
                        while let Some(turn) = schedule.take() {
                            let (a, b) = turn.pair;
                            let both = if a == b { vec![a] } else { vec![a, b] };
                            for &tile in &both {
                                assert_eq!(hands[tile].fetch_add(1, Ordering::SeqCst), 0);
                            }
                            std::thread::yield_now();
                            for tile in both {
                                hands[tile].fetch_sub(1, Ordering::SeqCst);
                            }
                            seen.lock().unwrap().push((a, b));
                        }
                    });
                }
            });
            let seen = seen.into_inner().unwrap();
            assert_eq!(seen.len() as u64, Schedule::len(tiles, first));
            let wanted = |(a, b): &&(usize, usize)| a <= b && *a < first;
            let different: HashSet<_> = seen.iter().filter(wanted).collect();
            assert_eq!(different.len(), seen.len());
        }
    }
}
