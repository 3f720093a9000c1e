//! The rows of a matrix under a metric, and the exact distances between them.

use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;
use serde::Serialize;

use super::exact::{squared_distance, squared_norm};
use crate::error::{Error, Result};
use crate::input::{Matrix, Values};

/// How far apart two rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// ‖x − y‖.
    #[default]
    Euclidean,
    /// The chord ‖x/‖x‖ − y/‖y‖‖ = √(2 − 2 cos), a true distance, unlike 1 − cos.
    Cosine,
}

impl Metric {
    /// The name in reports and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::Cosine => "cosine",
        }
    }
}

/// Largest |x| whose squared differences certainly fit in f64.
const LARGEST: f64 = 1e150;

/// The rows of a matrix, checked and ready to be compared.
pub struct Points<'a> {
    matrix: &'a Matrix,
    /// Row norms, for the cosine metric only.
    norms: Option<Vec<f64>>,
}

impl<'a> Points<'a> {
    /// Checks every value of `matrix`; `layer` names it in errors.
    ///
    /// # Errors
    /// [`Error::NonFinite`], [`Error::TooLarge`] and, under the cosine metric,
    /// [`Error::ZeroRow`].
    pub fn new(matrix: &'a Matrix, metric: Metric, layer: &str) -> Result<Self> {
        let columns = matrix.n_columns();
        let norms = (0..matrix.n_rows())
            .into_par_iter()
            .map_init(
                || vec![0.0; columns],
                |row_values, row| {
                    matrix.widen_row(row, row_values);
                    let largest = row_values.iter().fold(0.0f64, |m, x| m.max(x.abs()));
                    // `max` drops NaN, a sum keeps it.
                    let poisoned = row_values.iter().fold(0.0f64, |s, x| s + x * 0.0).is_nan();
                    if poisoned || largest > LARGEST {
                        return Err(refuse(layer, row, row_values, matrix.n_rows()));
                    }
                    let norm = squared_norm(row_values).sqrt();
                    // A norm that underflowed has lost its direction as surely as a zero row.
                    if metric == Metric::Cosine && norm < f64::MIN_POSITIVE.sqrt() {
                        return Err(Error::ZeroRow {
                            layer: layer.to_owned(),
                            row,
                        });
                    }
                    Ok(norm)
                },
            )
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        let norms = (metric == Metric::Cosine).then_some(norms);
        Ok(Self { matrix, norms })
    }

    /// Number of rows, N.
    pub fn n_rows(&self) -> usize {
        self.matrix.n_rows()
    }

    /// Number of columns, D.
    pub fn n_columns(&self) -> usize {
        self.matrix.n_columns()
    }

    /// Row `row` as the metric sees it: widened to f64 and, for cosine, divided by its norm.
    pub fn row(&self, row: usize, out: &mut [f64]) {
        self.matrix.widen_row(row, out);
        if let Some(norms) = &self.norms {
            out.iter_mut().for_each(|x| *x /= norms[row]);
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
            single: vec![0.0; d],
        }
    }

    /// Measures from row `row` on.
    pub(super) fn stand_at(&mut self, row: usize) {
        self.points.row(row, &mut self.from);
    }

    /// D² between the row stood at and row `row`.
    pub(super) fn squared_distance(&mut self, row: usize) -> f64 {
        if self.points.norms.is_some() {
            self.points.row(row, &mut self.wide);
            return self
                .arch
                .dispatch(|| squared_distance(&self.from, &self.wide));
        }
        let matrix = self.points.matrix;
        let d = matrix.n_columns();
        let start = matrix.stored_row(row) * d;
        let (from, single, span) = (&self.from, &mut self.single, start..start + d);
        match matrix.values() {
            Values::F64(values) => self.arch.dispatch(|| squared_distance(from, &values[span])),
            Values::F32(values) => self.arch.dispatch(|| squared_distance(from, &values[span])),
            // Halves widen exactly to f32, which the processor does eight at a time.
            Values::F16(values) => {
                values[span].convert_to_f32_slice(single);
                self.arch.dispatch(|| squared_distance(from, single))
            }
            Values::Bf16(values) => {
                values[span].convert_to_f32_slice(single);
                self.arch.dispatch(|| squared_distance(from, single))
            }
        }
    }
}
