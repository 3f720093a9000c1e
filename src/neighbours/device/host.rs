//! The twin of a device in plain Rust: the same interface, so that all but the kernels is tested
//! where there is no GPU.

use std::ops::Range;

use super::machine::{Fault, Judged, Layout, Machine, NO_ROW, Rounding};
use crate::neighbours::filter::{Bound, Frame, bf16};
use crate::neighbours::points::{Points, Verdict};

/// A device made of loops.
pub(super) struct Host<'a> {
    points: &'a Points<'a>,
    layout: Layout,
    rounded: Vec<Vec<f32>>,
    bound: Option<Bound>,
    scale: f64,
    k: usize,
    capacity: usize,
    lists: Vec<Vec<(f32, u32)>>,
    thresholds: Vec<f64>,
    cuts: Vec<f32>,
    terms: Vec<f32>,
    /// How often lists overflowed.
    pub(super) overflows: usize,
    /// How often a list had to be shortened by verdicts.
    pub(super) crowds: usize,
    /// What is added to every product, to break a bound.
    pub(super) lie: f32,
    /// What every distance of a scan is multiplied by, as if rows had arrived garbled.
    pub(super) garble: f64,
}

impl<'a> Host<'a> {
    pub(super) fn new(points: &'a Points<'a>, queries: Option<usize>, tile: usize) -> Self {
        let n = points.n_targets();
        Self {
            points,
            layout: Layout::new(n, queries, tile),
            rounded: Vec::new(),
            bound: None,
            scale: 1.0,
            k: 0,
            capacity: 0,
            lists: Vec::new(),
            thresholds: Vec::new(),
            cuts: Vec::new(),
            terms: Vec::new(),
            overflows: 0,
            crowds: 0,
            lie: 0.0,
            garble: 1.0,
        }
    }

    fn bound(&self) -> &Bound {
        self.bound.as_ref().expect("the plan begins first")
    }

    fn row(&self, p: usize) -> usize {
        self.layout.order[p] as usize
    }

    fn product(&self, p: usize, q: usize) -> f32 {
        let pairs = self.rounded[p].iter().zip(&self.rounded[q]);
        pairs.fold(0.0, |sum, (a, b)| sum + a * b) + self.lie
    }

    fn offer(&mut self, p: usize, q: usize, product: f32) {
        if product - self.terms[q] >= self.cuts[p] {
            #[allow(clippy::cast_possible_truncation)]
            let entry = (self.bound().score(p, q, product) as f32, q as u32);
            self.lists[p].push(entry);
        }
    }

    fn positions(&self, tile: usize, of: &Range<usize>) -> Range<usize> {
        let start = of.start + tile * self.layout.tile;
        start..(start + self.layout.tile).min(of.end)
    }

    /// The k nearest of a list that scores cannot shorten.
    fn settle(&mut self, p: usize) {
        self.crowds += 1;
        let mut verdict = Verdict::new(self.points);
        verdict.stand_at(self.row(p));
        let list = std::mem::take(&mut self.lists[p]);
        let rows = list.iter().map(|&(_, q)| self.layout.order[q as usize]);
        let judged = verdict.judge(rows.collect());
        let mut both: Vec<_> = judged.into_iter().zip(list).collect();
        both.sort_by(|(a, _), (b, _)| a.partial_cmp(b).expect("distances are numbers"));
        both.truncate(self.k);
        let farthest = both[self.k - 1].0.0 * self.scale * self.scale;
        self.thresholds[p] = self.thresholds[p].min(farthest);
        self.lists[p] = both.into_iter().map(|(_, entry)| entry).collect();
    }
}

impl Machine for Host<'_> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn round(&mut self) -> Result<Rounding, Fault> {
        let frame = Frame::of(self.points);
        let width = self.points.n_columns();
        let mut measured = Vec::new();
        for &row in &self.layout.order {
            let mut wide = vec![0.0; width];
            if row != NO_ROW {
                self.points.row(row as usize, &mut wide);
                frame.place(&mut wide);
            }
            let mut words = vec![0; width.div_ceil(2)];
            measured.push(bf16::round(&mut wide, &mut words));
            let halves: &[u16] = bytemuck::cast_slice(&words);
            #[allow(clippy::cast_possible_truncation)]
            let row = halves.iter().map(|&half| bf16::widen(half) as f32);
            self.rounded.push(row.collect());
        }
        self.scale = frame.scale();
        Ok(Rounding {
            measured,
            scale: self.scale,
        })
    }

    fn scan(&mut self, samples: &[u32]) -> Result<Vec<f64>, Fault> {
        let mut verdict = Verdict::new(self.points);
        let mut squared = Vec::new();
        for &p in samples {
            verdict.stand_at(self.row(p as usize));
            let all = self.layout.targets.clone().map(|q| self.row(q));
            verdict.squared_distances(all.collect::<Vec<_>>().into_iter(), &mut squared);
        }
        squared.iter_mut().for_each(|d| *d *= self.garble);
        Ok(squared)
    }

    fn begin(&mut self, bound: &Bound, k: usize, capacity: usize) -> Result<(), Fault> {
        let positions = self.layout.order.len();
        self.terms = (0..positions).map(|p| bound.column_term(p)).collect();
        self.bound = Some(bound.clone());
        (self.k, self.capacity) = (k, capacity);
        self.lists = vec![Vec::new(); positions];
        self.thresholds = vec![f64::INFINITY; positions];
        self.cuts = vec![f32::NEG_INFINITY; positions];
        Ok(())
    }

    fn visit(&mut self, diagonals: Range<usize>) -> Result<bool, Fault> {
        let before = self.lists.clone();
        let (tiles, symmetric) = (self.layout.tiles(), self.layout.is_symmetric());
        let (targets, seekers) = (self.layout.targets.clone(), self.layout.seekers.clone());
        for d in diagonals {
            for a in 0..self.layout.seeking() {
                let b = if symmetric { (a + d) % tiles } else { d };
                if symmetric && 2 * d == tiles && a >= d {
                    continue;
                }
                for p in self.positions(a, &seekers) {
                    for q in self.positions(b, &targets).filter(|&q| q != p) {
                        let product = self.product(p, q);
                        self.offer(p, q, product);
                        if symmetric && a != b {
                            self.offer(q, p, product);
                        }
                    }
                }
            }
        }
        let fits = self.lists.iter().all(|list| list.len() <= self.capacity);
        if !fits {
            self.lists = before;
            self.overflows += 1;
        }
        Ok(fits)
    }

    fn entries(&mut self, position: usize) -> Result<Vec<(f32, u32)>, Fault> {
        Ok(self.lists[position].clone())
    }

    fn prune(&mut self) -> Result<usize, Fault> {
        for p in self.layout.seekers.clone() {
            if self.lists[p].len() > self.k {
                let bound = self.bound();
                let upper = |&(score, q): &(f32, u32)| bound.upper(p, q as usize, score.into());
                let mut uppers: Vec<f64> = self.lists[p].iter().map(upper).collect();
                uppers.sort_unstable_by(f64::total_cmp);
                let threshold = self.thresholds[p].min(uppers[self.k - 1]);
                let lower = |&(score, q): &(f32, u32)| bound.lower(p, q as usize, score.into());
                let kept = self.lists[p].iter().copied();
                let kept = kept.filter(|entry| lower(entry) <= threshold).collect();
                (self.lists[p], self.thresholds[p]) = (kept, threshold);
                if 2 * self.lists[p].len() > self.capacity {
                    self.settle(p);
                }
                self.cuts[p] = self.bound().cut(p, self.thresholds[p]);
            }
        }
        Ok(self.lists.iter().map(Vec::len).max().unwrap_or(0))
    }

    fn judge(&mut self, take: &mut dyn FnMut(&Judged)) -> Result<(), Fault> {
        let mut verdict = Verdict::new(self.points);
        // A position at a time: chunks of any size must do.
        for p in self.layout.seekers.clone() {
            verdict.stand_at(self.row(p));
            let list = self.lists[p].iter();
            let rows: Vec<u32> = list.map(|&(_, q)| self.layout.order[q as usize]).collect();
            let mut judged = Judged {
                positions: p..p + 1,
                starts: vec![0, rows.len() as u64],
                ..Judged::default()
            };
            for (squared, row) in verdict.judge(rows) {
                judged.squared.push(squared);
                judged.rows.push(row);
            }
            take(&judged);
        }
        Ok(())
    }
}

mod tests {
    use super::*;
    use crate::input::Matrix;
    use crate::neighbours::device::plan::{MOST, capacity, nearest};
    use crate::neighbours::table::assemble;
    use crate::neighbours::tests::{adversarial, gaussian};
    use crate::neighbours::{
        Metric, NeighbourTable, SearchOptions, Strategy, cross_table, neighbour_table,
    };
    use crate::progress::Silent;

    fn by_plan(host: &mut Host<'_>, k: usize) -> NeighbourTable {
        let points = host.points;
        let rows = nearest(host, points, k, &Silent).unwrap();
        assemble(host.layout.seekers.len(), k, rows)
    }

    fn by_scan(points: &Points<'_>, k: usize) -> NeighbourTable {
        let options = SearchOptions {
            strategy: Strategy::Direct,
            ..SearchOptions::default()
        };
        neighbour_table(points, k, &options, &Silent).unwrap()
    }

    #[test]
    fn the_plan_finds_what_a_scan_finds_whatever_the_rows_tiles_and_k() {
        let (mut overflows, mut crowds) = (0, 0);
        for (name, matrix) in adversarial() {
            if !(1..3000).contains(&matrix.n_columns()) {
                continue;
            }
            for metric in [Metric::Euclidean, Metric::Cosine] {
                let Ok(points) = Points::new(&matrix, metric, name) else {
                    // A repeated row of zeros has no direction.
                    assert_eq!(metric, Metric::Cosine, "{name}");
                    continue;
                };
                let n = matrix.n_rows();
                for (k, tile) in [(1, 4), (7, 4), (7, 16), (10, 64), (n - 1, 16)] {
                    let mut host = Host::new(&points, None, tile);
                    let found = by_plan(&mut host, k);
                    assert!(
                        found == by_scan(&points, k),
                        "{name}, {metric:?}, {k}, {tile}"
                    );
                    overflows += host.overflows;
                    crowds += host.crowds;
                }
            }
        }
        // What is rare must have happened here.
        assert!(
            overflows > 30 && crowds > 1000,
            "{overflows} overflows, {crowds} crowds"
        );
    }

    #[test]
    fn queries_from_another_dump_find_what_the_processor_finds() {
        for (name, matrix) in adversarial() {
            if !(1..3000).contains(&matrix.n_columns()) {
                continue;
            }
            let (n, width) = (matrix.n_rows(), matrix.n_columns());
            let mut values = vec![0.0; 50 * width];
            for (i, row) in values.chunks_mut(width).enumerate() {
                matrix.widen_row(i * n / 50, row);
                row.iter_mut().for_each(|x| *x *= 1.0 + (i % 3) as f64);
            }
            let there = Matrix::from_f64(50, width, values);
            let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
            let queries = Points::new(&there, Metric::Euclidean, name).unwrap();
            let both = points.with_queries(&queries);
            for (k, tile) in [(1, 4), (5, 16), (n, 16)] {
                let truth =
                    cross_table(&points, &queries, k, &SearchOptions::default(), &Silent).unwrap();
                let found = by_plan(&mut Host::new(&both, Some(50), tile), k);
                assert!(found == truth, "{name}, {k}, {tile}");
            }
        }
    }

    #[test]
    fn lists_overflow_where_rows_come_in_crowds_and_nothing_is_lost() {
        // Half the rows in one tight cluster that bf16 does not resolve, and repeated rows.
        let wide = gaussian(600, 20, 3);
        let mut values = vec![0.0; 600 * 20];
        for (i, row) in values.chunks_mut(20).enumerate() {
            wide.widen_row(if i % 7 == 0 { 7 } else { i }, row);
            if i % 2 == 0 {
                row.iter_mut().for_each(|x| *x = 40.0 + *x * 1e-6);
            }
        }
        let matrix = Matrix::from_f64(600, 20, values);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        let mut host = Host::new(&points, None, 4);
        assert!(by_plan(&mut host, 5) == by_scan(&points, 5));
        assert!(host.overflows > 0 && host.crowds > 0);
    }

    #[test]
    fn products_that_break_their_bound_are_found_out() {
        let matrix = gaussian(300, 40, 1);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        let mut host = Host::new(&points, None, 16);
        host.lie = 0.5;
        let found = nearest(&mut host, &points, 5, &Silent);
        assert_eq!(
            found.err(),
            Some(Fault("its products break their bound".into()))
        );
    }

    #[test]
    fn rows_that_arrived_garbled_are_found_out() {
        let matrix = gaussian(300, 40, 1);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        let mut host = Host::new(&points, None, 16);
        host.garble = 1.0 + f64::EPSILON;
        let found = nearest(&mut host, &points, 5, &Silent);
        assert_eq!(
            found.err(),
            Some(Fault("its distances are not the processor's".into()))
        );
    }

    #[test]
    fn a_pruned_list_has_room_for_one_more_diagonal() {
        for (k, tile) in [(1, 4), (30, 128), (500, 128), (MOST, 128)] {
            let capacity = capacity(k, tile);
            assert!(capacity / 2 >= k && capacity - capacity / 2 >= 2 * tile);
        }
    }

    #[test]
    fn every_pair_of_tiles_meets_once() {
        for n in [1, 4, 5, 8, 9, 31, 32, 33] {
            let layout = Layout::new(n, None, 4);
            let tiles = layout.tiles();
            let mut met = vec![0; tiles * tiles];
            for d in 0..layout.diagonals() {
                for a in (0..tiles).filter(|&a| 2 * d != tiles || a < d) {
                    let b = (a + d) % tiles;
                    met[a * tiles + b] += 1;
                    if a != b {
                        met[b * tiles + a] += 1;
                    }
                }
            }
            assert!(met.iter().all(|&times| times == 1), "{n}");
        }
    }
}
