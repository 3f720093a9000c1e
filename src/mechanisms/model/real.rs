//! The two precisions of a forward pass.

use half::{bf16, f16};
use ndarray::NdFloat;

use crate::algebra::Number;
use crate::algebra::exp_f32;
use crate::choice::choice;
use crate::input::{Matrix, Values};

choice! {
    /// The precision of a forward pass.
    pub enum Precision {
        /// For speed.
        F32 = "f32",
        /// For proof.
        F64 = "f64",
    }
}

/// A number of one of the precisions.
pub trait Real: Number + NdFloat {
    /// The nearest value to `x`.
    fn of(x: f64) -> Self;
    /// The same value as f64.
    fn wide(self) -> f64;
    /// Replaces every value by e to its power.
    fn exp_all(values: &mut [Self]);
    /// The error function.
    fn erf(self) -> Self;
    /// Little-endian bytes of values.
    fn to_bytes(values: &[Self]) -> Vec<u8>;
    /// Which precision it is.
    const PRECISION: Precision;
    /// Name of the type in safetensors headers.
    const NAME: &'static str;

    /// All values of a stored matrix, row after row.
    fn of_matrix(matrix: &Matrix) -> Vec<Self> {
        match matrix.values() {
            Values::F16(values) => values.iter().map(|x: &f16| Self::of(x.to_f64())).collect(),
            Values::Bf16(values) => values.iter().map(|x: &bf16| Self::of(x.to_f64())).collect(),
            Values::F32(values) => values.iter().map(|&x| Self::of(f64::from(x))).collect(),
            Values::F64(values) => values.iter().map(|&x| Self::of(x)).collect(),
        }
    }
}

impl Real for f32 {
    const PRECISION: Precision = Precision::F32;
    const NAME: &'static str = "F32";

    #[allow(clippy::cast_possible_truncation)] // rounding is what is asked for
    fn of(x: f64) -> Self {
        x as Self
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
    fn exp_all(values: &mut [Self]) {
        exp_f32(values);
    }
    fn erf(self) -> Self {
        libm::erff(self)
    }
    fn to_bytes(values: &[Self]) -> Vec<u8> {
        values.iter().flat_map(|x| x.to_le_bytes()).collect()
    }
}

impl Real for f64 {
    const PRECISION: Precision = Precision::F64;
    const NAME: &'static str = "F64";

    fn of(x: f64) -> Self {
        x
    }
    fn wide(self) -> f64 {
        self
    }
    fn exp_all(values: &mut [Self]) {
        values.iter_mut().for_each(|x| *x = libm::exp(*x));
    }
    fn erf(self) -> Self {
        libm::erf(self)
    }
    fn to_bytes(values: &[Self]) -> Vec<u8> {
        values.iter().flat_map(|x| x.to_le_bytes()).collect()
    }
}
