//! The rows of one layer, kept in the precision in which they were stored.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use ndarray::Array2;

use super::bytes::Bytes;
use super::dtype::Dtype;

/// An N × D matrix of activations, rows contiguous.
///
/// Values stay as they are in the file (f16, bf16, f32 or f64) and are widened where they are
/// used, so a memory-mapped layer costs no memory of its own. Cloning and selecting rows share
/// the storage.
#[derive(Clone)]
pub struct Matrix {
    storage: Storage,
    stored_rows: usize,
    columns: usize,
    selection: Option<Arc<[u32]>>,
}

/// The values of a whole stored matrix, row after row, in one of the four float types.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    /// IEEE half precision.
    F16(&'a [f16]),
    /// bfloat16.
    Bf16(&'a [bf16]),
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

#[derive(Clone)]
enum Storage {
    F16(Slab<f16>),
    Bf16(Slab<bf16>),
    F32(Slab<f32>),
    F64(Slab<f64>),
}

/// A shared run of values: decoded, or still inside the bytes of a file.
#[derive(Clone)]
pub enum Slab<T> {
    /// Values that were decoded into memory.
    Owned(Arc<Vec<T>>),
    /// Values read straight from a file.
    Mapped(MappedSlab<T>),
}

/// `len` values of type `T` that start `offset` bytes into a file.
#[derive(Clone)]
pub struct MappedSlab<T> {
    bytes: Arc<Bytes>,
    offset: usize,
    len: usize,
    kind: PhantomData<T>,
}

impl<T: bytemuck::Pod> Slab<T> {
    /// Borrows `len` values from `bytes`; `None` if they are misaligned or reach past the end.
    pub fn mapped(bytes: &Arc<Bytes>, offset: usize, len: usize) -> Option<Self> {
        let size = len.checked_mul(size_of::<T>())?;
        let span = bytes.get(offset..offset.checked_add(size)?)?;
        bytemuck::try_cast_slice::<u8, T>(span).ok()?;
        Some(Self::Mapped(MappedSlab {
            bytes: Arc::clone(bytes),
            offset,
            len,
            kind: PhantomData,
        }))
    }

    fn values(&self) -> &[T] {
        match self {
            Self::Owned(values) => values,
            Self::Mapped(slab) => {
                let size = slab.len * size_of::<T>();
                bytemuck::cast_slice(&slab.bytes[slab.offset..slab.offset + size])
            }
        }
    }
}

impl<T> Slab<T> {
    fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Owned(_) => None,
            Self::Mapped(slab) => Some(&slab.bytes),
        }
    }
}

impl<T> From<Vec<T>> for Slab<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Owned(Arc::new(values))
    }
}

macro_rules! constructor {
    ($name:ident, $kind:ident, $type:ty, $words:literal) => {
        #[doc = concat!("A matrix of ", $words, " values, row after row.")]
        ///
        /// # Panics
        /// If the slab does not hold `rows * columns` values.
        pub fn $name(rows: usize, columns: usize, values: impl Into<Slab<$type>>) -> Self {
            let values = values.into();
            assert_eq!(
                values.values().len(),
                rows * columns,
                "rows x columns values are needed"
            );
            Self {
                storage: Storage::$kind(values),
                stored_rows: rows,
                columns,
                selection: None,
            }
        }
    };
}

impl Matrix {
    constructor!(from_f16, F16, f16, "half precision");
    constructor!(from_bf16, Bf16, bf16, "bfloat16");
    constructor!(from_f32, F32, f32, "single precision");
    constructor!(from_f64, F64, f64, "double precision");

    /// Number of rows (after selection), N.
    pub fn n_rows(&self) -> usize {
        self.selection
            .as_ref()
            .map_or(self.stored_rows, |rows| rows.len())
    }

    /// Number of columns, D.
    pub fn n_columns(&self) -> usize {
        self.columns
    }

    /// The whole stored matrix; combine with [`Matrix::stored_row`] to find a row in it.
    pub fn values(&self) -> Values<'_> {
        match &self.storage {
            Storage::F16(slab) => Values::F16(slab.values()),
            Storage::Bf16(slab) => Values::Bf16(slab.values()),
            Storage::F32(slab) => Values::F32(slab.values()),
            Storage::F64(slab) => Values::F64(slab.values()),
        }
    }

    /// Whether values are still in a file, which another program may write to.
    pub fn is_mapped(&self) -> bool {
        self.bytes().is_some()
    }

    /// The file behind the values, if it was written to since it was opened.
    pub fn changed_file(&self) -> Option<&Path> {
        self.bytes()?.changed()
    }

    /// Bytes of the values that were decoded or copied into memory; those in a file cost none.
    pub fn decoded_bytes(&self) -> u64 {
        let size = match &self.storage {
            Storage::F16(Slab::Owned(_)) | Storage::Bf16(Slab::Owned(_)) => 2,
            Storage::F32(Slab::Owned(_)) => 4,
            Storage::F64(Slab::Owned(_)) => 8,
            _ => 0,
        };
        size * self.stored_rows as u64 * self.columns as u64
    }

    fn bytes(&self) -> Option<&Bytes> {
        match &self.storage {
            Storage::F16(slab) => slab.bytes(),
            Storage::Bf16(slab) => slab.bytes(),
            Storage::F32(slab) => slab.bytes(),
            Storage::F64(slab) => slab.bytes(),
        }
    }

    /// Where row `row` lies in the stored matrix.
    pub fn stored_row(&self, row: usize) -> usize {
        self.selection
            .as_ref()
            .map_or(row, |rows| rows[row] as usize)
    }

    /// Writes row `row`, widened to f64, into `out` (of length D).
    pub fn widen_row(&self, row: usize, out: &mut [f64]) {
        let start = self.stored_row(row) * self.columns;
        let span = start..start + self.columns;
        match self.values() {
            Values::F16(values) => values[span].convert_to_f64_slice(out),
            Values::Bf16(values) => values[span].convert_to_f64_slice(out),
            Values::F32(values) => {
                out.iter_mut()
                    .zip(&values[span])
                    .for_each(|(wide, &x)| *wide = f64::from(x));
            }
            Values::F64(values) => out.copy_from_slice(&values[span]),
        }
    }

    /// The same values in the type in which they were stored, which holds each of them; larger
    /// integers and f64 stay.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn narrowed(self, dtype: Dtype) -> Self {
        let Values::F64(values) = self.values() else {
            return self;
        };
        let (rows, columns) = (self.stored_rows, self.columns);
        let values = values.iter();
        match dtype {
            Dtype::F16 | Dtype::F8E4m3 | Dtype::F8E5m2 => {
                let values = values.map(|&x| f16::from_f64(x)).collect::<Vec<_>>();
                Self::from_f16(rows, columns, values)
            }
            Dtype::Bf16 => {
                let values = values.map(|&x| bf16::from_f64(x)).collect::<Vec<_>>();
                Self::from_bf16(rows, columns, values)
            }
            Dtype::F64 | Dtype::I32 | Dtype::I64 | Dtype::U32 | Dtype::U64 => self,
            _ => Self::from_f32(rows, columns, values.map(|&x| x as f32).collect::<Vec<_>>()),
        }
    }

    /// The rows `rows` of this matrix, in that order, sharing its storage.
    ///
    /// # Panics
    /// If an index is not below [`Matrix::n_rows`].
    pub fn select(&self, rows: &[u32]) -> Self {
        let n = self.n_rows();
        assert!(
            rows.iter().all(|&row| (row as usize) < n),
            "row index beyond the matrix"
        );
        let selection = match &self.selection {
            None => rows.into(),
            Some(outer) => rows.iter().map(|&row| outer[row as usize]).collect(),
        };
        Self {
            selection: Some(selection),
            ..self.clone()
        }
    }
}

impl From<Array2<f32>> for Matrix {
    fn from(array: Array2<f32>) -> Self {
        let (rows, columns) = array.dim();
        Self::from_f32(rows, columns, array.iter().copied().collect::<Vec<_>>())
    }
}

impl From<Array2<f64>> for Matrix {
    fn from(array: Array2<f64>) -> Self {
        let (rows, columns) = array.dim();
        Self::from_f64(rows, columns, array.iter().copied().collect::<Vec<_>>())
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = match self.storage {
            Storage::F16(_) => "f16",
            Storage::Bf16(_) => "bf16",
            Storage::F32(_) => "f32",
            Storage::F64(_) => "f64",
        };
        write!(
            f,
            "Matrix({} x {}, {precision})",
            self.n_rows(),
            self.columns
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_compose_and_share_the_storage() {
        let matrix = Matrix::from_f32(4, 2, (0u8..8).map(f32::from).collect::<Vec<_>>());
        let twice = matrix.select(&[3, 1, 0]).select(&[2, 0]);
        let mut row = [0.0; 2];
        twice.widen_row(0, &mut row);
        assert_eq!(row, [0.0, 1.0]);
        twice.widen_row(1, &mut row);
        assert_eq!(row, [6.0, 7.0]);
        assert_eq!(twice.n_rows(), 2);
    }

    #[test]
    fn every_precision_widens_exactly() {
        let xs = [1.5f32, -0.25, 3.0, 1024.0];
        let wide: Vec<f64> = xs.iter().map(|&x| f64::from(x)).collect();
        let matrices = [
            Matrix::from_f16(
                1,
                4,
                xs.iter().map(|&x| f16::from_f32(x)).collect::<Vec<_>>(),
            ),
            Matrix::from_bf16(
                1,
                4,
                xs.iter().map(|&x| bf16::from_f32(x)).collect::<Vec<_>>(),
            ),
            Matrix::from_f32(1, 4, xs.to_vec()),
            Matrix::from_f64(1, 4, wide.clone()),
        ];
        for matrix in matrices {
            let mut row = [0.0; 4];
            matrix.widen_row(0, &mut row);
            assert_eq!(row.to_vec(), wide, "{matrix:?}");
        }
    }
}
