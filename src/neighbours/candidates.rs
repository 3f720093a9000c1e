//! The candidates of one row: a short list that certainly holds its k nearest.

use std::ops::Range;

use super::filter::Operand;
use super::points::Verdict;
use super::table::index;

/// A pair that may be among the k nearest: its score, and the position of the other row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) score: f32,
    pub(super) position: u32,
}

/// The candidates of the row at one position.
///
/// Invariant: every pair offered so far whose D² is among the k smallest offered so far is in
/// the list.
pub(super) struct Candidates {
    position: usize,
    k: usize,
    /// Length at which the list is pruned.
    room: usize,
    list: Vec<Candidate>,
    /// An upper bound of the k-th smallest (scaled) D²; infinite until k pairs were offered.
    threshold: f64,
}

/// How long a list of k candidates may grow before it is pruned.
fn room(k: usize) -> usize {
    k + (k / 2).max(16)
}

impl Candidates {
    /// An empty list; `spare` candidates beyond k are expected to stay.
    pub(super) fn new(position: usize, k: usize, spare: usize) -> Self {
        Self {
            position,
            k,
            room: room(k) + 4 * spare,
            list: Vec::new(),
            threshold: f64::INFINITY,
        }
    }

    /// Memory of a full list, but for `spare` ones.
    pub(super) fn bytes(k: usize) -> u64 {
        (size_of::<Self>() + room(k) * size_of::<Candidate>()) as u64
    }

    /// See `Bound::cut`: pairs below it need not be offered.
    pub(super) fn cut(&self, operand: &Operand) -> f32 {
        operand.bound.cut(self.position, self.threshold)
    }

    /// Offers one pair; true if the threshold may have changed.
    pub(super) fn offer(
        &mut self,
        operand: &Operand,
        verdict: &mut Verdict<'_>,
        position: usize,
        product: f32,
    ) -> bool {
        if self.list.capacity() == 0 {
            self.list.reserve_exact(self.room);
        }
        self.list.push(self.candidate(operand, position, product));
        let full = self.list.len() >= self.room;
        if full {
            let mut list = std::mem::take(&mut self.list);
            self.prune(operand, verdict, &mut list);
            self.list = list;
        }
        full
    }

    /// Offers the rows at `columns`, whose scores are known, at once: cheaper while there is no
    /// threshold. The row itself is left out by position, never by its distance.
    pub(super) fn offer_all(
        &mut self,
        operand: &Operand,
        verdict: &mut Verdict<'_>,
        columns: Range<usize>,
        scores: &[f32],
        scratch: &mut Vec<Candidate>,
    ) {
        scratch.clear();
        scratch.append(&mut self.list);
        let itself = columns.contains(&self.position);
        let itself = itself.then(|| scratch.len() + self.position - columns.start);
        let scored = columns.map(index).zip(scores);
        scratch.extend(scored.map(|(position, &score)| Candidate { score, position }));
        if let Some(at) = itself {
            scratch.swap_remove(at);
        }
        if scratch.len() >= self.room {
            self.prune(operand, verdict, scratch);
        }
        self.list.reserve_exact(self.room.max(scratch.len()));
        self.list.append(scratch);
    }

    fn candidate(&self, operand: &Operand, position: usize, product: f32) -> Candidate {
        #[allow(clippy::cast_possible_truncation)]
        let score = operand.bound.score(self.position, position, product) as f32;
        let position = index(position);
        Candidate { score, position }
    }

    /// Drops what is certainly beyond the k nearest of the list.
    fn prune(&mut self, operand: &Operand, verdict: &mut Verdict<'_>, list: &mut Vec<Candidate>) {
        if list.len() <= self.k {
            return;
        }
        list.select_nth_unstable_by(self.k - 1, |a, b| a.score.total_cmp(&b.score));
        // The k lowest scores bound the k-th smallest D² by the largest of their upper bounds.
        let own = self.position;
        let bound = list[..self.k]
            .iter()
            .map(|c| {
                operand
                    .bound
                    .upper(own, c.position as usize, f64::from(c.score))
            })
            .fold(0.0, f64::max);
        self.threshold = self.threshold.min(bound);
        let threshold = self.threshold;
        list.retain(|c| {
            operand
                .bound
                .lower(own, c.position as usize, f64::from(c.score))
                <= threshold
        });
        // A list that stays nearly full would be pruned again at once.
        if 2 * list.len() >= self.k + self.room {
            self.judge(operand, verdict, list);
        }
    }

    /// Where scores cannot separate the candidates, distances must: keeps the k nearest.
    ///
    /// Pairs offered later are still compared by score, so this may happen again; it bounds the
    /// memory of a row, whatever the data.
    #[cold]
    fn judge(&mut self, operand: &Operand, verdict: &mut Verdict<'_>, list: &mut Vec<Candidate>) {
        verdict.stand_at(operand.row(self.position));
        let rows = list
            .iter()
            .map(|c| operand.order()[c.position as usize])
            .collect();
        let mut judged: Vec<(f64, u32, Candidate)> = verdict
            .judge(rows)
            .into_iter()
            .zip(&*list)
            .map(|((squared, row), &candidate)| (squared, row, candidate))
            .collect();
        judged.select_nth_unstable_by(self.k - 1, |a, b| (a.0.total_cmp(&b.0)).then(a.1.cmp(&b.1)));
        list.clear();
        list.extend(judged[..self.k].iter().map(|&(_, _, candidate)| candidate));
    }

    /// The final list: everything that may be among the k nearest of all pairs offered.
    pub(super) fn finish(mut self, operand: &Operand, verdict: &mut Verdict<'_>) -> Vec<Candidate> {
        let mut list = std::mem::take(&mut self.list);
        self.prune(operand, verdict, &mut list);
        list
    }
}
