//! Shares a search among devices: each takes blocks of rows that seek, one after the other, and lets
//! each block meet all others, which are copied while those before are multiplied.
//!
//! A row's nearest of several blocks are the nearest of its nearest of each, and what was found so
//! far bounds what the next block can add. A device that fails is believed in nothing: the blocks
//! that it took go to the others, and what nobody could do is left to the caller.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::cut::{Cut, Search, is_worth};
use super::machine::{Aim, Fault, Machine, Sender, Station};
use super::plan::{List, nearest};
use crate::neighbours::points::Points;
use crate::neighbours::table::by_distance_then_row;
use crate::progress::{Progress, Within};

/// What is done with the rows that seek and those that they meet.
pub(super) trait Job: Sync {
    /// What is found for some rows that seek.
    type Found: Send;

    /// Who seeks whom.
    fn search(&self) -> &Search<'_>;

    /// What is kept of each row that seeks.
    fn aim(&self) -> Aim;

    /// What some rows have found before they met any.
    fn nothing(&self, seekers: &[u32]) -> Self::Found;

    /// Adds what they find among the rows on the machine.
    fn meet(
        &self,
        machine: &mut dyn Machine,
        seekers: &[u32],
        found: &mut Self::Found,
        progress: &dyn Progress,
    ) -> Result<(), Fault>;
}

/// The nearest rows of each.
pub(super) struct Nearest<'a>(pub(super) Search<'a>);

impl Job for Nearest<'_> {
    type Found = Vec<List>;

    fn search(&self) -> &Search<'_> {
        &self.0
    }

    fn aim(&self) -> Aim {
        Aim::Nearest(self.0.k)
    }

    fn nothing(&self, _seekers: &[u32]) -> Vec<List> {
        Vec::new()
    }

    fn meet(
        &self,
        machine: &mut dyn Machine,
        _seekers: &[u32],
        lists: &mut Vec<List>,
        progress: &dyn Progress,
    ) -> Result<(), Fault> {
        let Search { points, k, .. } = self.0;
        let found = nearest(machine, points, k, &farthest(lists, k), progress)?;
        *lists = match lists.is_empty() {
            true => found,
            false => merge(std::mem::take(lists), found, k),
        };
        Ok(())
    }
}

/// What devices found.
pub(super) struct Found<F> {
    /// Rows that sought, with what they found.
    pub(super) parts: Vec<(Vec<u32>, F)>,
    /// Rows that nobody could do.
    pub(super) left: Vec<u32>,
    /// Devices that failed, and why.
    pub(super) faults: Vec<String>,
}

/// How much a search may take of its devices.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of the memory of each.
    pub(super) most: Option<u64>,
    /// Whether all rows have to be there at once.
    pub(super) whole: bool,
}

/// Does a job on some devices.
///
/// # Errors
/// If no device has memory for it.
pub(super) fn share<J: Job>(
    stations: &[&dyn Station],
    job: &J,
    limits: Limits,
    progress: &dyn Progress,
) -> Result<Found<J::Found>, Fault> {
    let (search, aim) = (job.search(), job.aim());
    let points = search.points;
    let mut found = Found {
        parts: Vec::new(),
        left: Vec::new(),
        faults: Vec::new(),
    };
    let able = able(stations, points, aim, limits, &mut found.faults);
    let least = able.iter().map(|&(free, _)| free).min().unwrap_or(0);
    let Some(&(_, first)) = able.first() else {
        return Err(Fault(found.faults.join("; ")));
    };
    let (costs, tile) = (first.costs(points, aim), first.tile());
    let cut = Cut::new(search, costs, tile, least, able.len())?;
    if limits.whole && !cut.is_whole() {
        return Err(Fault("the layer is larger than its memory".into()));
    }
    let work = Work {
        job,
        cut: &cut,
        threads: ThreadPoolBuilder::new()
            .num_threads(rayon::current_num_threads())
            .build()
            .map_err(|error| Fault(error.to_string()))?,
        queue: Mutex::new((0..cut.seekers.len()).rev().collect()),
    };
    let able: Vec<&dyn Station> = able.into_iter().map(|(_, station)| station).collect();
    work.all(able, &mut found, progress);
    let left = work
        .queue
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    found.left = left
        .iter()
        .flat_map(|&b| &cut.seekers[b])
        .copied()
        .collect();
    Ok(found)
}

/// Devices worth their part of the job, with the bytes that each may take; `faults` says why others
/// are not.
fn able<'s>(
    stations: &[&'s dyn Station],
    points: &Points<'_>,
    aim: Aim,
    limits: Limits,
    faults: &mut Vec<String>,
) -> Vec<(u64, &'s dyn Station)> {
    let mut able: Vec<(u64, &dyn Station)> = Vec::new();
    for &station in stations {
        match station.free() {
            Ok(free) => able.push((free.min(limits.most.unwrap_or(u64::MAX)), station)),
            Err(fault) => faults.push(format!("{}: {fault}", station.name())),
        }
    }
    let largest = able.iter().map(|&(free, _)| free).max().unwrap_or(0);
    able.retain(|&(free, station)| {
        let kept = free == largest || is_worth(station.costs(points, aim), station.tile(), free);
        if !kept {
            faults.push(format!("{}: too little memory is free", station.name()));
        }
        kept
    });
    able
}

/// Passes on steps and notes, and nothing from inside a block.
struct Units<'a>(&'a dyn Progress);

impl Progress for Units<'_> {
    fn begin(&self, _label: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
    fn step(&self, _phase: &'static str, _name: &str) {
        self.0.advance(1);
    }
    fn note(&self, text: &str) {
        self.0.note(text);
    }
}

/// What a device did: the blocks that it took, and what it found unless it failed.
struct Done<F> {
    blocks: Vec<usize>,
    found: Result<Vec<F>, Fault>,
}

/// The blocks that are to be done.
struct Work<'a, J> {
    job: &'a J,
    cut: &'a Cut,
    /// Those who gather rows to be copied; others may wait for the devices.
    threads: ThreadPool,
    queue: Mutex<Vec<usize>>,
}

impl<J: Job> Work<'_, J> {
    /// Lets the devices do the blocks, until none is left or every device has failed.
    fn all(
        &self,
        mut able: Vec<&dyn Station>,
        found: &mut Found<J::Found>,
        progress: &dyn Progress,
    ) {
        if let ([station], [_]) = (&able[..], &self.cut.seekers[..]) {
            let done = self.on(*station, &Within::new(progress));
            if !self.collect(found, station.name(), done) {
                // Whatever stage it was in is over.
                progress.end();
            }
            return;
        }
        let blocks = 0..self.cut.seekers.len();
        let units: usize = blocks.map(|b| self.cut.met_by(b).len()).sum();
        progress.begin("neighbours", units as u64);
        let quiet = Units(progress);
        // Devices may have stopped, out of work, before another failed and put its block back.
        while !able.is_empty() && !self.is_done() {
            let done = self.together(&able, &quiet);
            able.clear();
            for (station, rows) in done {
                if self.collect(found, station.name(), rows) {
                    able.push(station);
                }
            }
        }
        progress.end();
    }

    fn take(&self) -> Option<usize> {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn is_done(&self) -> bool {
        let queue = self.queue.lock();
        queue.unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Keeps what a device found, or gives back the blocks that it took; whether it may go on.
    fn collect(&self, found: &mut Found<J::Found>, name: String, done: Done<J::Found>) -> bool {
        match done.found {
            Ok(parts) => {
                let seekers = done.blocks.iter().map(|&b| self.cut.seekers[b].clone());
                found.parts.extend(seekers.zip(parts));
                true
            }
            Err(fault) => {
                found.faults.push(format!("{name}: {fault}"));
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.extend(done.blocks);
                false
            }
        }
    }

    /// Lets every device take blocks until none is left.
    fn together<'s>(
        &self,
        stations: &[&'s dyn Station],
        progress: &dyn Progress,
    ) -> Vec<(&'s dyn Station, Done<J::Found>)> {
        if let [station] = stations {
            return vec![(*station, self.on(*station, progress))];
        }
        // A device that has to wait keeps no other from its verdicts.
        let threads = (rayon::current_num_threads() / stations.len()).max(1);
        thread::scope(|scope| {
            let each = stations.iter().map(|&station| {
                let hand = move || {
                    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
                    match pool {
                        Ok(pool) => pool.install(|| self.on(station, progress)),
                        Err(error) => Done {
                            blocks: Vec::new(),
                            found: Err(Fault(error.to_string())),
                        },
                    }
                };
                (station, scope.spawn(hand))
            });
            let each: Vec<_> = each.collect();
            let join = |(station, hand): (_, thread::ScopedJoinHandle<'_, Done<J::Found>>)| {
                (
                    station,
                    hand.join().unwrap_or_else(|panic| resume_unwind(panic)),
                )
            };
            each.into_iter().map(join).collect()
        })
    }

    /// What one device does.
    fn on(&self, station: &dyn Station, progress: &dyn Progress) -> Done<J::Found> {
        let mut blocks = Vec::new();
        let mut all = || {
            let mut found = Vec::new();
            let (points, aim) = (self.job.search().points, self.job.aim());
            let (mut machine, sender) = station.open(points, self.cut.room, aim)?;
            while let Some(b) = self.take() {
                blocks.push(b);
                found.push(self.block(&mut *machine, &*sender, b, progress)?);
            }
            Ok(found)
        };
        let found = all();
        Done { blocks, found }
    }

    /// What the rows of block `b` find among all.
    fn block(
        &self,
        machine: &mut dyn Machine,
        sender: &dyn Sender,
        b: usize,
        progress: &dyn Progress,
    ) -> Result<J::Found, Fault> {
        let (seekers, met) = (&self.cut.seekers[b], self.cut.met_by(b));
        progress.begin("copy to the GPU", 1);
        machine.hold(seekers)?;
        if let Some(Some(rows)) = met.first() {
            sender.send(rows)?;
        }
        progress.end();
        let mut found = self.job.nothing(seekers);
        for (at, targets) in met.iter().enumerate() {
            if targets.is_some() {
                machine.meet()?;
            }
            let next = met.get(at + 1).copied().flatten();
            let mut meet = || self.job.meet(machine, seekers, &mut found, progress);
            match next {
                None => meet()?,
                Some(rows) => self.beside(|| sender.send(rows), meet)?,
            }
            progress.step("blocks", "");
        }
        Ok(found)
    }

    /// Copies on a thread of its own while the caller's works.
    fn beside(
        &self,
        copy: impl FnOnce() -> Result<(), Fault> + Send,
        work: impl FnOnce() -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        thread::scope(|scope| {
            let copy = scope.spawn(|| self.threads.install(copy));
            let found = work();
            copy.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            found
        })
    }
}

/// What the next block cannot do worse than: the k-th D² of each list.
fn farthest(lists: &[List], k: usize) -> Vec<f64> {
    let of = |list: &List| {
        list.get(k - 1)
            .map_or(f64::INFINITY, |&(squared, _)| squared)
    };
    lists.iter().map(of).collect()
}

/// The k nearest of two lists of each row.
fn merge(before: Vec<List>, now: Vec<List>, k: usize) -> Vec<List> {
    let both = before.into_iter().zip(now);
    both.map(|(mut list, more)| {
        list.extend(more);
        list.sort_unstable_by(by_distance_then_row);
        list.truncate(k);
        list
    })
    .collect()
}
