//! The rows of a matrix under a metric, and the exact distances between them.

use std::ops::Range;

use super::exact::{squared_distance, squared_distances, squared_norm};
use crate::choice::choice;
use crate::error::{Error, NonFiniteRemedy, Result};
use crate::input::{Matrix, Values};
use crate::vectors::vectorised;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;

choice! {
    /// How far apart two rows are.
    pub enum Metric {
        /// ‖x − y‖.
        Euclidean = "euclidean",
        /// The chord ‖x/‖x‖ − y/‖y‖‖ = √(2 − 2 cos), a true distance, unlike 1 − cos.
        Cosine = "cosine",
    }
}

/// Largest |x| whose squared differences certainly fit in f64.
const LARGEST: f64 = 1e150;

/// Below this in every value, squared differences leave the normal range of f64.
const SMALLEST: f64 = 1e-140;

/// The rows of a matrix, checked and ready to be compared.
pub struct Points<'a> {
    matrix: &'a Matrix,
    /// Row norms, for the cosine metric only.
    norms: Option<Vec<f64>>,
    layer: String,
    /// More rows, numbered after those of the matrix: distances are measured from them, never to
    /// them.
    queries: Option<&'a Points<'a>>,
}

impl<'a> Points<'a> {
    /// Checks every value of `matrix`; `layer` names it in errors.
    ///
    /// # Errors
    /// [`Error::NonFinite`], [`Error::TooLarge`], [`Error::TooSmall`] and, under the cosine
    /// metric, [`Error::ZeroRow`].
    pub fn new(matrix: &'a Matrix, metric: Metric, layer: &str) -> Result<Self> {
        let columns = matrix.n_columns();
        let arch = pulp::Arch::new();
        let checked = (0..matrix.n_rows())
            .into_par_iter()
            .map_init(
                || vec![0.0; columns],
                |values, row| {
                    matrix.widen_row(row, values);
                    let size = vectorised(
                        arch,
                        #[inline(always)]
                        || Size::of(values),
                    );
                    if !size.comparable {
                        return Err(refuse(layer, row, values, matrix.n_rows()));
                    }
                    if metric == Metric::Euclidean {
                        return Ok((1.0, size));
                    }
                    let norm = squared_norm(values).sqrt();
                    // A norm that underflowed has lost its direction as surely as a zero row.
                    if norm < f64::MIN_POSITIVE.sqrt() {
                        return Err(Error::ZeroRow {
                            layer: layer.to_owned(),
                            row,
                        });
                    }
                    Ok((norm, size))
                },
            )
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        let any = |holds: fn(&Size) -> bool| checked.iter().any(|(_, size)| holds(size));
        if any(|size| size.nonzero) && !any(|size| size.reaches_smallest) {
            return Err(Error::TooSmall {
                layer: layer.to_owned(),
            });
        }
        let norms =
            (metric == Metric::Cosine).then(|| checked.into_iter().map(|(norm, _)| norm).collect());
        Ok(Self {
            matrix,
            norms,
            layer: layer.to_owned(),
            queries: None,
        })
    }

    /// Some of the rows that distances are measured from, for [`Points::part`]: of the queries, if
    /// there are some.
    #[cfg(any(test, feature = "cuda"))]
    pub(super) fn select(&self, rows: &[u32]) -> Matrix {
        let (asking, first) = self.asking();
        let rows: Vec<u32> = rows.iter().map(|row| row - first).collect();
        asking.matrix.select(&rows)
    }

    /// The points of `matrix`, which holds the rows `rows` of these: they were checked already.
    #[cfg(any(test, feature = "cuda"))]
    pub(super) fn part<'b>(&self, matrix: &'b Matrix, rows: &[u32]) -> Points<'b> {
        let (asking, first) = self.asking();
        let norms = asking.norms.as_ref();
        let of = |norms: &Vec<f64>| {
            rows.iter()
                .map(|row| norms[(row - first) as usize])
                .collect()
        };
        Points {
            matrix,
            norms: norms.map(of),
            layer: self.layer.clone(),
            queries: None,
        }
    }

    /// Those whose rows ask, and the number of the first.
    #[cfg(any(test, feature = "cuda"))]
    fn asking(&self) -> (&Points<'a>, u32) {
        match self.queries {
            Some(queries) => (queries, super::table::index(self.matrix.n_rows())),
            None => (self, 0),
        }
    }

    /// The rows that distances may be measured to.
    #[cfg(any(test, feature = "cuda"))]
    pub(super) fn without_queries(&self) -> Self {
        Self {
            matrix: self.matrix,
            norms: self.norms.clone(),
            layer: self.layer.clone(),
            queries: None,
        }
    }

    /// The same rows and, numbered after them, those of `queries`, which must be as wide.
    pub(super) fn with_queries(&self, queries: &'a Points<'a>) -> Self {
        assert_eq!(self.n_columns(), queries.n_columns(), "one space");
        Self {
            matrix: self.matrix,
            norms: self.norms.clone(),
            layer: self.layer.clone(),
            queries: Some(queries),
        }
    }

    /// Number of rows, N.
    pub fn n_rows(&self) -> usize {
        self.matrix.n_rows() + self.queries.map_or(0, Points::n_rows)
    }

    /// How many rows distances may be measured to.
    pub(super) fn n_targets(&self) -> usize {
        self.matrix.n_rows()
    }

    /// Number of columns, D.
    pub fn n_columns(&self) -> usize {
        self.matrix.n_columns()
    }

    /// The matrix of the rows.
    pub fn matrix(&self) -> &Matrix {
        self.matrix
    }

    /// The matrix that holds row `row`, and the row's number there.
    #[cfg(feature = "cuda")]
    pub(super) fn source(&self, row: usize) -> (&Matrix, usize) {
        match self.queries {
            Some(queries) if row >= self.matrix.n_rows() => {
                queries.source(row - self.matrix.n_rows())
            }
            _ => (self.matrix, row),
        }
    }

    /// The norm by which row `row` is divided, under the cosine metric.
    #[cfg(feature = "cuda")]
    pub(super) fn norm(&self, row: usize) -> Option<f64> {
        match self.queries {
            Some(queries) if row >= self.matrix.n_rows() => {
                queries.norm(row - self.matrix.n_rows())
            }
            _ => self.norms.as_ref().map(|norms| norms[row]),
        }
    }

    /// The layer's name, for errors.
    pub(super) fn layer(&self) -> &str {
        &self.layer
    }

    /// Row `row` as the metric sees it: widened to f64 and, for cosine, divided by its norm.
    pub fn row(&self, row: usize, out: &mut [f64]) {
        if let Some(queries) = self.queries
            && row >= self.matrix.n_rows()
        {
            return queries.row(row - self.matrix.n_rows(), out);
        }
        self.matrix.widen_row(row, out);
        if let Some(norms) = &self.norms {
            out.iter_mut().for_each(|x| *x /= norms[row]);
        }
    }
}

/// What squaring would do to the values of a row.
struct Size {
    /// Every value is finite, and its square too.
    comparable: bool,
    /// Some value is not 0.
    nonzero: bool,
    /// Some value has a square far inside the normal range.
    reaches_smallest: bool,
}

impl Size {
    #[inline(always)]
    fn of(values: &[f64]) -> Self {
        // NaN fails every comparison.
        let any = |holds: fn(f64) -> bool| values.iter().fold(false, |any, x| any | holds(x.abs()));
        Self {
            comparable: values
                .iter()
                .fold(true, |all, x| all & (x.abs() <= LARGEST)),
            nonzero: any(|x| x > 0.0),
            reaches_smallest: any(|x| x >= SMALLEST),
        }
    }
}

/// The error for the first value of a row that cannot take part.
fn refuse(layer: &str, row: usize, values: &[f64], n: usize) -> Error {
    let bad = values
        .iter()
        .position(|x| !x.is_finite() || x.abs() > LARGEST);
    let column = bad.expect("the row was refused for one of its values");
    let (layer, value) = (layer.to_owned(), values[column]);
    if value.is_finite() {
        Error::TooLarge {
            layer,
            row,
            column,
            value,
        }
    } else {
        Error::NonFinite {
            layer,
            row,
            column,
            value,
            n_rows: 1,
            n,
            remedy: NonFiniteRemedy::Drop,
        }
    }
}

/// Exact squared distances from one row at a time; each thread has its own.
pub(super) struct Verdict<'a> {
    points: &'a Points<'a>,
    /// The processor's vector instructions, found once.
    arch: pulp::Arch,
    from: Vec<f64>,
    wide: Vec<f64>,
    single: Vec<f32>,
}

impl<'a> Verdict<'a> {
    pub(super) fn new(points: &'a Points<'a>) -> Self {
        let d = points.n_columns();
        let arch = pulp::Arch::new();
        Self {
            points,
            arch,
            from: vec![0.0; d],
            wide: vec![0.0; d],
            single: vec![0.0; AT_ONCE * d],
        }
    }

    /// Measures from row `row` on.
    pub(super) fn stand_at(&mut self, row: usize) {
        self.points.row(row, &mut self.from);
    }

    /// D² between the row stood at and each of `rows`, beside that row.
    pub(super) fn judge(&mut self, rows: Vec<u32>) -> Vec<(f64, u32)> {
        let mut squared = Vec::with_capacity(rows.len());
        self.squared_distances(rows.iter().map(|&row| row as usize), &mut squared);
        squared.into_iter().zip(rows).collect()
    }

    /// D² between the row stood at and each of `rows`, in their order, added to `out`.
    pub(super) fn squared_distances(
        &mut self,
        rows: impl ExactSizeIterator<Item = usize>,
        out: &mut Vec<f64>,
    ) {
        if self.points.norms.is_some() {
            for row in rows {
                self.points.row(row, &mut self.wide);
                out.push(vectorised(
                    self.arch,
                    #[inline(always)]
                    || squared_distance(&self.from, &self.wide),
                ));
            }
            return;
        }
        let matrix = self.points.matrix;
        let (from, arch) = (&self.from[..], self.arch);
        match matrix.values() {
            Values::F64(values) => vectorised(
                arch,
                #[inline(always)]
                || from_each(from, matrix, values, rows, out),
            ),
            Values::F32(values) => vectorised(
                arch,
                #[inline(always)]
                || from_each(from, matrix, values, rows, out),
            ),
            // Halves widen exactly to f32, which the processor does eight at a time.
            Values::F16(values) => {
                let single = &mut self.single;
                vectorised(
                    arch,
                    #[inline(always)]
                    || from_each_half(from, matrix, values, rows, single, out),
                );
            }
            Values::Bf16(values) => {
                let single = &mut self.single;
                vectorised(
                    arch,
                    #[inline(always)]
                    || from_each_half(from, matrix, values, rows, single, out),
                );
            }
        }
    }
}

/// Where the values of a row lie.
#[inline(always)]
fn stored(matrix: &Matrix, row: usize) -> Range<usize> {
    let start = matrix.stored_row(row) * matrix.n_columns();
    start..start + matrix.n_columns()
}

/// Rows that are measured at once.
const AT_ONCE: usize = 4;

/// Shows the rows to `measure`, up to [`AT_ONCE`] at a time.
#[inline(always)]
fn by_fours<Y>(
    matrix: &Matrix,
    values: &[Y],
    mut rows: impl Iterator<Item = usize>,
    mut measure: impl FnMut(&[&[Y]]),
) {
    let mut some = [&values[..0]; AT_ONCE];
    loop {
        let mut count = 0;
        for (row, number) in some.iter_mut().zip(&mut rows) {
            *row = &values[stored(matrix, number)];
            count += 1;
        }
        if count == 0 {
            return;
        }
        measure(&some[..count]);
    }
}

/// D² from `from` to each of `rows`.
#[inline(always)]
fn from_each<Y: Copy + Into<f64>>(
    from: &[f64],
    matrix: &Matrix,
    values: &[Y],
    rows: impl ExactSizeIterator<Item = usize>,
    out: &mut Vec<f64>,
) {
    by_fours(
        matrix,
        values,
        rows,
        #[inline(always)]
        |rows| measure(from, rows, out),
    );
}

/// The same for rows that are widened to f32 first, into `single`.
#[inline(always)]
fn from_each_half<H>(
    from: &[f64],
    matrix: &Matrix,
    values: &[H],
    rows: impl ExactSizeIterator<Item = usize>,
    single: &mut [f32],
    out: &mut Vec<f64>,
) where
    [H]: HalfFloatSliceExt,
{
    by_fours(
        matrix,
        values,
        rows,
        #[inline(always)]
        |rows| {
            let width = from.len().max(1);
            let mut wide = [&[][..]; AT_ONCE];
            for ((wide, single), row) in wide.iter_mut().zip(single.chunks_mut(width)).zip(rows) {
                row.convert_to_f32_slice(single);
                *wide = single;
            }
            measure(from, &wide[..rows.len()], out);
        },
    );
}

/// D² from `from` to up to [`AT_ONCE`] rows, whose sums run side by side.
#[inline(always)]
fn measure<Y: Copy + Into<f64>>(from: &[f64], rows: &[&[Y]], out: &mut Vec<f64>) {
    match *rows {
        [a, b, c, d] => out.extend_from_slice(&squared_distances(from, [a, b, c, d])),
        [a, b, c] => out.extend_from_slice(&squared_distances(from, [a, b, c])),
        [a, b] => out.extend_from_slice(&squared_distances(from, [a, b])),
        // Pushed, not extended by a map, which the compiler would not build for wide vectors.
        _ => {
            for row in rows {
                out.push(squared_distance(from, row));
            }
        }
    }
}
