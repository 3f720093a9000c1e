//! The searcher that has a GPU: neighbours go there, ranks stay with the processor.

use std::ops::Range;

use super::Device;
use super::cuda::{self, Cuda};
use super::machine::Fault;
use super::plan::{MOST, nearest};
use crate::error::{Error, Result};
use crate::neighbours::counting::{RankCounts, Targets};
use crate::neighbours::options::SearchOptions;
use crate::neighbours::points::Points;
use crate::neighbours::processor::Processor;
use crate::neighbours::searcher::Searcher;
use crate::neighbours::table::{TableRow, index};
use crate::progress::Progress;

/// Below so many pairs times columns the processor is done before a GPU has started: some tenths of
/// a second for the driver, against about 2·10¹² of them a second on sixteen cores.
const WORTHWHILE: f64 = 2e12;

/// A GPU if one answers, and the processor for the rest.
pub(in crate::neighbours) struct OnDevice {
    options: SearchOptions,
    processor: Processor,
}

impl OnDevice {
    pub(in crate::neighbours) fn new(options: SearchOptions) -> Self {
        Self {
            options,
            processor: Processor::new(options),
        }
    }

    /// What the GPU finds; `None` where the processor is to go on.
    fn on_gpu(
        &self,
        points: &Points<'_>,
        queries: Option<usize>,
        k: usize,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<TableRow>>> {
        let (n, width) = (points.n_targets(), points.n_columns());
        let work = n as f64 * queries.unwrap_or(n) as f64 * width as f64;
        let device = self.options.device;
        let number = match device {
            Device::Cpu => return Ok(None),
            Device::Auto if work < WORTHWHILE => return Ok(None),
            Device::Auto => 0,
            Device::Cuda(number) => number,
        };
        let layer = points.layer();
        if k > MOST {
            progress.note(&format!(
                "{layer}: lists of {k} rows are too long for a GPU, the processor goes on"
            ));
            return Ok(None);
        }
        let gpu = match cuda::gpu(number) {
            Ok(gpu) => gpu,
            // Who did not ask for a GPU need not hear that there is none.
            Err(_) if device == Device::Auto => return Ok(None),
            Err(Fault(fact)) => return Err(self.refuse(layer, fact)),
        };
        let found = gpu.alone(|gpu| {
            progress.begin("copy to the GPU", 1);
            let mut machine = Cuda::new(gpu, points, queries, k, self.options.max_memory)?;
            progress.end();
            nearest(&mut machine, points, k, progress)
        });
        if found.is_err() {
            // Whatever stage it was in is over.
            progress.end();
        }
        match found {
            Ok(rows) => Ok(Some(rows)),
            Err(Fault(fact)) if device == Device::Auto => {
                progress.note(&format!("{layer}: {fact}, the processor goes on"));
                Ok(None)
            }
            Err(Fault(fact)) => Err(self.refuse(layer, fact)),
        }
    }

    /// The same for some rows, which ask as if they came from another dump: a row is one of its own
    /// k + 1 nearest unless as many others repeat it.
    fn of_rows(
        &self,
        points: &Points<'_>,
        rows: &Range<usize>,
        k: usize,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<TableRow>>> {
        let selected = points.select(rows);
        let queries = points.part(&selected, rows);
        let both = points.with_queries(&queries);
        let found = self.on_gpu(&both, Some(rows.len()), k + 1, progress)?;
        let without_itself = |found: TableRow| {
            let row = found.row + index(rows.start);
            let others = found.indices.iter().zip(&found.distances);
            let others = others.filter(|(other, _)| **other != row).take(k);
            let (indices, distances): (Vec<u32>, Vec<f64>) = others.unzip();
            TableRow {
                row,
                indices: indices.into(),
                distances: distances.into(),
            }
        };
        Ok(found.map(|found| found.into_iter().map(without_itself).collect()))
    }

    fn refuse(&self, layer: &str, fact: String) -> Error {
        Error::Device {
            layer: layer.to_owned(),
            device: self.options.device.to_string(),
            fact,
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
        let found = match rows.len() == points.n_rows() {
            true => self.on_gpu(points, None, k, progress)?,
            false => self.of_rows(points, rows, k, progress)?,
        };
        match found {
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
        match self.on_gpu(&both, Some(queries.n_rows()), k, progress)? {
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
        let found = match rows.len() == points.n_rows() {
            true => self.on_gpu(points, None, k, progress)?,
            false => self.of_rows(points, rows, k, progress)?,
        };
        let Some(rows) = found else {
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
