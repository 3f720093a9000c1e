//! The unembedding: for every token a column of the width of the model.

use std::collections::BTreeMap;

use super::model::Real;
use crate::input::{Matrix, Tensor, Tensors, Values};
use crate::{Error, Result};

/// Where the columns lie.
#[derive(Debug)]
pub(super) enum Columns {
    /// V × d.
    Rows(Matrix),
    /// d × V.
    Transposed { matrix: Matrix, vocabulary: usize },
    /// Some columns: their tokens, and d × K.
    Some {
        places: BTreeMap<u32, usize>,
        matrix: Matrix,
    },
}

impl Columns {
    /// Tokens of the vocabulary, if all columns are there.
    pub(super) fn vocabulary(&self) -> Option<usize> {
        match self {
            Self::Rows(matrix) => Some(matrix.n_rows()),
            Self::Transposed { vocabulary, .. } => Some(*vocabulary),
            Self::Some { .. } => None,
        }
    }

    /// All columns in f32, V × d.
    pub(super) fn whole(&self) -> Option<Vec<f32>> {
        match self {
            Self::Rows(matrix) => Some(f32::of_matrix(matrix)),
            Self::Transposed { matrix, vocabulary } => Some(turned(matrix, *vocabulary)),
            Self::Some { .. } => None,
        }
    }

    /// Writes the column of a token; its place among the columns, or `None` if it is not there.
    pub(super) fn column(&self, token: u32, out: &mut [f64]) -> Option<usize> {
        let at = token as usize;
        match self {
            Self::Rows(matrix) if at < matrix.n_rows() => {
                matrix.widen_row(at, out);
                Some(at)
            }
            Self::Transposed { matrix, vocabulary } if at < *vocabulary => {
                pick(matrix, at, out);
                Some(at)
            }
            Self::Some { places, matrix } => {
                let at = *places.get(&token)?;
                pick(matrix, at, out);
                Some(at)
            }
            _ => None,
        }
    }

    /// The mean over the vocabulary; zeros where it is not asked for or columns are missing.
    pub(super) fn mean(&self, width: usize, centred: bool) -> Vec<f64> {
        let mut mean = vec![0.0; width];
        if !centred {
            return mean;
        }
        match self {
            Self::Rows(matrix) => {
                let mut row = vec![0.0; width];
                for t in 0..matrix.n_rows() {
                    matrix.widen_row(t, &mut row);
                    mean.iter_mut().zip(&row).for_each(|(sum, w)| *sum += w);
                }
                mean.iter_mut()
                    .for_each(|sum| *sum /= matrix.n_rows() as f64);
            }
            Self::Transposed { matrix, vocabulary } => {
                let mut row = vec![0.0; *vocabulary];
                for (i, mean) in mean.iter_mut().enumerate() {
                    matrix.widen_row(i, &mut row);
                    *mean = row.iter().sum::<f64>() / *vocabulary as f64;
                }
            }
            Self::Some { .. } => {}
        }
        mean
    }
}

/// Rows that are turned at a time, so that each column gets a run of numbers.
const TURNED: usize = 16;

/// A d × V matrix as V × d.
fn turned(matrix: &Matrix, vocabulary: usize) -> Vec<f32> {
    let width = matrix.n_rows();
    let mut out = vec![0.0; vocabulary * width];
    let mut rows = vec![0.0; TURNED * vocabulary];
    for first in (0..width).step_by(TURNED) {
        let count = TURNED.min(width - first);
        for (at, row) in rows
            .chunks_exact_mut(vocabulary.max(1))
            .take(count)
            .enumerate()
        {
            matrix.widen_row(first + at, row);
        }
        for (token, column) in out.chunks_exact_mut(width.max(1)).enumerate() {
            let run = column[first..first + count].iter_mut().enumerate();
            run.for_each(|(at, x)| *x = f32::of(rows[at * vocabulary + token]));
        }
    }
    out
}

/// Column `at` of a d × K matrix.
fn pick(matrix: &Matrix, at: usize, out: &mut [f64]) {
    let columns = matrix.n_columns();
    let places = (at..).step_by(columns);
    match matrix.values() {
        Values::F16(values) => fill(out, places.map(|i| values[i].to_f64())),
        Values::Bf16(values) => fill(out, places.map(|i| values[i].to_f64())),
        Values::F32(values) => fill(out, places.map(|i| f64::from(values[i]))),
        Values::F64(values) => fill(out, places.map(|i| values[i])),
    }
}

fn fill(out: &mut [f64], values: impl Iterator<Item = f64>) {
    out.iter_mut()
        .zip(values)
        .for_each(|(out, value)| *out = value);
}

/// The tensors that are read.
const NAMES: [&str; 9] = [
    "W_U_mean",
    "W_U_targets",
    "b_U_mean",
    "b_U_targets",
    "ln_final.b",
    "ln_final.w",
    "target_ids",
    "unembed.W_U",
    "unembed.b_U",
];

/// How names begin that are part of a readout.
const PARTS: [&str; 10] = [
    "W_U",
    "b_U",
    "unembed",
    "ln_final",
    "final_norm",
    "ln_f.",
    "lm_head.bias",
    "embed_out.bias",
    "final_logits_bias",
    "project_out",
];

/// The tensors of an unembedding, d × V, or d × K of some targets alone.
pub(super) struct Unembedding<'a> {
    tensors: &'a Tensors,
    tensor: Tensor<'a>,
    pub(super) width: usize,
    count: usize,
    /// Whether the columns are those of some targets.
    pub(super) is_compact: bool,
}

impl<'a> Unembedding<'a> {
    pub(super) fn find(tensors: &'a Tensors) -> Result<Self> {
        let compact = tensors.get("W_U_targets");
        let is_compact = compact.is_some();
        let tensor = match compact {
            Some(columns) => columns,
            None => tensors.require(
                "unembed.W_U",
                "lm_head.weight or embed_out.weight, transposed",
            )?,
        };
        let &[width, count] = tensor.shape() else {
            let fact = format!("shape {:?}", tensor.shape());
            return Err(tensor.refused(fact, "[d, V] is needed"));
        };
        plain_numbers(tensors, tensor)?;
        no_stray_parts(tensors)?;
        Ok(Self {
            tensors,
            tensor,
            width,
            count,
            is_compact,
        })
    }

    pub(super) fn columns(&self) -> Result<Columns> {
        let matrix = self.tensor.rows_of(self.count)?;
        if !self.is_compact {
            return Ok(Columns::Transposed {
                matrix,
                vocabulary: self.count,
            });
        }
        let words = "the tokens of the columns of W_U_targets";
        let ids = self.tensors.require("target_ids", words)?;
        ids.expect_shape(&[self.count])?;
        let mut places = BTreeMap::new();
        for (at, id) in ids.integers()?.into_iter().enumerate() {
            let token = u32::try_from(id)
                .map_err(|_| ids.refused(format!("token {id}"), "tokens count from 0"))?;
            if places.insert(token, at).is_some() {
                let fact = format!("token {token} stands twice");
                return Err(ids.refused(fact, "one column for each token is needed"));
            }
        }
        Ok(Columns::Some { places, matrix })
    }

    pub(super) fn bias(&self) -> Result<Option<Vec<f64>>> {
        let name = match self.is_compact {
            true => "b_U_targets",
            false => "unembed.b_U",
        };
        vector(self.tensors, name, self.count)
    }

    /// The mean of the bias over the vocabulary.
    pub(super) fn mean_of(&self, bias: &[f64]) -> Result<f64> {
        if !self.is_compact {
            return Ok(bias.iter().sum::<f64>() / self.count as f64);
        }
        let mean = vector(self.tensors, "b_U_mean", 1)?.ok_or_else(|| {
            malformed(
                self.tensors,
                "there are b_U_targets but no b_U_mean, so logits cannot be centred".into(),
                "dump the mean of b_U over the vocabulary, or pass --center-unembed off",
            )
        })?;
        Ok(mean[0])
    }

    /// The mean of all columns, beside the columns of some.
    pub(super) fn stored_mean(&self) -> Result<Vec<f64>> {
        vector(self.tensors, "W_U_mean", self.width)?.ok_or_else(|| {
            malformed(
                self.tensors,
                "there is no W_U_mean, so logits cannot be centred".into(),
                "dump the mean of W_U over the vocabulary, or pass --center-unembed off",
            )
        })
    }
}

/// A vector of this name and length, if there is one.
pub(super) fn vector(tensors: &Tensors, name: &str, length: usize) -> Result<Option<Vec<f64>>> {
    let Some(tensor) = tensors.get(name) else {
        return Ok(None);
    };
    tensor.expect_shape(&[length])?;
    plain_numbers(tensors, tensor)?;
    Ok(Some(f64::of_matrix(&tensor.rows_of(length)?)))
}

/// Refuses weights that mean something only together with a scale.
fn plain_numbers(tensors: &Tensors, weight: Tensor<'_>) -> Result<()> {
    if !weight.is_float() || tensors.scaled_by(weight).is_some() {
        return Err(weight.refused(
            "these are quantised weights",
            "dump the dequantised values as f32, f16 or bf16",
        ));
    }
    Ok(())
}

/// Refuses what is part of a readout under a name that is not read, such as a second bias.
fn no_stray_parts(tensors: &Tensors) -> Result<()> {
    let stray =
        |name: &&str| !NAMES.contains(name) && PARTS.iter().any(|part| name.starts_with(part));
    match tensors.names().find(stray) {
        None => Ok(()),
        Some(name) => Err(malformed(
            tensors,
            format!("tensor {name:?} is part of a readout under a name that is not read"),
            &format!(
                "the names are {}; leave it out if it changes no logit",
                NAMES.join(", ")
            ),
        )),
    }
}

pub(super) fn malformed(tensors: &Tensors, fact: String, remedy: &str) -> Error {
    Error::Malformed {
        path: tensors.path().to_owned(),
        fact,
        remedy: remedy.into(),
    }
}
