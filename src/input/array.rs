//! The values of an array, read run by run in whatever way they are stored.

use std::sync::Arc;

use bytemuck::Pod;
use half::{bf16, f16};
use rayon::prelude::*;

use super::bytes::Bytes;
use super::dtype::{Dtype, from_e4m3, from_e5m2};
use super::item::{Item, is_dense};
use super::matrix::{Matrix, Slab};

/// Rows decoded together by one task.
const BLOCK_ROWS: usize = 64;

/// Columns of a Fortran-order array copied before moving to the next row: neighbouring rows share
/// cache lines, so a narrow tile reads each line once.
const FORTRAN_COLUMNS: usize = 16;

/// An array whose bytes are in reach.
pub(crate) struct Array {
    pub bytes: Arc<Bytes>,
    pub offset: usize,
    pub item: Item,
    pub swapped: bool,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
    pub origin: usize,
}

/// `read(row, start, out)` fills `out` with the values of `row` from position `start` on, where a
/// row is everything behind the first axis in C order.
pub(crate) type ReadRun<'a, T> = Box<dyn Fn(usize, usize, &mut [T]) + Sync + 'a>;

/// Which part of which rows to take.
pub(crate) struct Cut<'a> {
    /// The rows, or all of them.
    pub rows: Option<&'a [u32]>,
    /// How many values of each.
    pub width: usize,
    /// From which position on, by input row.
    pub start: &'a (dyn Fn(usize) -> usize + Sync),
}

impl Array {
    /// Length of the first axis; an array without axes is one row.
    pub(crate) fn n_rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The same array with its first two axes as one; `None` where they do not lie one inside the
    /// other.
    pub(crate) fn merged(&self) -> Option<Self> {
        let (&[n, inner, ..], &[outer_stride, stride, ..]) =
            (self.shape.as_slice(), self.strides.as_slice())
        else {
            return None;
        };
        let nested = n <= 1 || inner <= 1 || outer_stride == inner * stride;
        nested.then(|| Self {
            bytes: Arc::clone(&self.bytes),
            item: self.item.clone(),
            shape: [&[n * inner], &self.shape[2..]].concat(),
            strides: [
                &[if inner > 1 { stride } else { outer_stride }],
                &self.strides[2..],
            ]
            .concat(),
            ..*self
        })
    }

    /// Number of values behind one index of the first axis.
    pub(crate) fn row_width(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Reads runs of elements stored as `S`.
    pub(crate) fn runs<'a, S: Pod, T: 'a>(
        &'a self,
        convert: impl Fn(S) -> T + Sync + 'a,
    ) -> ReadRun<'a, T> {
        let size = size_of::<S>();
        let (origin, swapped) = (self.origin, self.swapped);
        let stride = self.strides.first().copied().unwrap_or(0);
        let bytes = &self.bytes[self.offset..];
        let element = move |raw: &[u8]| {
            let mut value: S = bytemuck::pod_read_unaligned(raw);
            if swapped {
                bytemuck::bytes_of_mut(&mut value).reverse();
            }
            convert(value)
        };
        if self.rows_are_dense() {
            return Box::new(move |row, start, out| {
                let first = (origin + row * stride + start) * size;
                let run = bytes[first..first + out.len() * size].chunks_exact(size);
                out.iter_mut()
                    .zip(run)
                    .for_each(|(value, raw)| *value = element(raw));
            });
        }
        let columns = self.columns();
        Box::new(move |row, start, out| {
            for (value, column) in out.iter_mut().zip(&columns[start..]) {
                let first = (origin + row * stride + column) * size;
                *value = element(&bytes[first..first + size]);
            }
        })
    }

    /// Whether the values of one row lie side by side.
    fn rows_are_dense(&self) -> bool {
        self.shape.is_empty() || is_dense(&self.shape[1..], &self.strides[1..])
    }

    /// Where, in elements, each position of row 0 lies.
    fn columns(&self) -> Vec<usize> {
        let mut columns = vec![0];
        for (&n, &stride) in self.shape.iter().zip(&self.strides).skip(1) {
            columns = columns
                .iter()
                .flat_map(|&base| (0..n).map(move |i| base + i * stride))
                .collect();
        }
        columns
    }

    /// Reads runs widened to f64; `None` if the elements are not numbers.
    pub(crate) fn runs_f64(&self) -> Option<ReadRun<'_, f64>> {
        let Item::Number(dtype) = self.item else {
            return None;
        };
        Some(match dtype {
            Dtype::F16 => self.runs(|x: f16| x.to_f64()),
            Dtype::Bf16 => self.runs(|x: bf16| x.to_f64()),
            Dtype::F32 => self.runs(|x: f32| f64::from(x)),
            Dtype::F64 => self.runs(|x: f64| x),
            Dtype::F8E4m3 => self.runs(|x: u8| from_e4m3(x).to_f64()),
            Dtype::F8E5m2 => self.runs(|x: u8| from_e5m2(x).to_f64()),
            Dtype::I8 => self.runs(|x: i8| f64::from(x)),
            Dtype::I16 => self.runs(|x: i16| f64::from(x)),
            Dtype::I32 => self.runs(|x: i32| f64::from(x)),
            Dtype::I64 => self.runs(|x: i64| x as f64),
            Dtype::U8 => self.runs(|x: u8| f64::from(x)),
            Dtype::U16 => self.runs(|x: u16| f64::from(x)),
            Dtype::U32 => self.runs(|x: u32| f64::from(x)),
            Dtype::U64 => self.runs(|x: u64| x as f64),
            Dtype::Bool => self.runs(|x: u8| f64::from(u8::from(x != 0))),
        })
    }

    /// Every value in C order, widened to f64; `None` if the elements are not numbers.
    pub(crate) fn to_f64(&self) -> Option<Vec<f64>> {
        let read = self.runs_f64()?;
        Some(self.collect(&read, &self.whole_rows(None)))
    }

    /// The first value that f64 cannot hold exactly, if any.
    pub(crate) fn beyond_f64(&self) -> Option<String> {
        const LIMIT: u64 = 1 << 53;
        match self.item {
            Item::Number(Dtype::I64) => self.find(|x: &i64| x.unsigned_abs() > LIMIT),
            Item::Number(Dtype::U64) => self.find(|x: &u64| *x > LIMIT),
            _ => None,
        }
    }

    fn find<S: Pod + ToString>(&self, wanted: impl Fn(&S) -> bool + Sync) -> Option<String> {
        let read = self.runs(|x: S| x);
        let mut row = vec![S::zeroed(); self.row_width()];
        (0..self.n_rows()).find_map(|i| {
            read(i, 0, &mut row);
            row.iter().find(|x| wanted(x)).map(S::to_string)
        })
    }

    /// All of every row in `rows`.
    pub(crate) fn whole_rows<'a>(&self, rows: Option<&'a [u32]>) -> Cut<'a> {
        Cut {
            rows,
            width: self.row_width(),
            start: &|_| 0,
        }
    }

    /// The values as they lie in the file, if nothing has to be done to them.
    pub(crate) fn mapped(&self) -> Option<Matrix> {
        if self.swapped || !is_dense(&self.shape, &self.strides) {
            return None;
        }
        let (n, width) = (self.n_rows(), self.row_width());
        let count = n * width;
        let offset = self.offset + self.origin * self.item.size()?;
        match self.item {
            Item::Number(Dtype::F16) => Slab::mapped(&self.bytes, offset, count)
                .map(|slab: Slab<f16>| Matrix::from_f16(n, width, slab)),
            Item::Number(Dtype::Bf16) => Slab::mapped(&self.bytes, offset, count)
                .map(|slab: Slab<bf16>| Matrix::from_bf16(n, width, slab)),
            Item::Number(Dtype::F32) => Slab::mapped(&self.bytes, offset, count)
                .map(|slab: Slab<f32>| Matrix::from_f32(n, width, slab)),
            Item::Number(Dtype::F64) => Slab::mapped(&self.bytes, offset, count)
                .map(|slab: Slab<f64>| Matrix::from_f64(n, width, slab)),
            _ => None,
        }
    }

    /// A copy of part of the values in their own precision; integers become the smallest float
    /// that holds them all.
    pub(crate) fn decoded(&self, dtype: Dtype, cut: &Cut) -> Matrix {
        let rows = cut.rows.map_or(self.n_rows(), <[u32]>::len);
        let width = cut.width;
        match dtype {
            Dtype::F16 => Matrix::from_f16(rows, width, self.collect(&self.runs(|x: f16| x), cut)),
            Dtype::Bf16 => {
                Matrix::from_bf16(rows, width, self.collect(&self.runs(|x: bf16| x), cut))
            }
            Dtype::F8E4m3 => {
                Matrix::from_f16(rows, width, self.collect(&self.runs(from_e4m3), cut))
            }
            Dtype::F8E5m2 => {
                Matrix::from_f16(rows, width, self.collect(&self.runs(from_e5m2), cut))
            }
            Dtype::F32 => Matrix::from_f32(rows, width, self.collect(&self.runs(|x: f32| x), cut)),
            Dtype::I8 => self.singles(cut, |x: i8| f32::from(x)),
            Dtype::I16 => self.singles(cut, |x: i16| f32::from(x)),
            Dtype::U8 => self.singles(cut, |x: u8| f32::from(x)),
            Dtype::U16 => self.singles(cut, |x: u16| f32::from(x)),
            Dtype::Bool => self.singles(cut, |x: u8| f32::from(u8::from(x != 0))),
            Dtype::F64 | Dtype::I32 | Dtype::I64 | Dtype::U32 | Dtype::U64 => {
                let read = self.runs_f64().expect("every dtype is a number");
                Matrix::from_f64(rows, width, self.collect(&read, cut))
            }
        }
    }

    fn singles<S: Pod>(&self, cut: &Cut, convert: impl Fn(S) -> f32 + Sync) -> Matrix {
        let values = self.collect(&self.runs(convert), cut);
        let rows = cut.rows.map_or(self.n_rows(), <[u32]>::len);
        Matrix::from_f32(rows, cut.width, values)
    }

    fn collect<T: Pod + Send>(&self, read: &ReadRun<T>, cut: &Cut) -> Vec<T> {
        let width = cut.width;
        // Where neighbouring rows lie side by side, a whole row would touch a cache line a value.
        let tile = if self.strides.first() == Some(&1) && !self.rows_are_dense() {
            FORTRAN_COLUMNS
        } else {
            width.max(1)
        };
        map_rows(self.n_rows(), cut.rows, width, |block, rows| {
            for column in (0..width).step_by(tile) {
                for (out, &row) in block.chunks_exact_mut(width).zip(rows) {
                    let end = (column + tile).min(width);
                    read(row, (cut.start)(row) + column, &mut out[column..end]);
                }
            }
        })
    }
}

/// Fills a matrix of `width` columns block by block: `fill(block, rows)` gets the space for a few
/// rows and their input indices.
pub(crate) fn map_rows<T: Pod + Send>(
    n: usize,
    rows: Option<&[u32]>,
    width: usize,
    fill: impl Fn(&mut [T], &[usize]) + Sync,
) -> Vec<T> {
    let count = rows.map_or(n, <[u32]>::len);
    let mut values = vec![T::zeroed(); count * width];
    values
        .par_chunks_mut((BLOCK_ROWS * width).max(1))
        .enumerate()
        .for_each(|(i, block)| {
            let first = i * BLOCK_ROWS;
            let span = first..(first + BLOCK_ROWS).min(count);
            let indices: Vec<usize> = match rows {
                None => span.collect(),
                Some(rows) => rows[span].iter().map(|&row| row as usize).collect(),
            };
            fill(block, &indices);
        });
    values
}
