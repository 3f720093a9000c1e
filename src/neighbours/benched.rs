//! Times the search of this machine for `repgeo bench`.

use serde::Serialize;

use super::device::gpus;
use super::parts::{BenchedParts, stored_bytes};
use super::speed::{measure_gpu, measure_speed};
use crate::error::{Error, Result};
use crate::memory::machine_memory;

/// The neighbour search of this machine on made-up activations; times differ between runs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchReport {
    /// What was asked for, defaults included.
    pub parameters: BenchOptions,
    /// Threads that were used.
    pub threads: usize,
    /// The kernel that such a layer gets.
    pub chosen: &'static str,
    /// Every kernel that the machine can run.
    pub kernels: Vec<BenchedKernel>,
    /// GPUs that `--device` can name; none, with the reason beside it.
    pub devices: Vec<String>,
    /// Why there is no GPU, or why the first was not timed.
    pub no_device: Option<String>,
    /// Seconds of the same neighbour table on the first GPU, copies included.
    pub device_seconds: Option<f64>,
}

/// The made-up layer, and how often it is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchOptions {
    /// Rows, N.
    pub rows: usize,
    /// Columns, D.
    pub columns: usize,
    /// Neighbours of each row.
    pub k: usize,
    /// Rounds, of which medians are shown.
    pub rounds: usize,
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
    /// Where its time goes; null where memory does not hold all products, 2·N² bytes.
    pub parts: Option<BenchedParts>,
}

/// Searches a made-up layer with every kernel that the machine can run.
///
/// # Errors
/// [`Error::Usage`] for a layer that the machine has no memory for; as `measure_speed`.
pub fn bench(options: BenchOptions) -> Result<BenchReport> {
    let BenchOptions {
        rows,
        columns,
        k,
        rounds,
    } = options;
    let [n, d, neighbours] = [rows, columns, k].map(|count| count as u64);
    // The rows, their packed copy, and lists and table of neighbours.
    let needed = n.saturating_mul(8 * d + 36 * neighbours.min(n));
    let limit = machine_memory();
    if let Some(limit) = limit.filter(|&limit| needed > limit) {
        return Err(Error::Usage(format!(
            "--rows {n} with --columns {d} and -k {k} take {} MiB, and there are {} MiB; give less",
            needed >> 20,
            limit >> 20
        )));
    }
    let with_stored = needed.saturating_add(stored_bytes(n));
    let with_parts = limit.is_none_or(|limit| with_stored <= limit);
    let speed = measure_speed([rows, columns], k, rounds, with_parts)?;
    let devices = gpus();
    let timed = match &devices {
        Ok(all) if all.is_empty() => Err("the driver knows no GPU".into()),
        Ok(_) => measure_gpu(rows, columns, k, rounds),
        Err(reason) => Err(reason.clone()),
    };
    let kernels = speed.kernels.iter().map(|found| BenchedKernel {
        kernel: found.kernel.as_str(),
        ceiling_gflops: found.ceiling / 1e9,
        seconds: found.seconds,
        share: found.share,
        parts: found.parts,
    });
    Ok(BenchReport {
        parameters: options,
        threads: rayon::current_num_threads(),
        chosen: speed.chosen.as_str(),
        kernels: kernels.collect(),
        devices: devices.unwrap_or_default(),
        no_device: timed.as_ref().err().cloned(),
        device_seconds: timed.ok(),
    })
}
