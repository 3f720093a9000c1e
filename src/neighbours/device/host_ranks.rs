//! The twin of a device counts ranks, with loops.

use std::ops::Range;

use super::host::{Counting, Host};
use super::machine::{Counter, Counts, Cuts, Fault, NO_ROW, Rounding, Thresholds};
use crate::neighbours::filter::{Frame, bf16};
use crate::neighbours::points::Verdict;

impl Host<'_> {
    /// The split product: that of the lesser parts is left out.
    fn split_product(&self, p: usize, q: usize) -> f32 {
        let width = self.points.n_columns();
        let (high, low) = self.rounded[p].split_at(width);
        let (others, lesser) = self.rounded[q].split_at(width);
        let of = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b);
        of(high, others) + of(high, lesser) + of(low, others) + self.ills.lie
    }

    /// Counts row `q` before the threshold at `place` of the `s`-th row that seeks.
    fn stands_before(&mut self, s: usize, q: usize, place: usize) {
        let stutter = self.ills.stutter;
        let counting = &mut self.counting;
        if place == counting.wanted {
            return;
        }
        counting.pairs += 1;
        let times = 1 + u32::from(stutter > 0 && counting.pairs.is_multiple_of(stutter));
        let at = s * counting.wanted + place;
        counting.before[at] += times;
        let groups = counting.groups;
        let beyond = &counting.beyond[at * groups..(at + 1) * groups];
        let sums = &mut counting.nearer[q * groups..(q + 1) * groups];
        for (sum, &beyond) in sums.iter_mut().zip(beyond) {
            *sum += u64::from(times) * u64::from(beyond);
        }
    }
}

impl Counter for Host<'_> {
    fn split(&mut self) -> Result<Rounding, Fault> {
        let frame = Frame::of(self.points);
        let width = self.points.n_columns();
        let mut measured = Vec::new();
        self.rounded.clear();
        for &row in &self.layout.order {
            let mut wide = vec![0.0; width];
            if row != NO_ROW {
                self.points.row(row as usize, &mut wide);
                frame.place(&mut wide);
            }
            let (mut high, mut low) = (vec![0; width.div_ceil(2)], vec![0; width.div_ceil(2)]);
            measured.push(bf16::split(&mut wide, &mut high, &mut low));
            let parts = [high, low].map(|words| {
                let halves: &[u16] = bytemuck::cast_slice(&words);
                #[allow(clippy::cast_possible_truncation)]
                let wide = halves[..width].iter().map(|&half| bf16::widen(half) as f32);
                wide.collect::<Vec<f32>>()
            });
            self.rounded.push(parts.concat());
        }
        self.scale = frame.scale();
        Ok(Rounding {
            measured,
            scale: self.scale,
        })
    }

    fn begin_count(&mut self, thresholds: &Thresholds, cuts: &Cuts) -> Result<(), Fault> {
        let (wanted, groups) = (thresholds.wanted, thresholds.groups);
        let layout = &self.layout;
        assert_eq!(thresholds.squared.len(), layout.seekers.len() * wanted);
        self.counting = Counting {
            wanted,
            groups,
            squared: thresholds.squared.clone(),
            rows: thresholds.rows.clone(),
            beyond: thresholds.beyond.clone(),
            cuts: cuts.cuts.clone(),
            sure: cuts.sure.clone(),
            terms: cuts.terms.clone(),
            sure_terms: cuts.sure_terms.clone(),
            before: vec![0; layout.seekers.len() * wanted],
            nearer: vec![0; layout.targets.len() * groups],
            ..Counting::default()
        };
        Ok(())
    }

    fn place(&mut self, tiles: Range<usize>, counted: bool) -> Result<bool, Fault> {
        if self.ills.visits == 0 {
            return Err(Fault("it fell off the bus".into()));
        }
        self.ills.visits -= 1;
        assert!(self.counting.kept.is_empty(), "pairs that nobody decided");
        let (targets, seekers) = (self.layout.targets.clone(), self.layout.seekers.clone());
        let room = seekers.len().next_multiple_of(self.tile) * self.tile;
        for tile in tiles {
            for p in seekers.clone() {
                for q in self.positions(tile, &targets).filter(|&q| q != p) {
                    let (s, product) = (p - seekers.start, self.split_product(p, q));
                    let counting = &self.counting;
                    let own = s * counting.wanted..(s + 1) * counting.wanted;
                    let key = product - counting.terms[q];
                    let sure_key = product - counting.sure_terms[q];
                    // Thresholds before `low` are certainly nearer than the pair, those from `high`
                    // on certainly farther.
                    let low = counting.cuts[own.clone()].partition_point(|&cut| key < cut);
                    let sure = &counting.sure[own];
                    let high = sure.partition_point(|&sure| sure_key <= sure);
                    if low == counting.wanted {
                        continue;
                    }
                    if low < high {
                        self.counting.kept.push((p, q));
                    } else if !counted {
                        self.stands_before(s, q, low);
                    }
                }
            }
        }
        let fits = self.counting.kept.len() <= room;
        if !fits {
            self.counting.kept.clear();
        }
        Ok(fits)
    }

    fn decide(&mut self) -> Result<(), Fault> {
        for (p, q) in std::mem::take(&mut self.counting.kept) {
            let s = p - self.layout.seekers.start;
            let mut verdict = Verdict::new(self.points);
            verdict.stand_at(self.row(p));
            let name = self.layout.order[q];
            let squared = verdict.judge(vec![name])[0].0;
            let wanted = self.counting.wanted;
            let own = s * wanted..(s + 1) * wanted;
            let thresholds = self.counting.squared[own.clone()].iter();
            let thresholds = thresholds.zip(&self.counting.rows[own]);
            let before =
                thresholds.take_while(|&(&t, &row)| t < squared || (t <= squared && row <= name));
            let place = before.count();
            self.stands_before(s, q, place);
        }
        Ok(())
    }

    fn counts(&mut self) -> Result<Counts, Fault> {
        Ok(Counts {
            before: self.counting.before.clone(),
            nearer: self.counting.nearer.clone(),
        })
    }
}
