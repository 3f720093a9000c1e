//! Counts ranks on a GPU.

use std::ops::Range;

use cudarc::driver::PushKernelArg;

use super::arguments::{PlacingArg, RanksArg};
use super::counting::Counting;
use super::launch::{LAUNCH, STAGES, THREADS, TILE, allow, blocks, place, word};
use super::machine::Cuda;
use crate::neighbours::device::machine::{Counter, Counts, Cuts, Fault, Rounding, Thresholds};
use crate::neighbours::filter::{bf16, power_of_two_below};

/// Blocks that decide pairs, some thousand of which wait for the memory at the same time.
const DECIDING: u64 = 1 << 14;

impl Cuda<'_> {
    fn counting(&self) -> Result<&Counting, Fault> {
        let counting = self.counting.as_ref();
        counting.ok_or_else(|| Fault("no count has begun".into()))
    }

    fn ranks(&self) -> Result<RanksArg, Fault> {
        let (stream, counting) = (self.stream(), self.counting()?);
        Ok(RanksArg {
            terms: place(stream, &counting.terms),
            sure_terms: place(stream, &counting.sure_terms),
            cuts: place(stream, &counting.cuts),
            sure: place(stream, &counting.sure),
            beyond: place(stream, &counting.beyond),
            before: place(stream, &counting.before),
            nearer: place(stream, &counting.nearer),
            kept: place(stream, &counting.kept),
            count: place(stream, &counting.count),
            room: counting.kept.len() as u64,
            wanted: word(counting.wanted),
            groups: word(counting.groups),
        })
    }

    fn set_count(&mut self) -> Result<(), Fault> {
        let stream = self.stream().clone();
        if let Some(counting) = &mut self.counting {
            stream.memset_zeros(&mut counting.count)?;
        }
        Ok(())
    }
}

impl Counter for Cuda<'_> {
    fn split(&mut self) -> Result<Rounding, Fault> {
        let (means, largest) = self.frame()?;
        let (stream, rows) = (self.stream(), self.memory.rows());
        let scale = power_of_two_below(largest);
        let measured = stream.alloc_zeros::<f64>(3 * self.layout().order.len())?;
        let (centre, packed) = (place(stream, &means), self.memory.packed());
        let (out, padded) = (place(stream, &measured), word(self.memory.padded));
        for range in self.held() {
            let (first, end) = (range.start as u64, range.end as u64);
            let mut call = stream.launch_builder(&self.kernels().split_rows);
            call.arg(&rows).arg(&first).arg(&end).arg(&centre);
            call.arg(&scale).arg(&padded).arg(&packed).arg(&out);
            // SAFETY: `kernels.cu` takes these arguments; a warp writes both parts of the packed row
            // and the three measures of one position below `end`, for which there is room.
            #[allow(unsafe_code)]
            unsafe { call.launch(blocks(range.len().div_ceil(THREADS / 32), 0)) }?;
        }
        let measured = stream.clone_dtoh(&measured)?;
        let (rows, _) = measured.as_chunks::<3>();
        let of = |&[norm, rest, lesser]: &[f64; 3]| {
            // As `bf16::split` says it.
            [norm, bf16::moved_by(rest, norm), lesser * (1.0 + 1e-6)]
        };
        Ok(Rounding {
            measured: rows.iter().map(of).collect(),
            scale,
        })
    }

    fn begin_count(&mut self, thresholds: &Thresholds, cuts: &Cuts) -> Result<(), Fault> {
        self.counting = None;
        let (stream, layout) = (self.stream(), self.layout());
        let (wanted, groups) = (thresholds.wanted, thresholds.groups);
        let (seeking, found) = (layout.seekers.len(), layout.targets.len());
        // No buffer is empty.
        let beyond = match groups {
            0 => stream.alloc_zeros(1)?,
            _ => stream.clone_htod(&thresholds.beyond)?,
        };
        let counting = Counting {
            wanted,
            groups,
            squared: stream.clone_htod(&thresholds.squared)?,
            numbers: stream.clone_htod(&thresholds.rows)?,
            beyond,
            cuts: stream.clone_htod(&cuts.cuts)?,
            sure: stream.clone_htod(&cuts.sure)?,
            terms: stream.clone_htod(&cuts.terms)?,
            sure_terms: stream.clone_htod(&cuts.sure_terms)?,
            before: stream.alloc_zeros(seeking * wanted)?,
            nearer: stream.alloc_zeros((found * groups).max(1))?,
            kept: stream.alloc_zeros(seeking * TILE)?,
            count: stream.alloc_zeros(1)?,
        };
        allow(&self.kernels().place, STAGES)?;
        self.counting = Some(counting);
        Ok(())
    }

    fn place(&mut self, tiles: Range<usize>, counted: bool) -> Result<bool, Fault> {
        self.set_count()?;
        let (stream, layout, ranks) = (self.stream(), self.layout(), self.ranks()?);
        let (seeking, padded) = (layout.seeking(), word(self.memory.padded));
        let packed = self.memory.packed();
        let at_once = (LAUNCH / seeking).max(1);
        for first in tiles.clone().step_by(at_once) {
            let placing = PlacingArg {
                targets: layout.targets.len() as u64,
                from: layout.seekers.start as u64,
                to: layout.seekers.end as u64,
                seeking: word(seeking),
                first: word(first),
                counted: u32::from(counted),
            };
            let count = at_once.min(tiles.end - first);
            let mut call = stream.launch_builder(&self.kernels().place);
            call.arg(&packed).arg(&padded).arg(&placing).arg(&ranks);
            // SAFETY: `kernels.cu` takes these arguments; every tile lies in the packed rows, which
            // are padded to whole tiles, counts are of positions that seek and that may be found,
            // and no pair is kept beyond the room.
            #[allow(unsafe_code)]
            unsafe { call.launch(blocks(seeking * count, STAGES)) }?;
        }
        let kept = stream.clone_dtoh(&self.counting()?.count)?[0];
        let fits = kept <= ranks.room;
        if !fits {
            self.set_count()?;
        }
        Ok(fits)
    }

    fn decide(&mut self) -> Result<(), Fault> {
        let (stream, counting) = (self.stream(), self.counting()?);
        let (rows, ranks) = (self.memory.rows(), self.ranks()?);
        let kept = stream.clone_dtoh(&counting.count)?[0];
        if kept == 0 {
            return Ok(());
        }
        let (order, from) = (self.memory.order(), self.layout().seekers.start as u64);
        let squared = place(stream, &counting.squared);
        let numbers = place(stream, &counting.numbers);
        let at_once = (THREADS / 8) as u64;
        let wanted = usize::try_from(kept.div_ceil(at_once).min(DECIDING)).expect("it is few");
        let mut call = stream.launch_builder(&self.kernels().decide);
        call.arg(&rows).arg(&order).arg(&from).arg(&kept);
        call.arg(&squared).arg(&numbers).arg(&ranks);
        // SAFETY: `kernels.cu` takes these arguments; pairs that are kept are of positions with rows.
        #[allow(unsafe_code)]
        unsafe { call.launch(blocks(wanted, 0)) }?;
        self.set_count()
    }

    fn counts(&mut self) -> Result<Counts, Fault> {
        let (stream, counting) = (self.stream(), self.counting()?);
        let mut counts = Counts {
            before: stream.clone_dtoh(&counting.before)?,
            nearer: stream.clone_dtoh(&counting.nearer)?,
        };
        counts
            .nearer
            .truncate(self.layout().targets.len() * counting.groups);
        Ok(counts)
    }
}
