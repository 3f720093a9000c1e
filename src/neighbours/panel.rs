//! Order statistics of distances when k is a large part of N: whole rows of scores, no lists.
//!
//! A panel of rows is scored against all rows. A histogram of each row's scores finds the few
//! candidates around each wanted order; the bound says which of them need the exact verdict.

use ndarray::Array2;
use rayon::prelude::*;

use super::candidates::Candidate;
use super::filter::{Operand, Room};
use super::memory::Needs;
use super::points::{Points, Verdict};
use super::ranks::order_statistics;
use crate::progress::Progress;
use crate::vectors::vectorised;

/// Buckets of the histogram: enough that a bucket holds a handful of rows at N of a few
/// thousand, few enough to stay in the first-level cache.
const BUCKETS: u16 = 2048;

/// The bucket of rows that the histogram leaves out.
const NOWHERE: u16 = BUCKETS;

/// Scores that the panel of one thread may hold (4 MiB), so that memory stays O(N).
const PANEL_SCORES: usize = 1 << 20;

/// Exact r_{p,n} for the first `asking` positions p and each of the ascending `orders` n: positions ×
/// orders.
pub(super) fn order_distances(
    points: &Points<'_>,
    operand: &Operand,
    asking: usize,
    orders: &[usize],
    progress: &dyn Progress,
) -> Array2<f64> {
    let n = operand.n_rows();
    let height = panel_height(n);
    let outliers = Outliers::of(operand);
    let mut out = Array2::zeros((asking, orders.len()));
    let flat = out.as_slice_mut().expect("a fresh array is contiguous");
    flat.par_chunks_mut(height * orders.len())
        .enumerate()
        .for_each_init(
            || Worker::new(points, operand, &outliers, height.min(n)),
            |worker, (panel, out)| {
                let start = panel * height;
                let end = (start + height).min(asking);
                operand.products(start..end, 0..n, &mut worker.room, &mut worker.products);
                for (row, out) in out.chunks_mut(orders.len()).enumerate() {
                    worker.row(start + row, row, orders, out);
                }
                progress.advance(1);
            },
        );
    out
}

/// What [`order_distances`] holds beside the packed rows.
pub(super) fn needs(asking: usize, orders: usize) -> Needs {
    Needs {
        asking,
        every: 0,
        row: 16 * orders as u64,
        thread: 4 * PANEL_SCORES as u64,
    }
}

/// Number of steps that [`order_distances`] reports.
pub(super) fn steps(n: usize, asking: usize) -> u64 {
    asking.div_ceil(panel_height(n)) as u64
}

fn panel_height(n: usize) -> usize {
    (PANEL_SCORES / n.max(1)).clamp(16, 256)
}

/// Rows whose norm would widen the bound for everybody: each keeps a bound of its own.
struct Outliers {
    positions: Vec<u32>,
    /// The largest e of all other rows.
    regular_error: f64,
}

impl Outliers {
    fn of(operand: &Operand) -> Self {
        let n = operand.n_rows();
        let mut sorted: Vec<f64> = (0..n).map(|p| operand.bound.errors()[p]).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        // At most one row in 64: each outlier stands in every row's candidate list.
        let limit = (8.0 * sorted[n / 2]).max(sorted[n - 1 - n / 64]);
        #[allow(clippy::cast_possible_truncation)]
        let positions = (0..n)
            .filter(|&p| operand.bound.errors()[p] > limit)
            .map(|p| p as u32)
            .collect();
        let regular_error = sorted
            .into_iter()
            .filter(|&e| e <= limit)
            .fold(0.0, f64::max);
        Self {
            positions,
            regular_error,
        }
    }
}

struct Worker<'a> {
    operand: &'a Operand<'a>,
    outliers: &'a Outliers,
    /// The processor's vector instructions, found once.
    arch: pulp::Arch,
    verdict: Verdict<'a>,
    half_squares: Vec<f32>,
    room: Room,
    products: Vec<f32>,
    keys: Vec<f32>,
    buckets: Vec<u16>,
    gathered: Vec<(u16, Candidate)>,
    list: Vec<Candidate>,
}

impl<'a> Worker<'a> {
    fn new(
        points: &'a Points<'a>,
        operand: &'a Operand<'a>,
        outliers: &'a Outliers,
        height: usize,
    ) -> Self {
        let n = operand.n_rows();
        #[allow(clippy::cast_possible_truncation)]
        let half_squares = (0..n)
            .map(|p| (0.5 * operand.bound.square(p)) as f32)
            .collect();
        Self {
            operand,
            outliers,
            arch: pulp::Arch::new(),
            verdict: Verdict::new(points),
            half_squares,
            room: Room::default(),
            products: vec![0.0; height * n],
            keys: vec![0.0; n],
            buckets: vec![0; n],
            gathered: Vec::new(),
            list: Vec::new(),
        }
    }

    /// The wanted distances of position `p`, whose products are row `row` of the panel.
    fn row(&mut self, p: usize, row: usize, orders: &[usize], out: &mut [f64]) {
        let n = self.keys.len();
        let products = &self.products[row * n..(row + 1) * n];
        // A key is half the score less a constant of the row: the same order, one subtraction.
        for ((key, half), product) in self.keys.iter_mut().zip(&self.half_squares).zip(products) {
            *key = half - product;
        }
        self.keys[p] = f32::INFINITY;
        for &q in &self.outliers.positions {
            self.keys[q as usize] = f32::INFINITY;
        }
        let (keys, buckets) = (&self.keys, &mut self.buckets);
        let histogram = vectorised(
            self.arch,
            #[inline(always)]
            || Histogram::of(keys, buckets),
        );
        let n_outliers = self
            .outliers
            .positions
            .iter()
            .filter(|&&q| q as usize != p)
            .count();
        let spans: Vec<Span> = orders
            .iter()
            .map(|&order| self.span(p, &histogram, order.saturating_sub(n_outliers), order))
            .collect();
        self.gather(p, &spans);

        for ((&order, span), out) in orders.iter().zip(&spans).zip(out) {
            self.list.clear();
            let inside = self.gathered.iter().filter(|(bucket, _)| {
                *bucket == NOWHERE || (span.first..=span.last).contains(bucket)
            });
            self.list.extend(inside.map(|&(_, candidate)| candidate));
            let below = histogram.count_below(span.first);
            let (list, verdict) = (&mut self.list, &mut self.verdict);
            let squared = order_statistics(self.operand, p, list, below, &[order], verdict);
            *out = squared[0].sqrt();
        }
    }

    /// The buckets outside which every regular row is certainly nearer or certainly farther than
    /// the regular rows of rank `from` to `to`.
    fn span(&self, p: usize, histogram: &Histogram, from: usize, to: usize) -> Span {
        let (low, high) = (histogram.bucket_of_rank(from), histogram.bucket_of_rank(to));
        // One bucket more on either side pays for the rounding of bucket edges.
        let bottom = histogram.edge(f64::from(low) - 1.0);
        let top = histogram.edge(f64::from(high) + 2.0);
        let score = self.operand.bound.square(p) + 2.0 * top;
        // The bound of a score at the edge of the span is that at the rank, and a little more.
        let error = 1.01 / (1.0 - self.operand.bound.relative())
            * (self.operand.bound.errors()[p]
                + self.outliers.regular_error
                + self.operand.bound.relative() * score.abs());
        Span {
            first: histogram.bucket(bottom - error),
            last: histogram.bucket(top + error),
        }
    }

    /// Collects the rows of all spans, and all outliers, which no bucket can place.
    fn gather(&mut self, p: usize, spans: &[Span]) {
        let mut wanted = [false; BUCKETS as usize + 1];
        for span in spans {
            wanted[usize::from(span.first)..=usize::from(span.last)].fill(true);
        }
        self.gathered.clear();
        let own = self.operand.bound.square(p);
        for (q, &bucket) in self.buckets.iter().enumerate() {
            if wanted[usize::from(bucket)] {
                #[allow(clippy::cast_possible_truncation)]
                let (score, position) = ((own + 2.0 * f64::from(self.keys[q])) as f32, q as u32);
                self.gathered.push((bucket, Candidate { score, position }));
            }
        }
        let n = self.keys.len();
        let products = &self.products;
        let row = self.row_of(p);
        for &q in self.outliers.positions.iter().filter(|&&q| q as usize != p) {
            let product = products[row * n + q as usize];
            #[allow(clippy::cast_possible_truncation)]
            let score = self.operand.bound.score(p, q as usize, product) as f32;
            self.gathered
                .push((NOWHERE, Candidate { score, position: q }));
        }
    }

    fn row_of(&self, p: usize) -> usize {
        p % (self.products.len() / self.keys.len())
    }
}

/// Buckets `first..=last`.
struct Span {
    first: u16,
    last: u16,
}

/// Keys in equal buckets between the smallest and the largest finite one.
struct Histogram {
    smallest: f32,
    per_key: f32,
    width: f64,
    /// `before[b]` keys lie in buckets below b.
    before: Vec<u32>,
}

/// The smallest and the largest finite key.
#[inline(always)]
fn finite_range(keys: &[f32]) -> (f32, f32) {
    const LANES: usize = 16;
    let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    let (vectors, tail) = keys.as_chunks::<LANES>();
    let mut widen = |lane: usize, key: f32| {
        low[lane] = if key < low[lane] { key } else { low[lane] };
        high[lane] = if key > high[lane] && key < f32::INFINITY {
            key
        } else {
            high[lane]
        };
    };
    for vector in vectors {
        for (lane, &key) in vector.iter().enumerate() {
            widen(lane, key);
        }
    }
    for &key in tail {
        widen(0, key);
    }
    (
        low.into_iter().fold(f32::INFINITY, f32::min),
        high.into_iter().fold(f32::NEG_INFINITY, f32::max),
    )
}

impl Histogram {
    /// Sorts keys into `buckets`; infinite keys go [`NOWHERE`].
    #[inline(always)]
    fn of(keys: &[f32], buckets: &mut [u16]) -> Self {
        let (smallest, largest) = finite_range(keys);
        let range = largest - smallest;
        let spacing = smallest.abs().max(largest.abs()) * f32::EPSILON;
        // Where a bucket would not span several representable keys, one bucket holds them all.
        let resolved = range > spacing * 16.0 * f32::from(BUCKETS) && range < f32::MAX;
        let per_key = if resolved {
            f32::from(BUCKETS - 1) / range
        } else {
            0.0
        };
        let width = if resolved {
            f64::from(range) / f64::from(BUCKETS - 1)
        } else {
            f64::INFINITY
        };
        let mut histogram = Self {
            smallest,
            per_key,
            width,
            before: Vec::new(),
        };
        let mut counts = [0u32; BUCKETS as usize + 1];
        for (bucket, &key) in buckets.iter_mut().zip(keys) {
            *bucket = if key < f32::INFINITY {
                histogram.place(key)
            } else {
                NOWHERE
            };
        }
        for &bucket in &*buckets {
            counts[usize::from(bucket)] += 1;
        }
        histogram.before = std::iter::once(0)
            .chain(
                counts[..usize::from(BUCKETS)]
                    .iter()
                    .scan(0, |sum, &count| {
                        *sum += count;
                        Some(*sum)
                    }),
            )
            .collect();
        histogram
    }

    /// The bucket of a key: a monotone function, so that buckets order keys.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn place(&self, key: f32) -> u16 {
        let place = (key - self.smallest) * self.per_key;
        // Clamped as a float, which is one instruction a vector; NaN cannot be, keys are finite.
        place.clamp(0.0, f32::from(BUCKETS - 1)) as i32 as u16
    }

    /// The bucket of any number, rounded to f32 on the way.
    #[allow(clippy::cast_possible_truncation)]
    fn bucket(&self, key: f64) -> u16 {
        if self.width.is_infinite() || key.is_nan() {
            0
        } else {
            self.place(key as f32)
        }
    }

    /// Where bucket `b` begins; one infinite bucket begins and ends nowhere.
    fn edge(&self, b: f64) -> f64 {
        if self.width.is_infinite() {
            f64::from(self.smallest)
        } else {
            f64::from(self.smallest) + b * self.width
        }
    }

    /// The bucket that holds the key of rank `rank`, counted from 1, clamped to what there is.
    fn bucket_of_rank(&self, rank: usize) -> u16 {
        let bucket = self.before[1..].partition_point(|&before| (before as usize) < rank.max(1));
        u16::try_from(bucket).map_or(BUCKETS - 1, |bucket| bucket.min(BUCKETS - 1))
    }

    fn count_below(&self, bucket: u16) -> usize {
        self.before[usize::from(bucket)] as usize
    }
}
