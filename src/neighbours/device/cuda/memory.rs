//! Holds rows in the memory of a GPU: those that seek, and a block of those that may be found, with
//! the next block on its way beside them.

use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::{CudaSlice, CudaStream};

use super::arguments::RowsArg;
use super::gpu::Gpu;
use super::launch::{PAD, TILE, place, word};
use super::rows::{Kind, norms, send};
use crate::neighbours::device::machine::{Fault, Layout, Room, Sender};
use crate::neighbours::points::Points;

/// The rows of a search on a GPU. Those that seek stand from `from` on, those that may be found
/// before them.
pub(super) struct Memory<'a> {
    pub(super) gpu: &'a Gpu,
    points: &'a Points<'a>,
    pub(super) layout: Layout,
    pub(super) width: usize,
    pub(super) padded: usize,
    /// Parts of a rounded row.
    parts: usize,
    kind: Kind,
    from: usize,
    held: Vec<u32>,
    /// The place of the layout's first position.
    base: usize,
    values: CudaSlice<u8>,
    packed: CudaSlice<u16>,
    norms: Option<CudaSlice<f64>>,
    order: CudaSlice<u32>,
    parcel: Option<Arc<Parcel<'a>>>,
}

/// Rows beside those at work.
struct Parcel<'a> {
    points: &'a Points<'a>,
    kind: Kind,
    /// Copies while the GPU's own stream multiplies.
    stream: Arc<CudaStream>,
    content: Mutex<Content>,
}

struct Content {
    rows: Vec<u32>,
    values: CudaSlice<u8>,
}

impl Sender for Arc<Parcel<'_>> {
    fn send(&self, rows: &[u32]) -> Result<(), Fault> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.rows = rows.to_vec();
        let mut there = content.values.as_view_mut();
        send(&self.stream, self.points, rows, self.kind, &mut there)
    }
}

/// Sends nothing: all rows seek each other.
struct Nobody;

impl Sender for Nobody {
    fn send(&self, _rows: &[u32]) -> Result<(), Fault> {
        Err(Fault("there is no memory for other rows".into()))
    }
}

impl<'a> Memory<'a> {
    /// Memory for so many rows, and for their rounded copies in so many parts.
    pub(super) fn new(
        gpu: &'a Gpu,
        points: &'a Points<'a>,
        room: Room,
        parts: usize,
    ) -> Result<Self, Fault> {
        let kind = Kind::common(points);
        let width = points.n_columns();
        let padded = width.next_multiple_of(PAD);
        let row = width * kind.bytes();
        let from = room.targets.next_multiple_of(TILE);
        let positions = (from + room.seekers).next_multiple_of(TILE);
        gpu.context.bind_to_thread()?;
        let stream = &gpu.stream;
        let parcel = match room.targets {
            0 => None,
            targets => {
                let beside = gpu.context.new_stream()?;
                let content = Content {
                    rows: Vec::new(),
                    values: beside.alloc_zeros(targets * row)?,
                };
                beside.synchronize()?;
                Some(Arc::new(Parcel {
                    points,
                    kind,
                    stream: beside,
                    content: Mutex::new(content),
                }))
            }
        };
        Ok(Self {
            gpu,
            points,
            layout: Layout::among(&[], TILE),
            width,
            padded,
            parts,
            kind,
            from,
            held: Vec::new(),
            base: from,
            values: stream.alloc_zeros(positions * row)?,
            packed: stream.alloc_zeros(positions * parts * padded)?,
            norms: None,
            order: stream.alloc_zeros(1)?,
            parcel,
        })
    }

    /// Who copies rows beside those at work.
    pub(super) fn sender(&self) -> Box<dyn Sender + 'a> {
        match &self.parcel {
            Some(parcel) => Box::new(Arc::clone(parcel)),
            None => Box::new(Nobody),
        }
    }

    /// Takes rows to seek each other.
    pub(super) fn hold(&mut self, seekers: &[u32]) -> Result<(), Fault> {
        let row = self.width * self.kind.bytes();
        let start = self.from * row;
        let mut there = self.values.slice_mut(start..start + seekers.len() * row);
        send(
            &self.gpu.stream,
            self.points,
            seekers,
            self.kind,
            &mut there,
        )?;
        self.held = seekers.to_vec();
        self.stand(Layout::among(seekers, TILE), self.from)
    }

    /// Makes the rows that were sent last those that may be found.
    pub(super) fn meet(&mut self) -> Result<(), Fault> {
        let parcel = self.parcel.as_ref().map(Arc::clone);
        let parcel = parcel.ok_or_else(|| Fault("no rows were sent".into()))?;
        let content = parcel
            .content
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let bytes = content.rows.len() * self.width * self.kind.bytes();
        let mut there = self.values.slice_mut(0..bytes);
        let stream = &self.gpu.stream;
        stream.memcpy_dtod(&content.values.slice(0..bytes), &mut there)?;
        // The next rows may be sent as soon as this returns.
        stream.synchronize()?;
        let layout = Layout::between(&content.rows, &self.held, self.from, TILE);
        self.stand(layout, 0)
    }

    fn stand(&mut self, layout: Layout, base: usize) -> Result<(), Fault> {
        let stream = &self.gpu.stream;
        let norms = norms(self.points, &layout);
        self.norms = norms.map(|norms| stream.clone_htod(&norms)).transpose()?;
        self.order = stream.clone_htod(&layout.order)?;
        (self.layout, self.base) = (layout, base);
        Ok(())
    }

    /// The rows, as the kernels take them.
    pub(super) fn rows(&self) -> RowsArg {
        let stream = &self.gpu.stream;
        let start = self.base * self.width * self.kind.bytes();
        RowsArg {
            values: place(stream, &self.values) + start as u64,
            norms: self.norms.as_ref().map_or(0, |norms| place(stream, norms)),
            kind: self.kind as u32,
            width: word(self.width),
        }
    }

    /// Where the rounded rows lie.
    pub(super) fn packed(&self) -> u64 {
        let start = 2 * self.base * self.parts * self.padded;
        place(&self.gpu.stream, &self.packed) + start as u64
    }

    /// Where the numbers of the rows lie.
    pub(super) fn order(&self) -> u64 {
        place(&self.gpu.stream, &self.order)
    }
}
