//! The searcher that has devices: neighbours go there, ranks and what devices cannot do stay with the
//! processor.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::cut::Search;
use super::machine::{Fault, Station};
use super::plan::MOST;
use super::share::{Limits, share};
use super::{Device, Gpus};
use crate::error::{Error, Result};
use crate::neighbours::counting::{RankCounts, Targets};
use crate::neighbours::options::SearchOptions;
use crate::neighbours::points::Points;
use crate::neighbours::processor::Processor;
use crate::neighbours::searcher::Searcher;
use crate::neighbours::table::TableRow;
use crate::progress::Progress;

/// Below so many pairs times columns the processor is done before a GPU has started: some tenths of
/// a second for the driver, against about 2·10¹² of them a second on sixteen cores.
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
        search: &Search<'_>,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<TableRow>>> {
        let device = self.options.device;
        let gpus = match device {
            Device::Cpu => return Ok(None),
            Device::Auto if search.work() < WORTHWHILE => return Ok(None),
            Device::Auto => Gpus::FIRST,
            Device::Cuda(gpus) => gpus,
        };
        let layer = search.points.layer();
        if search.k > MOST {
            progress.note(&format!(
                "{layer}: lists of {} rows are too long for a GPU, the processor goes on",
                search.k
            ));
            return Ok(None);
        }
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
        let found = share(&stations, search, limits, progress);
        drop(turn);
        let found = match found {
            Ok(found) => found,
            Err(fault) if device == Device::Auto => {
                progress.note(&format!("{layer}: {fault}, the processor goes on"));
                return Ok(None);
            }
            Err(fault) => return Err(self.refuse(layer, fault)),
        };
        let (done, left) = (found.rows.len(), found.left.len());
        for fault in &found.faults {
            let who = match (done, left) {
                (_, 0) => "the others go on",
                _ => "the processor goes on",
            };
            progress.note(&format!("{layer}: {fault}, {who}"));
        }
        if done == 0 {
            return Ok(None);
        }
        let first = search.first();
        let finished = found.rows.into_iter();
        let finished = finished.map(|(row, list)| TableRow::new(row - first, list.into_iter()));
        let mut rows: Vec<TableRow> = finished.collect();
        rows.extend(self.rest(search, &found.left, progress)?);
        Ok(Some(rows))
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
        match self.by_devices(&Search::of_rows(points, rows, k), progress)? {
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
        match self.by_devices(&Search::of_queries(&both, k), progress)? {
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
        let Some(rows) = self.by_devices(&Search::of_rows(points, rows, k), progress)? else {
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
        self.processor.ranks(points, rows, targets, progress)
    }
}
