//! The searcher that has devices: what they cannot do stays with the processor.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::cut::Search;
use super::machine::{Fault, Station};
use super::plan::MOST;
use super::ranking::Ranking;
use super::share::{Found, Job, Limits, Nearest, share};
use super::{Device, Gpus};
use crate::error::{Error, Result};
use crate::neighbours::counting::{RankCounts, Targets};
use crate::neighbours::options::SearchOptions;
use crate::neighbours::points::Points;
use crate::neighbours::processor::Processor;
use crate::neighbours::searcher::Searcher;
use crate::neighbours::table::TableRow;
use crate::progress::Progress;

/// Pairs times columns below which the processor is done before a GPU has started: some tenths of a
/// second for the driver, against about 2·10¹² of them a second on sixteen cores.
const WORTHWHILE: f64 = 2e12;

/// Gets the devices of some numbers ready.
type Ready = Box<dyn Fn(Gpus) -> std::result::Result<Vec<Arc<dyn Station>>, Fault>>;

/// Devices if they answer, and the processor for the rest.
pub(in crate::neighbours) struct OnDevice {
    options: SearchOptions,
    processor: Processor,
    ready: Ready,
}

impl OnDevice {
    #[cfg(feature = "cuda")]
    pub(in crate::neighbours) fn new(options: SearchOptions) -> Self {
        Self::of(options, Box::new(super::cuda::stations))
    }

    pub(super) fn of(options: SearchOptions, ready: Ready) -> Self {
        Self {
            options,
            processor: Processor::new(options),
            ready,
        }
    }

    /// What the devices find; `None` where the processor is to do it all.
    fn by_devices(
        &self,
        search: Search<'_>,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<TableRow>>> {
        if search.k > MOST && self.asked(&search).is_some() {
            progress.note(&format!(
                "{}: lists of {} rows are too long for a GPU, the processor goes on",
                search.points.layer(),
                search.k
            ));
            return Ok(None);
        }
        let job = Nearest(search);
        let Some(found) = self.shared(&job, progress)? else {
            return Ok(None);
        };
        let search = &job.0;
        let first = search.first();
        let mut rows = Vec::with_capacity(search.seekers.len());
        for (seekers, lists) in found.parts {
            let finished = seekers.into_iter().zip(lists);
            rows.extend(finished.map(|(row, list)| TableRow::new(row - first, list.into_iter())));
        }
        rows.extend(self.rest(search, &found.left, progress)?);
        Ok(Some(rows))
    }

    /// The GPUs that a search is for.
    fn asked(&self, search: &Search<'_>) -> Option<Gpus> {
        match self.options.device {
            Device::Cpu => None,
            Device::Auto => (search.work() >= WORTHWHILE).then_some(Gpus::FIRST),
            Device::Cuda(gpus) => Some(gpus),
        }
    }

    /// What the devices do of a job; `None` where they do nothing.
    fn shared<J: Job>(&self, job: &J, progress: &dyn Progress) -> Result<Option<Found<J::Found>>> {
        let (search, device) = (job.search(), self.options.device);
        let Some(gpus) = self.asked(search) else {
            return Ok(None);
        };
        let layer = search.points.layer();
        let stations = match (self.ready)(gpus) {
            Ok(stations) => stations,
            // Who did not ask for a GPU need not hear that there is none.
            Err(_) if device == Device::Auto => return Ok(None),
            Err(fault) => return Err(self.refuse(layer, fault)),
        };
        let stations: Vec<&dyn Station> = stations.iter().map(|station| &**station).collect();
        // Blocks of rows that come and go were not timed yet: they are for who asks for them.
        let limits = Limits {
            most: self.options.max_memory,
            whole: device == Device::Auto,
        };
        // Whoever searches has the devices to himself: their memory holds one search.
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let found = share(&stations, job, limits, progress);
        drop(turn);
        let found = match found {
            Ok(found) => found,
            Err(fault) if device == Device::Auto => {
                progress.note(&format!("{layer}: {fault}, the processor goes on"));
                return Ok(None);
            }
            Err(fault) => return Err(self.refuse(layer, fault)),
        };
        let who = match found.left.is_empty() {
            true => "the others go on",
            false => "the processor goes on",
        };
        for fault in &found.faults {
            progress.note(&format!("{layer}: {fault}, {who}"));
        }
        Ok(if found.parts.is_empty() {
            None
        } else {
            Some(found)
        })
    }

    /// What the processor finds for rows that no device could do.
    pub(super) fn rest(
        &self,
        search: &Search<'_>,
        left: &[u32],
        progress: &dyn Progress,
    ) -> Result<Vec<TableRow>> {
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let (points, k) = (search.points, search.k);
        let selected = points.select(left);
        let asking = points.part(&selected, left);
        let others = points.without_queries();
        // A row that asks as if it came from another dump is one of its own k + 1 nearest, unless as
        // many others repeat it.
        let wanted = (k + usize::from(search.among)).min(others.n_rows());
        let found = self
            .processor
            .nearest_to(&others, &asking, wanted, progress)?;
        let without_itself = |found: TableRow| {
            let row = left[found.row as usize];
            let others = found.indices.iter().zip(&found.distances);
            let others = others.filter(|(other, _)| **other != row).take(k);
            let (indices, distances): (Vec<u32>, Vec<f64>) = others.unzip();
            TableRow {
                row: row - search.first(),
                indices: indices.into(),
                distances: distances.into(),
            }
        };
        Ok(found.into_iter().map(without_itself).collect())
    }

    fn refuse(&self, layer: &str, fault: Fault) -> Error {
        Error::Device {
            layer: layer.to_owned(),
            device: self.options.device.to_string(),
            fact: fault.0,
        }
    }
}

impl Searcher for OnDevice {
    fn nearest(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        k: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<TableRow>> {
        match self.by_devices(Search::of_rows(points, rows, k), progress)? {
            Some(rows) => Ok(rows),
            None => self.processor.nearest(points, rows, k, progress),
        }
    }

    fn nearest_to(
        &self,
        points: &Points<'_>,
        queries: &Points<'_>,
        k: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<TableRow>> {
        let both = points.with_queries(queries);
        match self.by_devices(Search::of_queries(&both, k), progress)? {
            Some(rows) => Ok(rows),
            None => self.processor.nearest_to(points, queries, k, progress),
        }
    }

    fn at_orders(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        orders: &[usize],
        progress: &dyn Progress,
    ) -> Result<Vec<(u32, Vec<f64>)>> {
        let k = orders.last().copied().unwrap_or(0);
        let Some(rows) = self.by_devices(Search::of_rows(points, rows, k), progress)? else {
            return self.processor.at_orders(points, rows, orders, progress);
        };
        let pick = |row: TableRow| {
            let of_order = orders.iter().map(|&order| row.distances[order - 1]);
            (row.row, of_order.collect())
        };
        Ok(rows.into_iter().map(pick).collect())
    }

    fn ranks(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        targets: &Targets<'_>,
        progress: &dyn Progress,
    ) -> Result<RankCounts> {
        // No GPU has counted ranks yet: it is for who asks for one.
        let named = matches!(self.options.device, Device::Cuda(_));
        if named && targets.rows.ncols() > 0 {
            let job = Ranking {
                search: Search::of_rows(points, rows, 0),
                targets,
                start: rows.start,
            };
            match self.shared(&job, progress)? {
                Some(found) if found.left.is_empty() => return Ok(job.join(found.parts)),
                _ => {}
            }
        }
        self.processor.ranks(points, rows, targets, progress)
    }
}
