//! Fits the chunks of every draw, as many draws at once as memory allows.

use ndarray::Array2;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::geometry::clones::{ChunkFit, Elimination, Projection, Remainder};
use crate::input::Matrix;
use crate::progress::Progress;

/// The fit of one chunk.
pub(super) type Fit = Result<ChunkFit, Reason>;

/// Beyond this many neurons a row the layer is projected and not eliminated: its Gram matrix would
/// be the larger of the two, and products of short columns are cheap.
const NEURONS_A_ROW: usize = 2;

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
    /// Whether the route is that of short layers; a matter of shape alone, so that no limit on
    /// memory changes a number.
    fn is_short(&self) -> bool {
        self.features.n_columns() > NEURONS_A_ROW * self.features.n_rows()
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

    /// The fits of every size over `orders`, size by size; the whole layer is fitted once.
    ///
    /// # Errors
    /// [`Error::Memory`], before any work.
    pub(super) fn fits(
        &self,
        orders: &[Vec<usize>],
        label: &str,
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<Fit>>> {
        let centred = Centred::new(self.features);
        let at_once = self.at_once(&centred)?;
        progress.begin(label, orders.len() as u64);
        let gram: Option<Array2<f64>> = (!self.is_short()).then(|| centred.gram());
        let variances: Vec<f64> = match &gram {
            Some(gram) => (0..gram.ncols()).map(|i| gram[(i, i)]).collect(),
            None => variances(&centred),
        };
        let floors = rounding_floors(&centred);
        let fit = |(draw, order): (usize, &Vec<usize>)| {
            // The whole layer is the same chunk in every order.
            let own = match draw {
                0 => self.sizes,
                _ => &self.sizes[..self.sizes.len() - 1],
            };
            let mut rest: Box<dyn Remainder> = match &gram {
                Some(gram) => Box::new(Elimination::new(gram.view(), order, &floors)),
                None => Box::new(Projection::new(&centred, order, &floors)),
            };
            let fits: Vec<Fit> = own
                .iter()
                .map(|&w| {
                    rest.advance(w);
                    ChunkFit::new(&variances, &floors, order, &*rest, centred.n_rows())
                })
                .collect();
            progress.advance(1);
            fits
        };
        let mut by_draw: Vec<Vec<Fit>> = Vec::with_capacity(orders.len());
        for (group, orders) in orders.chunks(at_once).enumerate() {
            let numbered = orders.par_iter().enumerate();
            by_draw.par_extend(numbered.map(|(at, order)| fit((group * at_once + at, order))));
        }
        progress.end();
        let of_size = |at: usize| {
            let draws = by_draw.iter();
            draws.filter_map(|draw| draw.get(at).copied()).collect()
        };
        Ok((0..self.sizes.len()).map(of_size).collect())
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
