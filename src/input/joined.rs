//! Copies rows that lie in several files into one matrix, file after file, so that no more than one
//! file's copy waits beside it.

use half::{bf16, f16};

use super::matrix::{Matrix, Values};

/// A matrix in the making.
pub(super) struct Joined {
    /// Rows that there will be.
    total: usize,
    rows: usize,
    columns: usize,
    values: Option<Stored>,
}

/// The values so far, in the type of the first file.
enum Stored {
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Joined {
    /// Room for `total` rows, which is taken when the first of them come.
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            rows: 0,
            columns: 0,
            values: None,
        }
    }

    /// Copies the rows of `part` behind those before; `false` if they have another type or number of
    /// columns.
    pub(super) fn push(&mut self, part: &Matrix) -> bool {
        fn copy<T: Copy>(to: &mut Vec<T>, from: &[T], part: &Matrix) {
            let columns = part.n_columns();
            for row in 0..part.n_rows() {
                let start = part.stored_row(row) * columns;
                to.extend_from_slice(&from[start..start + columns]);
            }
        }
        let values = self.values.get_or_insert_with(|| {
            self.columns = part.n_columns();
            let room = self.total * self.columns;
            match part.values() {
                Values::F16(_) => Stored::F16(Vec::with_capacity(room)),
                Values::Bf16(_) => Stored::Bf16(Vec::with_capacity(room)),
                Values::F32(_) => Stored::F32(Vec::with_capacity(room)),
                Values::F64(_) => Stored::F64(Vec::with_capacity(room)),
            }
        });
        if part.n_columns() != self.columns {
            return false;
        }
        match (values, part.values()) {
            (Stored::F16(to), Values::F16(from)) => copy(to, from, part),
            (Stored::Bf16(to), Values::Bf16(from)) => copy(to, from, part),
            (Stored::F32(to), Values::F32(from)) => copy(to, from, part),
            (Stored::F64(to), Values::F64(from)) => copy(to, from, part),
            _ => return false,
        }
        self.rows += part.n_rows();
        true
    }

    /// All rows; `None` without any.
    pub(super) fn finish(self) -> Option<Matrix> {
        let (rows, columns) = (self.rows, self.columns);
        Some(match self.values? {
            Stored::F16(values) => Matrix::from_f16(rows, columns, values),
            Stored::Bf16(values) => Matrix::from_bf16(rows, columns, values),
            Stored::F32(values) => Matrix::from_f32(rows, columns, values),
            Stored::F64(values) => Matrix::from_f64(rows, columns, values),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_rows_stand_one_file_after_the_other() {
        let part = |first: u8| {
            let values = (first..first + 6).map(f32::from).collect::<Vec<_>>();
            Matrix::from_f32(3, 2, values)
        };
        let mut joined = Joined::new(4);
        assert!(joined.push(&part(0).select(&[2])) && joined.push(&part(10)));
        assert!(!joined.push(&Matrix::from_f32(1, 3, vec![0.0; 3])));
        assert!(!joined.push(&Matrix::from_f64(1, 2, vec![0.0; 2])));
        let matrix = joined.finish().unwrap();
        let Values::F32(values) = matrix.values() else {
            panic!("another type")
        };
        assert_eq!(values, [4.0, 5.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
        assert!(Joined::new(3).finish().is_none());
    }
}
