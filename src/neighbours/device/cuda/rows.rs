//! Copies rows to a GPU as they are stored.

use std::sync::Arc;

use cudarc::driver::{CudaEvent, CudaStream, CudaViewMut};
use rayon::prelude::*;

use crate::input::Values;
use crate::neighbours::device::machine::{Fault, Layout, NO_ROW};
use crate::neighbours::points::Points;

/// How values are stored, numbered as in `kernels.cu`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    F64 = 0,
    F32 = 1,
    F16 = 2,
    Bf16 = 3,
}

impl Kind {
    fn of(values: &Values<'_>) -> Self {
        match values {
            Values::F64(_) => Self::F64,
            Values::F32(_) => Self::F32,
            Values::F16(_) => Self::F16,
            Values::Bf16(_) => Self::Bf16,
        }
    }

    /// That of all rows: f64, which holds any value, if rows and queries differ.
    pub(super) fn common(points: &Points<'_>) -> Self {
        let of = |row| Self::of(&points.source(row).0.values());
        let (first, last) = (of(0), of(points.n_rows() - 1));
        if first == last { first } else { Self::F64 }
    }

    /// Bytes of a value.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// Bytes that are gathered by all threads while the ones before are copied; few in tests, so that
/// small layers take many turns.
const STAGE: usize = if cfg!(test) { 1 << 14 } else { 8 << 20 };

/// Copies rows to the GPU, one after the other from the start of `there` on.
pub(super) fn send(
    stream: &Arc<CudaStream>,
    points: &Points<'_>,
    rows: &[u32],
    kind: Kind,
    there: &mut CudaViewMut<'_, u8>,
) -> Result<(), Fault> {
    let row = points.n_columns() * kind.bytes();
    let height = (STAGE / row).clamp(1, rows.len().max(1));
    let stage = || -> Result<_, Fault> {
        // SAFETY: every byte that is read was written before; see `gather` below.
        #[allow(unsafe_code)]
        Ok(unsafe {
            stream
                .context()
                .alloc_pinned_with_flags::<u8>(height * row, 0)
        }?)
    };
    let mut stages = [(stage()?, None), (stage()?, None)];
    for (turn, rows) in rows.chunks(height).enumerate() {
        let (stage, copied) = &mut stages[turn % 2];
        if let Some(copied) = copied.take() {
            // With one stream the library keeps no events of its own: nothing else would keep the
            // next rows from overwriting those on their way.
            CudaEvent::synchronize(&copied)?;
        }
        let bytes = &mut stage.as_mut_slice()?[..rows.len() * row];
        gather(points, rows, kind, bytes);
        let start = turn * height * row;
        let mut place = there.slice_mut(start..start + bytes.len());
        stream.memcpy_htod(&*bytes, &mut place)?;
        *copied = Some(stream.record_event(None)?);
    }
    stream.synchronize()?;
    Ok(())
}

/// Writes some rows one after the other.
fn gather(points: &Points<'_>, rows: &[u32], kind: Kind, out: &mut [u8]) {
    let width = points.n_columns();
    out.par_chunks_mut(width * kind.bytes())
        .zip(rows)
        .for_each(|(out, &row)| {
            let (matrix, row) = points.source(row as usize);
            let start = matrix.stored_row(row) * width;
            let span = start..start + width;
            match matrix.values() {
                Values::F64(values) => out.copy_from_slice(bytemuck::cast_slice(&values[span])),
                values if Kind::of(&values) != kind => {
                    let mut wide = vec![0.0f64; width];
                    matrix.widen_row(row, &mut wide);
                    out.copy_from_slice(bytemuck::cast_slice(&wide));
                }
                Values::F32(values) => out.copy_from_slice(bytemuck::cast_slice(&values[span])),
                Values::F16(values) => out.copy_from_slice(bytemuck::cast_slice(&values[span])),
                Values::Bf16(values) => out.copy_from_slice(bytemuck::cast_slice(&values[span])),
            }
        });
}

/// The norms of all rows by position, under the cosine metric.
pub(super) fn norms(points: &Points<'_>, layout: &Layout) -> Option<Vec<f64>> {
    points.norm(0)?;
    let of = |&row: &u32| match row {
        NO_ROW => 1.0,
        row => points.norm(row as usize).unwrap_or(1.0),
    };
    Some(layout.order.iter().map(of).collect())
}
