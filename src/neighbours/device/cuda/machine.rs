//! A layer on a GPU: the device side of the plan.

use std::ops::Range;
use std::sync::Arc;

use cudarc::driver::{CudaSlice, CudaStream, PushKernelArg};

use super::arguments::{BoundArg, ListsArg, PrunedArg, VisitArg};
use super::counting::Counting;
use super::gpu::Kernels;
use super::launch::{LAUNCH, PAD, STAGES, THREADS, TILE, allow, blocks, place, word};
use super::memory::Memory;
use super::rows::Kind;
use crate::neighbours::device::machine::{Aim, Costs, Fault, Judged, Layout, Machine, Rounding};
use crate::neighbours::device::plan::capacity;
use crate::neighbours::filter::{Bound, bf16, power_of_two_below};
use crate::neighbours::points::Points;

/// Entries of lists that are judged before they are copied back.
const JUDGED: u64 = 1 << 25;

/// Bytes that the driver and small buffers may take beside what is counted.
const SLACK: u64 = 512 << 20;

/// The rows of a search on a GPU, and its lists once it began.
pub(in crate::neighbours::device) struct Cuda<'a> {
    pub(super) memory: Memory<'a>,
    scale: f64,
    lists: Option<Lists>,
    pub(super) counting: Option<Counting>,
}

/// The lists of all positions, and what is known of each.
struct Lists {
    k: usize,
    capacity: usize,
    relative: f64,
    squares: CudaSlice<f64>,
    errors: CudaSlice<f64>,
    terms: CudaSlice<f32>,
    cuts: CudaSlice<f32>,
    thresholds: CudaSlice<f64>,
    counts: CudaSlice<u32>,
    /// The counts before the diagonals that are visited.
    before: CudaSlice<u32>,
    /// A score and a position each.
    entries: CudaSlice<u64>,
    overflow: CudaSlice<u32>,
    crowded: CudaSlice<u32>,
    /// Positions before the first that has a list.
    first: usize,
    /// The longest list and the number of crowded ones.
    found: CudaSlice<u64>,
}

impl Lists {
    /// Where the list of position 0 would lie: those that seek alone have one.
    fn entries(&self, stream: &Arc<CudaStream>) -> u64 {
        let before = 8 * (self.first * self.capacity) as u64;
        place(stream, &self.entries).wrapping_sub(before)
    }
}

/// Parts that rows are rounded to.
pub(super) fn parts(aim: Aim) -> usize {
    match aim {
        Aim::Nearest(_) => 1,
        Aim::Ranks { .. } => 2,
    }
}

/// What a search among `points` takes of a GPU's memory.
pub(super) fn costs(points: &Points<'_>, aim: Aim) -> Costs {
    let width = points.n_columns();
    let stored = width * Kind::common(points).bytes();
    // The rounded copy, what is known of each position, and the sample's distances.
    let each = 2 * parts(aim) * width.next_multiple_of(PAD) + 192;
    let (seeking, found) = match aim {
        Aim::Nearest(k) => (8 * capacity(k, TILE), 0),
        // Thresholds and counts, and the pairs of one tile, all of which may have to be kept.
        Aim::Ranks { wanted, groups } => (24 * wanted + 4 * wanted * groups + 8 * TILE, 8 * groups),
    };
    Costs {
        seeker: (stored + each + seeking) as u64,
        target: (2 * stored + each + found) as u64,
        fixed: 12 * JUDGED + SLACK,
    }
}

impl<'a> Cuda<'a> {
    /// For rows in this memory.
    pub(super) fn new(memory: Memory<'a>) -> Self {
        Self {
            memory,
            scale: 1.0,
            lists: None,
            counting: None,
        }
    }

    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.memory.gpu.stream
    }

    pub(super) fn kernels(&self) -> &Kernels {
        &self.memory.gpu.kernels
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.memory.layout
    }

    fn lists(&self) -> Result<&Lists, Fault> {
        self.lists
            .as_ref()
            .ok_or_else(|| Fault("no search has begun".into()))
    }

    /// The positions that hold rows.
    pub(super) fn held(&self) -> Vec<Range<usize>> {
        let mut held = vec![self.layout().targets.clone()];
        if !self.layout().is_symmetric() {
            held.push(self.layout().seekers.clone());
        }
        held
    }

    /// The centre of all rows, on the GPU, and the largest deviation from it.
    pub(super) fn frame(&self) -> Result<(CudaSlice<f64>, f64), Fault> {
        let (stream, rows) = (self.stream(), self.memory.rows());
        let held = self.held();
        let share = 1.0 / held.iter().map(ExactSizeIterator::len).sum::<usize>() as f64;
        let means = stream.alloc_zeros::<f64>(self.memory.width)?;
        let largest = stream.alloc_zeros::<u64>(1)?;
        let (centre, most) = (place(stream, &means), place(stream, &largest));
        for range in &held {
            let (first, end) = (range.start as u64, range.end as u64);
            let mut launch = blocks(self.memory.width.div_ceil(THREADS), 0);
            launch.grid_dim.1 = 256;
            let mut call = stream.launch_builder(&self.kernels().column_means);
            call.arg(&rows)
                .arg(&first)
                .arg(&end)
                .arg(&share)
                .arg(&centre);
            // SAFETY: `kernels.cu` takes these arguments; it reads rows first..end, which are
            // there, and adds to one mean a column.
            #[allow(unsafe_code)]
            unsafe { call.launch(launch) }?;
        }
        for range in &held {
            let (first, end) = (range.start as u64, range.end as u64);
            let mut call = stream.launch_builder(&self.kernels().largest_deviation);
            call.arg(&rows)
                .arg(&first)
                .arg(&end)
                .arg(&centre)
                .arg(&most);
            // SAFETY: as above, with one word to write.
            #[allow(unsafe_code)]
            unsafe { call.launch(blocks(2048, 0)) }?;
        }
        let most = stream.clone_dtoh(&largest)?;
        Ok((means, f64::from_bits(most[0])))
    }

    /// The lists of some positions with verdicts.
    fn judge_some(&self, counts: &[u32], positions: Range<usize>) -> Result<Judged, Fault> {
        let (stream, lists, rows) = (self.stream(), self.lists()?, self.memory.rows());
        let mut starts = vec![0u64];
        let mut sum = 0;
        for &count in &counts[positions.clone()] {
            sum += u64::from(count);
            starts.push(sum);
        }
        let total = usize::try_from(sum).expect("a part of a list fits in memory");
        let there = stream.clone_htod(&starts)?;
        let squared = stream.alloc_zeros::<f64>(total.max(1))?;
        let numbers = stream.alloc_zeros::<u32>(total.max(1))?;
        let places = [self.memory.order(), lists.entries(stream)];
        let (from, capacity) = (positions.start as u64, word(lists.capacity));
        let offsets = place(stream, &there);
        let out = [place(stream, &squared), place(stream, &numbers)];
        let mut call = stream.launch_builder(&self.kernels().verdicts);
        call.arg(&rows).arg(&places[0]).arg(&from).arg(&capacity);
        call.arg(&places[1]).arg(&offsets).arg(&out[0]).arg(&out[1]);
        // SAFETY: `kernels.cu` takes these arguments; a block writes the entries of its position
        // between its start and the next, and the last start is what the buffers hold.
        #[allow(unsafe_code)]
        unsafe { call.launch(blocks(positions.len(), 0)) }?;
        let mut judged = Judged {
            positions,
            starts,
            squared: stream.clone_dtoh(&squared)?,
            rows: stream.clone_dtoh(&numbers)?,
        };
        judged.squared.truncate(total);
        judged.rows.truncate(total);
        Ok(judged)
    }
}

impl Machine for Cuda<'_> {
    fn hold(&mut self, seekers: &[u32]) -> Result<(), Fault> {
        (self.lists, self.counting) = (None, None);
        self.memory.hold(seekers)
    }

    fn meet(&mut self) -> Result<(), Fault> {
        (self.lists, self.counting) = (None, None);
        self.memory.meet()
    }

    fn layout(&self) -> &Layout {
        &self.memory.layout
    }

    fn round(&mut self) -> Result<Rounding, Fault> {
        let (means, largest) = self.frame()?;
        let (stream, rows) = (self.stream(), self.memory.rows());
        let scale = power_of_two_below(largest);
        let positions = self.layout().order.len();
        let measured = stream.alloc_zeros::<f64>(2 * positions)?;
        let centre = place(stream, &means);
        let (packed, out) = (self.memory.packed(), place(stream, &measured));
        let padded = word(self.memory.padded);
        for range in self.held() {
            let (first, end) = (range.start as u64, range.end as u64);
            let mut call = stream.launch_builder(&self.kernels().round_rows);
            call.arg(&rows)
                .arg(&first)
                .arg(&end)
                .arg(&centre)
                .arg(&scale);
            call.arg(&padded).arg(&packed).arg(&out);
            // SAFETY: `kernels.cu` takes these arguments; a warp writes the packed row and the two
            // measures of one position below `end`, for which there is room.
            #[allow(unsafe_code)]
            unsafe { call.launch(blocks(range.len().div_ceil(THREADS / 32), 0)) }?;
        }
        let measured = stream.clone_dtoh(&measured)?;
        self.scale = scale;
        let (pairs, _) = measured.as_chunks::<2>();
        Ok(Rounding {
            measured: pairs
                .iter()
                .map(|&[norm, rest]| [norm, bf16::moved_by(rest, norm), 0.0])
                .collect(),
            scale,
        })
    }

    fn scan(&mut self, samples: &[u32]) -> Result<Vec<f64>, Fault> {
        let (stream, rows) = (self.stream(), self.memory.rows());
        let targets = self.layout().targets.len();
        let there = stream.clone_htod(samples)?;
        let squared = stream.alloc_zeros::<f64>(samples.len() * targets)?;
        let (from, out) = (place(stream, &there), place(stream, &squared));
        let (count, all) = (word(samples.len()), targets as u64);
        let mut call = stream.launch_builder(&self.kernels().scan);
        call.arg(&rows).arg(&from).arg(&count).arg(&all).arg(&out);
        // SAFETY: `kernels.cu` takes these arguments and writes count × targets values.
        #[allow(unsafe_code)]
        unsafe { call.launch(blocks(targets.min(4096), 0)) }?;
        Ok(stream.clone_dtoh(&squared)?)
    }

    fn begin(
        &mut self,
        bound: &Bound,
        k: usize,
        capacity: usize,
        thresholds: &[f64],
    ) -> Result<(), Fault> {
        let stream = self.stream();
        let seeking = self.layout().seekers.len();
        let cut = |p: usize| bound.cut(p, thresholds[p]);
        let positions = self.layout().order.len();
        let each = || 0..positions;
        let lists = Lists {
            k,
            first: self.layout().seekers.start,
            capacity,
            relative: bound.relative(),
            squares: stream.clone_htod(&each().map(|p| bound.square(p)).collect::<Vec<_>>())?,
            errors: stream.clone_htod(bound.errors())?,
            terms: stream.clone_htod(&each().map(|p| bound.column_term(p)).collect::<Vec<_>>())?,
            cuts: stream.clone_htod(&each().map(cut).collect::<Vec<_>>())?,
            thresholds: stream.clone_htod(thresholds)?,
            counts: stream.alloc_zeros(positions)?,
            before: stream.alloc_zeros(positions)?,
            entries: stream.alloc_zeros(seeking * capacity)?,
            overflow: stream.alloc_zeros(1)?,
            crowded: stream.alloc_zeros(positions)?,
            found: stream.alloc_zeros(2)?,
        };
        let kernels = self.kernels();
        allow(&kernels.visit, STAGES)?;
        allow(&kernels.prune, 4 * capacity)?;
        allow(&kernels.judge, 12 * capacity)?;
        self.lists = Some(lists);
        Ok(())
    }

    fn visit(&mut self, diagonals: Range<usize>) -> Result<bool, Fault> {
        let Some(mut lists) = self.lists.take() else {
            return Err(Fault("no search has begun".into()));
        };
        let stream = self.stream();
        stream.memcpy_dtod(&lists.counts, &mut lists.before)?;
        stream.memset_zeros(&mut lists.overflow)?;
        let (layout, seeking) = (self.layout(), self.layout().seeking());
        let argument = ListsArg {
            squares: place(stream, &lists.squares),
            terms: place(stream, &lists.terms),
            cuts: place(stream, &lists.cuts),
            counts: place(stream, &lists.counts),
            entries: lists.entries(stream),
            capacity: word(lists.capacity),
            overflow: place(stream, &lists.overflow),
        };
        let (packed, padded) = (self.memory.packed(), word(self.memory.padded));
        let at_once = (LAUNCH / seeking).max(1);
        for first in diagonals.clone().step_by(at_once) {
            let count = at_once.min(diagonals.end - first);
            let visit = VisitArg {
                targets: layout.targets.len() as u64,
                from: layout.seekers.start as u64,
                to: layout.seekers.end as u64,
                tiles: word(layout.tiles()),
                seeking: word(seeking),
                first: word(first),
                count: word(count),
                symmetric: u32::from(layout.is_symmetric()),
            };
            let mut call = stream.launch_builder(&self.kernels().visit);
            call.arg(&packed).arg(&padded).arg(&visit).arg(&argument);
            // SAFETY: `kernels.cu` takes these arguments; every tile lies in the packed rows, which
            // are padded to whole tiles, and no list is written beyond its capacity.
            #[allow(unsafe_code)]
            unsafe { call.launch(blocks(seeking * count, STAGES)) }?;
        }
        let fits = stream.clone_dtoh(&lists.overflow)?[0] == 0;
        if !fits {
            stream.memcpy_dtod(&lists.before, &mut lists.counts)?;
        }
        self.lists = Some(lists);
        Ok(fits)
    }

    fn entries(&mut self, position: usize) -> Result<Vec<(f32, u32)>, Fault> {
        let (stream, lists) = (self.stream(), self.lists()?);
        let count = stream.clone_dtoh(&lists.counts.slice(position..=position))?[0] as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        let start = (position - lists.first) * lists.capacity;
        let entries = stream.clone_dtoh(&lists.entries.slice(start..start + count))?;
        #[allow(clippy::cast_possible_truncation)]
        let split = |entry: u64| (f32::from_bits(entry as u32), (entry >> 32) as u32);
        Ok(entries.into_iter().map(split).collect())
    }

    fn prune(&mut self) -> Result<usize, Fault> {
        let Some(mut lists) = self.lists.take() else {
            return Err(Fault("no search has begun".into()));
        };
        let (stream, rows) = (self.stream(), self.memory.rows());
        stream.memset_zeros(&mut lists.found)?;
        let found = place(stream, &lists.found);
        let pruned = PrunedArg {
            longest: found,
            crowded: place(stream, &lists.crowded),
            crowds: found + 8,
        };
        let bound = BoundArg {
            squares: place(stream, &lists.squares),
            errors: place(stream, &lists.errors),
            relative: lists.relative,
        };
        let (from, k, capacity) = (
            self.layout().seekers.start as u64,
            word(lists.k),
            word(lists.capacity),
        );
        let full = capacity / 2;
        let entries = lists.entries(stream);
        let counts = place(stream, &lists.counts);
        let thresholds = place(stream, &lists.thresholds);
        let cuts = place(stream, &lists.cuts);
        let mut call = stream.launch_builder(&self.kernels().prune);
        call.arg(&bound)
            .arg(&from)
            .arg(&k)
            .arg(&full)
            .arg(&capacity);
        call.arg(&entries).arg(&counts).arg(&thresholds).arg(&cuts);
        call.arg(&pruned);
        // SAFETY: `kernels.cu` takes these arguments; a block writes to the list of its position.
        #[allow(unsafe_code)]
        unsafe { call.launch(blocks(self.layout().seekers.len(), 4 * lists.capacity)) }?;
        let words = stream.clone_dtoh(&lists.found)?;
        let [longest, crowds] = [words[0], words[1]];
        if crowds > 0 {
            let order = self.memory.order();
            let mut call = stream.launch_builder(&self.kernels().judge);
            call.arg(&rows).arg(&bound).arg(&order).arg(&pruned.crowded);
            call.arg(&self.scale).arg(&k).arg(&capacity).arg(&entries);
            call.arg(&counts).arg(&thresholds).arg(&cuts);
            let crowds = usize::try_from(crowds).expect("no more than rows");
            // SAFETY: as above, for the positions that `prune` listed.
            #[allow(unsafe_code)]
            unsafe { call.launch(blocks(crowds, 12 * lists.capacity)) }?;
        }
        self.lists = Some(lists);
        Ok(usize::try_from(longest).expect("no more than the capacity"))
    }

    fn judge(&mut self, take: &mut dyn FnMut(&Judged)) -> Result<(), Fault> {
        let counts = self.stream().clone_dtoh(&self.lists()?.counts)?;
        let Range { mut start, end } = self.layout().seekers.clone();
        while start < end {
            let mut sum = 0;
            let fits = |&&count: &&u32| {
                sum += u64::from(count);
                sum <= JUDGED
            };
            let height = counts[start..end].iter().take_while(fits).count().max(1);
            take(&self.judge_some(&counts, start..start + height)?);
            start += height;
        }
        Ok(())
    }
}
