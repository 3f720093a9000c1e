//! Says what the elements of an array are and how far apart they lie.

use super::dtype::Dtype;

/// What the elements of an array are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// Numbers that have a geometry.
    Number(Dtype),
    /// numpy `U`: this number of UTF-32 characters, padded with zeros.
    Unicode(usize),
    /// numpy `S`: this number of bytes, padded with zeros.
    Ascii(usize),
    /// Something that is refused, and how it could be converted.
    Other {
        /// What it is.
        what: String,
        /// How to make numbers of it.
        remedy: &'static str,
    },
}

impl Item {
    /// Bytes per element; `None` where that is unknown or does not matter.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::Number(dtype) => Some(dtype.size()),
            Self::Unicode(length) => length.checked_mul(4),
            Self::Ascii(length) => Some(*length),
            Self::Other { .. } => None,
        }
    }
}

/// The strides of an array whose last axis varies fastest, or whose first does.
pub(crate) fn dense_strides(shape: &[usize], fortran: bool) -> Vec<usize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1usize;
    let mut set = |axis: usize| {
        strides[axis] = stride;
        // Readers check sizes; a shape that is refused later must not overflow here.
        stride = stride.saturating_mul(shape[axis]);
    };
    match fortran {
        true => (0..shape.len()).for_each(&mut set),
        false => (0..shape.len()).rev().for_each(&mut set),
    }
    strides
}

/// Whether elements lie side by side in C order; axes of length 1 have no say.
pub(crate) fn is_dense(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1;
    shape.iter().zip(strides).rev().all(|(&n, &stride)| {
        let fits = n <= 1 || stride == expected;
        expected *= n;
        fits
    })
}
