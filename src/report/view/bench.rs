//! What `repgeo bench` reports, and how it looks.

use serde::Serialize;

use crate::neighbours::Speed;
use crate::report::page::{Column, Grid, Note, Page, decimal, name, number, phrase};
use crate::report::{Printable, Record};

/// The neighbour search of this machine on made-up activations; times differ between runs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchReport {
    /// Threads that were used.
    pub threads: usize,
    /// Rows, N.
    pub rows: usize,
    /// Columns, D.
    pub columns: usize,
    /// Neighbours of each row.
    pub k: usize,
    /// The kernel that such a layer gets.
    pub chosen: &'static str,
    /// Every kernel that the machine can run.
    pub kernels: Vec<BenchedKernel>,
    /// GPUs that `--device` can name; none, with the reason beside it.
    pub devices: Vec<String>,
    /// Why there is no GPU.
    pub no_device: Option<String>,
}

/// One kernel.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchedKernel {
    /// Its name.
    pub kernel: &'static str,
    /// 10⁹ floating-point operations a second of the products alone.
    pub ceiling_gflops: f64,
    /// Seconds of a whole neighbour table.
    pub seconds: f64,
    /// The ceiling's share that the table reached, N²·D operations counted.
    pub share: f64,
}

impl BenchReport {
    /// The report of `speed` on N `rows` of D `columns`.
    pub fn new(
        speed: &Speed,
        gpus: Result<Vec<String>, String>,
        [rows, columns, k]: [usize; 3],
        threads: usize,
    ) -> Self {
        let (devices, no_device) = match gpus {
            Ok(devices) => (devices, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        Self {
            devices,
            no_device,
            threads,
            rows,
            columns,
            k,
            chosen: speed.chosen.as_str(),
            kernels: speed
                .kernels
                .iter()
                .map(|found| BenchedKernel {
                    kernel: found.kernel.as_str(),
                    ceiling_gflops: found.ceiling / 1e9,
                    seconds: found.seconds,
                    share: found.share,
                })
                .collect(),
        }
    }
}

impl Printable for BenchReport {
    fn records(&self) -> Vec<Record<'_>> {
        let of = |found: &BenchedKernel| {
            let record = |quantity, value| Record {
                variant: found.kernel.into(),
                scale: Some(self.k),
                n: Some(self.rows),
                ..Record::new("", quantity, Some(value))
            };
            [
                record("ceiling_gflops", found.ceiling_gflops),
                record("seconds", found.seconds),
                record("share", found.share),
            ]
        };
        self.kernels.iter().flat_map(of).collect()
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(vec![
            Column::words("kernel"),
            Column::number("ceiling GFLOP/s"),
            Column::number("table s"),
            Column::number("share"),
            Column::words(""),
        ]);
        for found in &self.kernels {
            let is_chosen = found.kernel == self.chosen;
            grid.push(vec![
                name(found.kernel).into(),
                number(found.ceiling_gflops, 3).into(),
                number(found.seconds, 3).into(),
                phrase![decimal(100.0 * found.share, 0), " %"].into(),
                is_chosen.then_some("chosen").into(),
            ]);
        }
        let size = format!(
            "{} rows, {} columns, k {}, {} threads",
            self.rows, self.columns, self.k, self.threads
        );
        let none = self.no_device.iter();
        let none = none.map(|reason| format!("no GPU: {reason}"));
        let lines = std::iter::once(size).chain(self.devices.iter().cloned());
        let closing: Vec<Note> = lines
            .chain(none)
            .map(|line| Note::Line(line.into()))
            .collect();
        Page::new("Neighbour search", vec![grid.into()], closing.into())
    }
}
