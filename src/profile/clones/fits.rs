//! Fits the chunks of every draw, as many draws at once as memory allows.

use ndarray::Array2;
use rayon::prelude::*;

use super::forecast::{DISJOINT, DRAWS};
use super::route::is_short;
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::geometry::clones::{ChunkFit, Elimination, Projection, Remainder, Residuals};
use crate::input::Matrix;
use crate::progress::Progress;

/// The fit of one chunk.
pub(super) type Fit = Result<ChunkFit, Reason>;

/// A residual is rounding up to this many times the largest squared error of a neuron.
const EXPLAINED_ERRORS: f64 = 4.0;

/// What is fitted.
#[derive(Clone, Copy)]
pub(super) struct Fitting<'a> {
    pub(super) features: &'a Matrix,
    /// Chunk sizes, ascending, the whole layer last.
    pub(super) sizes: &'a [usize],
    /// Bytes that may be held beside the mapped layer.
    pub(super) max_memory: Option<u64>,
}

impl Fitting<'_> {
    fn is_short(&self) -> bool {
        is_short(self.features.n_rows(), self.features.n_columns())
    }

    /// Bytes that the Gram matrix takes while it is made, those that it takes then, and those of one
    /// draw.
    fn needs(&self, layer: &Centred<'_>) -> [u64; 3] {
        let (n, width) = (layer.n_rows(), layer.n_columns());
        if self.is_short() {
            return [0, 0, Projection::bytes(n, width)];
        }
        let matrix = Elimination::bytes(width);
        [layer.gram_bytes(), matrix, matrix]
    }

    /// How many draws fit beside each other.
    ///
    /// # Errors
    /// [`Error::Memory`] if not even one does.
    fn at_once(&self, layer: &Centred<'_>) -> Result<usize> {
        let threads = rayon::current_num_threads().max(1);
        let [making, fixed, draw] = self.needs(layer);
        let needed = making.max(fixed + draw);
        let Some(limit) = self.max_memory else {
            return Ok(threads);
        };
        let room = limit.saturating_sub(fixed) / draw.max(1);
        if needed > limit {
            return Err(Error::Memory {
                work: format!(
                    "the fits of {} neurons over {} rows",
                    self.features.n_columns(),
                    self.features.n_rows()
                ),
                needed,
                limit,
                remedy: "raise it, use fewer --threads, or dump fewer neurons".into(),
            });
        }
        Ok(threads.min(usize::try_from(room).unwrap_or(threads)))
    }

    /// What all draws share.
    ///
    /// # Errors
    /// [`Error::Memory`], before any work.
    pub(super) fn prepare(&self) -> Result<Prepared<'_>> {
        let centred = Centred::new(self.features);
        let at_once = self.at_once(&centred)?;
        let gram: Option<Array2<f64>> = (!self.is_short()).then(|| centred.gram());
        let variances = match &gram {
            Some(gram) => (0..gram.ncols()).map(|i| gram[(i, i)]).collect(),
            None => variances(&centred),
        };
        Ok(Prepared {
            sizes: self.sizes,
            floors: rounding_floors(&centred),
            centred,
            gram,
            variances,
            at_once,
        })
    }
}

/// A layer ready to be fitted from any of its neurons.
pub(super) struct Prepared<'a> {
    sizes: &'a [usize],
    centred: Centred<'a>,
    /// XᵀX; `None` for short layers.
    gram: Option<Array2<f64>>,
    variances: Vec<f64>,
    floors: Vec<f64>,
    /// Draws that fit into memory beside each other.
    at_once: usize,
}

impl Prepared<'_> {
    /// The fits of every size over `orders`, size by size; the whole layer is fitted once.
    pub(super) fn fits(&self, orders: &[Vec<usize>], progress: &dyn Progress) -> Vec<Vec<Fit>> {
        let by_draw = self.each_draw(orders, DRAWS, progress, |draw, order| {
            // The whole layer is the same chunk in every order.
            let own = match draw {
                0 => self.sizes,
                _ => &self.sizes[..self.sizes.len() - 1],
            };
            let mut rest = self.remainder(order);
            own.iter()
                .map(|&w| {
                    rest.advance(w);
                    self.fit(order, &*rest)
                })
                .collect::<Vec<Fit>>()
        });
        self.by_size(&by_draw)
    }

    /// The fit of the w neurons after the first w of every order from those, and the other way
    /// round, averaged, size by size; empty for sizes of which the layer has no two chunks.
    pub(super) fn disjoint(
        &self,
        orders: &[Vec<usize>],
        progress: &dyn Progress,
    ) -> Vec<Vec<Result<Residuals, Reason>>> {
        let by_draw = self.each_draw(orders, DISJOINT, progress, |_, order| {
            let fitting = self.sizes.iter().filter(|&&w| 2 * w <= order.len());
            fitting
                .map(|&w| self.both_ways(&order[..w], &order[w..2 * w]))
                .collect::<Vec<_>>()
        });
        self.by_size(&by_draw)
    }

    /// The mean of the fits of `b` from `a` and of `a` from `b`.
    fn both_ways(&self, a: &[usize], b: &[usize]) -> Result<Residuals, Reason> {
        let one_way = |from: &[usize], to: &[usize]| {
            let order = [from, to].concat();
            let mut rest = self.remainder(&order);
            rest.advance(from.len());
            let fit = self.fit(&order, &*rest)?;
            fit.complement.ok_or(Reason::ConstantLayer)
        };
        let (there, back) = (one_way(a, b)?, one_way(b, a)?);
        let mean = |x: f64, y: f64| f64::midpoint(x, y);
        let of_some = |x: Option<f64>, y: Option<f64>| Some(mean(x?, y?));
        Ok(Residuals {
            r2: mean(there.r2, back.r2),
            correlation: of_some(there.correlation, back.correlation),
            frobenius: of_some(there.frobenius, back.frobenius),
        })
    }

    /// The neurons of `order`, none taken out.
    fn remainder(&self, order: &[usize]) -> Box<dyn Remainder> {
        match &self.gram {
            Some(gram) => Box::new(Elimination::new(gram.view(), order, &self.floors)),
            None => Box::new(Projection::new(&self.centred, order, &self.floors)),
        }
    }

    fn fit(&self, order: &[usize], rest: &dyn Remainder) -> Fit {
        let n = self.centred.n_rows();
        ChunkFit::new(&self.variances, &self.floors, order, rest, n)
    }

    /// What `of` says of every draw, as many at once as memory allows.
    fn each_draw<T: Send>(
        &self,
        orders: &[Vec<usize>],
        phase: &'static str,
        progress: &dyn Progress,
        of: impl Fn(usize, &[usize]) -> T + Sync,
    ) -> Vec<T> {
        progress.step(phase, "");
        progress.begin(phase, orders.len() as u64);
        let mut by_draw: Vec<T> = Vec::with_capacity(orders.len());
        for (group, orders) in orders.chunks(self.at_once).enumerate() {
            let numbered = orders.par_iter().enumerate();
            by_draw.par_extend(numbered.map(|(at, order)| {
                let found = of(group * self.at_once + at, order);
                progress.advance(1);
                found
            }));
        }
        progress.end();
        by_draw
    }

    fn by_size<T: Copy>(&self, by_draw: &[Vec<T>]) -> Vec<Vec<T>> {
        let of_size = |at: usize| {
            let draws = by_draw.iter();
            draws.filter_map(|draw| draw.get(at).copied()).collect()
        };
        (0..self.sizes.len()).map(of_size).collect()
    }
}

/// What rounding to the stored type may leave of a neuron that others explain: its own errors and
/// theirs, which are as large.
fn rounding_floors(layer: &Centred<'_>) -> Vec<f64> {
    let errors = layer.column_errors().iter();
    errors.map(|error| EXPLAINED_ERRORS * error).collect()
}

/// Sums of squares of the centred columns, in the order of rows.
fn variances(layer: &Centred<'_>) -> Vec<f64> {
    let mut sums = vec![0.0; layer.n_columns()];
    for row in 0..layer.n_rows() {
        for (sum, x) in sums.iter_mut().zip(layer.rows(row..row + 1)) {
            *sum += x * x;
        }
    }
    sums
}
