//! The twin of a device in plain Rust: the same interface, so that all but the kernels is tested
//! where there is no GPU.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::machine::{
    Aim, Costs, Fault, Judged, Layout, Machine, NO_ROW, Opened, Room, Rounding, Sender, Station,
};
use super::plan::capacity;
use crate::neighbours::filter::{Bound, Frame, bf16};
use crate::neighbours::points::{Points, Verdict};
use crate::neighbours::table::index;
use crate::neighbours::visiting::visiting_order;

/// A device made of loops.
pub(super) struct Host<'a> {
    pub(super) points: &'a Points<'a>,
    pub(super) tile: usize,
    /// Rows that seek.
    held: Vec<u32>,
    /// Rows on their way, and whether some are there that nobody met.
    parcel: Arc<Parcel>,
    pub(super) layout: Layout,
    pub(super) rounded: Vec<Vec<f32>>,
    bound: Option<Bound>,
    pub(super) scale: f64,
    pub(super) counting: Counting,
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
    /// What goes wrong.
    pub(super) ills: Ills,
}

/// What goes wrong with a device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ills {
    /// What is added to every product, to break a bound.
    pub(super) lie: f32,
    /// What every distance of a scan is multiplied by, as if rows had arrived garbled.
    pub(super) garble: f64,
    /// How many visits it makes before it fails.
    pub(super) visits: usize,
    /// Every n-th counted pair is counted twice; 0: none.
    pub(super) stutter: usize,
}

/// A device in good health.
pub(super) const WELL: Ills = Ills {
    lie: 0.0,
    garble: 1.0,
    visits: usize::MAX,
    stutter: 0,
};

/// Rows beside those at work.
#[derive(Default)]
struct Parcel(Mutex<Option<Vec<u32>>>);

impl Sender for Arc<Parcel> {
    fn send(&self, rows: &[u32]) -> Result<(), Fault> {
        let mut parcel = self.0.lock().expect("nobody panics");
        assert!(
            parcel.is_none(),
            "rows were sent over others that nobody met"
        );
        *parcel = Some(rows.to_vec());
        Ok(())
    }
}

/// Such a device with so much memory, before rows are on it.
pub(super) struct HostStation {
    pub(super) name: &'static str,
    pub(super) free: u64,
    pub(super) tile: usize,
    pub(super) ills: Ills,
}

impl Station for HostStation {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn free(&self) -> Result<u64, Fault> {
        Ok(self.free)
    }

    fn tile(&self) -> usize {
        self.tile
    }

    fn costs(&self, points: &Points<'_>, aim: Aim) -> Costs {
        let width = points.n_columns() as u64;
        let kept = match aim {
            Aim::Nearest(k) => 8 * capacity(k, self.tile),
            Aim::Ranks { wanted, groups } => 20 * wanted + 4 * wanted * groups + 8 * self.tile,
        };
        Costs {
            seeker: 6 * width + kept as u64,
            target: 10 * width,
            fixed: 1000,
        }
    }

    fn open<'a>(
        &'a self,
        points: &'a Points<'a>,
        room: Room,
        aim: Aim,
    ) -> Result<Opened<'a>, Fault> {
        let costs = self.costs(points, aim);
        let used = costs.seeker * room.seekers as u64 + costs.target * room.targets as u64;
        assert!(costs.fixed + used <= self.free, "more memory than there is");
        let mut host = Host::of(points, self.tile);
        host.ills = self.ills;
        let sender = Box::new(Arc::clone(&host.parcel));
        Ok((Box::new(host), sender))
    }
}

impl<'a> Host<'a> {
    fn of(points: &'a Points<'a>, tile: usize) -> Self {
        Self {
            points,
            tile,
            held: Vec::new(),
            parcel: Arc::default(),
            layout: Layout::among(&[], tile),
            rounded: Vec::new(),
            bound: None,
            scale: 1.0,
            counting: Counting::default(),
            k: 0,
            capacity: 0,
            lists: Vec::new(),
            thresholds: Vec::new(),
            cuts: Vec::new(),
            terms: Vec::new(),
            overflows: 0,
            crowds: 0,
            ills: WELL,
        }
    }

    /// All rows that seek each other, or those of queries that seek the others.
    pub(super) fn whole(points: &'a Points<'a>, tile: usize) -> Self {
        let (n, all) = (points.n_targets(), points.n_rows());
        let mut host = Self::of(points, tile);
        host.layout = match all == n {
            true => Layout::among(&visiting_order(n), tile),
            false => Layout::between(
                &visiting_order(n),
                &(n..all).map(index).collect::<Vec<_>>(),
                n.next_multiple_of(tile),
                tile,
            ),
        };
        host
    }

    fn bound(&self) -> &Bound {
        self.bound.as_ref().expect("the plan begins first")
    }

    pub(super) fn row(&self, p: usize) -> usize {
        self.layout.order[p] as usize
    }

    fn product(&self, p: usize, q: usize) -> f32 {
        let pairs = self.rounded[p].iter().zip(&self.rounded[q]);
        pairs.fold(0.0, |sum, (a, b)| sum + a * b) + self.ills.lie
    }

    fn offer(&mut self, p: usize, q: usize, product: f32) {
        if product - self.terms[q] >= self.cuts[p] {
            #[allow(clippy::cast_possible_truncation)]
            let entry = (self.bound().score(p, q, product) as f32, q as u32);
            self.lists[p].push(entry);
        }
    }

    pub(super) fn positions(&self, tile: usize, of: &Range<usize>) -> Range<usize> {
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
    fn hold(&mut self, seekers: &[u32]) -> Result<(), Fault> {
        self.held = seekers.to_vec();
        self.layout = Layout::among(seekers, self.tile);
        Ok(())
    }

    fn meet(&mut self) -> Result<(), Fault> {
        let sent = self.parcel.0.lock().expect("nobody panics").take();
        let targets = sent.expect("rows were sent");
        // As on a GPU, where the place of those that seek stays the same.
        let from = (targets.len() + 2 * self.tile).next_multiple_of(self.tile);
        self.layout = Layout::between(&targets, &self.held, from, self.tile);
        Ok(())
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn round(&mut self) -> Result<Rounding, Fault> {
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
        squared.iter_mut().for_each(|d| *d *= self.ills.garble);
        Ok(squared)
    }

    fn begin(
        &mut self,
        bound: &Bound,
        k: usize,
        capacity: usize,
        thresholds: &[f64],
    ) -> Result<(), Fault> {
        let positions = self.layout.order.len();
        self.terms = (0..positions).map(|p| bound.column_term(p)).collect();
        self.bound = Some(bound.clone());
        (self.k, self.capacity) = (k, capacity);
        self.lists = vec![Vec::new(); positions];
        self.thresholds = thresholds.to_vec();
        let cut = |p: usize| bound.cut(p, thresholds[p]);
        self.cuts = (0..positions).map(cut).collect();
        Ok(())
    }

    fn visit(&mut self, diagonals: Range<usize>) -> Result<bool, Fault> {
        if self.ills.visits == 0 {
            return Err(Fault("it fell off the bus".into()));
        }
        self.ills.visits -= 1;
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

/// What is counted, and what is kept to be decided.
#[derive(Default)]
pub(super) struct Counting {
    pub(super) wanted: usize,
    pub(super) groups: usize,
    pub(super) squared: Vec<f64>,
    pub(super) rows: Vec<u32>,
    pub(super) beyond: Vec<u32>,
    pub(super) cuts: Vec<f32>,
    pub(super) sure: Vec<f32>,
    pub(super) terms: Vec<f32>,
    pub(super) sure_terms: Vec<f32>,
    pub(super) before: Vec<u32>,
    pub(super) nearer: Vec<u64>,
    pub(super) kept: Vec<(usize, usize)>,
    pub(super) pairs: usize,
}
